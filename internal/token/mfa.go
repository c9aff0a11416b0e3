package token

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/setting"
)

// The values of the claim mfa_required.
const (
	OwesEnroll = "enroll" // the user has no second factor
	OwesVerify = "verify" // the user has one, and the session has not proved it
)

// Owed is what a session still has to do for the project's MFA policy.
type Owed struct {
	// What is OwesEnroll, OwesVerify, or "" for nothing.
	What string
	// Until is the end of the grace in which a user may go on without a second
	// factor; the zero time for none.
	Until time.Time
}

// Err is the refusal of a request of a session that owes something; nil if it does
// not.
func (o Owed) Err() error {
	switch o.What {
	case OwesEnroll:
		return auth.ErrMFAEnroll
	case OwesVerify:
		return auth.ErrMFAVerify
	}
	return nil
}

// Owes tells what a principal owes at now. A session at aal2 owes nothing, nor does an
// anonymous user, who cannot have a factor. A factor that the user has must be used
// under any policy: one that can be left out protects nobody.
func Owes(c *setting.Config, p *auth.Principal, now time.Time) Owed {
	u := &p.User
	switch {
	case c.MFAPolicy == setting.MFAOff, c.MFAPolicy == "", p.Session.AAL == auth.AAL2, u.IsAnonymous,
		c.MFAPolicy == setting.MFAWithoutSSO && onlySSO(u):
		return Owed{}
	case u.HasVerifiedFactor():
		return Owed{What: OwesVerify}
	case !c.MakesEnroll(), c.MFAPolicy == setting.MFAByRole && !hasRole(u.AppMetadata, c.RolesOfMFA()):
		return Owed{}
	}
	if until := c.MFAGraceEnd(u.CreatedAt); now.Before(until) {
		return Owed{Until: until}
	}
	return Owed{What: OwesEnroll}
}

// onlySSO reports whether an identity provider vouches for each sign-in of the user:
// who also has a password or an account elsewhere can leave it out.
func onlySSO(u *auth.User) bool {
	return len(u.Identities) > 0 && !u.HasPassword() &&
		!slices.ContainsFunc(u.Identities, func(i auth.Identity) bool { return !strings.HasPrefix(i.Provider, "sso:") })
}

// hasRole reports whether app_metadata names one of the roles, as role or in roles.
// What has another form, as SQL may write it, is no role.
func hasRole(metadata json.RawMessage, roles []string) bool {
	var all map[string]json.RawMessage
	if json.Unmarshal(metadata, &all) != nil {
		return false
	}
	var one string
	if json.Unmarshal(all["role"], &one) == nil && slices.Contains(roles, one) {
		return true
	}
	var list []json.RawMessage
	if json.Unmarshal(all["roles"], &list) != nil {
		return json.Unmarshal(all["roles"], &one) == nil && slices.Contains(roles, one)
	}
	return slices.ContainsFunc(list, func(raw json.RawMessage) bool {
		return json.Unmarshal(raw, &one) == nil && slices.Contains(roles, one)
	})
}
