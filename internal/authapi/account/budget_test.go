package account_test

import (
	"testing"

	"github.com/reevehq/reeve/internal/testkit/flowtest"
	"github.com/reevehq/reeve/tenants"
)

// TestRefusedChangeSpendsNoMail: a change that a trigger of the developer's
// refuses does not count against the project's mail limit.
func TestRefusedChangeSpendsNoMail(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, autoconfirm, func(c *tenants.Config) { c.RateLimitEmailSent = 2 })
	ann := f.A.SignUp(t, "ann@example.com", "password123")
	f.A.ExecAsOwner(t, `CREATE FUNCTION public.ours() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
			BEGIN IF new.email_change <> '' THEN RAISE EXCEPTION 'only our domain'; END IF; RETURN new; END $$;
		CREATE TRIGGER ours BEFORE UPDATE ON auth.users FOR EACH ROW EXECUTE FUNCTION public.ours()`)
	for range 3 {
		f.A.Do(t, "PUT", "/user", m{"email": "x@example.org"}, flowtest.User(ann.Access)).WantError(500, "unexpected_failure")
	}
	f.A.Do(t, "POST", "/recover", m{"email": "ann@example.com"}).Want(200)
}
