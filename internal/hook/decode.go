package hook

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"

	"github.com/reevehq/reeve/internal/fault"
)

// maxDepth bounds the nesting of an answer.
const maxDepth = 32

// interpret returns the refusal in an answer, else what read makes of it.
func interpret(raw json.RawMessage, read func(json.RawMessage) error) error {
	if len(bytes.TrimSpace(raw)) == 0 || bytes.Equal(bytes.TrimSpace(raw), []byte("null")) {
		return read(nil)
	}
	if err := wellFormed(raw); err != nil {
		return failedBecause("the answer is not a JSON object", err)
	}
	if refusal := refusalIn(raw); refusal != nil {
		return refusal
	}
	return read(raw)
}

// wellFormed checks that raw is one JSON object, not nested too deep, in which no
// object has a member twice: two readers would see different ones.
func wellFormed(raw json.RawMessage) error {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var open []map[string]bool // the names seen in each object; nil for an array
	key := false               // a name comes next
	for first := true; ; first = false {
		tok, err := dec.Token()
		if errors.Is(err, io.EOF) && !first && len(open) == 0 {
			return nil
		}
		if err != nil {
			return err
		}
		if first && tok != json.Delim('{') || !first && len(open) == 0 {
			return errors.New("it must be one object")
		}
		switch t := tok.(type) {
		case json.Delim:
			switch t {
			case '{':
				open = append(open, map[string]bool{})
			case '[':
				open = append(open, nil)
			default:
				open = open[:len(open)-1]
			}
			if len(open) > maxDepth {
				return errors.New("it is nested too deep")
			}
			key = len(open) > 0 && open[len(open)-1] != nil
			continue
		case string:
			if key {
				names := open[len(open)-1]
				if names[t] {
					return errors.New("an object has the same member twice")
				}
				names[t] = true
				key = false
				continue
			}
		}
		key = len(open) > 0 && open[len(open)-1] != nil
	}
}

// refusalIn is the hook's own error: {"error": {"http_code": 403, "message": "..."}}.
// One without a message is none, as in the reference; one in another form is a
// failure, because it was meant to refuse.
func refusalIn(raw json.RawMessage) error {
	var a struct {
		Error json.RawMessage `json:"error"`
	}
	if err := json.Unmarshal(raw, &a); err != nil {
		return failedBecause("the answer is not valid", err)
	}
	if len(a.Error) == 0 || string(a.Error) == "null" {
		return nil
	}
	var said struct {
		HTTPCode int    `json:"http_code"`
		Message  string `json:"message"`
	}
	if err := json.Unmarshal(a.Error, &said); err != nil {
		return failedBecause("its error is not an object with http_code and message", err)
	}
	if said.Message == "" {
		if said.HTTPCode == 0 {
			return nil
		}
		return failedBecause("its error has no message", nil)
	}
	return refusedWith(said.HTTPCode, said.Message)
}

// decisionReject is the decision of a refusal.
const decisionReject = "reject"

// decision is the answer of points that may be refused.
type decision struct {
	Decision         string `json:"decision"`
	Message          string `json:"message"`
	ShouldLogoutUser bool   `json:"should_logout_user"`
}

// readDecision reads a decision. A refusal has the point's error with the hook's
// message. Nothing, and an answer without a decision, is to go on.
func readDecision(raw json.RawMessage, with *fault.Error) (decision, error) {
	var d decision
	if raw == nil {
		return d, nil
	}
	if err := json.Unmarshal(raw, &d); err != nil {
		return d, failedBecause("the answer is not a decision", err)
	}
	switch d.Decision {
	case "", "continue":
		return d, nil
	case decisionReject:
		return d, rejected(with, d.Message)
	}
	return d, failedBecause(`the decision is neither "continue" nor "reject"`, nil)
}
