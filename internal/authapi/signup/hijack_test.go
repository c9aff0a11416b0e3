package signup_test

import (
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/reevehq/reeve/internal/message"
	"github.com/reevehq/reeve/internal/testkit/flowtest"
	"github.com/reevehq/reeve/tenants"
)

const (
	victim   = "victim@example.com"
	hers     = "her password 1"
	attacker = "his password 1"
)

// signUp signs up with the victim's address and returns the mail. The time
// between two mails has passed afterwards.
func signUp(t *testing.T, f *flowtest.Fixture, password, by string, more ...m) message.Message {
	t.Helper()
	body := m{"email": victim, "password": password, "data": m{"by": by, by: true}}
	for _, add := range more {
		for name, value := range add {
			body[name] = value
		}
	}
	f.A.Do(t, "POST", "/signup", body).Want(200)
	f.Clock.Advance(time.Minute)
	return f.A.Mail(t, victim)
}

func resend(t *testing.T, f *flowtest.Fixture) message.Message {
	t.Helper()
	f.A.Do(t, "POST", "/resend", m{"type": "signup", "email": victim}).Want(200)
	f.Clock.Advance(time.Minute)
	return f.A.Mail(t, victim)
}

func recover(t *testing.T, f *flowtest.Fixture) message.Message {
	t.Helper()
	f.A.Do(t, "POST", "/recover", m{"email": victim}).Want(200)
	f.Clock.Advance(time.Minute)
	return f.A.Mail(t, victim)
}

// open opens a mail's link in a browser.
func open(t *testing.T, f *flowtest.Fixture, mail message.Message) *flowtest.Response {
	t.Helper()
	return f.A.Do(t, "GET", "/verify?"+f.A.LinkQuery(t, mail).Encode(), nil, flowtest.Key("")).Want(303)
}

// enter types in a mail's code.
func enter(t *testing.T, f *flowtest.Fixture, mail message.Message) *flowtest.Response {
	t.Helper()
	return f.A.Do(t, "POST", "/verify", m{"type": "signup", "email": victim, "token": mail.Code})
}

// passwords says which of the two passwords sign in: hers, his, both or none.
func passwords(t *testing.T, f *flowtest.Fixture) string {
	t.Helper()
	works := func(password string) bool {
		return f.A.Do(t, "POST", "/token?grant_type=password", m{"email": victim, "password": password}).Status == 200
	}
	switch h, a := works(hers), works(attacker); {
	case h && a:
		return "both"
	case h:
		return "hers"
	case a:
		return "his"
	}
	return "none"
}

