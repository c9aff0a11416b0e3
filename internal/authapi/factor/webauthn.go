package factor

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/mail"
	"github.com/reevehq/reeve/internal/authapi/session"
	"github.com/reevehq/reeve/internal/message"
	"github.com/reevehq/reeve/internal/projectlog"
	"github.com/reevehq/reeve/internal/relyingparty"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// KindWebAuthn is a security key, or a key of the device.
const KindWebAuthn = "webauthn"

// The ceremonies of a key, as the wire names them.
const (
	ceremonyCreate  = "create"  // of a factor that was never verified
	ceremonyRequest = "request" // of one that was
)

// WebAuthn is what a challenge of a key asks the browser for.
type WebAuthn struct {
	Type    string `json:"type"`
	Options any    `json:"credential_options"`
}

// WebAuthnAnswer is the browser's answer. Clients also name the relying party and
// its origins; the project's settings alone decide these.
type WebAuthnAnswer struct {
	Type     string          `json:"type"`
	Response json.RawMessage `json:"credential_response"`
}

// enrollWebAuthn is Enroll for a key, which is made at the first challenge.
func (s Service) enrollWebAuthn(ctx context.Context, sc *tenants.Scope, p *auth.Principal, e Enrollment) (*Enrolled, error) {
	if !sc.Tenant.Config.WebAuthnEnroll {
		return nil, auth.ErrWebAuthnEnrollOff
	}
	if _, err := relyingparty.New(&sc.Tenant.Config); err != nil {
		return nil, err
	}
	key := tenantdb.FactorKey{UserID: p.User.ID, Factor: auth.Factor{ID: uuid.New(), FriendlyName: e.Name, Type: e.Kind}}
	if err := s.create(ctx, sc, p, key); err != nil {
		return nil, err
	}
	return &Enrolled{ID: key.ID, Type: e.Kind, Name: e.Name}, nil
}

// askForKey adds the ceremony to a challenge that was just written.
func (s Service) askForKey(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, p *auth.Principal, key tenantdb.FactorKey, out *Challenged) error {
	if !sc.Tenant.Config.WebAuthnVerify {
		return auth.ErrWebAuthnVerifyOff
	}
	rp, err := relyingparty.New(&sc.Tenant.Config)
	if err != nil {
		return err
	}
	ceremony := ceremonyCreate
	var begun relyingparty.Begun
	if key.Status == statusDone {
		ceremony = ceremonyRequest
		record, err := tx.WebAuthnFactor(ctx, key.ID)
		if err == nil {
			begun, err = rp.AskForKey(&p.User, record)
		}
		if err != nil {
			return asFactorCode(err)
		}
	} else if begun, err = rp.BeginKey(&p.User); err != nil {
		return err
	}
	out.WebAuthn = &WebAuthn{Type: ceremony, Options: begun.Options}
	return tx.PutWebAuthnChallenge(ctx, out.ID, begun.Data)
}

// VerifyKey is Verify for a key. Nobody guesses a signature, so wrong ones are not
// counted: that would only let others use up the user's tries.
func (s Service) VerifyKey(ctx context.Context, sc *tenants.Scope, p *auth.Principal, id, challenge uuid.UUID, a *WebAuthnAnswer) (*session.Tokens, error) {
	if p.User.IsAnonymous {
		return nil, auth.ErrAnonymousFactor
	}
	err := s.tell(ctx, sc, p, func(tx *tenantdb.Tx) (tenantdb.FactorKey, error) {
		checked, err := s.checkAnswer(ctx, tx, sc, p, id, challenge, a)
		return checked.factor, err
	})
	if err != nil {
		return nil, err
	}
	return s.raise(ctx, sc, p, message.FactorEnrolled, func(tx *tenantdb.Tx, current *auth.Principal, told *mail.Notices) (*session.Upgrade, error) {
		return s.proveKey(ctx, tx, sc, current, told, id, challenge, a)
	})
}

// checkedAnswer is an answer that was compared with its factor and challenge.
type checkedAnswer struct {
	factor    tenantdb.FactorKey
	challenge tenantdb.Challenge
	first     bool // the factor was never verified
	proved    relyingparty.Key
}

