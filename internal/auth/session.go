package auth

import (
	"time"

	"github.com/google/uuid"
)

// EndCause is the reason why a session ended, in the words of the API.
type EndCause string

// The reasons. EndUnknown is that of sessions whose row was deleted by SQL.
const (
	EndUnknown    EndCause = ""
	EndSignedOut  EndCause = "signed_out"
	EndReuse      EndCause = "reuse_detected"   // a used refresh token came again
	EndTimebox    EndCause = "timebox"          // the longest life of a session is over
	EndInactivity EndCause = "inactivity"       // it was not refreshed for too long
	EndExpired    EndCause = "expired"          // the identity provider set its end
	EndReplaced   EndCause = "replaced"         // a newer session took its place
	EndTakenOver  EndCause = "taken_over"       // the account's owner proved the address, which the sign-up had not
	EndBanned     EndCause = "banned"           // the user was banned
	EndPassword   EndCause = "password_changed" // the password changed
	EndFactor     EndCause = "factor_removed"   // the second factor that it was proved with is gone
	EndAdmin      EndCause = "admin"            // an admin ended it
	EndDeleted    EndCause = "user_deleted"
	EndSLO        EndCause = "slo"  // the identity provider signed the user out
	EndSCIM       EndCause = "scim" // the identity provider withdrew the account
)

// EndedSession is a session that ended. Its row in auth.sessions is gone.
type EndedSession struct {
	ID          uuid.UUID
	UserID      uuid.UUID
	Cause       EndCause
	EndedAt     time.Time
	CreatedAt   time.Time
	RefreshedAt *time.Time
	IP          string
	UserAgent   string
}

// Method is how the session began; "" when the rows do not say.
func (s *Session) Method() Method {
	if len(s.AMR) == 0 {
		return ""
	}
	return s.AMR[len(s.AMR)-1].Method
}
