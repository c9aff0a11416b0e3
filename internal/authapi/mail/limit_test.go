package mail_test

import (
	"errors"
	"testing"
	"time"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/mail"
	"github.com/reevehq/reeve/internal/testkit/flowtest"
	"github.com/reevehq/reeve/tenants"
)

// TestSharedServerHasALimit: a project cannot raise its limit for the
// operator's mail server; it can for its own.
func TestSharedServerHasALimit(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, func(c *tenants.Config) { c.RateLimitEmailSent = 1000 })
	f.Mailer.SharedPerHour = 2
	sign := func(email string) *flowtest.Response {
		return f.A.Do(t, "POST", "/signup", map[string]any{"email": email, "password": "password123"})
	}
	sign("one@example.com").Want(200)
	sign("two@example.com").Want(200)
	sign("three@example.com").WantError(429, "over_email_send_rate_limit")
	if err := post(t.Context(), f, f.A, mail.Request{}); !errors.Is(err, auth.ErrEmailRate) {
		t.Errorf("Post: %v", err)
	}
	f.Clock.Advance(time.Minute)
	sign("three@example.com").WantError(429, "over_email_send_rate_limit")
	f.A.Configure(func(c *tenants.Config) { c.SMTPHost = "smtp.example.com" })
	sign("four@example.com").Want(200)
}