// Whoever confirms gets the password and the data of the sign-up whose mail
// they followed.
func TestUnconfirmedSignups(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		run  func(t *testing.T, f *flowtest.Fixture)
		want string // whose password works
		by   string // whose data stand in the metadata
	}{
		"his sign-up first, she opens her link": {func(t *testing.T, f *flowtest.Fixture) {
			signUp(t, f, attacker, "him")
			open(t, f, signUp(t, f, hers, "her"))
		}, "hers", "her"},
		"his sign-up first, she enters her code": {func(t *testing.T, f *flowtest.Fixture) {
			signUp(t, f, attacker, "him")
			enter(t, f, signUp(t, f, hers, "her")).Session()
		}, "hers", "her"},
		"his sign-up last, she opens her link": {func(t *testing.T, f *flowtest.Fixture) {
			mail := signUp(t, f, hers, "her")
			signUp(t, f, attacker, "him")
			open(t, f, mail)
		}, "hers", "her"},
		"his sign-up last, she enters her code": {func(t *testing.T, f *flowtest.Fixture) {
			mail := signUp(t, f, hers, "her")
			signUp(t, f, attacker, "him")
			enter(t, f, mail).Session()
		}, "hers", "her"},
		"his sign-ups before and after": {func(t *testing.T, f *flowtest.Fixture) {
			signUp(t, f, attacker, "him")
			mail := signUp(t, f, hers, "her")
			signUp(t, f, attacker, "him")
			open(t, f, mail)
		}, "hers", "her"},
		"his seven sign-ups do not void her link": {func(t *testing.T, f *flowtest.Fixture) {
			signUp(t, f, attacker, "him")
			mail := signUp(t, f, hers, "her")
			for range 7 {
				signUp(t, f, attacker, "him")
			}
			if open(t, f, mail).Fragment().Get("access_token") == "" {
				t.Error("her link does not sign her in")
			}
		}, "none", "<nil>"}, // only the newest five passwords are kept
		"his sign-up alone, she asks for the link again": {func(t *testing.T, f *flowtest.Fixture) {
			signUp(t, f, attacker, "him")
			mail := signUp(t, f, hers, "her")
			again := resend(t, f)
			if again.Code == mail.Code {
				t.Error("the same code")
			}
			open(t, f, again)
		}, "none", "<nil>"}, // the link belongs to neither sign-up
		"her sign-up alone, she asks for the link again": {func(t *testing.T, f *flowtest.Fixture) {
			signUp(t, f, hers, "her")
			open(t, f, resend(t, f))
		}, "hers", "her"},
		"asking for the link again does not void her link": {func(t *testing.T, f *flowtest.Fixture) {
			signUp(t, f, attacker, "him")
			mail := signUp(t, f, hers, "her")
			resend(t, f)
			open(t, f, mail)
		}, "hers", "her"},
		"his sign-up, she recovers": {func(t *testing.T, f *flowtest.Fixture) {
			signUp(t, f, attacker, "him")
			session := open(t, f, recover(t, f)).Fragment().Get("access_token")
			f.A.Do(t, "PUT", "/user", m{"password": hers}, flowtest.User(session)).Want(200)
		}, "hers", "him"}, // one sign-up may well be hers, so its data stay
		"his sign-up, she recovers and chooses no password": {func(t *testing.T, f *flowtest.Fixture) {
			signUp(t, f, attacker, "him")
			open(t, f, recover(t, f))
		}, "none", "him"},
		"both sign-ups, she recovers and chooses no password": {func(t *testing.T, f *flowtest.Fixture) {
			signUp(t, f, attacker, "him")
			signUp(t, f, hers, "her")
			open(t, f, recover(t, f))
		}, "none", "<nil>"},
		"her link after tokens and sign-ups were tidied": {func(t *testing.T, f *flowtest.Fixture) {
			signUp(t, f, attacker, "him")
			signUp(t, f, hers, "her")
			f.Clock.Advance(9 * 24 * time.Hour)
			if _, err := f.A.DB.Tidy(t.Context(), f.Clock.Now()); err != nil {
				t.Fatal(err)
			}
			if n := f.A.Count(t, `SELECT count(*) FROM reeve.signup`); n != 0 {
				t.Errorf("%d sign-ups were not tidied", n)
			}
			open(t, f, resend(t, f))
		}, "none", "<nil>"},
		"an admin confirms": {func(t *testing.T, f *flowtest.Fixture) {
			signUp(t, f, attacker, "him")
			signUp(t, f, hers, "her")
			id := flowtest.One[string](t, f.A, `SELECT id::text FROM auth.users`)
			f.A.Admin(t, "PUT", "/admin/users/"+id, m{"email_confirm": true}).Want(200)
		}, "none", "him"},
		"he only opens his mail": {func(t *testing.T, f *flowtest.Fixture) { // she opens it, in truth: nothing tells that she did not sign up
			mail := signUp(t, f, attacker, "him")
			signUp(t, f, hers, "her")
			open(t, f, mail)
		}, "his", "him"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := flowtest.New(t, func(c *tenants.Config) { c.RateLimitEmailSent = 1000 })
			f.B.Do(t, "POST", "/signup", m{"email": victim, "password": attacker}).Want(200) // must not matter
			c.run(t, f)
			if got := passwords(t, f); got != c.want {
				t.Errorf("%s signs in, want %s", got, c.want)
			}
			const by = `SELECT coalesce(raw_user_meta_data->>'by', '<nil>') FROM auth.users`
			if got := flowtest.One[string](t, f.A, by); got != c.by {
				t.Errorf("the data are of %s, want %s", got, c.by)
			}
			const other = `SELECT count(*) FROM auth.users WHERE raw_user_meta_data ?| '{him,her}' AND NOT raw_user_meta_data ? coalesce(raw_user_meta_data->>'by', '')`
			if n := f.A.Count(t, other); n != 0 {
				t.Error("data of another sign-up are left")
			}
			if n := f.A.Count(t, `SELECT (SELECT count(*) FROM reeve.signup) + (SELECT count(*) FROM reeve.unconfirmed_user)`); n != 0 {
				t.Errorf("%d records of sign-ups outlive the confirmation", n)
			}
			if n := f.A.Count(t, `SELECT count(*) FROM auth.users WHERE email_confirmed_at IS NULL`); n != 0 {
				t.Error("the user is not confirmed")
			}
			if n := f.B.Count(t, `SELECT count(*) FROM auth.users WHERE email_confirmed_at IS NULL`); n != 1 {
				t.Error("the other project's user changed")
			}
		})
	}
}

