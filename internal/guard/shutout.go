package guard

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/internal/projectlog"
	"github.com/reevehq/reeve/tenants"
)

// ShutOut is what a project did to the server that it shares with others. The
// first offence only ends the sessions that commit it. Each further one within
// offencePeriod suspends the login of the owner and the query role until Until, and
// that of all roles if another role committed it.
type ShutOut struct {
	Offences   int
	OffendedAt time.Time
	Until      time.Time // zero before the second offence
	AllRoles   bool
	Cause      string
}

const (
	// offencePeriod is how long an offence counts, from the end of its shut-out.
	offencePeriod = time.Hour
	// A shut-out is leastShutOut long, and doubles with each offence.
	leastShutOut = time.Minute
	mostShutOut  = 24 * time.Hour
)

// Expired reports whether the offences no longer count.
func (s ShutOut) Expired(now time.Time) bool {
	last := s.OffendedAt
	if s.Until.After(last) {
		last = s.Until
	}
	return now.Sub(last) > offencePeriod
}

// after returns the state after another offence, of a role that may not be the
// owner or the query role. No offence of a suspended role counts: its session is about to end.
func (s ShutOut) after(now time.Time, cause string, owner bool) ShutOut {
	if s.Until.After(now) && (owner || s.AllRoles) {
		return s
	}
	if s.Expired(now) {
		s = ShutOut{}
	}
	s.AllRoles = !owner || s.AllRoles && s.Until.After(now)
	s.Offences, s.OffendedAt, s.Cause = s.Offences+1, now, cause
	if s.Offences > 1 {
		length := mostShutOut
		if doublings := s.Offences - 2; doublings < 16 {
			length = min(mostShutOut, leastShutOut<<doublings)
		}
		s.Until = now.Add(length)
	}
	return s
}

// merge combines what two replicas know.
func (s ShutOut) merge(other ShutOut) ShutOut {
	if other.Offences > s.Offences || other.Offences == s.Offences && other.OffendedAt.After(s.OffendedAt) {
		s, other = other, s
	}
	if other.Until.After(s.Until) {
		s.Until, s.AllRoles = other.Until, s.AllRoles || other.AllRoles
	}
	return s
}

// roles returns the roles whose login is suspended.
func (s ShutOut) roles(ref tenants.Ref, now time.Time) []string {
	switch {
	case !s.Until.After(now):
		return nil
	case s.AllRoles:
		return []string{ref.OwnerRole(), ref.QueryRole(), ref.AuthRole(), ref.APIRole()}
	default:
		return []string{ref.OwnerRole(), ref.QueryRole()}
	}
}

// Store keeps the shut-outs of an installation, for all its replicas and across
// restarts. The guard never waits for it while something has to be ended.
type Store interface {
	// SaveShutOut stores what this process knows, unless another one has stored a
	// later offence. It never makes a stored shut-out shorter. A project that does
	// not exist is ignored.
	SaveShutOut(ctx context.Context, ref tenants.Ref, s ShutOut) error
	// ShutOuts returns those of existing projects that ended after the time.
	ShutOuts(ctx context.Context, after time.Time) (map[tenants.Ref]ShutOut, error)
}

// Logins allows the roles of a project to log in again. It leaves the roles of
// a project alone that is being deleted. It does not wait for a project that
// somebody works on, but returns false.
type Logins interface {
	AllowLogin(ctx context.Context, ref tenants.Ref) (done bool, err error)
}

// offences is the state of all projects with offences. It is safe for use by
// many goroutines.
type offences struct {
	mu      sync.Mutex
	of      map[tenants.Ref]ShutOut
	unsaved map[tenants.Ref]bool
	// suspend and save wake the two loops; each has a capacity of 1.
	suspend, save chan struct{}
	// closedSince says since when roles without a shut-out are seen that cannot
	// log in. Only restoreLogins uses it.
	closedSince map[tenants.Ref]time.Time
}

func newOffences() *offences {
	return &offences{
		of: map[tenants.Ref]ShutOut{}, unsaved: map[tenants.Ref]bool{},
		suspend: make(chan struct{}, 1), save: make(chan struct{}, 1),
	}
}

