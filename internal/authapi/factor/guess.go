package factor

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/ratelimit"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// The rules for wrong codes of a factor: five at once, one more a minute, and a hundred a
// day. Clients in networks where the user proved a factor before are counted apart from
// all others, so that a stranger who knows the password cannot use up the user's tries.
// The networks of the user share one count, and all strangers share the other. So at most
// two hundred wrong codes a day are compared, however many addresses they come from.
// Three codes of a million are right at a time: one is found with a chance of 1 in 1,600 a
// day, by a client that has both kinds of networks, and of 1 in 3,300 by any other.
var (
	guesses      = ratelimit.Rule{Name: "mfa_code", Events: 5, Per: 5 * time.Minute, Burst: 5}
	guessesOfDay = ratelimit.Rule{Name: "mfa_code_day", Events: 100, Per: 24 * time.Hour, Burst: 100}
)

// strangeCodes limits wrong recovery codes from networks in which the user proved no
// factor before: five at once, and one more in three minutes. It is apart from the lock of
// the set, which is for the user's own mistakes. A code has 80 random bits.
var strangeCodes = ratelimit.Rule{Name: "mfa_recovery_code", Events: 5, Per: codeLock, Burst: 5, Refusal: auth.ErrCodesLocked.After}

// trustFor is how long a proof makes its network one of the user's.
const trustFor = 90 * 24 * time.Hour

// known reports whether the client is in a network where the user proved a second factor.
// What a client says of its device does not count, because anybody can say it.
func (s Service) known(ctx context.Context, sc *tenants.Scope, user uuid.UUID) (known bool, err error) {
	if !sc.ClientIP.IsValid() {
		return false, nil
	}
	err = sc.DB.Do(ctx, func(tx *tenantdb.Tx) error {
		known, err = tx.ProvedIn(ctx, user, ratelimit.LimitKey(sc.ClientIP), s.Sessions.Now().Add(-trustFor))
		return err
	})
	return known, err
}

// counted is the name under which what a client does about an id is counted: strangers
// have one of their own.
func (s Service) counted(ctx context.Context, sc *tenants.Scope, user, id uuid.UUID) (string, error) {
	known, err := s.known(ctx, sc, user)
	if err != nil || known {
		return id.String(), err
	}
	return "stranger/" + id.String(), nil
}

// guess runs attempt unless too many answers of a factor were wrong.
func (s Service) guess(ctx context.Context, sc *tenants.Scope, user, factor uuid.UUID, attempt func() error) error {
	name, err := s.counted(ctx, sc, user, factor)
	if err != nil {
		return err
	}
	return s.Guesses.Guess(ctx, sc.Tenant.Ref, guessesOfDay, name, auth.ErrFactorCode, func() error {
		return s.Guesses.Guess(ctx, sc.Tenant.Ref, guesses, name, auth.ErrFactorCode, attempt)
	})
}
