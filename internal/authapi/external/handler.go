package external

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/pkce"
	"github.com/reevehq/reeve/internal/authapi/redirect"
	"github.com/reevehq/reeve/internal/web"
	"github.com/reevehq/reeve/tenants"
)

// Handler serves /authorize, /callback and /user/identities/authorize.
type Handler struct{ Service Service }

// Mount adds the routes. Browsers open the first two without a key.
func (h Handler) Mount(r web.Routes) {
	r.Open.With(web.LimitProvider).GET("/authorize", web.Tenant(http.StatusOK, h.authorize))
	r.Open.With(web.LimitProvider).GET("/callback", web.Tenant(http.StatusOK, h.callback))
	r.Open.With(web.LimitProvider).POST("/callback", web.Tenant(http.StatusOK, h.posted))
	r.User.With(web.LimitProvider).GET("/user/identities/authorize", web.User(http.StatusOK, h.link))
}

// Bounds of what an app passes through to the provider.
const (
	maxParams = 32
	maxParam  = 2048 // bytes of a name or value
)

// start is the query of /authorize.
type start struct {
	provider     string
	scopes       []string
	params       url.Values
	skipRedirect bool
	pkce.Challenge
	redirect.Asked
}

// ours are the parameters that are not passed on to the provider.
var ours = map[string]bool{
	"provider": true, "scopes": true, "redirect_to": true, "skip_http_redirect": true, "apikey": true,
	"code_challenge": true, "code_challenge_method": true, "invite_token": true,
}

// BindQuery implements web.QueryBinder.
func (s *start) BindQuery(q url.Values, param func(string) string) error {
	s.provider = q.Get("provider")
	s.scopes = strings.FieldsFunc(q.Get("scopes"), func(r rune) bool { return r == ' ' || r == ',' })
	s.skipRedirect, _ = strconv.ParseBool(q.Get("skip_http_redirect"))
	s.CodeChallenge, s.CodeChallengeMethod = q.Get("code_challenge"), q.Get("code_challenge_method")
	s.params = url.Values{}
	for name, values := range q {
		if ours[name] {
			continue
		}
		if len(s.params) == maxParams || len(name) > maxParam || len(values[0]) > maxParam {
			return auth.ErrValidation.Saying("There are too many or too long parameters for the provider")
		}
		s.params.Set(name, values[0])
	}
	return s.Asked.BindQuery(q, param)
}

// begin begins a sign-in; for an owner, the linking of an identity to them.
func (s *start) begin(ctx context.Context, sc *tenants.Scope, service Service, owner *auth.Principal) (*Begun, error) {
	if s.provider == "" {
		return nil, auth.ErrValidation.Saying("Unsupported provider: a provider is required")
	}
	if err := s.Check(); err != nil {
		return nil, err
	}
	st := Start{Provider: s.provider, Scopes: s.scopes, Params: s.params, RedirectTo: s.Asked, PKCE: s.Challenge}
	if owner != nil {
		st.LinkTo, st.Session = &owner.User.ID, owner.Session.ID
	}
	return service.Begin(ctx, sc, st)
}

func (h Handler) authorize(ctx context.Context, sc *tenants.Scope, req *start) (any, error) {
	begun, err := req.begin(ctx, sc, h.Service, nil)
	if err != nil {
		return nil, err
	}
	// The SDK adds skip_http_redirect here too, for apps that open the address in a
	// browser of their own.
	return web.Redirect{Location: begun.URL, Cookies: cookiesOf(sc, begun)}, nil
}

func (h Handler) link(ctx context.Context, sc *tenants.Scope, p *auth.Principal, req *start) (any, error) {
	if !sc.Tenant.Config.ManualLinking {
		return nil, auth.ErrLinkingOff
	}
	if err := p.CheckAAL(); err != nil {
		return nil, err
	}
	begun, err := req.begin(ctx, sc, h.Service, p)
	if err != nil {
		return nil, err
	}
	if req.skipRedirect {
		return location{URL: begun.URL, cookies: cookiesOf(sc, begun)}, nil
	}
	return web.Redirect{Location: begun.URL, Cookies: cookiesOf(sc, begun)}, nil
}

// location is the answer to an app that opens the address itself.
type location struct {
	URL     string `json:"url"`
	cookies []*http.Cookie
}

// SetHeaders implements web.HeaderSetter.
func (l location) SetHeaders(h http.Header) {
	for _, c := range l.cookies {
		h.Add("Set-Cookie", c.String())
	}
}

func cookiesOf(sc *tenants.Scope, b *Begun) []*http.Cookie {
	return []*http.Cookie{cookie(sc, b.State, b.Cookie, b.Posted)}
}

// cookieName is different for each flow, so that sign-ins in several tabs do not
// disturb each other.
func cookieName(state uuid.UUID) string { return "reeve-flow-" + state.String()[:8] }

// cookie binds a flow to the browser. It is sent to the callback only. A provider
// that posts a form from its own site needs SameSite=None, which browsers accept
// with Secure only.
func cookie(sc *tenants.Scope, state uuid.UUID, value string, posts bool) *http.Cookie {
	u, _ := url.Parse(redirectURI(sc)) // the project's own address
	c := &http.Cookie{                 //nolint:gosec // Secure where browsers reach the project by https
		Name: cookieName(state), Value: value, Path: u.Path, MaxAge: int(stateTTL / time.Second),
		HttpOnly: true, Secure: u.Scheme == "https", SameSite: http.SameSiteLaxMode,
	}
	if posts && c.Secure {
		c.SameSite = http.SameSiteNoneMode
	}
	if value == "" {
		c.MaxAge = -1
	}
	return c
}
