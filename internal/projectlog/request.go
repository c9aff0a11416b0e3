package projectlog

import (
	"context"

	"github.com/google/uuid"
)

// Request adds the entries about one request. Its methods may be called on a nil
// Request, which drops everything; they must not be called at the same time.
type Request struct {
	log  *Log
	base Entry

	added     bool // an entry
	explained bool
}

// Request returns the Request whose entries have the project, the request id, the
// route and the client address of base.
func (l *Log) Request(base Entry) *Request { return &Request{log: l, base: base} }

// SetUser sets the user of the entries that follow.
func (r *Request) SetUser(id uuid.UUID) {
	if r != nil {
		r.base.UserID = id
	}
}

// SetSubject sets what stands for the address that the request names.
func (r *Request) SetSubject(subject string) {
	if r != nil {
		r.base.Subject = subject
	}
}

// Known reports whether the entries name a user or an address.
func (r *Request) Known() bool {
	return r != nil && (r.base.UserID != uuid.Nil || r.base.Subject != "")
}

// Explained reports whether an entry of the request says that something is wrong.
func (r *Request) Explained() bool { return r != nil && r.explained }

// Added reports whether the request has an entry.
func (r *Request) Added() bool { return r != nil && r.added }

// Add queues an entry, as Log.Add does.
func (r *Request) Add(ctx context.Context, e Entry) {
	if r == nil {
		return
	}
	e.Project, e.RequestID, e.Route, e.ClientIP = r.base.Project, r.base.RequestID, r.base.Route, r.base.ClientIP
	if e.UserID == uuid.Nil {
		e.UserID = r.base.UserID
	}
	if e.Subject == "" {
		e.Subject = r.base.Subject
	}
	if e.Level != Info {
		r.explained = true
	}
	r.added = true
	r.log.Add(ctx, e)
}
