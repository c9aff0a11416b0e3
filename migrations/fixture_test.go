package migrations_test

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/reevehq/reeve/internal/testkit"
	"github.com/reevehq/reeve/migrations"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// denied is SQLSTATE insufficient_privilege.
const denied = "42501"

// project is an adopted database with its three login roles and a capability.
type project struct {
	url              string // as the admin
	auth, api, owner string // role names
	capability       string
}

// newProject creates the same as internal/provision: roles, a migrated
// database, adopted, with a capability set.
func newProject(t *testing.T) *project {
	t.Helper()
	p := newRoles(t)
	p.url = testkit.Database(t)
	migrate(t, p.url)
	p.adopt(t)
	hash := sha256.Sum256([]byte(p.capability))
	p.admin(t).exec("SELECT reeve.set_capability($1)", hash[:])
	return p
}

// newRoles creates the cluster's roles and three login roles with a new name.
// They are dropped after every database that the test creates later.
func newRoles(t *testing.T) *project {
	t.Helper()
	name := "t_" + randomHex(6)
	p := &project{auth: name + "_auth", api: name + "_api", owner: name + "_owner", capability: randomHex(32)}
	super := connect(t, testkit.Postgres(t), "")
	super.exec(migrations.Cluster())
	for _, role := range []string{p.auth, p.api, p.owner} {
		super.exec("CREATE ROLE " + role + " LOGIN NOINHERIT PASSWORD '" + role + "'")
	}
	t.Cleanup(func() { dropRoles(t, p.auth, p.api, p.owner) })
	super.exec("GRANT anon, authenticated, service_role TO " + p.api + ", " + p.owner)
	return p
}

// dropRoles runs in a cleanup, when the test's context has ended.
func dropRoles(t *testing.T, roles ...string) {
	conn, err := pgx.Connect(context.Background(), testkit.Postgres(t))
	if err != nil {
		t.Errorf("connect to drop roles: %v", err)
		return
	}
	defer func() { _ = conn.Close(context.Background()) }()
	for _, role := range roles {
		if _, err := conn.Exec(context.Background(), "DROP ROLE "+role); err != nil {
			t.Errorf("drop role %s: %v", role, err)
		}
	}
}

func migrate(t *testing.T, dbURL string) {
	t.Helper()
	if err := upTenant(t.Context(), dbURL); err != nil {
		t.Fatal(err)
	}
}

func upTenant(ctx context.Context, dbURL string) error {
	cfg, err := pgx.ParseConfig(dbURL)
	if err != nil {
		return err
	}
	version, err := migrations.UpTenant(ctx, cfg, migrations.Tenant())
	if err != nil {
		return err
	}
	if version != migrations.TenantVersion() {
		return fmt.Errorf("database is at version %d, want %d", version, migrations.TenantVersion())
	}
	return nil
}

func (p *project) adopt(t *testing.T) {
	t.Helper()
	p.admin(t).exec("SELECT reeve.adopt($1, $2, $3)", p.auth, p.api, p.owner)
}

func (p *project) admin(t *testing.T) *session { t.Helper(); return connect(t, p.url, "") }

// as connects as one of the project's login roles.
func (p *project) as(t *testing.T, role string) *session { t.Helper(); return connect(t, p.url, role) }

// session is one connection; an error ends the test.
type session struct {
	t    *testing.T
	conn *pgx.Conn
}

// connect opens dbURL, as role unless that is empty.
func connect(t *testing.T, dbURL, role string) *session {
	t.Helper()
	conn, err := dial(t, dbURL, role)
	if err != nil {
		t.Fatalf("connect as %q: %v", role, err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return &session{t: t, conn: conn}
}

func dial(t *testing.T, dbURL, role string) (*pgx.Conn, error) {
	t.Helper()
	cfg, err := pgx.ParseConfig(dbURL)
	if err != nil {
		t.Fatal(err)
	}
	if role != "" {
		cfg.User, cfg.Password = role, role
	}
	return pgx.ConnectConfig(t.Context(), cfg)
}

func (s *session) exec(query string, args ...any) {
	s.t.Helper()
	if _, err := s.conn.Exec(s.t.Context(), query, args...); err != nil {
		s.t.Fatalf("%s: %v", query, err)
	}
}

// refused runs query and expects the SQLSTATE.
func (s *session) refused(state, query string, args ...any) {
	s.t.Helper()
	_, err := s.conn.Exec(s.t.Context(), query, args...)
	if got := sqlState(err); got != state {
		s.t.Errorf("%s: SQLSTATE %q (%v), want %s", query, got, err, state)
	}
}

// text runs a query of one row and one column.
func (s *session) text(query string, args ...any) string {
	s.t.Helper()
	var out string
	if err := s.conn.QueryRow(s.t.Context(), query, args...).Scan(&out); err != nil {
		s.t.Fatalf("%s: %v", query, err)
	}
	return out
}

func (s *session) count(query string, args ...any) int {
	s.t.Helper()
	var out int
	if err := s.conn.QueryRow(s.t.Context(), query, args...).Scan(&out); err != nil {
		s.t.Fatalf("%s: %v", query, err)
	}
	return out
}

// lines runs a query of one text column.
func (s *session) lines(query string, args ...any) []string {
	s.t.Helper()
	rows, err := s.conn.Query(s.t.Context(), query, args...)
	if err != nil {
		s.t.Fatalf("%s: %v", query, err)
	}
	out, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		s.t.Fatalf("%s: %v", query, err)
	}
	return out
}

// caller runs fn like Reeve for an end user: in a transaction, with the role
// and the claims of the token set locally. The transaction is committed.
func (s *session) caller(role, claims string, fn func()) {
	s.t.Helper()
	s.exec("BEGIN")
	s.exec("SET LOCAL ROLE " + role)
	s.exec("SELECT set_config('request.jwt.claims', $1, true)", claims)
	fn()
	s.exec("COMMIT")
}

// newUser inserts a row into auth.users as the session's role.
func (s *session) newUser(email string) uuid.UUID {
	s.t.Helper()
	id := uuid.New()
	s.exec(`INSERT INTO auth.users (id, aud, role, email, raw_user_meta_data, created_at, updated_at)
		VALUES ($1, 'authenticated', 'authenticated', $2, '{"name":"Ann"}', now(), now())`, id, email)
	return id
}

func claimsOf(id uuid.UUID) string {
	return `{"sub":"` + id.String() + `","role":"authenticated","aal":"aal1","email":"ann@example.com"}`
}

func sqlState(err error) string {
	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) {
		return pgErr.Code
	}
	return ""
}

func withDatabase(t *testing.T, dbURL, name string) string {
	t.Helper()
	u, err := url.Parse(dbURL)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	return u.String()
}

func randomHex(n int) string {
	buf := make([]byte, n)
	_, _ = rand.Read(buf)
	return hex.EncodeToString(buf)
}

func withUser(t *testing.T, dbURL, role string) string {
	t.Helper()
	u, err := url.Parse(dbURL)
	if err != nil {
		t.Fatal(err)
	}
	if query := u.Query(); query.Has("user") { // a socket URL names the user there
		query.Set("user", role)
		query.Set("password", role)
		u.RawQuery = query.Encode()
	}
	u.User = url.UserPassword(role, role)
	return u.String()
}
