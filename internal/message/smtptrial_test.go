package message

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/emersion/go-smtp"

	"github.com/reevehq/reeve/internal/outbound"
)

// summary is the steps as "name=status".
func summary(steps []Step) string {
	var out []string
	for _, s := range steps {
		out = append(out, string(s.Name)+"="+string(s.Status))
	}
	return strings.Join(out, " ")
}

func said(steps []Step, name StepName) string {
	for _, s := range steps {
		if s.Name == name {
			return s.Said
		}
	}
	return ""
}

func here(context.Context, string) ([]netip.Addr, error) {
	return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
}

func TestTrial(t *testing.T) {
	t.Parallel()
	refusal := &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such user here"}
	for name, c := range map[string]struct {
		server *mailServer
		tls    serverTLS
		change func(*SMTPSettings)
		send   bool
		want   string
		step   StepName
		said   string
	}{
		"plain":          {want: "resolve=passed connect=passed hello=passed tls=warning auth=skipped mail_from=passed rcpt_to=passed", step: StepResolve, said: "127.0.0.1"},
		"STARTTLS":       {tls: startTLS, want: "resolve=passed connect=passed hello=passed tls=passed auth=skipped mail_from=passed rcpt_to=passed", step: StepTLS, said: "TLS 1.3"},
		"implicit":       {tls: implicitTLS, send: true, want: "resolve=passed connect=passed tls=passed hello=passed auth=skipped mail_from=passed rcpt_to=passed data=passed", step: StepData, said: "250 2.0.0 OK: queued"},
		"not checked":    {tls: startTLS, change: func(s *SMTPSettings) { s.TLSConfig = nil }, want: "resolve=passed connect=passed hello=passed tls=warning auth=skipped mail_from=passed rcpt_to=passed", step: StepTLS, said: "not checked"},
		"bad name":       {tls: startTLS, change: func(s *SMTPSettings) { s.TLSConfig.ServerName = "other.test" }, want: "resolve=passed connect=passed hello=passed tls=failed auth=skipped mail_from=skipped rcpt_to=skipped", step: StepTLS, said: "certificate"},
		"login":          {server: &mailServer{user: "u", pass: "p4ss word"}, tls: startTLS, change: account("u", "p4ss word"), want: "resolve=passed connect=passed hello=passed tls=passed auth=passed mail_from=passed rcpt_to=passed", step: StepAuth, said: "235"},
		"wrong password": {server: &mailServer{user: "u", pass: "p4ss word"}, tls: startTLS, change: account("u", "other"), send: true, want: "resolve=passed connect=passed hello=passed tls=passed auth=failed mail_from=skipped rcpt_to=skipped data=skipped", step: StepAuth, said: "535"},
		"sender":         {server: &mailServer{mailErr: refusal}, want: "resolve=passed connect=passed hello=passed tls=warning auth=skipped mail_from=failed rcpt_to=skipped", step: StepFrom, said: "550 5.1.1 no such user here"},
		"recipient":      {server: &mailServer{rcptErr: refusal}, want: "resolve=passed connect=passed hello=passed tls=warning auth=skipped mail_from=passed rcpt_to=failed", step: StepTo, said: "550 5.1.1 no such user here"},
		"mail":           {server: &mailServer{dataErr: refusal}, send: true, want: "resolve=passed connect=passed hello=passed tls=warning auth=skipped mail_from=passed rcpt_to=passed data=failed", step: StepData, said: "no such user"},
		"closed port":    {change: func(s *SMTPSettings) { s.Port = 1 }, want: "resolve=passed connect=failed hello=skipped tls=skipped auth=skipped mail_from=skipped rcpt_to=skipped", step: StepConnect, said: "refused"},
		"quotes":         {server: &mailServer{user: "u", pass: "x", mailErr: &smtp.SMTPError{Code: 550, Message: "what is s3cret\u202e\n?"}}, tls: startTLS, change: account("u", "x"), want: "resolve=passed connect=passed hello=passed tls=passed auth=passed mail_from=failed rcpt_to=skipped", step: StepFrom, said: "550"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := c.server
			if server == nil {
				server = &mailServer{}
			}
			server.start(t, c.tls)
			if c.change != nil {
				c.change(&server.settings)
			}
			steps, ok := sender(server.settings).Trial(t.Context(), here, testMail(t), c.send)
			if got := summary(steps); got != c.want || ok == strings.Contains(c.want, "failed") {
				t.Errorf("%v %s\nwant %s\n%+v", ok, got, c.want, steps)
			}
			if got := said(steps, c.step); !strings.Contains(got, c.said) || strings.Contains(got, "\u202e") {
				t.Errorf("%s: %q", c.step, got)
			}
			if sent := len(server.received()) == 1; sent != (c.send && ok) {
				t.Errorf("sent: %v", sent)
			}
		})
	}
}

func account(user, pass string) func(*SMTPSettings) {
	return func(s *SMTPSettings) { s.User, s.Pass = user, pass }
}

// TestTrialHidesThePassword: a server may quote what it got.
func TestTrialHidesThePassword(t *testing.T) {
	t.Parallel()
	server := (&mailServer{user: "u", pass: "s3cret", mailErr: &smtp.SMTPError{Code: 550, Message: "you said s3cret AHUAczNjcmV0"}}).start(t, startTLS)
	server.settings.User, server.settings.Pass = "u", "s3cret"
	steps, _ := sender(server.settings).Trial(t.Context(), here, testMail(t), false)
	if got := said(steps, StepFrom); !strings.Contains(got, "550") || strings.Contains(got, "s3cret") || strings.Contains(got, "AHUAczNjcmV0") {
		t.Errorf("%q", got)
	}
}

// TestTrialKeepsTheOutboundRules: an address that may not be reached is not told.
func TestTrialKeepsTheOutboundRules(t *testing.T) {
	t.Parallel()
	client := outbound.New(outbound.Options{})
	server := (&mailServer{}).start(t, noTLS)
	smtp := sender(server.settings)
	smtp.Dial = client.DialContext
	steps, ok := smtp.Trial(t.Context(), client.Resolve, testMail(t), true)
	if ok || steps[0].Status != StepFailed || strings.Contains(steps[0].Said, "127.0.0.1") || len(server.received()) > 0 {
		t.Errorf("%+v", steps)
	}
	// A name whose address changes between the steps gains nothing.
	steps, ok = smtp.Trial(t.Context(), here, testMail(t), true)
	if ok || steps[1].Status != StepFailed || steps[1].Said != "The address is not allowed" {
		t.Errorf("%+v", steps)
	}
	smtp.Dial = (&net.Dialer{}).DialContext
	if _, ok = smtp.Trial(t.Context(), here, testMail(t), true); !ok {
		t.Error("the server is not reached without the rules: the test shows nothing")
	}
}
