package signup_test

import (
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/reevehq/reeve/internal/testkit/flowtest"
	"github.com/reevehq/reeve/tenants"
)

type m = flowtest.M

func autoconfirm(c *tenants.Config) { c.MailerAutoconfirm = true }

func TestSignupAutoconfirm(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, autoconfirm)
	res := f.A.Do(t, "POST", "/signup", m{"email": "Ann@Example.com", "password": "password123", "data": m{"nick": "n"}}).Want(200)
	s := res.Session()
	for path, want := range map[string]string{
		"token_type": "bearer", "expires_in": "3600", "user.email": "ann@example.com", "user.aud": "authenticated",
		"user.role": "authenticated", "user.app_metadata.provider": "email", "user.user_metadata.nick": "n",
		"user.user_metadata.email_verified": "true", "user.user_metadata.sub": s.UserID, "user.is_anonymous": "false",
	} {
		if got := res.Get(path); got != want {
			t.Errorf("%s = %q, want %q", path, got, want)
		}
	}
	if n := len(f.A.Mails(t)); n != 0 {
		t.Errorf("%d mails, want none", n)
	}
	me := f.A.Do(t, "GET", "/user", nil, flowtest.User(s.Access)).Want(200)
	user, _ := res.Find("user")
	if diff := cmp.Diff(user, any(me.JSON)); diff != "" {
		t.Errorf("GET /user differs: %s", diff)
	}
	f.A.Do(t, "POST", "/signup", m{"email": "ann@example.com", "password": "password456"}).WantError(422, "user_already_exists")
	f.A.SignIn(t, "ann@example.com", "password123")
	f.B.SignUp(t, "ann@example.com", "password123") // another project, another user
}

func TestSignupRefused(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	for _, c := range []struct {
		name   string
		body   any
		status int
		code   string
	}{
		{"bad JSON", "{bad", 400, "bad_json"},
		{"email a number", m{"email": 1, "password": "password123"}, 400, "bad_json"},
		{"bad email", m{"email": "nonsense", "password": "password123"}, 400, "validation_failed"},
		{"long email", m{"email": strings.Repeat("a", 250) + "@example.com", "password": "password123"}, 400, "validation_failed"},
		{"email with line break", m{"email": "a@example.com\nBcc: b@example.com", "password": "password123"}, 400, "validation_failed"},
		{"no password", m{"email": "a@example.com"}, 400, "validation_failed"},
		{"no email", m{"password": "password123"}, 400, "validation_failed"},
		{"weak password", m{"email": "a@example.com", "password": "123"}, 422, "weak_password"},
		{"long password", m{"email": "a@example.com", "password": strings.Repeat("a", 73)}, 400, "validation_failed"},
		{"NUL in password", `{"email":"a@example.com","password":"password\u0000123"}`, 400, "validation_failed"},
		{"anonymous", m{}, 422, "anonymous_provider_disabled"},
		{"phone", m{"phone": "4670000001", "password": "password123"}, 400, "phone_provider_disabled"},
		{"both", m{"email": "a@example.com", "phone": "4670000001", "password": "password123"}, 400, "validation_failed"},
		{"data a list", m{"email": "a@example.com", "password": "password123", "data": []int{1}}, 400, "bad_json"},
		{"data too large", m{"email": "a@example.com", "password": "password123", "data": m{"a": strings.Repeat("x", 65<<10)}}, 400, "validation_failed"},
		{"body too large", m{"a": strings.Repeat("x", 1<<20)}, 413, "request_entity_too_large"},
		{"half a challenge", m{"email": "a@example.com", "password": "password123", "code_challenge": strings.Repeat("c", 43)}, 400, "validation_failed"},
		{"short challenge", m{"email": "a@example.com", "password": "password123", "code_challenge": "c", "code_challenge_method": "s256"}, 400, "validation_failed"},
		{"odd challenge method", m{"email": "a@example.com", "password": "password123", "code_challenge": strings.Repeat("c", 43), "code_challenge_method": "md5"}, 400, "validation_failed"},
	} {
		t.Run(c.name, func(t *testing.T) { f.A.Do(t, "POST", "/signup", c.body).WantError(c.status, c.code) })
	}
	good := m{"email": "a@example.com", "password": "password123"}
	f.A.Do(t, "POST", "/signup", good, flowtest.Key(f.B.Publishable)).Want(401)
	f.A.Do(t, "POST", "/signup", good, flowtest.Key("")).Want(401)
	f.A.Configure(func(c *tenants.Config) { c.DisableSignup = true })
	f.A.Do(t, "POST", "/signup", good).WantError(422, "signup_disabled")
	f.A.Configure(func(c *tenants.Config) { c.DisableSignup, c.ExternalEmailEnabled = false, false })
	f.A.Do(t, "POST", "/signup", good).WantError(400, "email_provider_disabled")
	if n := f.A.Count(t, "SELECT count(*) FROM auth.users"); n != 0 {
		t.Errorf("%d users, want none", n)
	}
}

