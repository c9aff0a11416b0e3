package external_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/connector"
	"github.com/reevehq/reeve/internal/testkit"
	"github.com/reevehq/reeve/internal/testkit/flowtest"
	"github.com/reevehq/reeve/tenants"
)

type m = flowtest.M

func TestMain(m *testing.M) { testkit.Main(m) }

func settings(c *tenants.Config) {
	c.SiteURL, c.URIAllowList, c.ManualLinking = "https://app.example.com", "https://app.example.com/**", true
}

const app = "https://app.example.com/welcome"

// ann signs in at the provider.
func ann(subject, email string, verified bool) connector.Login {
	return connector.Login{
		Profile: connector.Profile{Subject: subject, Email: email, EmailVerified: verified, Data: m{
			"sub": subject, "email": email, "email_verified": verified, "name": "Ann",
		}},
		AccessToken: "provider-access-canary", RefreshToken: "provider-refresh-canary",
	}
}

// browser is one browser's cookies for the projects.
type browser struct{ cookies map[string]*http.Cookie }

func newBrowser() *browser { return &browser{cookies: map[string]*http.Cookie{}} }

func (b *browser) send(r *http.Request) {
	for _, c := range b.cookies {
		if c.SameSite == http.SameSiteStrictMode && r.Header.Get("Sec-Fetch-Site") == "cross-site" {
			continue
		}
		r.AddCookie(c)
	}
}

func (b *browser) open(t *testing.T, p *flowtest.Project, method, path string, body any, options ...flowtest.Option) *flowtest.Response {
	t.Helper()
	res := p.Do(t, method, path, body, append(append([]flowtest.Option{flowtest.Key("")}, options...), b.send)...)
	for _, c := range (&http.Response{Header: res.Header}).Cookies() {
		if c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		} else {
			b.cookies[c.Name] = c
		}
	}
	return res
}

// begin opens /authorize and returns the provider's address.
func (b *browser) begin(t *testing.T, p *flowtest.Project, query string) string {
	t.Helper()
	return b.open(t, p, "GET", "/authorize?provider="+flowtest.Known+"&redirect_to="+url.QueryEscape(app)+query, nil).Want(303).Header.Get("Location")
}

// signIn begins, signs in at the provider and opens the callback.
func (b *browser) signIn(t *testing.T, f *flowtest.Fixture, p *flowtest.Project, query string, login connector.Login) *url.URL {
	t.Helper()
	state, code := f.IDP.SignIn(b.begin(t, p, query), login)
	return target(t, b.open(t, p, "GET", callback(state, code), nil).Want(303))
}

func callback(state, code string) string {
	return "/callback?" + url.Values{"state": {state}, "code": {code}}.Encode()
}

