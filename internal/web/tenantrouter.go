package web

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/internal/keyusage"
	"github.com/reevehq/reeve/internal/projectlog"
	"github.com/reevehq/reeve/internal/ratelimit"
	"github.com/reevehq/reeve/internal/usage"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// TenantRouter finds the tenant of a request and checks its API key.
type TenantRouter struct {
	Router   *tenants.Router
	Hasher   tenants.KeyHasher
	Database func(*tenants.Tenant) *tenantdb.DB
	Proxies  ratelimit.Proxies
	Log      *projectlog.Log
	Usage    *usage.Counters
	Keys     *keyusage.Counters
	Now      func() time.Time
}

// RouteTenant finds the project by host, path or key and sets the request's
// scope: 404 unknown, 503 paused, 401 when host, path and key disagree.
func (t TenantRouter) RouteTenant() gin.HandlerFunc { return t.route(t.Router.Resolve) }

// RouteAny is RouteTenant for routes that paused projects answer too.
func (t TenantRouter) RouteAny() gin.HandlerFunc { return t.route(t.Router.ResolvePaused) }

func (t TenantRouter) route(resolve func(context.Context, tenants.Address, string) (*tenants.Tenant, error)) gin.HandlerFunc {
	return func(c *gin.Context) {
		address, err := t.Router.Address(c.Request.Host, c.Request.URL.Path)
		if err != nil {
			writeError(c, err)
			return
		}
		tenant, err := resolve(c.Request.Context(), address, tenants.PresentedKey(apiKey(c.Request), c.GetHeader("Authorization")))
		client := t.Proxies.Client(c.Request)
		if err != nil {
			if refused := (*tenants.RefusedError)(nil); errors.As(err, &refused) {
				c.Set(projectLogKey, newProjectLog(c, t.Log, refused.Ref, client))
				c.Set(usageKey, t.counted(refused.Ref))
			}
			writeError(c, err)
			return
		}
		c.Set(projectLogKey, newProjectLog(c, t.Log, tenant.Ref, client))
		counters := t.counted(tenant.Ref)
		c.Set(usageKey, counters)
		c.Set(scopeKey, &tenants.Scope{
			Tenant:    tenant,
			DB:        t.Database(tenant),
			ClientIP:  client,
			UserAgent: UserAgent(c.Request),
			RequestID: requestID(c),
			Log:       projectLog(c),
			Usage:     counters,
		})
	}
}

// counted counts a request to a project and returns the project's counters.
func (t TenantRouter) counted(ref tenants.Ref) usage.Project {
	p := t.Usage.Project(string(ref))
	p.Count(usage.Requests, "")
	return p
}

// countRefusal counts an error in the usage of the request's project.
func countRefusal(c *gin.Context, f *fault.Error) {
	code := f.Code
	if f.Kind == fault.Internal {
		code = errUnexpected.Code
	}
	if p, ok := c.Keys[usageKey].(usage.Project); ok {
		p.Count(usage.Refusals, code)
	}
}

// maxUserAgent bounds what is stored of a User-Agent.
const maxUserAgent = 512

// UserAgent is the header without bytes that cannot be stored.
func UserAgent(r *http.Request) string {
	return strings.ToValidUTF8(cut(r.UserAgent(), maxUserAgent), "")
}

// RequireKey checks the API key: publishable, secret, or legacy if these are
// enabled.
func (t TenantRouter) RequireKey() gin.HandlerFunc { return t.key(true) }

// OptionalKey is for open routes, such as links in mails; a key, if sent, must
// be valid.
func (t TenantRouter) OptionalKey() gin.HandlerFunc { return t.key(false) }

func (t TenantRouter) key(required bool) gin.HandlerFunc {
	var soon expiring
	return func(c *gin.Context) {
		sc := scope(c)
		key, authorization := apiKey(c.Request), c.GetHeader("Authorization")
		if !required && tenants.PresentedKey(key, authorization) == "" {
			return
		}
		creds, err := sc.Tenant.Authenticate(t.Hasher, t.Now(), key, authorization, tenants.LooksLikeBrowser(c.Request.Header))
		if err != nil {
			writeError(c, err)
			return
		}
		if creds.Key != nil && !creds.Key.AllowsClient(sc.ClientIP) {
			writeError(c, tenants.ErrKeyNetwork)
			return
		}
		sc.Credentials = creds
		now := t.Now()
		soon.check(c.Request.Context(), sc, creds.Key, now)
		id := string(creds.Role) // of a legacy key
		if creds.Key != nil {
			id = creds.Key.ID
		}
		t.Keys.Count(string(sc.Tenant.Ref), id, now, sc.ClientIP, c.Request.UserAgent(), c.GetHeader("X-Client-Info"))
		if forwarded, ok := forwardedFor(c.Request, sc); ok {
			sc.ClientIP = forwarded
		}
	}
}

// forwardedFor reads Sb-Forwarded-For: a server with a secret key names the
// client that it acts for, if the project allows that.
func forwardedFor(r *http.Request, sc *tenants.Scope) (netip.Addr, bool) {
	h := r.Header.Get("Sb-Forwarded-For")
	if h == "" || !sc.Tenant.Config.SBForwardedFor || sc.Role != tenants.RoleService || (sc.Key != nil && !sc.Key.Allows(tenants.ScopeServer)) {
		return netip.Addr{}, false
	}
	addr, err := netip.ParseAddr(h)
	return addr.Unmap().WithZone(""), err == nil
}

// apiKey is the key of the apikey header, or of the query for clients that
// cannot set headers. The query must not have a secret key: URLs end up in logs
// and histories.
func apiKey(r *http.Request) string {
	if k := r.Header.Get("apikey"); k != "" {
		return k
	}
	if r.URL.RawQuery == "" {
		return ""
	}
	k := r.URL.Query().Get("apikey")
	if strings.HasPrefix(k, tenants.KeySecret.Prefix()) {
		return ""
	}
	return k
}

func scope(c *gin.Context) *tenants.Scope { return c.MustGet(scopeKey).(*tenants.Scope) }

func refOf(sc any) tenants.Ref {
	if sc, ok := sc.(*tenants.Scope); ok && sc != nil {
		return sc.Tenant.Ref
	}
	return ""
}

func cut(s string, n int) string {
	if len(s) > n {
		return s[:n]
	}
	return s
}
