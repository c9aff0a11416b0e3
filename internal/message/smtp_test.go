package message

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"math/big"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/outbox"
	"github.com/reevehq/reeve/tenants"
)

const testRef = tenants.Ref("aaaaaaaaaaaaaaaaaaaa")

// mailServer is a real SMTP server on loopback that stores the mails it
// receives.
type mailServer struct {
	mu       sync.Mutex
	mails    []received
	mailErr  error // answers to MAIL, RCPT and the end of DATA
	rcptErr  error
	dataErr  error
	user     string
	pass     string
	settings SMTPSettings
}

type received struct {
	from, to, user string
	tls            bool
	raw            []byte
}

type session struct {
	s    *mailServer
	mail received
	conn *smtp.Conn
}

func (s *session) Reset()        {}
func (s *session) Logout() error { return nil }

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	if s.s.user != "" && s.mail.user == "" {
		return smtp.ErrAuthRequired
	}
	s.mail.from = from
	return s.s.mailErr
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.mail.to = to
	return s.s.rcptErr
}

func (s *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if s.s.dataErr != nil {
		return s.s.dataErr
	}
	_, s.mail.tls = s.conn.TLSConnectionState()
	s.mail.raw = raw
	s.s.mu.Lock()
	defer s.s.mu.Unlock()
	s.s.mails = append(s.s.mails, s.mail)
	return nil
}

func (s *session) AuthMechanisms() []string {
	if s.s.user == "" {
		return nil
	}
	return []string{sasl.Plain}
}

func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, pass string) error {
		if user != s.s.user || pass != s.s.pass {
			return smtp.ErrAuthFailed
		}
		s.mail.user = user
		return nil
	}), nil
}

type serverTLS int

const (
	noTLS serverTLS = iota
	startTLS
	implicitTLS
)

func (s *mailServer) start(t *testing.T, mode serverTLS) *mailServer {
	t.Helper()
	server := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		return &session{s: s, conn: c}, nil
	}))
	server.Domain, server.AllowInsecureAuth = "mail.test", true
	server.ErrorLog = log.New(io.Discard, "", 0)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	cert, pool := certificate(t)
	config := &tls.Config{Certificates: []tls.Certificate{cert}}
	switch mode {
	case startTLS:
		server.TLSConfig = config
	case implicitTLS:
		l = tls.NewListener(l, config)
	}
	done := make(chan struct{})
	go func() { _ = server.Serve(l); close(done) }()
	t.Cleanup(func() { _, _ = server.Close(), l.Close(); <-done }) // Close misses a listener that Serve has not seen yet
	s.settings = SMTPSettings{
		Host: "127.0.0.1", Port: port, From: "auth@acme.example", SenderName: `Acme "Notes", Zürich`,
		TLSConfig: &tls.Config{RootCAs: pool},
	}
	if mode == implicitTLS {
		s.settings.TLS = TLSImplicit
	}
	return s
}

func (s *mailServer) received() []received {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]received(nil), s.mails...)
}

// certificate creates a self-signed one for 127.0.0.1.
func certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

func sender(s SMTPSettings) *SMTP {
	return &SMTP{Settings: s, Dial: (&net.Dialer{}).DialContext, Hello: "reeve.test"}
}

func testMail(t *testing.T) Message {
	t.Helper()
	m, err := Render(Confirmation, Template{Subject: "Grüße {{ .Data.x }}"}, "jane@exämple.test",
		Data{ProjectName: "Acme", ConfirmationURL: "https://x.example/?a=1&b=2", Token: "493027", Data: map[string]any{"x": "\r\nBcc: v@x.example"}})
	if err != nil {
		t.Fatal(err)
	}
	m.CreatedAt = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	return m
}