// After one confirmation the tokens of all other sign-ups are void.
func TestOtherSignupsAreVoid(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	mails := []message.Message{signUp(t, f, attacker, "him"), signUp(t, f, hers, "her"), signUp(t, f, attacker, "him"), resend(t, f)}
	for _, mail := range mails { // another project's key
		f.B.Do(t, "POST", "/verify", m{"type": "signup", "token_hash": f.A.LinkQuery(t, mail).Get("token")}).WantError(403, "otp_expired")
	}
	f.A.Do(t, "POST", "/verify", m{"type": "invite", "token_hash": f.A.LinkQuery(t, mails[1]).Get("token")}).WantError(403, "otp_expired")
	f.A.Do(t, "POST", "/verify", m{"type": "email", "token_hash": f.A.LinkQuery(t, mails[1]).Get("token")}).Session()
	for i, mail := range mails {
		enter(t, f, mail).WantError(403, "otp_expired")
		if got := open(t, f, mail).Fragment().Get("error_code"); got != "otp_expired" {
			t.Errorf("mail %d: %q", i, got)
		}
	}
	f.Clock.Advance(time.Hour)
	f.A.EmptyOutbox(t)
	f.A.Do(t, "POST", "/signup", m{"email": victim, "password": attacker}).Want(200)
	if n := len(f.A.Mails(t)); n != 0 || passwords(t, f) != "hers" {
		t.Errorf("%d mails to the confirmed address, %s signs in", n, passwords(t, f))
	}
}

// A sign-up that is kept apart expires as every token does.
func TestSignupApartExpires(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	signUp(t, f, attacker, "him")
	mail := signUp(t, f, hers, "her")
	f.Clock.Advance(time.Hour)
	enter(t, f, mail).WantError(403, "otp_expired")
	if got := open(t, f, mail).Fragment().Get("error_code"); got != "otp_expired" {
		t.Errorf("error %q", got)
	}
}

// A sign-up right after one at another process, which counts for itself, is not
// lost.
func TestSignupAtAnotherProcess(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	f.A.Do(t, "POST", "/signup", m{"email": victim, "password": attacker}).Want(200)
	f.Limiter.Forget(f.A.Tenant().Ref)
	enter(t, f, signUp(t, f, hers, "her")).Session()
	if got := passwords(t, f); got != "hers" {
		t.Errorf("%s signs in", got)
	}
}

// Of confirmations at the same time one wins, and the password is the
// winner's.
func TestConfirmAtOnce(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	tokens := []string{
		f.A.LinkQuery(t, signUp(t, f, attacker, "him")).Get("token"), f.A.LinkQuery(t, signUp(t, f, hers, "her")).Get("token"),
	}
	owner := []string{"his", "hers"}
	var mu sync.Mutex
	var won []string
	var wg sync.WaitGroup
	for i := range 12 {
		wg.Go(func() {
			res := f.A.Do(t, "POST", "/verify", m{"type": "signup", "token_hash": tokens[i%2]})
			mu.Lock()
			defer mu.Unlock()
			switch res.Status {
			case 200:
				won = append(won, owner[i%2])
			case 403:
			default:
				t.Errorf("status %d: %s", res.Status, res.Raw)
			}
		})
	}
	wg.Wait()
	if len(won) != 1 || passwords(t, f) != won[0] {
		t.Errorf("%v won, %s signs in", won, passwords(t, f))
	}
}

// A sign-up and a confirmation at the same time leave one password, that of the
// confirmed sign-up, and no token that works.
func TestSignupDuringConfirmation(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	token := f.A.LinkQuery(t, signUp(t, f, hers, "her")).Get("token")
	var wg sync.WaitGroup
	wg.Go(func() { f.A.Do(t, "POST", "/verify", m{"type": "signup", "token_hash": token}).Want(200) })
	wg.Go(func() { f.A.Do(t, "POST", "/signup", m{"email": victim, "password": attacker}).Want(200) })
	wg.Wait()
	for _, mail := range f.A.Mails(t) {
		enter(t, f, mail).WantError(403, "otp_expired")
	}
	if got := passwords(t, f); got != "hers" {
		t.Errorf("%s signs in", got)
	}
}

