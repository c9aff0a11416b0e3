package hook

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/internal/setting"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// SignOut ends the sessions of a user in a transaction.
type SignOut = func(ctx context.Context, tx *tenantdb.Tx, user uuid.UUID) error

// passwordEvent is the payload of password_verification_attempt.
type passwordEvent struct {
	Metadata metadata  `json:"metadata"`
	UserID   uuid.UUID `json:"user_id"`
	Valid    bool      `json:"valid"`
}

const passwordRejected = "Further password verification attempts will be rejected."

// PasswordAttempt calls the hook password_verification_attempt of a project that has
// one, in a transaction of its own: what the function writes stays when it refuses,
// and the user's sessions end if it says so. nil is to go on.
func (h *Hooks) PasswordAttempt(ctx context.Context, sc *tenants.Scope, user uuid.UUID, valid bool, out SignOut) error {
	const point = setting.HookPasswordVerification
	if !Enabled(sc, point) {
		return nil
	}
	event := passwordEvent{h.metadata(sc, point), user, valid}
	err := h.attempt(ctx, sc, point, event, auth.ErrCredentials.Saying(passwordRejected), func(tx *tenantdb.Tx, d decision) error {
		if !d.ShouldLogoutUser {
			return nil
		}
		return out(ctx, tx, user)
	})
	var f *fault.Error
	if err != nil && !valid && errors.As(err, &f) && fails(f) {
		return auth.ErrCredentials.Because(err)
	}
	return err
}

// fails reports whether a fault is that of a hook without a valid answer. With a wrong
// password it is answered as one for an address of nobody, whose hook is not called.
func fails(f *fault.Error) bool {
	switch f.Code {
	case auth.ErrHookFailed.Code, auth.ErrHookTimeout.Code, auth.ErrHookRetries.Code, auth.ErrHookTooLarge.Code, auth.ErrHookContentType.Code:
		return true
	}
	return false
}

// NoAttempt waits as long as the last PasswordAttempt of the project took, so that the
// time of an answer does not tell whether an address has a user.
func (h *Hooks) NoAttempt(ctx context.Context, sc *tenants.Scope) error {
	const point = setting.HookPasswordVerification
	if !Enabled(sc, point) {
		return nil
	}
	timer := time.NewTimer(h.breakers.last(breakerKey{sc.Tenant.Ref, point}))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// factorEvent is the payload of mfa_verification_attempt.
type factorEvent struct {
	Metadata   metadata  `json:"metadata"`
	UserID     uuid.UUID `json:"user_id"`
	FactorID   uuid.UUID `json:"factor_id"`
	FactorType string    `json:"factor_type"`
	Valid      bool      `json:"valid"`
}

// Factors reports whether a project has the hook mfa_verification_attempt.
func (h *Hooks) Factors(sc *tenants.Scope) bool { return Enabled(sc, setting.HookMFAVerification) }

// FactorAttempt calls the hook mfa_verification_attempt of a project that has one, as
// PasswordAttempt does. A refusal ends the user's sessions; it is auth.ErrMFARejected.
func (h *Hooks) FactorAttempt(ctx context.Context, sc *tenants.Scope, user, factor uuid.UUID, kind string, valid bool, out SignOut) error {
	const point = setting.HookMFAVerification
	if !Enabled(sc, point) {
		return nil
	}
	event := factorEvent{h.metadata(sc, point), user, factor, kind, valid}
	return h.attempt(ctx, sc, point, event, auth.ErrMFARejected, func(tx *tenantdb.Tx, d decision) error {
		if d.Decision != decisionReject {
			return nil // its own error, which refuses this try only
		}
		return out(ctx, tx, user)
	})
}

// attempt calls the hook of a try, outside of the flow's transactions. after is called
// in a transaction when the hook refuses.
func (h *Hooks) attempt(ctx context.Context, sc *tenants.Scope, point string, event any, with *fault.Error, after func(*tenantdb.Tx, decision) error) error {
	var d decision
	call := func(tx *tenantdb.Tx) error {
		d = decision{}
		_, err := h.run(ctx, tx, sc, point, event, func(raw json.RawMessage) (err error) {
			d, err = readDecision(raw, with)
			return err
		})
		return err
	}
	var refusal error
	inTx := func(err error, tx *tenantdb.Tx) error {
		var f *failure
		if errors.As(err, &f) && f.outcome == OutcomeRefused {
			refusal = err
			return after(tx, d)
		}
		return err
	}
	var err error
	if _, _, ok := sc.Tenant.Config.Hook(point).Function(); ok {
		err = sc.DB.Tx(ctx, func(tx *tenantdb.Tx) error { return inTx(call(tx), tx) })
	} else if err = call(nil); err != nil { // no connection waits for a URL
		said := err
		err = sc.DB.Tx(ctx, func(tx *tenantdb.Tx) error { return inTx(said, tx) })
	}
	if err != nil {
		return err
	}
	return refusal
}
