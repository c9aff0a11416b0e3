package scim

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/fault"
	protocol "github.com/reevehq/reeve/internal/scim"
	"github.com/reevehq/reeve/internal/web"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// The bounds of the log.
const (
	keepEntries  = 500 // of a connection
	maxRequest   = 60_000
	maxLogPage   = 100
	maxErrorText = 1000
	logTimeout   = 5 * time.Second
)

// statusOf is the HTTP status of an error.
func statusOf(err error) int {
	f := fault.From(err)
	if f.Status != 0 {
		return f.Status
	}
	return web.Status(f.Kind)
}

func errorBody(status int, err error) protocol.Error {
	f := fault.From(err)
	if f.Kind == fault.Internal {
		f = fault.New(fault.Internal, "unexpected_failure", "Unexpected failure")
	}
	return protocol.NewError(status, f)
}

// record notes a push, or a request that was refused, in the connection's log, and
// returns its status. Reads that succeed are not noted: directories poll.
func (s Service) record(ctx context.Context, sc *tenants.Scope, c *Connection, r *Request, a *Answer, err error, replayOf *int64) int {
	e := auth.SCIMLogEntry{Provider: c.ID, Token: c.Token, At: s.Now(), Method: r.Method, Path: clip(r.Path(), 2048), ReplayOf: replayOf}
	if err != nil {
		body := errorBody(statusOf(err), err)
		e.Status, e.Error = statusOf(err), clip(strings.TrimPrefix(body.Type+": "+body.Detail, ": "), maxErrorText)
	} else {
		e.Status = a.Status
		if r.Method == http.MethodGet || r.Search {
			return e.Status
		}
	}
	e.Request, e.Cut = redacted(r)
	// The request may be over its time, and the entry tells why.
	within, cancel := context.WithTimeout(context.WithoutCancel(ctx), logTimeout)
	defer cancel()
	_ = sc.DB.Do(within, func(tx *tenantdb.Tx) error { return tx.AddSCIMLog(within, &e, keepEntries) }) // the push itself is done
	return e.Status
}

// redacted is the body of a request without passwords; cut says that it is not the whole
// one.
func redacted(r *Request) (body string, cut bool) {
	data := any(r.Data)
	if r.Data == nil {
		if len(r.Body) == 0 {
			return "", false
		}
		dec := json.NewDecoder(bytes.NewReader(r.Body))
		dec.UseNumber()
		if dec.Decode(&data) != nil { // what cannot be read may have a password anywhere
			return "", true
		}
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if enc.Encode(withoutPasswords(data)) != nil {
		return "", true
	}
	s := strings.TrimSuffix(out.String(), "\n")
	return clip(s, maxRequest), len(s) > maxRequest
}

func withoutPasswords(v any) any {
	secret := func(name string) bool { return strings.Contains(strings.ToLower(name), "password") }
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = withoutPasswords(v[i])
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		hidden := false
		for name, e := range v {
			path, _ := e.(string)
			hidden = hidden || strings.EqualFold(name, "path") && secret(path)
		}
		for name, e := range v {
			if !secret(name) && !(hidden && strings.EqualFold(name, "value")) {
				out[name] = withoutPasswords(e)
			}
		}
		return out
	}
	return v
}

// clip returns at most n bytes of text that can be stored.
func clip(s string, n int) string {
	s = s[:min(len(s), n)]
	return strings.ReplaceAll(strings.ToValidUTF8(s, ""), "\x00", "")
}

// Log returns at most a number of entries of a connection's log, the newest first: those
// older than an entry if before is not 0, and those that failed alone if failed is set.
func (s Service) Log(ctx context.Context, sc *tenants.Scope, connection uuid.UUID, before int64, failed bool, most int) (list []auth.SCIMLogEntry, err error) {
	err = s.of(ctx, sc, connection, func(tx *tenantdb.Tx) error {
		list, err = tx.SCIMLog(ctx, connection, before, failed, most)
		return err
	})
	return list, err
}

// Replay makes the request of an entry again; auth.ErrSCIMLogNotFound, auth.ErrSCIMReplay.
// What the connection answers is the outcome, an error too.
func (s Service) Replay(ctx context.Context, sc *tenants.Scope, connection uuid.UUID, entry int64) (*Replayed, error) {
	var e auth.SCIMLogEntry
	err := s.of(ctx, sc, connection, func(tx *tenantdb.Tx) (err error) {
		e, err = tx.SCIMLogEntry(ctx, connection, entry)
		return err
	})
	if err != nil {
		return nil, err
	}
	r, ok := requestOf(&e)
	if !ok {
		return nil, auth.ErrSCIMReplay
	}
	c := &Connection{ID: connection, Base: base(sc)}
	a, err := s.Do(ctx, sc, c, r)
	out := &Replayed{Status: s.record(ctx, sc, c, r, a, err, &e.ID)}
	if err != nil {
		out.Body = errorBody(out.Status, err)
	} else {
		out.Body = a.Body
	}
	return out, nil
}

// Replayed is the answer to a request that was made again.
type Replayed struct {
	Status int `json:"status"`
	Body   any `json:"body"`
}

// requestOf is the request of an entry; ok is false if it does not have all of it.
func requestOf(e *auth.SCIMLogEntry) (*Request, bool) {
	path, query, _ := strings.Cut(e.Path, "?")
	values, err := url.ParseQuery(query)
	if e.Cut || err != nil || len(e.Path) >= 2048 {
		return nil, false
	}
	r := &Request{Method: e.Method, Query: values, Body: []byte(e.Request)}
	endpoint, id, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	for _, t := range protocol.ResourceTypes {
		if t.Endpoint == "/"+endpoint {
			r.Type = t
		}
	}
	if r.ID = id; id == ".search" {
		r.ID, r.Search = "", true
	}
	return r, r.Type != nil
}