// The challenge of an exchange belongs to its sign-up.
func TestSignupApartWithPKCE(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	with := func(verifier string) m { return m{"code_challenge": verifier, "code_challenge_method": "plain"} }
	his, her := strings.Repeat("h", 50), strings.Repeat("s", 50)
	signUp(t, f, attacker, "him", with(his))
	mail := signUp(t, f, hers, "her", with(her))
	signUp(t, f, attacker, "him", with(his))
	code := open(t, f, mail).Location().Query().Get("code")
	exchange := func(verifier string) *flowtest.Response {
		return f.A.Do(t, "POST", "/token?grant_type=pkce", m{"auth_code": code, "code_verifier": verifier})
	}
	exchange(his).WantError(400, "bad_code_verifier")
	s := exchange(her).Session()
	f.A.Do(t, "GET", "/user", nil, flowtest.User(s.Access)).Want(200)
	if got := passwords(t, f); got != "hers" {
		t.Errorf("%s signs in", got)
	}
}

// A link of a contested address that was sent again, and a recovery, continue
// with PKCE too.
func TestProofWithPKCE(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/resend", "/recover"} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			f := flowtest.New(t)
			signUp(t, f, attacker, "him", m{"code_challenge": strings.Repeat("h", 50), "code_challenge_method": "plain"})
			signUp(t, f, hers, "her")
			f.A.Do(t, "POST", path, m{"type": "signup", "email": victim, "code_challenge": strings.Repeat("s", 50), "code_challenge_method": "plain"}).Want(200)
			code := open(t, f, f.A.Mail(t, victim)).Location().Query().Get("code")
			f.A.Do(t, "POST", "/token?grant_type=pkce", m{"auth_code": code, "code_verifier": strings.Repeat("s", 50)}).Session()
			if got := passwords(t, f); got != "none" {
				t.Errorf("%s signs in", got)
			}
		})
	}
}

// A link without a challenge does not become one with a code by its prefix.
func TestSignupApartPrefixedLink(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	signUp(t, f, attacker, "him")
	token := f.A.LinkQuery(t, signUp(t, f, hers, "her")).Get("token")
	to := f.A.Do(t, "GET", "/verify?type=signup&token=pkce_"+url.QueryEscape(token), nil, flowtest.Key("")).Want(303).Location()
	if to.Query().Get("error_code") != "flow_state_not_found" {
		t.Errorf("the link leads to %s", to)
	}
	f.A.Do(t, "POST", "/verify", m{"type": "signup", "token_hash": token}).Session() // it was not used up
}

// The mail of a sign-up shows its own data, and a link that was sent again those
// of none.
func TestMailOfSignupApart(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, func(c *tenants.Config) { c.ConfirmationMail.Subject = "by {{ .Data.by }}" })
	signUp(t, f, attacker, "him")
	if mail := signUp(t, f, hers, "her"); mail.Subject != "by her" {
		t.Errorf("subject %q", mail.Subject)
	}
	if mail := resend(t, f); strings.Contains(mail.Subject, "him") {
		t.Errorf("subject %q", mail.Subject)
	}
}

