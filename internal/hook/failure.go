package hook

import (
	"errors"
	"fmt"
	"net/http"
	"unicode/utf8"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/internal/projectlog"
	"github.com/reevehq/reeve/internal/setting"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// failure is a call after which the flow does not simply go on: a refusal, or no
// usable answer.
type failure struct {
	outcome Outcome
	fault   *fault.Error // what the client gets
	reason  string       // for developers
	err     error        // the cause; may be nil
	// unanswered says that the hook gave no answer at all, as one that is overloaded.
	unanswered bool
}

// Error implements error. It is for developers.
func (f *failure) Error() string {
	if f.err != nil {
		return f.reason + ": " + f.err.Error()
	}
	return f.reason
}

// Unwrap returns the cause.
func (f *failure) Unwrap() error { return f.err }

// failedBecause is a failure without a code of its own.
func failedBecause(reason string, err error) *failure {
	return &failure{outcome: OutcomeFailed, fault: auth.ErrHookFailed, reason: reason, err: err}
}

func tooLarge() *failure {
	return &failure{outcome: OutcomeFailed, fault: auth.ErrHookTooLarge, reason: fmt.Sprintf("the answer has more than %d bytes", maxAnswer)}
}

// errSkipped is the failure of a hook that is not called.
var errSkipped = &failure{
	outcome: OutcomeSkipped, fault: auth.ErrHookTimeout,
	reason: "it did not answer several times in a row, and is not called for a few seconds",
}

// failureOf is the failure in err; nil for no error.
func failureOf(err error) *failure {
	if err == nil {
		return nil
	}
	var f *failure
	if errors.As(err, &f) {
		return f
	}
	return failedBecause("the answer is not valid", err)
}

func unanswered(err error) bool {
	f := failureOf(err)
	return f != nil && f.unanswered
}

// wire is the error that the flow's client gets.
func (f *failure) wire() error { return f.fault.Because(f) }

// entry is the entry of the project's log.
func (f *failure) entry(c Call) projectlog.Entry {
	e := projectlog.Entry{
		Level: projectlog.Error, Code: "hook_failed", Message: "A hook failed.",
		Detail: map[string]any{"hook": c.Point, "outcome": string(c.Outcome), "mode": c.Mode, "error": f.Error(), "status": c.Status},
	}
	if c.Status == 0 {
		delete(e.Detail, "status")
	}
	switch {
	case f.outcome == OutcomeRefused:
		e.Level, e.Code, e.Message = projectlog.Info, "hook_refused", "A hook refused a request."
	case f.outcome == OutcomeTimeout:
		e.Code, e.Message = "hook_timeout", "A hook did not answer in time."
	case f.outcome == OutcomeSkipped:
		e.Code, e.Message = "hook_skipped", "A hook is not called for a few seconds, because it did not answer several times in a row."
	case f.outcome == OutcomeFailed:
		if db, ok := tenantdb.LogEntry(f.err); ok {
			delete(db.Detail, "trigger")
			for name, value := range db.Detail {
				e.Detail[name] = value
			}
			e.Message = "The database function of a hook failed."
		}
	}
	if c.Mode == setting.HookShadow && e.Level == projectlog.Error {
		e.Level = projectlog.Warning
	}
	return e
}

// maxMessage bounds the message of a refusal, in bytes: it is shown to end users.
const maxMessage = 1000

// refusedWith is a refusal in the hook's own words. A status that is no error's is
// 500, as in the reference.
func refusedWith(status int, message string) *failure {
	if !utf8.ValidString(message) {
		message = ""
	}
	answered := auth.ErrHookRefused.Saying(fault.Clip(message, maxMessage))
	if status < 400 || status > 599 {
		status = http.StatusInternalServerError
	}
	answered = answered.Answering(status)
	if status == http.StatusInternalServerError {
		answered.Code = auth.ErrHookFailed.Code
	}
	return &failure{outcome: OutcomeRefused, fault: answered, reason: fmt.Sprintf("%d: %s", status, fault.Clip(message, maxMessage))}
}

// rejected is a refusal by a decision: with the point's own error.
func rejected(with *fault.Error, message string) *failure {
	if message != "" {
		with = with.Saying(fault.Clip(message, maxMessage))
	}
	return &failure{outcome: OutcomeRefused, fault: with, reason: with.Message}
}
