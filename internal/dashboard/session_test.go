package dashboard_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/reevehq/reeve/internal/dashboard"
	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/internal/testkit"
	"github.com/reevehq/reeve/internal/testkit/flowtest"
	"github.com/reevehq/reeve/tenants"
)

func TestMain(m *testing.M) { testkit.Main(m) }

const origin = "https://reeve.example.com"

// world is an installation whose platform project is A.
type world struct {
	*flowtest.Fixture
	dashboard.Handler
}

func start(t *testing.T) *world {
	t.Helper()
	w := &world{Fixture: flowtest.New(t, func(c *tenants.Config) { c.MailerAutoconfirm, c.JWTExp = true, 300 })}
	w.Handler = dashboard.Handler{
		Service: dashboard.Service{Verifier: w.Verifier, Sessions: w.Sessions, Limiter: w.Limiter, Now: w.Clock.Now},
		Cookies: dashboard.NewCookies(origin), Guard: dashboard.NewGuard(origin),
		Main:  func(host string) bool { return host == "reeve.example.com" },
		Scope: func(*http.Request) (*tenants.Scope, error) { return w.A.Scope(), nil },
	}
	return w
}

// browser has the cookies of one browser.
type browser struct {
	*world
	cookies map[string]*http.Cookie
}

func (w *world) browser() *browser { return &browser{w, map[string]*http.Cookie{}} }

// copied is another browser with the same cookies.
func (b *browser) copied() *browser {
	out := b.world.browser()
	for name, c := range b.cookies {
		out.cookies[name] = c
	}
	return out
}

// send sends a request of a page of the main host, and keeps the cookies.
func (b *browser) send(t *testing.T, method, path, body string, headers ...string) (*http.Response, string) {
	t.Helper()
	r := httptest.NewRequest(method, origin+path, strings.NewReader(body))
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, c := range b.cookies {
		if strings.HasPrefix(path, c.Path) {
			r.AddCookie(c)
		}
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Del(headers[i])
		if headers[i+1] != "" {
			r.Header.Add(headers[i], headers[i+1])
		}
	}
	handle := map[string]func(http.ResponseWriter, *http.Request) error{
		"GET " + dashboard.Path: b.Show, "POST " + dashboard.Path: b.Begin, "DELETE " + dashboard.Path: b.End,
		"POST " + dashboard.RefreshPath: b.Refresh,
	}[method+" "+path]
	rec := httptest.NewRecorder()
	if err := handle(rec, r); err != nil {
		rec.Code = map[fault.Kind]int{
			fault.Unauthorized: 401, fault.Forbidden: 403, fault.NotFound: 404, fault.Invalid: 400, fault.TooMany: 429, fault.UnsupportedMedia: 415, fault.TooLarge: 413,
		}[fault.From(err).Kind]
		rec.Body.WriteString(fault.From(err).Code)
	}
	res := rec.Result()
	for _, c := range res.Cookies() {
		b.cookies[c.Name] = c
		if c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		}
	}
	return res, rec.Body.String()
}

// want sends a request and checks the status.
func (b *browser) want(t *testing.T, status int, method, path string, headers ...string) string {
	t.Helper()
	res, body := b.send(t, method, path, "", headers...)
	if res.StatusCode != status {
		t.Fatalf("%s %s: %d %s, want %d", method, path, res.StatusCode, body, status)
	}
	return body
}

// begin exchanges tokens for cookies.
func (b *browser) begin(t *testing.T, access, refresh string) (*http.Response, string) {
	t.Helper()
	raw, err := json.Marshal(map[string]string{"access_token": access, "refresh_token": refresh})
	if err != nil {
		t.Fatal(err)
	}
	return b.send(t, "POST", dashboard.Path, string(raw))
}

// signedIn is a browser in which ann is signed in.
func (w *world) signedIn(t *testing.T) *browser {
	t.Helper()
	s, b := w.A.SignIn(t, "ann@example.com", "password123"), w.browser()
	if res, body := b.begin(t, s.Access, s.Refresh); res.StatusCode != 200 {
		t.Fatalf("begin: %d %s", res.StatusCode, body)
	}
	return b
}

