// Package fault is the one error type that crosses packages. A package that
// refuses a request returns an *Error; only the web layer turns its Kind into
// an HTTP status. It owns no codes: sentinels live in the noun's package.
//
// A sentinel is made by New and has its own identity, which its copies keep.
// Two sentinels stay distinct even with the same Kind and Code: the code is for
// clients, which need fewer distinctions than the program.
package fault

import (
	"errors"
	"time"
)

// Kind classifies an Error. The zero Kind is Internal, so an unclassified error
// is never shown to a client.
type Kind uint8

// The kinds, with the HTTP status that the web layer gives each.
const (
	Internal         Kind = iota // 500, message hidden
	Invalid                      // 400
	Unauthorized                 // 401
	Forbidden                    // 403
	NotFound                     // 404
	MethodNotAllowed             // 405
	Conflict                     // 409
	TooLarge                     // 413
	UnsupportedMedia             // 415
	Unprocessable                // 422
	TooMany                      // 429
	HeadersTooLarge              // 431
	Unavailable                  // 503
)

// Error is a refusal. Code is the stable wire code, Message is safe to show to
// the caller, Err is the cause and is only logged.
type Error struct {
	Kind    Kind
	Code    string
	Message string
	Err     error
	// RetryAfter, when positive, becomes the Retry-After header.
	RetryAfter time.Duration
	// Status, when set, is the HTTP status instead of the Kind's: a project's own code
	// words the refusal, or failed.
	Status int
	// Details are further members of the JSON answer, such as weak_password.
	Details map[string]any

	origin *Error // the sentinel that this is a copy of; nil for a sentinel
}

// New makes a sentinel.
func New(kind Kind, code, message string) *Error {
	return &Error{Kind: kind, Code: code, Message: message}
}

// Error returns the code, the message and the cause; it is meant for logs.
func (e *Error) Error() string {
	s := e.Code + ": " + e.Message
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether e and target are the same sentinel or copies of it. Their
// messages do not matter.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.sentinel() == e.sentinel()
}

func (e *Error) sentinel() *Error {
	if e.origin != nil {
		return e.origin
	}
	return e
}

func (e *Error) copy() *Error {
	c := *e
	c.origin = e.sentinel()
	return &c
}

// Because returns a copy with a cause.
func (e *Error) Because(err error) *Error {
	c := e.copy()
	c.Err = err
	return c
}

// Saying returns a copy with another message, which must be safe to show.
func (e *Error) Saying(message string) *Error {
	c := e.copy()
	c.Message = message
	return c
}

// After returns a copy that tells the caller when to try again.
func (e *Error) After(d time.Duration) *Error {
	c := e.copy()
	c.RetryAfter = d
	return c
}

// Answering returns a copy with an HTTP status of its own.
func (e *Error) Answering(status int) *Error {
	c := e.copy()
	c.Status = status
	return c
}

// With returns a copy with one more member in the JSON answer.
func (e *Error) With(key string, value any) *Error {
	c := e.copy()
	c.Details = make(map[string]any, len(e.Details)+1)
	for k, v := range e.Details {
		c.Details[k] = v
	}
	c.Details[key] = value
	return c
}

// From finds the *Error in err's chain, or wraps err as Internal.
func From(err error) *Error {
	var f *Error
	if errors.As(err, &f) {
		return f
	}
	return &Error{Kind: Internal, Code: "unexpected_failure", Message: "Internal server error", Err: err}
}
