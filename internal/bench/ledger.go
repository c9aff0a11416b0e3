//go:build linux || darwin

package main

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// manyEntries is the number of active users in the ledger that is counted, of the
// current billing period.
const manyEntries = 1_000_000

// manyCounts is how often a user is counted to find what that takes.
const manyCounts = 20_000

// ledger measures the ledger of active users: what an entry costs the transaction that
// it is written in, and how long it takes to count a large one.
func (b *bench) ledger(ctx context.Context) error {
	if !b.wants("ledger-recount") {
		return nil
	}
	if err := b.ensureServer(ctx); err != nil {
		return err
	}
	p, err := b.configured(ctx, nil)
	if err != nil {
		return err
	}
	progress("%d entries of the ledger", manyEntries)
	fresh, known, err := b.ledgerEntries(ctx, "reeve_"+p.Ref)
	if err != nil {
		return err
	}
	defer func(n int) { b.concurrency = n }(b.concurrency)
	b.concurrency = 1
	progress("ledger-recount")
	get := request("GET", b.server.host, "/v1/projects/"+p.Ref+"/billing/recount", "", "Authorization", "Bearer "+b.server.token)
	got, cpu, err := b.load(ctx, "ledger-recount", func(int) step { return always(get) })
	if err != nil {
		return fmt.Errorf("ledger-recount: %w", err)
	}
	b.report.Loads = append(b.report.Loads, loadOf("ledger-recount", got, cpu))
	b.report.Notes = append(b.report.Notes, fmt.Sprintf(
		"An entry of the ledger of active users took %s in its transaction, among %d others; a user who is counted already took %s. Refreshes of known sessions do not ask.",
		fresh.Round(time.Microsecond), manyEntries, known.Round(time.Microsecond)))
	return nil
}

// ledgerEntries fills the ledger, and returns what one more entry takes, and what it
// takes to find that there is nothing to enter.
func (b *bench) ledgerEntries(ctx context.Context, database string) (fresh, known time.Duration, err error) {
	err = b.pg.with(ctx, database, func(c *pgx.Conn) error {
		if _, err := c.Exec(ctx, `INSERT INTO reeve.activity (period, user_id, first_at, kind, method, since, returned_at)
			SELECT date_trunc('month', now())::date, md5(n::text)::uuid, at, (ARRAY['first_party','sso','anonymous'])[1 + n % 3], 'password', at, NULL
			FROM generate_series(1, $1::int) n, LATERAL (SELECT date_trunc('month', now()) + (n::bigint * 7919 % 1000003) / 1000003.0 * (now() - date_trunc('month', now())) AS at) t`, manyEntries); err != nil {
			return err
		}
		if _, err := c.Exec(ctx, `VACUUM ANALYZE reeve.activity`); err != nil {
			return err
		}
		if _, err := c.Exec(ctx, `CREATE FUNCTION pg_temp.count_users(cap text, n integer) RETURNS double precision LANGUAGE plpgsql AS $$
			DECLARE begun timestamptz := clock_timestamp();
			BEGIN
				FOR i IN 1..n LOOP
					PERFORM reeve.activity_count(cap, date_trunc('month', now())::date, md5('more' || i)::uuid, now(), 'first_party', 'password', gen_random_uuid());
				END LOOP;
				RETURN extract(epoch FROM clock_timestamp() - begun) / n;
			END $$`); err != nil {
			return err
		}
		var seconds float64
		var kept []byte
		if err := c.QueryRow(ctx, `SELECT hash FROM reeve.capability`).Scan(&kept); err != nil {
			return err
		}
		if _, err := c.Exec(ctx, `SELECT reeve.set_capability(sha256('bench'))`); err != nil {
			return err
		}
		for _, took := range []*time.Duration{&fresh, &known} {
			if err := c.QueryRow(ctx, `SELECT pg_temp.count_users('bench', $1)`, manyCounts).Scan(&seconds); err != nil {
				return err
			}
			*took = time.Duration(seconds * float64(time.Second))
		}
		_, err := c.Exec(ctx, `SELECT reeve.set_capability($1)`, kept)
		return err
	})
	return fresh, known, err
}
