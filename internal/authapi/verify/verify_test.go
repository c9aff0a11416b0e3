package verify_test

import (
	"fmt"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/reevehq/reeve/internal/testkit/flowtest"
	"github.com/reevehq/reeve/tenants"
)

type m = flowtest.M

// signUp creates an unconfirmed user and returns the mail's link token and
// code.
func signUp(t *testing.T, p *flowtest.Project, email string) (link, code string) {
	t.Helper()
	p.Do(t, "POST", "/signup", m{"email": email, "password": "password123"}).Want(200)
	mail := p.Mail(t, email)
	return p.LinkQuery(t, mail).Get("token"), mail.Code
}

func TestVerifyRefused(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	link, code := signUp(t, f.A, "c@example.com")
	wrong := "000000"
	if code == wrong {
		wrong = "000001"
	}
	for _, c := range []struct {
		name   string
		body   any
		status int
		code   string
	}{
		{"nothing", m{}, 400, "validation_failed"},
		{"no token", m{"type": "signup"}, 400, "validation_failed"},
		{"no type", m{"token_hash": link}, 400, "validation_failed"},
		{"unknown type", m{"type": "what", "token_hash": link}, 400, "validation_failed"},
		{"code without address", m{"type": "signup", "token": code}, 400, "validation_failed"},
		{"code and hash", m{"type": "signup", "token": code, "token_hash": link}, 400, "validation_failed"},
		{"bad address", m{"type": "signup", "email": "x", "token": code}, 422, "validation_failed"},
		{"phone", m{"type": "sms", "phone": "4670000001", "token": code}, 422, "phone_provider_disabled"},
		{"wrong hash", m{"type": "signup", "token_hash": strings.Repeat("0", 56)}, 403, "otp_expired"},
		{"long hash", m{"type": "signup", "token_hash": strings.Repeat("0", 5000)}, 403, "otp_expired"},
		{"wrong code", m{"type": "signup", "email": "c@example.com", "token": wrong}, 403, "otp_expired"},
		{"code of another address", m{"type": "signup", "email": "d@example.com", "token": code}, 403, "otp_expired"},
		{"code as hash", m{"type": "signup", "token_hash": code}, 403, "otp_expired"},
		{"link as code", m{"type": "signup", "email": "c@example.com", "token": link}, 403, "otp_expired"},
		{"stored hash as link", m{"type": "signup", "token_hash": flowtest.One[string](t, f.A, "SELECT token_hash FROM auth.one_time_tokens")}, 403, "otp_expired"},
		{"another purpose", m{"type": "recovery", "token_hash": link}, 403, "otp_expired"},
		{"yet another", m{"type": "email_change", "token_hash": link}, 403, "otp_expired"},
	} {
		t.Run(c.name, func(t *testing.T) { f.A.Do(t, "POST", "/verify", c.body).WantError(c.status, c.code) })
	}
	// The other project, which has a user with the same address.
	signUp(t, f.B, "c@example.com")
	f.B.Do(t, "POST", "/verify", m{"type": "signup", "token_hash": link}).WantError(403, "otp_expired")
	f.B.Do(t, "POST", "/verify", m{"type": "signup", "email": "c@example.com", "token": code + "0"}).WantError(403, "otp_expired")
	if n := f.B.Count(t, "SELECT count(*) FROM auth.users WHERE email_confirmed_at IS NOT NULL"); n != 0 {
		t.Error("the other project's token confirmed somebody")
	}
	f.A.Do(t, "POST", "/verify", m{"type": "signup", "token_hash": link}).Session()
	f.A.Do(t, "POST", "/verify", m{"type": "signup", "token_hash": link}).WantError(403, "otp_expired") // once
}

func TestVerifyExpired(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, func(c *tenants.Config) { c.MailerOTPExp = 600 })
	link, code := signUp(t, f.A, "c@example.com")
	f.Clock.Advance(10 * time.Minute)
	f.A.Do(t, "POST", "/verify", m{"type": "signup", "token_hash": link}).WantError(403, "otp_expired")
	f.A.Do(t, "POST", "/verify", m{"type": "signup", "email": "c@example.com", "token": code}).WantError(403, "otp_expired")
	f.A.Configure(func(c *tenants.Config) { c.MailerOTPExp = 601 })
	f.A.Do(t, "POST", "/verify", m{"type": "email", "email": "C@example.com", "token": code}).Session()
}

func TestVerifyBanned(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	link, _ := signUp(t, f.A, "c@example.com")
	f.A.Exec(t, "UPDATE auth.users SET banned_until = $1", f.Clock.Now().Add(time.Hour))
	f.A.Do(t, "POST", "/verify", m{"type": "signup", "token_hash": link}).WantError(403, "user_banned")
}

