package hook

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/internal/projectlog"
	"github.com/reevehq/reeve/internal/setting"
	"github.com/reevehq/reeve/internal/token"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// Trial is the result of a call with a sample payload.
type Trial struct {
	Outcome  Outcome
	Duration time.Duration
	Status   int             // of a URL's answer; 0 for none
	Error    string          // of a failure or refusal
	Payload  json.RawMessage // that was sent
	Answer   string          // the beginning of what came back
}

// maxShown bounds the answer in a Trial, in bytes.
const maxShown = 4000

// errUndo undoes what a function wrote.
var errUndo = errors.New("undo a trial")

// Try calls the hook of a point, whether or not it is enabled, with a sample user who
// does not exist, and reads its answer as the flow would. What a function writes is
// undone. The call is not recorded.
func (h *Hooks) Try(ctx context.Context, sc *tenants.Scope, point string) (*Trial, error) {
	cfg := sc.Tenant.Config.Hook(point)
	event, read := h.sample(sc, point)
	payload, err := json.Marshal(event)
	if err != nil {
		return nil, err
	}
	begun := time.Now()
	var got result
	if _, _, ok := cfg.Function(); ok {
		err = sc.DB.Tx(ctx, func(tx *tenantdb.Tx) error {
			cfg.Mode = setting.HookFailOpen // a failure of the function is not one of the transaction
			got = h.call(ctx, tx, sc, cfg, point, payload)
			if got.transaction != nil {
				return got.transaction
			}
			return errUndo
		})
		if !errors.Is(err, errUndo) && err != nil {
			return nil, err
		}
	} else if got = h.call(ctx, nil, sc, cfg, point, payload); got.transaction != nil {
		return nil, got.transaction
	}
	out := &Trial{Outcome: OutcomeOK, Duration: time.Since(begun), Status: got.status, Payload: payload, Answer: fault.Clip(string(got.raw), maxShown)}
	err = got.failed()
	if err == nil {
		err = interpret(got.raw, read)
	}
	if f := failureOf(err); f != nil {
		out.Outcome, out.Error = f.outcome, projectlog.Clean(f.Error())
	}
	return out, nil
}

// sample returns a payload for a point, and the reader of its answer.
func (h *Hooks) sample(sc *tenants.Scope, point string) (event any, read func(json.RawMessage) error) {
	now := h.now()
	meta := h.metadata(sc, point)
	u := auth.NewUser(now)
	u.Email = "sample@example.com"
	u.AppMetadata = json.RawMessage(`{"provider":"email","providers":["email"]}`)
	decide := func(with *fault.Error) func(json.RawMessage) error {
		return func(raw json.RawMessage) error {
			_, err := readDecision(raw, with)
			return err
		}
	}
	switch point {
	case setting.HookCustomAccessToken:
		p := &auth.Principal{User: *u, Session: auth.Session{
			ID: uuid.New(), UserID: u.ID, AAL: auth.AAL1, CreatedAt: now, AMR: []auth.AMR{{Method: auth.MethodPassword, Timestamp: now.Unix()}},
		}}
		c := token.Issuer{Now: h.now}.Claims(sc.Tenant, p)
		bounds := claimBounds{now: now, offered: c}
		return tokenEvent{meta, u.ID, c, auth.MethodPassword}, func(raw json.RawMessage) error { return bounds.apply(raw, &token.Claims{}) }
	case setting.HookPasswordVerification:
		return passwordEvent{meta, u.ID, true}, decide(auth.ErrCredentials)
	case setting.HookMFAVerification:
		return factorEvent{meta, u.ID, uuid.New(), "totp", true}, decide(auth.ErrMFARejected)
	}
	return userEvent{meta, u}, decide(auth.ErrHookRefused)
}
