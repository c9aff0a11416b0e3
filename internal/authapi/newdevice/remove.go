package newdevice

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/audit"
	"github.com/reevehq/reeve/internal/authapi/mail"
	"github.com/reevehq/reeve/internal/authapi/session"
	"github.com/reevehq/reeve/internal/message"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// removal ends a reported session of a user, who is locked, and removes what was added in
// it.
type removal struct {
	Handler
	tx   *tenantdb.Tx
	sc   *tenants.Scope
	user *auth.User
	told *mail.Notices
	now  time.Time
}

// run removes the second factors and passkeys that were added in the session: whoever
// began it would come back by them. Sessions that these proved end with it; of passkeys,
// those are all that a passkey began since.
func (r removal) run(ctx context.Context, reported uuid.UUID) error {
	added, passkeys, err := r.tx.TakeEnrollments(ctx, r.user.ID, reported)
	if err != nil {
		return err
	}
	keys, since, err := r.passkeys(ctx, passkeys)
	if err != nil {
		return err
	}
	ended, err := r.tx.SessionsProvedBy(ctx, r.user.ID, added, since)
	if err != nil {
		return err
	}
	if err := r.tx.ForgetProofs(ctx, r.user.ID, ended); err != nil {
		return err
	}
	if err := r.Sessions.End(ctx, r.tx, r.sc, r.user, session.These(append(ended, reported)), session.CauseReported); err != nil {
		return err
	}
	if err := r.removeFactors(ctx, added, reported); err != nil {
		return err
	}
	return r.removePasskeys(ctx, keys)
}

// passkeys returns those of the ids that the user still has, and when the first of them
// was added; nil for none.
func (r removal) passkeys(ctx context.Context, ids []uuid.UUID) (keys []uuid.UUID, since *time.Time, err error) {
	for _, id := range ids {
		k, err := r.tx.PasskeyOf(ctx, r.user.ID, id)
		if errors.Is(err, auth.ErrPasskeyNotFound) {
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		keys = append(keys, id)
		if since == nil || k.CreatedAt.Before(*since) {
			since = &k.CreatedAt
		}
	}
	return keys, since, nil
}

// removeFactors removes those of the factors that the user still has. Recovery codes go
// with the last other factor, as everywhere.
func (r removal) removeFactors(ctx context.Context, added []uuid.UUID, reported uuid.UUID) error {
	have, err := r.tx.Factors(ctx, r.user.ID)
	if err != nil {
		return err
	}
	protected := slices.ContainsFunc(have, func(f auth.Factor) bool {
		return f.Verified() && f.Type != auth.FactorRecoveryCode && !slices.Contains(added, f.ID)
	})
	removed := false
	remove := func(codes bool) error {
		for _, f := range have {
			isCodes := f.Type == auth.FactorRecoveryCode
			if isCodes != codes || !slices.Contains(added, f.ID) && !(isCodes && removed && !protected) {
				continue
			}
			if err := r.removeFactor(ctx, f, reported); err != nil {
				return err
			}
			removed = removed || f.Verified()
		}
		return nil
	}
	if err := remove(false); err != nil {
		return err
	}
	return remove(true)
}

func (r removal) removeFactor(ctx context.Context, f auth.Factor, reported uuid.UUID) error {
	if err := r.tx.LowerSessions(ctx, r.user.ID, f.ID, r.now); err != nil {
		return err
	}
	if _, err := r.tx.DeleteFactor(ctx, r.user.ID, f.ID); err != nil {
		return err
	}
	action := auth.ActionFactorUnenrolled
	if f.Type == auth.FactorRecoveryCode {
		action = auth.ActionRecoveryCodesDeleted
	}
	traits := audit.Traits{"factor_id": f.ID.String(), "factor_status": f.Status, "session_id": reported.String()}
	if _, err := audit.User(ctx, r.tx, r.sc, r.user, action, traits, r.now); err != nil || !f.Verified() {
		return err
	}
	return r.told.Put(ctx, r.tx, mail.Notice{Kind: message.FactorUnenrolled, User: r.user, FactorType: f.Type})
}

func (r removal) removePasskeys(ctx context.Context, keys []uuid.UUID) error {
	for _, id := range keys {
		if err := r.tx.DeletePasskey(ctx, r.user.ID, id); err != nil {
			return err
		}
		traits := audit.Traits{"passkey_id": id.String()}
		if _, err := audit.User(ctx, r.tx, r.sc, r.user, auth.ActionPasskeyDeleted, traits, r.now); err != nil {
			return err
		}
	}
	if len(keys) == 0 {
		return nil
	}
	return r.tx.LowerPasskeySessions(ctx, r.user.ID, r.now)
}
