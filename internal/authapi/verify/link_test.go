package verify_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/reevehq/reeve/internal/testkit/flowtest"
	"github.com/reevehq/reeve/tenants"
)

func asked(c *tenants.Config) {
	c.MailerVerifyOnGet, c.SiteURL, c.URIAllowList = false, "https://app.example.com", "https://app.example.com/**"
}

var asForm = flowtest.Header("Content-Type", "application/x-www-form-urlencoded")

var hidden = regexp.MustCompile(`<input type="hidden" name="(\w+)" value="([^"]*)">`)

// form is the form of a page with a button.
func form(t *testing.T, page *flowtest.Response) string {
	t.Helper()
	v := url.Values{}
	for _, f := range hidden.FindAllStringSubmatch(string(page.Raw), -1) {
		v.Set(f[1], f[2])
	}
	if !strings.Contains(string(page.Raw), `action="verify/link"`) || len(v) == 0 {
		t.Fatalf("no form in %s", page.Raw)
	}
	return v.Encode()
}

// TestHeadOnGet: HEAD redeems nothing, even where GET does.
func TestHeadOnGet(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	f.A.Do(t, "POST", "/signup", m{"email": "ann@example.com", "password": "password123"}).Want(200)
	path := "/verify?" + f.A.LinkQuery(t, f.A.Mail(t, "ann@example.com")).Encode()
	for range 2 {
		f.A.Do(t, "HEAD", path, nil, flowtest.Key("")).Want(200)
	}
	if to := f.A.Do(t, "GET", path, nil, flowtest.Key("")).Want(303); to.Fragment().Get("access_token") == "" {
		t.Errorf("GET leads to %s", to.Header.Get("Location"))
	}
	f.A.Do(t, "HEAD", path, nil, flowtest.Key("")).Want(303) // to the app, with the error
}

// TestScanners: opening a link, however often and by whatever program, consumes
// nothing. The person's button does, and the code works until then.
func TestScanners(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, asked)
	f.A.Do(t, "POST", "/signup?redirect_to="+url.QueryEscape("https://app.example.com/in"), m{"email": "ann@example.com", "password": "password123"}).Want(200)
	mail := f.A.Mail(t, "ann@example.com")
	path := "/verify?" + f.A.LinkQuery(t, mail).Encode()
	for name, scanner := range map[string]struct {
		method  string
		headers map[string]string
	}{
		"a browser":          {"GET", map[string]string{"Accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-User": "?1"}},
		"again":              {"GET", nil},
		"a HEAD request":     {"HEAD", nil},
		"a prefetch":         {"GET", map[string]string{"Sec-Purpose": "prefetch", "Purpose": "prefetch"}},
		"a link preview":     {"GET", map[string]string{"User-Agent": "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)"}},
		"Outlook's scanner":  {"GET", map[string]string{"User-Agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120 Safari/537.36 Edg/120"}},
		"a program":          {"GET", map[string]string{"User-Agent": "Go-http-client/1.1", "Accept": "*/*"}},
		"a program for JSON": {"GET", map[string]string{"Accept": "application/json"}},
		"an OPTIONS request": {"OPTIONS", nil},
	} {
		options := []flowtest.Option{flowtest.Key("")}
		for k, v := range scanner.headers {
			options = append(options, flowtest.Header(k, v))
		}
		res := f.A.Do(t, scanner.method, path, nil, options...)
		if scanner.method != "OPTIONS" && res.Status != 200 || res.Header.Get("Location") != "" {
			t.Errorf("%s: status %d, location %q", name, res.Status, res.Header.Get("Location"))
		}
		if n := f.A.Count(t, "SELECT count(*) FROM auth.users WHERE email_confirmed_at IS NULL"); n != 1 {
			t.Fatalf("%s confirmed the address", name)
		}
	}
	page := f.A.Do(t, "GET", path, nil, flowtest.Key("")).Want(200)
	csp := page.Header.Get("Content-Security-Policy")
	if !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "script-src") || page.Header.Get("Cache-Control") != "no-store" ||
		page.Header.Get("Referrer-Policy") != "no-referrer" || strings.Contains(string(page.Raw), "<script") || !strings.Contains(string(page.Raw), "Project A") {
		t.Errorf("headers %v, page %s", page.Header, page.Raw)
	}
	// Another site cannot press the button for the person.
	f.A.Do(t, "POST", "/verify/link", form(t, page), asForm, flowtest.Key(""), flowtest.Header("Sec-Fetch-Site", "cross-site")).Want(200)
	f.B.Do(t, "POST", "/verify/link", form(t, page), asForm, flowtest.Key("")).Want(http.StatusSeeOther)
	to := f.A.Do(t, "POST", "/verify/link", form(t, page), asForm, flowtest.Key(""), flowtest.Header("Sec-Fetch-Site", "same-origin"))
	if at := to.Want(303).Location(); at.Path != "/in" || to.Fragment().Get("access_token") == "" || to.Fragment().Get("type") != "signup" {
		t.Errorf("the button leads to %s", to.Header.Get("Location"))
	}
	for _, again := range []*flowtest.Response{
		f.A.Do(t, "POST", "/verify/link", form(t, page), asForm, flowtest.Key("")),
		f.A.Do(t, "GET", path, nil, flowtest.Key("")),
	} {
		if v := again.Want(303).Fragment(); v.Get("error_code") != "otp_expired" {
			t.Errorf("a used link leads to %s", again.Header.Get("Location"))
		}
	}
}

