package passkey_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/reevehq/reeve/internal/authapi/passkey"
	"github.com/reevehq/reeve/internal/testkit/authenticator"
	"github.com/reevehq/reeve/internal/testkit/flowtest"
	"github.com/reevehq/reeve/tenants"
)

const rejected = "webauthn_verification_failed"

// TestUserVerification: with the setting, and only then, a verified user gets aal2.
func TestUserVerification(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		aal2, unverified bool
		want             string
	}{
		"verified":             {true, false, "aal2"},
		"only present":         {true, true, "aal1"},
		"verified, by default": {false, false, "aal1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := flowtest.New(t, enabled, func(cfg *tenants.Config) { cfg.PasskeyAAL2 = c.aal2 })
			ann := f.A.SignUp(t, "ann@example.com", "password123")
			d := newDevice(authenticator.Options{UserNotVerified: c.unverified})
			d.add(t, f.A, ann.Access).Want(200)
			s := d.signIn(t, f.A).Session()
			if got := flowtest.Claims(t, s.Access)["aal"]; got != c.want {
				t.Errorf("the session is %v, want %s", got, c.want)
			}
			if got := flowtest.Claims(t, f.A.Refresh(t, s.Refresh).Session().Access)["aal"]; got != c.want {
				t.Errorf("refreshed, it is %v, want %s", got, c.want)
			}
		})
	}
}

// TestCounter: a counter that does not go up is refused and noted; the passkey
// works on for the one whose counter is ahead.
func TestCounter(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, enabled)
	ann := f.A.SignUp(t, "ann@example.com", "password123")
	d := newDevice(authenticator.Options{})
	d.add(t, f.A, ann.Access).Want(200)
	copied := d.copy()
	d.Key.Counter = 5
	d.signIn(t, f.A).Want(200)
	sessions := f.A.Count(t, "SELECT count(*) FROM auth.sessions")
	f.Clock.Advance(time.Minute)
	copied.signIn(t, f.A).WantError(400, rejected)
	id, options := begin(t, f.A, "authentication")
	end(t, f.A, "authentication", id, d.Repeat(t, options)).WantError(400, rejected)
	if n := f.A.Count(t, "SELECT count(*) FROM auth.sessions"); n != sessions {
		t.Errorf("%d sessions, want %d", n, sessions)
	}
	var list []passkey.Item
	f.A.Do(t, "GET", "/passkeys", nil, flowtest.User(ann.Access)).Want(200).Decode(&list)
	if list[0].CloneWarningAt == nil || !list[0].CloneWarningAt.Equal(f.Clock.Now()) || list[0].LastUsedAt.Equal(f.Clock.Now()) {
		t.Errorf("no warning: %+v", list[0])
	}
	d.signIn(t, f.A).Want(200)

	// Authenticators without a counter always say 0.
	f.A.Exec(t, "UPDATE auth.webauthn_credentials SET sign_count = 0")
	d.Key.Counter = 0
	for range 2 {
		id, options = begin(t, f.A, "authentication")
		end(t, f.A, "authentication", id, d.Repeat(t, options)).Want(200)
	}
}

// TestOlderDatabase: a database that lacks the column of the warning still refuses.
func TestOlderDatabase(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, enabled)
	f.A.Exec(t, "ALTER TABLE auth.webauthn_credentials DROP COLUMN clone_warning_at")
	ann := f.A.SignUp(t, "ann@example.com", "password123")
	d := newDevice(authenticator.Options{})
	d.add(t, f.A, ann.Access).Want(200)
	d.signIn(t, f.A).Want(200)
	id, options := begin(t, f.A, "authentication")
	end(t, f.A, "authentication", id, d.Repeat(t, options)).WantError(400, rejected)
}

