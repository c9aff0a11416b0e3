package migrations_test

import (
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// outbox calls the functions as the application does.
type outbox struct {
	*session
	capability string
}

func newOutbox(t *testing.T, p *project) *outbox {
	t.Helper()
	return &outbox{p.as(t, p.auth), p.capability}
}

// add enqueues a mail.
func (o *outbox) add(payload string) uuid.UUID {
	o.t.Helper()
	return o.addKind("email", payload)
}

func (o *outbox) addKind(kind, payload string) uuid.UUID {
	o.t.Helper()
	id := uuid.New()
	o.exec("SELECT reeve.outbox_add($1, $2, $3, $4)", o.capability, id, kind, []byte(payload))
	return id
}

// claim returns payloads of mails with their attempts.
func (o *outbox) claim(limit int, lease time.Duration) []string {
	o.t.Helper()
	return o.claimKind("email", limit, lease)
}

func (o *outbox) claimKind(kind string, limit int, lease time.Duration) []string {
	o.t.Helper()
	return o.lines("SELECT convert_from(payload, 'UTF8') || ' ' || attempts FROM reeve.outbox_claim_kind($1, $2, $3, $4)",
		o.capability, kind, limit, lease)
}

func (o *outbox) pending() int {
	o.t.Helper()
	return o.pendingKind("email")
}

func (o *outbox) pendingKind(kind string) int {
	o.t.Helper()
	return o.count("SELECT pending FROM reeve.outbox_pending_kind($1, $2)", o.capability, kind)
}

func TestOutboxClaimsOldestFirst(t *testing.T) {
	t.Parallel()
	o := newOutbox(t, newProject(t))
	o.exec("BEGIN")
	for _, payload := range []string{"first", "second", "third"} {
		o.add(payload)
	}
	o.exec("COMMIT")
	if got := o.claim(2, time.Hour); !slices.Equal(got, []string{"first 1", "second 1"}) {
		t.Errorf("first claim: %v", got)
	}
	if got := o.claim(10, time.Hour); !slices.Equal(got, []string{"third 1"}) {
		t.Errorf("second claim: %v", got)
	}
	if got := o.claim(10, time.Hour); len(got) != 0 {
		t.Errorf("third claim: %v, want nothing", got)
	}
	if n := o.pending(); n != 3 {
		t.Errorf("%d pending, want 3: leased ones count", n)
	}
}

func TestOutboxLeaseRunsOut(t *testing.T) {
	t.Parallel()
	o := newOutbox(t, newProject(t))
	o.add("mail")
	o.claim(1, 0)
	if got := o.claim(1, time.Hour); !slices.Equal(got, []string{"mail 2"}) {
		t.Errorf("claim after the lease: %v", got)
	}
}

func TestOutboxDone(t *testing.T) {
	t.Parallel()
	o := newOutbox(t, newProject(t))
	id := o.add("mail")
	for _, want := range []string{"true", "false"} {
		if got := o.text("SELECT reeve.outbox_done($1, $2)::text", o.capability, id); got != want {
			t.Errorf("done answers %s, want %s", got, want)
		}
	}
	if got := o.text("SELECT pending || ' ' || (next_at IS NULL) FROM reeve.outbox_pending_kind($1, 'email')", o.capability); got != "0 true" {
		t.Errorf("pending of an empty outbox: %s", got)
	}
}

func TestOutboxRetryWaits(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	o := newOutbox(t, p)
	id := o.add("mail")
	o.claim(1, time.Hour)
	o.exec("SELECT reeve.outbox_retry($1, $2, 'connection refused', $3)", o.capability, id, time.Hour)
	if got := o.claim(1, time.Hour); len(got) != 0 {
		t.Errorf("claimed before its time: %v", got)
	}
	if got := o.text("SELECT (next_at > now() + interval '50 minutes')::text FROM reeve.outbox_pending_kind($1, 'email')", o.capability); got != "true" {
		t.Errorf("next_at lies within the delay")
	}
	o.exec("SELECT reeve.outbox_retry($1, $2, 'connection refused', $3)", o.capability, id, time.Duration(0))
	if got := o.claim(1, time.Hour); !slices.Equal(got, []string{"mail 2"}) {
		t.Errorf("claim after the delay: %v", got)
	}
	if got := p.admin(t).text("SELECT last_error FROM reeve.outbox"); got != "connection refused" {
		t.Errorf("last error is %q", got)
	}
}

// An untried message has lost no attempt, and keeps its earlier error.
func TestOutboxRelease(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	o, admin := newOutbox(t, p), p.admin(t)
	id := o.add("mail")
	release := func(delay time.Duration, want string) {
		t.Helper()
		if got := o.text("SELECT reeve.outbox_release($1, $2, $3)::text", o.capability, id, delay); got != want {
			t.Errorf("release answers %s, want %s", got, want)
		}
	}
	o.claim(1, time.Hour)
	o.exec("SELECT reeve.outbox_retry($1, $2, 'connection refused', '0')", o.capability, id)
	o.claim(1, time.Hour)
	release(time.Hour, "true")
	if got := o.claim(1, time.Hour); len(got) != 0 {
		t.Errorf("claimed before its time: %v", got)
	}
	release(0, "true")
	release(0, "true") // below none it does not go
	if got := o.claim(1, time.Hour); !slices.Equal(got, []string{"mail 1"}) {
		t.Errorf("claim after the release: %v", got)
	}
	if got := admin.text("SELECT last_error FROM reeve.outbox"); got != "connection refused" {
		t.Errorf("last error is %q", got)
	}
	o.exec("SELECT reeve.outbox_dead($1, $2, 'no such mailbox')", o.capability, id)
	release(0, "false")
}

func TestOutboxTidy(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	o, admin := newOutbox(t, p), p.admin(t)
	for _, kind := range []string{"old a", "old b", "old c", "young"} {
		o.exec("SELECT reeve.outbox_dead($1, $2, 'gone')", o.capability, o.addKind(kind, "x"))
	}
	o.addKind("waits", "x")
	admin.exec("UPDATE reeve.outbox SET created_at = created_at - interval '40 days', dead_at = dead_at - interval '31 days' WHERE kind <> 'young'")
	admin.exec("UPDATE reeve.outbox SET dead_at = dead_at - interval '29 days' WHERE kind = 'young'")
	for _, want := range []string{"2", "1", "0"} {
		if got := o.text("SELECT reeve.outbox_tidy($1, '30 days', 2)::text", o.capability); got != want {
			t.Errorf("removed %s, want %s", got, want)
		}
	}
	if got := admin.text("SELECT string_agg(kind, ',' ORDER BY kind) FROM reeve.outbox"); got != "waits,young" {
		t.Errorf("what stays: %s", got)
	}
}

func TestOutboxDeadKeepsNoContent(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	o := newOutbox(t, p)
	id := o.add("mail")
	o.claim(1, time.Hour)
	o.exec("SELECT reeve.outbox_dead($1, $2, 'no such mailbox')", o.capability, id)
	if n := o.pending(); n != 0 {
		t.Errorf("%d pending, want none", n)
	}
	if got := o.text("SELECT reeve.outbox_retry($1, $2, 'x', $3)::text", o.capability, id, time.Duration(0)); got != "false" {
		t.Errorf("retry of a dead message answers %s", got)
	}
	if got := o.claim(1, 0); len(got) != 0 {
		t.Errorf("claimed a dead message: %v", got)
	}
	got := p.admin(t).text("SELECT kind || ' ' || attempts || ' ' || last_error || ' ' || (payload IS NULL) || ' ' || (dead_at IS NOT NULL) FROM reeve.outbox")
	if got != "email 1 no such mailbox true true" {
		t.Errorf("dead row is %q", got)
	}
}

func TestOutboxRowDependsOnTheTransaction(t *testing.T) {
	t.Parallel()
	o := newOutbox(t, newProject(t))
	o.exec("BEGIN")
	o.add("mail")
	o.exec("ROLLBACK")
	if n := o.pending(); n != 0 {
		t.Errorf("%d messages of a rolled back transaction", n)
	}
}

func TestOutboxRefusesWithoutCapability(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	auth := p.as(t, p.auth)
	id := uuid.New()
	for _, cap := range []any{"", "wrong", p.capability + "x", nil} {
		auth.refused(denied, "SELECT reeve.outbox_add($1, $2, 'x', 'x')", cap, id)
		auth.refused(denied, "SELECT * FROM reeve.outbox_claim($1, 1, '1 hour')", cap)
		auth.refused(denied, "SELECT reeve.outbox_done($1, $2)", cap, id)
		auth.refused(denied, "SELECT reeve.outbox_retry($1, $2, 'x', '0')", cap, id)
		auth.refused(denied, "SELECT reeve.outbox_release($1, $2, '0')", cap, id)
		auth.refused(denied, "SELECT reeve.outbox_tidy($1, '0', 10)", cap)
		auth.refused(denied, "SELECT reeve.outbox_dead($1, $2, 'x')", cap, id)
		auth.refused(denied, "SELECT * FROM reeve.outbox_pending($1)", cap)
		auth.refused(denied, "SELECT * FROM reeve.outbox_claim_kind($1, 'email', 1, '1 hour')", cap)
		auth.refused(denied, "SELECT * FROM reeve.outbox_pending_kind($1, 'email')", cap)
	}
	admin := p.admin(t)
	admin.exec("DELETE FROM reeve.capability")
	auth.refused(denied, "SELECT * FROM reeve.outbox_pending($1)", p.capability)
	admin.exec("SELECT reeve.set_capability(sha256('one')); SELECT reeve.set_capability(sha256('two'))")
	auth.refused(denied, "SELECT * FROM reeve.outbox_pending('one')")
	auth.exec("SELECT * FROM reeve.outbox_pending('two')")
}

func TestOutboxConcurrentClaims(t *testing.T) {
	t.Parallel()
	const messages, claimers = 200, 4
	p := newProject(t)
	o := newOutbox(t, p)
	o.exec("BEGIN")
	for i := range messages {
		o.add(strconv.Itoa(i))
	}
	o.exec("COMMIT")

	var wg sync.WaitGroup
	var mu sync.Mutex
	seen := map[string]int{}
	for range claimers {
		conn := p.as(t, p.auth).conn
		wg.Go(func() {
			for {
				rows, err := conn.Query(t.Context(), "SELECT convert_from(payload, 'UTF8') FROM reeve.outbox_claim_kind($1, 'email', 7, '1 hour')", p.capability)
				if err != nil {
					t.Error(err)
					return
				}
				payloads, err := pgx.CollectRows(rows, pgx.RowTo[string])
				if err != nil {
					t.Error(err)
					return
				}
				if len(payloads) == 0 {
					return
				}
				mu.Lock()
				for _, payload := range payloads {
					seen[payload]++
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if len(seen) != messages {
		t.Errorf("%d of %d messages were claimed", len(seen), messages)
	}
	for payload, n := range seen {
		if n != 1 {
			t.Errorf("message %s was claimed %d times", payload, n)
		}
	}
}

func TestOutboxSkipsRowsAnotherClaimHolds(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	first, second := newOutbox(t, p), newOutbox(t, p)
	first.add("a")
	first.add("b")
	first.exec("BEGIN")
	if got := first.claim(1, time.Hour); len(got) != 1 || got[0] != "a 1" {
		t.Fatalf("first claim: %v", got)
	}
	if got := second.claim(10, time.Hour); len(got) != 1 || got[0] != "b 1" {
		t.Errorf("a claim beside an open one got %v, want only b", got)
	}
	first.exec("ROLLBACK")
	if got := second.claim(10, time.Hour); len(got) != 1 || got[0] != "a 1" {
		t.Errorf("after the rollback: %v, want a as if never claimed", got)
	}
}

// Each kind is a queue of its own, and unclaimed kinds stay unchanged.
func TestOutboxKinds(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	o := newOutbox(t, p)
	o.exec("BEGIN")
	for i := range 50 {
		o.addKind("webhook", strconv.Itoa(i))
	}
	o.add("mail")
	o.addKind("unheard of", "x")
	o.exec("COMMIT")
	if got := o.claim(10, time.Hour); !slices.Equal(got, []string{"mail 1"}) {
		t.Errorf("a claim of mails behind webhooks that are due longer: %v", got)
	}
	if got := o.claimKind("webhook", 2, time.Hour); !slices.Equal(got, []string{"0 1", "1 1"}) {
		t.Errorf("webhooks: %v", got)
	}
	if m, w, none := o.pending(), o.pendingKind("webhook"), o.pendingKind("sms"); m != 1 || w != 50 || none != 0 {
		t.Errorf("%d mails, %d webhooks, %d SMS pending", m, w, none)
	}
	if got := o.claimKind("", 10, time.Hour); len(got) != 0 {
		t.Errorf("a claim of no kind: %v", got)
	}
	if got := p.admin(t).text("SELECT attempts || ' ' || (dead_at IS NULL) FROM reeve.outbox WHERE kind = 'unheard of'"); got != "0 true" {
		t.Errorf("a kind that nobody knows: %s", got)
	}
}

// The release before kinds continues to run for a while: it gets its mails, and
// nothing that it cannot read.
func TestOutboxOfTheReleaseBeforeKinds(t *testing.T) {
	t.Parallel()
	p := oldProject(t, "00011")
	o := newOutbox(t, p)
	before, leased := o.add("before"), o.add("leased")
	claim := func(limit int) []string {
		t.Helper()
		return o.lines("SELECT kind || ' ' || convert_from(payload, 'UTF8') || ' ' || attempts FROM reeve.outbox_claim($1, $2, '1 hour')", o.capability, limit)
	}
	if got := claim(1); !slices.Equal(got, []string{"email before 1"}) {
		t.Fatalf("before: %v", got)
	}
	migrate(t, p.url)
	// Before adopt has run: existing grants stay.
	o.addKind("webhook", "hook")
	if got := claim(10); !slices.Equal(got, []string{"email leased 1"}) {
		t.Errorf("after: %v", got)
	}
	p.adopt(t)
	for _, id := range []uuid.UUID{before, leased} {
		o.exec("SELECT reeve.outbox_done($1, $2)", o.capability, id)
	}
	if n := o.count("SELECT pending FROM reeve.outbox_pending($1)", o.capability); n != 0 {
		t.Errorf("%d pending: its mark would never be taken away", n)
	}
	// And the newer release finds rows of the older one.
	o.add("after")
	if got := o.claim(10, time.Hour); !slices.Equal(got, []string{"after 1"}) {
		t.Errorf("the new release claims %v", got)
	}
	if n := o.pendingKind("webhook"); n != 1 {
		t.Errorf("%d webhooks", n)
	}
}
