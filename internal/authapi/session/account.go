package session

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// Refusals are a flow's errors for accounts that may have no session: the wire
// has another status and code for each flow.
type Refusals struct {
	// Gone is for an account that is deleted, including softly, or of another
	// audience.
	Gone error
	// Banned is for a banned account; auth.ErrTokenUserBanned when nil.
	Banned error
	// Unconfirmed is for an account whose e-mail address is not confirmed; nil
	// when the flow does not require that.
	Unconfirmed error
	// UnconfirmedPhone is the same for the phone number.
	UnconfirmedPhone error
}

// Admit refuses an account that may have no session. A flow that must not write
// anything for such an account calls it right after locking the user; SignIn
// and Rotate call it in any case.
func (r Refusals) Admit(u *auth.User, now time.Time) error {
	switch {
	case u.Gone():
		return r.Gone
	case u.Banned(now) && r.Banned != nil:
		return r.Banned
	case u.Banned(now):
		return auth.ErrTokenUserBanned
	case r.Unconfirmed != nil && !u.EmailConfirmed():
		return r.Unconfirmed
	case r.UnconfirmedPhone != nil && !u.PhoneConfirmed():
		return r.UnconfirmedPhone
	}
	return nil
}

// Lock returns a signed-in user as they are now, locked. A request may have taken
// time since it was admitted: a user who was signed out, banned or deleted in the
// meantime is refused, as at its beginning.
func (s Sessions) Lock(ctx context.Context, tx *tenantdb.Tx, p *auth.Principal) (*auth.User, error) {
	u, err := tx.UserByID(ctx, p.User.ID, true)
	if errors.Is(err, auth.ErrUserNotFound) {
		err = auth.ErrTokenUserGone
	}
	if err == nil {
		err = upgradeRefusals.Admit(&u, s.Now())
	}
	if err != nil {
		return nil, err
	}
	if p.Session.ID == uuid.Nil {
		return &u, nil // the token belongs to no session
	}
	stands, err := tx.SessionStands(ctx, p.Session.ID)
	if err == nil && !stands {
		err = auth.ErrSessionNotFound
	}
	return &u, err
}
