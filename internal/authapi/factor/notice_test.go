package factor_test

import (
	"strings"
	"testing"
	"time"

	"github.com/reevehq/reeve/internal/message"
	"github.com/reevehq/reeve/internal/testkit/flowtest"
	"github.com/reevehq/reeve/tenants"
)

// notified mails users what happens to their factors.
func notified(c *tenants.Config) {
	c.FactorEnrolledNotice.Enabled, c.FactorUnenrolledNotice.Enabled, c.RecoveryCodeUsedNotice.Enabled = true, true, true
}

// notices are the kinds of the mails in the outbox, oldest first, and empties it.
func notices(t *testing.T, p *flowtest.Project, to string) string {
	t.Helper()
	var out []string
	for _, mail := range p.Mails(t) {
		if mail.To != to || len(mail.Links) != 0 || mail.Code != "" {
			t.Errorf("%+v", mail)
		}
		for line := range strings.SplitSeq(mail.Text, "\n") {
			if strings.Contains(line, "your account "+to) {
				what, _, _ := strings.Cut(line, " was ")
				out = append(out, strings.TrimSuffix(string(mail.Kind), "_notification")+": "+what)
			}
		}
	}
	p.EmptyOutbox(t)
	return strings.Join(out, "; ")
}

// A user is told of a factor when it protects the account, and when it is removed.
func TestNotices(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, recoverable, keys, notified)
	s := f.A.SignUp(t, ann, pass)
	f.A.EmptyOutbox(t)
	d := enroll(t, f.A, s.Access, "phone")
	never := enroll(t, f.A, s.Access, "tablet")
	f.A.Do(t, "DELETE", "/factors/"+never.id, nil, flowtest.User(s.Access)).Want(200)
	verify(t, f.A, s.Access, d, challenge(t, f.A, s.Access, d), "000000").WantError(422, "mfa_verification_failed")
	if got := notices(t, f.A, ann); got != "" {
		t.Errorf("before the first code: %s", got)
	}
	woken := f.Dispatcher.Woken.Load()
	s = verify(t, f.A, s.Access, d, challenge(t, f.A, s.Access, d), d.code(t, f, 0)).Session()
	if got := notices(t, f.A, ann); got != "mfa_factor_enrolled: An authenticator app" || f.Dispatcher.Woken.Load() != woken+1 {
		t.Error(got)
	}
	f.Clock.Advance(time.Minute)
	s = verify(t, f.A, s.Access, d, challenge(t, f.A, s.Access, d), d.code(t, f, 0)).Session()
	if got := notices(t, f.A, ann); got != "" {
		t.Errorf("of a further code: %s", got)
	}
	k := enrollKey(t, f.A, s.Access)
	s = k.prove(t, f.A, s.Access).Session()
	if got := notices(t, f.A, ann); got != "mfa_factor_enrolled: A security key" {
		t.Error(got)
	}
	codes, _ := makeCodes(t, f.A, s.Access)
	if got := notices(t, f.A, ann); got != "mfa_factor_enrolled: A set of recovery codes" {
		t.Error(got)
	}
	low := f.A.SignIn(t, ann, pass)
	enterCode(t, f.A, low.Access, "aaaabbbbccccdddd").WantError(422, "mfa_verification_failed")
	enterCode(t, f.A, low.Access, codes[0]).Want(200)
	if got := notices(t, f.A, ann); !strings.HasPrefix(got, "mfa_recovery_code_used: A sign-in to your account") {
		t.Error(got)
	}
	f.A.Do(t, "DELETE", "/factors/"+k.id, nil, flowtest.User(s.Access)).Want(200)
	if got := notices(t, f.A, ann); got != "mfa_factor_unenrolled: A security key" {
		t.Error(got)
	}
	f.A.Admin(t, "DELETE", "/admin/users/"+s.UserID+"/factors/"+d.id, nil).Want(200)
	if got := notices(t, f.A, ann); got != "mfa_factor_unenrolled: An authenticator app; mfa_factor_unenrolled: A set of recovery codes" {
		t.Error(got)
	}
}

// A project's own mail shows the kind of the factor. Where the kind is off, or the
// address not confirmed, nothing is sent; limits drop a notice and refuse nothing.
func TestNoticesOfAProject(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, recoverable)
	f.A.Configure(func(c *tenants.Config) {
		c.FactorEnrolledNotice.Enabled = true
		c.FactorEnrolledNotice.Mail.Subject, c.FactorEnrolledNotice.Mail.Content = "New: {{ .FactorType }}", "<p>{{ .Email }} has {{ .FactorType }}</p>"
	})
	s, d := protected(t, f, f.A, ann)
	mail := f.A.Mail(t, ann)
	if mail.Kind != message.FactorEnrolled || mail.Subject != "New: totp" || strings.TrimSpace(mail.Text) != ann+" has totp" {
		t.Errorf("%+v", mail)
	}
	makeCodes(t, f.A, s.Access)
	f.A.EmptyOutbox(t)
	f.A.Do(t, "DELETE", codesPath, nil, flowtest.User(s.Access)).Want(200)
	if got := notices(t, f.A, ann); got != "" {
		t.Errorf("of a kind that is off: %s", got)
	}
	f.A.Exec(t, `UPDATE auth.users SET email_confirmed_at = NULL`)
	makeCodes(t, f.A, s.Access)
	if got := notices(t, f.A, ann); got != "" {
		t.Errorf("to an address that nobody confirmed: %s", got)
	}
	f.A.Exec(t, `UPDATE auth.users SET email_confirmed_at = now()`)
	f.A.Configure(func(c *tenants.Config) { c.FactorUnenrolledNotice.Enabled, c.RateLimitEmailSent = true, 1000 })
	for range 12 {
		f.A.Do(t, "DELETE", codesPath, nil, flowtest.User(s.Access)).Want(200)
		makeCodes(t, f.A, s.Access)
	}
	if n := len(f.A.Mails(t)); n == 0 || n > 10 {
		t.Errorf("%d notices to one user in a day", n)
	}
	f.A.EmptyOutbox(t)
	f.A.Admin(t, "DELETE", "/admin/users/"+s.UserID+"/factors/"+d.id, nil).Want(200)
	// The other project sends none.
	protected(t, f, f.B, bob)
	f.B.EmptyOutbox(t)
	other := f.B.SignIn(t, bob, pass)
	if got := notices(t, f.B, bob); got != "" {
		t.Errorf("%s of %s", got, other.UserID)
	}
}
