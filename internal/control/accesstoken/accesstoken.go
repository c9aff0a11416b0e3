// Package accesstoken serves a user's access tokens of the Management API:
// list, create, delete. Only a signed-in session creates one, never an access
// token, so that no token prolongs or widens itself; and a new token allows at
// most what its user may do at the time of each request.
package accesstoken

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

const (
	// maxTokens is how many tokens a user may have.
	maxTokens = 100
)

var (
	errTooMany  = fault.New(fault.Forbidden, "access_token_limit_reached", "You have the maximum number of access tokens")
	errNotThere = text.ErrInvalid.Saying("organizations, projects: must name what you can see")
)

// Service implements the rules.
type Service struct {
	DB    *controldb.DB
	Authz *authz.Authorizer
	Now   func() time.Time
}

// List returns the actor's tokens without their texts, the oldest first. An
// access token with a scope sees itself only.
func (s *Service) List(ctx context.Context, actor authz.Actor) ([]Token, error) {
	if err := actor.RequirePerson(); err != nil {
		return nil, err
	}
	found, err := s.DB.AccessTokensOf(ctx, actor.UserID)
	if err != nil {
		return nil, err
	}
	if !actor.Scope.Unlimited() {
		found = slices.DeleteFunc(found, func(t controldb.AccessToken) bool { return t.ID != actor.TokenID })
	}
	slugs, err := s.slugs(ctx, actor)
	if err != nil {
		return nil, err
	}
	out := make([]Token, len(found))
	for i, t := range found {
		out[i] = onWire(t, slugs)
	}
	return out, nil
}

// slugs names the organizations that exist for the actor.
func (s *Service) slugs(ctx context.Context, actor authz.Actor) (map[uuid.UUID]string, error) {
	orgs, err := s.Authz.Organizations(ctx, actor)
	out := make(map[uuid.UUID]string, len(orgs))
	for _, o := range orgs {
		out[o.ID] = o.Slug
	}
	return out, err
}

// Create creates a token; its text is in this answer only.
func (s *Service) Create(ctx context.Context, actor authz.Actor, in CreateBody) (*Created, error) {
	if err := actor.RequireSession(); err != nil {
		return nil, err
	}
	t := controldb.AccessToken{UserID: actor.UserID, SecondFactor: actor.SecondFactor}
	var err error
	if t.Name, err = text.Name("name", in.Name, 1, 256); err != nil {
		return nil, err
	}
	if in.ExpiresIn != nil {
		end := s.Now().Add(time.Duration(*in.ExpiresIn) * time.Second)
		t.ExpiresAt = &end
	}
	slugs, err := s.slugs(ctx, actor)
	if err != nil {
		return nil, err
	}
	var within []place
	if t.Scope, within, err = s.scope(authz.Unobserved(ctx), actor, slugs, in); err != nil {
		return nil, err
	}
	if err := s.observe(ctx, actor, within); err != nil {
		return nil, err
	}
	var out Created
	err = s.DB.Tx(ctx, func(tx *controldb.Tx) error {
		if err := tx.CheckTokenLimit(ctx, actor.UserID, maxTokens, errTooMany); err != nil {
			return err
		}
		made, secret, err := tx.CreateAccessToken(ctx, s.DB.Hasher(), t)
		if err != nil {
			return err
		}
		out = Created{onWire(made, slugs), secret}
		return control.Remember(ctx, tx, out)
	})
	return &out, err
}

