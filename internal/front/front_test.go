package front_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/reevehq/reeve/internal/front"
	"github.com/reevehq/reeve/internal/server"
	"github.com/reevehq/reeve/internal/server/servertest"
	"github.com/reevehq/reeve/internal/testkit"
	"github.com/reevehq/reeve/tenants"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// page is what browsers accept when a person opens an address.
const page = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"

// world is a development server with pages.
type world struct {
	*servertest.Reeve
	pages *front.Pages
	later atomic.Int64 // nanoseconds by which the pages' clock is ahead
	down  atomic.Bool  // Postgres, for the pages
}

// start runs a server. Its pages ask it by an address that they learn when it
// listens.
func start(t *testing.T) *world {
	t.Helper()
	w := &world{}
	api := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { // stands before the server
		res, err := w.forward(r)
		if err != nil {
			rw.WriteHeader(http.StatusBadGateway)
			return
		}
		defer func() { _ = res.Body.Close() }()
		rw.WriteHeader(res.StatusCode)
		_, _ = io.Copy(rw, res.Body)
	}))
	t.Cleanup(api.Close)
	const origin = "http://reeve.test"
	w.pages = front.New(front.Options{
		Origin: origin, API: api.URL, ProjectURL: func(ref string) string { return origin + "/p/" + ref },
		Ping: func(context.Context) error {
			if w.down.Load() {
				return errors.New("down")
			}
			return nil
		},
		Session: session{w},
		Mail:    "captured", Version: "v9.8.7", CLI: "bin/reeve", TokenFile: ".reeve/dev.json",
		Now: func() time.Time { return time.Now().Add(time.Duration(w.later.Load())) },
	})
	w.Reeve = servertest.StartWith(t, func(o *server.Options) {
		o.Front = w.pages
		o.Settings = func(ref tenants.Ref) tenants.Config {
			c := tenants.DefaultConfig()
			c.SiteURL = front.Landing(origin, ref)
			return c
		}
	})
	return w
}

// session is the session of a browser at the world's server.
type session struct{ *world }

func (s session) Access(r *http.Request) string { return s.Server.Browsers().Cookies.Access(r) }

func (s session) SignIn(w http.ResponseWriter, r *http.Request) error {
	return s.Server.SignInOperator(w, r)
}

func (s session) SignOut(w http.ResponseWriter, r *http.Request) error {
	return s.Server.Browsers().SignOut(w, r)
}

func (w *world) forward(r *http.Request) (*http.Response, error) {
	req, err := http.NewRequestWithContext(r.Context(), r.Method, w.URL+r.URL.RequestURI(), r.Body)
	if err != nil {
		return nil, err
	}
	req.Header = r.Header.Clone()
	return http.DefaultTransport.RoundTrip(req)
}

// get opens an address in a browser.
func (w *world) get(t *testing.T, path string, headers ...string) *servertest.Answer {
	t.Helper()
	return w.Do(t, "GET", path, nil, append([]string{"Accept", page, "Host", "reeve.test"}, headers...)...)
}

// post sends a form from a page of the server.
func (w *world) post(t *testing.T, path string, form url.Values, headers ...string) *servertest.Answer {
	t.Helper()
	return w.Do(t, "POST", path, form.Encode(), append([]string{
		"Accept", page, "Host", "reeve.test", "Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "same-origin",
	}, headers...)...)
}

// cookie is the Cookie header after an answer, for paths outside /dashboard.
func cookie(a *servertest.Answer) string {
	var all []string
	for _, set := range a.Header.Values("Set-Cookie") {
		if text, attributes, _ := strings.Cut(set, ";"); strings.Contains(attributes, "Path=/;") && !strings.Contains(attributes, "Max-Age=0") {
			all = append(all, text)
		}
	}
	return strings.Join(all, "; ")
}

// signIn returns the cookie of the holder of the operator's token.
func (w *world) signIn(t *testing.T) string {
	t.Helper()
	got := w.post(t, "/dev/sign-in", url.Values{"token": {w.Token}})
	if got.Status != http.StatusSeeOther || got.Header.Get("Location") != "/" {
		t.Fatalf("sign in: %d %v", got.Status, got.Header)
	}
	return cookie(got)
}

