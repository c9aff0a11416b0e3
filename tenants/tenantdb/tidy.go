package tenantdb

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// TidyBatch is the most rows of one table that one call of Tidy removes.
const TidyBatch = 1000

// How long Tidy keeps rows after they have become useless.
const (
	keepFlow  = 24 * time.Hour     // flow states, relay states, challenges, factors never verified
	keepToken = 8 * 24 * time.Hour // one-time tokens: mailer_otp_exp is 7 days at most
	// KeepEnded is how long the causes of ended sessions are kept.
	KeepEnded   = 30 * 24 * time.Hour
	keepAttempt = 90 * 24 * time.Hour // attempts to sign in by a connection
	// keepRotation is how long ordinary refreshes are kept. There is a row of each.
	keepRotation = 14 * 24 * time.Hour
	keepDead     = 30 * 24 * time.Hour // undeliverable messages
	// keepDevice is longer than a year, so that a device of every Christmas is known.
	keepDevice = 400 * 24 * time.Hour
	// keepActivity is how long the ledger of active users is kept after a period began.
	keepActivity = 400 * 24 * time.Hour
)

// Tidy removes useless rows, up to TidyBatch of each table, and returns how
// many: TidyBatch or more means that there may be others. It skips rows that
// are locked. Each table is a statement and a transaction of its own, so that a
// failing trigger of the developer's on one table does not affect the others.
// Tidy does not touch the audit log; the developer decides how long it is kept.
// Sessions are ended by EndExpired.
func (db *DB) Tidy(ctx context.Context, now time.Time) (deleted int64, err error) {
	var failed []error
	do := func(remove func(*Tx) (int64, error)) {
		if ctx.Err() != nil {
			return
		}
		err := db.Do(ctx, func(tx *Tx) error {
			n, err := remove(tx)
			deleted += n
			return err
		})
		if err != nil {
			failed = append(failed, err)
		}
	}
	for _, s := range stale(now) {
		do(func(tx *Tx) (int64, error) { return tx.tidy(ctx, s) })
	}
	do(func(tx *Tx) (int64, error) { return tx.TidySignups(ctx, now.Add(-keepToken), now, TidyBatch) })
	do(func(tx *Tx) (int64, error) { return tx.TidySessionEnds(ctx, now.Add(-KeepEnded), TidyBatch) })
	do(func(tx *Tx) (int64, error) { return tx.TidyRotations(ctx, now.Add(-keepRotation), TidyBatch) })
	do(func(tx *Tx) (int64, error) { return tx.TidyAssertions(ctx, now, TidyBatch) })
	do(func(tx *Tx) (int64, error) {
		do(func(tx *Tx) (int64, error) { return tx.EndLostSSO(ctx, now, TidyBatch) })
		return tx.TidySSO(ctx, now.Add(-keepFlow), now.Add(-keepAttempt), TidyBatch)
	})
	do(func(tx *Tx) (int64, error) { return tx.TidySCIM(ctx, now.Add(-keepSCIM), TidyBatch) })
	do(func(tx *Tx) (int64, error) { return tx.TidyDevices(ctx, now.Add(-keepDevice), now, TidyBatch) })
	do(func(tx *Tx) (int64, error) { return tx.TidyActivity(ctx, now.Add(-keepActivity), TidyBatch) })
	do(func(tx *Tx) (int64, error) { return tx.OutboxTidy(ctx, keepDead, TidyBatch) })
	return deleted, errors.Join(append(failed, ctx.Err())...)
}

// staleRows are the useless rows of a table.
type staleRows struct {
	table, where string
	before       time.Time // $1
}

// stale lists the rows to remove. Every condition on the time has an index on
// its column, and referencing tables come before the tables that they
// reference.
func stale(now time.Time) []staleRows {
	flow := now.Add(-keepFlow)
	return []staleRows{
		{table: "saml_relay_states", where: `created_at < $1`, before: flow},
		{table: "flow_state", where: `created_at < $1`, before: flow},
		{table: "mfa_challenges", where: `created_at < $1`, before: flow},
		{table: "mfa_factors", where: `created_at < $1 AND status = 'unverified'`, before: flow},
		{table: "webauthn_challenges", where: `expires_at < $1`, before: flow},
		{table: "one_time_tokens", where: `created_at < $1::pg_catalog.timestamptz AT TIME ZONE 'utc'`, before: now.Add(-keepToken)},
	}
}

func (tx *Tx) tidy(ctx context.Context, s staleRows) (int64, error) {
	tag, err := tx.q.Exec(ctx, `DELETE FROM auth.`+s.table+` WHERE id = ANY (ARRAY(
		SELECT id FROM auth.`+s.table+` WHERE `+s.where+` LIMIT $2 FOR UPDATE SKIP LOCKED))`, s.before, TidyBatch)
	if err != nil {
		return 0, fmt.Errorf("tidy %s: %w", s.table, err)
	}
	return tag.RowsAffected(), nil
}
