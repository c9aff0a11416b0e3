package authconfig_test

import (
	"encoding/json"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"github.com/reevehq/reeve/internal/control/authconfig"
	"github.com/reevehq/reeve/internal/control/controltest"
)

func TestTemplatePreview(t *testing.T) {
	t.Parallel()
	w, ref, path := newWorld(t)
	w.Do(t, w.Developer, "PATCH", path, `{"mailer_subjects_recovery":"Saved for {{ .Data.name }}","site_url":"https://shop.example.com"}`).Want(t, 200)
	preview := func(kind, body string) (out authconfig.MailPreview) {
		t.Helper()
		w.Do(t, w.ReadOnly, "POST", path+"/templates/"+kind+"/preview", body).Want(t, 200).Into(t, &out)
		return out
	}
	got := preview("recovery", `{"content":"<p>Hi {{ .Data.name }}: <a href=\"{{ .ConfirmationURL }}\">reset</a></p>","data":{"name":"<b>Ann</b>"}}`)
	if got.Subject != "Saved for <b>Ann</b>" || !strings.Contains(got.HTML, "Hi &lt;b&gt;Ann&lt;/b&gt;") || len(got.Errors) != 0 ||
		!strings.Contains(got.Text, string(ref)+".example.com/auth/v1/verify?token=") {
		t.Errorf("%+v", got)
	}
	if got = preview("recovery", `{"subject":""}`); !strings.Contains(got.Subject, "Reset your Shop password") || !strings.Contains(got.HTML, "Shop") {
		t.Errorf("%+v", got)
	}
	got = preview("invite", `{"subject":"{{ .Nothing }}","content":"<p>\n{{ if }}</p>"}`)
	if len(got.Errors) != 2 || got.Errors[0] != (authconfig.TemplateError{Part: "subject", Line: 1, Column: 4, Message: "there is no variable .Nothing"}) ||
		got.Errors[1].Line != 2 || got.Errors[1].Column != 1 || got.Errors[1].Part != "content" || got.Subject == "" {
		t.Errorf("%+v", got)
	}
	for _, body := range []string{`{"subject":5}`, `{"subject":"` + strings.Repeat("x", 999) + `"}`, `{"content":"` + strings.Repeat("x", 65537) + `"}`, `{"data":[]}`, `{"other":1}`, `[]`} {
		w.Do(t, w.Owner, "POST", path+"/templates/invite/preview", body).Refused(t, 400, "validation_failed", "")
	}
	w.Do(t, w.Owner, "POST", path+"/templates/team_invite/preview", `{}`).Refused(t, 400, "validation_failed", "kind")
	w.Do(t, w.Stranger, "POST", path+"/templates/invite/preview", `{}`).Refused(t, 404, "project_not_found", "")
}

// TestBuiltinMail: a project can begin its own mail with the built-in one.
func TestBuiltinMail(t *testing.T) {
	t.Parallel()
	w, ref, path := newWorld(t)
	var got authconfig.BuiltinMail
	w.Do(t, w.ReadOnly, "GET", path+"/templates/recovery", "").Want(t, 200).Into(t, &got)
	i := slices.IndexFunc(got.Variables, func(v authconfig.TemplateVariable) bool { return v.Name == ".ConfirmationURL" })
	if i < 0 || !strings.Contains(got.Variables[i].Sample, string(ref)+".example.com/auth/v1/verify?token=") {
		t.Errorf("%+v", got.Variables)
	}
	body, err := json.Marshal(map[string]string{"mailer_subjects_recovery": got.Subject, "mailer_templates_recovery_content": got.Content})
	if err != nil {
		t.Fatal(err)
	}
	w.Do(t, w.Developer, "PATCH", path, string(body)).Want(t, 200)
	w.Do(t, w.Owner, "GET", path+"/templates/team_invite", "").Refused(t, 400, "validation_failed", "kind")
	w.Do(t, w.Stranger, "GET", path+"/templates/invite", "").Refused(t, 404, "project_not_found", "")
}