// Users whom an admin created, invited or changed the password of are never
// replaced by a sign-up; a public sign-up's mail confirms them as they are.
func TestSignupOnAdminsUser(t *testing.T) {
	t.Parallel()
	for name, make := range map[string]func(t *testing.T, f *flowtest.Fixture){
		"created": func(t *testing.T, f *flowtest.Fixture) {
			f.A.Admin(t, "POST", "/admin/users", m{"email": victim, "password": hers}).Want(200)
		},
		"created with data": func(t *testing.T, f *flowtest.Fixture) {
			f.A.Admin(t, "POST", "/admin/users", m{"email": victim, "password": hers, "user_metadata": m{"a": 1}}).Want(200)
		},
		"linked": func(t *testing.T, f *flowtest.Fixture) {
			f.A.Admin(t, "POST", "/admin/generate_link", m{"type": "signup", "email": victim, "password": hers, "data": m{"a": 1}}).Want(200)
		},
		"linked after a sign-up": func(t *testing.T, f *flowtest.Fixture) {
			signUp(t, f, attacker, "him")
			f.A.Admin(t, "POST", "/admin/generate_link", m{"type": "signup", "email": victim, "password": hers, "data": m{"a": 1}}).Want(200)
		},
		"given a password after sign-ups": func(t *testing.T, f *flowtest.Fixture) {
			signUp(t, f, attacker, "him")
			signUp(t, f, attacker, "him")
			id := flowtest.One[string](t, f.A, `SELECT id::text FROM auth.users`)
			f.A.Admin(t, "PUT", "/admin/users/"+id, m{"password": hers}).Want(200)
		},
		"inserted by SQL": func(t *testing.T, f *flowtest.Fixture) {
			signUp(t, f, hers, "her")
			f.A.ExecAsOwner(t, `CREATE TABLE public.kept AS SELECT * FROM auth.users; DELETE FROM auth.users;
				INSERT INTO auth.users (id, email, encrypted_password) SELECT gen_random_uuid(), email, encrypted_password FROM public.kept`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := flowtest.New(t)
			make(t, f)
			f.Clock.Advance(time.Hour)
			mail := signUp(t, f, attacker, "him")
			enter(t, f, mail).Session()
			if got := passwords(t, f); got != "hers" {
				t.Errorf("%s signs in, want the password that the admin set", got)
			}
			if n := f.A.Count(t, `SELECT count(*) FROM reeve.signup`); n != 0 {
				t.Errorf("%d sign-ups are kept apart", n)
			}
		})
	}
}

// An invitation of somebody whose address strangers have used leaves these no
// way in.
func TestInvitedAfterSignups(t *testing.T) {
	t.Parallel()
	for name, prepare := range map[string]func(t *testing.T, f *flowtest.Fixture){
		"sign-ups": func(t *testing.T, f *flowtest.Fixture) {
			signUp(t, f, attacker, "him")
			s := f.A.SignIn(t, victim, attacker)
			f.A.Do(t, "PUT", "/user", m{"email": "his@example.com", "data": m{"planted": 1}}, flowtest.User(s.Access)).Want(200)
			signUp(t, f, attacker, "him")
		},
		"a provider's user": unverifiedProvidersUser,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := flowtest.New(t, func(c *tenants.Config) { c.MailerAllowUnverifiedEmailSignIn, c.MailerSecureEmailChange = true, false })
			prepare(t, f)
			old := f.A.Mails(t)
			f.A.Admin(t, "POST", "/invite", m{"email": victim, "data": m{"team": "a"}}).Want(200)
			f.Clock.Advance(time.Minute)
			if mail := signUp(t, f, attacker, "him"); mail.Kind != "confirmation" {
				t.Errorf("a %s mail", mail.Kind)
			}
			f.Clock.Advance(time.Minute)
			f.A.Admin(t, "POST", "/invite", m{"email": victim}).Want(200)
			invitation := f.A.Mail(t, victim)
			f.A.Do(t, "POST", "/verify", m{"type": "invite", "email": victim, "token": invitation.Code}).Session()
			for _, mail := range old {
				q := f.A.LinkQuery(t, mail)
				f.A.Do(t, "POST", "/verify", m{"type": q.Get("type"), "token_hash": q.Get("token")}).WantError(403, "otp_expired")
			}
			if got := passwords(t, f); got != "none" {
				t.Errorf("%s signs in", got)
			}
			const left = `SELECT string_agg(provider, ' ') || ' ' || (raw_user_meta_data->>'team') || ' ' || (raw_user_meta_data ?| '{name,by,planted}')
				FROM auth.users u JOIN auth.identities i ON i.user_id = u.id GROUP BY u.id`
			if got := flowtest.One[string](t, f.A, left); got != "email a false" {
				t.Errorf("identities and metadata: %s", got)
			}
		})
	}
}

// unverifiedProvidersUser inserts a user as a provider's sign-in does that has
// not verified the address.
func unverifiedProvidersUser(t *testing.T, f *flowtest.Fixture) {
	t.Helper()
	f.A.Exec(t, `WITH u AS (INSERT INTO auth.users (id, aud, role, email, raw_user_meta_data, raw_app_meta_data)
			VALUES (gen_random_uuid(), 'authenticated', 'authenticated', '`+victim+`', '{"name": "him"}', '{"provider": "github", "providers": ["github"]}') RETURNING id)
		INSERT INTO auth.identities (provider_id, user_id, identity_data, provider) SELECT '1', id, '{}', 'github' FROM u`)
}