func (w *world) sessions(t *testing.T) int { return w.A.Count(t, "SELECT count(*) FROM auth.sessions") }

const (
	accessName  = "__Host-reeve-access"
	refreshName = "__Secure-reeve-refresh"
)

// The cookies are what browsers bind to the host, and no answer has a token.
func TestBegin(t *testing.T) {
	t.Parallel()
	w := start(t)
	s := w.A.SignUp(t, "ann@example.com", "password123")
	// A browser drops a cookie of more than 4 KB.
	w.A.Do(t, "PUT", "/user", flowtest.M{"data": flowtest.M{"long": strings.Repeat("x", 20_000)}}, flowtest.User(s.Access)).Want(200)
	s = w.A.SignIn(t, "ann@example.com", "password123")
	b := w.browser()
	b.want(t, 401, "GET", dashboard.Path)
	res, body := b.begin(t, s.Access, s.Refresh)
	if res.StatusCode != 200 || res.Header.Get("Cache-Control") != "no-store" || !strings.Contains(body, `"email":"ann@example.com"`) || !strings.Contains(body, s.UserID) {
		t.Fatalf("%d %v %s", res.StatusCode, res.Header, body)
	}
	for name, path := range map[string]string{accessName: "/", refreshName: dashboard.Path} {
		c := b.cookies[name]
		if c == nil || !c.HttpOnly || !c.Secure || c.SameSite != http.SameSiteStrictMode || c.Domain != "" || c.Path != path || c.MaxAge <= 0 || len(c.String()) > 4000 {
			t.Fatalf("%s: %+v", name, c)
		}
		if strings.Contains(body, c.Value) {
			t.Errorf("%s is in the body", name)
		}
	}
	if got := b.want(t, 200, "GET", dashboard.Path); !strings.Contains(got, s.UserID) || strings.Contains(got, "eyJ") {
		t.Errorf("%s", got)
	}
	if n := w.sessions(t); n != 2 {
		t.Errorf("%d sessions: the exchange must begin none", n)
	}
	plain := dashboard.NewCookies("http://localhost:8000")
	r := httptest.NewRequest("GET", "http://localhost:8000/", nil)
	r.Header.Set("Cookie", "reeve-access-8000=x")
	if plain.Access(r) != "x" {
		t.Error("the cookie of a development server")
	}
}

func TestBeginRefused(t *testing.T) {
	t.Parallel()
	w := start(t)
	ann, ben := w.A.SignUp(t, "ann@example.com", "password123"), w.A.SignUp(t, "ben@example.com", "password123")
	other := w.B.SignUp(t, "ann@example.com", "password123")
	w.A.Configure(func(c *tenants.Config) { c.AnonymousUsers, c.RateLimitAnonymous = true, 1000 })
	nobody := w.A.Do(t, "POST", "/signup", flowtest.M{}).Want(200).Session()
	for name, c := range map[string][2]string{
		"no tokens":                     {"", ""},
		"no refresh token":              {ann.Access, ""},
		"no access token":               {"", ann.Refresh},
		"another's refresh token":       {ann.Access, ben.Refresh},
		"another project's tokens":      {other.Access, other.Refresh},
		"another project's refresh":     {ann.Access, other.Refresh},
		"an anonymous user":             {nobody.Access, nobody.Refresh},
		"an access token of the API":    {"sbp_" + strings.Repeat("0", 40), ann.Refresh},
		"the access token as refresh":   {ann.Access, ann.Access},
		"something long":                {strings.Repeat("x", 100<<10), ann.Refresh},
		"a line end in the token":       {ann.Access + "\n", ann.Refresh},
		"an access token that is wrong": {ann.Access[:len(ann.Access)-4] + "AAAA", ann.Refresh},
	} {
		b := w.browser()
		res, body := b.begin(t, c[0], c[1])
		if res.StatusCode != 401 || body != "unauthorized" || len(res.Cookies()) != 0 {
			t.Errorf("%s: %d %s %v", name, res.StatusCode, body, res.Cookies())
		}
	}
	b := w.browser()
	for body, status := range map[string]int{`{`: 400, `[]`: 400, `{"access_token":1}`: 400, `{"access_token":"` + strings.Repeat("x", 200<<10) + `"}`: 413} {
		if res, got := b.send(t, "POST", dashboard.Path, body); res.StatusCode != status {
			t.Errorf("%.30s: %d %s", body, res.StatusCode, got)
		}
	}
	if res, _ := b.send(t, "POST", dashboard.Path, "access_token=x", "Content-Type", "application/x-www-form-urlencoded"); res.StatusCode != 415 {
		t.Errorf("a form: %d", res.StatusCode)
	}
	w.A.Exec(t, `UPDATE auth.users SET banned_until = now() + interval '1 hour' WHERE email = 'ann@example.com'`)
	if res, body := b.begin(t, ann.Access, ann.Refresh); res.StatusCode != 401 {
		t.Errorf("a banned user: %d %s", res.StatusCode, body)
	}
}