func target(t *testing.T, res *flowtest.Response) *url.URL {
	t.Helper()
	u, err := url.Parse(res.Header.Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func fragment(t *testing.T, u *url.URL) url.Values {
	t.Helper()
	v, err := url.ParseQuery(u.Fragment)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

const (
	verifier  = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
	withPKCE  = "&code_challenge=" + challenge + "&code_challenge_method=s256"
)

func TestAuthorize(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, settings)
	for name, c := range map[string]struct {
		query string
		code  string
	}{
		"no provider":        {"", "validation_failed"},
		"unknown provider":   {"?provider=nope", "validation_failed"},
		"switched off":       {"?provider=off", "validation_failed"},
		"half a challenge":   {"?provider=idp&code_challenge=" + challenge, "validation_failed"},
		"bad challenge":      {"?provider=idp&code_challenge=x&code_challenge_method=s256", "validation_failed"},
		"too many params":    {"?provider=idp&" + manyParams(40), "validation_failed"},
		"a parameter's size": {"?provider=idp&hd=" + strings.Repeat("x", 3000), "validation_failed"},
	} {
		t.Run(name, func(t *testing.T) {
			f.A.Do(t, "GET", "/authorize"+c.query, nil, flowtest.Key("")).WantError(400, c.code)
		})
	}
	if n := f.A.Count(t, "SELECT count(*) FROM auth.flow_state"); n != 0 {
		t.Errorf("%d flow states of refused requests", n)
	}
	b := newBrowser()
	res := b.open(t, f.A, "GET", "/authorize?provider=idp&scopes=repo,gist+user&prompt=login&redirect_to=https://evil.example.com/", nil).Want(303)
	q := target(t, res).Query()
	if q.Get("param_prompt") != "login" || len(q["scope"]) != 3 || q.Get("redirect_uri") != f.A.Tenant().Issuer()+"/callback" || q.Has("param_redirect_to") {
		t.Errorf("the provider gets %v", q)
	}
	if got := flowtest.One[string](t, f.A, `SELECT referrer FROM auth.flow_state`); got != "https://app.example.com" {
		t.Errorf("the browser will go to %s", got)
	}
	c := res.Header.Get("Set-Cookie")
	if !regexp.MustCompile(`^reeve-flow-[0-9a-f]{8}=[\w-]{43}; Path=/auth/v1/callback; Max-Age=900; HttpOnly; Secure; SameSite=Lax$`).MatchString(c) {
		t.Errorf("cookie %s", c)
	}
	for _, secret := range []string{q.Get("nonce"), q.Get("verifier"), strings.SplitN(c, "=", 2)[1][:43]} {
		if n := f.A.Count(t, "SELECT count(*) FROM auth.flow_state f WHERE f::text LIKE '%' || $1 || '%'", secret); n != 0 {
			t.Errorf("%s is stored", secret)
		}
	}
	// An app that opens the SDK's address in a browser of its own gets there.
	res = f.A.Do(t, "GET", "/authorize?provider=idp&skip_http_redirect=true", nil, flowtest.Key("")).Want(303)
	if to := res.Header.Get("Location"); !strings.HasPrefix(to, "https://idp.test/authorize?") || strings.Contains(to, "skip_http_redirect") {
		t.Errorf("redirect to %s", to)
	}
}

func manyParams(n int) string {
	v := url.Values{}
	for range n {
		v.Set("p"+uuid.NewString(), "x")
	}
	return v.Encode()
}

func TestImplicit(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, settings)
	u := newBrowser().signIn(t, f, f.A, "", ann("1", "Ann@example.com", true))
	values := fragment(t, u)
	if !strings.HasPrefix(u.String(), app+"#") || values.Get("provider_token") != "provider-access-canary" ||
		values.Get("provider_refresh_token") != "provider-refresh-canary" || values.Get("token_type") != "bearer" || !values.Has("sb") {
		t.Errorf("redirect to %s", u)
	}
	me := f.A.Do(t, "GET", "/user", nil, flowtest.User(values.Get("access_token"))).Want(200)
	if me.Get("email") != "ann@example.com" || me.Get("app_metadata.provider") != "idp" || me.Get("user_metadata.name") != "Ann" || me.Get("email_confirmed_at") == "" {
		t.Errorf("user %s", me.Raw)
	}
	if n := f.A.Count(t, "SELECT count(*) FROM auth.flow_state"); n != 0 {
		t.Errorf("%d flow states are left", n)
	}
	again := fragment(t, newBrowser().signIn(t, f, f.A, "", ann("1", "moved@example.com", true)))
	you := f.A.Do(t, "GET", "/user", nil, flowtest.User(again.Get("access_token"))).Want(200)
	if you.Get("id") != me.Get("id") || you.Get("email") != "ann@example.com" {
		t.Errorf("after a change of the address at the provider: %s", you.Raw)
	}
	// The same person at the same provider is another user in another project.
	other := fragment(t, newBrowser().signIn(t, f, f.B, "", ann("1", "ann@example.com", true)))
	if them := f.B.Do(t, "GET", "/user", nil, flowtest.User(other.Get("access_token"))).Want(200); them.Get("id") == me.Get("id") {
		t.Error("one user in two projects")
	}
	f.A.Do(t, "GET", "/user", nil, flowtest.User(other.Get("access_token"))).WantError(401, "bad_jwt")
}

func TestPKCE(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, settings)
	state, code := f.IDP.SignIn(newBrowser().begin(t, f.A, withPKCE), ann("1", "ann@example.com", true))
	// Another browser may open the callback: only the app with the verifier can
	// redeem the code.
	u := target(t, newBrowser().open(t, f.A, "GET", callback(state, code), nil).Want(303))
	if u.Fragment != "" || u.Query().Get("code") == "" {
		t.Fatalf("redirect to %s", u)
	}
	for _, canary := range []string{"provider-access-canary", "provider-refresh-canary"} {
		if n := f.A.Count(t, "SELECT count(*) FROM auth.flow_state f WHERE f::text LIKE '%' || $1 || '%'", canary); n != 0 {
			t.Error("a provider's token is stored in clear")
		}
	}
	exchange := func(p *flowtest.Project, verifier string) *flowtest.Response {
		return p.Do(t, "POST", "/token?grant_type=pkce", m{"auth_code": u.Query().Get("code"), "code_verifier": verifier})
	}
	exchange(f.A, strings.Repeat("w", 43)).WantError(400, "bad_code_verifier")
	exchange(f.B, verifier).WantError(404, "flow_state_not_found")
	res := exchange(f.A, verifier).Want(200)
	if res.Get("provider_token") != "provider-access-canary" || res.Get("provider_refresh_token") != "provider-refresh-canary" || res.Get("user.email") != "ann@example.com" {
		t.Errorf("answer %s", res.Raw)
	}
	exchange(f.A, verifier).WantError(404, "flow_state_not_found")
	refreshed := f.A.Do(t, "POST", "/token?grant_type=refresh_token", m{"refresh_token": res.Get("refresh_token")}).Want(200)
	if _, ok := refreshed.Find("provider_token"); ok {
		t.Error("a refresh answers with the provider's token")
	}
}

