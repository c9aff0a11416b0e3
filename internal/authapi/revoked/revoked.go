// Package revoked serves the list of sessions that ended lately: what an API server,
// which verifies access tokens by itself, asks for every few seconds so that it does
// not accept tokens of ended sessions until they expire.
//
// The list has ids and no users. An id of a session is no credential: no route takes
// one instead of a token. What the list does tell is how many sessions end, so it needs
// an API key of the project; the publishable one will do, because an API server should
// not hold a secret key only for this.
package revoked

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/setting"
	"github.com/reevehq/reeve/internal/web"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

const (
	// Path is the route.
	Path = "/.well-known/revoked-sessions"
	// maxListed bounds the ids in an answer: about 200 kB.
	maxListed = 5000
	// fresh is how long a process answers with a list that it read.
	fresh = 2 * time.Second
	// skew is added to the life of access tokens: API servers allow for clocks that
	// differ.
	skew = time.Minute
	// maxKept bounds the projects whose list is kept.
	maxKept = 1000
)

// Handler serves the route.
type Handler struct {
	Now  func() time.Time
	Kept *Kept
}

// Mount adds the route.
func (h Handler) Mount(r web.Routes) { r.Keyed.GET(Path, web.Tenant(http.StatusOK, h.list)) }

// List is the answer.
type List struct {
	// Sessions are the ids of ended sessions, those that ended last first.
	Sessions []uuid.UUID `json:"sessions"`
	// Since is the time after which each session that ended is listed, in seconds since
	// 1970. A token that was issued before it and is not listed may be of an ended
	// session only if Complete is false.
	Since int64 `json:"since"`
	// Complete is false when more sessions ended within the life of an access token than
	// a list holds. Tokens issued before Since need GET /user then.
	Complete bool `json:"complete"`
}

// SetHeaders implements web.HeaderSetter.
func (*List) SetHeaders(h http.Header) {
	h.Set("Cache-Control", "private, max-age=5")
	h.Add("Vary", "apikey, Authorization")
}

func (h Handler) list(ctx context.Context, sc *tenants.Scope, _ *web.None) (web.Tagged, error) {
	now := h.Now()
	if t, ok := h.Kept.get(sc.Tenant.Ref, now); ok {
		return t, nil
	}
	list, err := read(ctx, sc, now)
	if err != nil {
		return web.Tagged{}, err
	}
	t := web.Tagged{Tag: tag(list), Body: list}
	h.Kept.put(sc.Tenant.Ref, now, t)
	return t, nil
}

// read reads the sessions that ended within the life of an access token.
func read(ctx context.Context, sc *tenants.Scope, now time.Time) (*List, error) {
	since := now.Add(-tokenLife(&sc.Tenant.Config) - skew)
	var rows []auth.EndedSession
	err := sc.DB.Do(ctx, func(tx *tenantdb.Tx) (err error) {
		rows, err = tx.EndedSince(ctx, since, maxListed+1)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &List{Complete: len(rows) <= maxListed, Since: since.Unix()}
	if !out.Complete {
		out.Since = rows[maxListed].EndedAt.Unix() + 1
		rows = rows[:maxListed]
	}
	out.Sessions = make([]uuid.UUID, len(rows))
	for i := range rows {
		out.Sessions[i] = rows[i].ID
	}
	return out, nil
}

// longestToken is the longest life of an access token: the most that jwt_exp and a hook
// can give.
const longestToken = 7 * 24 * time.Hour

// tokenLife is how long access tokens may live: a hook on tokens may say more than
// jwt_exp.
func tokenLife(c *tenants.Config) time.Duration {
	if c.Hook(setting.HookCustomAccessToken).Enabled {
		return longestToken
	}
	return c.AccessTokenTTL()
}

// tag is the entity tag of a list: of its sessions, because the time passes.
func tag(l *List) string {
	sum := sha256.New()
	for _, id := range l.Sessions {
		sum.Write(id[:])
	}
	if !l.Complete {
		sum.Write([]byte{0})
	}
	return base64.RawURLEncoding.EncodeToString(sum.Sum(nil)[:12])
}

// Kept are the lists that were just read, so that many pollers cost the database of a
// project one query in two seconds. A nil Kept keeps none.
type Kept struct {
	mu    sync.Mutex
	lists map[tenants.Ref]kept
}

type kept struct {
	at     time.Time
	answer web.Tagged
}

func (k *Kept) get(ref tenants.Ref, now time.Time) (web.Tagged, bool) {
	if k == nil {
		return web.Tagged{}, false
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	l, ok := k.lists[ref]
	return l.answer, ok && now.Sub(l.at) < fresh
}

func (k *Kept) put(ref tenants.Ref, now time.Time, answer web.Tagged) {
	if k == nil {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.lists == nil || len(k.lists) >= maxKept {
		k.lists = map[tenants.Ref]kept{}
	}
	k.lists[ref] = kept{now, answer}
}
