package server_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/emersion/go-smtp"
	"github.com/google/go-cmp/cmp"

	"github.com/reevehq/reeve/internal/config"
	"github.com/reevehq/reeve/internal/server/servertest"
)

// mailServer is a real SMTP server on loopback. It refuses recipients while
// refuses is set, and then quotes the mail in its reply.
type mailServer struct {
	refuses atomic.Bool
	taken   atomic.Int64
	port    string
}

func startMailServer(t *testing.T) *mailServer {
	t.Helper()
	m := &mailServer{}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m.port = strconv.Itoa(listener.Addr().(*net.TCPAddr).Port)
	s := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &mailSession{m: m}, nil }))
	s.Domain = "mx.example.com"
	go func() { _ = s.Serve(listener) }()
	t.Cleanup(func() { _ = s.Close() })
	return m
}

// settings are those of a project that uses the server.
func (m *mailServer) settings() map[string]any {
	return map[string]any{"smtp_host": "127.0.0.1", "smtp_port": m.port, "smtp_admin_email": "auth@example.com"}
}

type mailSession struct{ m *mailServer }

func (s *mailSession) Reset()                               {}
func (s *mailSession) Logout() error                        { return nil }
func (s *mailSession) Mail(string, *smtp.MailOptions) error { return nil }
func (s *mailSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	if s.m.refuses.Load() && strings.HasPrefix(to, "nobody@") {
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "<" + to + ">: no such user here"}
	}
	return nil
}

func (s *mailSession) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if s.m.refuses.Load() {
		_, body, _ := strings.Cut(string(raw), "\r\n\r\n")
		return &smtp.SMTPError{Code: 554, EnhancedCode: smtp.EnhancedCode{5, 7, 1}, Message: "spam: " + strings.Join(strings.Fields(body), " ")}
	}
	s.m.taken.Add(1)
	return nil
}

