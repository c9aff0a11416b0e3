package password

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/reevehq/reeve/internal/fault"
)

const (
	// MinLengthFloor is the shortest minimum that a Policy can have.
	MinLengthFloor = 6
	// MaxBytes is bcrypt's limit; a longer password would be truncated.
	MaxBytes = 72
)

// Reasons that a Weakness can name.
const (
	ReasonLength     = "length"
	ReasonCharacters = "characters"
	ReasonPwned      = "pwned"
)

// Errors for a new password.
var (
	// ErrWeak carries the detail "weak_password" with the reasons.
	ErrWeak = fault.New(fault.Unprocessable, "weak_password", "Password is too weak")
	// ErrTooLong is returned for more than MaxBytes bytes.
	ErrTooLong = fault.New(fault.Invalid, "validation_failed", "Password cannot be longer than 72 bytes")
	// ErrNUL is returned for a password with a NUL, which ends it for bcrypt.
	ErrNUL = fault.New(fault.Invalid, "validation_failed", "Password cannot contain a NUL character")
)

// Policy is a project's rules for new passwords (password_min_length and
// password_required_characters of its configuration). The zero Policy requires
// MinLengthFloor characters.
type Policy struct {
	// MinLength is in characters (Unicode code points); MinLengthFloor when less.
	MinLength int
	// RequiredCharacters are sets; one character of each must occur.
	RequiredCharacters []string
}

// Weakness says why a password fails a Policy, in the JSON form of the password
// grant's answer.
type Weakness struct {
	Message string   `json:"message"`
	Reasons []string `json:"reasons"`
}

// Check returns nil, ErrTooLong or ErrNUL, or ErrWeak with its reasons.
func (p Policy) Check(password string) error {
	if err := Hashable(password); err != nil {
		return err
	}
	return p.Weakness(password).Err()
}

// Err returns ErrWeak with the reasons; nil when w is nil.
func (w *Weakness) Err() error {
	if w == nil {
		return nil
	}
	return ErrWeak.Saying(w.Message).With("weak_password", map[string]any{"reasons": w.Reasons})
}

// And returns the reasons of both; either may be nil.
func (w *Weakness) And(other *Weakness) *Weakness {
	switch {
	case w == nil:
		return other
	case other == nil:
		return w
	}
	return &Weakness{Message: w.Message + " " + other.Message, Reasons: slices.Concat(w.Reasons, other.Reasons)}
}

// Leaked is the weakness of a password that is known from a data breach.
func Leaked() *Weakness {
	return &Weakness{
		Message: "Password is known to be weak and easy to guess, please choose a different one.",
		Reasons: []string{ReasonPwned},
	}
}

// Hashable refuses passwords that bcrypt would truncate: ErrTooLong or ErrNUL.
func Hashable(password string) error {
	if len(password) > MaxBytes {
		return ErrTooLong
	}
	if strings.IndexByte(password, 0) >= 0 {
		return ErrNUL
	}
	return nil
}

// Weakness returns nil when the password satisfies the rules. The reference
// counts bytes; Reeve counts characters, so that one emoji is not four.
func (p Policy) Weakness(password string) *Weakness {
	var w Weakness
	var messages []string
	if least := max(p.MinLength, MinLengthFloor); utf8.RuneCountInString(password) < least {
		w.Reasons = append(w.Reasons, ReasonLength)
		messages = append(messages, fmt.Sprintf("Password should be at least %d characters.", least))
	}
	for _, set := range p.RequiredCharacters {
		if set != "" && !strings.ContainsAny(password, set) {
			w.Reasons = append(w.Reasons, ReasonCharacters)
			messages = append(messages, "Password should contain at least one character of each: "+
				strings.Join(p.RequiredCharacters, ", ")+".")
			break
		}
	}
	if w.Reasons == nil {
		return nil
	}
	w.Message = strings.Join(messages, " ")
	return &w
}
