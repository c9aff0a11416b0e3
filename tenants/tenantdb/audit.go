package tenantdb

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/internal/auth"
)

// AuditEntry is one row of auth.audit_log_entries.
type AuditEntry struct {
	ID        uuid.UUID       `json:"id"`
	Payload   json.RawMessage `json:"payload"`
	CreatedAt time.Time       `json:"created_at"`
	IPAddress string          `json:"ip_address"`
}

// Audit is an event for the audit log, in the reference's form.
type Audit struct {
	Action        auth.Action    `json:"action"`
	ActorID       string         `json:"actor_id"`
	ActorUsername string         `json:"actor_username"`
	ActorName     string         `json:"actor_name,omitempty"`
	ActorViaSSO   bool           `json:"actor_via_sso"`
	LogType       auth.LogType   `json:"log_type"`
	Traits        map[string]any `json:"traits,omitempty"`
}

// Audit writes an entry in the transaction of the event, and returns its id.
// The log type follows from the action.
func (tx *Tx) Audit(ctx context.Context, a Audit, now time.Time, ip string) (uuid.UUID, error) {
	id := uuid.New()
	payload, err := a.payload()
	if err != nil {
		return id, err
	}
	return id, tx.q.Later(ctx, "audit "+string(a.Action), `INSERT INTO auth.audit_log_entries (instance_id, id, payload, created_at, ip_address)
		VALUES ('00000000-0000-0000-0000-000000000000', $1, $2, $3, $4)`, id, payload, now, ip)
}

func (a Audit) payload() (string, error) {
	a.LogType = a.Action.LogType()
	raw, err := json.Marshal(a)
	if err != nil {
		return "", fmt.Errorf("encode audit entry: %w", err)
	}
	return string(raw), nil
}

// DeleteAudit removes an entry that this transaction wrote for an event that
// did not take place after all.
func (tx *Tx) DeleteAudit(ctx context.Context, id uuid.UUID) error {
	if _, err := tx.q.Exec(ctx, `DELETE FROM auth.audit_log_entries WHERE id = $1`, id); err != nil {
		return fmt.Errorf("delete audit entry: %w", err)
	}
	return nil
}

// AuditPage selects one page of the audit log.
type AuditPage struct {
	Page        int // from 1
	PerPage     int
	Column      string // author, action or type; "" = no filter
	Value       string // text that the column must contain
	OldestFirst bool   // else newest first
}

// auditColumns are the conditions for the columns of AuditPage; $3 is the
// pattern.
var auditColumns = map[string]string{
	"author": `(e.payload->>'actor_username' ILIKE $3 OR e.payload->>'actor_name' ILIKE $3)`,
	"action": `e.payload->>'action' ILIKE $3`,
	"type":   `e.payload->>'log_type' ILIKE $3`,
}

// AuditEntries returns one page, in the order of creation, and the number of
// all matching entries.
func (tx *Tx) AuditEntries(ctx context.Context, p AuditPage) ([]AuditEntry, int64, error) {
	where, args := `true`, []any{p.PerPage, (p.Page - 1) * p.PerPage}
	if searched, ok := auditColumns[p.Column]; ok && p.Value != "" {
		where = searched
		args = append(args, "%"+likeEscaper.Replace(p.Value)+"%")
	}
	var total int64
	if err := tx.q.QueryRow(ctx, `SELECT pg_catalog.count(*) FROM auth.audit_log_entries e WHERE `+strings.ReplaceAll(where, "$3", "$1"),
		args[2:]...).Scan(&total); err != nil {
		return nil, 0, fmt.Errorf("count audit entries: %w", err)
	}
	order := `e.created_at DESC NULLS LAST, e.id`
	if p.OldestFirst {
		order = `e.created_at NULLS FIRST, e.id DESC`
	}
	rows, err := tx.q.Query(ctx, `SELECT e.id, coalesce(e.payload, 'null'), e.created_at, e.ip_address FROM auth.audit_log_entries e WHERE `+where+
		` ORDER BY `+order+` LIMIT $1 OFFSET $2`, args...)
	if err != nil {
		return nil, 0, fmt.Errorf("list audit entries: %w", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (AuditEntry, error) {
		var e AuditEntry
		err := row.Scan(&e.ID, (*[]byte)(&e.Payload), momentOrEpoch{&e.CreatedAt}, &e.IPAddress)
		return e, err
	})
	if err != nil {
		return nil, 0, fmt.Errorf("list audit entries: %w", err)
	}
	return list, total, nil
}

// recentScanned bounds the entries that RecentAudit reads.
const recentScanned = 1000

// RecentAudit returns the newest entries, the newest first, without refreshes of
// sessions, which hide everything else. It reads a bounded part of an index.
func (tx *Tx) RecentAudit(ctx context.Context, limit int) ([]AuditEntry, error) {
	rows, err := tx.q.Query(ctx, `SELECT e.id, CASE WHEN pg_catalog.octet_length(e.payload::pg_catalog.text) <= $3 THEN e.payload END, e.created_at, e.ip_address
		FROM (SELECT * FROM auth.audit_log_entries WHERE created_at IS NOT NULL ORDER BY created_at DESC LIMIT $2) e
		WHERE coalesce(e.payload ->> 'action', '') NOT IN ('token_refreshed', 'token_revoked')
		ORDER BY e.created_at DESC, e.id LIMIT $1`, limit, recentScanned, maxAuditPayload)
	if err != nil {
		return nil, fmt.Errorf("list recent audit entries: %w", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (AuditEntry, error) {
		var e AuditEntry
		err := row.Scan(&e.ID, (*[]byte)(&e.Payload), momentOrEpoch{&e.CreatedAt}, &e.IPAddress)
		return e, err
	})
	if err != nil {
		return nil, fmt.Errorf("list recent audit entries: %w", err)
	}
	return list, nil
}
