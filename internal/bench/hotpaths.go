//go:build linux || darwin

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// account is a user of the project for the hot paths.
type account struct {
	email  string
	signIn []byte
	session
}

// hotPaths measures the most frequent requests. Each connection has its own
// user.
func (b *bench) hotPaths(ctx context.Context) error {
	if !b.wants("settings", "user", "refresh", "refresh-hook", "password", "pgbench-user", "pgbench-refresh", "session-active") {
		return nil
	}
	if err := b.ensureServer(ctx); err != nil {
		return err
	}
	p, err := b.configured(ctx, map[string]any{"mailer_autoconfirm": true})
	if err != nil {
		return err
	}
	if err := b.enroll(ctx, &p); err != nil {
		return err
	}
	settings := b.settingsRequest(&p)
	if err := b.figure(ctx, "settings", func(int) step { return always(settings) }); err != nil {
		return err
	}
	if err := b.figure(ctx, "user", func(w int) step { return always(b.userRequest(&p, b.accounts[w].AccessToken)) }); err != nil {
		return err
	}
	if err := b.pgbench(ctx, userReplay, &p); err != nil {
		return err
	}
	if err := b.figure(ctx, "refresh", func(w int) step { return b.refresher(&p, &b.accounts[w].session) }); err != nil {
		return err
	}
	if err := b.pgbench(ctx, refreshReplay, &p); err != nil {
		return err
	}
	if err := b.pgbench(ctx, activeReplay, &p); err != nil {
		return err
	}
	if err := b.refreshHook(ctx, &p); err != nil {
		return err
	}
	if err := b.figure(ctx, "password", func(w int) step { return always(b.accounts[w].signIn) }); err != nil {
		return err
	}
	return b.noteMemory(ctx, "after the figures of one project")
}

// enroll signs up a user for each connection.
func (b *bench) enroll(ctx context.Context, p *project) error {
	b.accounts = make([]account, b.concurrency)
	return each(ctx, b.addr, 4, b.concurrency, func(c *conn, i int) error {
		a := &b.accounts[i]
		a.email = fmt.Sprintf("user%d@example.com", i)
		a.signIn = b.request(p, "POST", "/token?grant_type=password", credentials(a.email))
		return a.read(c.do(b.signUpRequest(p, a.email)))
	})
}

// signIn begins a new session of every account.
func (b *bench) signIn(ctx context.Context) error {
	return each(ctx, b.addr, 4, len(b.accounts), func(c *conn, i int) error {
		a := &b.accounts[i]
		return a.read(c.do(a.signIn))
	})
}

// always repeats the same request.
func always(request []byte) step {
	return func(c *conn) (int, []byte, error) { return c.do(request) }
}

var errNoToken = errors.New("no refresh token in the answer")

// refresher requests the next tokens with the newest one, which it writes into
// the current request.
func (b *bench) refresher(p *project, s *session) step {
	req := b.request(p, "POST", "/token?grant_type=refresh_token", `{"refresh_token":"`+s.RefreshToken+`"}`)
	at := bytes.LastIndex(req, []byte(s.RefreshToken))
	slot := req[at : at+len(s.RefreshToken)]
	field := []byte(`"refresh_token":"`)
	return func(c *conn) (int, []byte, error) {
		status, body, err := c.do(req)
		if err != nil || status != 200 {
			return status, body, err
		}
		i := bytes.Index(body, field)
		if i < 0 || len(body) < i+len(field)+len(slot) {
			return status, body, errNoToken
		}
		copy(slot, body[i+len(field):])
		s.RefreshToken = string(slot)
		return status, body, nil
	}
}

// refreshHook measures refreshes with a hook that adds a claim from a table.
func (b *bench) refreshHook(ctx context.Context, p *project) error {
	if !b.wants("refresh-hook") {
		return nil
	}
	if err := b.asOwner(ctx, p, `CREATE TABLE public.user_roles (user_id uuid PRIMARY KEY, role text NOT NULL);
		GRANT SELECT ON public.user_roles TO supabase_auth_admin;
		CREATE FUNCTION public.token_hook(event jsonb) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$ DECLARE found text; BEGIN
			SELECT role INTO found FROM public.user_roles WHERE user_id = (event->>'user_id')::uuid;
			RETURN jsonb_set(event, '{claims,user_role}', coalesce(to_jsonb(found), 'null')); END $$`); err != nil {
		return err
	}
	if err := b.configure(ctx, p.Ref, map[string]any{
		"hook_custom_access_token_enabled": true, "hook_custom_access_token_uri": "pg-functions://postgres/public/token_hook",
	}); err != nil {
		return err
	}
	err := b.figure(ctx, "refresh-hook", func(w int) step { return b.refresher(p, &b.accounts[w].session) })
	return errors.Join(err, b.configure(ctx, p.Ref, map[string]any{"hook_custom_access_token_enabled": false}))
}

// asOwner runs SQL as the project's developer.
func (b *bench) asOwner(ctx context.Context, p *project, sql string) error {
	conn, err := pgx.Connect(ctx, p.DatabaseURL)
	if err != nil {
		return fmt.Errorf("connect as the owner: %w", err)
	}
	defer func() { _ = conn.Close(ctx) }()
	_, err = conn.Exec(ctx, sql)
	return err
}

// figure measures one load and reports it, if it was requested.
func (b *bench) figure(ctx context.Context, name string, of func(worker int) step) error {
	if !b.wants(name) {
		return nil
	}
	progress("%s", name)
	got, cpu, err := b.load(ctx, name, of)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	b.report.Loads = append(b.report.Loads, loadOf(name, got, cpu))
	return nil
}

// load drives the server: a short time unmeasured, then for the duration of a
// figure.
func (b *bench) load(ctx context.Context, name string, of func(worker int) step) (sent, spent, error) {
	if err := b.settle(ctx); err != nil {
		return sent{}, spent{}, err
	}
	steps := make([]step, b.concurrency)
	for w := range steps {
		steps[w] = of(w)
	}
	pick := func(w int) step { return steps[w] }
	if _, err := drive(ctx, b.addr, b.concurrency, min(b.duration/4, time.Second), pick); err != nil {
		return sent{}, spent{}, err
	}
	stop, err := b.profile(name)
	if err != nil {
		return sent{}, spent{}, err
	}
	defer stop()
	before := b.use()
	got, err := drive(ctx, b.addr, b.concurrency, b.duration, pick)
	return got, b.use().since(before), err
}
