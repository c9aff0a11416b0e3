package controldb

import (
	"testing"
	"time"

	"github.com/google/uuid"
)

// TestLeakNotices: a key that stays valid is noted once a day, and again when it is
// revoked. A notice that cannot be sent waits longer each time and holds no other.
func TestLeakNotices(t *testing.T) {
	t.Parallel()
	b, now := newBase(t), time.Now().UTC().Truncate(time.Second)
	note := func(subject string, revoked bool, at time.Time) (fresh bool) {
		t.Helper()
		err := b.Tx(t.Context(), func(tx *Tx) (err error) {
			fresh, err = tx.NoteLeak(t.Context(), LeakNotice{
				ID: uuid.New(), At: at, Subject: subject, OrganizationID: &b.org, Kind: "secret key", Name: subject, Revoked: revoked,
			})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return fresh
	}
	for i, c := range []struct {
		subject string
		revoked bool
		after   time.Duration
		want    bool
	}{
		{"a", false, 0, true}, {"a", false, time.Minute, false}, {"a", true, time.Hour, true}, {"a", true, 2 * time.Hour, false},
		{"b", false, 3 * time.Hour, true}, {"a", false, 25 * time.Hour, true},
	} {
		if got := note(c.subject, c.revoked, now.Add(c.after)); got != c.want {
			t.Errorf("note %d: %t", i, got)
		}
	}
	unsent := func(at time.Time) (out []LeakNotice) {
		t.Helper()
		out, err := b.UnsentLeakNotices(t.Context(), at, 2)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	failed := unsent(now)
	if len(failed) != 2 || failed[0].Name != "a" || failed[0].Revoked || !failed[1].Revoked {
		t.Fatalf("unsent: %+v", failed)
	}
	at := now
	for _, wait := range []time.Duration{30 * time.Second, time.Minute, 2 * time.Minute} {
		for i, n := range failed {
			n.Attempts = unsentAttempts(t, b, n.ID)
			if err := b.LeakNoticeFailed(t.Context(), n, at); err != nil {
				t.Fatal(err)
			}
			failed[i] = n
		}
		if got := unsent(at.Add(wait - time.Second)); len(got) != 2 || got[0].Name != "b" || got[1].At.Before(now.Add(24*time.Hour)) {
			t.Errorf("while the others wait %s: %+v", wait, got)
		}
		at = at.Add(wait)
	}
	for _, n := range unsent(at) { // due again, those with fewer attempts come first
		if n.Attempts != 0 {
			t.Errorf("%+v comes first", n)
		}
		if err := b.LeakNoticeSent(t.Context(), n.ID, at); err != nil {
			t.Fatal(err)
		}
	}
	if got := unsent(at); len(got) != 2 || got[0].ID != failed[0].ID || got[0].Attempts != 3 {
		t.Errorf("due again: %+v", got)
	}
	if got := unsent(now.Add(8 * 24 * time.Hour)); len(got) != 0 {
		t.Errorf("after a week: %+v", got)
	}
}

func unsentAttempts(t *testing.T, b *base, id uuid.UUID) (n int) {
	t.Helper()
	if err := b.Pool().QueryRow(t.Context(), "SELECT attempts FROM leak_notices WHERE id = $1", id).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}
