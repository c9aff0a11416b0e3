package passkey

import (
	"context"
	"encoding/json"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/audit"
	"github.com/reevehq/reeve/internal/authapi/session"
	"github.com/reevehq/reeve/internal/relyingparty"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// Max is how many passkeys a user may have, as in the reference.
const Max = 10

// Service registers passkeys and signs in with them.
type Service struct{ Sessions session.Sessions }

// party returns the project's relying party; auth.ErrPasskeysOff.
func party(sc *tenants.Scope) (*relyingparty.Party, error) {
	if !sc.Tenant.Config.PasskeyEnabled {
		return nil, auth.ErrPasskeysOff
	}
	return relyingparty.New(&sc.Tenant.Config)
}

// mayAdd refuses users who cannot add a passkey: auth.ErrPasskeyAnonymous,
// auth.ErrPasskeySSO, auth.ErrPasskeyAAL.
func mayAdd(p *auth.Principal) error {
	switch {
	case p.User.IsAnonymous:
		return auth.ErrPasskeyAnonymous
	case p.User.IsSSOUser:
		return auth.ErrPasskeySSO
	}
	return checkAAL(p)
}

func checkAAL(p *auth.Principal) error {
	if p.CheckAAL() != nil {
		return auth.ErrPasskeyAAL
	}
	return nil
}

// asks reports whether a change of the user's passkeys needs one of them: they count as
// two factors, so that a password alone must neither add nor remove one.
func asks(sc *tenants.Scope, p *auth.Principal, existing []auth.Passkey) bool {
	return len(existing) > 0 && sc.Tenant.Config.PasskeyCounts() && p.Session.AAL != auth.AAL2
}

// Begin begins the registration of a passkey. auth.ErrPasskeysOff,
// auth.ErrTooManyPasskeys, and the errors of mayAdd.
func (s Service) Begin(ctx context.Context, sc *tenants.Scope, p *auth.Principal) (*Options, error) {
	rp, err := party(sc)
	if err == nil {
		err = mayAdd(p)
	}
	if err != nil {
		return nil, err
	}
	existing, err := s.List(ctx, sc, p.User.ID)
	if err != nil {
		return nil, err
	}
	if len(existing) >= Max {
		return nil, auth.ErrTooManyPasskeys
	}
	credentials := make([]auth.Credential, len(existing))
	for i, k := range existing {
		credentials[i] = k.Credential
	}
	begun, err := rp.BeginPasskey(&p.User, credentials)
	if err != nil {
		return nil, err
	}
	return s.keep(ctx, sc, auth.CeremonyRegistration, &p.User.ID, begun)
}

// keep stores what the end of a ceremony needs.
func (s Service) keep(ctx context.Context, sc *tenants.Scope, kind auth.CeremonyType, user *uuid.UUID, begun relyingparty.Begun) (*Options, error) {
	now := s.Sessions.Now()
	c := auth.Ceremony{ID: uuid.New(), UserID: user, Type: kind, Data: begun.Data, CreatedAt: now, ExpiresAt: now.Add(relyingparty.TTL)}
	err := sc.DB.Do(ctx, func(tx *tenantdb.Tx) error { return tx.BeginCeremony(ctx, &c) })
	if err != nil {
		return nil, err
	}
	return &Options{ChallengeID: c.ID, Options: begun.Options, ExpiresAt: c.ExpiresAt.Unix()}, nil
}

// take ends a ceremony, whatever the response is. auth.ErrCeremonyNotFound,
// auth.ErrCeremonyExpired.
func (s Service) take(ctx context.Context, sc *tenants.Scope, id uuid.UUID, kind auth.CeremonyType, user *uuid.UUID) (c auth.Ceremony, err error) {
	err = sc.DB.Do(ctx, func(tx *tenantdb.Tx) error {
		c, err = tx.TakeCeremony(ctx, id, kind, user, s.Sessions.Now())
		return err
	})
	return c, err
}

// Register ends the registration of a passkey and stores it. auth.ErrWebAuthn,
// auth.ErrPasskeyExists, the errors of Begin and those of take.
func (s Service) Register(ctx context.Context, sc *tenants.Scope, p *auth.Principal, challenge uuid.UUID, response json.RawMessage) (*auth.Passkey, error) {
	rp, err := party(sc)
	if err == nil {
		err = mayAdd(p)
	}
	if err != nil {
		return nil, err
	}
	ceremony, err := s.take(ctx, sc, challenge, auth.CeremonyRegistration, &p.User.ID)
	if err != nil {
		return nil, err
	}
	credential, err := rp.Register(&p.User, ceremony.Data, response)
	if err != nil {
		return nil, err
	}
	now := s.Sessions.Now()
	k := &auth.Passkey{
		Credential: credential, ID: uuid.New(), UserID: p.User.ID, FriendlyName: relyingparty.Model(credential.AAGUID),
		CreatedAt: now, UpdatedAt: now,
	}
	err = sc.DB.Tx(ctx, func(tx *tenantdb.Tx) error {
		u, err := s.Sessions.Lock(ctx, tx, p)
		if err == nil {
			err = mayAdd(&auth.Principal{User: *u, Session: p.Session})
		}
		if err != nil {
			return err
		}
		existing, err := tx.Passkeys(ctx, u.ID)
		switch {
		case err != nil:
			return err
		case len(existing) >= Max:
			return auth.ErrTooManyPasskeys
		case asks(sc, p, existing):
			return auth.ErrPasskeyAAL
		}
		if err := tx.CreatePasskey(ctx, k); err != nil {
			return err
		}
		if err := tx.NoteEnrollment(ctx, k.ID, u.ID, p.Session.ID, true, now); err != nil {
			return err
		}
		return s.audit(ctx, tx, sc, u, auth.ActionPasskeyCreated, k.ID)
	})
	return k, err
}

func (s Service) audit(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, u *auth.User, action auth.Action, passkey uuid.UUID) error {
	_, err := audit.User(ctx, tx, sc, u, action, traits(passkey), s.Sessions.Now())
	return err
}

func traits(passkey uuid.UUID) audit.Traits { return audit.Traits{"passkey_id": passkey.String()} }