func TestCallbackRefused(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, settings)
	b := newBrowser()
	state, code := f.IDP.SignIn(b.begin(t, f.A, withPKCE), ann("1", "ann@example.com", true))
	b.open(t, f.A, "GET", callback(state, code), nil).Want(303)
	fresh := func(p *flowtest.Project) (state, code string) {
		return f.IDP.SignIn(b.begin(t, p, withPKCE), ann("2", "bob@example.com", true))
	}
	waiting, _ := fresh(f.A)
	foreign, foreignCode := fresh(f.B)
	wrongCode, _ := fresh(f.A)
	denied, _ := fresh(f.A)
	for name, c := range map[string]struct {
		path, location string
	}{
		"no state":                {"/callback?code=x", "https://app.example.com?error=invalid_request&error_code=bad_oauth_callback&error_description=OAuth+state+parameter+missing"},
		"bad state":               {"/callback?code=x&state=bad", "https://app.example.com?error=invalid_request&error_code=bad_oauth_state&error_description=OAuth+state+parameter+is+invalid"},
		"state in another form":   {"/callback?code=x&state=urn:uuid:" + waiting, "https://app.example.com?error=invalid_request&error_code=bad_oauth_state&error_description=OAuth+state+parameter+is+invalid"},
		"unknown state":           {callback(uuid.NewString(), "x"), "https://app.example.com?error=invalid_request&error_code=bad_oauth_state&error_description=OAuth+state+not+found+or+expired"},
		"state replayed":          {callback(state, code), "https://app.example.com?error=invalid_request&error_code=bad_oauth_state&error_description=OAuth+state+not+found+or+expired"},
		"another project's state": {callback(foreign, foreignCode), "https://app.example.com?error=invalid_request&error_code=bad_oauth_state&error_description=OAuth+state+not+found+or+expired"},
		"no code":                 {callback(waiting, ""), app + "?error=invalid_request&error_code=bad_oauth_callback&error_description=OAuth+callback+with+missing+authorization+code#error=invalid_request&error_code=bad_oauth_callback&error_description=OAuth+callback+with+missing+authorization+code&sb="},
		"wrong code":              {callback(wrongCode, "x"), app + "?error=server_error&error_code=unexpected_failure&error_description=Unable+to+exchange+external+code#error=server_error&error_code=unexpected_failure&error_description=Unable+to+exchange+external+code&sb="},
		"denied":                  {"/callback?error=access_denied&error_description=No+%3Cb%3E&state=" + denied, app + "?error=access_denied&error_description=No+%3Cb%3E#error=access_denied&error_description=No+%3Cb%3E&sb="},
	} {
		t.Run(name, func(t *testing.T) {
			if got := b.open(t, f.A, "GET", c.path, nil).Want(303).Header.Get("Location"); got != c.location {
				t.Errorf("redirect to %s\nwant        %s", got, c.location)
			}
		})
	}
	// Without PKCE too, an error is in query and fragment.
	implicit, _ := f.IDP.SignIn(b.begin(t, f.A, ""), ann("1", "ann@example.com", true))
	if u := target(t, b.open(t, f.A, "GET", "/callback?error=access_denied&state="+implicit, nil).Want(303)); u.Query().Get("error") != "access_denied" || fragment(t, u).Get("error") != "access_denied" {
		t.Errorf("denied without PKCE: %s", u)
	}
	late, lateCode := fresh(f.A)
	f.Clock.Advance(16 * time.Minute)
	if q := target(t, b.open(t, f.A, "GET", callback(late, lateCode), nil).Want(303)).Query(); q.Get("error_description") != "OAuth state has expired" {
		t.Errorf("a late callback: %v", q)
	}
	// The states of both projects are independent: the other project's is not used
	// up by the attempt above.
	if n := f.B.Count(t, "SELECT count(*) FROM auth.flow_state WHERE id = $1", foreign); n != 1 {
		t.Error("a project used up another project's state")
	}
	if n := f.A.Count(t, "SELECT count(*) FROM auth.users"); n != 1 {
		t.Errorf("%d users, want the first one alone", n)
	}
}