// project creates a project with a captured mail, and returns it with the mail.
func (w *world) project(t *testing.T) (*servertest.Project, servertest.Mail) {
	t.Helper()
	p := w.Project(t, "shop", nil)
	p.Do(t, "POST", "/signup", map[string]any{"email": "ada@example.com", "password": "correct horse 1"}).Expect(t, 200)
	return p, p.Inbox(t, "ada@example.com", 1)[0]
}

// code is the code in a link of Pages.Link.
func code(t *testing.T, link string) string {
	t.Helper()
	u, err := url.Parse(link)
	if err != nil || u.Path != "/dev/open" {
		t.Fatalf("link %s: %v", link, err)
	}
	return u.Query().Get("code")
}

// TestWho: projects, keys and mails are shown to the holder of an access token
// and to nobody else.
func TestWho(t *testing.T) {
	t.Parallel()
	w := start(t)
	p, mail := w.project(t)
	signedIn := w.signIn(t)
	ended := w.signIn(t)
	if got := w.post(t, "/dev/sign-out", nil, "Cookie", ended); got.Status != http.StatusSeeOther {
		t.Errorf("sign out: %d", got.Status)
	}
	inbox := "/dev/inbox/" + p.Ref
	secrets := []string{p.Ref, p.PublishableKey, "ada@example.com", mail.Code}
	for name, tc := range map[string]struct {
		path, cookie, accept, host string
		status                     int
		shown                      bool
	}{
		"the holder":                         {"/", signedIn, page, "reeve.test", 200, true},
		"the holder at the loopback name":    {"/", signedIn, page, "localhost:8000", 200, true},
		"the holder at the loopback address": {"/", signedIn, page, "127.0.0.1:8000", 200, true},
		"the holder at another page":         {"/?page=9", signedIn, page, "reeve.test", 200, true},
		"nobody":                             {"/", "", page, "reeve.test", 200, false},
		"a wrong cookie":                     {"/", signedIn[:len(signedIn)-1] + "x", page, "reeve.test", 200, false},
		"the token as a cookie":              {"/", "reeve_dev=" + w.Token, page, "reeve.test", 200, false},
		"after signing out":                  {"/", ended, page, "reeve.test", 200, false},
		"a name that leads here":             {"/", signedIn, page, "rebound.example", 404, false},
		"the host of the project":            {"/", signedIn, page, p.Ref + ".localhost", 404, false},
		"curl":                               {"/", signedIn, "*/*", "reeve.test", 404, false},
		"an API client":                      {"/", signedIn, "application/json", "reeve.test", 404, false},
		"the inbox, nobody":                  {inbox, "", page, "reeve.test", 401, false},
		"the inbox, a wrong cookie":          {inbox, "reeve_dev=x", page, "reeve.test", 401, false},
		"the inbox, a name that leads here":  {inbox, signedIn, page, "rebound.example", 404, false},
		"the inbox, the host of the project": {inbox, signedIn, page, p.Ref + ".localhost", 404, false},
		"the inbox, curl":                    {inbox, signedIn, "*/*", "reeve.test", 404, false},
		"the inbox of no project":            {"/dev/inbox/" + strings.Repeat("a", 20), signedIn, page, "reeve.test", 404, false},
		"the inbox of an odd ref":            {"/dev/inbox/..%2f..%2fv1", signedIn, page, "reeve.test", 404, false},
		"a mail that does not exist":         {inbox + "/" + strings.Repeat("0", 8), signedIn, page, "reeve.test", 404, false},
		"a page that does not exist":         {"/dev/nosuch", signedIn, page, "reeve.test", 404, false},
		"a form's address, opened":           {"/dev/sign-in", signedIn, page, "reeve.test", 404, false},
	} {
		got := w.get(t, tc.path, "Cookie", tc.cookie, "Accept", tc.accept, "Host", tc.host)
		body := string(got.Body)
		if got.Status != tc.status {
			t.Errorf("%s: %d", name, got.Status)
		}
		for _, secret := range secrets {
			named := strings.Contains(tc.path, secret) // the address itself names the ref
			if strings.Contains(body, secret) != tc.shown && (tc.shown || !named) {
				t.Errorf("%s: %q shown: %v", name, secret, !tc.shown)
			}
		}
	}
	if got := string(w.get(t, "/", "Cookie", signedIn).Body); !strings.Contains(got, "storageKey: &#39;sb-"+p.Ref+"-auth-token&#39;") || strings.Contains(got, p.SecretKey) {
		t.Errorf("no snippet in %s", got)
	}
	if got := string(w.get(t, "/").Body); !strings.Contains(got, "v9.8.7") || !strings.Contains(got, "Postgres <span>reachable") {
		t.Errorf("what runs: %s", got)
	}
	w.down.Store(true)
	if got := string(w.get(t, "/").Body); !strings.Contains(got, "Postgres <span>cannot be reached") {
		t.Errorf("what does not run: %s", got)
	}
}

