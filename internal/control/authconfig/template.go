package authconfig

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/textproto"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/authz"
	"github.com/reevehq/reeve/internal/control/text"
	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/message"
	"github.com/reevehq/reeve/internal/web/control"
)

func (h *Handler) mountTemplates(api control.API, path string) {
	control.Register(api, control.Operation{
		ID: "get-built-in-mail", Method: http.MethodGet, Path: path + "/templates/{kind}", Tag: "Auth configuration",
		Summary: "Get the templates of a built-in mail, to begin one's own with, and what they can show",
	}, h.builtin)
	control.Register(api, control.Operation{
		ID: "preview-mail-template", Method: http.MethodPost, Path: path + "/templates/{kind}/preview", Tag: "Auth configuration", Reads: true,
		Summary: "Render a mail with sample data, and tell what is wrong with its templates",
	}, h.preview)
	control.Register(api, control.Operation{
		ID: "send-test-mail", Method: http.MethodPost, Path: path + "/templates/{kind}/test", Tag: "Auth configuration",
		Summary:  "Send a mail with sample data to the caller's own verified address, as the project's mails are sent",
		Recorded: func(map[string]any) map[string]any { return nil },
	}, h.sendTemplate)
}

type templateInput struct {
	Ref  string `path:"ref"`
	Kind string `path:"kind" enum:"confirmation,invite,recovery,magic_link,email_change,reauthentication"`
	Body struct {
		Subject *string        `json:"subject,omitempty" maxLength:"998" doc:"A template; empty for the built-in one. The saved one when left out."`
		Content *string        `json:"content,omitempty" maxLength:"65536" doc:"A template of HTML; empty for the built-in one. The saved one when left out."`
		Data    map[string]any `json:"data,omitempty" doc:"The user's metadata, for .Data; a sample when left out."`
	}
}

// MailPreview is a mail with sample data.
type MailPreview struct {
	Subject string          `json:"subject"`
	HTML    string          `json:"html" doc:"From the project's template: show it without scripts, and apart from your own page."`
	Text    string          `json:"text" doc:"The plain text that is sent beside the HTML."`
	Errors  []TemplateError `json:"errors" doc:"A template with an error is replaced by the built-in one, in the preview as in mails."`
}

// TemplateError is an error of a template.
type TemplateError struct {
	Part    string `json:"part" enum:"subject,content"`
	Line    int    `json:"line" doc:"From 1; 0 if it is unknown."`
	Column  int    `json:"column" doc:"In characters, from 1; 0 if it is unknown."`
	Message string `json:"message"`
	Large   bool   `json:"large_metadata" doc:"It only fails for users with 20 KB of metadata. Saving it is refused all the same."`
}

// MailTest is what became of a test mail.
type MailTest struct {
	To       string          `json:"to" doc:"The caller's address."`
	Accepted bool            `json:"accepted"`
	Server   string          `json:"server" enum:"own,operator,inbox" doc:"Who took it: the project's mail server, the operator's, or the inbox of captured mails."`
	Answer   string          `json:"answer" doc:"What the mail server said."`
	Steps    []Step          `json:"steps" doc:"Of a delivery to the project's own server."`
	Errors   []TemplateError `json:"errors" doc:"Of the templates; the mail was sent with the built-in ones."`
}

// maxSampleData bounds the metadata in a preview, in bytes of JSON.
const maxSampleData = 16 << 10

func (h *Handler) preview(ctx context.Context, actor control.Actor, in *templateInput) (*MailPreview, error) {
	_, p, err := h.Service.rendered(ctx, actor, authz.ReadAuthConfig, in, "jane@example.com")
	if err != nil {
		return nil, err
	}
	return &MailPreview{
		Subject: p.Message.Subject, HTML: p.Message.HTML, Text: p.Message.Text, Errors: faultsOnWire(p.Faults),
	}, nil
}

