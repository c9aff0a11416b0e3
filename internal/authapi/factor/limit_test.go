package factor_test

import (
	"testing"

	"github.com/reevehq/reeve/internal/testkit/flowtest"
	"github.com/reevehq/reeve/tenants"
)

// Each route of factors is limited for a client, also those that change nothing.
func TestRoutesAreLimited(t *testing.T) {
	t.Parallel()
	for _, route := range [][2]string{
		{"POST", "/factors"}, {"DELETE", "/factors/00000000-0000-4000-8000-000000000000"}, {"POST", "/factors/00000000-0000-4000-8000-000000000000/challenge"},
		{"POST", "/factors/00000000-0000-4000-8000-000000000000/verify"}, {"GET", "/factors/recovery-codes"}, {"DELETE", "/factors/recovery-codes"},
		{"POST", "/factors/recovery-codes"}, {"POST", "/factors/recovery-codes/verify"}, {"POST", "/factors/recovery-codes/regenerate"},
	} {
		f := flowtest.New(t, func(c *tenants.Config) { c.MailerAutoconfirm, c.RateLimitMFA = true, 3 })
		s := f.A.SignUp(t, ann, pass)
		for n := range 4 {
			got := f.A.Do(t, route[0], route[1], m{}, flowtest.User(s.Access))
			if limited := got.Status == 429; limited != (n == 3) {
				t.Errorf("%s %s, time %d: %d %s", route[0], route[1], n+1, got.Status, got.Raw)
			}
		}
	}
}