// The access token expires after the project's jwt_exp, and the session goes on.
func TestRefresh(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.A.SignUp(t, "ann@example.com", "password123")
	b := w.signedIn(t)
	for range 3 {
		w.Clock.Advance(301 * time.Second)
		b.want(t, 401, "GET", dashboard.Path)
		before := *b.cookies[refreshName]
		if body := b.want(t, 200, "POST", dashboard.RefreshPath); !strings.Contains(body, "expires_at") || strings.Contains(body, b.cookies[refreshName].Value) {
			t.Errorf("%s", body)
		}
		if b.cookies[refreshName].Value == before.Value {
			t.Error("the refresh token did not rotate")
		}
		b.want(t, 200, "GET", dashboard.Path)
	}
	w.Clock.Advance(6 * 24 * time.Hour)
	b.want(t, 200, "POST", dashboard.RefreshPath)
	w.Clock.Advance(8 * 24 * time.Hour) // beyond the age of the cookies
	b.want(t, 401, "POST", dashboard.RefreshPath)
	if len(b.cookies) != 0 {
		t.Errorf("it keeps %v", b.cookies)
	}
}

// Many tabs refresh at once: all go on, with one next token.
func TestRefreshAtOnce(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.A.SignUp(t, "ann@example.com", "password123")
	b := w.signedIn(t)
	w.Clock.Advance(301 * time.Second)
	tabs := make([]*browser, 8)
	var wg sync.WaitGroup
	for i := range tabs {
		tabs[i] = b.copied()
		wg.Go(func() { tabs[i].want(t, 200, "POST", dashboard.RefreshPath) })
	}
	wg.Wait()
	for _, tab := range tabs {
		if tab.cookies[refreshName].Value != tabs[0].cookies[refreshName].Value {
			t.Error("the tabs have different tokens")
		}
		tab.want(t, 200, "GET", dashboard.Path)
	}
	w.Clock.Advance(time.Hour)
	tabs[3].want(t, 200, "POST", dashboard.RefreshPath)
}

// A refresh token that somebody copied ends the session once it is used beside
// the browser's own.
func TestRefreshReplayed(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.A.SignUp(t, "ann@example.com", "password123")
	b := w.signedIn(t)
	thief := b.copied()
	for range 2 {
		w.Clock.Advance(time.Minute)
		b.want(t, 200, "POST", dashboard.RefreshPath)
	}
	w.Clock.Advance(time.Minute)
	thief.want(t, 401, "POST", dashboard.RefreshPath)
	b.want(t, 401, "GET", dashboard.Path)
	b.want(t, 401, "POST", dashboard.RefreshPath)
	if n := w.A.Count(t, "SELECT count(*) FROM auth.audit_log_entries WHERE payload->>'action' = 'token_revoked'"); n != 1 {
		t.Errorf("%d entries tell of it", n)
	}
}

