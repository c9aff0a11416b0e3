package manage

import (
	"context"
	"strconv"
	"time"
)

// Message is a captured mail.
type Message struct {
	ID        string    `json:"id"`
	Channel   string    `json:"channel"` // email, sms or whatsapp
	To        string    `json:"to"`
	Subject   string    `json:"subject"`
	HTML      string    `json:"html"`
	Text      string    `json:"text"`
	Links     []string  `json:"links"` // the one that the mail is about comes first
	Code      string    `json:"code"`
	CreatedAt time.Time `json:"created_at"`
}

// Inbox lists the newest captured mails of a project.
func (c *Client) Inbox(ctx context.Context, ref string, limit int) (out []Message, err error) {
	return out, c.into(ctx, &out, InboxPath(ref, limit))
}

// InboxPath is the route of Inbox, for those who want the answer as it is.
func InboxPath(ref string, limit int) string {
	return Path("projects", ref, "inbox") + "?limit=" + strconv.Itoa(limit)
}
