package dashboard

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/factor"
	"github.com/reevehq/reeve/internal/authapi/passkey"
	"github.com/reevehq/reeve/internal/control/profile"
	"github.com/reevehq/reeve/internal/ratelimit"
)

// Factors is profile.Factors: the second factors and passkeys of people whose browser
// has only cookies. Codes are proved by Handler.Prove, which sets new ones.
type Factors struct {
	Accounts Accounts
	Service  factor.Service
	Passkeys passkey.Service
}

var _ profile.Factors = Factors{}

// appName is the issuer that an authenticator app shows.
const appName = "Reeve"

// Factors implements profile.Factors.
func (f Factors) Factors(ctx context.Context, who profile.Person) (*profile.Held, error) {
	sc, p, err := f.Accounts.principal(ctx, who)
	if err != nil {
		return nil, err
	}
	c := &sc.Tenant.Config
	out := &profile.Held{
		AAL: string(p.Session.AAL), Factors: []profile.Factor{}, Passkeys: []profile.Passkey{},
		Offers: profile.Offers{
			App: c.TOTPEnroll && c.TOTPVerify, RecoveryCodes: c.RecoveryEnroll && c.RecoveryVerify,
			Passkeys: c.PasskeyEnabled, PasskeysCount: c.PasskeyCounts(),
		},
	}
	for _, held := range p.User.Factors {
		if held.Type != auth.FactorRecoveryCode {
			out.Factors = append(out.Factors, profile.FactorOnWire(held))
		}
	}
	codes, err := f.Service.RecoveryCodes(ctx, sc, p)
	switch {
	case errors.Is(err, auth.ErrCodesNotFound):
	case err != nil:
		return nil, err
	default:
		out.RecoveryCodes = profile.Codes{Total: codes.Total, Remaining: *codes.Remaining}
	}
	keys, err := f.Passkeys.List(ctx, sc, p.User.ID)
	for _, k := range keys {
		out.Passkeys = append(out.Passkeys, profile.PasskeyOnWire(k))
	}
	return out, err
}

// EnrollApp implements profile.Factors.
func (f Factors) EnrollApp(ctx context.Context, who profile.Person, name string) (*profile.App, error) {
	sc, p, err := f.Accounts.principal(ctx, who)
	if err != nil {
		return nil, err
	}
	enrolled, err := f.Service.Enroll(ctx, sc, p, factor.Enrollment{Kind: factor.KindTOTP, Name: name, Issuer: appName})
	if err != nil {
		return nil, err
	}
	return &profile.App{ID: enrolled.ID.String(), QRCode: enrolled.TOTP.QRCode, Secret: enrolled.TOTP.Secret, URI: enrolled.TOTP.URI}, nil
}

// Unenroll implements profile.Factors.
func (f Factors) Unenroll(ctx context.Context, who profile.Person, id uuid.UUID) error {
	sc, p, err := f.Accounts.principal(ctx, who)
	if err != nil {
		return err
	}
	return f.Service.Unenroll(ctx, sc, p, id)
}

// MakeCodes implements profile.Factors.
func (f Factors) MakeCodes(ctx context.Context, who profile.Person) ([]string, error) {
	sc, p, err := f.Accounts.principal(ctx, who)
	if err != nil {
		return nil, err
	}
	made, err := f.Service.RegenerateRecoveryCodes(ctx, sc, p)
	if errors.Is(err, auth.ErrCodesNotFound) {
		made, err = f.Service.CreateRecoveryCodes(ctx, sc, p, "")
	}
	if err != nil {
		return nil, err
	}
	return made.Codes, nil
}

// RemoveCodes implements profile.Factors.
func (f Factors) RemoveCodes(ctx context.Context, who profile.Person) error {
	sc, p, err := f.Accounts.principal(ctx, who)
	if err != nil {
		return err
	}
	_, err = f.Service.DeleteRecoveryCodes(ctx, sc, p)
	return err
}

// BeginPasskey implements profile.Factors.
func (f Factors) BeginPasskey(ctx context.Context, who profile.Person) (*profile.Ceremony, error) {
	sc, p, err := f.Accounts.principal(ctx, who)
	if err != nil {
		return nil, err
	}
	rule := ratelimit.Factors(sc.Tenant.Config.RateLimitMFA).For("passkey_registration")
	if err := f.Accounts.Limiter.Allow(ctx, sc.Tenant.Ref, rule, ratelimit.LimitKey(sc.ClientIP)); err != nil {
		return nil, err
	}
	begun, err := f.Passkeys.Begin(ctx, sc, p)
	if err != nil {
		return nil, err
	}
	return &profile.Ceremony{ChallengeID: begun.ChallengeID.String(), Options: begun.Options}, nil
}

// AddPasskey implements profile.Factors.
func (f Factors) AddPasskey(ctx context.Context, who profile.Person, challenge uuid.UUID, credential json.RawMessage, name string) (auth.Passkey, error) {
	sc, p, err := f.Accounts.principal(ctx, who)
	if err != nil {
		return auth.Passkey{}, err
	}
	made, err := f.Passkeys.Register(ctx, sc, p, challenge, credential)
	if err != nil || name == "" {
		if made == nil {
			made = &auth.Passkey{}
		}
		return *made, err
	}
	return f.Passkeys.Rename(ctx, sc, p, made.ID, name)
}

// RemovePasskey implements profile.Factors.
func (f Factors) RemovePasskey(ctx context.Context, who profile.Person, id uuid.UUID) error {
	sc, p, err := f.Accounts.principal(ctx, who)
	if err != nil {
		return err
	}
	return f.Passkeys.Delete(ctx, sc, p, id)
}
