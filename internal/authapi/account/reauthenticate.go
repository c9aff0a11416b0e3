package account

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/audit"
	"github.com/reevehq/reeve/internal/authapi/mail"
	"github.com/reevehq/reeve/internal/message"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// Reauthenticate mails a nonce. The next change of password uses it to prove
// that the session's holder reads the user's mails. A user without an address gets
// a text message. auth.ErrReauthNoAddress, auth.ErrReauthUnverified,
// auth.ErrEmailRate; auth.ErrReauthPhone and the errors of sms.Texter.Post.
func (s Service) Reauthenticate(ctx context.Context, sc *tenants.Scope, p *auth.Principal) error {
	if byText(&p.User) {
		return s.reauthenticateByText(ctx, sc, p)
	}
	return s.Mailer.Post(ctx, sc, mail.Request{}, func(tx *tenantdb.Tx, out *mail.Outgoing) error {
		u, err := s.Sessions.Lock(ctx, tx, p)
		switch {
		case err != nil:
			return err
		case u.Email == "":
			return auth.ErrReauthNoAddress
		case !u.EmailConfirmed():
			return auth.ErrReauthUnverified
		}
		if err := s.Mailer.TooSoon(sc, u.ReauthenticationSentAt); err != nil {
			return err
		}
		if err := s.markReauthentication(ctx, tx, sc, u); err != nil {
			return err
		}
		return out.Put(ctx, mail.Letter{Kind: message.Reauthentication, User: u})
	})
}

// markReauthentication records that a nonce is sent to the user now.
func (s Service) markReauthentication(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, u *auth.User) error {
	now := s.Now()
	if err := tx.UpdateUser(ctx, u, now, tenantdb.ReauthenticationSentAt(&now)); err != nil {
		return err
	}
	return audit.Self(ctx, tx, sc, u, auth.ActionReauthenticationRequested, now)
}

// reauthenticateAfter is the age from which a session must reauthenticate for a
// new password.
const reauthenticateAfter = 24 * time.Hour

// maxNonce bounds a nonce, in bytes.
const maxNonce = 128

// checkNonceGiven reports whether the change needs a nonce, and returns
// auth.ErrReauthNeeded if it needs one and has none.
func (s Service) checkNonceGiven(sc *tenants.Scope, p *auth.Principal, c Change) (needed bool, err error) {
	fresh := p.Session.ID != uuid.Nil && s.Now().Before(p.Session.CreatedAt.Add(reauthenticateAfter))
	if c.Password == nil || !sc.Tenant.Config.ReauthenticateForPassword || fresh {
		return false, nil
	}
	switch {
	case c.Nonce == "":
		return false, auth.ErrReauthNeeded
	case len(c.Nonce) > maxNonce:
		return false, auth.ErrReauthInvalid
	}
	return true, nil
}

// mailedFor is how long the proof of a mailed link or code stands for the current
// password. It is how a forgotten one is replaced.
const mailedFor = time.Hour

// checkCurrentGiven returns auth.ErrCurrentNeeded if the change needs the current
// password and has none.
func (s Service) checkCurrentGiven(ctx context.Context, sc *tenants.Scope, p *auth.Principal, c Change) error {
	if !sc.Tenant.Config.CurrentPasswordForPassword || (c.CurrentPassword != nil && *c.CurrentPassword != "") {
		return nil
	}
	var proofs []auth.AMR
	err := sc.DB.Do(ctx, func(tx *tenantdb.Tx) (err error) {
		proofs, err = tx.SessionAMR(ctx, p.Session.ID)
		return err
	})
	if err != nil {
		return err
	}
	since := s.Now().Add(-mailedFor).Unix()
	for _, proof := range proofs {
		switch proof.Method {
		case auth.MethodOTP, auth.MethodMagicLink, auth.MethodRecovery:
			if proof.Timestamp > since {
				return nil
			}
		}
	}
	return auth.ErrCurrentNeeded
}

// consumeNonce deletes the nonce of the user with this digest;
// auth.ErrReauthInvalid.
func (s Service) consumeNonce(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, u *auth.User, hash string) error {
	t, err := tx.TokenByHash(ctx, hash, s.Now().Add(-nonceTTL(sc, u)), auth.TokenReauthentication)
	switch {
	case errors.Is(err, auth.ErrOTPExpired):
		return auth.ErrReauthInvalid
	case err != nil:
		return err
	case t.UserID != u.ID, !strings.EqualFold(t.RelatesTo, u.Email) && t.RelatesTo != strings.TrimPrefix(u.Phone, "+"): // changed since
		return auth.ErrReauthInvalid
	}
	if err := tx.ConsumeToken(ctx, t.ID); err != nil {
		return auth.ErrReauthInvalid.Because(err)
	}
	return nil
}