func TestSignupConfirmation(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	body := m{"email": "c@example.com", "password": "password123", "data": m{"nick": "n"}}
	res := f.A.Do(t, "POST", "/signup?redirect_to=http://localhost:3000/welcome", body).Want(200)
	if res.Get("access_token") != "" || res.Get("confirmation_sent_at") == "" || res.Get("email_confirmed_at") != "" ||
		res.Get("user_metadata.email_verified") != "false" {
		t.Errorf("user %s", res.Raw)
	}
	mail := f.A.Mail(t, "c@example.com")
	q := f.A.LinkQuery(t, mail)
	if mail.Kind != "confirmation" || q.Get("type") != "signup" || q.Get("redirect_to") != "http://localhost:3000/welcome" || len(mail.Code) != 6 {
		t.Errorf("mail %s, code %q, link %v", mail.Kind, mail.Code, q)
	}
	login := m{"email": "c@example.com", "password": "password123"}
	f.A.Do(t, "POST", "/token?grant_type=password", login).WantError(400, "email_not_confirmed")
	f.A.Do(t, "POST", "/verify", m{"type": "signup", "email": "c@example.com", "token": mail.Code}).Session()
	f.A.Do(t, "POST", "/token?grant_type=password", login).Want(200)
}

// A second sign-up before the confirmation sends another mail. The answer shows
// nothing of the first one, and the user's row does not change.
func TestSignupAgain(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	first := f.A.Do(t, "POST", "/signup", m{"email": "c@example.com", "password": "password123", "data": m{"role": "first"}}).Want(200)
	res := f.A.Do(t, "POST", "/signup", m{"email": "c@example.com", "password": "password456"}).WantError(429, "over_email_send_rate_limit")
	if res.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	const row = `SELECT encrypted_password || raw_user_meta_data || (SELECT identity_data FROM auth.identities) FROM auth.users`
	before := flowtest.One[string](t, f.A, row)
	f.Clock.Advance(time.Minute)
	again := f.A.Do(t, "POST", "/signup", m{"email": "c@example.com", "password": "password456", "data": m{"nick": "second"}}).Want(200)
	if again.Get("id") != first.Get("id") || strings.Contains(string(again.Raw), "first") {
		t.Errorf("second answer %s", again.Raw)
	}
	if n := len(f.A.Mails(t)); n != 2 {
		t.Errorf("%d mails, want 2", n)
	}
	if after := flowtest.One[string](t, f.A, row); after != before {
		t.Errorf("the row is %s, was %s", after, before)
	}
	f.A.Do(t, "POST", "/token?grant_type=password", m{"email": "c@example.com", "password": "password123"}).WantError(400, "email_not_confirmed")
}

// An address answers alike whether it is new, unconfirmed or taken, at first and
// when repeated: byte for byte, but for ids, times and the address. A mail goes
// to every address but the taken one.
func TestSignupTellsNobody(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	f.Clock.Run(time.Microsecond)
	s := f.A.SignUp(t, "taken-1@example.com", "password123")
	f.A.Do(t, "POST", "/signup", m{"email": "unsure1@example.com", "password": "password123", "data": m{"nick": "first"}}).Want(200)
	f.A.EmptyOutbox(t)
	f.Clock.Advance(time.Hour)
	answers := map[string][]string{}
	for _, email := range []string{"taken-1@example.com", "unsure1@example.com", "brandnew@example.com"} {
		body := `{"email":"` + email + `","password":"password456","data":{"zeta":1,"a":{"e":1e2,"d":1.50,"é":"<&>"},"sub":"x","none":null}}`
		first := f.A.Do(t, "POST", "/signup", body).Want(200)
		again := f.A.Do(t, "POST", "/signup", body).WantError(429, "over_email_send_rate_limit")
		if again.Header.Get("Retry-After") != "60" {
			t.Errorf("%s: Retry-After %s", email, again.Header.Get("Retry-After"))
		}
		f.Clock.Advance(time.Minute)
		second := f.A.Do(t, "POST", "/signup", body).Want(200)
		f.Clock.Advance(time.Minute)
		if first.Get("id") != second.Get("id") {
			t.Errorf("%s: the id changes", email)
		}
		answers[email] = []string{masked(email, first.Raw), masked(email, second.Raw)}
		if strings.Contains(email, "taken") && strings.Contains(string(first.Raw), s.UserID) {
			t.Errorf("the answer reveals the user: %s", first.Raw)
		}
	}
	want := answers["brandnew@example.com"][0]
	for email, got := range answers {
		for i := range got {
			if diff := cmp.Diff(want, got[i]); diff != "" {
				t.Errorf("%s, sign-up %d: %s", email, i+1, diff)
			}
		}
	}
	mails := map[string]int{}
	for _, mail := range f.A.Mails(t) {
		mails[mail.To]++
	}
	if diff := cmp.Diff(map[string]int{"unsure1@example.com": 2, "brandnew@example.com": 2}, mails); diff != "" {
		t.Errorf("mails: %s", diff)
	}
	f.A.SignIn(t, "taken-1@example.com", "password123") // nothing of it has changed
}

