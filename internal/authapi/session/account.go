package session

import (
	"time"

	"github.com/reevehq/reeve/internal/auth"
)

// Refusals is how a flow tells that an account may have no session: the wire has
// another status and code for each flow.
type Refusals struct {
	// Gone is for an account that is deleted, softly too, or of another audience.
	Gone error
	// Banned is for one that is shut out; auth.ErrTokenUserBanned when nil.
	Banned error
	// Unconfirmed is for one whose e-mail address is not confirmed; nil when the
	// flow does not ask.
	Unconfirmed error
}

// Admit refuses an account that may have no session. A flow that must not write
// anything for such an account asks right after it has locked it; SignIn and
// Rotate ask in any case.
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
	}
	return nil
}
