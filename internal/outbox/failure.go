package outbox

import "errors"

// verdict classifies a failed delivery.
type verdict uint8

const (
	unreachable verdict = iota // the server or the account failed, not the row
	deferred                   // retry this row later
	refused                    // never retry this row
)

// failure is an error of a Deliver with its verdict.
type failure struct {
	verdict verdict
	err     error
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// Refused marks err as permanent: the row is not retried.
func Refused(err error) error { return &failure{verdict: refused, err: err} }

// Deferred marks err as a temporary failure of this row only: the row is retried
// later, and the receiver itself works.
func Deferred(err error) error { return &failure{verdict: deferred, err: err} }

// Permanent reports whether the row will never be accepted. For a mail this is a
// 5xx reply to the message or an invalid address. A server that cannot be reached
// or that refuses the login is not permanent, because a change of the settings can
// repair it.
func Permanent(err error) bool { return verdictOf(err) == refused }

// Unreachable reports whether the receiver as a whole failed, so that the
// project's next row would fail now too.
func Unreachable(err error) bool { return verdictOf(err) == unreachable }

func verdictOf(err error) verdict {
	var f *failure
	if errors.As(err, &f) {
		return f.verdict
	}
	return unreachable
}
