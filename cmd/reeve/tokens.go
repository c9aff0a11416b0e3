package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/reevehq/reeve/internal/manage"
)

type tokensCommand struct {
	List   tokensList   `cmd:"" help:"List your access tokens, or an organization's service tokens; -o json shows what they are for."`
	Create tokensCreate `cmd:"" help:"Create a token; its text is shown this once. Needs a session's token in REEVE_ACCESS_TOKEN: no access token makes one."`
	Revoke tokensRevoke `cmd:"" help:"Revoke a token; it is refused from then on."`
}

// ofTokens is whose tokens a command works on.
type ofTokens struct {
	Org string `placeholder:"SLUG" help:"Service tokens of this organization; your own access tokens if left out."`
}

type (
	tokensList struct {
		ofTokens
	}
	tokensCreate struct {
		ofTokens
		Name string `arg:"" help:"A name to know it by; the audit log names a service token by it."`

		ExpiresIn     time.Duration `help:"How long it works, as 720h; a service token needs it, at most a year (8784h)."`
		Organizations []string      `placeholder:"SLUG" help:"The only organizations that an access token of yours is for."`
		Projects      []string      `placeholder:"REF" help:"The refs of the only projects that it is for."`
		Permissions   []string      `help:"All that it may do, of what you may, as project:read."`
	}
	tokensRevoke struct {
		ofTokens
		ID string `arg:"" help:"Its id."`
	}
)

func (o *ofTokens) path(parts ...string) string {
	if o.Org == "" {
		return manage.Path(append([]string{"profile", "access-tokens"}, parts...)...)
	}
	return manage.Path(append([]string{"organizations", o.Org, "service-tokens"}, parts...)...)
}

func tokenColumns() []column {
	return []column{
		{"ID", "id"}, {"NAME", "name"}, {"CREATED", "created_at"}, {"EXPIRES", "expires_at"}, {"LAST USED", "last_used_at"},
	}
}

// Run lists.
func (t *tokensList) Run(ctx context.Context, p program, r *remote) error {
	c, err := r.client(p)
	if err != nil {
		return err
	}
	answer, err := c.Get(ctx, t.path())
	if err != nil {
		return err
	}
	return r.print(p, answer, tokenColumns()...)
}

// Run prints only the new token, so that a script can read it.
func (t *tokensCreate) Run(ctx context.Context, p program, r *remote) error {
	body, err := t.body()
	if err != nil {
		return usage{err}
	}
	c, err := r.client(p)
	if err != nil {
		return err
	}
	answer, err := c.Create(ctx, t.path(), body)
	if err != nil {
		return err
	}
	if r.Output == "json" {
		return r.print(p, answer)
	}
	var made struct{ Token string }
	if err := json.Unmarshal(answer, &made); err != nil {
		return fmt.Errorf("read the token: %w", err)
	}
	fmt.Fprintln(p.out, made.Token)
	return nil
}

func (t *tokensCreate) body() (map[string]any, error) {
	switch {
	case t.Org != "" && t.Organizations != nil:
		return nil, errors.New("--organizations: a service token is of the organization in --org alone")
	case t.Org != "" && t.ExpiresIn == 0:
		return nil, errors.New("--expires-in: a service token needs an end")
	case t.ExpiresIn < 0:
		return nil, errors.New("--expires-in: must not be negative")
	}
	body := map[string]any{"name": t.Name}
	if t.ExpiresIn != 0 {
		body["expires_in"] = int64(t.ExpiresIn.Seconds())
	}
	for name, list := range map[string][]string{"organizations": t.Organizations, "projects": t.Projects, "permissions": t.Permissions} {
		if list != nil {
			body[name] = list
		}
	}
	return body, nil
}

// Run prints nothing unless JSON is requested.
func (t *tokensRevoke) Run(ctx context.Context, p program, r *remote) error {
	c, err := r.client(p)
	if err != nil {
		return err
	}
	answer, err := c.Delete(ctx, t.path(t.ID))
	if err != nil || r.Output != "json" {
		return err
	}
	return r.print(p, answer)
}
