package newdevice_test

import (
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/reevehq/reeve/internal/message"
	"github.com/reevehq/reeve/internal/setting"
	"github.com/reevehq/reeve/internal/testkit/flowtest"
	"github.com/reevehq/reeve/tenants"
)

const (
	login, pass = "ann@example.com", "password123"

	firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0"
	newer   = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
	iphone  = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1"
)

func fixture(t *testing.T) *flowtest.Fixture {
	t.Helper()
	return flowtest.New(t, func(c *tenants.Config) { c.MailerAutoconfirm, c.NewDeviceNotice.Enabled = true, true })
}

func signIn(t *testing.T, p *flowtest.Project, agent string) flowtest.Session {
	t.Helper()
	return p.Do(t, "POST", "/token?grant_type=password", flowtest.M{"email": login, "password": pass}, flowtest.Header("User-Agent", agent)).Session()
}

func signUp(t *testing.T, p *flowtest.Project, agent string) flowtest.Session {
	t.Helper()
	return p.Do(t, "POST", "/signup", flowtest.M{"email": login, "password": pass}, flowtest.Header("User-Agent", agent)).Session()
}

// tokenOf is the token of the link in a mail, which must lead to the project's page.
func tokenOf(t *testing.T, p *flowtest.Project, m message.Message) string {
	t.Helper()
	link, err := url.Parse(m.Links[0])
	if err != nil || m.Kind != message.NewDevice || !strings.HasPrefix(m.Links[0], p.Tenant().Issuer()+"/session/report?token=") {
		t.Fatalf("a %s mail with the link %q", m.Kind, m.Links[0])
	}
	return link.Query().Get("token")
}

// The first device of a user is known, as are those of all sessions, whatever became of
// them; a new one is told of once, and only by the project's own mail.
func TestDevices(t *testing.T) {
	t.Parallel()
	f := fixture(t)
	signUp(t, f.A, firefox)
	f.B.Configure(func(c *tenants.Config) { c.NewDeviceNotice.Enabled = false })
	signUp(t, f.B, firefox)
	signIn(t, f.B, iphone)
	for _, c := range []struct {
		name, agent string
		mails       int
		before      func()
	}{
		{name: "the same", agent: firefox},
		{name: "updated", agent: newer},
		{name: "another", agent: iphone, mails: 1},
		{name: "the other one again", agent: iphone},
		{name: "after all sessions ended by SQL", agent: iphone, before: func() { f.A.ExecAsOwner(t, `DELETE FROM auth.sessions`) }},
		{name: "after the ends are forgotten", agent: firefox, before: func() {
			f.A.ExecAsOwner(t, `DELETE FROM auth.sessions`)
			f.A.Exec(t, `DELETE FROM reeve.ended_session`)
		}},
		{name: "a program", agent: "https://evil.example.com/login now", mails: 1},
		{name: "nothing", agent: " ", mails: 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			f.A.EmptyOutbox(t)
			if c.before != nil {
				c.before()
			}
			signIn(t, f.A, c.agent)
			mails := f.A.Mails(t)
			if len(mails) != c.mails {
				t.Fatalf("%d mails, want %d", len(mails), c.mails)
			}
			for _, m := range mails {
				if m.To != login || strings.Contains(m.Text, "evil") || !strings.Contains(m.Text, "192.0.2.1") {
					t.Errorf("to %s: %s", m.To, m.Text)
				}
			}
		})
	}
	if n := len(f.B.Mails(t)); n != 0 {
		t.Errorf("%d mails of a project that wants none", n)
	}
}

// Sessions of before the setting was turned on are known; a user without any of them who
// had signed in before is told of the first.
func TestTurnedOnLater(t *testing.T) {
	t.Parallel()
	f := fixture(t)
	off := func(c *tenants.Config) { c.NewDeviceNotice.Enabled = false }
	f.A.Configure(off)
	f.B.Configure(off)
	signUp(t, f.A, firefox)
	signUp(t, f.B, firefox)
	f.B.ExecAsOwner(t, `DELETE FROM auth.sessions`)
	f.B.Exec(t, `DELETE FROM reeve.ended_session`)
	f.A.Configure(func(c *tenants.Config) { c.NewDeviceNotice.Enabled = true })
	f.B.Configure(func(c *tenants.Config) { c.NewDeviceNotice.Enabled = true })
	signIn(t, f.A, newer)
	signIn(t, f.B, newer)
	if a, b := len(f.A.Mails(t)), len(f.B.Mails(t)); a != 0 || b != 1 {
		t.Errorf("%d and %d mails, want 0 and 1", a, b)
	}
}

