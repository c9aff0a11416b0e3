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
//
// A URL is called between two runs of the transaction (tenantdb.Await), so that its
// receiver holds no connection. The answer counts for the facts that it was asked about:
// the second run goes on with it only if the event is the same, but for its times.
func (h *Hooks) run(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, point string, event any, read func(json.RawMessage) error) (obey bool, err error) {
	cfg := sc.Tenant.Config.Hook(point)
	c := Call{Ref: sc.Tenant.Ref, Point: point, At: h.now(), Mode: cfg.Mode, RequestID: sc.RequestID}
	raw, err := json.Marshal(event)
	if err != nil {
		return false, fmt.Errorf("encode the payload of a hook: %w", err)
	}
	got := &asked{}
	if _, _, function := cfg.Function(); function {
		h.ask(ctx, got, tx, sc, cfg, point, raw)
	} else {
		facts, err := factsOf(point, raw)
		if err != nil {
			return false, err
		}
		got, err = tenantdb.Await(ctx, tx, facts, func(ctx context.Context) *asked {
			out := &asked{}
			h.ask(ctx, out, nil, sc, cfg, point, raw)
			return out
		})
		if err != nil {
			return false, err
		}
	}
	if got.transaction != nil {
		if cfg.Mode == setting.HookShadow && errors.Is(got.transaction, errOverload) {
			return false, nil // nobody waits for what is not obeyed
		}
		return false, got.transaction
	}
	c.At, c.Status, c.Duration, c.Outcome = got.at, got.status, got.took, OutcomeOK
	if err = got.failed(); err == nil {
		err = interpret(got.raw, read)
	}
	if f := failureOf(err); f != nil {
		c.Outcome, c.Error = f.outcome, f.Error()
	}
	if !got.recorded { // by an earlier run of the transaction
		got.recorded = true
		if f := failureOf(err); f != nil {
			sc.Log.Add(ctx, f.entry(c))
		}
		h.record(c)
	}
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

// asked is a call with what came of it.
type asked struct {
	result
	at       time.Time
	took     time.Duration
	skipped  bool
	recorded bool
}

func (a *asked) failed() error {
	if a.skipped {
		return errSkipped
	}
	return a.result.failed()
}

// ask calls the hook, unless it did not answer before. Only silence counts, which does not
// depend on what the answer says.
func (h *Hooks) ask(ctx context.Context, out *asked, tx *tenantdb.Tx, sc *tenants.Scope, cfg setting.Hook, point string, event []byte) {
	key := breakerKey{sc.Tenant.Ref, point}
	out.at = h.now()
	begun := time.Now() // not the clock of the flows: it is a duration
	if out.skipped = !h.breakers.allow(key); out.skipped {
		h.breakers.took(key, time.Since(begun))
		return
	}
	out.result = h.call(ctx, tx, sc, cfg, point, event)
	out.took = time.Since(begun)
	if out.transaction != nil {
		h.breakers.untried(key)
		return
	}
	h.breakers.note(key, unanswered(out.failed()))
	h.breakers.took(key, out.took)
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