// A refresh token counts only together with the access token of its session:
// another host of the site can add the one and not the other.
func TestRefreshBound(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.A.SignUp(t, "ann@example.com", "password123")
	w.A.SignUp(t, "eve@example.com", "password123")
	b := w.signedIn(t)
	s := w.A.SignIn(t, "eve@example.com", "password123")
	tossed := func(values ...string) string {
		header := accessName + "=" + b.cookies[accessName].Value
		for _, v := range values {
			header += "; " + refreshName + "=" + v
		}
		return header
	}
	res, body := b.send(t, "POST", dashboard.RefreshPath, "", "Cookie", tossed(s.Refresh, "x", b.cookies[refreshName].Value))
	if res.StatusCode != 200 || !strings.Contains(body, "ann@example.com") {
		t.Errorf("with tokens that another host added: %d %s", res.StatusCode, body)
	}
	for name, header := range map[string]string{
		"another's token":    tossed(s.Refresh),
		"no token":           tossed(),
		"no access token":    refreshName + "=" + b.cookies[refreshName].Value,
		"another's access":   accessName + "=" + s.Access + "; " + refreshName + "=" + b.cookies[refreshName].Value,
		"a forged access":    accessName + "=" + b.cookies[accessName].Value + "x; " + refreshName + "=" + b.cookies[refreshName].Value,
		"the names of http":  "reeve-access=" + b.cookies[accessName].Value + "; reeve-refresh=" + b.cookies[refreshName].Value,
		"exchanged by names": refreshName + "=" + b.cookies[accessName].Value + "; " + accessName + "=" + b.cookies[refreshName].Value,
	} {
		if res, body := b.copied().send(t, "POST", dashboard.RefreshPath, "", "Cookie", header); res.StatusCode != 401 {
			t.Errorf("%s: %d %s", name, res.StatusCode, body)
		}
	}
	b.want(t, 200, "GET", dashboard.Path)
}

// Signing out ends the session in the platform project, and only it, even when
// the access token has expired.
func TestEnd(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.A.SignUp(t, "ann@example.com", "password123")
	w.A.Exec(t, "DELETE FROM auth.sessions")
	for name, later := range map[string]time.Duration{"at once": 0, "after the access token expired": time.Hour} {
		b, stays := w.signedIn(t), w.signedIn(t)
		copied := b.copied()
		w.Clock.Advance(later)
		b.want(t, 204, "DELETE", dashboard.Path)
		if len(b.cookies) != 0 {
			t.Errorf("%s: it keeps %v", name, b.cookies)
		}
		copied.want(t, 401, "GET", dashboard.Path)
		copied.want(t, 401, "POST", dashboard.RefreshPath)
		stays.want(t, 200, "POST", dashboard.RefreshPath)
		b.want(t, 204, "DELETE", dashboard.Path) // again
		stays.want(t, 204, "DELETE", dashboard.Path)
		if n := w.sessions(t); n != 0 {
			t.Errorf("%s: %d sessions are left", name, n)
		}
	}
	// A token of another project, or a forged one, ends nothing.
	b, other := w.signedIn(t), w.B.SignUp(t, "ann@example.com", "password123")
	access := b.cookies[accessName].Value
	for _, value := range []string{other.Access, "x", access[:len(access)-4] + "AAAA"} {
		if res, body := w.browser().send(t, "DELETE", dashboard.Path, "", "Cookie", accessName+"="+value); res.StatusCode != 204 {
			t.Errorf("%d %s", res.StatusCode, body)
		}
	}
	b.want(t, 200, "GET", dashboard.Path)
}

