package outbox

import "errors"

// verdict is what a failed delivery says about the row.
type verdict uint8

const (
	unreachable verdict = iota // nothing: the server or the account is at fault
	deferred                   // not now
	refused                    // never
)

// failure is an error of a Deliver with its verdict.
type failure struct {
	verdict verdict
	err     error
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// Refused marks err as permanent, so that the row is not tried again.
func Refused(err error) error { return &failure{verdict: refused, err: err} }

// Deferred marks err as about this one row, which is worth another try later; the
// receiver itself works.
func Deferred(err error) error { return &failure{verdict: deferred, err: err} }

// Permanent tells whether err says that the row will never be taken: for a mail, a
// 5xx answer about it, or an address that is none. A server that cannot be reached
// or refuses the login is not permanent: that is repaired in the settings.
func Permanent(err error) bool { return verdictOf(err) == refused }

// Unreachable tells whether err says nothing about the row, so that trying the
// project's next one now is useless.
func Unreachable(err error) bool { return verdictOf(err) == unreachable }

func verdictOf(err error) verdict {
	var f *failure
	if errors.As(err, &f) {
		return f.verdict
	}
	return unreachable
}
