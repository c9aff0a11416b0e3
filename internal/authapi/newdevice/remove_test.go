package newdevice_test

import (
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/reevehq/reeve/internal/message"
	"github.com/reevehq/reeve/internal/testkit/authenticator"
	"github.com/reevehq/reeve/internal/testkit/flowtest"
	"github.com/reevehq/reeve/tenants"
)

type m = flowtest.M

// addPasskey adds a new passkey in a session and returns its device and id.
func addPasskey(t *testing.T, p *flowtest.Project, access string) (*authenticator.Device, string) {
	t.Helper()
	d := authenticator.New(authenticator.EC, authenticator.Options{})
	begun := p.Do(t, "POST", "/passkeys/registration/options", m{}, flowtest.User(access)).Want(200)
	return d, p.Do(t, "POST", "/passkeys/registration/verify", m{"challenge_id": begun.Get("challenge_id"), "credential": d.Create(t, begun.JSON["options"])},
		flowtest.User(access)).Want(200).Get("id")
}

func signInWith(t *testing.T, p *flowtest.Project, d *authenticator.Device) *flowtest.Response {
	t.Helper()
	begun := p.Do(t, "POST", "/passkeys/authentication/options", m{}).Want(200)
	return p.Do(t, "POST", "/passkeys/authentication/verify", m{"challenge_id": begun.Get("challenge_id"), "credential": d.Get(t, begun.JSON["options"])})
}

// addFactor adds an authenticator app in a session.
func addFactor(t *testing.T, p *flowtest.Project, access string) (id, secret string) {
	t.Helper()
	res := p.Do(t, "POST", "/factors", m{"factor_type": "totp", "friendly_name": "app"}, flowtest.User(access)).Want(200)
	return res.Get("id"), res.Get("totp.secret")
}