// What the developer's SQL writes stays, and triggers see the password and the
// data before the confirmation.
func TestSQLStays(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	f.A.ExecAsOwner(t, `
		CREATE TABLE public.seen (n int GENERATED ALWAYS AS IDENTITY, by text, confirmed boolean);
		CREATE FUNCTION public.tag() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
			BEGIN
				new.raw_user_meta_data := new.raw_user_meta_data || '{"tier": "free", "nick": "sql"}';
				new.raw_app_meta_data := new.raw_app_meta_data || '{"org": 7}';
				RETURN new;
			END $$;
		CREATE TRIGGER tag BEFORE INSERT ON auth.users FOR EACH ROW EXECUTE FUNCTION public.tag();
		CREATE FUNCTION public.see() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
			BEGIN
				INSERT INTO public.seen (by, confirmed) VALUES (new.raw_user_meta_data->>'by', new.email_confirmed_at IS NOT NULL);
				RETURN NULL;
			END $$;
		CREATE TRIGGER see AFTER UPDATE OF raw_user_meta_data ON auth.users FOR EACH ROW EXECUTE FUNCTION public.see()`)
	signUp(t, f, attacker, "him", m{"data": m{"by": "him", "nick": "him"}})
	mail := signUp(t, f, hers, "her", m{"data": m{"by": "her", "nick": "her", "tier": "gold"}})
	f.A.ExecAsOwner(t, `UPDATE auth.users SET raw_user_meta_data = raw_user_meta_data || '{"note": 1}'; DELETE FROM public.seen`)
	res := enter(t, f, mail).Want(200)
	for path, want := range map[string]string{
		"by": "her", "nick": "sql", "tier": "free", "note": "1", "email_verified": "true",
	} {
		if got := res.Get("user.user_metadata." + path); got != want {
			t.Errorf("%s is %q, want %q", path, got, want)
		}
	}
	if got := res.Get("user.app_metadata.org"); got != "7" {
		t.Errorf("app_metadata %q", got)
	}
	const seen = `SELECT string_agg(by || ' ' || confirmed, ', ' ORDER BY n) FROM public.seen`
	if got := flowtest.One[string](t, f.A, seen); got != "her false, her true" {
		t.Errorf("the triggers saw %s", got)
	}
}

// Where unconfirmed users may sign in, the first sign-up is signed in until
// another one confirms the address.
func TestUnverifiedSessionEnds(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, func(c *tenants.Config) { c.MailerAllowUnverifiedEmailSignIn = true })
	signUp(t, f, attacker, "him")
	s := f.A.SignIn(t, victim, attacker)
	f.A.Do(t, "PUT", "/user", m{"data": m{"planted": true}}, flowtest.User(s.Access)).Want(200)
	mail := signUp(t, f, hers, "her")
	const again = "his second password"
	f.A.Do(t, "PUT", "/user", m{"password": again}, flowtest.User(s.Access)).Want(200) // must not void her link
	f.A.Do(t, "PUT", "/user", m{"email": "his@example.com"}, flowtest.User(s.Access)).Want(200)
	res := enter(t, f, mail).Want(200)
	if res.Get("user.user_metadata.planted") != "" || res.Get("user.new_email") != "" {
		t.Errorf("his traces are left: %s", res.Raw)
	}
	f.A.Do(t, "GET", "/user", nil, flowtest.User(s.Access)).WantError(403, "session_not_found")
	f.A.Refresh(t, s.Refresh).WantError(400, "refresh_token_not_found")
	f.A.Do(t, "POST", "/token?grant_type=password", m{"email": victim, "password": again}).WantError(400, "invalid_credentials")
	f.A.SignIn(t, victim, hers)
	change := f.A.LinkQuery(t, f.A.Mail(t, "his@example.com")).Get("token")
	f.A.Do(t, "POST", "/verify", m{"type": "email_change", "token_hash": change}).WantError(403, "otp_expired")
}

