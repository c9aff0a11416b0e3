package message

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"net/textproto"
	"strings"
	"time"

	maillog "github.com/wneessen/go-mail/log"
	"github.com/wneessen/go-mail/smtp"

	"github.com/reevehq/reeve/internal/fault"
)

// StepName is a step of a delivery by SMTP.
type StepName string

// The steps, in their usual order; with implicit TLS that comes before StepHello.
const (
	StepResolve StepName = "resolve"
	StepConnect StepName = "connect"
	StepHello   StepName = "hello" // greeting and EHLO
	StepTLS     StepName = "tls"
	StepAuth    StepName = "auth"
	StepFrom    StepName = "mail_from"
	StepTo      StepName = "rcpt_to"
	StepData    StepName = "data"
)

// StepStatus is what became of a step.
type StepStatus string

// The statuses. StepWarning is a step that passed and should not have had to, such
// as a connection without TLS.
const (
	StepPassed  StepStatus = "passed"
	StepWarning StepStatus = "warning"
	StepFailed  StepStatus = "failed"
	StepSkipped StepStatus = "skipped"
)

// Step is a step of a trial, with the server's words where it said any.
type Step struct {
	Name   StepName
	Status StepStatus
	Said   string
}

// trialTimeout bounds a trial: somebody waits for it.
const trialTimeout = 15 * time.Second

// maxSaid bounds Step.Said, in bytes.
const maxSaid = 500

// Resolver returns the addresses of a host that may be reached, as
// outbound.Client.Resolve.
type Resolver func(ctx context.Context, host string) ([]netip.Addr, error)

// Trial does what Send does, and tells each step. Without send the server is asked
// whether it takes the mail, and gets none. ok reports whether all went well.
func (s *SMTP) Trial(ctx context.Context, resolve Resolver, m Message, send bool) (steps []Step, ok bool) {
	t := &trial{envelope: !send, secrets: s.Settings.secrets()}
	watched := *s
	watched.trial = t
	if watched.Timeout == 0 || watched.Timeout > trialTimeout {
		watched.Timeout = trialTimeout
	}
	t.begin(StepResolve)
	addresses, err := resolve(ctx, s.Settings.Host)
	if err == nil {
		t.said = addressList(addresses)
		err = watched.Send(ctx, "", m)
	}
	return t.end(err, s.Settings.User != ""), err == nil
}

func addressList(addresses []netip.Addr) string {
	texts := make([]string, 0, len(addresses))
	for _, a := range addresses {
		texts = append(texts, a.String())
	}
	return strings.Join(texts, ", ")
}

// secrets are what a server could quote.
func (s SMTPSettings) secrets() []string {
	if s.Pass == "" {
		return nil
	}
	return []string{
		s.Pass, base64.StdEncoding.EncodeToString([]byte(s.Pass)),
		base64.StdEncoding.EncodeToString([]byte("\x00" + s.User + "\x00" + s.Pass)),
	}
}

// trial collects the steps of a delivery. Its methods do nothing on nil.
type trial struct {
	envelope bool // no mail is sent
	secrets  []string

	steps []Step
	at    StepName
	said  string // of the present step
	warns bool
	over  bool // the present step is the last one, and has been answered
}

// begin ends the present step, which has passed, and begins another one.
func (t *trial) begin(name StepName) {
	if t == nil {
		return
	}
	t.pass()
	t.at, t.said, t.warns = name, "", false
}

func (t *trial) pass() {
	if t.at == "" {
		return
	}
	step := Step{Name: t.at, Status: StepPassed, Said: t.clean(t.said)}
	switch {
	case t.at == StepTLS && t.said == "":
		step.Status, step.Said = StepWarning, "The server offers no STARTTLS: the connection is not encrypted."
	case t.warns:
		step.Status = StepWarning
	}
	t.steps = append(t.steps, step)
}

// stopsHere reports whether the mail stays unsent. What the server says from then
// on does not matter.
func (t *trial) stopsHere() bool {
	if t == nil || !t.envelope {
		return false
	}
	t.over = true
	return true
}

// accepted notes the reply to the mail.
func (t *trial) accepted(w io.WriteCloser) {
	if t == nil {
		return
	}
	if d, ok := w.(*smtp.DataCloser); ok {
		t.said, t.over = "250 "+d.ServerResponse(), true
	}
}

// secured describes the connection.
func (t *trial) secured(state tls.ConnectionState) {
	if t == nil || t.at != StepTLS || len(state.PeerCertificates) == 0 {
		return
	}
	cert := state.PeerCertificates[0]
	name := cert.Subject.CommonName
	if len(cert.DNSNames) > 0 {
		name = cert.DNSNames[0]
	}
	t.said = fmt.Sprintf("%s, certificate of %s by %s, valid until %s", tls.VersionName(state.Version), name, cert.Issuer.String(), cert.NotAfter.UTC().Format(time.DateOnly))
	if state.VerifiedChains == nil { // only on this machine, see SMTPSettings.tlsConfig
		t.warns = true
		t.said += "; it is not checked"
	}
}

// watch makes the client tell the server's replies.
func (t *trial) watch(client *smtp.Client) {
	if t == nil {
		return
	}
	client.SetLogger(listener{t})
	client.SetDebugLog(true)
}

// end returns all steps: what came after the one that failed is skipped.
func (t *trial) end(err error, authenticates bool) []Step {
	if err == nil {
		t.pass()
	} else {
		t.steps = append(t.steps, Step{Name: t.at, Status: StepFailed, Said: t.clean(explain(err))})
	}
	seen := map[StepName]bool{}
	for _, s := range t.steps {
		seen[s.Name] = true
	}
	for _, name := range []StepName{StepResolve, StepConnect, StepHello, StepTLS, StepAuth, StepFrom, StepTo, StepData} {
		if seen[name] || name == StepData && t.envelope {
			continue
		}
		step := Step{Name: name, Status: StepSkipped}
		if name == StepAuth && !authenticates {
			step.Said = "No user name is set."
		}
		t.steps = append(t.steps, step)
	}
	return inOrder(t.steps)
}

// inOrder puts a skipped login before what came after it.
func inOrder(steps []Step) []Step {
	for i, s := range steps {
		if s.Name != StepAuth || s.Status != StepSkipped {
			continue
		}
		for i > 0 && (steps[i-1].Name == StepFrom || steps[i-1].Name == StepTo || steps[i-1].Name == StepData) {
			steps[i], steps[i-1] = steps[i-1], steps[i]
			i--
		}
		break
	}
	return steps
}

// explain returns the server's words, or what went wrong before it said any.
func explain(err error) string {
	var reply *textproto.Error
	if errors.As(err, &reply) {
		return fmt.Sprintf("%03d %s", reply.Code, reply.Msg)
	}
	if f := fault.From(err); f.Kind != fault.Internal {
		return f.Message
	}
	return err.Error()
}

func (t *trial) clean(s string) string {
	for _, secret := range t.secrets {
		s = strings.ReplaceAll(s, secret, "[redacted]")
	}
	return fault.Clip(oneLine(s), maxSaid)
}

// listener is the logger of a watched client.
type listener struct{ t *trial }

// Debugf notes a reply; a login's are kept out by the client.
func (l listener) Debugf(entry maillog.Log) {
	if entry.Direction == maillog.DirServerToClient && l.t.at != StepTLS && !l.t.over {
		l.t.said = fmt.Sprintf(entry.Format, entry.Messages...)
	}
}

// Infof, Warnf and Errorf are never called.
func (listener) Infof(maillog.Log)  {}
func (listener) Warnf(maillog.Log)  {}
func (listener) Errorf(maillog.Log) {}
