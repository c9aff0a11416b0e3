package guard

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/reevehq/reeve/internal/testkit"
	"github.com/reevehq/reeve/tenants"
)

func TestShutOutLength(t *testing.T) {
	t.Parallel()
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	var s ShutOut
	for i, want := range []time.Duration{0, time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute} {
		if s = s.after(now, "x", true); s.Offences != i+1 {
			t.Errorf("offence %d: %d are counted", i+1, s.Offences)
		}
		if i > 0 && s.Until.Sub(now) != want || i == 0 && !s.Until.IsZero() {
			t.Errorf("offence %d: until %s, want %s", i+1, s.Until.Sub(now), want)
		}
		if again := s.after(now.Add(time.Second), "y", true); i > 0 && again != s {
			t.Errorf("offence %d: one during the shut-out counts: %+v", i+1, again)
		}
		now = now.Add(want + offencePeriod)
	}
	for range 1000 {
		if s = s.after(now, "x", true); s.Until.After(now) {
			now = s.Until
		}
	}
	if length := s.Until.Sub(s.OffendedAt); length != mostShutOut {
		t.Errorf("the longest is %s", length)
	}
	now = s.Until.Add(offencePeriod + time.Second)
	if s = s.after(now, "x", true); s.Offences != 1 || s.Until.After(now) {
		t.Errorf("after a quiet period: %+v", s)
	}
}

func TestShutOutRoles(t *testing.T) {
	t.Parallel()
	now, ref := time.Now(), tenants.NewRef()
	s := ShutOut{}.after(now, "x", true).after(now, "x", true)
	if got := s.roles(ref, now); !slices.Equal(got, []string{ref.OwnerRole(), ref.QueryRole()}) {
		t.Errorf("an owner's offences suspend %v", got)
	}
	if s = s.after(now, "x", false); len(s.roles(ref, now)) != 4 {
		t.Errorf("another role's offence during the shut-out suspends %v", s.roles(ref, now))
	}
	if got := s.roles(ref, s.Until); got != nil {
		t.Errorf("afterwards %v are suspended", got)
	}
}

func TestShutOutMerge(t *testing.T) {
	t.Parallel()
	now := time.Now()
	more := ShutOut{Offences: 3, OffendedAt: now, Until: now.Add(time.Minute)}
	longer := ShutOut{Offences: 2, OffendedAt: now, Until: now.Add(time.Hour), AllRoles: true}
	want := ShutOut{Offences: 3, OffendedAt: now, Until: now.Add(time.Hour), AllRoles: true}
	if a, b := more.merge(longer), longer.merge(more); a != want || b != want {
		t.Errorf("%+v, %+v, want %+v", a, b, want)
	}
}

// TestShutOut: a project whose sessions ask for strong locks again and again
// cannot log in, and other projects can.
func TestShutOut(t *testing.T) {
	t.Parallel()
	b := newBattle(t)
	other := b.lastingRole(t, tenants.NewRef().OwnerRole())
	if !b.shutOut(t, b.attacker(t)) {
		t.Fatal("the role can still log in")
	}
	_ = other()
}

// shutOut attacks until the owner role cannot log in.
func (b *battle) shutOut(t *testing.T, owner func() *pgx.Conn) bool {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cfg := owner().Config()
	for ctx.Err() == nil {
		conn, err := pgx.ConnectConfig(ctx, cfg)
		var pg *pgconn.PgError
		if errors.As(err, &pg) && pg.Code == "28000" {
			return true
		}
		if err != nil {
			t.Logf("attack: %v", err)
			continue
		}
		// The guard's own lock is enough to wait for.
		_, _ = conn.Exec(ctx, "CREATE RULE r AS ON INSERT TO pg_catalog.pg_authid DO ALSO NOTHING")
		_ = conn.Close(ctx)
	}
	return false
}

// world is a Store and Logins for one process.
type world struct {
	stored  map[tenants.Ref]ShutOut
	err     error
	allowed []tenants.Ref
	busy    tenants.Ref // somebody works on this project
}

func (w *world) SaveShutOut(_ context.Context, ref tenants.Ref, s ShutOut) error {
	w.stored[ref] = s
	return w.err
}

func (w *world) ShutOuts(context.Context, time.Time) (map[tenants.Ref]ShutOut, error) {
	return w.stored, w.err
}

func (w *world) AllowLogin(_ context.Context, ref tenants.Ref) (bool, error) {
	if ref == w.busy {
		return false, nil
	}
	w.allowed = append(w.allowed, ref)
	return true, nil
}

// TestRestoreLogins: the logins of a project are restored when its shut-out is
// over; that of one that somebody works on is tried again. Where nobody stored a shut-out, because the process was killed, they are
// restored a while later. Without the store nothing is.
func TestRestoreLogins(t *testing.T) {
	t.Parallel()
	in := install(t, testkit.NewCluster(t).URL())
	now, w := time.Now(), &world{stored: map[tenants.Ref]ShutOut{}}
	in.Now, in.Store, in.Logins = func() time.Time { return now }, w, w
	shut, stray, active := tenants.NewRef(), tenants.NewRef(), tenants.NewRef()
	for _, ref := range []tenants.Ref{shut, stray, active} {
		in.lastingRole(t, ref.OwnerRole())
	}
	in.exec(t, "ALTER ROLE "+stray.OwnerRole()+" NOLOGIN")
	for range 2 {
		in.offend(shut.OwnerRole(), "x")
	}
	if err := in.suspendLogins(t.Context()); err != nil {
		t.Fatal(err)
	}
	exchange := func(want ...tenants.Ref) {
		t.Helper()
		w.allowed = nil
		if err := in.exchangeShutOuts(t.Context()); !errors.Is(err, w.err) {
			t.Fatal(err)
		}
		if slices.Sort(w.allowed); !slices.Equal(w.allowed, want) {
			t.Errorf("the logins of %v are restored, want %v", w.allowed, want)
		}
	}
	exchange()
	if w.stored[shut].Until.IsZero() {
		t.Error("the shut-out is not stored")
	}
	now = now.Add(strayAge - time.Second)
	exchange()
	now = now.Add(time.Second)
	w.err = errors.New("away")
	exchange()
	w.err = nil
	w.busy = shut
	exchange(stray)
	w.busy = ""
	exchange(shut)
}

// TestSuspendOnlyOwn: the roles of another installation on the server are left to
// its guard.
func TestSuspendOnlyOwn(t *testing.T) {
	t.Parallel()
	url := testkit.NewCluster(t).URL()
	in, other := install(t, url), install(t, url)
	own, foreign := tenants.NewRef(), tenants.NewRef()
	in.lastingRole(t, own.OwnerRole())
	other.lastingRole(t, foreign.OwnerRole())
	for _, ref := range []tenants.Ref{own, foreign} {
		for range 2 {
			in.offend(ref.OwnerRole(), "x")
		}
	}
	if err := in.suspendLogins(t.Context()); err != nil {
		t.Fatal(err)
	}
	for ref, want := range map[tenants.Ref]bool{own: false, foreign: true} {
		var login bool
		if err := in.Admin.QueryRow(t.Context(), `SELECT rolcanlogin FROM pg_roles WHERE rolname = $1`, ref.OwnerRole()).Scan(&login); err != nil || login != want {
			t.Errorf("the role can log in: %t, want %t, %v", login, want, err)
		}
	}
}
