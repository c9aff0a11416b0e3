// Package projectlog is the log of a project, which its developers read: why
// users are refused, why mails are not delivered, what in the configuration does
// not work. It owns the entries, their bounds, the removal of secrets from them
// and the queue of a process. It does not own the table and knows no flow: others
// decide what is worth an entry.
package projectlog

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"
)

// Level is the severity of an entry.
type Level string

// The levels, in ascending order.
const (
	Info    Level = "info"    // refused, as configured
	Warning Level = "warning" // probably not what the developer wants
	Error   Level = "error"   // does not work
)

// Levels returns the levels from least upwards; all of them for an unknown one.
func Levels(least Level) []Level {
	all := []Level{Info, Warning, Error}
	for i, l := range all {
		if l == least {
			return all[i:]
		}
	}
	return all
}

// Entry is something that a project's developers should know.
type Entry struct {
	Project string // the ref; an entry without one is dropped
	At      time.Time
	Level   Level  // Error when empty
	Code    string // stable, from a fixed set
	Message string // for developers, in plain English

	// The request that caused the entry, if one did.
	RequestID string
	UserID    uuid.UUID
	Subject   string // stands for the address that the request named: see tenants.Tenant.LogSubject
	Route     string // "POST /auth/v1/signup"
	ClientIP  string

	// Detail has values of type string, []string, bool and of integer types.
	Detail map[string]any
	// Secrets are values that are removed from Message and Detail. Texts that
	// look like keys, tokens and password hashes are removed in any case.
	Secrets []string
}

// Record is an entry, or several equal ones, as they are stored.
type Record struct {
	ID         uuid.UUID       `json:"id"`
	Project    string          `json:"ref"`
	At         time.Time       `json:"at"` // of the first one
	Level      Level           `json:"level"`
	Code       string          `json:"code"`
	Message    string          `json:"message"`
	RequestIDs []string        `json:"request_ids"` // of the first ones
	UserID     *uuid.UUID      `json:"user_id"`
	Subject    string          `json:"subject"` // "" for none
	Route      string          `json:"route"`
	ClientIP   string          `json:"client_ip"` // of the first one
	Detail     json.RawMessage `json:"detail"`
	Count      int             `json:"count"`
}

// The bounds of an entry, in bytes.
const (
	maxCode    = 100
	maxMessage = 500
	maxField   = 200  // route, request id, client address
	maxText    = 1024 // one text of the detail
	maxTexts   = 20   // members of the detail, and elements of a list in it
	maxDetail  = 4000 // the detail as JSON
)

// record is the entry within its bounds and without secrets.
func (e Entry) record() *Record {
	r := &Record{
		ID: uuid.New(), Project: e.Project, At: e.At, Level: e.Level, Count: 1,
		Code: clip(oneLine(e.Code), maxCode), RequestIDs: e.requestIDs(),
		Message:  clip(oneLine(redact(e.Message, e.Secrets)), maxMessage),
		Route:    clip(oneLine(e.Route), maxField),
		ClientIP: clip(oneLine(e.ClientIP), maxField),
		Subject:  clip(e.Subject, maxField),
		Detail:   e.detail(),
	}
	if r.Level == "" {
		r.Level = Error
	}
	if e.UserID != uuid.Nil {
		r.UserID = &e.UserID
	}
	return r
}

func (e Entry) requestIDs() []string {
	if id := clip(oneLine(e.RequestID), maxField); id != "" {
		return []string{id}
	}
	return nil
}

// entryKey is the same for equal entries: of one project, whatever their time,
// request and client.
type entryKey [sha256.Size]byte

func (e Entry) key() (key entryKey) {
	h := sha256.New()
	write := func(s string) {
		_, _ = io.WriteString(h, s[:min(len(s), maxRedacted)])
		_, _ = h.Write([]byte{0xff}) // in no valid text
	}
	for _, s := range []string{string(e.Level), e.Code, e.Message, e.Route, string(e.UserID[:]), e.Subject} {
		write(s)
	}
	for _, name := range slices.Sorted(maps.Keys(e.Detail)) {
		write(name)
		switch v := e.Detail[name].(type) {
		case string:
			write(v)
		case []string:
			for _, s := range v {
				write(s)
			}
		default:
			write(fmt.Sprint(v))
		}
	}
	h.Sum(key[:0])
	return key
}

// detail is the detail as JSON. Its texts are clipped so that the whole is within
// its bound.
func (e Entry) detail() json.RawMessage {
	for most := maxText; most > 0; most /= 4 {
		out := make(map[string]any, len(e.Detail))
		for name, value := range e.Detail {
			if v := e.value(value, most); v != nil && len(out) < maxTexts {
				out[clip(oneLine(name), maxCode)] = v
			}
		}
		if raw, err := json.Marshal(out); err == nil && len(raw) <= maxDetail {
			return raw
		}
	}
	return json.RawMessage("{}")
}

// value is a value of the detail within its bounds; nil if it is empty.
func (e Entry) value(v any, most int) any {
	text := func(s string) string { return clip(lines(redact(s, e.Secrets)), most) }
	switch v := v.(type) {
	case string:
		if v == "" {
			return nil
		}
		return text(v)
	case []string:
		if len(v) == 0 {
			return nil
		}
		out := make([]string, 0, len(v))
		for _, s := range v[:min(len(v), maxTexts)] {
			out = append(out, text(s))
		}
		return out
	case bool, int, int32, int64, uint32:
		return v
	}
	return nil
}
