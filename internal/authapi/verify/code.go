package verify

import (
	"context"
	"crypto/subtle"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/ratelimit"
	"github.com/reevehq/reeve/internal/token"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// matchCode returns the digest of the token that a typed code belongs to.
// auth.ErrOTPExpired for a wrong code, and for any code after too many wrong
// ones. Guesses at an address without codes are not counted, so that nobody can
// use up the address's wrong codes before there is a code.
func (s Service) matchCode(ctx context.Context, sc *tenants.Scope, r Redemption, types []auth.TokenType) (string, error) {
	codes, err := s.codes(ctx, sc, r, types)
	if err != nil {
		return "", err
	}
	if len(codes) == 0 {
		return "", auth.ErrOTPExpired
	}
	hash := token.OneTimeOf(sc.Tenant.Secrets.OTPKey, r.contact(), r.Code).Hash
	attempt := func() error { return s.compare(ctx, sc, r, codes, hash) }
	if r.Phone != "" && s.Texter.Remote(sc, r.Phone) {
		// The gateway knows one code of the number. The first row stands for it.
		hash = codes[0].Hash
		attempt = func() error {
			return s.guess(ctx, sc, ratelimit.WrongCode(r.ttl(sc)), codes[0].ID.String(), func() error {
				return s.Texter.CheckRemote(ctx, sc, r.Phone, r.Code, auth.ErrOTPExpired)
			})
		}
	}
	client := r.contact() + " " + ratelimit.LimitKey(sc.ClientIP)
	return hash, s.guess(ctx, sc, ratelimit.WrongCodeOfClient(), client, func() error {
		return s.guess(ctx, sc, ratelimit.WrongCodeForAddress(), r.contact(), attempt)
	})
}

// codes returns the newest tokens whose code can be typed in. Of codes that the
// gateway compares, those that came with no sign-up are first: nobody's password
// belongs to them.
func (s Service) codes(ctx context.Context, sc *tenants.Scope, r Redemption, types []auth.TokenType) (codes []auth.OneTimeToken, err error) {
	since := s.Now().Add(-r.ttl(sc))
	err = sc.DB.Do(ctx, func(tx *tenantdb.Tx) (err error) {
		codes, err = tx.CodesOf(ctx, r.contact(), since, ratelimit.MailedCodes, r.redeemsSignups(), types...)
		if err != nil || len(codes) < 2 || r.Phone == "" || !s.Texter.Remote(sc, r.Phone) {
			return err
		}
		first, err := tx.CodesOf(ctx, r.contact(), since, 1, false, types[0])
		codes = append(first, codes...)
		return err
	})
	return codes, err
}

// compare returns nil if the digest is that of a code which was not guessed at
// too often, and counts a guess at each code that it is compared with in vain.
func (s Service) compare(ctx context.Context, sc *tenants.Scope, r Redemption, codes []auth.OneTimeToken, hash string) error {
	rule := ratelimit.WrongCode(r.ttl(sc))
	result := error(auth.ErrOTPExpired)
	for _, code := range codes {
		err := s.guess(ctx, sc, rule, code.ID.String(), func() error {
			if subtle.ConstantTimeCompare([]byte(code.Hash), []byte(hash)) != 1 {
				return auth.ErrOTPExpired
			}
			return nil
		})
		if err == nil {
			result = nil
		}
	}
	return result
}

func (s Service) guess(ctx context.Context, sc *tenants.Scope, rule ratelimit.Rule, identifier string, attempt func() error) error {
	return s.Guesses.Guess(ctx, sc.Tenant.Ref, rule, identifier, auth.ErrOTPExpired, attempt)
}