// add counts an offence. It does not block.
func (o *offences) add(ref tenants.Ref, now time.Time, cause string, owner bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.of[ref] = o.of[ref].after(now, cause, owner)
	o.unsaved[ref] = true
	for _, loop := range []chan struct{}{o.suspend, o.save} {
		select {
		case loop <- struct{}{}:
		default:
		}
	}
}

// merge adds what other replicas have stored, and forgets what does not count.
func (o *offences) merge(stored map[tenants.Ref]ShutOut, now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for ref, s := range stored {
		o.of[ref] = o.of[ref].merge(s)
	}
	maps.DeleteFunc(o.of, func(ref tenants.Ref, s ShutOut) bool { return s.Expired(now) && !o.unsaved[ref] })
}

// all returns a copy of the state; unsaved are the projects that must be saved.
func (o *offences) all() (of map[tenants.Ref]ShutOut, unsaved []tenants.Ref) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return maps.Clone(o.of), slices.Collect(maps.Keys(o.unsaved))
}

func (o *offences) saved(ref tenants.Ref, s ShutOut) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.of[ref] == s {
		delete(o.unsaved, ref)
	}
}

const (
	// suspendInterval is the interval at which sessions are ended that began
	// while their role's login was being suspended.
	suspendInterval = time.Second
	// saveInterval is the interval at which shut-outs are exchanged with the
	// store, and logins are restored.
	saveInterval = 10 * time.Second
	storeTimeout = 5 * time.Second
	// strayAge is how long a role without login and without a shut-out is left
	// alone: another replica may be about to store the shut-out.
	strayAge = time.Minute
)

// exchangeShutOuts saves the state, reads that of other replicas, and restores
// the logins whose time is over. Without the store nothing is restored.
func (g *Guard) exchangeShutOuts(ctx context.Context) error {
	if g.Store == nil {
		return nil
	}
	if err := g.syncShutOuts(ctx); err != nil {
		return err
	}
	return g.restoreLogins(ctx)
}

// syncShutOuts exchanges the state with the store.
func (g *Guard) syncShutOuts(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	of, unsaved := g.state.offences.all()
	for _, ref := range unsaved {
		if err := g.Store.SaveShutOut(ctx, ref, of[ref]); err != nil {
			return fmt.Errorf("save the shut-out of %s: %w", ref, err)
		}
		g.state.offences.saved(ref, of[ref])
	}
	now := g.now()
	stored, err := g.Store.ShutOuts(ctx, now.Add(-offencePeriod))
	if err != nil {
		return fmt.Errorf("read shut-outs: %w", err)
	}
	g.state.offences.merge(stored, now)
	return nil
}

// suspendLogins makes the roles of projects that are shut out unable to log in,
// and ends their sessions. Roles of another installation on the server are left
// to its own guard, which restores them.
func (g *Guard) suspendLogins(ctx context.Context) error {
	of, _ := g.state.offences.all()
	var names []string
	for ref, s := range of {
		names = append(names, s.roles(ref, g.now())...)
	}
	if len(names) == 0 {
		return nil
	}
	rows, _ := g.state.pool.Query(ctx, `SELECT rolname::text FROM pg_roles
		WHERE rolname = ANY($1) AND rolcanlogin AND shobj_description(oid, 'pg_authid') = $2`, names, g.Mark)
	open, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("look for roles to suspend: %w", err)
	}
	// At first too: a session may block what follows, even one that cannot be ended.
	all := []error{g.endSessions(ctx, names)}
	told := map[tenants.Ref]bool{}
	for _, role := range open {
		if err := g.execUnblocked(ctx, "ALTER ROLE "+pgx.Identifier{role}.Sanitize()+" NOLOGIN"); err != nil {
			all = append(all, fmt.Errorf("suspend the login of %s: %w", role, err))
			continue
		}
		if ref, ok := refOfRole(role); ok && !told[ref] {
			told[ref] = true
			g.tellShutOut(ctx, ref, of[ref])
		}
	}
	return errors.Join(append(all, g.endSessions(ctx, names))...)
}

