package hook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/setting"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// The bounds of a call.
const (
	functionTimeout = 2 * time.Second
	urlTimeout      = 5 * time.Second // all tries together
	maxAnswer       = 200 << 10       // bytes
)

// Hooks calls the hooks of all projects.
type Hooks struct {
	client   *http.Client
	now      func() time.Time
	breakers *breakers
	slots    *slots
	record   func(Call)
}

// Options are the parts of Hooks.
type Options struct {
	// Client sends requests to URLs of projects; it must check their addresses.
	Client *http.Client
	Now    func() time.Time
	// Record is told each call, and must not block; nil for none.
	Record func(Call)
}

// Timeout is the time of the Options' Client for one request.
const Timeout = urlTimeout

// New returns Hooks.
func New(o Options) *Hooks {
	client := *o.Client
	// A redirect would carry personal data to another receiver.
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	record := o.Record
	if record == nil {
		record = func(Call) {}
	}
	return &Hooks{client: &client, now: o.Now, breakers: newBreakers(o.Now), slots: newSlots(), record: record}
}

// Enabled reports whether a project has a hook at a point.
func Enabled(sc *tenants.Scope, point string) bool { return sc.Tenant.Config.Hook(point).Enabled }

// Outcome is the result of a call.
type Outcome string

// The outcomes.
const (
	OutcomeOK      Outcome = "ok"      // an answer that the flow goes on with
	OutcomeRefused Outcome = "refused" // in the hook's own words
	OutcomeFailed  Outcome = "failed"  // an answer that is not valid, an error, or none
	OutcomeTimeout Outcome = "timeout"
	OutcomeSkipped Outcome = "skipped" // not called: it did not answer before
)

// Call is the record of a call.
type Call struct {
	ID        uuid.UUID
	Ref       tenants.Ref
	Point     string
	At        time.Time
	Duration  time.Duration
	Outcome   Outcome
	Mode      string
	Error     string // of a failure or refusal
	RequestID string
	Status    int // of the last answer of a URL; 0 for none
}

// metadata is the beginning of each payload.
type metadata struct {
	UUID      uuid.UUID `json:"uuid"`
	Time      time.Time `json:"time"`
	Name      string    `json:"name"`
	IPAddress string    `json:"ip_address,omitempty"`
}

// wireNames are the names of the points in payloads.
var wireNames = map[string]string{
	setting.HookBeforeUserCreated:    "before-user-created",
	setting.HookAfterUserCreated:     "after-user-created",
	setting.HookCustomAccessToken:    "customize-access-token",
	setting.HookMFAVerification:      "mfa-verification",
	setting.HookPasswordVerification: "password-verification",
}

func (h *Hooks) metadata(sc *tenants.Scope, point string) metadata {
	return metadata{UUID: uuid.New(), Time: h.now().UTC(), Name: wireNames[point], IPAddress: sc.ClientAddress()}
}

// run calls the hook of a point, and has read take its answer, a JSON object or
// nothing. obey is false when the flow goes on as without the hook. An error refuses
// the request. tx may be nil for a hook with a URL.
func (h *Hooks) run(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, point string, event any, read func(json.RawMessage) error) (obey bool, err error) {
	cfg, key := sc.Tenant.Config.Hook(point), breakerKey{sc.Tenant.Ref, point}
	c := Call{Ref: sc.Tenant.Ref, Point: point, At: h.now(), Mode: cfg.Mode, RequestID: sc.RequestID}
	begun := time.Now() // not the clock of the flows: it is a duration
	raw, err := json.Marshal(event)
	if err != nil {
		return false, fmt.Errorf("encode the payload of a hook: %w", err)
	}
	if h.breakers.allow(key) {
		got := h.call(ctx, tx, sc, cfg, point, raw)
		if got.transaction != nil {
			h.breakers.untried(key)
			if cfg.Mode == setting.HookShadow && errors.Is(got.transaction, errOverload) {
				return false, nil // nobody waits for what is not obeyed
			}
			return false, got.transaction
		}
		c.Status, err = got.status, got.failed()
		if err == nil {
			err = interpret(got.raw, read)
		}
		h.breakers.note(key, unanswered(err))
	} else {
		err = errSkipped
	}
	c.Duration, c.Outcome = time.Since(begun), OutcomeOK
	if f := failureOf(err); f != nil {
		c.Outcome, c.Error = f.outcome, f.Error()
		sc.Log.Add(ctx, f.entry(c))
	}
	h.breakers.took(key, c.Duration)
	h.record(c)
	switch {
	case c.Mode == setting.HookShadow:
		return false, nil
	case err == nil:
		return true, nil
	case c.Mode == setting.HookFailOpen && c.Outcome != OutcomeRefused:
		return false, nil
	}
	return false, failureOf(err).wire()
}

// result is what came of a call.
type result struct {
	raw     json.RawMessage // the answer; nil for none
	status  int             // of a URL's response
	failure *failure
	// transaction is an error of the flow's own statements, not of the hook.
	transaction error
}

func (r result) failed() error {
	if r.failure == nil {
		return nil
	}
	return r.failure
}

func (h *Hooks) call(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, cfg setting.Hook, point string, event []byte) result {
	schema, function, ok := cfg.Function()
	if !ok {
		return h.post(ctx, sc, cfg.URI, setting.HookSecrets(point), event)
	}
	text, err := tx.CallHook(ctx, tenantdb.HookCall{
		Schema: schema, Function: function, Event: event, Timeout: functionTimeout, Survive: cfg.Mode != setting.HookFailClosed,
	})
	var failed *tenantdb.HookError
	switch {
	case err == nil && len(text) > maxAnswer:
		return result{failure: tooLarge()}
	case err == nil:
		return result{raw: text}
	case !errors.As(err, &failed):
		return result{transaction: err}
	case failed.Timeout():
		return result{failure: &failure{outcome: OutcomeTimeout, fault: auth.ErrHookTimeout, reason: "the function did not end within 2 s", err: err, unanswered: true}}
	}
	return result{failure: failedBecause("the function failed", err)}
}