// TestLoginCSRF: an attacker makes a victim's browser open the callback of the
// attacker's own sign-in. The browser shows a page that asks.
func TestLoginCSRF(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, settings)
	attacker, victim := newBrowser(), newBrowser()
	state, code := f.IDP.SignIn(attacker.begin(t, f.A, ""), ann("666", "attacker@example.com", true))
	page := victim.open(t, f.A, "GET", callback(state, code), nil).Want(200)
	if !strings.Contains(string(page.Raw), "began in another browser") || strings.Contains(page.Header.Get("Content-Security-Policy"), "script-src") {
		t.Errorf("page %s", page.Raw)
	}
	// The attacker knows what the page's form holds, and posts it from another site.
	form := url.Values{"state": {state}, "code": {code}, "proceed": {proceed(t, page)}}.Encode()
	asForm := flowtest.Header("Content-Type", "application/x-www-form-urlencoded")
	victim.open(t, f.A, "POST", "/callback", form, asForm, flowtest.Header("Sec-Fetch-Site", "cross-site")).Want(200)
	newBrowser().open(t, f.A, "POST", "/callback", form, asForm).Want(200)
	if n := f.A.Count(t, "SELECT count(*) FROM auth.users"); n != 0 {
		t.Fatal("signed in without the person's consent")
	}
	// The person presses the button.
	u := target(t, victim.open(t, f.A, "POST", "/callback", form, asForm).Want(303))
	if fragment(t, u).Get("access_token") == "" {
		t.Errorf("redirect to %s", u)
	}
}

var proceedField = regexp.MustCompile(`name="proceed" value="([\w-]+)"`)

func proceed(t *testing.T, page *flowtest.Response) string {
	t.Helper()
	found := proceedField.FindSubmatch(page.Raw)
	if found == nil {
		t.Fatalf("no field in %s", page.Raw)
	}
	return string(found[1])
}

