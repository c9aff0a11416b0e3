//go:build linux || darwin

package main

import (
	"context"
	"crypto/md5" // only for a uuid that SQL computes too
	"crypto/sha256"
	"fmt"
	"math"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// The figures of sign-ins without a password.
const (
	anonymously = "anonymous"
	byOTP       = "otp"
	byCode      = "pkce"
)

// otpConnections is for the figure of POST /otp, whose answers wait on purpose:
// few connections would measure that wait.
const otpConnections = 128

// signIns measures sign-ins without a password. Each figure has a project of its
// own, as in signUps.
func (b *bench) signIns(ctx context.Context) error {
	for _, part := range []func(context.Context) error{b.anonymous, b.otp, b.codeExchange} {
		if err := part(ctx); err != nil {
			return err
		}
	}
	return nil
}

// anonymous measures sign-ups without credentials, each of a new user.
func (b *bench) anonymous(ctx context.Context) error {
	if !b.wants(anonymously, pgbenchOf(anonymously)) {
		return nil
	}
	p, err := b.forSignIns(ctx)
	if err != nil {
		return err
	}
	signUp := b.request(&p, "POST", "/signup", "{}")
	if err := b.figure(ctx, anonymously, func(int) step { return always(signUp) }); err != nil {
		return err
	}
	return b.pgbenchTransaction(ctx, transaction{
		name: pgbenchOf(anonymously), marker: "INSERT INTO auth.sessions", request: func(int) []byte { return signUp },
	}, &p)
}

// otp measures requests for a link and a code by users of the project, one for
// each connection. The mails are captured, not sent.
func (b *bench) otp(ctx context.Context) error {
	if !b.wants(byOTP, pgbenchOf(byOTP)) {
		return nil
	}
	p, err := b.forSignIns(ctx)
	if err != nil {
		return err
	}
	connections := b.concurrency
	b.concurrency = max(otpConnections, connections)
	defer func() { b.concurrency = connections }()
	if err := b.enrolled(ctx, &p); err != nil {
		return err
	}
	request := func(w int) []byte {
		return b.request(&p, "POST", "/otp", fmt.Sprintf(`{"email":%q}`, b.accounts[w].email))
	}
	if err := b.figure(ctx, byOTP, func(w int) step { return always(request(w)) }); err != nil {
		return err
	}
	b.concurrency = connections
	return b.pgbenchTransaction(ctx, transaction{name: pgbenchOf(byOTP), marker: "reeve.outbox_add", request: request}, &p)
}

// codeExchange measures the exchange of the authorization codes of PKCE flows.
func (b *bench) codeExchange(ctx context.Context) error {
	if !b.wants(byCode, pgbenchOf(byCode)) {
		return nil
	}
	p, err := b.forSignIns(ctx)
	if err != nil {
		return err
	}
	if err := b.enrolled(ctx, &p); err != nil {
		return err
	}
	exchange := func(w, n int) []byte {
		return b.request(&p, "POST", "/token?grant_type=pkce", fmt.Sprintf(`{"auth_code":%q,"code_verifier":%q}`, flowID(w, n), verifier))
	}
	if b.wants(byCode) {
		if err := b.codes(ctx, &p); err != nil {
			return err
		}
		next := make([]int, b.concurrency)
		err := b.figure(ctx, byCode, func(w int) step {
			return func(c *conn) (int, []byte, error) {
				next[w]++
				return c.do(exchange(w, next[w]-1))
			}
		})
		if err != nil {
			return err
		}
	}
	if err := b.codes(ctx, &p); err != nil {
		return err
	}
	return b.pgbenchTransaction(ctx, transaction{
		name: pgbenchOf(byCode), marker: "INSERT INTO auth.sessions", request: func(w int) []byte { return exchange(w, 0) },
		arguments: func(w int) map[string]string {
			// Each transaction has a flow of its own, from the second one on.
			id := fmt.Sprintf("pg_catalog.md5(pg_catalog.concat('%d.', (:counter::pg_catalog.int4 + 1)::pg_catalog.text))::pg_catalog.uuid", w)
			digest := "pg_catalog.encode(pg_catalog.sha256(" + id + "::pg_catalog.text::pg_catalog.bytea), 'hex')"
			return map[string]string{
				"'" + flowID(w, 0).String() + "'":                                 id,
				fmt.Sprintf("'%x'", sha256.Sum256([]byte(flowID(w, 0).String()))): digest,
			}
		},
	}, &p)
}

// verifier is the code verifier of every flow; the challenge is plain, so that
// it is the same.
const verifier = "correct-horse-battery-staple-correct-horse-battery"

// flowID is the id of the n-th flow of a worker, and its code.
func flowID(worker, n int) uuid.UUID {
	return md5.Sum(fmt.Appendf(nil, "%d.%d", worker, n))
}

// exchangesPerSecond is how many exchanges a worker can do, generously.
const exchangesPerSecond = 1000

// codes writes flows whose codes wait for their exchange, as many for each
// account as one figure needs.
func (b *bench) codes(ctx context.Context, p *project) error {
	each := max(int(2*b.duration.Seconds()*exchangesPerSecond), exchangesPerSecond)
	return b.pg.with(ctx, "reeve_"+p.Ref, func(c *pgx.Conn) error {
		if _, err := c.Exec(ctx, "DELETE FROM auth.flow_state"); err != nil {
			return err
		}
		for w := range b.concurrency {
			_, err := c.Exec(ctx, `INSERT INTO auth.flow_state (id, user_id, auth_code, code_challenge_method, code_challenge,
					provider_type, authentication_method, auth_code_issued_at, created_at, updated_at)
				SELECT f.id, $2, encode(sha256(CAST(f.id::text AS bytea)), 'hex'), 'plain', $3, 'magiclink', 'magiclink', t.at, t.at, t.at
				FROM generate_series(0, $4) n, md5(concat($1::integer, '.', n)::text) h, CAST(h AS uuid) f(id), CAST(now() AS timestamptz) t(at)`,
				w, b.accounts[w].User.ID, verifier, each)
			if err != nil {
				return fmt.Errorf("write flows: %w", err)
			}
		}
		_, err := c.Exec(ctx, "ANALYZE auth.flow_state")
		return err
	})
}

// forSignIns creates the project of a figure.
func (b *bench) forSignIns(ctx context.Context) (project, error) {
	if err := b.ensureServer(ctx); err != nil {
		return project{}, err
	}
	return b.configured(ctx, map[string]any{
		"mailer_autoconfirm": true, "external_anonymous_users_enabled": true, "rate_limit_anonymous_users": math.MaxInt32,
	})
}

// enrolled creates a user for each connection, by the admin API: hashing
// passwords would take longer than the figure.
func (b *bench) enrolled(ctx context.Context, p *project) error {
	b.accounts = make([]account, b.concurrency)
	return each(ctx, b.addr, 4, b.concurrency, func(c *conn, i int) error {
		a := &b.accounts[i]
		a.email = fmt.Sprintf("user%d@example.com", i)
		body, err := good(c.do(b.keyed(p, p.SecretKey, "POST", "/admin/users", fmt.Sprintf(`{"email":%q,"email_confirm":true}`, a.email))))
		if err != nil {
			return err
		}
		return decode(body, &a.User)
	})
}
