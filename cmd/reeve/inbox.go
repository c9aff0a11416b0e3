package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/reevehq/reeve/internal/manage"
)

type inboxCommand struct {
	List  inboxList  `cmd:"" help:"List the captured messages, the newest first."`
	Show  inboxShow  `cmd:"" help:"Show a message with its text, code and links."`
	Open  inboxOpen  `cmd:"" help:"Print the link of a message; at a terminal, also open it in a browser."`
	Clear inboxClear `cmd:"" help:"Delete them."`
}

type (
	inboxList struct {
		ofProject
		Limit messageLimit `default:"100" placeholder:"N" help:"How many at most, up to 1000 (${default})."`
	}
	inboxShow struct {
		ofProject
		ID string `arg:"" help:"Its id."`
	}
	inboxOpen struct {
		ofProject
		ID string `arg:"" help:"Its id."`
	}
	inboxClear struct {
		ofProject
	}
)

// maxMessages is how many messages the server lists at most.
const maxMessages = 1000

// messageLimit is how many messages are listed.
type messageLimit int

// UnmarshalText reads a flag.
func (l *messageLimit) UnmarshalText(text []byte) error {
	n, err := strconv.Atoi(string(text))
	if err != nil || n < 1 || n > maxMessages {
		return fmt.Errorf("must be a number from 1 to %d", maxMessages)
	}
	*l = messageLimit(n)
	return nil
}

// Run lists.
func (i *inboxList) Run(ctx context.Context, p program, r *remote) error {
	answer, err := i.inbox(ctx, p, r, int(i.Limit))
	if err != nil {
		return err
	}
	return r.print(p, answer, column{"ID", "id"}, column{"AT", "created_at"}, column{"TO", "to"}, column{"BY", "channel"}, column{"SUBJECT", "subject"},
		column{"CODE", "code"}, column{"LINK", "links"})
}

// Run shows.
func (i *inboxShow) Run(ctx context.Context, p program, r *remote) error {
	m, err := i.message(ctx, p, r, i.ID)
	if err != nil {
		return err
	}
	if r.Output == "json" {
		return printJSON(p.out, m.object)
	}
	return m.print(p)
}

// Run prints the message's first link, the action link, and opens it.
func (i *inboxOpen) Run(ctx context.Context, p program, r *remote) error {
	m, err := i.message(ctx, p, r, i.ID)
	if err != nil {
		return err
	}
	link, err := m.link()
	if err != nil {
		return err
	}
	if r.Output == "json" {
		return show(p, map[string]string{"link": link})
	}
	if _, err := fmt.Fprintln(p.out, link); err != nil || p.browse == nil {
		return err
	}
	if err := p.browse(link); err != nil {
		return fmt.Errorf("open a browser: %w", err)
	}
	return nil
}

// Run empties.
func (i *inboxClear) Run(ctx context.Context, p program, r *remote) error {
	c, ref, err := r.project(ctx, p, i.Project)
	if err != nil {
		return err
	}
	answer, err := c.Delete(ctx, manage.Path("projects", ref, "inbox"))
	if err != nil {
		return err
	}
	return r.print(p, answer, column{"DELETED", "deleted"})
}

// inbox asks for the newest messages of the project.
func (o ofProject) inbox(ctx context.Context, p program, r *remote, limit int) (json.RawMessage, error) {
	c, ref, err := r.project(ctx, p, o.Project)
	if err != nil {
		return nil, err
	}
	return c.Get(ctx, manage.InboxPath(ref, limit))
}

// captured is a captured message.
type captured struct {
	ID        string   `json:"id"`
	To        string   `json:"to"`
	Channel   string   `json:"channel"`
	Subject   string   `json:"subject"`
	Text      string   `json:"text"`
	Links     []string `json:"links"`
	Code      string   `json:"code"`
	CreatedAt string   `json:"created_at"`

	object json.RawMessage // the whole, as the server sent it
}

// message finds a message among the newest ones: the API has no route for a
// single one.
func (o ofProject) message(ctx context.Context, p program, r *remote, id string) (captured, error) {
	answer, err := o.inbox(ctx, p, r, maxMessages)
	if err != nil {
		return captured{}, err
	}
	var objects []json.RawMessage
	if err := json.Unmarshal(answer, &objects); err != nil {
		return captured{}, fmt.Errorf("read the answer: %w", err)
	}
	for _, object := range objects {
		m := captured{object: object}
		if err := json.Unmarshal(object, &m); err != nil {
			return captured{}, fmt.Errorf("read a message: %w", err)
		}
		if m.ID == id {
			return m, nil
		}
	}
	return captured{}, errors.New("no such message: `reeve inbox list` shows the ids")
}

// print prints what the recipient sees, without control characters: text of
// others must not control the terminal.
func (m captured) print(p program) error {
	var b strings.Builder
	line := func(title, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%-10s%s\n", title, printable(value))
		}
	}
	line("At", m.CreatedAt)
	line("To", m.To)
	line("By", m.Channel)
	line("Subject", m.Subject)
	line("Code", m.Code)
	for _, link := range m.Links {
		line("Link", link)
	}
	if m.Text != "" {
		b.WriteByte('\n')
		for l := range strings.Lines(m.Text) {
			b.WriteString(strings.TrimRight(printable(l), " ") + "\n")
		}
	}
	_, err := fmt.Fprint(p.out, b.String())
	return err
}

// link returns the first link. A template can hold any text, so only web
// addresses are passed to a browser.
func (m captured) link() (string, error) {
	if len(m.Links) == 0 {
		return "", errors.New("the message has no link")
	}
	u, err := url.Parse(m.Links[0])
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", errors.New("the first link of the message is not an http or https URL; `reeve inbox show` prints it")
	}
	return u.String(), nil
}
