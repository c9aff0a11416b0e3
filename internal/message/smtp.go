package message

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/wneessen/go-mail"

	"github.com/reevehq/reeve/tenants"
)

// TLSMode is how a connection to an SMTP server is protected.
type TLSMode string

// The modes. TLSAuto is implicit TLS on port 465 and STARTTLS when offered
// elsewhere; with credentials STARTTLS is required unless the host is loopback.
const (
	TLSAuto     TLSMode = ""
	TLSImplicit TLSMode = "implicit"
	TLSRequired TLSMode = "starttls"
	TLSNone     TLSMode = "none"
)

// SMTPSettings are one project's SMTP account.
type SMTPSettings struct {
	Host       string
	Port       int // 587 when zero
	User, Pass string
	From       string // the address that mails come from
	SenderName string
	TLS        TLSMode
	// TLSConfig, when set, is used instead of the default one (certificate
	// checked against the system's authorities, TLS 1.2 or newer).
	TLSConfig *tls.Config
}

// DialFunc opens a connection; outbound.Client.DialContext is one that refuses
// private addresses.
type DialFunc func(ctx context.Context, network, addr string) (net.Conn, error)

// SMTP is the Sender that hands mails to an SMTP server, one connection each.
type SMTP struct {
	Settings SMTPSettings
	Dial     DialFunc
	// Timeout bounds one delivery from dial to the last answer, 30 s when zero.
	Timeout time.Duration
	// Hello is the name given in EHLO, the machine's name when empty.
	Hello string

	trial *trial // nil for a delivery that nobody watches
}

// maxAnswers bounds a server's answers in one delivery, in bytes.
const maxAnswers = 256 << 10

// Send delivers m. It returns nil once the server has accepted the mail,
// whatever happens to the connection afterwards, so that no mail is sent twice.
func (s *SMTP) Send(ctx context.Context, _ tenants.Ref, m Message) error {
	mime, route, err := compose(m, s.Settings)
	if err != nil {
		return err
	}
	timeout := s.Timeout
	if timeout <= 0 {
		timeout = 30 * time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	s.trial.begin(StepConnect)
	conn, err := s.Dial(ctx, "tcp", s.addr())
	if err != nil {
		return fmt.Errorf("dial SMTP server: %w", err)
	}
	conn = &boundedConn{Conn: conn, left: maxAnswers}
	// Closing the raw connection ends a delivery that is cancelled or too slow,
	// in any phase.
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer func() {
		stop()
		_ = conn.Close()
	}()
	if err := s.deliver(ctx, conn, mime, route); err != nil {
		if ctx.Err() != nil {
			return fmt.Errorf("%w (%w)", err, context.Cause(ctx))
		}
		return err
	}
	return nil
}

func (s *SMTP) deliver(ctx context.Context, conn net.Conn, mime *mail.Msg, r route) error {
	client, err := s.login(ctx, conn)
	if err != nil {
		return err
	}
	client.SkipSMTPUTF8(r.ascii())
	s.trial.begin(StepFrom)
	if err := client.Mail("<" + r.from + ">"); err != nil {
		return answer("MAIL FROM", err)
	}
	s.trial.begin(StepTo)
	if err := client.Rcpt("<" + r.to + ">"); err != nil {
		return answer("RCPT TO", err)
	}
	if s.trial.stopsHere() {
		_ = client.Reset()
		_ = client.Quit()
		return nil
	}
	s.trial.begin(StepData)
	w, err := client.Data()
	if err != nil {
		return answer("DATA", err)
	}
	if _, err := mime.WriteTo(w); err != nil {
		return fmt.Errorf("write mail: %w", err) // not closed: the server must not take half a mail
	}
	if err := w.Close(); err != nil {
		return answer("end of DATA", err)
	}
	s.trial.accepted(w)
	_ = client.Quit() // the mail is accepted; the answer to QUIT does not matter
	return nil
}

func (s *SMTP) addr() string {
	port := s.Settings.Port
	if port == 0 {
		port = 587
	}
	return net.JoinHostPort(s.Settings.Host, strconv.Itoa(port))
}

var errTooMuchAnswer = errors.New("SMTP server says too much")

// boundedConn stops reading from a server that sends too much.
type boundedConn struct {
	net.Conn
	left int
}

// Read fails once the bound is reached.
func (c *boundedConn) Read(p []byte) (int, error) {
	if c.left <= 0 {
		return 0, errTooMuchAnswer
	}
	n, err := c.Conn.Read(p[:min(len(p), c.left)])
	c.left -= n
	return n, err
}