// TestDeveloperFindsRefusedMail: the developer sees which mail the server refused,
// with its reply, by the request id of the sign-up.
func TestDeveloperFindsRefusedMail(t *testing.T) {
	t.Parallel()
	server := startMailServer(t)
	server.refuses.Store(true)
	p := servertest.Start(t).Project(t, "shop", server.settings())
	answer := p.Do(t, http.MethodPost, "/signup", map[string]any{"email": "nobody@example.com", "password": "correct horse"}).Expect(t, http.StatusOK)
	id := answer.Header.Get("X-Request-Id")
	user, _ := answer.JSON(t)["id"].(string)
	got := logged(t, p, id)
	got.ID, got.Message = "", ""
	want := logEntry{
		Level: "error", Code: "mail_refused", RequestIDs: []string{id}, UserID: user, Count: 1,
		Detail: map[string]any{
			"recipient": "nobody@example.com", "template": "confirmation", "attempts": 1.0,
			"smtp_code": 550.0, "smtp_text": "5.1.1 <nobody@example.com>: no such user here",
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the entry differs (-want +got):\n%s", diff)
	}
}

// TestDeveloperFindsDeadMailServer: a mail server that cannot be reached is
// reported once, and that it works again too.
func TestDeveloperFindsDeadMailServer(t *testing.T) {
	t.Parallel()
	server := startMailServer(t)
	p := servertest.Start(t).Project(t, "shop", map[string]any{"smtp_host": "127.0.0.1", "smtp_port": "1", "smtp_admin_email": "auth@example.com"})
	for _, email := range []string{"ann@example.com", "bob@example.com"} {
		p.Do(t, http.MethodPost, "/signup", map[string]any{"email": email, "password": "correct horse"}).Expect(t, http.StatusOK)
	}
	eventually(t, "the dead server is in the log", func() bool { return len(logOf(t, p, url.Values{"code": {"mail_server_failed"}})) > 0 })
	p.Configure(t, server.settings())
	eventually(t, "that it works is in the log", func() bool { return len(logOf(t, p, url.Values{"code": {"mail_server_works"}})) > 0 })
	failed := logOf(t, p, url.Values{"code": {"mail_server_failed"}})
	if len(failed) != 1 || !strings.Contains(failed[0].Detail["error"].(string), "connection refused") {
		t.Errorf("the dead server is reported: %+v", failed)
	}
}

// TestDeveloperFindsMissingMailServer: mails wait where nobody has a mail server.
func TestDeveloperFindsMissingMailServer(t *testing.T) {
	t.Parallel()
	reeve := servertest.Start(t, func(c *config.Config) { c.Mail.Capture = false })
	p := reeve.Project(t, "mute", nil)
	p.Do(t, http.MethodPost, "/signup", map[string]any{"email": "ann@example.com", "password": "correct horse"}).Expect(t, http.StatusOK)
	eventually(t, "it is in the log", func() bool { return len(logOf(t, p, url.Values{"code": {"mail_server_missing"}})) == 1 })
}

// TestLogHasNoSecrets: triggers, mail servers and clients do what they can to get
// secrets into the log.
func TestLogHasNoSecrets(t *testing.T) {
	t.Parallel()
	server := startMailServer(t)
	reeve := servertest.Start(t)
	settings := server.settings()
	settings["site_url"] = "https://app.example.com"
	p := reeve.Project(t, "shop", settings)
	ann := p.SignUp(t, "ann@example.com", "ann's password")
	owner, admin := servertest.Connect(t, p.DatabaseURL), servertest.Connect(t, p.AdminURL(t))
	canaries := map[string]string{
		"secret key": p.SecretKey, "publishable key": p.PublishableKey, "access token": ann.AccessToken, "refresh token": ann.RefreshToken,
		"password": "hunter2 canary", "query": "querycanary", "fragment": "fragmentcanary", "user": "usercanary",
	}

	// The server quotes the mail with its code and link.
	server.refuses.Store(true)
	p.Do(t, http.MethodPost, "/recover", map[string]any{"email": "ann@example.com"}).Expect(t, http.StatusOK)
	eventually(t, "the refusal is in the log", func() bool { return len(logOf(t, p, url.Values{"code": {"mail_refused"}})) == 1 })
	if quoted := logOf(t, p, url.Values{"code": {"mail_refused"}})[0].Detail["smtp_text"].(string); !strings.Contains(quoted, "[redacted]") {
		t.Fatalf("the server did not quote the mail: %s", quoted)
	}

	// Wrong keys, tokens and redirects.
	reeve.Do(t, http.MethodGet, p.Auth("/user"), nil, "apikey", "sb_secret_"+strings.Repeat("K", 22)+"_canarykey").Expect(t, http.StatusUnauthorized)
	reeve.Do(t, http.MethodGet, p.Auth("/settings"), nil, "apikey", p.SecretKey, "User-Agent", "Mozilla/5.0").Expect(t, http.StatusUnauthorized)
	p.As(t, ann.AccessToken+"canary", http.MethodGet, "/user", nil).Expect(t, http.StatusForbidden)
	p.Do(t, http.MethodPost, "/recover?redirect_to="+url.QueryEscape("https://usercanary@evil.example.com/x?token=querycanary&access_token="+ann.AccessToken+"#fragmentcanary"),
		map[string]any{"email": "ann@example.com"}).Expect(t, http.StatusOK)
	redirects := func() []logEntry { return logOf(t, p, url.Values{"code": {"redirect_refused"}}) }
	eventually(t, "the redirect is in the log", func() bool { return len(redirects()) == 1 })
	want := map[string]any{"asked": "https://evil.example.com/x?token=[redacted]&access_token=[redacted]", "used": "https://app.example.com"}
	if diff := cmp.Diff(want, redirects()[0].Detail); diff != "" {
		t.Errorf("the redirect (-want +got):\n%s", diff)
	}

	// A trigger raises the whole row, another one a constraint of Postgres' own
	// DETAIL.
	run(t, owner, `CREATE FUNCTION public.tell() RETURNS trigger LANGUAGE plpgsql AS $$
		BEGIN RAISE EXCEPTION 'row % hash %', NEW, NEW.encrypted_password USING DETAIL = 'again ' || NEW.encrypted_password; END $$`)
	run(t, owner, `CREATE TRIGGER tell BEFORE UPDATE ON auth.users FOR EACH ROW EXECUTE FUNCTION public.tell()`)
	p.Do(t, http.MethodPost, "/recover", map[string]any{"email": "ann@example.com"}).Expect(t, http.StatusInternalServerError)
	run(t, admin, `DROP TRIGGER tell ON auth.users`)
	run(t, admin, `ALTER TABLE auth.users ADD CONSTRAINT no_new CHECK (email <> 'new@example.com')`)
	answer := p.Do(t, http.MethodPost, "/signup", map[string]any{"email": "new@example.com", "password": canaries["password"]}).Expect(t, http.StatusInternalServerError)
	if got := logged(t, p, answer.Header.Get("X-Request-Id")); got.Code != "constraint_failed" || got.Detail["constraint"] != "no_new" || got.Detail["table"] != "auth.users" {
		t.Errorf("the constraint: %+v", got)
	}

	rows, err := admin.Query(t.Context(), `SELECT encrypted_password, recovery_token FROM auth.users`)
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		var hash, token *string
		if err := rows.Scan(&hash, &token); err != nil {
			t.Fatal(err)
		}
		if hash != nil && *hash != "" {
			canaries["hash"] = *hash
		}
		if token != nil && *token != "" {
			canaries["token"] = *token
		}
	}
	if canaries["hash"] == "" {
		t.Fatal("no password hash was found")
	}
	for _, code := range []string{"invalid_api_key", "secret_key_in_browser", "bad_jwt", "trigger_failed"} {
		eventually(t, code+" is in the log", func() bool { return len(logOf(t, p, url.Values{"code": {code}})) > 0 })
	}
	var all string
	err = servertest.Connect(t, reeve.ControlURL).QueryRow(context.Background(), `SELECT string_agg(l::text, E'\n') FROM project_logs l`).Scan(&all)
	if err != nil {
		t.Fatal(err)
	}
	for name, secret := range canaries {
		if strings.Contains(all, secret) {
			t.Errorf("%s %q is in the log:\n%s", name, secret, all)
		}
	}
	for _, line := range strings.Split(all, "\n") {
		for _, word := range []string{"canary", "$2a$", "pkce_", "token=0", "Your code"} {
			if strings.Contains(line, word) {
				t.Errorf("%q in %s", word, line)
			}
		}
	}
}

