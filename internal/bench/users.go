//go:build linux || darwin

package main

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// manyUsers is the number of users of the project that the figures of the dashboard's
// list are measured with.
const manyUsers = 1_000_000

// userLists are what a member asks for, by figure.
var userLists = []struct{ name, query string }{
	{"users-newest", "?limit=50"},
	{"users-email", "?limit=50&sort=email&order=asc"},
	{"users-last-sign-in", "?limit=50&sort=last_sign_in_at"},
	{"users-search-one", "?limit=50&q=r777777%40"},
	{"users-search-many", "?limit=50&q=example"},
	{"users-search-none", "?limit=50&q=nobody.has.this"},
	{"users-search-name", "?limit=50&q=lovelace+7777"},
	{"users-search-id", "?limit=50&q=c4ca4"},
	{"users-banned", "?limit=50&banned=true"},
	{"users-provider", "?limit=50&provider=google"},
	{"users-provider-none", "?limit=50&provider=nobody"},
}

// users measures the lists of the users of a large project, one request after the
// other: first as they are when somebody looks for the first time, then with the
// indexes that are made thereupon.
func (b *bench) users(ctx context.Context) error {
	wanted := false
	for _, l := range userLists {
		wanted = wanted || b.wants(l.name)
	}
	if !wanted {
		return nil
	}
	if err := b.ensureServer(ctx); err != nil {
		return err
	}
	p, err := b.configured(ctx, nil)
	if err != nil {
		return err
	}
	database := "reeve_" + p.Ref
	progress("%d users", manyUsers)
	before, err := b.insertUsers(ctx, database, 0, manyUsers)
	if err != nil {
		return err
	}
	defer func(n int) { b.concurrency = n }(b.concurrency)
	b.concurrency = 1
	begun := time.Now()
	if err := b.userLists(ctx, &p, " (at first)"); err != nil {
		return err
	}
	took, err := b.indexed(ctx, database, begun)
	if err != nil {
		return err
	}
	if err := b.userLists(ctx, &p, ""); err != nil {
		return err
	}
	after, err := b.insertUsers(ctx, database, manyUsers, manyUsers/20)
	if err != nil {
		return err
	}
	b.report.Notes = append(b.report.Notes,
		fmt.Sprintf("The indexes for the lists of %d users were complete at most %s after the first list. A row of auth.users took %s to insert before and %s after, with its identity.",
			manyUsers, took.Round(time.Second), before.Round(time.Microsecond), after.Round(time.Microsecond)))
	return nil
}

// userLists measures each list.
func (b *bench) userLists(ctx context.Context, p *project, suffix string) error {
	for _, l := range userLists {
		if !b.wants(l.name) {
			continue
		}
		get := request("GET", b.server.host, "/v1/projects/"+p.Ref+"/auth/users"+l.query, "", "Authorization", "Bearer "+b.server.token)
		progress("%s%s", l.name, suffix)
		got, cpu, err := b.load(ctx, l.name, func(int) step { return always(get) })
		if err != nil {
			return fmt.Errorf("%s: %w", l.name, err)
		}
		b.report.Loads = append(b.report.Loads, loadOf(l.name+suffix, got, cpu))
	}
	return nil
}

// insertUsers writes users by SQL, and returns how long each took.
func (b *bench) insertUsers(ctx context.Context, database string, after, n int) (each time.Duration, err error) {
	err = b.pg.with(ctx, database, func(c *pgx.Conn) error {
		begun := time.Now()
		_, err := c.Exec(ctx, `INSERT INTO auth.users (id, instance_id, aud, role, email, phone, created_at, updated_at, last_sign_in_at,
				email_confirmed_at, banned_until, raw_app_meta_data, raw_user_meta_data)
			SELECT md5(n::text)::uuid, '00000000-0000-0000-0000-000000000000', 'authenticated', 'authenticated', 'user' || n || '@example' || n % 1000 || '.com',
				CASE WHEN n % 5 = 0 THEN '49151' || n END, now() - n * interval '13 seconds', now(),
				CASE WHEN n % 4 <> 0 THEN now() - (n * 7919 % 1000003) * interval '7 seconds' END, CASE WHEN n % 10 <> 0 THEN now() END,
				CASE WHEN n % 10007 = 0 THEN now() + interval '1 year' END, '{"provider":"email","providers":["email"]}',
				jsonb_build_object('full_name', (ARRAY['Ada','Alan','Grace','Edsger','Barbara'])[(1 + n % 5)::int] || ' Lovelace ' || n, 'bio', repeat('x', 100))
			FROM generate_series($1::bigint + 1, $1::bigint + $2::bigint) n`, after, n)
		each = time.Since(begun) / time.Duration(n)
		if err != nil {
			return err
		}
		begun = time.Now()
		if _, err := c.Exec(ctx, `INSERT INTO auth.identities (provider_id, user_id, identity_data, provider, created_at)
			SELECT u.id::text, u.id, jsonb_build_object('sub', u.id, 'email', u.email), CASE WHEN n % 50 = 0 THEN 'google' ELSE 'email' END, u.created_at
			FROM generate_series($1::bigint + 1, $1::bigint + $2::bigint) n JOIN auth.users u ON u.id = md5(n::text)::uuid`, after, n); err != nil {
			return err
		}
		each += time.Since(begun) / time.Duration(n)
		_, err = c.Exec(ctx, `VACUUM ANALYZE auth.users, auth.identities`)
		return err
	})
	return each, err
}

// indexed waits until the indexes are complete that the searches asked for, and
// returns how long that took at most.
func (b *bench) indexed(ctx context.Context, database string, begun time.Time) (time.Duration, error) {
	for ; ; time.Sleep(time.Second) {
		var n int
		err := b.pg.query(ctx, database, `SELECT count(*)::int FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid WHERE x.indisvalid
			AND i.relname IN ('users_search_reeve_idx', 'users_banned_reeve_idx', 'users_last_sign_in_reeve_idx', 'identities_provider_reeve_idx')`, &n)
		if err != nil || n == 4 {
			return time.Since(begun), err
		}
		if time.Since(begun) > 10*time.Minute || ctx.Err() != nil {
			return 0, fmt.Errorf("%d of 4 indexes after 10 minutes", n)
		}
	}
}
