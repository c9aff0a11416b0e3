package tenantdb

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/internal/auth"
)

// recentAudit is the number of newest entries of the audit log that are searched for
// those of a user while no index finds them.
const recentAudit = 50_000

// maxAuditPayload bounds the payload of an entry in a user's history, in bytes. The
// developer's SQL may write entries too.
const maxAuditPayload = 8 << 10

// AuditOfUserQuery selects entries about a user.
type AuditOfUserQuery struct {
	User uuid.UUID
	// Until selects entries before a time; zero for no bound. With After, entries at
	// that time whose id is greater are selected too.
	Until time.Time
	After *uuid.UUID
	Limit int
}

// AuditIndexed reports whether an index finds the entries of a user, and whether one
// is needed.
func (tx *Tx) AuditIndexed(ctx context.Context) (indexed, needed bool, err error) {
	var entries float64
	err = tx.q.QueryRow(ctx, `SELECT greatest(c.reltuples, 0)::pg_catalog.float8, EXISTS (SELECT FROM pg_catalog.pg_index x
			JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid WHERE x.indrelid = c.oid AND x.indisvalid AND i.relname = $1)
		FROM pg_catalog.pg_class c WHERE c.oid = 'auth.audit_log_entries'::pg_catalog.regclass`, IndexAuditUser).Scan(&entries, &indexed)
	if err != nil {
		return false, false, fmt.Errorf("read indexes of the audit log: %w", err)
	}
	return indexed, entries > recentAudit, nil
}

// AuditOfUser returns the newest of the selected entries that a user caused or that are
// about them, the newest first. Without an index only the newest entries of the log
// are searched.
func (tx *Tx) AuditOfUser(ctx context.Context, q AuditOfUserQuery, indexed bool) ([]AuditEntry, error) {
	from := `auth.audit_log_entries`
	if !indexed {
		from = fmt.Sprintf(`(SELECT * FROM auth.audit_log_entries ORDER BY created_at DESC LIMIT %d)`, recentAudit)
	}
	c := &conditions{}
	c.add(AuditUserExpression+` = ?::pg_catalog.text`, q.User.String())
	c.add(`e.created_at IS NOT NULL`)
	switch {
	case q.Until.IsZero():
	case q.After != nil:
		c.add(`e.created_at <= ? AND (e.created_at < ? OR e.id > ?)`, q.Until, q.Until, *q.After)
	default:
		c.add(`e.created_at < ?`, q.Until)
	}
	rows, err := tx.q.Query(ctx, `SELECT e.id, CASE WHEN pg_catalog.octet_length(e.payload::pg_catalog.text) <= `+fmt.Sprint(maxAuditPayload)+
		` THEN e.payload ELSE 'null' END, e.created_at, e.ip_address FROM `+from+` e WHERE `+c.where()+
		c.bind(` ORDER BY e.created_at DESC, e.id LIMIT ?`, q.Limit), append([]any{unnamed}, c.args...)...)
	if err != nil {
		return nil, fmt.Errorf("read audit log of a user: %w", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (AuditEntry, error) {
		var e AuditEntry
		err := row.Scan(&e.ID, (*[]byte)(&e.Payload), momentOrEpoch{&e.CreatedAt}, &e.IPAddress)
		return e, err
	})
	if err != nil {
		return nil, fmt.Errorf("read audit log of a user: %w", err)
	}
	return list, nil
}

// TokensOf returns the one-time tokens of a user that were sent and not used, the
// newest first, without their hashes.
func (tx *Tx) TokensOf(ctx context.Context, user uuid.UUID) ([]auth.OneTimeToken, error) {
	rows, err := tx.q.Query(ctx, `SELECT t.id, t.token_type::pg_catalog.text, t.relates_to, t.created_at FROM auth.one_time_tokens t
		WHERE t.user_id = $1 ORDER BY t.created_at DESC, t.id`, user) // one a type
	if err != nil {
		return nil, fmt.Errorf("read one-time tokens: %w", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (t auth.OneTimeToken, err error) {
		var kind string
		err = row.Scan(&t.ID, &kind, &t.RelatesTo, momentOrEpoch{&t.CreatedAt})
		t.Type = auth.TokenType(kind)
		return t, err
	})
	if err != nil {
		return nil, fmt.Errorf("read one-time tokens: %w", err)
	}
	return list, nil
}
