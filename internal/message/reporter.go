package message

import (
	"context"
	"encoding/json"
	"errors"
	"net/textproto"
	"net/url"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/reevehq/reeve/internal/outbox"
	"github.com/reevehq/reeve/internal/projectlog"
	"github.com/reevehq/reeve/tenants"
)

// ErrNoServer is the error of a project whose mails no server takes.
var ErrNoServer = errors.New("no mail server: set mail.smtp_url, or the project's smtp_host")

const (
	// A mail server that does not work is reported once in this time, although
	// every turn tries it.
	repeatAfter = 10 * time.Minute
	// maxFailing is the number of projects whose failing servers are remembered.
	maxFailing = 10_000
)

// Reporter is an outbox.Observer that writes to the projects' logs why mails are
// not delivered.
type Reporter struct {
	log *projectlog.Log
	own func(ref tenants.Ref) bool
	now func() time.Time
	// failing has the projects whose server does not work, and when that was
	// reported.
	failing *lru.Cache[tenants.Ref, time.Time]
}

// NewReporter returns a Reporter. own reports whether a project has a mail server
// of its own: nothing about the operator's is shown but its replies to a mail.
func NewReporter(log *projectlog.Log, own func(ref tenants.Ref) bool) *Reporter {
	r := &Reporter{log: log, own: own, now: time.Now}
	r.failing, _ = lru.New[tenants.Ref, time.Time](maxFailing) // fails only for a size below one
	return r
}

// Delivered implements outbox.Observer.
func (r *Reporter) Delivered(ref tenants.Ref) {
	if r.failing.Remove(ref) {
		r.log.Add(context.Background(), projectlog.Entry{
			Project: string(ref), Level: projectlog.Info, Code: "mail_server_works", Message: "The mail server takes mails again.",
		})
	}
}

// Failed implements outbox.Observer.
func (r *Reporter) Failed(ref tenants.Ref, f outbox.Failure) {
	e := r.entry(ref, f)
	if f.Untried > 0 || outbox.Unreachable(f.Err) && !f.GivenUp {
		if at, ok := r.failing.Get(ref); ok && r.now().Sub(at) < repeatAfter {
			return
		}
		r.failing.Add(ref, r.now())
	}
	r.log.Add(context.Background(), e)
}

func (r *Reporter) entry(ref tenants.Ref, f outbox.Failure) projectlog.Entry {
	var m Message
	_ = json.Unmarshal(f.Row.Payload, &m) // an undecodable one is reported without its recipient
	e := projectlog.Entry{
		Project: string(ref), Level: projectlog.Error, RequestID: m.RequestID, UserID: m.UserID,
		Detail: map[string]any{"recipient": m.To, "template": string(m.Kind), "attempts": f.Row.Attempts + 1}, Secrets: m.secrets(),
	}
	var reply *textproto.Error
	switch {
	case errors.As(f.Err, &reply):
		e.Detail["smtp_code"], e.Detail["smtp_text"] = reply.Code, reply.Msg
	case outbox.Permanent(f.Err), r.own(ref):
		e.Detail["error"] = f.Err.Error()
	}
	switch {
	case errors.Is(f.Err, ErrNoServer) && !f.GivenUp:
		e.Code, e.Message = "mail_server_missing", "Mails wait, because neither the project nor this installation has a mail server. Set smtp_host and the other smtp_ settings."
		e.Detail = map[string]any{"waiting": f.Untried}
	case outbox.Permanent(f.Err):
		e.Code, e.Message = "mail_refused", "The mail server refused a mail for good; it is not tried again."
	case f.GivenUp:
		e.Code, e.Message = "mail_given_up", "A mail could not be delivered for too long; it is not tried again."
	case outbox.Unreachable(f.Err):
		e.Code, e.Message = "mail_server_failed", "The mail server cannot be reached, or refuses the connection or the login; mails wait and are tried again."
	default:
		e.Level, e.Code, e.Message = projectlog.Warning, "mail_deferred", "The mail server does not take a mail for now; it is tried again."
	}
	return e
}

// secrets are the values in the message that sign its recipient in: a server may
// quote them in its reply.
func (m Message) secrets() []string {
	out := []string{m.Code}
	for _, link := range m.Links {
		out = append(out, link)
		if u, err := url.Parse(link); err == nil {
			for _, name := range []string{"token", "token_hash"} {
				out = append(out, u.Query().Get(name))
			}
		}
	}
	return out
}