func TestSendTestMail(t *testing.T) {
	t.Parallel()
	w, ref, path := newWorld(t)
	send := func(body string) (out authconfig.MailTest) {
		t.Helper()
		w.Do(t, w.Developer, "POST", path+"/templates/magic_link/test", body).Want(t, 200).Into(t, &out)
		return out
	}
	if got := send(`{"subject":"Captured"}`); !got.Accepted || got.Server != "inbox" || got.To != controltest.Address {
		t.Errorf("%+v", got)
	}
	var captured int
	if err := w.DB.Pool().QueryRow(t.Context(), `SELECT count(*) FROM inbox_messages WHERE ref = $1`, string(ref)).Scan(&captured); err != nil || captured != 1 {
		t.Errorf("%d captured mails, %v", captured, err)
	}
	server := newMailServer(t)
	w.Do(t, w.Developer, "PATCH", path, server.settings("right")).Want(t, 200)
	got := send(`{"subject":"Hi {{ .Email }}","content":"<p>{{ .Broken }}</p>"}`)
	if !got.Accepted || got.Server != "own" || !strings.HasPrefix(got.Answer, "250 ") || len(got.Errors) != 1 || len(got.Steps) != 8 {
		t.Errorf("%+v", got)
	}
	if to, mail := server.last(); to != controltest.Address || !strings.Contains(mail, "Subject: Hi "+controltest.Address) {
		t.Errorf("to %s: %s", to, mail)
	}
	server.refuse("mailbox is full")
	if got = send(`{}`); got.Accepted || got.Answer != "550 5.2.2 mailbox is full" {
		t.Errorf("%+v", got)
	}
	w.Do(t, w.ReadOnly, "POST", path+"/templates/magic_link/test", `{}`).Refused(t, 403, "forbidden", "")
	w.Do(t, w.Developer, "POST", path+"/templates/magic_link/test", `{"to":"victim@example.com"}`).Refused(t, 400, "validation_failed", "to: unknown field")
	limited := false
	for range 20 {
		limited = limited || w.Do(t, w.Developer, "POST", path+"/templates/magic_link/test", `{}`).Status == 429
	}
	if !limited {
		t.Error("nothing stops test mails")
	}
	w.Do(t, w.Developer, "POST", path+"/templates/magic_link/test", `{}`).Refused(t, 429, "too_many_tests", "")
	var entries int
	if err := w.DB.Pool().QueryRow(t.Context(), `SELECT count(*) FROM audit_log WHERE entry LIKE '%send-test-mail%' AND entry LIKE '%`+controltest.Address+`%'`).Scan(&entries); err != nil || entries == 0 {
		t.Errorf("%d entries in the audit log, %v", entries, err)
	}
}

