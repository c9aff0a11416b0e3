package session

import (
	"time"

	"github.com/reevehq/reeve/internal/auth"
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
