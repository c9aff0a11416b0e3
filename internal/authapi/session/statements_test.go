package session_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/reevehq/reeve/internal/testkit/flowtest"
	"github.com/reevehq/reeve/tenants"
)

// TestStatements: the frequent sign-ins take one transaction of few statements and
// round trips.
func TestStatements(t *testing.T) {
	t.Parallel()
	const verifier = "a-verifier-of-at-least-forty-three-characters-in-all"
	f := flowtest.New(t, func(c *tenants.Config) { c.AnonymousUsers = true })
	f.A.Admin(t, "POST", "/admin/users", map[string]any{"email": "ann@example.com", "password": "password123", "email_confirm": true}).Want(200)
	code := func() string {
		f.A.Do(t, "POST", "/recover", map[string]any{"email": "ann@example.com", "code_challenge": verifier, "code_challenge_method": "plain"}).Want(200)
		q := f.A.LinkQuery(t, f.A.Mail(t, "ann@example.com"))
		to := f.A.Do(t, "GET", "/verify?"+q.Encode(), nil, flowtest.Key("")).Want(303).Header.Get("Location")
		_, code, _ := strings.Cut(to, "code=")
		return code
	}()
	f.Clock.Advance(2 * time.Minute) // another mail is sent
	for _, c := range []struct {
		name, path string
		body       map[string]any
		trips      int
		most       int // statements, with BEGIN and COMMIT
	}{
		{"anonymous sign-up", "/signup", map[string]any{}, 2, 4},
		{"code by mail", "/otp", map[string]any{"email": "ann@example.com"}, 2, 7},
		{"exchange of a code", "/token?grant_type=pkce", map[string]any{"auth_code": code, "code_verifier": verifier}, 3, 8},
	} {
		t.Run(c.name, func(t *testing.T) {
			sent := f.A.Statements(func() { f.A.Do(t, "POST", c.path, c.body).Want(200) })
			all := slices.Concat(sent...)
			begun := 0
			for _, sql := range all {
				if strings.EqualFold(sql, "begin") {
					begun++
				}
			}
			if begun != 1 || len(sent) > c.trips || len(all) > c.most {
				t.Errorf("%d transactions, %d round trips, %d statements, want 1, at most %d and %d:\n%s",
					begun, len(sent), len(all), c.trips, c.most, strings.Join(all, "\n\n"))
			}
		})
	}
}