// TestChallenges: a challenge is used once, in time, for what it was made for, by
// its user, and at its project.
func TestChallenges(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, enabled)
	ann, bob := f.A.SignUp(t, "ann@example.com", "password123"), f.A.SignUp(t, "bob@example.com", "password123")
	there := f.B.SignUp(t, "ann@example.com", "password123")
	d := newDevice(authenticator.Options{})
	user := flowtest.User(ann.Access)
	const notFound = "webauthn_challenge_not_found"

	id, options := begin(t, f.A, "registration", user)
	made := d.Create(t, options)
	end(t, f.A, "registration", id, made, flowtest.User(bob.Access)).WantError(400, notFound)
	end(t, f.B, "registration", id, made, flowtest.User(there.Access)).WantError(400, notFound)
	end(t, f.A, "authentication", id, made).WantError(400, notFound)
	end(t, f.A, "registration", id, made, user).Want(200)
	end(t, f.A, "registration", id, made, user).WantError(400, notFound)

	// The same credential again, by a new challenge: of nobody else, and not twice.
	for _, who := range []string{ann.Access, bob.Access} {
		d.add(t, f.A, who).WantError(422, "webauthn_credential_exists")
	}
	d.Create(t, options) // the device's user is ann again

	id, options = begin(t, f.A, "authentication")
	got := d.Get(t, options)
	end(t, f.A, "registration", id, got, user).WantError(400, notFound)
	end(t, f.B, "authentication", id, got).WantError(400, notFound)
	end(t, f.A, "authentication", id, got).Want(200)
	end(t, f.A, "authentication", id, got).WantError(400, notFound)

	// A wrong response uses the challenge up.
	id, options = begin(t, f.A, "authentication")
	end(t, f.A, "authentication", id, m{"id": "x"}).WantError(400, rejected)
	end(t, f.A, "authentication", id, d.Get(t, options)).WantError(400, notFound)

	// The response to one challenge is none to another.
	id, _ = begin(t, f.A, "authentication")
	_, options = begin(t, f.A, "authentication")
	end(t, f.A, "authentication", id, d.Get(t, options)).WantError(400, rejected)

	// A challenge of B signed by the passkey of A, at both.
	id, options = begin(t, f.B, "authentication")
	end(t, f.B, "authentication", id, d.Get(t, options)).WantError(400, rejected)

	for _, late := range []struct {
		by   time.Duration
		want int
	}{{5*time.Minute - time.Second, 200}, {5 * time.Minute, 400}} {
		id, options = begin(t, f.A, "authentication")
		f.Clock.Advance(late.by)
		res := end(t, f.A, "authentication", id, d.Get(t, options)).Want(late.want)
		if late.want == 400 {
			res.WantError(400, "webauthn_challenge_expired")
		}
	}
	for _, id := range []any{"", "x", nil, 5, "{" + id + "}"} {
		if res := f.A.Do(t, "POST", "/passkeys/authentication/verify", m{"challenge_id": id, "credential": m{}}); res.Status != 400 {
			t.Errorf("challenge %v: %d %s", id, res.Status, res.Raw)
		}
	}
}

// TestSites: responses of another origin and for another domain are refused.
func TestSites(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, enabled)
	ann := f.A.SignUp(t, "ann@example.com", "password123")
	user := flowtest.User(ann.Access)
	for name, rp := range map[string]authenticator.Party{
		"another origin": {ID: "localhost", Origin: "http://localhost:3001"}, "another scheme": {ID: "localhost", Origin: "https://localhost:3000"},
		"another domain": {ID: "example.com", Origin: "http://localhost:3000"}, "phishing": {ID: "evil.example", Origin: "https://evil.example"},
		"no origin": {ID: "localhost"},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDevice(authenticator.Options{})
			d.At = rp
			id, options := begin(t, f.A, "registration", user)
			end(t, f.A, "registration", id, d.Create(t, options), user).WantError(400, rejected)
			d.At = authenticator.Local
			d.add(t, f.A, ann.Access).Want(200)
			d.At = rp
			d.signIn(t, f.A).WantError(400, rejected)
			d.At = authenticator.Local
			d.signIn(t, f.A).Want(200)
		})
	}
	// What the settings say is accepted, from then on.
	f.A.Configure(func(c *tenants.Config) {
		flowtest.Set(t, c, "webauthn_rp_origins", "https://app.example.com, http://localhost:3000,android:apk-key-hash:UURmf2f3-QlYTnpWJnoFkwTgaPkWNJBPfYbMZKvWyYg")
	})
	d := newDevice(authenticator.Options{})
	d.add(t, f.A, ann.Access).Want(200)
	for _, origin := range []string{"https://app.example.com", "android:apk-key-hash:UURmf2f3-QlYTnpWJnoFkwTgaPkWNJBPfYbMZKvWyYg"} {
		d.At.Origin = origin
		d.signIn(t, f.A).Want(200)
	}
	d.At.Origin = "android:apk-key-hash:AAAAf2f3-QlYTnpWJnoFkwTgaPkWNJBPfYbMZKvWyYg"
	d.signIn(t, f.A).WantError(400, rejected)
}

