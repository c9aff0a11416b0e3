package authconfig

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authz"
	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/internal/message"
	"github.com/reevehq/reeve/internal/ratelimit"
	"github.com/reevehq/reeve/internal/setting"
	"github.com/reevehq/reeve/tenants"
)

// Trials is what tests of a configuration need beside the control database.
type Trials struct {
	// Preview renders mails: message.Checker.Preview.
	Preview func(ctx context.Context, kind message.Kind, own message.Template, to string, d message.Data) (message.Preview, error)
	// Route returns how mails of a project leave if it has this configuration.
	Route func(ctx context.Context, ref tenants.Ref, c *setting.Config, secrets setting.Secrets) (Route, error)
	// Resolve looks up a project's mail server: outbound.Client.Resolve.
	Resolve message.Resolver
	// Person returns a user of the platform project; auth.ErrUserNotFound.
	Person func(ctx context.Context, id uuid.UUID) (auth.User, error)
	// Registration returns a project's registration at a provider, whether or not
	// sign-ins there are on. ErrNoProvider.
	Registration registration
	HTTP         *http.Client // to providers
	// Limiter counts the tests.
	Limiter *ratelimit.Limiter
	// Issuer is the URL of a project's auth.
	Issuer func(tenants.Ref) string
	Now    func() time.Time
}

// Route is how mails of a project leave.
type Route struct {
	Sender message.Sender
	// Own says that the server is the project's: nothing but replies to a mail is
	// shown of the operator's.
	Own bool
	// Count counts a mail against the project's limits, or returns the refusal.
	Count func(ctx context.Context) error
}

// The faults of tests.
var (
	ErrTooManyTests = fault.New(fault.TooMany, "too_many_tests", "Too many tests: wait a moment")
	ErrNoAddress    = fault.New(fault.Conflict, "address_not_verified", "You have no verified e-mail address: test mails are sent to nobody else")
	ErrNoMailServer = fault.New(fault.Conflict, "mail_server_missing", "The project has no mail server, and the operator's sends nothing")
)

// The limits of tests: each may send something, or ask a server that is not ours.
func testsOf(name string, events int) ratelimit.Rule {
	return ratelimit.Rule{Name: name, Events: events, Per: 10 * time.Minute, Burst: events, Refusal: func(wait time.Duration) *fault.Error {
		return ErrTooManyTests.After(wait)
	}}
}

// allow counts a test of a project by an actor.
func (s *Service) allow(ctx context.Context, actor authz.Actor, ref tenants.Ref) error {
	if err := s.Trials.Limiter.Allow(ctx, "", testsOf("config_test_actor", 20), actor.UserID.String()); err != nil {
		return err
	}
	return s.Trials.Limiter.Allow(ctx, ref, testsOf("config_test", 30), "")
}

// address returns the verified address of a person: no test is sent to another.
func (s *Service) address(ctx context.Context, actor authz.Actor) (string, error) {
	if err := actor.RequirePerson(); err != nil {
		return "", err
	}
	user, err := s.Trials.Person(ctx, actor.UserID)
	switch {
	case errors.Is(err, auth.ErrUserNotFound):
		return "", ErrNoAddress
	case err != nil:
		return "", err
	case user.Email == "" || !user.EmailConfirmed():
		return "", ErrNoAddress
	}
	return user.Email, nil
}

// Step is a step of a delivery on the wire.
type Step struct {
	Name   string `json:"name" enum:"resolve,connect,hello,tls,auth,mail_from,rcpt_to,data"`
	Status string `json:"status" enum:"passed,warning,failed,skipped"`
	Detail string `json:"detail" doc:"The server's words, or what went wrong before it said any."`
}

func stepsOnWire(steps []message.Step) []Step {
	out := make([]Step, len(steps))
	for i, s := range steps {
		out[i] = Step{Name: string(s.Name), Status: string(s.Status), Detail: s.Said}
	}
	return out
}
