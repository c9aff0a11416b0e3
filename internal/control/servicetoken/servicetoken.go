// Package servicetoken serves the service tokens of an organization: list, create,
// delete. They are access tokens of the organization and not of a person, so they
// outlive whoever made them. Only a signed-in session creates one. What it allows
// is fixed then, and at most what its maker may do; it manages no people, roles or
// tokens.
package servicetoken

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/authz"
	"github.com/reevehq/reeve/internal/control/text"
	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/internal/web/control"
	"github.com/reevehq/reeve/tenants"
)

// maxTokens is how many tokens an organization may have, expired ones too.
const maxTokens = 100

var (
	errTooMany = fault.New(fault.Forbidden, "service_token_limit_reached", "The organization has the maximum number of service tokens: revoke one")
	errName    = fault.New(fault.Conflict, "conflict", "The organization has a service token with this name")
	errAbove   = fault.New(fault.Forbidden, "forbidden", "A service token allows at most what you may do")
	errProject = text.ErrInvalid.Saying("projects: must name projects of the organization that you can see")
)

// Service implements the rules.
type Service struct {
	DB    *controldb.DB
	Authz *authz.Authorizer
	Now   func() time.Time
}

// List returns the organization's tokens without their texts, the oldest first.
func (s *Service) List(ctx context.Context, actor authz.Actor, slug string) ([]Token, error) {
	org, err := s.Authz.Organization(ctx, actor, authz.ReadServiceTokens, slug)
	if err != nil {
		return nil, err
	}
	found, err := s.DB.ServiceTokensOf(ctx, org.ID)
	out := make([]Token, len(found))
	for i, t := range found {
		out[i] = onWire(t)
	}
	return out, err
}

// Create creates a token; its text is in this answer only.
func (s *Service) Create(ctx context.Context, actor authz.Actor, slug string, in CreateBody) (*Created, error) {
	org, err := s.Authz.Organization(ctx, actor, authz.WriteServiceTokens, slug)
	if err != nil {
		return nil, err
	}
	if err := actor.RequireSession(); err != nil {
		return nil, err
	}
	t := controldb.ServiceToken{
		OrganizationID: org.ID, CreatedBy: actor.UserID, ExpiresAt: s.Now().Add(time.Duration(in.ExpiresIn) * time.Second),
	}
	if t.Name, err = text.Name("name", in.Name, 1, 256); err != nil {
		return nil, err
	}
	for _, ref := range in.Projects {
		p, err := s.Authz.Project(ctx, actor, authz.ReadProject, ref)
		if err != nil || p.OrganizationID != org.ID {
			return nil, errProject
		}
		if !slices.Contains(t.Projects, p.Ref) {
			t.Projects = append(t.Projects, p.Ref)
		}
	}
	var out Created
	err = s.DB.Tx(ctx, func(tx *controldb.Tx) error {
		// What the maker may do is read while no member changes.
		if _, err := tx.LockMembers(ctx, org.ID); err != nil {
			return err
		}
		g, err := s.Authz.GrantsIn(ctx, tx, actor, org.ID, "")
		if err != nil {
			return err
		}
		if err := g.Require(authz.WriteServiceTokens); err != nil {
			return err
		}
		if t.Permissions, err = permissions(g, in.Permissions); err != nil {
			return err
		}
		if err := checkRoom(ctx, tx, org.ID, t.Name); err != nil {
			return err
		}
		made, secret, err := tx.CreateServiceToken(ctx, s.DB.Hasher(), t)
		if err != nil {
			return err
		}
		out = Created{onWire(made), secret}
		return control.Remember(ctx, tx, out)
	})
	return &out, err
}

// checkRoom checks that the organization may have another token, of this name. The
// lock of its members makes creates take turns.
func checkRoom(ctx context.Context, tx *controldb.Tx, org uuid.UUID, name string) error {
	have, err := tx.ServiceTokensOf(ctx, org)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(have, func(t controldb.ServiceToken) bool { return t.Name == name }) {
		return errName
	}
	if len(have) >= maxTokens {
		return errTooMany
	}
	return nil
}