// endSessions ends all sessions of the roles.
func (g *Guard) endSessions(ctx context.Context, roles []string) error {
	// Not in the condition, which Postgres may evaluate for other sessions too.
	rows, _ := g.state.pool.Query(ctx, `SELECT pid, usename::text, pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = ANY($1)`, roles)
	var pid int32
	var role string
	_, err := pgx.ForEachRow(rows, []any{&pid, &role, nil}, func() error {
		g.ended(pid, role)
		return nil
	})
	if err != nil {
		return fmt.Errorf("end the sessions of suspended roles: %w", err)
	}
	return nil
}

func (g *Guard) tellShutOut(ctx context.Context, ref tenants.Ref, s ShutOut) {
	g.logger().WarnContext(ctx, "a project's roles cannot log in for a while", "project", ref, "until", s.Until, "offences", s.Offences, "cause", s.Cause)
	g.Log.Add(ctx, projectlog.Entry{
		Project: string(ref), At: g.now(), Level: projectlog.Error, Code: "database_login_suspended",
		Message: "The roles of the project's database cannot log in until " + s.Until.UTC().Format(time.RFC3339) +
			", because their sessions repeatedly disturbed the other projects of the server",
		Detail: map[string]any{"cause": s.Cause, "offences": s.Offences, "until": s.Until.UTC().Format(time.RFC3339)},
	})
}

// restoreLogins allows logins of the projects whose shut-out is over, also where
// the process that suspended them was killed before it stored that.
func (g *Guard) restoreLogins(ctx context.Context) error {
	if g.Logins == nil {
		return nil
	}
	rows, _ := g.state.pool.Query(ctx, `SELECT rolname::text FROM pg_roles
		WHERE NOT rolcanlogin AND rolname ~ $1 AND shobj_description(oid, 'pg_authid') = $2`, projectRole.String(), g.Mark)
	closed, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("look for suspended roles: %w", err)
	}
	of, _ := g.state.offences.all()
	now, seen := g.now(), map[tenants.Ref]time.Time{}
	var all []error
	for _, role := range closed {
		ref, ok := refOfRole(role)
		if !ok || of[ref].Until.After(now) {
			continue
		}
		if _, again := seen[ref]; again {
			continue
		}
		seen[ref] = now
		if since, ok := g.state.offences.closedSince[ref]; ok {
			seen[ref] = since
		}
		if _, known := of[ref]; !known && now.Sub(seen[ref]) < strayAge {
			continue
		}
		done, err := g.Logins.AllowLogin(ctx, ref)
		if err != nil {
			all = append(all, fmt.Errorf("restore the logins of %s: %w", ref, err))
		}
		if !done || err != nil { // tried again at the next exchange
			continue
		}
		if _, known := of[ref]; known {
			g.logger().InfoContext(ctx, "a project's roles may log in again", "project", ref)
		}
		seen[ref] = now // of a deleted project, to be asked again later
	}
	g.state.offences.closedSince = seen
	return errors.Join(all...)
}

// refOfRole returns the project of a role.
func refOfRole(role string) (tenants.Ref, bool) {
	prefix, ok := projectOfRole(role)
	if !ok {
		return "", false
	}
	ref, err := tenants.ParseRef(strings.TrimPrefix(prefix, "reeve_"))
	return ref, err == nil
}

// offend counts an offence of a role's project.
func (g *Guard) offend(role, cause string) {
	if ref, ok := refOfRole(role); ok {
		g.state.offences.add(ref, g.now().UTC().Truncate(time.Microsecond), cause, ofDeveloper(role))
	}
}

// tell logs for the developers of a role's project that a session was ended.
func (g *Guard) tell(ctx context.Context, role, cause string) {
	ref, ok := refOfRole(role)
	if !ok {
		return
	}
	g.Log.Add(ctx, projectlog.Entry{
		Project: string(ref), At: g.now(), Level: projectlog.Error, Code: "database_session_ended",
		Message: "A session of the project's database was ended, because it disturbed other projects of the server: " + cause,
		Detail:  map[string]any{"role": role, "cause": cause},
	})
}
