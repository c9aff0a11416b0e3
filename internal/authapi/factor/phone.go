package factor

import (
	"context"
	"crypto/hmac"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/sms"
	"github.com/reevehq/reeve/internal/e164"
	"github.com/reevehq/reeve/internal/ratelimit"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// KindPhone is a telephone number, to which codes are sent.
const KindPhone = "phone"

// enrollPhone is Enroll for a number. Nothing is sent before the first challenge.
func (s Service) enrollPhone(ctx context.Context, sc *tenants.Scope, p *auth.Principal, e Enrollment) (*Enrolled, error) {
	cfg := &sc.Tenant.Config
	if !cfg.PhoneEnroll {
		return nil, auth.ErrFactorPhoneNew
	}
	if e.Phone == "" {
		return nil, auth.ErrValidation.Saying("Phone number required to enroll Phone factor")
	}
	phone, err := auth.NormalizePhone(e.Phone)
	if err != nil {
		return nil, err
	}
	if number, ok := e164.Parse(phone); ok {
		phone = number.Digits
	} else if cfg.TestOTP(phone, s.Sessions.Now()) == "" {
		return nil, auth.ErrBadPhone
	}
	key := tenantdb.FactorKey{UserID: p.User.ID, Factor: auth.Factor{ID: uuid.New(), FriendlyName: e.Name, Type: e.Kind, Phone: phone}}
	if err := s.create(ctx, sc, p, key); err != nil {
		return nil, err
	}
	return &Enrolled{ID: key.ID, Type: e.Kind, Name: e.Name, Phone: e.Phone}, nil
}

// replacePhone makes room for a factor with a number: an unverified one of the user
// with the same number goes, a verified one is auth.ErrFactorExists. It returns what is
// left of have.
func replacePhone(ctx context.Context, tx *tenantdb.Tx, have []auth.Factor, key tenantdb.FactorKey) ([]auth.Factor, error) {
	i := slices.IndexFunc(have, func(f auth.Factor) bool { return key.Phone != "" && f.Phone == key.Phone })
	switch {
	case i < 0:
		return have, nil
	case have[i].Verified():
		return nil, auth.ErrFactorExists
	}
	if _, err := tx.DeleteFactor(ctx, key.UserID, have[i].ID); err != nil {
		return nil, err
	}
	return slices.Delete(have, i, i+1), nil
}

// Messages that a user can have sent, whatever the factor or the number: so nobody sends
// many to numbers of their own, or uses up those of the project. Strangers are counted
// apart, as for wrong codes, so at most twice as many are sent.
var (
	texts      = ratelimit.Rule{Name: "mfa_sms", Events: 10, Per: time.Hour, Burst: 10, Refusal: auth.ErrSMSRate.After}
	textsOfDay = ratelimit.Rule{Name: "mfa_sms_day", Events: 30, Per: 24 * time.Hour, Burst: 30, Refusal: auth.ErrSMSRate.After}
)

// mayText counts a message to a user; auth.ErrSMSRate.
func (s Service) mayText(ctx context.Context, sc *tenants.Scope, p *auth.Principal) error {
	name, err := s.counted(ctx, sc, p.User.ID, p.User.ID)
	if err != nil {
		return err
	}
	for _, rule := range []ratelimit.Rule{textsOfDay, texts} {
		if err := s.Guesses.Allow(ctx, sc.Tenant.Ref, rule, name); err != nil {
			return err
		}
	}
	return nil
}

// challengePhone is Challenge for a number: it sends a code that answers this challenge
// only. A number that could not be verified gets none.
func (s Service) challengePhone(ctx context.Context, sc *tenants.Scope, p *auth.Principal, f auth.Factor, channel string) (*Challenged, error) {
	if !sc.Tenant.Config.PhoneVerify {
		return nil, auth.ErrFactorPhoneOff
	}
	if !f.Verified() && p.CheckAAL() != nil {
		return nil, auth.ErrEnrollAAL
	}
	if err := s.mayText(ctx, sc, p); err != nil {
		return nil, err
	}
	out, err := s.Texter.Begin(ctx, sc, sms.Request{Purpose: sms.SecondFactors, Phone: f.Phone, Channel: sms.Channel(channel)})
	if err != nil {
		return nil, err
	}
	var begun *Challenged
	err = sc.DB.Tx(ctx, func(tx *tenantdb.Tx) error {
		out.Join(tx)
		if err := s.lock(ctx, tx, p); err != nil {
			return err
		}
		key, err := tx.FactorKey(ctx, p.User.ID, f.ID)
		now := s.Sessions.Now()
		switch {
		case err != nil:
			return err
		case key.Phone != f.Phone: // SQL has changed it
			return auth.ErrFactorNotFound
		}
		// The limit of Begin is this process's.
		gap := time.Duration(sc.Tenant.Config.MFAPhoneMaxFrequency)*time.Second - time.Millisecond // of which the mark is late
		spacing := ratelimit.Spacing{Refusal: auth.ErrSMSRate, Gap: gap}
		if err := spacing.Since(key.LastChallengedAt, now); err != nil {
			return err
		}
		c := tenantdb.Challenge{ID: uuid.New(), FactorID: key.ID, CreatedAt: now, IP: sc.ClientAddress()}
		begun = &Challenged{ID: c.ID, Type: key.Type, ExpiresAt: now.Add(challengeLife).Unix()}
		if err := s.auditChallenge(ctx, tx, sc, p, key, now); err != nil {
			return err
		}
		if c.Code, err = out.PutFactor(ctx, &p.User, c.ID, challengeLife); err != nil {
			return err
		}
		return tx.CreateChallenge(ctx, c)
	})
	out.End(ctx, err)
	if err != nil {
		return nil, err
	}
	return begun, nil
}

// checkPhone compares a code with that of its challenge; auth.ErrFactorCode,
// auth.ErrFactorPhoneOff.
func checkPhone(sc *tenants.Scope, c tenantdb.Challenge, a answer) error {
	if !sc.Tenant.Config.PhoneVerify {
		return auth.ErrFactorPhoneOff
	}
	right := c.Code != "" && hmac.Equal([]byte(c.Code), []byte(sms.FactorHash(sc.Tenant, c.ID, a.code)))
	if a.remote != nil {
		right = *a.remote
	}
	if !right {
		return auth.ErrFactorCode.Saying("Invalid MFA Phone code entered")
	}
	return nil
}

// askGateway has a gateway that makes codes compare one, if everything else about the
// answer is right. It returns nil for a code of ours.
func (s Service) askGateway(ctx context.Context, sc *tenants.Scope, p *auth.Principal, a answer) (*bool, error) {
	i := slices.IndexFunc(p.User.Factors, func(f auth.Factor) bool { return f.ID == a.factor })
	if i < 0 || p.User.Factors[i].Type != KindPhone || !s.Texter.Remote(sc, p.User.Factors[i].Phone) {
		return nil, nil //nolint:nilnil // nobody is asked
	}
	right := true
	a.remote = &right
	err := sc.DB.Tx(ctx, func(tx *tenantdb.Tx) error {
		_, _, _, err := s.check(ctx, tx, sc, p, a, s.Sessions.Now())
		return err
	})
	if err != nil {
		return nil, err
	}
	err = s.Texter.CheckRemote(ctx, sc, p.User.Factors[i].Phone, a.code, auth.ErrFactorCode)
	if right = err == nil; err != nil && !errors.Is(err, auth.ErrFactorCode) {
		return nil, err
	}
	return &right, nil
}
