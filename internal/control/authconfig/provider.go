package authconfig

import (
	"context"
	"net/http"
	"strings"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authz"
	"github.com/reevehq/reeve/internal/connector"
	"github.com/reevehq/reeve/internal/connector/trial"
	"github.com/reevehq/reeve/internal/control/text"
	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/internal/setting"
	"github.com/reevehq/reeve/internal/web/control"
	"github.com/reevehq/reeve/tenants"
)

// ErrNoProvider is returned for a provider that Reeve does not know, or that the
// project has not defined.
var ErrNoProvider = fault.New(fault.NotFound, "provider_not_found", "Provider not found")

// Registration is a project's registration at an identity provider.
type Registration struct {
	Connector connector.Connector
	Client    connector.Client
	Enabled   bool
}

func (h *Handler) mountProvider(api control.API, path string) {
	control.Register(api, control.Operation{
		ID: "test-provider", Method: http.MethodPost, Path: path + "/providers/{name}/test", Tag: "Auth configuration",
		Summary: "Ask an identity provider whether the project's registration there can work, with settings that need not be saved yet",
	}, h.testProvider)
}

type providerInput struct {
	Ref  string `path:"ref"`
	Name string `path:"name" maxLength:"100" doc:"Such as google, or custom:acme."`
	Body struct {
		Config control.Object `json:"config,omitempty" doc:"Changes of the auth configuration to test with. The saved secret counts if it is left out, but is sent to the saved address only."`
	}
}

// ProviderTest is what came of the checks.
type ProviderTest struct {
	Provider    string          `json:"provider"`
	Enabled     bool            `json:"enabled"`
	CallbackURL string          `json:"callback_url" doc:"The address to register at the provider."`
	Missing     []string        `json:"missing" doc:"Settings that sign-ins need and that are empty. The provider is not asked then."`
	OK          bool            `json:"ok" doc:"Nothing is missing, and no check failed."`
	Checks      []ProviderCheck `json:"checks"`
}

// ProviderCheck is a check of a provider.
type ProviderCheck struct {
	Name   string `json:"name" enum:"authorize,token" doc:"authorize: the page for browsers, by the discovery document where there is one. token: client id and secret."`
	Status string `json:"status" enum:"passed,warning,failed,skipped"`
	Detail string `json:"detail" doc:"What the provider answered, in words."`
}

func (h *Handler) testProvider(ctx context.Context, actor control.Actor, in *providerInput) (*ProviderTest, error) {
	s := h.Service
	p, err := s.Authz.Project(ctx, actor, authz.WriteAuthConfig, in.Ref)
	if err != nil {
		return nil, err
	}
	custom := strings.HasPrefix(in.Name, auth.CustomPrefix)
	if _, known := (&setting.Config{}).Provider(in.Name); !known && !custom {
		return nil, ErrNoProvider
	}
	v, err := s.triedProvider(ctx, actor, in)
	if err != nil {
		return nil, err
	}
	out := &ProviderTest{
		Provider: in.Name, CallbackURL: s.Trials.Issuer(p.Ref) + "/callback", Missing: texts(v.config.MissingOf(in.Name, v.secrets)), Checks: []ProviderCheck{},
	}
	if len(out.Missing) > 0 {
		registered, _ := v.config.Provider(in.Name)
		out.Enabled = registered.Enabled
		return out, nil
	}
	if err := s.allow(ctx, actor, p.Ref); err != nil {
		return nil, err
	}
	r, err := s.Trials.Registration(ctx, p.Ref, in.Name, &v.config, v.secrets)
	if err != nil {
		return nil, err
	}
	out.Enabled, out.OK = r.Enabled, true
	for _, c := range trial.Run(ctx, s.Trials.HTTP, r.Connector, r.Client, out.CallbackURL) {
		out.Checks = append(out.Checks, ProviderCheck{Name: c.Name, Status: string(c.Status), Detail: c.Detail})
		out.OK = out.OK && c.Status != trial.Failed
	}
	control.Outcome(ctx, map[string]any{"provider": in.Name, "ok": out.OK})
	return out, nil
}

// triedProvider returns the values to test a provider with. A patch that only is in
// progress may have it switched on already: what is missing is told, not refused.
func (s *Service) triedProvider(ctx context.Context, actor authz.Actor, in *providerInput) (values, error) {
	prefix := "external_" + in.Name + "_"
	for name := range in.Body.Config {
		if declared, ok := setting.ByName(name); !ok || declared.Provider() != in.Name {
			return values{}, text.Invalid("%s: is no setting of the provider", name)
		}
	}
	saved, err := s.pending(ctx, actor, authz.WriteAuthConfig, in.Ref, nil)
	if err != nil || len(in.Body.Config) == 0 {
		return saved, err
	}
	patch := control.Object{}
	for name, value := range in.Body.Config {
		if name != prefix+"enabled" {
			patch[name] = value
		}
	}
	on := in.Body.Config[prefix+"enabled"]
	if err := s.check(ctx, control.Object{prefix + "enabled": on}); err != nil {
		return values{}, err
	}
	v, err := s.pendingWith(ctx, in.Ref, patch, control.Object{prefix + "enabled": false})
	if err != nil {
		return values{}, err
	}
	if given, _ := patch[prefix+"secret"].(string); v.secrets[prefix+"secret"] != "" && given != v.secrets[prefix+"secret"] {
		before, _ := saved.config.Provider(in.Name)
		after, _ := v.config.Provider(in.Name)
		if before.URL != after.URL {
			return values{}, text.Invalid("%ssecret: is required for another address than the saved one", prefix)
		}
	}
	enabled, ok := on.(bool)
	if _, named := in.Body.Config[prefix+"enabled"]; !named {
		before, _ := saved.config.Provider(in.Name)
		enabled, ok = before.Enabled, true
	}
	if declared, found := setting.ByName(prefix + "enabled"); found && ok {
		declared.Set(&v.config, enabled)
	}
	return v, nil
}

// registration is Trials.Registration.
type registration func(ctx context.Context, ref tenants.Ref, name string, c *setting.Config, secrets setting.Secrets) (Registration, error)