func TestSMTPSendsAlternativesAndHeaders(t *testing.T) {
	t.Parallel()
	server := (&mailServer{}).start(t, noTLS)
	m := testMail(t)
	for range 2 {
		if err := sender(server.settings).Send(t.Context(), testRef, m); err != nil {
			t.Fatal(err)
		}
	}
	got := server.received()
	if len(got) != 2 || got[0].from != "auth@acme.example" || got[0].to != "jane@xn--exmple-cua.test" || got[0].tls {
		t.Fatalf("%+v", got)
	}
	msg, err := mail.ReadMessage(bytes.NewReader(got[0].raw))
	if err != nil {
		t.Fatal(err)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(msg.Header.Get("Subject"))
	if err != nil || subject != "Grüße Bcc: v@x.example" || msg.Header.Get("Bcc") != "" {
		t.Errorf("subject %q, %v", subject, err)
	}
	from, err := msg.Header.AddressList("From")
	if err != nil || len(from) != 1 || from[0].Name != `Acme "Notes", Zürich` {
		t.Errorf("from %v, %v", from, err)
	}
	for name, want := range map[string]string{
		"Message-Id":     "<" + m.ID.String() + "@acme.example>",
		"Date":           "Wed, 04 Mar 2026 05:06:07 +0000",
		"Auto-Submitted": "auto-generated",
		"User-Agent":     "", "X-Mailer": "",
	} {
		if got := msg.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if again, err := mail.ReadMessage(bytes.NewReader(got[1].raw)); err != nil || again.Header.Get("Message-Id") != msg.Header.Get("Message-Id") {
		t.Error("the repeated delivery is not recognisable", err)
	}
	kinds, bodies := parts(t, msg)
	if strings.Join(kinds, " ") != "text/plain text/html" {
		t.Fatal(kinds)
	}
	if norm(bodies[0]) != norm(m.Text) || norm(bodies[1]) != norm(m.HTML) {
		t.Error("bodies changed on the way")
	}
}

func norm(s string) string { return strings.TrimSpace(strings.ReplaceAll(s, "\r\n", "\n")) }

func parts(t *testing.T, msg *mail.Message) (kinds, bodies []string) {
	t.Helper()
	kind, params, err := mime.ParseMediaType(msg.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		t.Fatal(kind, err)
	}
	for r := multipart.NewReader(msg.Body, params["boundary"]); ; {
		p, err := r.NextRawPart()
		if errors.Is(err, io.EOF) {
			return kinds, bodies
		}
		if err != nil || p.Header.Get("Content-Transfer-Encoding") != "quoted-printable" {
			t.Fatal(err, p.Header)
		}
		body, err := io.ReadAll(quotedprintable.NewReader(p))
		if err != nil {
			t.Fatal(err)
		}
		kind, _, _ := strings.Cut(p.Header.Get("Content-Type"), ";")
		kinds, bodies = append(kinds, kind), append(bodies, string(body))
	}
}

func TestSMTPProtectsTheConnection(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		server  serverTLS
		change  func(*SMTPSettings)
		wantTLS bool
		fails   bool
	}{
		"auto, offered":             {server: startTLS, wantTLS: true},
		"auto, not offered":         {server: noTLS},
		"implicit":                  {server: implicitTLS, wantTLS: true},
		"none, offered":             {server: startTLS, change: func(s *SMTPSettings) { s.TLS = TLSNone }},
		"required, not offered":     {server: noTLS, change: func(s *SMTPSettings) { s.TLS = TLSRequired }, fails: true},
		"wrong name":                {server: startTLS, change: func(s *SMTPSettings) { s.TLSConfig.ServerName = "other.test" }, fails: true},
		"unknown authority":         {server: startTLS, change: func(s *SMTPSettings) { s.TLS, s.TLSConfig = TLSRequired, nil }, fails: true},
		"self-made, loopback, auto": {server: startTLS, change: func(s *SMTPSettings) { s.TLSConfig = nil }, wantTLS: true},
		"implicit to plain server":  {server: noTLS, change: func(s *SMTPSettings) { s.TLS = TLSImplicit }, fails: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := (&mailServer{}).start(t, c.server)
			if c.change != nil {
				c.change(&server.settings)
			}
			smtp := sender(server.settings)
			smtp.Timeout = 5 * time.Second
			err := smtp.Send(t.Context(), testRef, testMail(t))
			got := server.received()
			if c.fails {
				if err == nil || outbox.Permanent(err) || len(got) != 0 {
					t.Fatalf("%v %+v", err, got)
				}
				return
			}
			if err != nil || len(got) != 1 || got[0].tls != c.wantTLS {
				t.Fatalf("%v %+v", err, got)
			}
		})
	}
}

func TestSMTPCredentialsNeverGoUnprotected(t *testing.T) {
	t.Parallel()
	server := (&mailServer{user: "u", pass: "p"}).start(t, noTLS)
	server.settings.User, server.settings.Pass = "u", "p"
	s := sender(server.settings)
	if err := s.Send(t.Context(), testRef, testMail(t)); err != nil {
		t.Errorf("loopback: %v", err)
	}
	// The same server under a name that is not loopback.
	s.Settings.Host, s.Settings.TLSConfig = "mail.acme.example", nil
	s.Dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, (&SMTP{Settings: server.settings}).addr())
	}
	if err := s.Send(t.Context(), testRef, testMail(t)); err == nil || outbox.Permanent(err) || !strings.Contains(err.Error(), "STARTTLS") {
		t.Errorf("elsewhere: %v", err)
	}
	if n := len(server.received()); n != 1 {
		t.Errorf("%d mails", n)
	}
}

