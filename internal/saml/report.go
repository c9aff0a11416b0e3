package saml

import "strings"

// Check names a step of the verification of a message.
type Check string

// The checks, in their order.
const (
	CheckStatus      Check = "status"
	CheckForm        Check = "form"
	CheckSignature   Check = "signature"
	CheckDecryption  Check = "decryption"
	CheckIssuer      Check = "issuer"
	CheckDestination Check = "destination"
	CheckRequest     Check = "request"
	CheckAge         Check = "age"
	CheckSubject     Check = "subject"
	CheckRecipient   Check = "recipient"
	CheckTime        Check = "time"
	CheckAudience    Check = "audience"
	CheckStatement   Check = "statement"

	// CheckMetadata is of the metadata of a provider.
	CheckMetadata Check = "metadata"
)

// Step is a check that was made.
type Step struct {
	Check Check `json:"check"`
	OK    bool  `json:"ok"`
	// Reason says what is wrong, in words that the administrator of an identity
	// provider can act on; "" if OK. Values of the message in it are bounded.
	Reason string `json:"reason,omitempty"`
}

// Report is the checks that were made. A check can be in it more than once: of the
// response, and of its assertion.
type Report []Step

// Refusal is the error of a message that is not accepted.
type Refusal struct {
	Check  Check
	Reason string // as in Step
	err    error
}

func (r *Refusal) Error() string {
	s := "saml: " + string(r.Check) + ": " + r.Reason
	if r.err != nil {
		s += " (" + r.err.Error() + ")"
	}
	return s
}

func (r *Refusal) Unwrap() error { return r.err }

func refuse(check Check, reason string, err error) *Refusal {
	return &Refusal{Check: check, Reason: reason, err: err}
}

// check adds a step, and reports whether it is sound.
func (v *verifier) check(which Check, err error) bool {
	step := Step{Check: which, OK: err == nil}
	if err != nil {
		step.Reason = sentence(err.Error())
	}
	v.report = append(v.report, step)
	return step.OK
}

// err returns the first check that failed.
func (r Report) err() error {
	for _, s := range r {
		if !s.OK {
			return refuse(s.Check, s.Reason, nil)
		}
	}
	if len(r) == 0 {
		return refuse(CheckForm, "Nothing was checked.", nil)
	}
	return nil
}

// sentence makes a sentence of the text of an error.
func sentence(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:] + "."
}
