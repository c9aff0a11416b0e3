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
	EndLowAAL     EndCause = "low_aal"          // the second factor of its user was not proved in time
	EndExpired    EndCause = "expired"          // the identity provider set its end
	EndReplaced   EndCause = "replaced"         // a newer session took its place
	EndTakenOver  EndCause = "taken_over"       // the account's owner proved the address, which the sign-up had not
	EndBanned     EndCause = "banned"           // the user was banned
	EndPassword   EndCause = "password_changed" // the password changed
	EndFactor     EndCause = "factor_removed"   // the second factor that it was proved with is gone
	EndAdmin      EndCause = "admin"            // an admin ended it
	EndReported   EndCause = "reported"         // its user did not know the device
	EndDeleted    EndCause = "user_deleted"
	EndSLO        EndCause = "slo"  // the identity provider signed the user out
	EndSCIM       EndCause = "scim" // the identity provider withdrew the account
)

// String returns the cause as the wire shows it: unknown for EndUnknown.
func (c EndCause) String() string {
	if c == EndUnknown {
		return "unknown"
	}
	return string(c)
}

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

// Low reports whether the session lacks the second factor that its user has.
func (s *Session) Low(u *User) bool { return s.AAL != AAL2 && u.HasVerifiedFactor() }

// Rotation is an ordinary refresh: the newest token was exchanged for the next.
type Rotation struct {
	SessionID uuid.UUID
	At        time.Time
	IP        string
	UserAgent string
}

// OddRefresh is a refresh that was no ordinary rotation: the token had been used.
type OddRefresh struct {
	SessionID uuid.UUID
	UserID    uuid.UUID
	At        time.Time
	Decision  RefreshDecision
	Behind    int64 // how many rotations the token was behind
	IP        string
	UserAgent string
	// The rotation before it.
	RotatedAt        *time.Time // nil when the session was never refreshed
	RotatedIP        string
	RotatedUserAgent string
}

// RefreshDecision is what a refresh token was answered with.
type RefreshDecision string

// The decisions. All but the first are of used tokens.
const (
	RefreshRotated  RefreshDecision = "rotated"         // the newest token: the next one
	RefreshRepeated RefreshDecision = "repeated"        // the token before the newest: the newest again
	RefreshInterval RefreshDecision = "within_interval" // an older one within the reuse interval: the newest again
	RefreshReuse    RefreshDecision = "reuse_detected"  // the session ended
)

// ProviderOf is the external provider at which a session of the user began; "" for none,
// and when the user has several, because the rows of sessions do not name it.
func (u *User) ProviderOf(s *Session) string {
	if s.Method() != MethodOAuth {
		return ""
	}
	found := ""
	for _, i := range u.Identities {
		switch {
		case i.Provider == ProviderEmail, i.Provider == ProviderPhone, i.Provider == found:
		case found != "":
			return ""
		default:
			found = i.Provider
		}
	}
	return found
}