// TestAddress: what an address from a provider does, verified or not.
func TestAddress(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, settings)
	in := func(login connector.Login) (*url.URL, url.Values) {
		u := newBrowser().signIn(t, f, f.A, "", login)
		return u, fragment(t, u)
	}
	u, _ := in(ann("1", "new@example.com", false))
	if u.Query().Get("error_code") != "provider_email_needs_verification" {
		t.Errorf("an unverified address: %s", u)
	}
	link := f.A.LinkQuery(t, f.A.Mail(t, "new@example.com"))
	u, _ = in(ann("1", "new@example.com", false))
	if u.Query().Get("error_code") != "provider_email_needs_verification" || len(f.A.Mails(t)) != 1 {
		t.Errorf("again, too soon for another mail: %s, %d mails", u, len(f.A.Mails(t)))
	}
	f.A.Do(t, "POST", "/verify", m{"type": "signup", "token_hash": link.Get("token")}).Session()
	if _, v := in(ann("1", "new@example.com", false)); v.Get("access_token") == "" {
		t.Error("the confirmed user cannot sign in")
	}

	owner := f.A.Admin(t, "POST", "/admin/users", m{"email": "owner@example.com", "password": "password123", "email_confirm": true}).Want(200)
	if _, v := in(ann("evil", "owner@example.com", false)); v.Get("access_token") != "" {
		me := f.A.Do(t, "GET", "/user", nil, flowtest.User(v.Get("access_token"))).Want(200)
		if me.Get("id") == owner.Get("id") || me.Get("email") != "" {
			t.Errorf("an unverified address led into %s", me.Raw)
		}
	}
	if _, v := in(ann("good", "owner@example.com", true)); v.Get("access_token") == "" {
		t.Error("a verified address does not link")
	} else if me := f.A.Do(t, "GET", "/user", nil, flowtest.User(v.Get("access_token"))).Want(200); me.Get("id") != owner.Get("id") {
		t.Errorf("linked to %s", me.Raw)
	}
	f.A.SignIn(t, "owner@example.com", "password123")

	if u, _ := in(ann("none", "", false)); u.Query().Get("error_description") != "Error getting user email from external provider" {
		t.Errorf("without an address: %s", u)
	}
	f.IDP.EmailOptional = true
	if _, v := in(ann("none", "", false)); v.Get("access_token") == "" {
		t.Error("an optional address is required")
	}
}

// TestPreHijacking: somebody signs up with the victim's address and waits. The
// victim signs in by a provider that has verified the address.
func TestPreHijacking(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, settings, func(c *tenants.Config) { c.MailerAllowUnverifiedEmailSignIn = true })
	f.A.Do(t, "POST", "/signup", m{"email": "victim@example.com", "password": "attacker-password", "data": m{"name": "Eve", "admin": true}}).Want(200)
	held := f.A.SignIn(t, "victim@example.com", "attacker-password")
	link := f.A.LinkQuery(t, f.A.Mail(t, "victim@example.com"))
	values := fragment(t, newBrowser().signIn(t, f, f.A, "", ann("victim", "victim@example.com", true)))
	me := f.A.Do(t, "GET", "/user", nil, flowtest.User(values.Get("access_token"))).Want(200)
	if me.Get("user_metadata.admin") != "" {
		t.Errorf("the attacker's metadata stayed: %s", me.Raw)
	}
	f.A.Do(t, "POST", "/token?grant_type=password", m{"email": "victim@example.com", "password": "attacker-password"}).WantError(400, "invalid_credentials")
	f.A.Do(t, "GET", "/user", nil, flowtest.User(held.Access)).WantError(403, "session_not_found")
	f.A.Do(t, "POST", "/token?grant_type=refresh_token", m{"refresh_token": held.Refresh}).Want(400)
	f.A.Do(t, "POST", "/verify", m{"type": "signup", "token_hash": link.Get("token")}).WantError(403, "otp_expired")
}

