package controldb

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/reevehq/reeve/tenants"
)

// AuditEntry is an entry of the control plane's audit log: who did what.
type AuditEntry struct {
	ID             uuid.UUID       `json:"id"`
	OrganizationID uuid.UUID       `json:"organization_id"` // uuid.Nil: it concerns no organization
	Ref            tenants.Ref     `json:"ref"`             // "" for none
	At             time.Time       `json:"at"`
	Actor          uuid.UUID       `json:"actor"`
	Token          uuid.UUID       `json:"token"`                   // the access token; uuid.Nil for a session
	Service        string          `json:"service_token,omitempty"` // name of the service token, which is actor and token
	Action         string          `json:"action"`                  // the operation's id
	Object         string          `json:"object"`                  // the request's path
	Result         AuditResult     `json:"result"`
	Code           string          `json:"code"` // of a refusal or failure
	IP             string          `json:"ip"`
	RequestID      string          `json:"request_id"`
	Detail         json.RawMessage `json:"detail"` // the request and, where known, what was before; no secrets
}

// AuditResult says what became of an action.
type AuditResult string

// The results.
const (
	AuditDone    AuditResult = "done"
	AuditRefused AuditResult = "refused"
	AuditFailed  AuditResult = "failed"
	AuditUnknown AuditResult = "unknown" // the process ended meanwhile
)

type auditRow struct {
	OrganizationID uuid.UUID `gorm:"primaryKey"`
	Seq            int64     `gorm:"primaryKey"`
	ID             uuid.UUID
	At             time.Time
	Entry          string
	Hash           []byte
}

func (auditRow) TableName() string { return "audit_log" }

type auditHeadRow struct {
	OrganizationID uuid.UUID `gorm:"primaryKey"`
	Seq            int64
	Hash           []byte
	Seal           []byte
}

func (auditHeadRow) TableName() string { return "audit_heads" }

type auditBegunRow struct {
	ID             uuid.UUID `gorm:"primaryKey"`
	OrganizationID uuid.UUID
	At             time.Time
	Entry          string
}

func (auditBegunRow) TableName() string { return "audit_begun" }

// BeginAudit notes that an action begins, before it does anything.
func (db *DB) BeginAudit(ctx context.Context, e AuditEntry) error {
	raw, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("encode audit entry: %w", err)
	}
	return Fault(db.with(ctx).Create(&auditBegunRow{ID: e.ID, OrganizationID: e.OrganizationID, At: e.At, Entry: string(raw)}).Error)
}

// EndAudit appends an entry to its organization's chain, in place of the one that
// began it.
func (db *DB) EndAudit(ctx context.Context, e AuditEntry) error {
	return db.Tx(ctx, func(tx *Tx) error { return tx.endAudit(ctx, db, e) })
}

// DropAudit forgets an action that concerns nobody's log.
func (db *DB) DropAudit(ctx context.Context, id uuid.UUID) error {
	return Fault(db.with(ctx).Where("id = ?", id).Delete(&auditBegunRow{}).Error)
}

func (tx *Tx) endAudit(ctx context.Context, db *DB, e AuditEntry) error {
	if err := tx.with(ctx).Where("id = ?", e.ID).Delete(&auditBegunRow{}).Error; err != nil {
		return Fault(err)
	}
	e.At = e.At.UTC().Truncate(time.Microsecond)
	raw, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("encode audit entry: %w", err)
	}
	if err := tx.with(ctx).Exec("SELECT pg_advisory_xact_lock(hashtextextended('audit of ' || ?::text, 0))", e.OrganizationID).Error; err != nil {
		return Fault(err)
	}
	var head auditHeadRow
	err = tx.with(ctx).Where("organization_id = ?", e.OrganizationID).Take(&head).Error
	if err != nil && !errors.Is(err, gorm.ErrRecordNotFound) {
		return Fault(err)
	}
	row := auditRow{OrganizationID: e.OrganizationID, Seq: head.Seq + 1, ID: e.ID, At: e.At, Entry: string(raw)}
	row.Hash = db.auditHash(head.Hash, row)
	if err := tx.with(ctx).Create(&row).Error; err != nil {
		return Fault(err)
	}
	seal := db.auditSeal(e.OrganizationID, row.Seq, row.Hash)
	if head.Seq > 0 && !db.auditSealed(head) {
		seal = head.Seal // a mark that was changed stays wrong, so that new entries do not cover it up
	}
	// Not gorm's Save, which takes the id of no organization for no id.
	return Fault(tx.with(ctx).Exec(`INSERT INTO audit_heads (organization_id, seq, hash, seal) VALUES (?, ?, ?, ?)
		ON CONFLICT (organization_id) DO UPDATE SET seq = EXCLUDED.seq, hash = EXCLUDED.hash, seal = EXCLUDED.seal`,
		e.OrganizationID, row.Seq, row.Hash, seal).Error)
}