// TestLinkPage: the page of each kind of link, and links that have none.
func TestLinkPage(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, asked)
	f.A.SignUp(t, "known@example.com", "password123")
	pages := map[string]string{}
	f.A.Do(t, "POST", "/signup", m{"email": "new@example.com", "password": "password123"}).Want(200)
	f.A.Admin(t, "POST", "/invite", m{"email": "invited@example.com"}).Want(200)
	for _, email := range []string{"new@example.com", "invited@example.com"} {
		q := f.A.LinkQuery(t, f.A.Mail(t, email))
		pages[q.Get("type")] = q.Encode()
	}
	f.A.Do(t, "POST", "/recover", m{"email": "known@example.com"}).Want(200)
	pages["recovery"] = f.A.LinkQuery(t, f.A.Mail(t, "known@example.com")).Encode()
	for typ, title := range map[string]string{"signup": "Confirm your e-mail address", "invite": "Accept the invitation", "recovery": "Reset your password"} {
		if page := f.A.Do(t, "GET", "/verify?"+pages[typ], nil, flowtest.Key("")).Want(200); !strings.Contains(string(page.Raw), "<h1>"+title+"</h1>") {
			t.Errorf("%s: %s", typ, page.Raw)
		}
	}
	q := f.A.LinkQuery(t, f.A.Mail(t, "new@example.com"))
	q.Set("token", "pkce_"+q.Get("token"))
	if page := f.A.Do(t, "GET", "/verify?"+q.Encode(), nil, flowtest.Key("")).Want(200); !strings.Contains(string(page.Raw), "in the browser in which you asked") {
		t.Errorf("PKCE: %s", page.Raw)
	}
	q.Set("redirect_to", `https://evil.example.com/"><script>`)
	if page := f.A.Do(t, "GET", "/verify?"+q.Encode(), nil, flowtest.Key("")).Want(200); strings.Contains(string(page.Raw), "evil") {
		t.Errorf("a redirect that is not allowed: %s", page.Raw)
	}
	f.A.Do(t, "POST", "/verify/link", "type=signup", asForm, flowtest.Key("")).WantError(400, "validation_failed")
	for name, query := range map[string]string{"wrong token": "type=signup&token=00", "long token": "type=signup&token=" + strings.Repeat("0", 200), "another type": "type=recovery&token=" + q.Get("token")} {
		if v := f.A.Do(t, "GET", "/verify?"+query, nil, flowtest.Key("")).Want(303).Fragment(); v.Get("error_code") != "otp_expired" {
			t.Errorf("%s: %v", name, v)
		}
	}
	// The code in the mail works beside the page.
	f.A.Do(t, "POST", "/verify", m{"type": "signup", "email": "new@example.com", "token": f.A.Mail(t, "new@example.com").Code}).Session()
}