// checkAnswer compares an answer with its factor and challenge. It changes nothing.
func (s Service) checkAnswer(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, p *auth.Principal, id, challenge uuid.UUID, a *WebAuthnAnswer) (out checkedAnswer, err error) {
	now := s.Sessions.Now()
	if out.factor, err = tx.FactorKey(ctx, p.User.ID, id); err != nil {
		return out, err
	}
	out.challenge, err = tx.Challenge(ctx, out.factor.ID, challenge)
	switch {
	case errors.Is(err, auth.ErrFactorNotFound):
		return out, auth.ErrChallengeUnknown
	case err != nil:
		return out, err
	case out.challenge.VerifiedAt != nil, !now.Before(out.challenge.CreatedAt.Add(challengeLife)):
		return out, auth.ErrChallengeExpired
	case !sameAddress(out.challenge.IP, sc.ClientAddress()):
		return out, auth.ErrFactorAddress
	case out.factor.Type != KindWebAuthn:
		return out, auth.ErrFactorNotFound
	case mayNotVerify(p, out.factor):
		return out, auth.ErrEnrollAAL
	case !sc.Tenant.Config.WebAuthnVerify:
		return out, auth.ErrWebAuthnVerifyOff
	}
	out.first = out.factor.Status != statusDone
	if out.first {
		if err := passkeyAsks(ctx, tx, sc, p); err != nil {
			return out, err
		}
	}
	if want := map[bool]string{true: ceremonyCreate, false: ceremonyRequest}[out.first]; a.Type != want {
		return out, auth.ErrValidation.Saying("webauthn.type must be " + want)
	}
	out.proved, err = s.checkKey(ctx, tx, sc, p, out.factor, out.challenge.ID, a, out.first)
	return out, err
}

// proveKey checks an answer, in the transaction that raises the session.
func (s Service) proveKey(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, p *auth.Principal, told *mail.Notices, id, challenge uuid.UUID, a *WebAuthnAnswer) (*session.Upgrade, error) {
	now := s.Sessions.Now()
	checked, err := s.checkAnswer(ctx, tx, sc, p, id, challenge, a)
	if err != nil {
		return nil, err
	}
	key, c, proved := checked.factor, checked.challenge, checked.proved
	last, err := json.Marshal(map[string]any{
		"challenge": map[string]any{"id": c.ID, "created_at": c.CreatedAt}, "type": a.Type, "credential_response": a.Response,
	})
	if err != nil {
		return nil, err
	}
	err = errors.Join(tx.ChallengeVerified(ctx, c.ID, now), tx.KeepWebAuthnFactor(ctx, key.ID, proved.Record, proved.AAGUID, last, now),
		tx.DeleteLowSessions(ctx, p.User.ID, p.Session.ID))
	if checked.first {
		err = errors.Join(err, enrolledIn(ctx, tx, p, key.ID, now), tx.DeleteUnverifiedFactors(ctx, p.User.ID, key.Type, key.ID, now.Add(time.Hour)),
			told.Put(ctx, tx, mail.Notice{Kind: message.FactorEnrolled, User: &p.User, FactorType: key.Type}))
	}
	if err != nil {
		return nil, err
	}
	return &session.Upgrade{AAL: auth.AAL2, Method: auth.MethodWebAuthn, Factor: key.ID, Action: auth.ActionMFACodeLogin}, nil
}

// checkKey verifies an answer; auth.ErrFactorCode. A counter that did not go up is
// refused: the key may have been copied.
func (s Service) checkKey(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, p *auth.Principal, key tenantdb.FactorKey, challenge uuid.UUID, a *WebAuthnAnswer, first bool) (relyingparty.Key, error) {
	rp, err := relyingparty.New(&sc.Tenant.Config)
	if err != nil {
		return relyingparty.Key{}, err
	}
	data, err := tx.WebAuthnChallenge(ctx, challenge)
	if err != nil {
		return relyingparty.Key{}, err
	}
	if first {
		proved, err := rp.RegisterKey(&p.User, data, a.Response)
		return proved, asFactorCode(err)
	}
	record, err := tx.WebAuthnFactor(ctx, key.ID)
	if err != nil {
		return relyingparty.Key{}, err
	}
	proved, err := rp.VerifyKey(&p.User, record, data, a.Response)
	if err == nil && proved.Cloned {
		sc.Log.Add(ctx, projectlog.Entry{
			Level: projectlog.Warning, Code: "passkey_cloned",
			Message: "The counter of a second factor did not go up, so its key may have been copied. It was refused.",
			Detail:  map[string]any{"factor_id": key.ID.String()},
		})
		return proved, auth.ErrFactorCode.Saying("The key may have been copied: its counter did not go up")
	}
	return proved, asFactorCode(err)
}

// asFactorCode gives a wrong answer the fault of second factors.
func asFactorCode(err error) error {
	if errors.Is(err, auth.ErrWebAuthn) {
		return auth.ErrFactorCode.Because(err).Saying("The credential could not be verified")
	}
	return err
}