// Who may no longer sign in is out with the next request.
func TestOut(t *testing.T) {
	t.Parallel()
	w := start(t)
	for name, sql := range map[string]string{
		"banned":                  `UPDATE auth.users SET banned_until = now() + interval '1 day' WHERE email = 'ann@example.com'`,
		"deleted softly":          `UPDATE auth.users SET deleted_at = now() WHERE email = 'ann@example.com'`,
		"deleted":                 `DELETE FROM auth.users WHERE email = 'ann@example.com'`,
		"signed out elsewhere":    `DELETE FROM auth.sessions`,
		"with a second factor":    `INSERT INTO auth.mfa_factors (id, user_id, factor_type, status, created_at, updated_at, secret) SELECT gen_random_uuid(), id, 'totp', 'verified', now(), now(), 'x' FROM auth.users WHERE email = 'ann@example.com'`,
		"of a session that ended": `UPDATE auth.sessions SET not_after = now() - interval '1 minute'`,
	} {
		w.A.Exec(t, `DELETE FROM auth.users`)
		w.A.SignUp(t, "ann@example.com", "password123")
		b := w.signedIn(t)
		w.A.Exec(t, sql)
		b.want(t, 401, "GET", dashboard.Path)
		b.want(t, 401, "POST", dashboard.RefreshPath)
		if len(b.cookies) != 0 {
			t.Errorf("%s: it keeps %v", name, b.cookies)
		}
	}
}

// A client that guesses is limited.
func TestLimit(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.A.Configure(func(c *tenants.Config) { c.RateLimitTokenRefresh = 5 })
	b := w.browser()
	var statuses []int
	for range 7 {
		res, _ := b.begin(t, "x", "y")
		statuses = append(statuses, res.StatusCode)
	}
	if statuses[4] != 401 || statuses[5] != 429 || statuses[6] != 429 {
		t.Errorf("%v", statuses)
	}
}

// Requests that pages of the main host did not send are refused, whatever they
// ask for.
func TestGuard(t *testing.T) {
	t.Parallel()
	guard := dashboard.NewGuard(origin)
	for name, c := range map[string]struct {
		site, origin, host string
		reads, writes      bool
	}{
		"a page":                             {"same-origin", origin, "reeve.example.com", true, true},
		"a page that reads":                  {"same-origin", "", "reeve.example.com", true, true},
		"a person":                           {"none", "", "reeve.example.com", true, true},
		"an older browser":                   {"", origin, "reeve.example.com", true, true},
		"behind a proxy with another host":   {"", origin, "10.0.0.1:8000", true, true},
		"nothing says who":                   {"", "", "reeve.example.com", true, false},
		"another site":                       {"cross-site", "https://evil.example", "reeve.example.com", false, false},
		"another site without an origin":     {"cross-site", "", "reeve.example.com", false, false},
		"another site that lies":             {"cross-site", origin, "reeve.example.com", false, false},
		"a project's host":                   {"same-site", "https://abc.reeve.example.com", "reeve.example.com", false, false},
		"a project's host, older":            {"", "https://abc.reeve.example.com", "reeve.example.com", false, false},
		"another origin, older":              {"", "https://evil.example", "reeve.example.com", false, false},
		"a sandboxed page":                   {"cross-site", "null", "reeve.example.com", false, false},
		"a sandboxed page, older":            {"", "null", "reeve.example.com", false, false},
		"an origin that does not fit":        {"same-origin", "https://evil.example", "reeve.example.com", false, false},
		"null that does not fit":             {"same-origin", "null", "reeve.example.com", false, false},
		"the host without TLS":               {"", "http://reeve.example.com", "reeve.example.com", false, false},
		"another port":                       {"", "https://reeve.example.com:8443", "reeve.example.com", false, false},
		"a longer name":                      {"", origin + ".evil.example", "reeve.example.com", false, false},
		"an unknown value":                   {"same", "", "reeve.example.com", false, false},
		"a value in other letters":           {"Same-Origin", "", "reeve.example.com", false, false},
		"a person, with an origin of others": {"none", "https://evil.example", "reeve.example.com", false, false},
	} {
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} {
			r := httptest.NewRequest(method, origin+"/", nil)
			r.Host = c.host
			for name, value := range map[string]string{"Sec-Fetch-Site": c.site, "Origin": c.origin} {
				if value != "" {
					r.Header.Set(name, value)
				}
			}
			want := c.writes
			if method == "GET" || method == "HEAD" {
				want = c.reads
			}
			if err := guard.Check(r); (err == nil) != want {
				t.Errorf("%s, %s: %v", name, method, err)
			}
		}
	}
}