// TestRevoked: a visit ends with its access token, and after a while.
func TestRevoked(t *testing.T) {
	t.Parallel()
	w := start(t)
	p, _ := w.project(t)
	token, err := w.Server.Operator(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	visit := cookie(w.post(t, "/dev/sign-in", url.Values{"token": {token}}))
	if got := string(w.get(t, "/", "Cookie", visit).Body); !strings.Contains(got, p.Ref) {
		t.Fatalf("a second token of the operator: %s", got)
	}
	conn := servertest.Connect(t, w.ControlURL)
	if _, err := conn.Exec(t.Context(), `DELETE FROM access_tokens`); err != nil {
		t.Fatal(err)
	}
	if got := w.get(t, "/", "Cookie", visit); got.Status != 200 || strings.Contains(string(got.Body), p.Ref) {
		t.Errorf("after the token was revoked: %d %s", got.Status, got.Body)
	}
	if got := w.get(t, "/dev/inbox/"+p.Ref, "Cookie", visit); got.Status != 401 {
		t.Errorf("the inbox after the token was revoked: %d", got.Status)
	}
}

func TestVisitEnds(t *testing.T) {
	t.Parallel()
	w := start(t)
	p, _ := w.project(t)
	visit := w.signIn(t)
	w.later.Store(int64(11 * time.Hour))
	if got := string(w.get(t, "/", "Cookie", visit).Body); !strings.Contains(got, p.Ref) {
		t.Error("it ended within the day")
	}
	w.later.Store(int64(13 * time.Hour))
	if got := string(w.get(t, "/", "Cookie", visit).Body); strings.Contains(got, p.Ref) {
		t.Error("it goes on")
	}
}

// TestLink: the link of the banner works once, soon, and in a form.
func TestLink(t *testing.T) {
	t.Parallel()
	w := start(t)
	p, _ := w.project(t)

	link := w.pages.Link()
	if strings.Contains(link, w.Token) {
		t.Errorf("the token is in the address %s", link)
	}
	once := code(t, link)
	for range 2 {
		got := w.get(t, "/dev/open?code="+once)
		if got.Status != 200 || got.Header.Get("Set-Cookie") != "" || !strings.Contains(string(got.Body), once) {
			t.Fatalf("looking at it: %d %v %s", got.Status, got.Header, got.Body)
		}
	}
	got := w.post(t, "/dev/open", url.Values{"code": {once}})
	sets := got.Header.Values("Set-Cookie")
	if got.Status != http.StatusSeeOther || len(sets) != 2 {
		t.Fatalf("%d %v", got.Status, got.Header)
	}
	for _, set := range sets {
		for _, attribute := range []string{"HttpOnly", "SameSite=Strict", "Path=/", "Max-Age="} {
			if !strings.Contains(set, attribute) || strings.Contains(set, w.Token) {
				t.Errorf("the cookie has no %s: %s", attribute, set)
			}
		}
	}
	if got := string(w.get(t, "/", "Cookie", cookie(got)).Body); !strings.Contains(got, p.Ref) {
		t.Errorf("its cookie shows no project: %s", got)
	}

	// It is a session of the Management API like any other, and ends by signing out.
	session := cookie(got)
	profile := func() int {
		return w.Do(t, "GET", "/v1/profile", nil, "Host", "reeve.test", "Cookie", session, "Sec-Fetch-Site", "same-origin").Status
	}
	if got := profile(); got != 200 {
		t.Errorf("the Management API: %d", got)
	}
	if got := w.post(t, "/dev/sign-out", nil, "Cookie", session); got.Status != http.StatusSeeOther {
		t.Errorf("sign out: %d", got.Status)
	}
	if got := profile(); got != 401 {
		t.Errorf("the Management API after signing out: %d", got)
	}
	for path, status := range map[string]int{"/": 200, "/dev/inbox/" + p.Ref: 401} {
		got := w.get(t, path, "Cookie", session)
		if policy := got.Header.Get("Content-Security-Policy"); got.Status != status || !strings.Contains(string(got.Body), "/dashboard/session/refresh") || !strings.Contains(policy, "connect-src 'self'") {
			t.Errorf("%s with a session that may have to be continued: %d %s", path, got.Status, got.Body)
		}
	}

	late := code(t, w.pages.Link())
	w.later.Store(int64(16 * time.Minute))
	for name, text := range map[string]string{"used": once, "expired": late, "none": "", "wrong": strings.Repeat("A", 26), "the token": w.Token} {
		got := w.post(t, "/dev/open", url.Values{"code": {text}})
		if got.Status != http.StatusForbidden || got.Header.Get("Set-Cookie") != "" || !strings.Contains(string(got.Body), `role="alert"`) {
			t.Errorf("%s: %d %v", name, got.Status, got.Header)
		}
	}
}

// TestLinkElsewhere: a code is good on this machine only, and remains so after
// somebody else tried it.
func TestLinkElsewhere(t *testing.T) {
	t.Parallel()
	w := start(t)
	text := code(t, w.pages.Link())
	send := func(from string) int {
		r := httptest.NewRequest(http.MethodPost, "http://reeve.test/dev/open", strings.NewReader(url.Values{"code": {text}}.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		r.RemoteAddr = from
		rec := httptest.NewRecorder()
		w.pages.ServeHTTP(rec, r)
		return rec.Code
	}
	for _, from := range []string{"192.0.2.1:4711", "[2001:db8::1]:4711", ""} {
		if got := send(from); got != http.StatusForbidden {
			t.Errorf("from %q: %d", from, got)
		}
	}
	if got := send("[::ffff:127.0.0.1]:4711"); got != http.StatusSeeOther {
		t.Errorf("from this machine: %d", got)
	}
}

// TestForms: a form that another site sends is refused, whatever it holds.
func TestForms(t *testing.T) {
	t.Parallel()
	w := start(t)
	visit := w.signIn(t)
	type headers []string
	for name, tc := range map[string]struct {
		headers headers
		status  int
	}{
		"the page":                        {headers{"Sec-Fetch-Site", "same-origin", "Origin", "http://reeve.test"}, 303},
		"an older browser's page":         {headers{"Sec-Fetch-Site", "", "Origin", "http://reeve.test"}, 303},
		"nothing says who sent it":        {headers{"Sec-Fetch-Site", ""}, 403},
		"another site":                    {headers{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"}, 403},
		"another port of this machine":    {headers{"Sec-Fetch-Site", "same-site", "Origin", "http://reeve.test:3000"}, 403},
		"another site, an older browser":  {headers{"Sec-Fetch-Site", "", "Origin", "https://evil.example"}, 403},
		"another port, an older browser":  {headers{"Sec-Fetch-Site", "", "Origin", "http://reeve.test:3000"}, 403},
		"a sandboxed page":                {headers{"Sec-Fetch-Site", "", "Origin", "null"}, 403},
		"a mail in its frame":             {headers{"Sec-Fetch-Site", "cross-site", "Origin", "null"}, 403},
		"a name that leads here":          {headers{"Host", "rebound.example"}, 404},
		"a program that asks for no page": {headers{"Accept", "*/*"}, 404},
	} {
		for path, form := range map[string]url.Values{
			"/dev/sign-in":  {"token": {w.Token}},
			"/dev/open":     {"code": {code(t, w.pages.Link())}},
			"/dev/sign-out": nil,
		} {
			keep := cookie(w.post(t, "/dev/sign-in", url.Values{"token": {w.Token}}))
			got := w.post(t, path, form, append(headers{"Cookie", keep}, tc.headers...)...)
			if got.Status != tc.status || (got.Header.Get("Set-Cookie") != "") != (tc.status == 303) {
				t.Errorf("%s to %s: %d %v", name, path, got.Status, got.Header)
			}
		}
	}
	for name, token := range map[string]string{"none": "", "wrong": "sbp_" + strings.Repeat("0", 40), "long": strings.Repeat("x", 1<<20), "odd": "a\r\nb"} {
		got := w.post(t, "/dev/sign-in", url.Values{"token": {token}})
		if got.Status != 401 || got.Header.Get("Set-Cookie") != "" || !strings.Contains(string(got.Body), `role="alert"`) {
			t.Errorf("token %s: %d", name, got.Status)
		}
	}
	if got := w.get(t, "/", "Cookie", visit); got.Status != 200 || !strings.Contains(string(got.Body), "Sign out") {
		t.Errorf("the first visit: %d", got.Status)
	}
}

// TestInbox: a mail is shown with its link and code; its HTML only in a sandbox.
func TestInbox(t *testing.T) {
	t.Parallel()
	w := start(t)
	p := w.Project(t, `<b>shop</b>`, map[string]any{
		"mailer_subjects_confirmation":          `<i>Hello</i>`,
		"mailer_templates_confirmation_content": `<p>Hi</p><a href="{{ .ConfirmationURL }}">go</a><script>alert(1)</script><form action="https://evil.example"><input name="x"></form>`,
	})
	p.Do(t, "POST", "/signup", map[string]any{"email": "ada@example.com", "password": "correct horse 1"}).Expect(t, 200)
	mail := p.Inbox(t, "ada@example.com", 1)[0]
	visit := w.signIn(t)

	list := string(w.get(t, "/dev/inbox/"+p.Ref, "Cookie", visit).Body)
	path := regexp.MustCompile(`/dev/inbox/` + p.Ref + `/[0-9a-f-]{36}`).FindString(list)
	if path == "" || strings.Contains(list, "<i>") || strings.Contains(list, "<b>") || !strings.Contains(list, "ada@example.com") {
		t.Fatalf("the list: %s", list)
	}
	shown := string(w.get(t, path, "Cookie", visit).Body)
	if !strings.Contains(shown, `href="`+strings.ReplaceAll(mail.Links[0], "&", "&amp;")+`"`) || !strings.Contains(shown, "<iframe") || strings.Contains(shown, "alert(1)</script>") {
		t.Errorf("the mail: %s", shown)
	}
	sandbox := regexp.MustCompile(`<iframe[^>]* sandbox="([^"]*)" src="` + path + `/html"`).FindStringSubmatch(shown)
	if sandbox == nil || strings.Contains(sandbox[1], "allow-scripts") || strings.Contains(sandbox[1], "allow-same-origin") || strings.Contains(sandbox[1], "allow-forms") {
		t.Errorf("the frame: %v", sandbox)
	}
	html := w.get(t, path+"/html", "Cookie", visit)
	policy := html.Header.Get("Content-Security-Policy")
	for _, part := range []string{"default-src 'none'", "form-action 'none'", "frame-ancestors 'self'", "base-uri 'none'", "sandbox allow-popups"} {
		if !strings.Contains(policy, part) {
			t.Errorf("the policy of the HTML has no %s: %s", part, policy)
		}
	}
	if strings.Contains(policy, "script-src") || strings.Contains(policy, "allow-scripts") || strings.Contains(policy, "allow-same-origin") || !strings.Contains(string(html.Body), "<p>Hi</p>") {
		t.Errorf("the HTML: %s %s", policy, html.Body)
	}
	if got := w.get(t, path+"/html"); got.Status != 401 {
		t.Errorf("the HTML without a visit: %d", got.Status)
	}
}

// TestHeaders: no page can be framed, stored or made to load something.
func TestHeaders(t *testing.T) {
	t.Parallel()
	w := start(t)
	p, _ := w.project(t)
	visit := w.signIn(t)
	for _, path := range []string{"/", "/dev/open?code=x", "/dev/inbox/" + p.Ref, "/dev/nosuch", "/landing/" + p.Ref, "/landing/x"} {
		got := w.get(t, path, "Cookie", visit)
		h, body := got.Header, string(got.Body)
		policy := h.Get("Content-Security-Policy")
		if !strings.HasPrefix(policy, "default-src 'none'; style-src 'sha256-") || !strings.Contains(policy, "frame-ancestors 'none'") || strings.Contains(policy, "unsafe") {
			t.Errorf("%s: policy %s", path, policy)
		}
		if h.Get("X-Frame-Options") != "DENY" || h.Get("Cache-Control") != "no-store" || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: %v", path, h)
		}
		if strings.Contains(body, ` src="http`) || strings.Contains(body, " style=") || strings.Contains(body, " onclick") {
			t.Errorf("%s: %s", path, body)
		}
	}
}

// TestLanding: the link in the mail of a project without a site leads to a page
// of the server, which does not learn the session.
func TestLanding(t *testing.T) {
	t.Parallel()
	w := start(t)
	p, mail := w.project(t)
	follow := func() string {
		u, err := url.Parse(mail.Links[0])
		if err != nil {
			t.Fatal(err)
		}
		return w.get(t, u.RequestURI()).Header.Get("Location")
	}
	site := "http://reeve.test/landing/" + p.Ref
	if got := follow(); !strings.HasPrefix(got, site+"#access_token=") || !strings.Contains(got, "type=signup") {
		t.Errorf("the link leads to %s", got)
	}
	if got := follow(); !strings.HasPrefix(got, site+"#error=access_denied&error_code=otp_expired") {
		t.Errorf("the used link leads to %s", got)
	}
	got := w.get(t, "/landing/"+p.Ref)
	for _, part := range []string{"Your address is confirmed", "config set --project " + p.Ref + " site_url=", "history.replaceState"} {
		if got.Status != 200 || !strings.Contains(string(got.Body), part) {
			t.Errorf("%d, no %q in %s", got.Status, part, got.Body)
		}
	}
	if got := w.get(t, "/landing/"+p.Ref, "Host", p.Ref+".localhost"); got.Status != 404 {
		t.Errorf("at the project's host: %d", got.Status)
	}
}

// TestTextMessage: a captured text message stands among the mails, with its code.
func TestTextMessage(t *testing.T) {
	t.Parallel()
	w := start(t)
	p := w.Project(t, "shop", map[string]any{"external_phone_enabled": true, "sms_autoconfirm": false})
	p.Do(t, "POST", "/otp", map[string]any{"phone": "491701234567"}).Expect(t, 200)
	text := p.Inbox(t, "491701234567", 1)[0]
	cookie := w.signIn(t)
	for path, want := range map[string][]string{
		"/":                                   {"491701234567 by SMS", "Your code is " + text.Code, `<span class="code copy">` + text.Code + "</span>"},
		"/dev/inbox/" + p.Ref + "/" + text.ID: {"<h1>Your code is " + text.Code + "</h1>", "491701234567 by SMS"},
	} {
		got := w.get(t, path, "Cookie", cookie)
		for _, part := range want {
			if !strings.Contains(string(got.Body), part) {
				t.Errorf("%s lacks %q:\n%s", path, part, got.Body)
			}
		}
		if strings.Contains(string(got.Body), "<iframe") {
			t.Errorf("%s has a frame for HTML", path)
		}
	}
}
