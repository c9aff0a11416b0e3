package verify

import (
	"context"
	"crypto/subtle"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/projectlog"
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
	client := ratelimit.LimitKey(sc.ClientIP)
	attempt := func() error { return s.compare(ctx, sc, r, codes, hash, client) }
	if r.Phone != "" && s.Texter.Remote(sc, r.Phone) {
		// The gateway knows one code of the number, and ends it after five tries,
		// whoever made them. The first row stands for it.
		hash = codes[0].Hash
		attempt = func() error {
			return s.guess(ctx, sc, ratelimit.WrongCode(r.ttl(sc)), codes[0].ID.String(), func() error {
				return s.Texter.CheckRemote(ctx, sc, r.Phone, r.Code, auth.ErrOTPExpired)
			})
		}
	}
	return hash, s.guess(ctx, sc, ratelimit.WrongCodeOfClient(), r.contact()+" "+client, func() error {
		rule := ratelimit.WrongCodeForAddress()
		err := s.guess(ctx, sc, rule, r.contact(), attempt)
		if !rule.Refused(err) {
			return err
		}
		known, lookup := s.known(ctx, sc, r)
		switch {
		case lookup != nil:
			return lookup
		case known:
			return attempt()
		}
		sc.Log.Add(ctx, projectlog.Entry{
			Level: projectlog.Warning, Code: "code_limit_reached",
			Message: "Codes for an address or number are refused, because too many wrong ones were entered for it, by several clients.",
			Detail:  map[string]any{"recipient": r.contact()},
		})
		return err
	})
}

// known reports whether the client's address is one where the user of the contact
// has a session. What others use up does not keep the user out there.
func (s Service) known(ctx context.Context, sc *tenants.Scope, r Redemption) (known bool, err error) {
	err = sc.DB.Do(ctx, func(tx *tenantdb.Tx) (err error) {
		signedInFrom := tx.SignedInFrom
		if r.Phone != "" {
			signedInFrom = tx.PhoneSignedInFrom
		}
		known, err = signedInFrom(ctx, r.contact(), sc.ClientAddress())
		return err
	})
	return known, err
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

// compare returns nil if the digest is that of a code at which the client did not
// guess too often, and counts a guess at each code that it is compared with in vain.
func (s Service) compare(ctx context.Context, sc *tenants.Scope, r Redemption, codes []auth.OneTimeToken, hash, client string) error {
	rule := ratelimit.WrongCode(r.ttl(sc))
	result := error(auth.ErrOTPExpired)
	for _, code := range codes {
		err := s.guess(ctx, sc, rule, code.ID.String()+" "+client, func() error {
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