// proveFactor raises a session by an app.
func proveFactor(t *testing.T, f *flowtest.Fixture, access, id, secret string) flowtest.Session {
	t.Helper()
	f.Clock.Advance(time.Minute)
	code, err := totp.GenerateCode(secret, f.Clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	c := f.A.Do(t, "POST", "/factors/"+id+"/challenge", m{}, flowtest.User(access)).Want(200).Get("id")
	return f.A.Do(t, "POST", "/factors/"+id+"/verify", m{"challenge_id": c, "code": code}, flowtest.User(access)).Session()
}

func removing(t *testing.T) *flowtest.Fixture {
	t.Helper()
	return flowtest.New(t, func(c *tenants.Config) {
		c.MailerAutoconfirm, c.NewDeviceNotice.Enabled, c.PasskeyEnabled, c.FactorUnenrolledNotice.Enabled = true, true, true, true
		c.RecoveryEnroll, c.RecoveryVerify, c.RateLimitMFA = true, true, 1000
	})
}

func report(t *testing.T, p *flowtest.Project, token string) {
	t.Helper()
	p.Do(t, "POST", "/session/report", url.Values{"token": {token}}.Encode(), flowtest.Key(""),
		flowtest.Header("Content-Type", "application/x-www-form-urlencoded")).Want(200)
}

// What a thief added in the session goes with it, and what came of that; what the owner
// has stays.
func TestReportRemoves(t *testing.T) {
	t.Parallel()
	f := removing(t)
	owner := signUp(t, f.A, firefox)
	there := signUp(t, f.B, firefox)
	_, thereKey := addPasskey(t, f.B, there.Access)
	own, ownKey := addPasskey(t, f.A, owner.Access)
	thief := signIn(t, f.A, iphone)
	token := tokenOf(t, f.A, f.A.Mail(t, login))
	stolen, stolenKey := addPasskey(t, f.A, thief.Access)
	app, secret := addFactor(t, f.A, thief.Access)
	thief = proveFactor(t, f, thief.Access, app, secret)
	codes := f.A.Do(t, "POST", "/factors/recovery-codes", nil, flowtest.User(thief.Access)).Want(200).Get("id")
	raised := proveFactor(t, f, signIn(t, f.A, iphone).Access, app, secret)
	byKey := signInWith(t, f.A, stolen).Session()
	f.A.EmptyOutbox(t)

	report(t, f.A, token)
	for name, s := range map[string]flowtest.Session{"reported": thief, "raised by the app": raised, "of the passkey": byKey} {
		if res := f.A.Do(t, "GET", "/user", nil, flowtest.User(s.Access)); res.Status != 403 {
			t.Errorf("%s: %d", name, res.Status)
		}
	}
	signInWith(t, f.A, stolen).WantError(400, "webauthn_verification_failed")
	if n := f.A.Count(t, `SELECT count(*) FROM auth.mfa_factors`); n != 0 {
		t.Errorf("%d factors are left", n)
	}
	if n := f.A.Count(t, `SELECT count(*) FROM reeve.factor_network`); n != 0 {
		t.Errorf("%d networks of the thief are known", n)
	}
	var kinds []message.Kind
	for _, mail := range f.A.Mails(t) {
		kinds = append(kinds, mail.Kind)
	}
	if !slices.Equal(kinds, []message.Kind{message.FactorUnenrolled, message.FactorUnenrolled}) {
		t.Errorf("mails: %v", kinds)
	}
	for _, c := range []struct{ action, trait, id string }{
		{"factor_unenrolled", "factor_id", app}, {"recovery_codes_deleted", "factor_id", codes}, {"passkey_deleted", "passkey_id", stolenKey},
	} {
		if n := f.A.Count(t, `SELECT count(*) FROM auth.audit_log_entries WHERE payload->>'action' = $1 AND payload->'traits'->>$2 = $3
			AND payload->>'actor_id' = $4`, c.action, c.trait, c.id, owner.UserID); n != 1 {
			t.Errorf("%d entries %s", n, c.action)
		}
	}
	if got := flowtest.One[string](t, f.A, `SELECT string_agg(id::text, ' ') FROM auth.webauthn_credentials`); got != ownKey {
		t.Errorf("passkeys %q, want %q", got, ownKey)
	}
	if got := flowtest.One[string](t, f.B, `SELECT string_agg(id::text, ' ') FROM auth.webauthn_credentials`); got != thereKey {
		t.Errorf("passkeys of the other project %q, want %q", got, thereKey)
	}
	// The owner signs in by what they have, and owes no factor.
	back := signInWith(t, f.A, own).Session()
	f.A.Do(t, "PUT", "/user", m{"password": "a new password"}, flowtest.User(back.Access)).Want(200)
}

// Factors of the owner's sessions stay, whatever the reported session did, except recovery
// codes that it made anew: nobody but the thief has seen these.
func TestReportKeeps(t *testing.T) {
	t.Parallel()
	f := removing(t)
	owner := signUp(t, f.A, firefox)
	app, secret := addFactor(t, f.A, owner.Access)
	owner = proveFactor(t, f, owner.Access, app, secret)
	f.A.Do(t, "POST", "/factors/recovery-codes", nil, flowtest.User(owner.Access)).Want(200)
	guest := signIn(t, f.A, iphone)
	token := tokenOf(t, f.A, f.A.Mail(t, login))
	guest = proveFactor(t, f, guest.Access, app, secret)
	report(t, f.A, token)
	f.A.Do(t, "GET", "/user", nil, flowtest.User(guest.Access)).WantError(403, "session_not_found")
	f.A.Do(t, "GET", "/user", nil, flowtest.User(owner.Access)).Want(200)
	if n := f.A.Count(t, `SELECT count(*) FROM auth.mfa_factors WHERE status = 'verified'`); n != 2 {
		t.Errorf("%d factors, want 2", n)
	}

	f.A.EmptyOutbox(t)
	guest = signIn(t, f.A, "Another/1.0")
	token = tokenOf(t, f.A, f.A.Mail(t, login))
	guest = proveFactor(t, f, guest.Access, app, secret)
	f.A.Do(t, "POST", "/factors/recovery-codes/regenerate", nil, flowtest.User(guest.Access)).Want(200)
	report(t, f.A, token)
	if got := flowtest.One[string](t, f.A, `SELECT string_agg(id::text, ' ') FROM auth.mfa_factors`); got != app {
		t.Errorf("factors %q, want %q", got, app)
	}
	f.A.Do(t, "GET", "/user", nil, flowtest.User(owner.Access)).Want(200)
	f.A.Admin(t, "DELETE", "/admin/users/"+owner.UserID, nil).Want(200)
	if n := f.A.Count(t, `SELECT count(*) FROM reeve.enrollment`); n != 0 {
		t.Errorf("%d enrollments of a deleted user", n)
	}
}