// TestNobody: whoever proves no passkey learns nothing about users; whoever does
// learns why there is no session.
func TestNobody(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, enabled)
	devices := map[string]*device{}
	users := map[string]string{}
	for _, name := range []string{"active", "banned", "deleted", "unconfirmed", "elsewhere"} {
		s := f.A.SignUp(t, name+"@example.com", "password123")
		devices[name], users[name] = newDevice(authenticator.Options{}), s.UserID
		devices[name].add(t, f.A, s.Access).Want(200)
	}
	f.A.Exec(t, "UPDATE auth.users SET banned_until = 'infinity' WHERE id = $1", users["banned"])
	f.A.Exec(t, "UPDATE auth.users SET email_confirmed_at = NULL WHERE id = $1", users["unconfirmed"])
	f.A.Exec(t, "UPDATE auth.users SET aud = 'other' WHERE id = $1", users["elsewhere"])
	f.A.Admin(t, "DELETE", "/admin/users/"+users["deleted"], m{"should_soft_delete": true}).Want(200)
	if n := f.A.Count(t, "SELECT count(*) FROM auth.webauthn_credentials WHERE user_id = $1", users["deleted"]); n != 0 {
		t.Errorf("a deleted user keeps %d passkeys", n)
	}
	devices["unknown"] = newDevice(authenticator.Options{UserHandle: []byte(users["active"])})
	var answer string
	for name, d := range devices {
		forged := d.copy()
		forged.Key.Key = authenticator.NewKey(authenticator.EC).Key
		res := forged.signIn(t, f.A).WantError(400, rejected)
		if answer == "" {
			answer = string(res.Raw)
		}
		if string(res.Raw) != answer {
			t.Errorf("%s: %s, and another one %s", name, res.Raw, answer)
		}
	}
	devices["unknown"].signIn(t, f.A).WantError(400, rejected)
	devices["deleted"].signIn(t, f.A).WantError(400, rejected)
	devices["elsewhere"].signIn(t, f.A).WantError(400, rejected)
	devices["banned"].signIn(t, f.A).WantError(403, "user_banned")
	devices["unconfirmed"].signIn(t, f.A).WantError(403, "email_not_confirmed")
	devices["active"].signIn(t, f.A).Want(200)

	// Another user's passkey under one's own name, and the other way round.
	mallory := devices["active"].copy()
	mallory.Options.UserHandle = []byte(users["banned"])
	mallory.signIn(t, f.A).WantError(400, rejected)
	mallory.Options.UserHandle = nil
	mallory.signIn(t, f.A).WantError(400, rejected)
}

// TestGoneMeanwhile: what was proved is looked at again with the user locked.
func TestGoneMeanwhile(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, enabled)
	ann := f.A.SignUp(t, "ann@example.com", "password123")
	user := flowtest.User(ann.Access)
	id, options := begin(t, f.A, "registration", user)
	d := newDevice(authenticator.Options{})
	made := d.Create(t, options)
	f.A.Do(t, "POST", "/logout", nil, user).Want(204)
	end(t, f.A, "registration", id, made, user).WantError(403, "session_not_found")
	if n := f.A.Count(t, "SELECT count(*) FROM auth.webauthn_credentials"); n != 0 {
		t.Errorf("%d passkeys", n)
	}
}

// TestTakenOver: whoever proves an address does not inherit the passkeys of
// somebody who had not.
func TestTakenOver(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, enabled, func(c *tenants.Config) {
		c.MailerAutoconfirm, c.MailerAllowUnverifiedEmailSignIn, c.SMTPMaxFrequency = false, true, 0
	})
	f.A.Do(t, "POST", "/signup", m{"email": "ann@example.com", "password": "squatter123"}).Want(200)
	squatter := f.A.SignIn(t, "ann@example.com", "squatter123")
	d := newDevice(authenticator.Options{})
	d.add(t, f.A, squatter.Access).Want(200)
	f.A.EmptyOutbox(t)
	f.A.Do(t, "POST", "/signup", m{"email": "ann@example.com", "password": "password123"}).Want(200)
	token := f.A.LinkQuery(t, f.A.Mail(t, "ann@example.com")).Get("token")
	f.A.Do(t, "POST", "/verify", m{"type": "signup", "token_hash": token}).Want(200)
	d.signIn(t, f.A).WantError(400, rejected)
}

