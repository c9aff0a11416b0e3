package controldb

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm/clause"

	"github.com/reevehq/reeve/internal/message"
	"github.com/reevehq/reeve/tenants"
)

// inboxSize is how many captured messages are kept per project.
const inboxSize = 1000

type inboxRow struct {
	ID        uuid.UUID `gorm:"primaryKey"`
	Seq       int64     `gorm:"->"`
	Ref       string
	Channel   string
	Recipient string
	Subject   string
	HTML      string `gorm:"column:html"`
	Body      string
	Links     string
	Code      string
	CreatedAt time.Time
}

func (inboxRow) TableName() string { return "inbox_messages" }

// SaveMessage captures a message in a project's inbox. A message with a known
// id is not captured again. The newest thousand are kept.
func (db *DB) SaveMessage(ctx context.Context, ref tenants.Ref, m message.Message) error {
	links := m.Links
	if links == nil {
		links = []string{}
	}
	raw, err := json.Marshal(links)
	if err != nil {
		return fmt.Errorf("encode links: %w", err)
	}
	row := inboxRow{
		ID: m.ID, Ref: string(ref), Channel: string(m.Channel), Recipient: m.To, Subject: m.Subject,
		HTML: m.HTML, Body: m.Text, Links: string(raw), Code: m.Code, CreatedAt: m.CreatedAt,
	}
	if row.CreatedAt.IsZero() {
		row.CreatedAt = db.now()
	}
	return db.Tx(ctx, func(tx *Tx) error {
		if err := tx.with(ctx).Clauses(clause.OnConflict{DoNothing: true}).Create(&row).Error; err != nil {
			return fmt.Errorf("capture message: %w", Fault(err))
		}
		return Fault(tx.with(ctx).Exec(`DELETE FROM inbox_messages WHERE ref = ? AND seq <=
			(SELECT seq FROM inbox_messages WHERE ref = ? ORDER BY seq DESC OFFSET ? LIMIT 1)`,
			string(ref), string(ref), inboxSize).Error)
	})
}

// InboxMessages lists up to limit captured messages of a project, the newest
// first.
func (r reader) InboxMessages(ctx context.Context, ref tenants.Ref, limit int) ([]message.Message, error) {
	var rows []inboxRow
	err := r.with(ctx).Where("ref = ?", string(ref)).Order("seq DESC").Limit(limit).Find(&rows).Error
	if err != nil {
		return nil, Fault(err)
	}
	out := make([]message.Message, len(rows))
	for i, row := range rows {
		out[i] = message.Message{
			ID: row.ID, Channel: message.Channel(row.Channel), To: row.Recipient, Subject: row.Subject,
			HTML: row.HTML, Text: row.Body, Code: row.Code, CreatedAt: row.CreatedAt,
		}
		if err := json.Unmarshal([]byte(row.Links), &out[i].Links); err != nil {
			return nil, fmt.Errorf("decode links of message %s: %w", row.ID, err)
		}
	}
	return out, nil
}

// EmptyInbox deletes a project's captured messages and returns how many there
// were.
func (tx *Tx) EmptyInbox(ctx context.Context, ref tenants.Ref) (int64, error) {
	res := tx.with(ctx).Where("ref = ?", string(ref)).Delete(&inboxRow{})
	return res.RowsAffected, Fault(res.Error)
}
