// Package users creates, links and changes the users of a project, together with
// their identities, sessions and mailed links. The flows decide about a change;
// this package writes it. It owns no route and opens no transaction. A flow
// writes by itself only the columns that concern nothing else, such as the time
// of a mail.
//
// Users are written column by column. Triggers of the project's developer may
// write to the same rows between two statements of a transaction, and their
// changes stay.
package users

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/session"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// Users finds, creates and changes users.
type Users struct {
	Sessions session.Sessions
	Now      func() time.Time
	// Hooks may refuse a new user or be notified of one; nil for none.
	Hooks Hooks
}

// Hooks is code of a project that runs around the creation of a user.
type Hooks interface {
	// Enabled reports whether the project has any.
	Enabled(sc *tenants.Scope) bool
	// Remote reports whether BeforeCreate calls a URL.
	Remote(sc *tenants.Scope) bool
	// BeforeCreate is called before the row is written. An error refuses the user.
	BeforeCreate(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, u *auth.User) error
	// AfterCreate is called with the user as written.
	AfterCreate(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, u *auth.User) error
}

// Hooked reports whether a hook of the project is called for new users.
func (s Users) Hooked(sc *tenants.Scope) bool { return s.Hooks != nil && s.Hooks.Enabled(sc) }

// ByID returns a usable account, locked; auth.ErrUserNotFound.
func (s Users) ByID(ctx context.Context, tx *tenantdb.Tx, id uuid.UUID) (*auth.User, error) {
	return usable(tx.UserByID(ctx, id, true))
}

// ByEmail returns the usable account with this address, which must be
// normalized, locked. auth.ErrUserNotFound also for an account that is deleted
// or of another audience.
func (s Users) ByEmail(ctx context.Context, tx *tenantdb.Tx, email string) (*auth.User, error) {
	return usable(tx.UserByEmail(ctx, email, true))
}

func usable(u auth.User, err error) (*auth.User, error) {
	if err == nil && u.Gone() {
		err = auth.ErrUserNotFound
	}
	if err != nil {
		return nil, err
	}
	return &u, nil
}
