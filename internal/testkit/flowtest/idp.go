package flowtest

import (
	"context"
	"net/url"
	"sync"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/idp"
	"github.com/reevehq/reeve/internal/connector"
	"github.com/reevehq/reeve/tenants"
)

// IDP is a connector whose users sign in at once. It stands for the providers
// where a flow is tested and not its connector.
type IDP struct {
	// EmailOptional is the project's setting.
	EmailOptional bool
	// Fail, when set, is the error of every Exchange.
	Fail error
	// During, when set, runs while the provider is asked for anything.
	During func()

	mu    sync.Mutex
	codes map[string]issued
}

type issued struct {
	login connector.Login
	start connector.Start
}

// Known is the name of the provider, Older of the same as one of OAuth 1.0a; Off
// is one that is switched off.
const (
	Known = "idp"
	Older = "older"
	Off   = "off"
)

// older needs at the callback what it returned at the begin.
type older struct{ *IDP }

// AuthorizeURL implements connector.Connector.
func (older) AuthorizeURL(context.Context, connector.Client, connector.Start) (string, error) {
	return "", connector.ErrMisconfigured
}

// Begin implements connector.Beginner.
func (o older) Begin(ctx context.Context, c connector.Client, s connector.Start) (address, kept string, err error) {
	address, err = o.IDP.AuthorizeURL(ctx, c, s)
	return address, "kept-canary/" + s.Verifier, err
}

// Exchange implements connector.Connector.
func (o older) Exchange(ctx context.Context, c connector.Client, cb connector.Callback) (*connector.Login, error) {
	if cb.Kept != "kept-canary/"+cb.Verifier {
		return nil, connector.ErrExchange
	}
	return o.IDP.Exchange(ctx, c, cb)
}

type providers struct{ f *Fixture }

// Find implements idp.Providers.
func (p providers) Find(ctx context.Context, sc *tenants.Scope, name string) (*idp.Provider, error) {
	switch name {
	case Known, Older:
		var c connector.Connector = p.f.IDP
		if name == Older {
			c = older{p.f.IDP}
		}
		return &idp.Provider{
			Name: name, Connector: c, EmailOptional: p.f.IDP.EmailOptional,
			Client: connector.Client{Project: string(sc.Tenant.Ref), ID: "client"},
		}, nil
	case Off:
		return nil, auth.ErrProviderOff
	}
	return idp.Registry{Custom: p.f.Custom}.Find(ctx, sc, name)
}

// AuthorizeURL implements connector.Connector.
func (p *IDP) AuthorizeURL(_ context.Context, _ connector.Client, s connector.Start) (string, error) {
	if p.During != nil {
		p.During()
	}
	q := url.Values{"state": {s.State}, "redirect_uri": {s.RedirectURI}, "nonce": {s.Nonce}, "verifier": {s.Verifier}}
	for name := range s.Params {
		q.Set("param_"+name, s.Params.Get(name))
	}
	q["scope"] = s.Scopes
	return "https://idp.test/authorize?" + q.Encode(), nil
}

// SignIn is a user's sign-in at the provider: it returns the code that the
// browser brings to the callback.
func (p *IDP) SignIn(authorize string, login connector.Login) (state, code string) {
	u, err := url.Parse(authorize)
	if err != nil {
		panic(err)
	}
	q := u.Query()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.codes == nil {
		p.codes = map[string]issued{}
	}
	code = uuid.NewString()
	p.codes[code] = issued{login, connector.Start{RedirectURI: q.Get("redirect_uri"), Nonce: q.Get("nonce"), Verifier: q.Get("verifier")}}
	return q.Get("state"), code
}

// Exchange implements connector.Connector: a code is redeemed once, with what
// the sign-in began with.
func (p *IDP) Exchange(_ context.Context, _ connector.Client, cb connector.Callback) (*connector.Login, error) {
	if p.During != nil {
		p.During()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.Fail != nil {
		return nil, p.Fail
	}
	got, ok := p.codes[cb.Code]
	delete(p.codes, cb.Code)
	if !ok || got.start.RedirectURI != cb.RedirectURI || got.start.Nonce != cb.Nonce || got.start.Verifier != cb.Verifier {
		return nil, connector.ErrExchange
	}
	return &got.login, nil
}

// Issue returns an ID token of a sign-in, for a nonce, that the provider accepts
// from one project.
func (p *IDP) Issue(project *Project, nonce string, login connector.Login) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.codes == nil {
		p.codes = map[string]issued{}
	}
	raw := uuid.NewString()
	p.codes[raw] = issued{login, connector.Start{State: string(project.Tenant().Ref), Nonce: nonce}}
	return raw
}

// VerifyIDToken implements connector.IDTokenVerifier.
func (p *IDP) VerifyIDToken(_ context.Context, c connector.Client, t connector.IDToken) (*connector.Profile, error) {
	if p.During != nil {
		p.During()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	got, ok := p.codes[t.Raw]
	if !ok || got.start.State != c.Project || got.start.Nonce != t.Nonce {
		return nil, connector.ErrIDToken
	}
	return &got.login.Profile, nil
}
