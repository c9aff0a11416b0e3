package adminlink

import (
	"context"
	"net/http"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/redirect"
	"github.com/reevehq/reeve/internal/web"
	"github.com/reevehq/reeve/tenants"
)

// Handler serves /admin/generate_link and /invite.
type Handler struct{ Service Service }

// Mount adds the routes.
func (h Handler) Mount(r web.Routes) {
	r.Admin(tenants.ScopeLinksWrite).POST("/admin/generate_link", web.Tenant(http.StatusOK, h.generate))
	r.Admin(tenants.ScopeLinksWrite).POST("/invite", web.Tenant(http.StatusOK, h.invite))
}

// Request is the body of both routes and their query; /invite takes email and
// data.
type Request struct {
	Type       Type           `json:"type"`
	Email      string         `json:"email"`
	NewEmail   string         `json:"new_email"`
	Password   string         `json:"password"`
	Data       map[string]any `json:"data"`
	RedirectTo string         `json:"redirect_to"`
	redirect.Asked
}

// answer is the user object with the link's members beside the user's own.
type answer struct {
	*auth.User
	ActionLink       string `json:"action_link"`
	EmailOTP         string `json:"email_otp"`
	HashedToken      string `json:"hashed_token"`
	VerificationType Type   `json:"verification_type"`
	RedirectTo       string `json:"redirect_to"`
}

func (h Handler) generate(ctx context.Context, sc *tenants.Scope, req *Request) (*answer, error) {
	order, err := h.Service.Check(ctx, sc, req)
	if err != nil {
		return nil, err
	}
	link, err := h.Service.Generate(ctx, sc, order)
	if err != nil {
		return nil, err
	}
	return &answer{
		User: link.User, ActionLink: link.URL, EmailOTP: link.Code, HashedToken: link.Token,
		VerificationType: link.Type, RedirectTo: order.RedirectTo,
	}, nil
}

func (h Handler) invite(ctx context.Context, sc *tenants.Scope, req *Request) (*auth.User, error) {
	req.Type = Invite
	order, err := h.Service.Check(ctx, sc, req)
	if err != nil {
		return nil, err
	}
	return h.Service.Send(ctx, sc, order)
}