// TestPendingLink: whoever ends what others began in an account also ends their
// sign-ins at providers that would link an identity.
func TestPendingLink(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, settings, func(c *tenants.Config) { c.MailerAllowUnverifiedEmailSignIn = true })
	for name, end := range map[string]func(t *testing.T, email string){
		"victim signs in": func(t *testing.T, email string) {
			newBrowser().signIn(t, f, f.A, "", ann(email, email, true))
		},
		"recovery proves the address": func(t *testing.T, email string) {
			f.A.Do(t, "POST", "/recover", m{"email": email}).Want(200)
			link := f.A.LinkQuery(t, f.A.Mail(t, email))
			f.A.Do(t, "POST", "/verify", m{"type": "recovery", "token_hash": link.Get("token")}).Session()
		},
		"signed out everywhere": func(t *testing.T, email string) {
			session := f.A.SignIn(t, email, "password123")
			f.A.Do(t, "POST", "/logout", nil, flowtest.User(session.Access)).Want(204)
		},
		"signed out elsewhere": func(t *testing.T, email string) {
			session := f.A.SignIn(t, email, "password123")
			f.A.Do(t, "POST", "/logout?scope=others", nil, flowtest.User(session.Access)).Want(204)
		},
		"new password": func(t *testing.T, email string) {
			session := f.A.SignIn(t, email, "password123")
			f.A.Do(t, "PUT", "/user", m{"password": "another-password"}, flowtest.User(session.Access)).Want(200)
		},
	} {
		t.Run(name, func(t *testing.T) {
			email := strings.ReplaceAll(name, " ", "-") + "@example.com"
			f.A.Do(t, "POST", "/signup", m{"email": email, "password": "password123"}).Want(200)
			held := f.A.SignIn(t, email, "password123")
			b := newBrowser()
			begun := f.A.Do(t, "GET", "/user/identities/authorize?provider=idp&skip_http_redirect=true&redirect_to="+url.QueryEscape(app), nil, flowtest.User(held.Access)).Want(200)
			for _, c := range (&http.Response{Header: begun.Header}).Cookies() {
				b.cookies[c.Name] = c
			}
			state, code := f.IDP.SignIn(begun.Get("url"), ann("eve of "+name, "eve@example.com", true))
			end(t, email)
			u := target(t, b.open(t, f.A, "GET", callback(state, code), nil).Want(303))
			if u.Query().Get("error_code") != "bad_oauth_state" {
				t.Errorf("redirect to %s", u)
			}
			if n := f.A.Count(t, "SELECT count(*) FROM auth.identities WHERE provider_id = $1", "eve of "+name); n != 0 {
				t.Error("the identity was linked")
			}
		})
	}
}

func TestSwitches(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, settings)
	f.A.Configure(func(c *tenants.Config) { c.DisableSignup = true })
	u := newBrowser().signIn(t, f, f.A, withPKCE, ann("1", "ann@example.com", true))
	if u.Query().Get("error_code") != "signup_disabled" || f.A.Count(t, "SELECT count(*) FROM auth.users") != 0 {
		t.Errorf("a new user while sign-ups are off: %s", u)
	}
	f.A.Configure(func(c *tenants.Config) { c.DisableSignup = false })
	newBrowser().signIn(t, f, f.A, "", ann("1", "ann@example.com", true))
	f.A.Exec(t, "UPDATE auth.users SET banned_until = 'infinity'")
	if u := newBrowser().signIn(t, f, f.A, "", ann("1", "ann@example.com", true)); u.Query().Get("error_code") != "user_banned" {
		t.Errorf("a banned user: %s", u)
	}
	f.IDP.Fail = connector.ErrUnavailable
	u = newBrowser().signIn(t, f, f.A, "", ann("1", "ann@example.com", true))
	if u.Query().Get("error_code") != "provider_unavailable" || u.Query().Get("error") != "temporarily_unavailable" {
		t.Errorf("while the provider is away: %s", u)
	}
}