// A flood of devices ends after a day's mails, and neither it nor a project without
// mails left holds up a sign-in. What was not told of is told of later.
func TestBounds(t *testing.T) {
	t.Parallel()
	f := fixture(t)
	signUp(t, f.A, firefox)
	var all sync.WaitGroup
	for _, name := range strings.Split("abcdefgh", "") {
		all.Go(func() { signIn(t, f.A, "Agent"+name+"/1.0") })
	}
	all.Wait()
	if n := len(f.A.Mails(t)); n != 5 {
		t.Fatalf("%d mails, want 5", n)
	}
	f.A.EmptyOutbox(t)
	signIn(t, f.A, iphone)
	f.Clock.Advance(25 * time.Hour)
	if n := len(f.A.Mails(t)); n != 0 {
		t.Fatalf("%d mails beyond those of a day", n)
	}
	signIn(t, f.A, iphone)
	if n := len(f.A.Mails(t)); n != 1 {
		t.Errorf("%d mails on the day after, want 1", n)
	}
	signUp(t, f.B, firefox)
	f.B.Configure(func(c *tenants.Config) { c.RateLimitEmailSent = 0 })
	signIn(t, f.B, iphone)
	if n := len(f.B.Mails(t)); n != 0 {
		t.Errorf("%d mails of a project that may send none", n)
	}
}

// The link ends the session of its mail and no other one: not by being opened, not in
// another project, once, and not late.
func TestReport(t *testing.T) {
	t.Parallel()
	f := fixture(t)
	own, other := signUp(t, f.A, firefox), signUp(t, f.B, firefox)
	thief := signIn(t, f.A, iphone)
	token := tokenOf(t, f.A, f.A.Mail(t, login))
	form := func(token string) string { return url.Values{"token": {token}}.Encode() }
	post := func(p *flowtest.Project, token string) *flowtest.Response {
		return p.Do(t, "POST", "/session/report", form(token), flowtest.Key(""), flowtest.Header("Content-Type", "application/x-www-form-urlencoded"))
	}
	get := func(p *flowtest.Project, token string) *flowtest.Response {
		return p.Do(t, "GET", "/session/report?"+form(token), nil, flowtest.Key(""))
	}
	refused := func(name string, p *flowtest.Project, token string) {
		t.Helper()
		const want = `{"code":403,"error_code":"otp_expired","msg":"Email link is invalid or has expired"}`
		for _, res := range []*flowtest.Response{get(p, token), post(p, token)} {
			if res.Status != 403 || strings.TrimSpace(string(res.Raw)) != want {
				t.Errorf("%s: %d %s", name, res.Status, res.Raw)
			}
		}
	}
	refused("none", f.A, "")
	refused("unknown", f.A, strings.Repeat("0", 56))
	refused("too long", f.A, strings.Repeat("0", 5000))
	refused("another project's", f.B, token)
	refused("its digest", f.A, flowtest.One[string](t, f.A, `SELECT token_hash FROM reeve.session_report`))

	for range 2 {
		page := string(get(f.A, token).Want(200).Raw)
		if !strings.Contains(page, `<form method="post" action="report">`) || !strings.Contains(page, token) {
			t.Errorf("page: %s", page)
		}
	}
	f.A.Do(t, "GET", "/user", nil, flowtest.User(thief.Access)).Want(200)
	if page := string(post(f.A, token).Want(200).Raw); !strings.Contains(page, "choose a new one") || strings.Contains(page, "<form") {
		t.Errorf("page: %s", page)
	}
	f.A.Do(t, "GET", "/user", nil, flowtest.User(thief.Access)).WantError(403, "session_not_found")
	f.A.Refresh(t, thief.Refresh).WantError(400, "refresh_token_not_found")
	f.A.Do(t, "GET", "/user", nil, flowtest.User(own.Access)).Want(200)
	f.B.Do(t, "GET", "/user", nil, flowtest.User(other.Access)).Want(200)
	id := flowtest.Claims(t, thief.Access)["session_id"].(string)
	if res := f.A.Do(t, "GET", "/.well-known/revoked-sessions", nil).Want(200); !strings.Contains(string(res.Raw), id) {
		t.Errorf("revoked: %s", res.Raw)
	}
	var list struct {
		Ended []struct{ ID, Cause string }
	}
	f.A.Admin(t, "GET", "/admin/users/"+thief.UserID+"/sessions", nil).Want(200).Decode(&list)
	if !slices.Contains(list.Ended, struct{ ID, Cause string }{id, "reported"}) {
		t.Errorf("ended: %v", list.Ended)
	}
	refused("used", f.A, token)

	signIn(t, f.A, "Another/1.0")
	late := tokenOf(t, f.A, f.A.Mail(t, login))
	f.Clock.Advance(7*24*time.Hour + time.Second)
	refused("expired", f.A, late)

	signIn(t, f.A, "Third/1.0")
	gone := tokenOf(t, f.A, f.A.Mail(t, login))
	f.A.Admin(t, "DELETE", "/admin/users/"+thief.UserID, nil).Want(200)
	refused("of a deleted user", f.A, gone)
	if n := flowtest.One[int](t, f.A, `SELECT (SELECT count(*) FROM reeve.known_device) + (SELECT count(*) FROM reeve.session_report)`); n != 0 {
		t.Errorf("%d rows of a deleted user stay", n)
	}
}

