package user

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authz"
	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/internal/geo"
	"github.com/reevehq/reeve/internal/provision"
	"github.com/reevehq/reeve/tenants"
)

// Service implements the rules of the routes.
type Service struct {
	DB    *controldb.DB
	Authz *authz.Authorizer
	// Open returns the scope of an active project for a request of an actor.
	Open func(ctx context.Context, ref tenants.Ref, actor authz.Actor) (*tenants.Scope, error)
	// Index makes the indexes that a search of a large project needs, in the
	// background. It may be called again and again.
	Index    func(ctx context.Context, ref tenants.Ref, which Index) error
	Accounts Accounts
	// Places finds where sessions are; nil for nowhere.
	Places *geo.Places
	Now    func() time.Time
}

// Index names indexes that Service.Index makes.
type Index string

// The indexes.
const (
	IndexSearch     Index = "search"
	IndexLastSignIn Index = "last_sign_in"
	IndexProvider   Index = "provider"
	IndexAudit      Index = "audit"
)

// Accounts changes the users of a project, by the services that the project's own
// admin routes have. Faults are theirs.
type Accounts interface {
	Create(ctx context.Context, sc *tenants.Scope, a Attributes) (*auth.User, error)
	Invite(ctx context.Context, sc *tenants.Scope, email, redirectTo string, data map[string]any) (*auth.User, error)
	// Update changes a user who still has the updated_at since, unless that is nil.
	Update(ctx context.Context, sc *tenants.Scope, id uuid.UUID, a Attributes, since *time.Time) (*auth.User, error)
	Delete(ctx context.Context, sc *tenants.Scope, id uuid.UUID, soft bool, since *time.Time) error
	// Mail mails a user a link of a kind; Link answers it instead.
	Mail(ctx context.Context, sc *tenants.Scope, u *auth.User, kind, redirectTo string) error
	Link(ctx context.Context, sc *tenants.Scope, u *auth.User, kind, redirectTo string) (*Link, error)
	EndSessions(ctx context.Context, sc *tenants.Scope, id uuid.UUID) error
	EndSession(ctx context.Context, sc *tenants.Scope, id, session uuid.UUID) error
	Unlink(ctx context.Context, sc *tenants.Scope, id, identity uuid.UUID) error
	RenameFactor(ctx context.Context, sc *tenants.Scope, id, factor uuid.UUID, name string) error
	DeleteFactor(ctx context.Context, sc *tenants.Scope, id, factor uuid.UUID) error
	DeletePasskey(ctx context.Context, sc *tenants.Scope, id, passkey uuid.UUID) error
}

// open returns the scope of a project in which the actor may do the action.
func (s *Service) open(ctx context.Context, actor authz.Actor, action authz.Action, ref string) (*tenants.Scope, error) {
	p, err := s.Authz.Project(ctx, actor, action, ref)
	switch {
	case err != nil:
		return nil, err
	case p.Status.Paused():
		return nil, provision.ErrPaused
	case p.Status != tenants.StatusActive:
		return nil, provision.ErrNotReady
	}
	return s.Open(ctx, p.Ref, actor)
}

// openUser is open for a route that names a user. What is not the id of a user is
// nobody's.
func (s *Service) openUser(ctx context.Context, actor authz.Actor, action authz.Action, ref, id string) (*tenants.Scope, uuid.UUID, error) {
	sc, err := s.open(ctx, actor, action, ref)
	if err != nil {
		return nil, uuid.Nil, err
	}
	parsed, ok := parseID(id)
	if !ok {
		return nil, uuid.Nil, auth.ErrUserNotFound
	}
	return sc, parsed, nil
}

func parseID(text string) (uuid.UUID, bool) {
	id, err := uuid.Parse(text)
	return id, err == nil && len(text) == 36
}

// The faults of this package.
var (
	errSlow      = fault.New(fault.Unprocessable, "search_too_slow", "The search took too long: look for a longer text, or for fewer users")
	errMissing   = fault.New(fault.NotFound, "not_found", "The user has no such object")
	errBanned    = fault.New(fault.Unprocessable, "user_banned", "The user is banned: no link would sign them in")
	errNoAddress = fault.New(fault.Unprocessable, "user_without_email", "The user has no e-mail address")
	errConfirmed = fault.New(fault.Unprocessable, "user_confirmed", "The user's e-mail address is confirmed")
	errCursor    = fault.New(fault.Invalid, "validation_failed", "cursor: is not one of this list")
)