func TestLink(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, settings, func(c *tenants.Config) { c.MailerAutoconfirm = true })
	s := f.A.SignUp(t, "ann@example.com", "password123")
	begin := func(p *flowtest.Project, as flowtest.Session) *flowtest.Response {
		return p.Do(t, "GET", "/user/identities/authorize?provider=idp&skip_http_redirect=true&redirect_to="+url.QueryEscape(app), nil, flowtest.User(as.Access))
	}
	state, code := f.IDP.SignIn(begin(f.A, s).Want(200).Get("url"), ann("1", "other@example.com", true))
	// The SDK asked by fetch, so the browser has no cookie.
	b := newBrowser()
	page := b.open(t, f.A, "GET", callback(state, code), nil).Want(200)
	if !strings.Contains(string(page.Raw), "ann@example.com") {
		t.Errorf("the page does not say to whom: %s", page.Raw)
	}
	form := url.Values{"state": {state}, "code": {code}, "proceed": {proceed(t, page)}}.Encode()
	u := target(t, b.open(t, f.A, "POST", "/callback", form, flowtest.Header("Content-Type", "application/x-www-form-urlencoded")).Want(303))
	me := f.A.Do(t, "GET", "/user", nil, flowtest.User(fragment(t, u).Get("access_token"))).Want(200)
	if me.Get("id") != s.UserID || me.Get("email") != "ann@example.com" || me.Get("app_metadata.providers") != "[email idp]" {
		t.Errorf("linked: %s", me.Raw)
	}

	eve := f.A.SignUp(t, "eve@example.com", "password123")
	state, code = f.IDP.SignIn(begin(f.A, eve).Want(200).Get("url"), ann("1", "other@example.com", true))
	page = b.open(t, f.A, "GET", callback(state, code), nil).Want(200)
	form = url.Values{"state": {state}, "code": {code}, "proceed": {proceed(t, page)}}.Encode()
	u = target(t, b.open(t, f.A, "POST", "/callback", form, flowtest.Header("Content-Type", "application/x-www-form-urlencoded")).Want(303))
	if u.Query().Get("error_code") != "identity_already_exists" {
		t.Errorf("the identity of somebody else: %s", u)
	}

	identities := me.JSON["identities"].([]any)
	first, second := identities[0].(m)["identity_id"].(string), identities[1].(m)["identity_id"].(string)
	access := flowtest.User(s.Access)
	f.A.Do(t, "DELETE", "/user/identities/"+uuid.NewString(), nil, access).WantError(422, "identity_not_found")
	f.A.Do(t, "DELETE", "/user/identities/x", nil, access).WantError(422, "identity_not_found")
	f.A.Do(t, "DELETE", "/user/identities/"+second, nil, flowtest.User(eve.Access)).WantError(422, "identity_not_found")
	f.A.Do(t, "DELETE", "/user/identities/"+first, nil, access).Want(200)
	f.A.Do(t, "DELETE", "/user/identities/"+second, nil, access).WantError(422, "single_identity_not_deletable")
	me = f.A.Do(t, "GET", "/user", nil, access).Want(200)
	if me.Get("app_metadata.provider") != "idp" || me.Get("app_metadata.providers") != "[idp]" || me.Get("email") != "other@example.com" {
		t.Errorf("unlinked: %s", me.Raw)
	}
	f.A.Do(t, "POST", "/token?grant_type=password", m{"email": "ann@example.com", "password": "password123"}).WantError(400, "invalid_credentials")

	f.A.Exec(t, `INSERT INTO auth.mfa_factors (id, user_id, factor_type, status, created_at, updated_at)
		VALUES ($1, $2, 'totp', 'verified', now(), now())`, uuid.New(), s.UserID)
	begin(f.A, s).WantError(401, "insufficient_aal")
	f.A.Do(t, "DELETE", "/user/identities/"+second, nil, access).WantError(401, "insufficient_aal")

	f.A.Configure(func(c *tenants.Config) { c.ManualLinking = false })
	begin(f.A, s).WantError(404, "manual_linking_disabled")
	f.A.Do(t, "DELETE", "/user/identities/"+second, nil, access).WantError(404, "manual_linking_disabled")
}