// A request for the link of a sign-up does not make the next sign-up tell
// whether the address is new.
func TestSignupAfterResend(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	f.A.SignUp(t, "taken@example.com", "password123")
	f.A.Do(t, "POST", "/signup", m{"email": "unsure@example.com", "password": "password123"}).Want(200)
	f.Clock.Advance(time.Hour)
	for _, email := range []string{"taken@example.com", "unsure@example.com", "new@example.com"} {
		for _, c := range []struct {
			path   string
			status int
		}{{"/resend", 200}, {"/resend", 429}, {"/signup", 200}, {"/signup", 429}, {"/resend", 429}} {
			res := f.A.Do(t, "POST", c.path, m{"type": "signup", "email": email, "password": "password456"})
			if res.Status != c.status {
				t.Errorf("%s %s: %d, want %d", c.path, email, res.Status, c.status)
			}
		}
	}
}

var (
	anID   = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}`)
	aTime  = regexp.MustCompile(`\d{4}-\d\d-\d\dT[0-9:.]+Z`)
	number = func() func(string) string { // equal texts get equal numbers
		seen := map[string]string{}
		return func(text string) string {
			if seen[text] == "" {
				seen[text] = fmt.Sprint(len(seen))
			}
			return seen[text]
		}
	}
)

// masked replaces the address, ids and times of an answer by their number.
func masked(email string, raw []byte) string {
	text := strings.ReplaceAll(string(raw), email, "<address>")
	return aTime.ReplaceAllStringFunc(anID.ReplaceAllStringFunc(text, number()), number())
}

func TestSignupMailLimit(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, func(c *tenants.Config) { c.RateLimitEmailSent = 2 })
	sign := func(p *flowtest.Project, email string) *flowtest.Response {
		return p.Do(t, "POST", "/signup", m{"email": email, "password": "password123"})
	}
	sign(f.A, "a@example.com").Want(200)
	sign(f.A, "b@example.com").Want(200)
	sign(f.A, "c@example.com").WantError(429, "over_email_send_rate_limit")
	if n := f.A.Count(t, "SELECT count(*) FROM auth.users"); n != 2 {
		t.Errorf("%d users: the refused one was written", n)
	}
	sign(f.B, "c@example.com").Want(200) // the other project has its own limit
	f.Clock.Advance(30 * time.Minute)
	sign(f.A, "c@example.com").Want(200)
}

// Of many concurrent sign-ups with the same address one succeeds.
func TestSignupAtOnce(t *testing.T) {
	t.Parallel()
	for name, confirm := range map[string]bool{"autoconfirm": true, "confirmation": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := flowtest.New(t, func(c *tenants.Config) { c.MailerAutoconfirm = confirm })
			var mu sync.Mutex
			statuses := map[int]int{}
			var wg sync.WaitGroup
			for range 12 {
				wg.Go(func() {
					res := f.A.Do(t, "POST", "/signup", m{"email": "a@example.com", "password": "password123"})
					mu.Lock()
					defer mu.Unlock()
					statuses[res.Status]++
				})
			}
			wg.Wait()
			// Without confirmation one is signed in. With it, the counted
			// request is answered, and those that found no user.
			refusal := 422
			if !confirm {
				refusal = 429
			}
			if statuses[200]+statuses[refusal] != 12 || statuses[200] < 1 || confirm && statuses[200] != 1 {
				t.Errorf("statuses: %v", statuses)
			}
			if n := f.A.Count(t, "SELECT count(*) FROM auth.users"); n != 1 {
				t.Errorf("%d users", n)
			}
			// One for the request that created the user, and one for the counted
			// request if that was another.
			if n := len(f.A.Mails(t)); !confirm && n != 1 && n != 2 {
				t.Errorf("%d mails", n)
			}
		})
	}
}

// A failing trigger of the developer's makes the sign-up fail, and no mail is
// sent for a user who does not exist.
func TestSignupWithFailingTrigger(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	f.A.ExecAsOwner(t, `CREATE FUNCTION public.no() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
			BEGIN RAISE EXCEPTION 'a secret of the developer'; END $$;
		CREATE TRIGGER no AFTER INSERT ON auth.users FOR EACH ROW EXECUTE FUNCTION public.no()`)
	res := f.A.Do(t, "POST", "/signup", m{"email": "a@example.com", "password": "password123"}).Want(500)
	if strings.Contains(string(res.Raw), "secret") {
		t.Errorf("the answer tells what the trigger said: %s", res.Raw)
	}
	if n := len(f.A.Mails(t)); n != 0 {
		t.Errorf("%d mails", n)
	}
}

// A project that stops requiring confirmation does not lock out users who had
// not confirmed, and does not open accounts that an admin began.
func TestSignupAfterConfirmationWasTurnedOff(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	ann := func(password string) m {
		return m{"email": "ann@example.com", "password": password, "data": m{"by": password}}
	}
	first := f.A.Do(t, "POST", "/signup", ann("password123")).Want(200)
	link := f.A.LinkQuery(t, f.A.Mail(t, "ann@example.com")).Get("token")
	for _, email := range []string{"invited@example.com", "linked@example.com", "made@example.com", "trusted@example.com"} {
		switch email {
		case "invited@example.com":
			f.A.Admin(t, "POST", "/invite", m{"email": email}).Want(200)
		case "linked@example.com":
			f.A.Admin(t, "POST", "/admin/generate_link", m{"email": email, "password": "password123", "type": "signup"}).Want(200)
		case "made@example.com":
			f.A.Admin(t, "POST", "/admin/users", m{"email": email, "password": "password123"}).Want(200)
			f.A.Do(t, "POST", "/resend", m{"email": email, "type": "signup"}).Want(200) // as anybody may
		default:
			id := f.A.Do(t, "POST", "/signup", m{"email": email, "password": "password123"}).Want(200).Get("id")
			f.A.Admin(t, "PUT", "/admin/users/"+id, m{"app_metadata": m{"admin": true}}).Want(200)
		}
	}
	f.A.Configure(func(c *tenants.Config) { c.MailerAutoconfirm = true })
	res := f.A.Do(t, "POST", "/signup", ann("password456")).Want(200)
	if res.Session().UserID != first.Get("id") || res.Get("user.user_metadata.by") != "password456" ||
		res.Get("user.user_metadata.email_verified") != "true" || strings.Count(string(res.Raw), `"by":"password456"`) != 2 ||
		res.Get("user.confirmation_sent_at") != "" {
		t.Errorf("session %s", res.Raw)
	}
	f.A.SignIn(t, "ann@example.com", "password456")
	f.A.Do(t, "POST", "/token?grant_type=password", ann("password123")).WantError(400, "invalid_credentials")
	f.A.Do(t, "POST", "/verify", m{"type": "signup", "token_hash": link}).WantError(403, "otp_expired")
	for _, email := range []string{"ann@example.com", "invited@example.com", "linked@example.com", "made@example.com", "trusted@example.com"} {
		f.A.Do(t, "POST", "/signup", m{"email": email, "password": "password789"}).WantError(422, "user_already_exists")
	}
}

// Without redirect_to, or with a refused one, a link leads to the page of the
// request, if that is allowed.
func TestSignupFromAPage(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, func(c *tenants.Config) { c.URIAllowList = "https://*.preview.example/**" })
	site := f.A.Tenant().Config.SiteURL
	for i, c := range []struct{ query, header, referer, want string }{
		{"", "", "https://one.preview.example/", "https://one.preview.example/"},
		{"", "", "https://evil.example/", site},
		{"?redirect_to=https://evil.example/", "", "https://one.preview.example/", "https://one.preview.example/"},
		{"?redirect_to=https://two.preview.example/", "", "https://one.preview.example/", "https://two.preview.example/"},
		{"?redirect_to=https://two.preview.example/", "https://three.preview.example/", "", "https://three.preview.example/"},
	} {
		email := fmt.Sprintf("u%d@example.com", i)
		f.A.Do(t, "POST", "/signup"+c.query, m{"email": email, "password": "password123"},
			flowtest.Header("redirect_to", c.header), flowtest.Header("Referer", c.referer)).Want(200)
		if got := f.A.LinkQuery(t, f.A.Mail(t, email)).Get("redirect_to"); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}
