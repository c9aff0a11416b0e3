package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/server"
)

type tokenCommand struct {
	File   string `name:"config" placeholder:"FILE" help:"Configuration file; REEVE_* variables win over it."`
	Name   string `default:"operator" help:"A name to know the token by."`
	TTL    ttl    `name:"ttl" default:"2160h" help:"How long it is good for (${default}, 90 days); 0 means for ever."`
	List   bool   `xor:"what" help:"List the access tokens of all users, and the service tokens of all organizations, instead."`
	Revoke string `xor:"what" placeholder:"ID" help:"Revoke an access token instead."`
}

// ttl is a time to live.
type ttl time.Duration

// UnmarshalText reads a flag.
func (t *ttl) UnmarshalText(text []byte) error {
	d, err := time.ParseDuration(string(text))
	if err != nil {
		return errors.New("must be in hours, such as 2160h")
	}
	*t = ttl(d)
	return nil
}

// Run prints only the new token, so that a script can read it.
func (c *tokenCommand) Run(ctx context.Context, p program, r *remote) error {
	id, err := c.check()
	if err != nil {
		return usage{err}
	}
	o, err := p.serverOptions(c.File)
	if err != nil {
		return err
	}
	switch {
	case c.List:
		return stopped(ctx, c.list(ctx, p, r, o))
	case c.Revoke != "":
		return stopped(ctx, c.revoke(ctx, p, r, o, id))
	}
	token, err := server.OperatorToken(ctx, o, c.Name, time.Duration(c.TTL))
	if err != nil {
		return stopped(ctx, err)
	}
	if r.Output == "json" {
		return show(p, map[string]string{"name": c.Name, "access_token": token})
	}
	fmt.Fprintln(p.out, token)
	return nil
}

func (c *tokenCommand) check() (id uuid.UUID, err error) {
	if c.TTL < 0 {
		return id, errors.New("--ttl: must not be negative")
	}
	if c.Revoke == "" {
		return id, nil
	}
	if id, err = uuid.Parse(c.Revoke); err != nil {
		return id, errors.New("--revoke: must be an id that --list shows")
	}
	return id, nil
}

// revoke prints nothing unless JSON is requested.
func (c *tokenCommand) revoke(ctx context.Context, p program, r *remote, o server.Options, id uuid.UUID) error {
	if err := server.RevokeToken(ctx, o, id); err != nil || r.Output != "json" {
		return err
	}
	return show(p, map[string]any{"id": id})
}

// listedToken is a token in the output of --list -o json.
type listedToken struct {
	ID         uuid.UUID  `json:"id"`
	UserID     *uuid.UUID `json:"user_id"`         // null for a service token
	OrgID      *uuid.UUID `json:"organization_id"` // of a service token
	Name       string     `json:"name"`
	CreatedAt  time.Time  `json:"created_at"`
	ExpiresAt  *time.Time `json:"expires_at"`
	LastUsedAt *time.Time `json:"last_used_at"`
}

func (c *tokenCommand) list(ctx context.Context, p program, r *remote, o server.Options) error {
	tokens, err := server.AccessTokens(ctx, o)
	if err != nil {
		return err
	}
	services, err := server.ServiceTokens(ctx, o)
	if err != nil {
		return err
	}
	listed := []listedToken{}
	for _, t := range tokens {
		listed = append(listed, listedToken{t.ID, &t.UserID, nil, t.Name, t.CreatedAt, t.ExpiresAt, t.LastUsedAt})
	}
	for _, t := range services {
		listed = append(listed, listedToken{t.ID, nil, &t.OrganizationID, t.Name, t.CreatedAt, &t.ExpiresAt, t.LastUsedAt})
	}
	answer, err := json.Marshal(listed)
	if err != nil {
		return fmt.Errorf("list access tokens: %w", err)
	}
	return r.print(p, answer, column{"ID", "id"}, column{"NAME", "name"}, column{"USER", "user_id"}, column{"ORGANIZATION", "organization_id"},
		column{"CREATED", "created_at"}, column{"EXPIRES", "expires_at"}, column{"LAST USED", "last_used_at"})
}
