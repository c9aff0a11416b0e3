package front

import (
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/reevehq/reeve/internal/manage"
	"github.com/reevehq/reeve/tenants"
)

// maxMails is how many mails of a project are shown: what the API lists at most.
const maxMails = 1000

// mail is a captured mail or text message.
type mail struct {
	manage.Message
	now time.Time
}

func (p *Pages) mails(captured []manage.Message) []mail {
	out := make([]mail, len(captured))
	for i, m := range captured {
		out[i] = mail{m, p.Now()}
	}
	return out
}

// Title is the subject of a mail, or the text of a text message.
func (m mail) Title() string {
	switch {
	case m.Mailed() && m.Subject == "":
		return "(no subject)"
	case m.Mailed():
		return m.Subject
	}
	return m.Text
}

// Mailed reports whether the message is a mail, and not a text message.
func (m mail) Mailed() bool { return m.Channel == "email" || m.Channel == "" }

// By names the way of a text message.
func (m mail) By() string {
	if m.Channel == "whatsapp" {
		return "WhatsApp"
	}
	return "SMS"
}

// Action is the mail's first link, if it leads to a web page: a template can
// hold any text.
func (m mail) Action() string {
	if len(m.Links) == 0 {
		return ""
	}
	u, err := url.Parse(m.Links[0])
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return ""
	}
	return u.String()
}

// Exact is when the mail was captured, in the time of this machine.
func (m mail) Exact() string { return m.CreatedAt.Local().Format("2006-01-02 15:04:05") }

// Age is the same in relation to the present.
func (m mail) Age() string {
	switch age := m.now.Sub(m.CreatedAt); {
	case age < time.Minute:
		return "just now"
	case age < time.Hour:
		return fmt.Sprintf("%d min ago", int(age.Minutes()))
	case age < 24*time.Hour:
		return fmt.Sprintf("%d h ago", int(age.Hours()))
	}
	return m.CreatedAt.Local().Format("2006-01-02 15:04")
}

// letterbox is the data of the pages of an inbox.
type letterbox struct {
	*Pages
	Ref   string
	Name  string // of the project
	Mails []mail
	Mail  mail
}

func (p *Pages) inbox(w http.ResponseWriter, r *http.Request) {
	if b, ok := p.letterbox(w, r); ok {
		inboxPage.Write(w, http.StatusOK, b)
	}
}

func (p *Pages) mail(w http.ResponseWriter, r *http.Request) {
	if b, ok := p.letterbox(w, r); ok && b.find(w, r) {
		mailPage.Write(w, http.StatusOK, b)
	}
}

// mailHTML is a mail as its recipient sees it, for the frame of its page. A
// project's template wrote it: it is sandboxed, in the frame and by itself,
// without scripts, forms and an origin, and loads nothing. Its links open
// another window.
func (p *Pages) mailHTML(w http.ResponseWriter, r *http.Request) {
	b, ok := p.letterbox(w, r)
	if !ok || !b.find(w, r) {
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", mailPolicy)
	h.Set("X-Frame-Options", "SAMEORIGIN")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	_, _ = fmt.Fprint(w, `<!DOCTYPE html><base target="_blank">`, b.Mail.HTML)
}

const mailPolicy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'; " +
	"sandbox allow-popups allow-popups-to-escape-sandbox"

// letterbox reads the inbox that a request is about; if it returns false, the
// request is answered.
func (p *Pages) letterbox(w http.ResponseWriter, r *http.Request) (letterbox, bool) {
	token, ok := p.visit(r)
	if !ok {
		p.showHome(w, r, http.StatusUnauthorized, view{Problem: "Captured messages are shown to people who are signed in."})
		return letterbox{}, false
	}
	ref, err := tenants.ParseRef(r.PathValue("ref"))
	if err != nil {
		p.nothing(w, r)
		return letterbox{}, false
	}
	c := p.client(token)
	found, err := c.Inbox(r.Context(), string(ref), maxMails)
	var owner manage.Project
	if err == nil {
		owner, err = c.Project(r.Context(), string(ref))
	}
	if refused(err, http.StatusUnauthorized) && p.resume(w, r, http.StatusUnauthorized) {
		return letterbox{}, false
	}
	if refused(err, http.StatusUnauthorized) {
		p.showHome(w, r, http.StatusUnauthorized, view{Problem: "The access token was revoked."})
		return letterbox{}, false
	}
	if err != nil {
		p.failed(w, err)
		return letterbox{}, false
	}
	return letterbox{Pages: p, Ref: string(ref), Name: owner.Name, Mails: p.mails(found)}, true
}

// find finds the mail that a request names.
func (b *letterbox) find(w http.ResponseWriter, r *http.Request) bool {
	for _, m := range b.Mails {
		if m.ID == r.PathValue("id") {
			b.Mail = m
			return true
		}
	}
	notice(w, http.StatusNotFound, "There is no such mail", "The inbox was emptied since.")
	return false
}
