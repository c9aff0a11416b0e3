package front_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
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
}

// start runs a server.
func start(t *testing.T) *world {
	t.Helper()
	w := &world{}
	const origin = "http://reeve.test"
	w.pages = front.New(front.Options{
		Origin: origin, CLI: "bin/reeve",
		SignIn: func(rw http.ResponseWriter, r *http.Request) error { return w.Server.SignInOperator(rw, r) },
		Now:    func() time.Time { return time.Now().Add(time.Duration(w.later.Load())) },
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

// TestLink: the link of the banner works once, soon, and in a form.
func TestLink(t *testing.T) {
	t.Parallel()
	w := start(t)
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
	// It is a session of the Management API like any other.
	session := cookie(got)
	profile := func() int {
		return w.Do(t, "GET", "/v1/profile", nil, "Host", "reeve.test", "Cookie", session, "Sec-Fetch-Site", "same-origin").Status
	}
	if got := profile(); got != 200 {
		t.Errorf("the Management API: %d", got)
	}
	if got := w.Do(t, "GET", "/v1/profile", nil, "Host", "reeve.test", "Cookie", session, "Sec-Fetch-Site", "cross-site").Status; got != 403 {
		t.Errorf("the Management API for another site: %d", got)
	}

	late := code(t, w.pages.Link())
	w.later.Store(int64(16 * time.Minute))
	for name, text := range map[string]string{"used": once, "expired": late, "none": "", "wrong": strings.Repeat("A", 26), "the token": w.Token} {
		got := w.post(t, "/dev/open", url.Values{"code": {text}})
		if got.Status != http.StatusForbidden || got.Header.Get("Set-Cookie") != "" || !strings.Contains(string(got.Body), "was used or has expired") {
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
		got := w.post(t, "/dev/open", url.Values{"code": {code(t, w.pages.Link())}}, tc.headers...)
		if got.Status != tc.status || (got.Header.Get("Set-Cookie") != "") != (tc.status == 303) {
			t.Errorf("%s: %d %v", name, got.Status, got.Header)
		}
	}
}

// TestHeaders: no page can be framed, stored or made to load something.
func TestHeaders(t *testing.T) {
	t.Parallel()
	w := start(t)
	p, _ := w.project(t)
	for _, path := range []string{"/dev/open?code=x", "/dev/nosuch", "/landing/" + p.Ref, "/landing/x"} {
		got := w.get(t, path)
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