// Of requests at the same time one ends the session, and a hook that refuses the sign-in
// leaves no mail.
func TestOnce(t *testing.T) {
	t.Parallel()
	f := fixture(t)
	signUp(t, f.A, firefox)
	signIn(t, f.A, iphone)
	token := tokenOf(t, f.A, f.A.Mail(t, login))
	var mu sync.Mutex
	answers := map[int]int{}
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() {
			res := f.A.Do(t, "POST", "/session/report", flowtest.M{"token": token}, flowtest.Key(""))
			mu.Lock()
			defer mu.Unlock()
			answers[res.Status]++
		})
	}
	all.Wait()
	if answers[200] != 1 || answers[403] != 5 {
		t.Errorf("answers: %v", answers)
	}
	f.A.EmptyOutbox(t)
	f.A.ExecAsOwner(t, `CREATE FUNCTION public.no(event jsonb) RETURNS jsonb LANGUAGE sql AS
		$$ SELECT '{"error": {"http_code": 403, "message": "no"}}'::jsonb $$`)
	f.A.Hook(t, setting.HookCustomAccessToken, "pg-functions://postgres/public/no", "fail_closed", "")
	f.A.Do(t, "POST", "/token?grant_type=password", flowtest.M{"email": login, "password": pass}, flowtest.Header("User-Agent", "Fourth/1.0")).Want(403)
	if n := len(f.A.Mails(t)); n != 0 {
		t.Errorf("%d mails about a sign-in that was refused", n)
	}
	f.A.Hook(t, setting.HookCustomAccessToken, "", "fail_closed", "")
	signIn(t, f.A, "Fourth/1.0")
	if n := len(f.A.Mails(t)); n != 1 {
		t.Errorf("%d mails, want 1", n)
	}
}

// Who uses up the project's mails does not silence the notices, which are bounded too.
func TestNoticesOfTheirOwn(t *testing.T) {
	t.Parallel()
	f := fixture(t)
	signUp(t, f.A, firefox)
	f.A.EmptyOutbox(t)
	f.A.Configure(func(c *tenants.Config) { c.RateLimitEmailSent = 1 })
	f.A.Do(t, "POST", "/otp", flowtest.M{"email": "other@example.com"}).Want(200)
	f.A.Do(t, "POST", "/otp", flowtest.M{"email": "another@example.com"}).WantError(429, "over_email_send_rate_limit")
	for _, agent := range []string{iphone, "curl/8.0"} {
		signIn(t, f.A, agent)
	}
	if n := len(f.A.Mails(t)); n != 2 {
		t.Errorf("%d mails, want the code and the one notice of the limit", n)
	}
}
