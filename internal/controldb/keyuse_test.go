package controldb

import (
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/keyusage"
	"github.com/reevehq/reeve/tenants"
)

func TestKeyUses(t *testing.T) {
	t.Parallel()
	b := newBase(t)
	b.project(t, refA)
	b.project(t, refB)
	ctx, now := t.Context(), time.Date(2026, 5, 20, 12, 0, 0, 0, time.UTC)
	ids := map[tenants.Ref]string{}
	for _, ref := range []tenants.Ref{refA, refB} {
		id := uuid.New()
		ids[ref] = id.String()
		_, err := b.Pool().Exec(ctx, `INSERT INTO api_keys (id, ref, type, name, prefix, hash) VALUES ($1, $2, 'secret', 'counted', 'x', $3)`,
			id, string(ref), []byte(id.String()))
		if err != nil {
			t.Fatal(err)
		}
	}
	use := func(ref tenants.Ref, key string, at time.Time, ip string) keyusage.Use {
		return keyusage.Use{
			Project: string(ref), Key: key, Day: at.Format(time.DateOnly), Count: 2, At: at, IP: ip, Agent: "node", SDK: "js", Version: "2",
		}
	}
	yesterday := now.AddDate(0, 0, -1)
	batch := func(writer uuid.UUID, number int64) keyusage.Batch {
		out := keyusage.Batch{Uses: []keyusage.Use{
			use(refA, ids[refA], now, "192.0.2.9"), use(refA, ids[refA], yesterday, "192.0.2.1"), use(refA, "anon", now, ""),
			use(refB, ids[refB], yesterday, "192.0.2.2"),
			use(refA, ids[refB], now, "192.0.2.3"), use(refB, uuid.NewString(), now, "192.0.2.3"), use("nosuchprojectatallxx", "anon", now, "192.0.2.3"),
		}}
		out.Writer, out.Number = writer, number
		return out
	}
	var group sync.WaitGroup
	for range 4 {
		writer := uuid.New()
		group.Go(func() {
			for n := range int64(5) {
				for range 2 { // the answer was lost
					if err := b.AddKeyUses(ctx, batch(writer, n+1)); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	group.Wait()
	read := func(ref tenants.Ref) map[string]KeyUse {
		t.Helper()
		out, err := b.KeyUses(ctx, ref, now.AddDate(0, 0, -29))
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	rows := func() (n int) {
		t.Helper()
		err := b.Pool().QueryRow(ctx, "SELECT (SELECT count(*) FROM api_key_uses) + (SELECT count(*) FROM api_key_days)").Scan(&n)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	ofA, ofB := read(refA), read(refB)
	if u := ofA[ids[refA]]; len(u.Days) != 2 || u.Days[0].Count != 40 || u.Days[1].Count != 40 || !u.Days[0].Day.Equal(yesterday.Truncate(24*time.Hour)) ||
		!u.At.Equal(now) || u.IP != "192.0.2.9" || u.Agent != "node" || u.SDK != "js" || u.Version != "2" {
		t.Errorf("A's key: %+v", u)
	}
	if len(ofA) != 2 || len(ofB) != 1 || ofB[ids[refB]].IP != "192.0.2.2" || rows() != 7 {
		t.Errorf("A has %v, B has %v, %d rows", ofA, ofB, rows())
	}

	// An older use does not replace the last one.
	late := keyusage.Batch{Uses: []keyusage.Use{use(refA, ids[refA], now.Add(-time.Hour), "192.0.2.1")}}
	late.Writer, late.Number = uuid.New(), 1
	if err := b.AddKeyUses(ctx, late); err != nil {
		t.Fatal(err)
	}
	if u := read(refA)[ids[refA]]; u.IP != "192.0.2.9" || u.Days[1].Count != 42 {
		t.Errorf("after an older use: %+v", u)
	}

	// After 30 days only the time is left.
	if err := b.DeleteOldKeyUses(ctx, now.Add(keepKeyUses-25*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if u := read(refA)[ids[refA]]; u.IP == "" || len(u.Days) != 2 {
		t.Errorf("too early: %+v", u)
	}
	if err := b.DeleteOldKeyUses(ctx, now.Add(keepKeyUses+24*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if u := read(refA)[ids[refA]]; u.IP != "" || u.Agent != "" || u.SDK != "" || u.Version != "" || !u.At.Equal(now) || len(u.Days) != 0 {
		t.Errorf("after 30 days: %+v", u)
	}

	// Nothing is left of a deleted key, nor of a deleted project.
	if err := b.Tx(ctx, func(tx *Tx) error { return tx.DeleteAPIKey(ctx, refA, uuid.MustParse(ids[refA])) }); err != nil {
		t.Fatal(err)
	}
	if left := read(refA); len(left) != 1 || left["anon"].At.IsZero() {
		t.Errorf("after a key's deletion: %+v", left)
	}
	if err := b.AddKeyUses(ctx, late); err != nil { // the batch is known
		t.Fatal(err)
	}
	late.Number++
	if err := b.AddKeyUses(ctx, late); err != nil {
		t.Fatal(err)
	}
	if err := b.Tx(ctx, func(tx *Tx) error { return tx.BuryProject(ctx, refA, now) }); err != nil {
		t.Fatal(err)
	}
	if left := rows(); left != 1 { // B's last use
		t.Errorf("%d rows are left", left)
	}
	_, err := b.Pool().Exec(ctx, `INSERT INTO api_key_uses VALUES ($1, $2, now(), '192.0.2.1', '', '', ''), ($3, 'anon', now(), '192.0.2.1', '', '', '')`,
		string(refB), uuid.NewString(), string(refA))
	if err != nil {
		t.Fatal(err)
	}
	if err := b.DeleteOldKeyUses(ctx, now); err != nil || rows() != 1 {
		t.Errorf("%d rows are left of those without a key, %v", rows(), err)
	}
}