// permissions returns what a token of this maker has: what was asked for, or all
// that the maker may do and a service token can have.
func permissions(g authz.Grants, asked []string) ([]string, error) {
	var out []string
	if asked == nil {
		for _, a := range authz.Actions() {
			if a.ForServices() && g.May(a) {
				out = append(out, string(a))
			}
		}
		return out, nil
	}
	for _, p := range asked {
		a := authz.Action(p)
		switch {
		case !slices.Contains(authz.Actions(), a):
			return nil, text.Invalid("permissions: there is no permission %q", p)
		case !a.ForServices():
			return nil, text.Invalid("permissions: %q is for people only", p)
		case !g.May(a):
			return nil, errAbove
		}
		if !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	return out, nil
}

// Delete removes a token; it is refused from then on. A service token may delete
// itself.
func (s *Service) Delete(ctx context.Context, actor authz.Actor, slug, id string) (*Deleted, error) {
	parsed, err := uuid.Parse(id)
	if err != nil {
		parsed = uuid.Nil // no token's
	}
	org, err := s.deletes(ctx, actor, slug, parsed)
	if err != nil {
		return nil, err
	}
	err = s.DB.Tx(ctx, func(tx *controldb.Tx) error { return tx.DeleteServiceToken(ctx, org.ID, parsed) })
	return &Deleted{ID: parsed.String()}, err
}

// deletes returns the organization if the actor may delete a token of it.
func (s *Service) deletes(ctx context.Context, actor authz.Actor, slug string, id uuid.UUID) (controldb.Organization, error) {
	if actor.Service == nil || actor.TokenID != id {
		return s.Authz.Organization(ctx, actor, authz.WriteServiceTokens, slug)
	}
	org, err := s.DB.OrganizationBySlug(ctx, slug)
	if err == nil && org.ID != actor.Service.Organization {
		err = authz.ErrOrganizationNotFound
	}
	if err != nil {
		return controldb.Organization{}, err
	}
	// It needs no permission, but the audit log shall have it.
	_, err = s.Authz.Grants(ctx, actor, org.ID, "")
	return org, err
}

// Token is a service token on the wire.
type Token struct {
	ID          string        `json:"id"`
	Name        string        `json:"name"`
	Projects    []tenants.Ref `json:"projects" doc:"Refs; null for all of the organization."`
	Permissions []string      `json:"permissions"`
	CreatedBy   string        `json:"created_by" doc:"Id of the user who made it."`
	CreatedAt   time.Time     `json:"created_at"`
	ExpiresAt   time.Time     `json:"expires_at"`
	LastUsedAt  *time.Time    `json:"last_used_at" doc:"Exact to a minute."`
}

// Created is a new token with its text.
type Created struct {
	Token
	Text string `json:"token" doc:"Shown this once."`
}

// Deleted names the token that is gone.
type Deleted struct {
	ID string `json:"id"`
}

// CreateBody is the body of create.
type CreateBody struct {
	Name        string   `json:"name" minLength:"1" maxLength:"256" doc:"The audit log names the token by it; unique in the organization."`
	ExpiresIn   int64    `json:"expires_in" minimum:"60" maximum:"31622400" doc:"Seconds, a year at most."`
	Projects    []string `json:"projects,omitempty" minItems:"1" maxItems:"100" doc:"Refs of the only projects that the token is for."`
	Permissions []string `json:"permissions,omitempty" minItems:"1" maxItems:"100" doc:"Of those that you have; without them all that a service token can have."`
}

func onWire(t controldb.ServiceToken) Token {
	return Token{
		ID: t.ID.String(), Name: t.Name, Projects: t.Projects, Permissions: t.Permissions, CreatedBy: t.CreatedBy.String(),
		CreatedAt: t.CreatedAt.UTC(), ExpiresAt: t.ExpiresAt.UTC(), LastUsedAt: t.LastUsedAt,
	}
}