// scope checks the lists of a new token. An empty list is refused: it would
// allow nothing, and is easily meant as "everything".
func (s *Service) scope(ctx context.Context, actor authz.Actor, slugs map[uuid.UUID]string, in CreateBody) (scope controldb.TokenScope, within []place, err error) {
	for _, slug := range in.Organizations {
		org, err := s.Authz.Organization(ctx, actor, authz.ReadOrganization, slug)
		if err != nil || slugs[org.ID] == "" {
			return scope, nil, errNotThere
		}
		within = append(within, place{organization: org.ID})
		scope.Organizations = append(scope.Organizations, org.ID)
	}
	for _, ref := range in.Projects {
		p, err := s.Authz.Project(ctx, actor, authz.ReadProject, ref)
		if err != nil {
			return scope, nil, errNotThere
		}
		within = append(within, place{p.OrganizationID, p.Ref})
		scope.Projects = append(scope.Projects, p.Ref)
	}
	for _, p := range in.Permissions {
		if !slices.Contains(authz.Actions(), authz.Action(p)) {
			return scope, nil, text.Invalid("permissions: there is no permission %q", p)
		}
		scope.Permissions = append(scope.Permissions, p)
	}
	return scope, within, nil
}

// place is an organization, or a project of it, that a token is for.
type place struct {
	organization uuid.UUID
	project      tenants.Ref
}

// observe puts the token into the audit log of the organization that it is for, if
// that is a single one.
func (s *Service) observe(ctx context.Context, actor authz.Actor, within []place) error {
	if len(within) == 0 {
		return nil
	}
	of := within[0]
	for _, p := range within[1:] {
		if p.organization != of.organization {
			return nil
		}
		if p.project != of.project {
			of.project = ""
		}
	}
	_, err := s.Authz.Grants(ctx, actor, of.organization, of.project)
	return err
}

// Delete removes a token of the actor's; it is refused from then on. An access
// token may delete itself only.
func (s *Service) Delete(ctx context.Context, actor authz.Actor, id string) (*Deleted, error) {
	if err := actor.RequirePerson(); err != nil {
		return nil, err
	}
	parsed, err := uuid.Parse(id)
	if err != nil {
		return nil, controldb.ErrNoAccessToken
	}
	if actor.TokenID != uuid.Nil && actor.TokenID != parsed {
		return nil, authz.ErrSession
	}
	err = s.DB.Tx(ctx, func(tx *controldb.Tx) error { return tx.DeleteAccessTokenOf(ctx, actor.UserID, parsed) })
	return &Deleted{ID: parsed.String()}, err
}

// Token is an access token on the wire.
type Token struct {
	ID            string        `json:"id"`
	Name          string        `json:"name"`
	Organizations []string      `json:"organizations" doc:"Slugs; null for all."`
	Projects      []tenants.Ref `json:"projects" doc:"Refs; null for all."`
	Permissions   []string      `json:"permissions" doc:"Null for all that you may do."`
	CreatedAt     time.Time     `json:"created_at"`
	ExpiresAt     *time.Time    `json:"expires_at"`
	LastUsedAt    *time.Time    `json:"last_used_at" doc:"Exact to a minute."`
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
	Name          string   `json:"name" minLength:"1" maxLength:"256"`
	ExpiresIn     *int64   `json:"expires_in,omitempty" minimum:"60" maximum:"157680000" doc:"Seconds; without it the token does not expire."`
	Organizations []string `json:"organizations,omitempty" minItems:"1" maxItems:"100" doc:"Slugs of the only organizations that the token is for."`
	Projects      []string `json:"projects,omitempty" minItems:"1" maxItems:"100" doc:"Refs of the only projects that the token is for."`
	Permissions   []string `json:"permissions,omitempty" minItems:"1" maxItems:"100" doc:"The only permissions of yours that the token has."`
}

func onWire(t controldb.AccessToken, slugs map[uuid.UUID]string) Token {
	out := Token{
		ID: t.ID.String(), Name: t.Name, Projects: t.Scope.Projects, Permissions: t.Scope.Permissions,
		CreatedAt: t.CreatedAt.UTC(), ExpiresAt: t.ExpiresAt, LastUsedAt: t.LastUsedAt,
	}
	if t.Scope.Organizations != nil {
		out.Organizations = []string{}
		for _, id := range t.Scope.Organizations {
			if slug := slugs[id]; slug != "" {
				out.Organizations = append(out.Organizations, slug)
			}
		}
	}
	return out
}
