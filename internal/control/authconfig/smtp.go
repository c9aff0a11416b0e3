package authconfig

import (
	"context"
	"html"
	"net/http"

	"github.com/reevehq/reeve/internal/authz"
	"github.com/reevehq/reeve/internal/control/text"
	"github.com/reevehq/reeve/internal/message"
	"github.com/reevehq/reeve/internal/setting"
	"github.com/reevehq/reeve/internal/web/control"
)

func (h *Handler) mountSMTP(api control.API, path string) {
	control.Register(api, control.Operation{
		ID: "test-smtp", Method: http.MethodPost, Path: path + "/smtp/test", Tag: "Auth configuration",
		Summary: "Try the project's mail server step by step, with settings that need not be saved yet",
	}, h.testSMTP)
}

type smtpInput struct {
	Ref  string `path:"ref"`
	Body struct {
		Config control.Object `json:"config,omitempty" doc:"Changes of the auth configuration to test with. The saved password counts if smtp_pass is left out, but is sent to the saved host, port and user only."`
		Send   bool           `json:"send,omitempty" doc:"Also send a mail to the caller's own verified address. Otherwise the server is asked whether it takes one."`
	}
}

// SMTPTest is what came of the steps.
type SMTPTest struct {
	OK    bool   `json:"ok"`
	To    string `json:"to" doc:"The recipient that the server was asked for: the caller, or the project's sender if the caller has no verified address."`
	Sent  bool   `json:"sent"`
	Steps []Step `json:"steps"`
}

func (h *Handler) testSMTP(ctx context.Context, actor control.Actor, in *smtpInput) (*SMTPTest, error) {
	s := h.Service
	p, err := s.Authz.Project(ctx, actor, authz.WriteAuthConfig, in.Ref)
	if err != nil {
		return nil, err
	}
	saved, err := s.pending(ctx, actor, authz.WriteAuthConfig, in.Ref, nil)
	if err != nil {
		return nil, err
	}
	v, err := s.pending(ctx, actor, authz.WriteAuthConfig, in.Ref, in.Body.Config)
	if err != nil {
		return nil, err
	}
	if v.config.SMTPHost == "" {
		return nil, text.Invalid("smtp_host: the project has no mail server of its own")
	}
	if err := keepsPassword(saved, v, in.Body.Config); err != nil {
		return nil, err
	}
	to, err := s.address(ctx, actor)
	if err != nil && in.Body.Send {
		return nil, err
	}
	if err != nil { // a service token's own address would be nobody's
		to = v.config.SMTPAdminEmail
	}
	if err := s.allow(ctx, actor, p.Ref); err != nil {
		return nil, err
	}
	route, err := s.Trials.Route(ctx, p.Ref, &v.config, v.secrets)
	if err != nil {
		return nil, err
	}
	if in.Body.Send {
		if err := route.Count(ctx); err != nil {
			return nil, err
		}
	}
	smtp, ok := route.Sender.(*message.SMTP)
	if !ok {
		return nil, text.Invalid("smtp_host: the mails of a branch are captured and reach no mail server")
	}
	steps, ok := smtp.Trial(ctx, s.Trials.Resolve, s.testMail(p.Name, to), in.Body.Send)
	out := &SMTPTest{OK: ok, To: to, Sent: ok && in.Body.Send, Steps: stepsOnWire(steps)}
	control.Outcome(ctx, map[string]any{"host": v.config.SMTPHost, "to": to, "ok": out.OK, "sent": out.Sent})
	return out, nil
}

// keepsPassword keeps the saved password from being sent to a server that somebody
// only tries: a change of the configuration would be in its history. A patch that has
// the password's fingerprint does not have the password.
func keepsPassword(saved, tried values, patch control.Object) error {
	password := tried.secrets[setting.SMTPPass]
	if given, _ := patch[setting.SMTPPass].(string); password == "" || given == password {
		return nil
	}
	a, b := &saved.config, &tried.config
	if a.SMTPHost != b.SMTPHost || a.SMTPPort != b.SMTPPort || a.SMTPUser != b.SMTPUser {
		return text.Invalid("smtp_pass: is required for another host, port or user than the saved ones")
	}
	return nil
}

// testMail is the mail of a test of the mail server.
func (s *Service) testMail(project, to string) message.Message {
	const said = "This mail was sent to test the mail server of "
	m := message.Test(to, "Test of the mail server of "+project, "<p>"+said+html.EscapeString(project)+".</p>", said+project+".\n")
	m.CreatedAt = s.Trials.Now()
	return m
}
