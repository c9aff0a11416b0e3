package message

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/textproto"
	"os"
	"slices"

	"github.com/wneessen/go-mail/smtp"

	"github.com/reevehq/reeve/internal/outbox"
)

var (
	errNoStartTLS = errors.New("SMTP server does not offer STARTTLS")
	errNoAuth     = errors.New("SMTP server offers no login that is supported (PLAIN, LOGIN, CRAM-MD5)")
)

// login greets the server, protects the connection as configured, and
// authenticates. Its errors are about the account, never about a message.
func (s *SMTP) login(ctx context.Context, conn net.Conn) (*smtp.Client, error) {
	set := s.Settings
	if set.implicitTLS() {
		s.trial.begin(StepTLS)
		secured := tls.Client(conn, set.tlsConfig())
		if err := secured.HandshakeContext(ctx); err != nil {
			return nil, fmt.Errorf("TLS with SMTP server: %w", err)
		}
		s.trial.secured(secured.ConnectionState())
		conn = secured
	}
	s.trial.begin(StepHello)
	client, err := smtp.NewClient(conn, set.Host)
	if err != nil {
		return nil, fmt.Errorf("greeting of SMTP server: %w", err)
	}
	s.trial.watch(client)
	if err := client.Hello(s.hello()); err != nil {
		return nil, fmt.Errorf("EHLO: %w", err)
	}
	if !set.implicitTLS() {
		s.trial.begin(StepTLS)
	}
	if err := set.startTLS(client); err != nil {
		return nil, err
	}
	if state, ok := client.TLSConnectionState(); ok {
		s.trial.secured(state)
	}
	if set.User == "" {
		return client, nil
	}
	s.trial.begin(StepAuth)
	if err := client.Auth(&loginAuth{user: set.User, pass: set.Pass, host: set.Host}); err != nil {
		return nil, fmt.Errorf("AUTH: %w", err)
	}
	return client, nil
}

func (s *SMTP) hello() string {
	if s.Hello != "" {
		return s.Hello
	}
	if name, err := os.Hostname(); err == nil && name != "" {
		return name
	}
	return "localhost"
}

func (s SMTPSettings) implicitTLS() bool {
	return s.TLS == TLSImplicit || s.TLS == TLSAuto && s.Port == 465
}

// startTLS upgrades the connection if the mode requires it.
func (s SMTPSettings) startTLS(client *smtp.Client) error {
	if s.TLS == TLSNone || s.implicitTLS() {
		return nil
	}
	if offered, _ := client.Extension("STARTTLS"); !offered {
		// Otherwise a man in the middle could strip STARTTLS and read the
		// password.
		if s.TLS == TLSRequired || s.User != "" && !s.loopback() {
			return errNoStartTLS
		}
		return nil
	}
	if err := client.StartTLS(s.tlsConfig()); err != nil {
		return fmt.Errorf("STARTTLS: %w", err)
	}
	return nil
}

func (s SMTPSettings) tlsConfig() *tls.Config {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if s.TLSConfig != nil {
		config = s.TLSConfig.Clone()
	} else if s.TLS == TLSAuto && s.loopback() {
		// A relay on the same machine usually has a self-signed certificate,
		// and there is no network in between.
		config.InsecureSkipVerify = true
	}
	if config.ServerName == "" {
		config.ServerName = s.Host
	}
	return config
}

func (s SMTPSettings) loopback() bool {
	if s.Host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(s.Host)
	return err == nil && ip.IsLoopback()
}

// loginAuth chooses the mechanism from the server's offer. startTLS has already
// decided whether the connection is protected well enough.
type loginAuth struct {
	user, pass, host string
	chosen           smtp.Auth
}

// Start chooses PLAIN, LOGIN or CRAM-MD5, in this order.
func (a *loginAuth) Start(server *smtp.ServerInfo) (string, []byte, error) {
	switch {
	case slices.Contains(server.Auth, "PLAIN"):
		a.chosen = smtp.PlainAuth("", a.user, a.pass, a.host, true)
	case slices.Contains(server.Auth, "LOGIN"):
		a.chosen = smtp.LoginAuth(a.user, a.pass, a.host, true)
	case slices.Contains(server.Auth, "CRAM-MD5"):
		a.chosen = smtp.CRAMMD5Auth(a.user, a.pass)
	default:
		return "", nil, errNoAuth
	}
	return a.chosen.Start(server)
}

// Next continues the chosen mechanism.
func (a *loginAuth) Next(fromServer []byte, more bool) ([]byte, error) {
	return a.chosen.Next(fromServer, more)
}

// answer classifies an error of a mail transaction by the reply code (RFC 5321,
// 4.2.1).
func answer(command string, err error) error {
	wrapped := fmt.Errorf("%s: %w", command, err)
	var reply *textproto.Error
	if !errors.As(err, &reply) {
		return wrapped
	}
	switch {
	case reply.Code == 421: // the server is shutting down
		return wrapped
	case command == "MAIL FROM" && slices.Contains(accountReplies, reply.Code):
		return wrapped
	case reply.Code/100 == 5:
		return outbox.Refused(wrapped)
	default:
		return outbox.Deferred(wrapped)
	}
}

// accountReplies are replies to MAIL FROM that require a login or TLS, not
// another message (RFC 4954, 6; RFC 5321).
var accountReplies = []int{502, 503, 530, 534, 535, 538, 454}
