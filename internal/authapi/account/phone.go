package account

import (
	"context"
	"time"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/sms"
	"github.com/reevehq/reeve/internal/message"
	"github.com/reevehq/reeve/internal/token"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// beginPhoneChange begins a change of number. The new one must be confirmed even
// where sign-ups need no confirmation, as a new address must.
func (s Service) beginPhoneChange(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, u *auth.User, phone string) error {
	if err := s.Texter.TooSoon(sc, u.PhoneChangeSentAt); err != nil {
		return err
	}
	return s.BeginPhoneChange(ctx, tx, u, phone)
}

// byText reports whether the nonce of a user is sent to the phone number: there is
// no address.
func byText(u *auth.User) bool { return u.Email == "" && u.Phone != "" }

// reauthenticateByText is Reauthenticate for a user without an address.
func (s Service) reauthenticateByText(ctx context.Context, sc *tenants.Scope, p *auth.Principal) error {
	if !sc.Tenant.Config.ExternalPhoneEnabled {
		return auth.ErrReauthNoAddress // nothing that a message could be sent to
	}
	phone, err := auth.NormalizePhone(p.User.Phone)
	if err != nil {
		return err
	}
	_, err = s.Texter.Post(ctx, sc, sms.Request{Phone: phone, Channel: message.SMS}, func(tx *tenantdb.Tx, out *sms.Outgoing) error {
		u, err := s.Sessions.Lock(ctx, tx, p)
		switch {
		case err != nil:
			return err
		case !byText(u) || u.Phone != p.User.Phone: // changed in the meantime
			return auth.ErrConflict
		case !u.PhoneConfirmed():
			return auth.ErrReauthPhone
		}
		if err := s.Texter.TooSoon(sc, u.ReauthenticationSentAt); err != nil {
			return err
		}
		if err := s.markReauthentication(ctx, tx, sc, u); err != nil {
			return err
		}
		return out.Put(ctx, sms.Text{Kind: message.Reauthentication, Token: auth.TokenReauthentication, User: u})
	})
	return err
}

// nonceTTL is how long a nonce of the user is good for.
func nonceTTL(sc *tenants.Scope, u *auth.User) time.Duration {
	if byText(u) {
		return sc.Tenant.Config.SMSOTPTTL()
	}
	return sc.Tenant.Config.OTPTTL()
}

// nonceHash returns the digest of a nonce, as it is stored. A nonce that the
// gateway made is compared there; the digest is then that of the row which says
// that one was sent. auth.ErrReauthInvalid.
func (s Service) nonceHash(ctx context.Context, sc *tenants.Scope, p *auth.Principal, nonce string) (string, error) {
	if !byText(&p.User) {
		return token.OneTimeOf(sc.Tenant.Secrets.OTPKey, p.User.Email, nonce).Hash, nil
	}
	phone, err := auth.NormalizePhone(p.User.Phone)
	if err != nil {
		return "", auth.ErrReauthInvalid.Because(err)
	}
	if !s.Texter.Remote(sc, phone) {
		return token.OneTimeOf(sc.Tenant.Secrets.OTPKey, phone, nonce).Hash, nil
	}
	var sent []auth.OneTimeToken
	err = sc.DB.Do(ctx, func(tx *tenantdb.Tx) (err error) {
		sent, err = tx.CodesOf(ctx, phone, s.Now().Add(-nonceTTL(sc, &p.User)), 1, false, auth.TokenReauthentication)
		return err
	})
	switch {
	case err != nil:
		return "", err
	case len(sent) == 0:
		return "", auth.ErrReauthInvalid
	}
	return sent[0].Hash, s.Texter.CheckRemote(ctx, sc, phone, nonce, auth.ErrReauthInvalid)
}