// TestCaptcha: where captchas are required, the begin of a sign-in needs one.
func TestCaptcha(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, enabled)
	f.A.Configure(func(c *tenants.Config) { c.CaptchaEnabled, c.CaptchaProvider = true, "turnstile" })
	f.A.Do(t, "POST", "/passkeys/authentication/options", m{}).WantError(400, "captcha_failed")
}

// TestStoredKey: what SQL wrote into the row is refused, and no fault of the server.
func TestStoredKey(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, enabled)
	ann := f.A.SignUp(t, "ann@example.com", "password123")
	d := newDevice(authenticator.Options{})
	d.add(t, f.A, ann.Access).Want(200)
	var listed json.RawMessage
	f.A.Do(t, "GET", "/passkeys", nil, flowtest.User(ann.Access)).Want(200).Decode(&listed)
	f.A.Exec(t, `UPDATE auth.webauthn_credentials SET public_key = '\x00', transports = '{}', sign_count = -5, aaguid = NULL`)
	d.signIn(t, f.A).WantError(400, rejected)
	f.A.Do(t, "GET", "/passkeys", nil, flowtest.User(ann.Access)).Want(200)
}

// TestPasskeyBesideFactor: who added a passkey before the user had a verified factor
// no longer reaches aal2 by it afterwards; until then it guards the account, so that a
// password alone leads to no other factor.
func TestPasskeyBesideFactor(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, enabled, func(cfg *tenants.Config) { cfg.PasskeyAAL2 = true })
	ann := f.A.SignUp(t, "ann@example.com", "password123")
	d := newDevice(authenticator.Options{})
	id := d.add(t, f.A, ann.Access).Want(200).Get("id")
	planted := d.signIn(t, f.A).Session()
	if got := flowtest.Claims(t, planted.Access)["aal"]; got != "aal2" {
		t.Fatalf("before: %v", got)
	}
	// A password alone adds nothing to it, and removes nothing.
	low := f.A.SignIn(t, "ann@example.com", "password123")
	f.A.Do(t, "POST", "/factors", flowtest.M{"factor_type": "totp"}, flowtest.User(low.Access)).WantError(403, "insufficient_aal")
	newDevice(authenticator.Options{}).add(t, f.A, low.Access).WantError(403, "insufficient_aal")
	f.A.Do(t, "DELETE", "/passkeys/"+id, nil, flowtest.User(low.Access)).WantError(403, "insufficient_aal")

	enrolled := f.A.Do(t, "POST", "/factors", flowtest.M{"factor_type": "totp"}, flowtest.User(planted.Access)).Want(200)
	factor := "/factors/" + enrolled.Get("id")
	challenge := f.A.Do(t, "POST", factor+"/challenge", flowtest.M{}, flowtest.User(planted.Access)).Want(200).Get("id")
	code, err := totp.GenerateCode(enrolled.Get("totp.secret"), f.Clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	f.A.Do(t, "POST", factor+"/verify", flowtest.M{"challenge_id": challenge, "code": code}, flowtest.User(planted.Access)).Want(200)
	f.A.Do(t, "GET", "/user", nil, flowtest.User(low.Access)).WantError(403, "session_not_found")
	if got := flowtest.Claims(t, d.signIn(t, f.A).Session().Access)["aal"]; got != "aal1" {
		t.Errorf("afterwards: %v", got)
	}
}

// TestRemovedPasskeyLowers: the sessions of a passkey that is removed lose its level.
func TestRemovedPasskeyLowers(t *testing.T) {
	t.Parallel()
	for _, by := range []string{"user", "admin"} {
		f := flowtest.New(t, enabled, func(cfg *tenants.Config) { cfg.PasskeyAAL2 = true })
		ann := f.A.SignUp(t, "ann@example.com", "password123")
		d := newDevice(authenticator.Options{})
		id := d.add(t, f.A, ann.Access).Want(200).Get("id")
		thief := d.signIn(t, f.A).Session()
		if by == "admin" {
			f.A.Admin(t, "DELETE", "/admin/users/"+ann.UserID+"/passkeys/"+id, nil).Want(204)
		} else {
			f.A.Do(t, "DELETE", "/passkeys/"+id, nil, flowtest.User(d.signIn(t, f.A).Session().Access)).Want(204)
		}
		if got := flowtest.Claims(t, f.A.Refresh(t, thief.Refresh).Session().Access)["aal"]; got != "aal1" {
			t.Errorf("removed by the %s, the session stays at %v", by, got)
		}
	}
}
