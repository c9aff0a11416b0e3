package tenantdb

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// TidyBatch is the most rows of one table that one call of Tidy removes.
const TidyBatch = 1000

// What Tidy leaves standing, past the moment from which a row is of no use. The
// sessions stay for some days so that who asks can be told why they ended.
const (
	keepFlow    = 24 * time.Hour     // flow states, relay states, challenges, factors never verified
	keepToken   = 8 * 24 * time.Hour // one-time tokens: mailer_otp_exp is 7 days at most
	keepSession = 72 * time.Hour
	keepDead    = 30 * 24 * time.Hour // messages that were given up
)

// TidyLimits are the project's limits on sessions; 0 means none.
type TidyLimits struct {
	Timebox    time.Duration
	Inactivity time.Duration
}

// Tidy removes rows that are of no more use, up to TidyBatch of each table, and
// tells how many: TidyBatch or more means that there may be others. Rows that
// somebody works with are passed over. Each table is a statement and a
// transaction of its own, so that one where a trigger of the developer's fails
// keeps its rows and the others do not. The audit log is not touched: how long it
// is kept is for the developer to say.
func (db *DB) Tidy(ctx context.Context, now time.Time, limits TidyLimits) (deleted int64, err error) {
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
	for _, s := range stale(now, limits) {
		do(func(tx *Tx) (int64, error) { return tx.tidy(ctx, s) })
	}
	do(func(tx *Tx) (int64, error) { return tx.OutboxTidy(ctx, keepDead, TidyBatch) })
	return deleted, errors.Join(append(failed, ctx.Err())...)
}

// staleRows are rows of a table that are of no more use.
type staleRows struct {
	table, where string
	before       time.Time // $1
}

// stale lists what is removed. Every condition on the time has an index on its
// column, and what references a table comes before it.
func stale(now time.Time, limits TidyLimits) []staleRows {
	flow := now.Add(-keepFlow)
	list := []staleRows{
		{table: "saml_relay_states", where: `created_at < $1`, before: flow},
		{table: "flow_state", where: `created_at < $1`, before: flow},
		{table: "mfa_challenges", where: `created_at < $1`, before: flow},
		{table: "mfa_factors", where: `created_at < $1 AND status = 'unverified'`, before: flow},
		{table: "one_time_tokens", where: `created_at < $1::pg_catalog.timestamptz AT TIME ZONE 'utc'`, before: now.Add(-keepToken)},
		{table: "sessions", where: `not_after < $1`, before: now.Add(-keepSession)},
	}
	if limits.Timebox > 0 {
		list = append(list, staleRows{table: "sessions", where: `created_at < $1`, before: now.Add(-limits.Timebox - keepSession)})
	}
	if limits.Inactivity > 0 {
		// No index has refreshed_at: it would cost every refresh. A session is no
		// younger than its last refresh.
		list = append(list, staleRows{
			table: "sessions", before: now.Add(-limits.Inactivity - keepSession),
			where: `created_at < $1 AND (refreshed_at IS NULL OR refreshed_at < $1::pg_catalog.timestamptz AT TIME ZONE 'utc')`,
		})
	}
	return list
}

func (tx *Tx) tidy(ctx context.Context, s staleRows) (int64, error) {
	tag, err := tx.q.Exec(ctx, `DELETE FROM auth.`+s.table+` WHERE id = ANY (ARRAY(
		SELECT id FROM auth.`+s.table+` WHERE `+s.where+` LIMIT $2 FOR UPDATE SKIP LOCKED))`, s.before, TidyBatch)
	if err != nil {
		return 0, fmt.Errorf("tidy %s: %w", s.table, err)
	}
	return tag.RowsAffected(), nil
}
