package authconfig

import (
	"context"

	"github.com/reevehq/reeve/internal/authz"
	"github.com/reevehq/reeve/internal/control/text"
	"github.com/reevehq/reeve/internal/message"
	"github.com/reevehq/reeve/internal/web/control"
)

type builtinInput struct {
	Ref  string `path:"ref"`
	Kind string `path:"kind" enum:"confirmation,invite,recovery,magic_link,email_change,reauthentication"`
}

// BuiltinMail is the mail that is sent while a project has no templates of its own.
type BuiltinMail struct {
	Subject   string             `json:"subject" doc:"A template."`
	Content   string             `json:"content" doc:"A template of HTML."`
	Variables []TemplateVariable `json:"variables" doc:"What a template of the kind can show, beside the user's metadata in .Data."`
}

// TemplateVariable is a value that a template can show.
type TemplateVariable struct {
	Name   string `json:"name" doc:"Such as .Token."`
	Sample string `json:"sample" doc:"Its value in previews."`
}

func (h *Handler) builtin(ctx context.Context, actor control.Actor, in *builtinInput) (*BuiltinMail, error) {
	s := h.Service
	p, err := s.Authz.Project(ctx, actor, authz.ReadAuthConfig, in.Ref)
	if err != nil {
		return nil, err
	}
	kind := message.Kind(in.Kind)
	own, ok := message.Builtin(kind)
	if !ok {
		return nil, text.Invalid("kind: is no mail with templates")
	}
	stored, err := s.DB.AuthConfigVersion(ctx, p.Ref, p.ConfigVersion)
	if err != nil {
		return nil, err
	}
	data := message.SampleData(kind, p.Name, stored.Config.SiteURL, s.Trials.Issuer(p.Ref))
	data.ExpiresIn = stored.Config.OTPTTL()
	out := &BuiltinMail{Subject: own.Subject, Content: own.Content}
	for _, v := range message.Variables(kind, data, data.Email) {
		out.Variables = append(out.Variables, TemplateVariable{v.Name, v.Sample})
	}
	return out, nil
}