// auditHash is the HMAC of an entry and of the hash before it.
func (db *DB) auditHash(before []byte, r auditRow) []byte {
	h := db.Hasher().Hash("audit entry\x00" + r.OrganizationID.String() + "\x00" + strconv.FormatInt(r.Seq, 10) + "\x00" + string(before) + "\x00" + r.Entry)
	return h[:]
}

func (db *DB) auditSeal(organization uuid.UUID, seq int64, hash []byte) []byte {
	h := db.Hasher().Hash("audit head\x00" + organization.String() + "\x00" + strconv.FormatInt(seq, 10) + "\x00" + string(hash))
	return h[:]
}

func (db *DB) auditSealed(head auditHeadRow) bool {
	return bytes.Equal(head.Seal, db.auditSeal(head.OrganizationID, head.Seq, head.Hash))
}

// EndLostAudits appends the actions that began before a time and never ended,
// as AuditUnknown.
func (db *DB) EndLostAudits(ctx context.Context, before time.Time, most int) error {
	var rows []auditBegunRow
	if err := db.with(ctx).Where("at < ?", before).Order("at").Limit(most).Find(&rows).Error; err != nil {
		return Fault(err)
	}
	for _, row := range rows {
		var e AuditEntry
		if err := json.Unmarshal([]byte(row.Entry), &e); err != nil {
			return fmt.Errorf("decode audit entry %s: %w", row.ID, err)
		}
		e.Result = AuditUnknown
		err := db.locate(ctx, &e)
		if err != nil {
			return err
		}
		err = db.Tx(ctx, func(tx *Tx) error {
			var still []uuid.UUID // none if another process has appended it
			err := tx.with(ctx).Raw("SELECT id FROM audit_begun WHERE id = ? FOR UPDATE", row.ID).Scan(&still).Error
			if err != nil || len(still) == 0 {
				return Fault(err)
			}
			return tx.endAudit(ctx, db, e)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// locate fills in what an entry concerns, which was not known when the action
// began, from the request's path. The log of an organization is not for what
// strangers ask for.
func (db *DB) locate(ctx context.Context, e *AuditEntry) error {
	if e.OrganizationID != uuid.Nil {
		return nil
	}
	var found struct {
		OrganizationID uuid.UUID
		Ref            tenants.Ref
	}
	parts := append(strings.Split(e.Object, "/"), "", "", "", "") // "", version, kind, name
	err := db.with(ctx).Raw(`SELECT * FROM (
			SELECT id AS organization_id, '' AS ref FROM organizations WHERE @kind = 'organizations' AND slug = @name
			UNION ALL SELECT organization_id, ref FROM projects WHERE @kind = 'projects' AND ref = @name) o
		WHERE EXISTS (SELECT FROM members m WHERE m.organization_id = o.organization_id AND m.user_id = @user)
		   OR EXISTS (SELECT FROM service_tokens t WHERE t.organization_id = o.organization_id AND t.id = @user)
		   OR EXISTS (SELECT FROM project_members m JOIN projects p USING (ref)
		               WHERE m.user_id = @user AND p.organization_id = o.organization_id AND o.ref IN ('', p.ref))`,
		map[string]any{"kind": parts[2], "name": parts[3], "user": e.Actor}).Scan(&found).Error
	e.OrganizationID = found.OrganizationID
	if found.Ref != "" {
		e.Ref = found.Ref
	}
	return Fault(err)
}

// AuditFilter selects entries; zero fields select all.
type AuditFilter struct {
	Ref      tenants.Ref
	Actor    uuid.UUID
	Action   string
	Result   AuditResult
	From, To time.Time
	Text     string // in the entry, in any case
	Before   int64  // only entries with a lower number; 0 for the newest
	Limit    int
}

// NumberedAuditEntry is an entry with its number in the organization's chain,
// which counts from 1.
type NumberedAuditEntry struct {
	Seq int64
	AuditEntry
}

// AuditLog lists entries of an organization, the newest first.
func (r reader) AuditLog(ctx context.Context, organization uuid.UUID, f AuditFilter) ([]NumberedAuditEntry, error) {
	q := r.with(ctx).Where("organization_id = ?", organization)
	for _, member := range []struct{ name, value string }{
		{"ref", string(f.Ref)}, {"action", f.Action}, {"result", string(f.Result)}, {"actor", optionalID(f.Actor)},
	} {
		if member.value != "" {
			q = q.Where("entry::jsonb ->> ? = ?", member.name, member.value)
		}
	}
	if !f.From.IsZero() {
		q = q.Where("at >= ?", f.From)
	}
	if !f.To.IsZero() {
		q = q.Where("at < ?", f.To)
	}
	if f.Text != "" {
		q = q.Where("strpos(lower(entry), lower(?)) > 0", f.Text)
	}
	if f.Before > 0 {
		q = q.Where("seq < ?", f.Before)
	}
	var rows []auditRow
	if err := q.Order("seq DESC").Limit(f.Limit).Find(&rows).Error; err != nil {
		return nil, Fault(err)
	}
	out := make([]NumberedAuditEntry, len(rows))
	for i, row := range rows {
		out[i].Seq = row.Seq
		if err := json.Unmarshal([]byte(row.Entry), &out[i].AuditEntry); err != nil {
			return nil, fmt.Errorf("decode audit entry %s: %w", row.ID, err)
		}
	}
	return out, nil
}

func optionalID(id uuid.UUID) string {
	if id == uuid.Nil {
		return ""
	}
	return id.String()
}

// AuditVerdict is what a check of a chain found.
type AuditVerdict struct {
	Entries int64
	// Broken is the number of the first entry that is not what was written, or
	// is missing; 0 when the chain is whole.
	Broken int64
	Reason string
}

// auditBatch is how many entries are read at a time.
const auditBatch = 1000

// VerifyAudit checks an organization's chain from its first entry to its head.
func (db *DB) VerifyAudit(ctx context.Context, organization uuid.UUID) (v AuditVerdict, err error) {
	var head auditHeadRow
	err = db.with(ctx).Where("organization_id = ?", organization).Take(&head).Error
	if err != nil && !errors.Is(err, gorm.ErrRecordNotFound) {
		return v, Fault(err)
	}
	var before []byte
	for {
		var rows []auditRow
		err := db.with(ctx).Where("organization_id = ? AND seq > ?", organization, v.Entries).Order("seq").Limit(auditBatch).Find(&rows).Error
		if err != nil {
			return v, Fault(err)
		}
		for _, row := range rows {
			if why := db.checkAudit(v.Entries+1, before, row); why != "" {
				v.Broken, v.Reason = v.Entries+1, why
				return v, nil
			}
			if head.Seq > 0 && row.Seq > head.Seq {
				break // appended since the head was read
			}
			v.Entries, before = row.Seq, row.Hash
			if row.Seq == head.Seq && !bytes.Equal(row.Hash, head.Hash) {
				v.Broken, v.Reason = row.Seq, "the last entry is not the one that was written"
				return v, nil
			}
		}
		if len(rows) < auditBatch || head.Seq > 0 && v.Entries == head.Seq {
			break
		}
	}
	switch {
	case v.Entries < head.Seq:
		v.Broken, v.Reason = v.Entries+1, "entries at the end are missing"
	case head.Seq > 0 && !db.auditSealed(head):
		v.Broken, v.Reason = head.Seq, "the mark of the last entry was changed"
	case head.Seq == 0 && v.Entries > 0:
		v.Broken, v.Reason = v.Entries, "the mark of the last entry is missing"
	}
	return v, nil
}

// checkAudit says what is wrong with the entry that should have this number; ""
// for nothing.
func (db *DB) checkAudit(number int64, before []byte, row auditRow) string {
	var e AuditEntry
	switch {
	case row.Seq != number:
		return "entries are missing"
	case !bytes.Equal(row.Hash, db.auditHash(before, row)):
		return "the entry is not what was written"
	case json.Unmarshal([]byte(row.Entry), &e) != nil || e.ID != row.ID || !e.At.Equal(row.At) || e.OrganizationID != row.OrganizationID:
		return "the entry's columns are not what was written"
	}
	return ""
}
