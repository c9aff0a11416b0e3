package recovery

import (
	"context"
	"errors"
	"time"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/audit"
	"github.com/reevehq/reeve/internal/authapi/mail"
	"github.com/reevehq/reeve/internal/authapi/sms"
	"github.com/reevehq/reeve/internal/message"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// ResendText sends the code of a pending sign-up, or of a change to this number,
// again, and returns the message's id. It is no error if there is none.
func (s Service) ResendText(ctx context.Context, sc *tenants.Scope, kind Kind, phone string) (id string, err error) {
	defer mail.EqualizeTime(ctx, time.Now())
	if kind == PhoneChange {
		if phone, err = s.pendingNumber(ctx, sc, phone); err != nil {
			return "", err
		}
	}
	r := sms.Request{Purpose: "resend " + string(kind), Phone: phone, Channel: message.SMS}
	return s.Texter.Post(ctx, sc, r, func(tx *tenantdb.Tx, out *sms.Outgoing) error {
		var u auth.User
		var err error
		if kind == PhoneChange {
			u, err = tx.UserByPendingPhone(ctx, phone, true)
		} else {
			u, err = tx.UserByPhone(ctx, phone, true)
		}
		switch {
		case errors.Is(err, auth.ErrUserNotFound):
			return nil
		case err != nil:
			return err
		case u.Gone():
			return nil
		case kind == PhoneChange:
			return s.resendPhoneChange(ctx, tx, &u, out)
		case u.PhoneConfirmed():
			return nil
		}
		return s.resendCode(ctx, tx, sc, &u, out)
	})
}

// pendingNumber returns the number to which a user with this number wants to
// change, because clients of the reference name the current one; else the number
// itself.
func (s Service) pendingNumber(ctx context.Context, sc *tenants.Scope, phone string) (string, error) {
	err := sc.DB.Do(ctx, func(tx *tenantdb.Tx) error {
		u, err := tx.UserByPhone(ctx, phone, false)
		switch {
		case errors.Is(err, auth.ErrUserNotFound):
			return nil
		case err == nil && u.NewPhone != "" && !u.Gone():
			phone = u.NewPhone
		}
		return err
	})
	return phone, err
}

func (s Service) resendPhoneChange(ctx context.Context, tx *tenantdb.Tx, u *auth.User, out *sms.Outgoing) error {
	now := s.Now()
	if err := tx.UpdateUser(ctx, u, now, tenantdb.PhoneChangeSentAt(&now)); err != nil {
		return err
	}
	return out.Put(ctx, sms.Text{Kind: message.PhoneChange, Token: auth.TokenPhoneChange, User: u})
}

// resendCode sends a code that confirms the account as it is. If several sign-ups
// named the number, the code belongs to none of them.
func (s Service) resendCode(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, u *auth.User, out *sms.Outgoing) error {
	now := s.Now()
	if err := tx.UpdateUser(ctx, u, now, tenantdb.ConfirmationSentAt(&now)); err != nil {
		return err
	}
	if err := audit.Self(ctx, tx, sc, u, auth.ActionUserRecoveryRequested, now); err != nil { // as in the reference
		return err
	}
	text := sms.Text{Kind: message.Confirmation, Token: auth.TokenConfirmation, User: u}
	origin, err := s.UnprovedPhone(ctx, tx, u)
	if err != nil {
		return err
	}
	if origin.Contested {
		text.Signup = &auth.Signup{Resent: true}
	}
	return out.Put(ctx, text)
}
