// Package keyset tells verifiers that keep an old key set from those that are
// about to fetch the new one. It owns the entity tags of key sets, and collects who
// asks with an old one. It owns no keys, and not the table.
//
// The tag of a set names the set and the answer: verifiers that share an address
// and a user agent have tags of their own. Whoever names an old tag once gets the
// new set by that request; whoever names the same one again later has not taken it.
package keyset

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/reevehq/reeve/internal/batch"
)

// The bounds of a process.
const (
	// FlushInterval is how often the requests are written.
	FlushInterval = 10 * time.Second
	// maxOfProject and maxRequests bound what is remembered between two writes.
	maxOfProject = 50
	maxRequests  = 20_000
	// maxAgent bounds a kept user agent, in bytes.
	maxAgent = 256
)

const (
	digestBytes = 12
	nonceBytes  = 9
	macBytes    = 12
)

// Tag returns a new entity tag for a key set. key is a secret of the project: nobody
// else can make tags.
func Tag(key []byte, keys []json.RawMessage) string {
	var nonce [nonceBytes]byte
	_, _ = rand.Read(nonce[:]) // never fails
	name := digest(keys) + "." + base64.RawURLEncoding.EncodeToString(nonce[:])
	return name + "." + mac(key, name)
}

func mac(key []byte, name string) string {
	h := hmac.New(sha256.New, key)
	h.Write([]byte("entity tag of a key set\x00" + name))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:macBytes])
}

// Current returns the tag, of those that a request names, that is of this set, and
// else one of another set of the project; "" for none.
func Current(key []byte, tags []string, keys []json.RawMessage) (current, old string) {
	want := digest(keys)
	for _, tag := range tags {
		end := strings.LastIndexByte(tag, '.')
		if end < 0 || !hmac.Equal([]byte(tag[end+1:]), []byte(mac(key, tag[:end]))) {
			continue
		}
		if set, _, _ := strings.Cut(tag, "."); set == want {
			return tag, ""
		}
		old = tag
	}
	return "", old
}

func digest(keys []json.RawMessage) string {
	h := sha256.New()
	for _, key := range keys {
		h.Write(key)
		h.Write([]byte{'\n'})
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:digestBytes])
}

// Request is the requests with an old tag since the last flush.
type Request struct {
	Project string    `json:"ref"`
	Tag     string    `json:"tag"`
	First   time.Time `json:"first"`
	Last    time.Time `json:"last"`
	Count   int64     `json:"count"`
	IP      string    `json:"ip"`
	Agent   string    `json:"agent"`
}

// Store keeps requests, and ignores those of projects that do not exist. A batch
// that it gets again may be counted again: only the times decide anything.
type Store interface {
	AddOldSetRequests(ctx context.Context, requests []Request) error
}

// Requests collects the requests of a process. All methods may be called on nil
// Requests, which collect nothing.
type Requests struct {
	*batch.Writer[[]Request]
	store Store

	mu       sync.Mutex
	projects map[string]map[string]*Request // by ref and tag
	count    int
}

// NewRequests returns Requests that write to store.
func NewRequests(store Store, log *slog.Logger) *Requests {
	r := &Requests{store: store, projects: map[string]map[string]*Request{}}
	r.Writer = batch.New("who asks for old key sets", FlushInterval, log, r)
	return r
}

// Old notes a request that names the tag of an old set.
func (r *Requests) Old(project, tag string, at time.Time, ip netip.Addr, agent string) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	of := r.projects[project]
	if of == nil {
		of = map[string]*Request{}
		r.projects[project] = of
	}
	q := of[tag]
	if q == nil {
		if len(of) >= maxOfProject || r.count >= maxRequests {
			return
		}
		q = &Request{Project: project, Tag: tag, First: at}
		of[tag] = q
		r.count++
	}
	q.Last, q.Agent = at, clean(agent)
	q.Count++
	if ip.IsValid() {
		q.IP = ip.WithZone("").Unmap().String()
	}
}

// clean makes a header fit for storing and showing.
func clean(agent string) string {
	agent = agent[:min(len(agent), maxAgent)]
	agent = strings.ToValidUTF8(agent, "")
	return strings.Map(func(c rune) rune {
		if c < ' ' || c == utf8.RuneError || c == 0x7f {
			return -1
		}
		return c
	}, agent)
}

// Flush writes everything that was noted.
func (r *Requests) Flush(ctx context.Context) error {
	if r == nil {
		return nil
	}
	return r.Writer.Flush(ctx)
}

// Take implements batch.Source.
func (r *Requests) Take(context.Context) *[]Request {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.count == 0 {
		clear(r.projects)
		return nil
	}
	taken := make([]Request, 0, r.count)
	for _, of := range r.projects {
		for _, q := range of {
			taken = append(taken, *q)
		}
	}
	r.projects, r.count = map[string]map[string]*Request{}, 0
	return &taken
}

// Write implements batch.Source.
func (r *Requests) Write(ctx context.Context, _ batch.Stamp, requests *[]Request) error {
	return r.store.AddOldSetRequests(ctx, *requests)
}
