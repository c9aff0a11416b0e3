package sms

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/message"
	"github.com/reevehq/reeve/internal/smsgateway"
	"github.com/reevehq/reeve/internal/token"
	"github.com/reevehq/reeve/tenants"
)

// SecondFactors is the purpose of requests for codes of second factors. They are spaced
// out by the project's mfa_phone_max_frequency.
const SecondFactors = "mfa"

// PutFactor is Put for a code of a second factor. The code belongs to a challenge, with
// which the digest that PutFactor returns is to be stored, and is good for life.
func (o *Outgoing) PutFactor(ctx context.Context, u *auth.User, challenge uuid.UUID, life time.Duration) (hash string, err error) {
	if err := o.count(ctx); err != nil {
		return "", err
	}
	t := o.sc.Tenant
	if o.test != "" {
		return FactorHash(t, challenge, o.test), nil
	}
	text := message.Message{Kind: message.SecondFactor}
	hash = token.HashLink(uuid.NewString()) // of nothing that can be typed in
	if !smsgateway.MakesCodes(t.Config.SMSGateway()) {
		text.Code = token.NewOneTime(t.Secrets.OTPKey, o.number.Digits, t.Config.MFAPhoneOTPLength).Code
		text.Text, hash = t.Config.FactorText(text.Code), FactorHash(t, challenge, text.Code)
	}
	return hash, o.enqueue(ctx, u, text, life)
}

// FactorHash is the digest of a code that is stored with its challenge. It is made with
// the project's key, because codes are short, and of the challenge, so that a code is
// good for no other.
func FactorHash(t *tenants.Tenant, challenge uuid.UUID, code string) string {
	return token.OneTimeOf(t.Secrets.OTPKey, "second factor/"+challenge.String(), code).Hash
}
