package authconfig

import (
	"context"
	"net/http"

	"github.com/reevehq/reeve/internal/authapi/redirect"
	"github.com/reevehq/reeve/internal/authz"
	"github.com/reevehq/reeve/internal/web/control"
)

func (h *Handler) mountRedirect(api control.API, path string) {
	control.Register(api, control.Operation{
		ID: "test-redirect", Method: http.MethodPost, Path: path + "/test-redirect", Tag: "Auth configuration", Reads: true,
		Summary: "Tell whether users may be sent to a URL, and by which setting. Changes that are not saved yet can be given",
	}, h.testRedirect)
}

type redirectInput struct {
	Ref  string `path:"ref"`
	Body struct {
		RedirectTo string         `json:"redirect_to" minLength:"1" maxLength:"8192" doc:"The URL as a request would have it."`
		Config     control.Object `json:"config,omitempty" doc:"Changes of the auth configuration to test with."`
	}
}

// RedirectTest says whether users may be sent to a URL.
type RedirectTest struct {
	Allowed    bool              `json:"allowed"`
	By         *int              `json:"by" doc:"The index in patterns of the first that allows the URL; null if none does."`
	Target     string            `json:"target" doc:"Where a user is sent: the URL, or the site URL if it is not allowed."`
	Normalized string            `json:"normalized" doc:"The URL as browsers request it; empty if it is refused."`
	Refused    string            `json:"refused" doc:"Why the URL is refused whatever the patterns are; empty if it is not."`
	Patterns   []RedirectPattern `json:"patterns" doc:"The site URL, then the entries of the allow list."`
	Warnings   []string          `json:"warnings" doc:"About the URL."`
}

// RedirectPattern is a pattern that a URL was compared with.
type RedirectPattern struct {
	Setting  string   `json:"setting" enum:"site_url,uri_allow_list"`
	Entry    int      `json:"entry" doc:"Which entry of uri_allow_list, from 1; 0 for the site URL."`
	Pattern  string   `json:"pattern"`
	Matches  bool     `json:"matches"`
	Reason   string   `json:"reason" doc:"The first part that does not match; empty if all do."`
	Warnings []string `json:"warnings" doc:"What is dangerous about the pattern."`
}

func (h *Handler) testRedirect(ctx context.Context, actor control.Actor, in *redirectInput) (*RedirectTest, error) {
	v, err := h.Service.pending(ctx, actor, authz.ReadAuthConfig, in.Ref, in.Body.Config)
	if err != nil {
		return nil, err
	}
	verdict := redirect.Explain(&v.config, in.Body.RedirectTo)
	out := &RedirectTest{
		Allowed: verdict.Allowed, Target: verdict.Target, Normalized: verdict.Normalized, Refused: verdict.Refused,
		Warnings: texts(verdict.Warnings),
	}
	if verdict.Allowed {
		out.By = &verdict.By
	}
	for i, p := range verdict.Patterns {
		tried := RedirectPattern{
			Setting: "uri_allow_list", Entry: i, Pattern: p.Pattern, Matches: p.Mismatch == "", Reason: p.Mismatch, Warnings: texts(p.Warnings),
		}
		if p.Site {
			tried.Setting = "site_url"
		}
		out.Patterns = append(out.Patterns, tried)
	}
	return out, nil
}

// texts is a list that is [] in JSON when it is empty.
func texts(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}