func TestSMTPAuthenticates(t *testing.T) {
	t.Parallel()
	server := (&mailServer{user: "u", pass: "p"}).start(t, startTLS)
	server.settings.User, server.settings.Pass = "u", "p"
	if err := sender(server.settings).Send(t.Context(), testRef, testMail(t)); err != nil {
		t.Fatal(err)
	}
	if got := server.received(); len(got) != 1 || got[0].user != "u" || !got[0].tls {
		t.Fatalf("%+v", got)
	}
	for name, change := range map[string]func(*SMTPSettings){
		"wrong password": func(s *SMTPSettings) { s.Pass = "secret-wrong" },
		"no credentials": func(s *SMTPSettings) { s.User = "" },
	} {
		set := server.settings
		change(&set)
		err := sender(set).Send(t.Context(), testRef, testMail(t))
		if err == nil || verdictOf(err) != unreachable || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSMTPVerdicts(t *testing.T) {
	t.Parallel()
	reply := func(code int) error { return &smtp.SMTPError{Code: code, Message: "no\x00\r\nreally"} }
	for name, c := range map[string]struct {
		server *mailServer
		to     string
		want   verdict
	}{
		"unknown mailbox":     {&mailServer{rcptErr: reply(550)}, "", refused},
		"greylisted":          {&mailServer{rcptErr: reply(451)}, "", deferred},
		"spam":                {&mailServer{dataErr: reply(554)}, "", refused},
		"mailbox full":        {&mailServer{dataErr: reply(452)}, "", deferred},
		"sender refused":      {&mailServer{mailErr: reply(550)}, "", refused},
		"login wanted":        {&mailServer{mailErr: reply(530)}, "", unreachable},
		"shutting down":       {&mailServer{rcptErr: reply(421)}, "", unreachable},
		"no address":          {&mailServer{}, "jane", refused},
		"two addresses":       {&mailServer{}, "a@x.test, b@x.test", refused},
		"quoted address":      {&mailServer{}, `"a> RCPT TO:<b"@x.test`, refused},
		"address with a name": {&mailServer{}, `Jane <jane@x.test>`, refused},
		"line break":          {&mailServer{}, "jane@x.test\r\nRCPT TO:<b@x.test>", refused},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := c.server.start(t, noTLS)
			m := testMail(t)
			if c.to != "" {
				m.To = c.to
			}
			err := sender(server.settings).Send(t.Context(), testRef, m)
			if err == nil || verdictOf(err) != c.want || len(server.received()) != 0 {
				t.Fatalf("%v: verdict %s, want %s", err, verdictOf(err), c.want)
			}
		})
	}
}

func TestSMTPHostileServers(t *testing.T) {
	t.Parallel()
	for name, serve := range map[string]func(net.Conn){
		"silent":       func(c net.Conn) { _, _ = io.Copy(io.Discard, c) },
		"hangs up":     func(c net.Conn) {},
		"endless line": func(c net.Conn) { flood(c, "2") },
		"endless text": func(c net.Conn) { flood(c, "220-hello\r\n") },
		"not SMTP":     func(c net.Conn) { flood(c, "HTTP/1.1 200 OK\r\n\r\n") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			done := make(chan struct{})
			go func() {
				defer close(done)
				if c, err := l.Accept(); err == nil {
					serve(c)
					_ = c.Close()
				}
			}()
			defer func() { _ = l.Close(); <-done }() // a connection left open would block here
			s := sender(SMTPSettings{Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, From: "a@x.test"})
			s.Timeout = 300 * time.Millisecond
			if err := s.Send(t.Context(), testRef, testMail(t)); err == nil || verdictOf(err) != unreachable {
				t.Fatal(err)
			}
		})
	}
}

func flood(c net.Conn, s string) {
	for {
		if _, err := io.WriteString(c, strings.Repeat(s, 1000)); err != nil {
			return
		}
	}
}

func TestSMTPStopsWhenCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	client, server := net.Pipe()
	defer func() { _ = server.Close() }()
	s := sender(SMTPSettings{Host: "x.test", From: "a@x.test"})
	s.Dial = func(context.Context, string, string) (net.Conn, error) { cancel(); return client, nil }
	if err := s.Send(ctx, testRef, Message{ID: uuid.New(), To: "jane@x.test", Text: "x"}); err == nil || outbox.Permanent(err) {
		t.Fatal(err)
	}
}

func FuzzAddress(f *testing.F) {
	for _, s := range []string{"a@b.test", "ä@exämple.test", `"a b"@c.test`, "a@[127.0.0.1]", "<a@b.test>", "a@b.test>"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if a, err := address(s); err == nil && strings.ContainsAny(a, "\r\n<> \x00") {
			t.Fatalf("%q", a)
		}
	})
}

// verdict is the classification of an error.
type verdict string

const (
	unreachable verdict = "unreachable"
	deferred    verdict = "deferred"
	refused     verdict = "refused"
)

func verdictOf(err error) verdict {
	switch {
	case outbox.Permanent(err):
		return refused
	case outbox.Unreachable(err):
		return unreachable
	}
	return deferred
}
