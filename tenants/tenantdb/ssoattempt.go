package tenantdb

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/internal/auth"
)

// maxAttemptsAnHour bounds what is kept of the attempts of one connection and kind: who floods it
// must not fill the project's database.
const maxAttemptsAnHour = 1000

// PutSSOAttempt writes an attempt, or what became of it. Beyond a number an hour new ones
// are dropped.
func (tx *Tx) PutSSOAttempt(ctx context.Context, a *auth.SSOAttempt) error {
	detail, err := json.Marshal(a.Detail)
	if err != nil {
		return fmt.Errorf("encode attempt: %w", err)
	}
	var ip *netip.Addr
	if addr, err := netip.ParseAddr(a.IP); err == nil {
		ip = &addr
	}
	return tx.q.Later(ctx, "note an attempt", `INSERT INTO reeve.sso_attempt AS a (id, provider_id, at, kind, outcome, reason, user_id, ip, detail)
		SELECT $1, $2, $3, $4, $5, nullif("left"($6, 2000), ''), $7, $8, $9
		WHERE (SELECT pg_catalog.count(*) FROM (SELECT FROM reeve.sso_attempt o
			WHERE o.provider_id = $2 AND o.kind = $4 AND o.at > $3::pg_catalog.timestamptz - interval '1 hour' LIMIT `+fmt.Sprint(maxAttemptsAnHour)+`) n) < `+fmt.Sprint(maxAttemptsAnHour)+`
			OR EXISTS (SELECT FROM reeve.sso_attempt o WHERE o.id = $1)
		ON CONFLICT (id) DO UPDATE SET outcome = excluded.outcome, reason = excluded.reason, user_id = excluded.user_id, detail = excluded.detail`,
		a.ID, a.Provider, a.At, a.Kind, a.Outcome, a.Reason, a.User, ip, string(detail))
}

const ssoAttemptColumns = `a.id, a.provider_id, a.at, a.kind, a.outcome, coalesce(a.reason, ''), a.user_id, coalesce(pg_catalog.host(a.ip), ''), a.detail`

func scanSSOAttempt(row pgx.Row) (a auth.SSOAttempt, err error) {
	var detail []byte
	if err = row.Scan(&a.ID, &a.Provider, &a.At, &a.Kind, &a.Outcome, &a.Reason, &a.User, &a.IP, &detail); err != nil {
		return a, err
	}
	if err = json.Unmarshal(detail, &a.Detail); err == nil && a.Detail.Steps == nil {
		a.Detail.Steps = []auth.AttemptStep{}
	}
	return a, err
}

// SSOAttempt returns an attempt; false if there is none.
func (tx *Tx) SSOAttempt(ctx context.Context, id uuid.UUID) (a auth.SSOAttempt, found bool, err error) {
	a, err = scanSSOAttempt(tx.q.QueryRow(ctx, `SELECT `+ssoAttemptColumns+` FROM reeve.sso_attempt a WHERE a.id = $1`, id))
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return a, false, nil
	case err != nil:
		return a, false, fmt.Errorf("read attempt: %w", err)
	}
	return a, true, nil
}

// SSOAttempts returns attempts of a connection before a time, the newest first.
func (tx *Tx) SSOAttempts(ctx context.Context, provider uuid.UUID, before time.Time, max int) ([]auth.SSOAttempt, error) {
	rows, err := tx.q.Query(ctx, `SELECT `+ssoAttemptColumns+` FROM reeve.sso_attempt a WHERE a.provider_id = $1 AND a.at < $2 ORDER BY a.at DESC LIMIT $3`,
		provider, before, max)
	if err != nil {
		return nil, fmt.Errorf("list attempts: %w", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (auth.SSOAttempt, error) { return scanSSOAttempt(row) })
	if err != nil {
		return nil, fmt.Errorf("list attempts: %w", err)
	}
	return list, nil
}
