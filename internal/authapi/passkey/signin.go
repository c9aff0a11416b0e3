package passkey

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/session"
	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/internal/projectlog"
	"github.com/reevehq/reeve/internal/relyingparty"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// errCloned refuses a counter that did not go up. It is apart from auth.ErrWebAuthn
// because the flow itself tells the developer.
var errCloned = fault.New(fault.Invalid, auth.ErrWebAuthn.Code, "The passkey may have been copied: its counter did not go up. Remove it, and add a new one")

// BeginSignIn begins a sign-in of whoever has a passkey. auth.ErrPasskeysOff.
func (s Service) BeginSignIn(ctx context.Context, sc *tenants.Scope) (*Options, error) {
	rp, err := party(sc)
	if err != nil {
		return nil, err
	}
	begun, err := rp.BeginSignIn()
	if err != nil {
		return nil, err
	}
	return s.keep(ctx, sc, auth.CeremonyAuthentication, nil, begun)
}

// SignIn ends a sign-in. auth.ErrWebAuthn for whatever proves no passkey of the
// project. Whoever proves one learns why there is no session: auth.ErrTokenUserBanned,
// auth.ErrPasskeyUnverified, auth.ErrPasskeyNoPhone, or that the passkey may have
// been copied.
func (s Service) SignIn(ctx context.Context, sc *tenants.Scope, challenge uuid.UUID, raw json.RawMessage) (*session.Tokens, error) {
	rp, err := party(sc)
	if err != nil {
		return nil, err
	}
	ceremony, err := s.take(ctx, sc, challenge, auth.CeremonyAuthentication, nil)
	if err != nil {
		return nil, err
	}
	response, err := relyingparty.ParseSignIn(raw)
	if err != nil {
		return nil, err
	}
	known, err := s.credential(ctx, sc, response.CredentialID)
	if err != nil {
		return nil, err
	}
	assertion, err := rp.SignIn(ceremony.Data, response, known.UserID, known.Credential)
	if err != nil {
		return nil, err
	}
	return s.begin(ctx, sc, assertion)
}

// credential reads a passkey before it is proved; auth.ErrWebAuthn for an unknown
// one.
func (s Service) credential(ctx context.Context, sc *tenants.Scope, id []byte) (k auth.Passkey, err error) {
	err = sc.DB.Do(ctx, func(tx *tenantdb.Tx) error {
		k, err = tx.PasskeyByCredential(ctx, id, false)
		return err
	})
	if errors.Is(err, auth.ErrPasskeyNotFound) {
		err = auth.ErrWebAuthn.Because(errors.New("no user has the credential"))
	}
	return k, err
}

// begin begins the session of whoever has proved a passkey.
func (s Service) begin(ctx context.Context, sc *tenants.Scope, a *relyingparty.Assertion) (*session.Tokens, error) {
	var copied *auth.Passkey
	tokens, err := s.Sessions.SignIn(ctx, sc, func(tx *tenantdb.Tx) (*session.Proof, error) {
		copied = nil
		u, k, err := s.lock(ctx, tx, a.CredentialID)
		if err != nil {
			return nil, err
		}
		now := s.Sessions.Now()
		if !a.Later(k.SignCount) {
			copied = k
			return nil, tx.WarnOfClone(ctx, k.ID, now)
		}
		k.SignCount, k.BackedUp = a.SignCount, a.BackedUp
		if err := tx.UsePasskey(ctx, k, now); err != nil {
			return nil, err
		}
		return &session.Proof{
			User: u, Method: auth.MethodPasskey, AAL: level(sc, u, a), Refusals: refusals(&sc.Tenant.Config, u),
			Action: auth.ActionLogin, Traits: traits(k.ID),
		}, nil
	})
	if err == nil && copied != nil {
		err = errCloned
		sc.Log.SetUser(copied.UserID)
		sc.Log.Add(ctx, projectlog.Entry{
			Level: projectlog.Warning, Code: "passkey_cloned",
			Message: "The counter of a passkey did not go up, so its key may have been copied. The sign-in was refused.",
			Detail:  map[string]any{"passkey_id": copied.ID.String()},
		})
	}
	return tokens, err
}

// lock returns the owner of a credential and the passkey, both locked, in the order
// in which everything locks them. Either may have gone since the proof.
func (s Service) lock(ctx context.Context, tx *tenantdb.Tx, credential []byte) (*auth.User, *auth.Passkey, error) {
	k, err := tx.PasskeyByCredential(ctx, credential, false)
	if err != nil {
		return nil, nil, gone(err)
	}
	u, err := tx.UserByID(ctx, k.UserID, true)
	if err != nil {
		return nil, nil, gone(err)
	}
	k, err = tx.PasskeyByCredential(ctx, credential, true)
	if err == nil && k.UserID != u.ID {
		err = auth.ErrPasskeyNotFound
	}
	return &u, &k, gone(err)
}

func gone(err error) error {
	if errors.Is(err, auth.ErrPasskeyNotFound) || errors.Is(err, auth.ErrUserNotFound) {
		return auth.ErrWebAuthn.Because(err)
	}
	return err
}

// level is the assurance that a proof reaches. A user with a verified factor proves
// that one for aal2: who knew the password before may have added a passkey.
func level(sc *tenants.Scope, u *auth.User, a *relyingparty.Assertion) auth.AAL {
	if sc.Tenant.Config.PasskeyAAL2 && a.UserVerified && !u.HasVerifiedFactor() {
		return auth.AAL2
	}
	return auth.AAL1
}

// refusals are the errors for accounts that may have no session.
func refusals(cfg *tenants.Config, u *auth.User) session.Refusals {
	r := session.Refusals{Gone: auth.ErrWebAuthn}
	if u.Email != "" && !cfg.MailerAllowUnverifiedEmailSignIn {
		r.Unconfirmed = auth.ErrPasskeyUnverified
	}
	if u.Phone != "" {
		r.UnconfirmedPhone = auth.ErrPasskeyNoPhone
	}
	return r
}