// An account that a provider created for an address that it had not verified
// goes to the sign-up that proves the address.
func TestSignupOnUnverifiedProvidersUser(t *testing.T) {
	t.Parallel()
	for name, run := range map[string]struct {
		run  func(t *testing.T, f *flowtest.Fixture)
		want string
	}{
		"sign-up": {func(t *testing.T, f *flowtest.Fixture) { enter(t, f, signUp(t, f, hers, "her")).Session() }, "hers"},
		"recovery": {func(t *testing.T, f *flowtest.Fixture) {
			s := open(t, f, recover(t, f)).Fragment().Get("access_token")
			f.A.Do(t, "PUT", "/user", m{"password": hers}, flowtest.User(s)).Want(200)
		}, "hers"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := flowtest.New(t)
			unverifiedProvidersUser(t, f)
			run.run(t, f)
			if got := passwords(t, f); got != run.want {
				t.Errorf("%s signs in", got)
			}
			const left = `SELECT string_agg(provider, ' ') || ' ' || (raw_app_meta_data->>'providers') || ' ' || (raw_user_meta_data ? 'name')
				FROM auth.users u JOIN auth.identities i ON i.user_id = u.id GROUP BY u.id`
			if got := flowtest.One[string](t, f.A, left); got != `email ["email"] false` {
				t.Errorf("identities and metadata: %s", got)
			}
		})
	}
}

// Deleting the user deletes the sign-ups.
func TestDeleteUserWithSignups(t *testing.T) {
	t.Parallel()
	for name, soft := range map[string]bool{"soft": true, "hard": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := flowtest.New(t)
			signUp(t, f, attacker, "him")
			mail := signUp(t, f, hers, "her")
			id := flowtest.One[string](t, f.A, `SELECT id::text FROM auth.users`)
			f.A.Admin(t, "DELETE", "/admin/users/"+id, m{"should_soft_delete": soft}).Want(200)
			if n := f.A.Count(t, `SELECT (SELECT count(*) FROM reeve.signup) + (SELECT count(*) FROM reeve.unconfirmed_user)`); n != 0 {
				t.Errorf("%d records are left", n)
			}
			enter(t, f, mail).WantError(403, "otp_expired")
		})
	}
}

// The number of sign-ups that are kept for an address is bounded.
func TestSignupsAreBounded(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, func(c *tenants.Config) { c.RateLimitEmailSent = 1000 })
	for range 36 {
		signUp(t, f, attacker, "him")
	}
	if n := f.A.Count(t, `SELECT count(*) FROM reeve.signup`); n != 30 {
		t.Errorf("%d tokens, want 30", n)
	}
	if n := f.A.Count(t, `SELECT count(*) FROM reeve.signup WHERE password IS NOT NULL OR data IS NOT NULL`); n != 5 {
		t.Errorf("%d sign-ups with a password, want 5", n)
	}
}

// Tidying keeps what is known of unconfirmed users, and removes it when SQL
// confirmed or deleted them.
func TestTidySignups(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	for _, email := range []string{"a@example.com", "b@example.com", "c@example.com"} {
		f.A.Do(t, "POST", "/signup", m{"email": email, "password": hers}).Want(200)
	}
	f.A.Configure(func(c *tenants.Config) { c.ExternalPhoneEnabled = true })
	for _, phone := range []string{"491701234567", "491701234568"} {
		f.A.Do(t, "POST", "/otp", m{"phone": phone}).Want(200)
	}
	f.A.ExecAsOwner(t, `UPDATE auth.users SET email_confirmed_at = now() WHERE email = 'a@example.com'`)
	f.A.ExecAsOwner(t, `DELETE FROM auth.users WHERE email = 'b@example.com'`)
	// A confirmed number says nothing of an address beside it.
	f.A.ExecAsOwner(t, `UPDATE auth.users SET phone_confirmed_at = now() WHERE phone = '491701234567'`)
	f.A.ExecAsOwner(t, `UPDATE auth.users SET phone_confirmed_at = now(), phone = '491701234569' WHERE email = 'c@example.com'`)
	for days, want := range []int{5, 2, 2} {
		f.Clock.Advance(time.Duration(days) * 9 * 24 * time.Hour)
		if _, err := f.A.DB.Tidy(t.Context(), f.Clock.Now()); err != nil {
			t.Fatal(err)
		}
		if n := f.A.Count(t, `SELECT count(*) FROM reeve.unconfirmed_user`); n != want {
			t.Errorf("%d records, want %d", n, want)
		}
		if n := f.A.Count(t, `SELECT count(*) FROM auth.users`); n != 4 {
			t.Errorf("%d users, want those 4 that SQL did not delete", n)
		}
	}
}