func TestVerifyAtOnce(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	link, _ := signUp(t, f.A, "c@example.com")
	var won, lost atomic.Int64
	var wg sync.WaitGroup
	for range 12 {
		wg.Go(func() {
			switch res := f.A.Do(t, "POST", "/verify", m{"type": "signup", "token_hash": link}); res.Status {
			case 200:
				won.Add(1)
			case 403:
				lost.Add(1)
			default:
				t.Errorf("status %d: %s", res.Status, res.Raw)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 || lost.Load() != 11 {
		t.Errorf("%d of 12 redeemed it", won.Load())
	}
	if n := f.A.Count(t, "SELECT count(*) FROM auth.sessions"); n != 1 {
		t.Errorf("%d sessions", n)
	}
}

// Whatever target the allow list allows, the link leads there: the scheme of an
// app may have an underscore, and nothing behind it.
func TestVerifyLinkToAnApp(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, func(c *tenants.Config) { c.URIAllowList = "com.my_app://**,com.example://" })
	for i, to := range []string{"com.my_app://login", "com.my_app://login?a=b", "com.example://"} {
		link, _ := signUp(t, f.A, fmt.Sprintf("u%d@example.com", i))
		for token, want := range map[string]string{link: to + "#access_token=", "0": to + "#error=access_denied"} {
			res := f.A.Do(t, "GET", "/verify?type=signup&token="+token+"&redirect_to="+url.QueryEscape(to), nil, flowtest.Key("")).Want(303)
			if got := res.Header.Get("Location"); !strings.HasPrefix(got, want) {
				t.Errorf("to %s, want %s", got, want)
			}
		}
	}
}

func TestVerifyLink(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, func(c *tenants.Config) { c.SiteURL = "https://site.example.com" })
	link, _ := signUp(t, f.A, "c@example.com")
	open := func(p *flowtest.Project, query string) *flowtest.Response {
		return p.Do(t, "GET", "/verify?"+query, nil, flowtest.Key(""))
	}
	for name, c := range map[string]struct{ query, code, to string }{
		"wrong token":       {"type=signup&token=0", "otp_expired", "https://site.example.com"},
		"another purpose":   {"type=recovery&token=" + link, "otp_expired", "https://site.example.com"},
		"redirect refused":  {"type=signup&token=0&redirect_to=https://evil.example.com/", "otp_expired", "https://site.example.com"},
		"redirect not http": {"type=signup&token=0&redirect_to=javascript:alert(1)", "otp_expired", "https://site.example.com"},
	} {
		res := open(f.A, c.query)
		if got := res.Fragment(); got.Get("error_code") != c.code || got.Get("error") == "" || got.Get("error_description") == "" || !got.Has("sb") {
			t.Errorf("%s: %v", name, got)
		}
		if !strings.HasPrefix(res.Header.Get("Location"), c.to+"#") {
			t.Errorf("%s: to %s", name, res.Header.Get("Location"))
		}
	}
	open(f.A, "type=signup").WantError(400, "validation_failed") // no link of a mail
	open(f.A, "token="+link).WantError(400, "validation_failed")
	if got := open(f.B, "type=signup&token="+link).Fragment(); got.Get("error_code") != "otp_expired" {
		t.Errorf("the other project: %v", got)
	}
	res := open(f.A, "type=signup&token="+link+"&redirect_to=https://site.example.com/welcome")
	got := res.Fragment()
	if !strings.HasPrefix(res.Header.Get("Location"), "https://site.example.com/welcome#") || got.Get("type") != "signup" ||
		got.Get("token_type") != "bearer" || got.Get("expires_in") != "3600" || !got.Has("sb") || got.Get("expires_at") == "" {
		t.Errorf("to %s", res.Header.Get("Location"))
	}
	f.A.Do(t, "GET", "/user", nil, flowtest.User(got.Get("access_token"))).Want(200)
	f.A.Refresh(t, got.Get("refresh_token")).Want(200)
}

// TestNoSiteURL: a link without a usable target does not consume its token.
func TestNoSiteURL(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	link, _ := signUp(t, f.A, "c@example.com")
	for _, site := range []string{"", "/welcome", "://"} {
		f.A.Configure(func(c *tenants.Config) { c.SiteURL = site })
		f.A.Do(t, "GET", "/verify?type=signup&token="+link, nil).WantError(400, "validation_failed")
	}
	f.A.Configure(func(c *tenants.Config) { c.SiteURL = "https://app.example" })
	if to := f.A.Do(t, "GET", "/verify?type=signup&token="+link, nil).Fragment(); to.Get("access_token") == "" {
		t.Errorf("redirected with %v", to)
	}
}

// A token acts on the address that it was sent to, and on no other that the
// developer's SQL has put in its place; capitals make no other address.
func TestVerifyAfterSQLChangedTheAddress(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	link, code := signUp(t, f.A, "old@example.com")
	set := func(email string) {
		t.Helper()
		f.A.ExecAsOwner(t, `UPDATE auth.users SET email = $1`, email)
	}
	set("new@example.com")
	for _, body := range []m{
		{"type": "signup", "token_hash": link}, {"type": "signup", "email": "old@example.com", "token": code}, {"type": "signup", "email": "new@example.com", "token": code},
	} {
		f.A.Do(t, "POST", "/verify", body).WantError(403, "otp_expired")
	}
	if n := f.A.Count(t, `SELECT count(*) FROM auth.users WHERE email_confirmed_at IS NOT NULL`); n != 0 {
		t.Error("the new address counts as confirmed")
	}
	set("Old@Example.com")
	f.A.Do(t, "POST", "/verify", m{"type": "signup", "email": "old@example.com", "token": code}).Want(200)

	f.Clock.Advance(time.Hour)
	f.A.Do(t, "POST", "/recover", m{"email": "old@example.com"}).Want(200)
	link = f.A.LinkQuery(t, f.A.Mail(t, "Old@Example.com")).Get("token")
	set("new@example.com")
	f.A.Do(t, "GET", "/verify?type=recovery&token="+link, nil).Want(303)
	if n := f.A.Count(t, `SELECT count(*) FROM auth.sessions`); n != 1 {
		t.Errorf("%d sessions, want the first alone", n)
	}
	set("Old@Example.com")
	f.A.Do(t, "POST", "/verify", m{"type": "recovery", "token_hash": link}).Want(200)
}