// TestLogSurvivesAStop: what was acknowledged before a requested stop is in the
// log of the next process.
func TestLogSurvivesAStop(t *testing.T) {
	t.Parallel()
	reeve := servertest.Start(t)
	p := reeve.Project(t, "shop", map[string]any{"disable_signup": true})
	id := p.Do(t, http.MethodPost, "/signup", map[string]any{"email": "ann@example.com", "password": "correct horse"}).
		Expect(t, http.StatusUnprocessableEntity).Header.Get("X-Request-Id")
	reeve.Stop()
	p.Reeve = reeve.Replica(t)
	if got := logOf(t, p, url.Values{"request_id": {id}}); len(got) != 1 || got[0].Code != "signup_disabled" || got[0].Level != "info" {
		t.Errorf("after the stop: %+v", got)
	}
}

// TestLogSurvivesAKill: a killed process loses no more than the entries that were
// not yet written.
func TestLogSurvivesAKill(t *testing.T) {
	t.Parallel()
	first := servertest.Start(t)
	p := first.Project(t, "killed", map[string]any{"disable_signup": true})
	first.Stop()
	victim, kill := startReplica(t, first)
	q := *p
	q.Reeve = victim
	refuse := func() string {
		return q.Do(t, http.MethodPost, "/signup", map[string]any{"email": "ann@example.com", "password": "correct horse"}).
			Expect(t, http.StatusUnprocessableEntity).Header.Get("X-Request-Id")
	}
	written := refuse()
	logged(t, &q, written)
	refuse()
	kill()
	q.Reeve = first.Replica(t)
	logged(t, &q, written)
	logged(t, &q, refuse())
}

// TestLogIsReadableWhileTheDatabaseHangs: all that the project's own database is
// needed for stands still, and the log is read and written.
func TestLogIsReadableWhileTheDatabaseHangs(t *testing.T) {
	t.Parallel()
	p := servertest.Start(t).Project(t, "stuck", nil)
	holder := servertest.Connect(t, p.AdminURL(t))
	run(t, holder, "BEGIN; LOCK TABLE auth.users")
	answer := p.Do(t, http.MethodPost, "/signup", map[string]any{"email": "ann@example.com", "password": "correct horse"})
	answer.Refused(t, http.StatusServiceUnavailable, "request_timeout")
	got := logged(t, p, answer.Header.Get("X-Request-Id"))
	if got.Code != "lock_timeout" || got.Detail["sqlstate"] != "55P03" {
		t.Errorf("the entry: %+v", got)
	}
}