// rendered renders the mail of a request for a project in which the actor may do
// the action.
func (s *Service) rendered(ctx context.Context, actor authz.Actor, action authz.Action, in *templateInput, to string) (controldb.Project, message.Preview, error) {
	p, err := s.Authz.Project(ctx, actor, action, in.Ref)
	if err != nil {
		return p, message.Preview{}, err
	}
	if raw, err := json.Marshal(in.Body.Data); err != nil || len(raw) > maxSampleData {
		return p, message.Preview{}, text.Invalid("data: must have at most %d bytes as JSON", maxSampleData)
	}
	stored, err := s.DB.AuthConfigVersion(ctx, p.Ref, p.ConfigVersion)
	if err != nil {
		return p, message.Preview{}, err
	}
	own := stored.Config.Mail(in.Kind)
	if in.Body.Subject != nil {
		own.Subject = *in.Body.Subject
	}
	if in.Body.Content != nil {
		own.Content = *in.Body.Content
	}
	kind := message.Kind(in.Kind)
	data := message.SampleData(kind, p.Name, stored.Config.SiteURL, s.Trials.Issuer(p.Ref))
	data.Email, data.ExpiresIn = to, stored.Config.OTPTTL()
	if in.Body.Data != nil {
		data.Data = in.Body.Data
	}
	out, err := s.Trials.Preview(ctx, kind, message.Template{Subject: own.Subject, Content: own.Content}, to, data)
	return p, out, err
}

func faultsOnWire(faults []message.TemplateFault) []TemplateError {
	out := make([]TemplateError, len(faults))
	for i, f := range faults {
		out[i] = TemplateError{Part: "content", Line: f.Line, Column: f.Column, Message: f.Reason, Large: f.Large}
		if f.Subject {
			out[i].Part = "subject"
		}
	}
	return out
}

func (h *Handler) sendTemplate(ctx context.Context, actor control.Actor, in *templateInput) (*MailTest, error) {
	s := h.Service
	p, err := s.Authz.Project(ctx, actor, authz.WriteAuthConfig, in.Ref)
	if err != nil {
		return nil, err
	}
	to, err := s.address(ctx, actor)
	if err != nil {
		return nil, err
	}
	if err := s.allow(ctx, actor, p.Ref); err != nil {
		return nil, err
	}
	_, rendered, err := s.rendered(ctx, actor, authz.WriteAuthConfig, in, to)
	if err != nil {
		return nil, err
	}
	v, err := s.pending(ctx, actor, authz.WriteAuthConfig, in.Ref, nil)
	if err != nil {
		return nil, err
	}
	out, err := s.deliver(ctx, p, v, rendered.Message)
	if err != nil {
		return nil, err
	}
	out.Errors = faultsOnWire(rendered.Faults)
	control.Outcome(ctx, map[string]any{"template": in.Kind, "to": to, "accepted": out.Accepted})
	return out, nil
}

// deliverTimeout bounds the delivery of a test mail: the caller waits.
const deliverTimeout = 18 * time.Second

// deliver hands a mail to what takes the project's mails, and waits for the answer.
func (s *Service) deliver(ctx context.Context, p controldb.Project, v values, m message.Message) (*MailTest, error) {
	route, err := s.Trials.Route(ctx, p.Ref, &v.config, v.secrets)
	if errors.Is(err, message.ErrNoServer) {
		return nil, ErrNoMailServer
	}
	if err != nil {
		return nil, err
	}
	if err := route.Count(ctx); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, deliverTimeout)
	defer cancel()
	m.ID, m.CreatedAt = uuid.New(), s.Trials.Now()
	out := &MailTest{To: m.To, Steps: []Step{}, Errors: []TemplateError{}}
	smtp, isSMTP := route.Sender.(*message.SMTP)
	switch {
	case !isSMTP:
		out.Server = "inbox"
		err := route.Sender.Send(ctx, p.Ref, m)
		out.Accepted, out.Answer = err == nil, "The mail is in the inbox of captured mails."
		return out, err
	case !route.Own:
		out.Server = "operator"
		err := smtp.Send(ctx, p.Ref, m)
		out.Accepted, out.Answer = err == nil, operatorsAnswer(err)
		return out, nil
	}
	out.Server = "own"
	steps, ok := smtp.Trial(ctx, s.Trials.Resolve, m, true)
	out.Accepted, out.Steps = ok, stepsOnWire(steps)
	for _, step := range out.Steps {
		if step.Status == string(message.StepFailed) || step.Name == string(message.StepData) && ok {
			out.Answer = step.Detail
		}
	}
	return out, nil
}

// operatorsAnswer is the reply of the operator's mail server to a mail; of its other
// troubles no detail is shown.
func operatorsAnswer(err error) string {
	var reply *textproto.Error
	switch {
	case err == nil:
		return "The operator's mail server took the mail."
	case errors.As(err, &reply):
		return reply.Error()
	}
	return "The operator's mail server could not be used."
}
