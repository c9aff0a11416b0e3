package grant

import (
	"context"
	"errors"
	"time"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/ratelimit"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// The rules for wrong passwords. The strict ones are for a client and an account.
// The one for an account, from anywhere, only delays clients that have shown
// nothing good: strangers who guess from many addresses must not lock the user out.
var (
	// wrongOfClient limits the wrong passwords of a client for an account: after
	// twenty each further one takes 15 seconds.
	wrongOfClient = ratelimit.Rule{Name: "password_client", Events: 20, Per: 5 * time.Minute, Burst: 20}
	// wrongOfStubborn makes that two minutes after forty.
	wrongOfStubborn = ratelimit.Rule{Name: "password_stubborn", Events: 30, Per: time.Hour, Burst: 40}
	// wrongPasswords is the number of failures of an account after which it is
	// under attack.
	wrongPasswords = ratelimit.Rule{Name: "password_address", Events: 60, Per: 5 * time.Minute, Burst: 60}
	// firstOfClient is what each client may try at an account under attack.
	firstOfClient = ratelimit.Rule{Name: "password_first", Events: 3, Per: 5 * time.Minute, Burst: 3}
)

// guess runs compare, which compares the password, unless too many were wrong.
//
// At an account under attack a client with no tries left is refused, except that
// the right password passes from an address where the user has a session. A wrong
// one from there is refused as from anywhere, after the same work, so that the
// refusal does not tell who has an account.
func (g Password) guess(ctx context.Context, sc *tenants.Scope, who login, pass string, compare func() error) error {
	contact := who.email + who.phone
	client := contact + " " + ratelimit.LimitKey(sc.ClientIP)
	counted := func(rule ratelimit.Rule, identifier string, attempt func() error) error {
		return g.Guesses.Guess(ctx, sc.Tenant.Ref, rule, identifier, auth.ErrCredentials, attempt)
	}
	return counted(wrongOfClient, client, func() error {
		stubborn := counted(wrongOfStubborn, client, func() error {
			attacked := counted(wrongPasswords, contact, compare)
			if !wrongPasswords.Refused(attacked) {
				return attacked
			}
			err := counted(firstOfClient, client, compare)
			if !firstOfClient.Refused(err) {
				return err
			}
			return g.atKnownAddress(ctx, sc, who, pass, attacked, compare)
		})
		if !wrongOfStubborn.Refused(stubborn) {
			return stubborn
		}
		return g.atKnownAddress(ctx, sc, who, pass, stubborn, compare) // others may share the client's address
	})
}

// atKnownAddress runs compare if the user has a session from the client's address,
// and answers a refusal unless the password is right.
func (g Password) atKnownAddress(ctx context.Context, sc *tenants.Scope, who login, pass string, refusal error, compare func() error) error {
	known, err := g.knownAddress(ctx, sc, who)
	switch {
	case err != nil:
		return err
	case known:
		err = compare()
	default:
		err = errors.Join(auth.ErrCredentials, g.Hasher.Dummy(ctx, sc.Tenant.Ref, pass))
	}
	if errors.Is(err, auth.ErrCredentials) {
		// Counted as a wrong one of the client, and answered as the refusal.
		return refused{refusal}
	}
	return err
}

// refused is a refusal that counts as a wrong password.
type refused struct{ error }

func (r refused) Unwrap() []error { return []error{r.error, auth.ErrCredentials} }

// knownAddress reports whether the user has a session that began at the client's
// address.
func (g Password) knownAddress(ctx context.Context, sc *tenants.Scope, who login) (known bool, err error) {
	err = sc.DB.Do(ctx, func(tx *tenantdb.Tx) (err error) {
		known, err = who.signedInFrom(ctx, tx, sc.ClientAddress())
		return err
	})
	return known, err
}