func TestSMTPTester(t *testing.T) {
	t.Parallel()
	w, _, path := newWorld(t)
	server := newMailServer(t)
	test := func(body string) (out authconfig.SMTPTest) {
		t.Helper()
		w.Do(t, w.Developer, "POST", path+"/smtp/test", body).Want(t, 200).Into(t, &out)
		return out
	}
	w.Do(t, w.Developer, "POST", path+"/smtp/test", `{}`).Refused(t, 400, "validation_failed", "smtp_host")
	got := test(`{"config":` + server.settings("right") + `}`)
	if !got.OK || got.Sent || got.To != controltest.Address || server.count() != 0 {
		t.Errorf("%+v", got)
	}
	if got = test(`{"send":true,"config":` + server.settings("right") + `}`); !got.OK || !got.Sent || server.count() != 1 {
		t.Errorf("%+v", got)
	}
	if got = test(`{"config":` + server.settings("wrong") + `}`); got.OK || !strings.Contains(status(got, "auth"), "failed 535") {
		t.Errorf("%+v", got)
	}
	// The saved password counts, for the saved server only.
	w.Do(t, w.Developer, "PATCH", path, server.settings("right")).Want(t, 200)
	if got = test(`{}`); !got.OK || !strings.HasPrefix(status(got, "auth"), "passed 235") {
		t.Errorf("%+v", got)
	}
	if got = test(`{"config":{"smtp_sender_name":"Shop"}}`); !got.OK {
		t.Errorf("%+v", got)
	}
	var config map[string]any
	w.Do(t, w.Developer, "GET", path, "").Want(t, 200).Into(t, &config)
	thief := newMailServer(t)
	for _, body := range []string{`{"config":{"smtp_port":"` + thief.port + `"}}`, `{"config":{"smtp_port":"` + thief.port + `","smtp_pass":"` + config["smtp_pass"].(string) + `"}}`} {
		w.Do(t, w.Developer, "POST", path+"/smtp/test", body).Refused(t, 400, "validation_failed", "smtp_pass: is required")
	}
	if got = test(`{"config":` + thief.settings("right") + `}`); !got.OK {
		t.Errorf("%+v", got)
	}
	if thief.logins() != 1 {
		t.Errorf("%d logins at another server, want the one whose password was given", thief.logins())
	}
	if got = test(`{"config":{"smtp_host":"nowhere.invalid","smtp_pass":"x"}}`); got.OK || !strings.HasPrefix(status(got, "resolve"), "failed") || !strings.HasPrefix(status(got, "rcpt_to"), "skipped") {
		t.Errorf("%+v", got)
	}
	for _, body := range []string{`{"config":{"smtp_host":"a b"}}`, `{"config":{"smtp_port":"0"}}`, `{"send":1}`, `{"config":[]}`, `{"config":{"x":1}}`} {
		w.Do(t, w.Developer, "POST", path+"/smtp/test", body).Refused(t, 400, "validation_failed", "")
	}
	w.Do(t, w.ReadOnly, "POST", path+"/smtp/test", `{}`).Refused(t, 403, "forbidden", "")
	var leaked int
	if err := w.DB.Pool().QueryRow(t.Context(), `SELECT count(*) FROM audit_log WHERE entry LIKE '%"right"%' OR entry LIKE '%"wrong"%'`).Scan(&leaked); err != nil || leaked != 0 {
		t.Errorf("%d entries of the audit log have a password, %v", leaked, err)
	}
}

func status(got authconfig.SMTPTest, name string) string {
	for _, s := range got.Steps {
		if s.Name == name {
			return s.Status + " " + s.Detail
		}
	}
	return ""
}

// mailServer is a real SMTP server on loopback with the account jane, right.
type mailServer struct {
	port string

	mu     sync.Mutex
	to     []string
	mails  []string
	tried  int
	reject string
}

func newMailServer(t *testing.T) *mailServer {
	t.Helper()
	m := &mailServer{}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m.port = strconv.Itoa(listener.Addr().(*net.TCPAddr).Port)
	s := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &mailSession{m: m}, nil }))
	s.Domain, s.AllowInsecureAuth = "mx.example.com", true
	go func() { _ = s.Serve(listener) }()
	t.Cleanup(func() { _ = s.Close() })
	return m
}

func (m *mailServer) settings(password string) string {
	return `{"smtp_host":"127.0.0.1","smtp_port":"` + m.port + `","smtp_admin_email":"auth@example.com","smtp_user":"jane","smtp_pass":"` + password + `"}`
}

func (m *mailServer) refuse(why string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.reject = why
}

func (m *mailServer) count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.mails)
}

func (m *mailServer) logins() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.tried
}

func (m *mailServer) last() (to, mail string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.mails) == 0 {
		return "", ""
	}
	return m.to[len(m.to)-1], m.mails[len(m.mails)-1]
}

type mailSession struct {
	m  *mailServer
	in bool
}

func (s *mailSession) Reset()        {}
func (s *mailSession) Logout() error { return nil }

func (s *mailSession) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *mailSession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, pass string) error {
		s.m.mu.Lock()
		defer s.m.mu.Unlock()
		s.m.tried++
		if user != "jane" || pass != "right" {
			return smtp.ErrAuthFailed
		}
		s.in = true
		return nil
	}), nil
}

func (s *mailSession) Mail(string, *smtp.MailOptions) error {
	if !s.in {
		return smtp.ErrAuthRequired
	}
	return nil
}

func (s *mailSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	if s.m.reject != "" {
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 2, 2}, Message: s.m.reject}
	}
	s.m.to = append(s.m.to, to)
	return nil
}

func (s *mailSession) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	s.m.mails = append(s.m.mails, string(raw))
	return nil
}
