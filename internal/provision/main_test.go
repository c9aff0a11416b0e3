package provision

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/secret"
	"github.com/reevehq/reeve/internal/testkit"
	"github.com/reevehq/reeve/tenants"
)

func TestMain(m *testing.M) {
	if os.Getenv(childStep) != "" {
		child()
		return
	}
	testkit.Main(m)
}

// world is a separate installation: a control database, an organization, and
// the shared cluster.
type world struct {
	*Service
	url, masterKey string
	org            uuid.UUID
}

func newWorld(t testing.TB, change ...func(*Service)) *world {
	t.Helper()
	w := &world{url: testkit.Database(t), masterKey: secret.NewMasterKey(), org: uuid.New()}
	w.Service = w.replica(t, change...)
	if err := w.Control.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.insertOrganization(t, w.org, 1000)
	t.Cleanup(func() { w.dropAll(t) })
	if err := w.Bootstrap(t.Context()); err != nil {
		t.Fatal(err)
	}
	return w
}

// replica is another process of the same installation.
func (w *world) replica(t testing.TB, change ...func(*Service)) *Service {
	t.Helper()
	s, err := open(w.url, w.masterKey, testkit.Postgres(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range change {
		c(s)
	}
	t.Cleanup(func() { s.Close(); s.Control.Close() })
	return s
}

func open(controlURL, masterKey, adminURL string) (*Service, error) {
	keyring, err := secret.NewKeyring(masterKey)
	if err != nil {
		return nil, err
	}
	control, err := controldb.Open(context.Background(), controlURL, keyring, controldb.Options{
		ProjectURL: func(ref tenants.Ref) string { return "https://" + string(ref) + ".example.com" },
	})
	if err != nil {
		return nil, err
	}
	return &Service{
		Control: control, Keyring: keyring, CreateStrategy: StrategyFileCopy, WarmTarget: 1,
		Cluster: Cluster{ID: "test", AdminURL: adminURL}, Logger: slog.New(slog.DiscardHandler),
		deleteWait: answerTimeout,
	}, nil
}

func (w *world) insertOrganization(t testing.TB, id uuid.UUID, limit int) {
	t.Helper()
	_, err := w.Control.Pool().Exec(t.Context(),
		`INSERT INTO organizations (id, slug, name, max_projects) VALUES ($1, $2, 'Acme', $3)`, id, id.String(), limit)
	if err != nil {
		t.Fatal(err)
	}
}

func (w *world) mustCreate(t testing.TB, n NewProject) Created {
	t.Helper()
	if n.OrganizationID == uuid.Nil {
		n.OrganizationID = w.org
	}
	if n.Name == "" {
		n.Name = "shop"
	}
	created, err := w.Create(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	return created
}

func (w *world) mustWarm(t testing.TB) {
	t.Helper()
	if made, err := w.Warm(t.Context()); err != nil || !made {
		t.Fatalf("Warm: made %v, %v", made, err)
	}
}

// dropAll removes the installation's objects from a cluster that outlives it.
func (w *world) dropAll(t testing.TB) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	refs, err := queryRefs(ctx, w, `SELECT ref FROM databases WHERE state <> 'dropped'`)
	if err != nil {
		t.Errorf("clean up: %v", err)
	}
	for _, ref := range refs {
		err := w.Control.Tx(ctx, func(tx *controldb.Tx) error {
			err := tx.SetProjectStatus(ctx, ref, tenants.StatusDeleting)
			if err != nil && !errors.Is(err, controldb.ErrNoProject) {
				return err
			}
			err = tx.DropDatabase(ctx, ref)
			if errors.Is(err, controldb.ErrStale) {
				return nil // only its roles are left
			}
			return err
		})
		if err == nil {
			_, err = w.drop(ctx, ref, true)
		}
		if err == nil {
			err = w.finishRoles(ctx, ref)
		}
		if err != nil {
			t.Errorf("clean up %s: %v", ref, err)
		}
	}
	if w.Cluster.Template != DefaultTemplate {
		if _, err := w.pool.Exec(ctx, "DROP DATABASE IF EXISTS "+quote(w.Cluster.Template)); err != nil {
			t.Errorf("clean up template: %v", err)
		}
	}
}

// ownerURL is the developer's URL with the sealed password.
func (w *world) ownerURL(t testing.TB, ref tenants.Ref) string {
	t.Helper()
	d, err := w.Control.DatabaseByRef(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	p, _, err := w.open(d)
	if err != nil {
		t.Fatal(err)
	}
	url, err := w.DatabaseURL(ref, p.Owner)
	if err != nil {
		t.Fatal(err)
	}
	return url
}

func queryRefs(ctx context.Context, w *world, sql string) ([]tenants.Ref, error) {
	rows, err := w.Control.Pool().Query(ctx, sql)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[tenants.Ref])
}

// onCluster counts the databases and roles of the ref.
func (w *world) onCluster(t testing.TB, ref tenants.Ref) (databases, roles int) {
	t.Helper()
	err := w.pool.QueryRow(t.Context(), `SELECT
		(SELECT count(*) FROM pg_database WHERE datname = $1),
		(SELECT count(*) FROM pg_roles WHERE rolname LIKE $1 || '\_%')`, ref.Database()).Scan(&databases, &roles)
	if err != nil {
		t.Fatal(err)
	}
	return databases, roles
}

// checkServed checks that the project works: the registry's snapshot can be
// decrypted, and its auth role can connect.
func (w *world) checkServed(t testing.TB, ref tenants.Ref) *tenants.Tenant {
	t.Helper()
	tenant, err := w.Control.Tenant(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	if tenant.Status != tenants.StatusActive || len(tenant.APIKeys) != 2 || len(tenant.SigningKeys) != 1 {
		t.Fatalf("tenant is %s with %d API keys, %d signing keys", tenant.Status, len(tenant.APIKeys), len(tenant.SigningKeys))
	}
	conn, err := w.Dial(t.Context(), tenant)
	if err != nil {
		t.Fatalf("dial as auth role: %v", err)
	}
	defer closeConn(conn)
	if _, err := conn.Exec(t.Context(), "SELECT count(*) FROM auth.users"); err != nil {
		t.Fatal(err)
	}
	if d, err := w.Control.DatabaseByRef(t.Context(), ref); err != nil || d.State != controldb.DatabaseAssigned {
		t.Fatalf("database is %q, %v", d.State, err)
	}
	return tenant
}

// checkGone checks that nothing is left of a project.
func (w *world) checkGone(t testing.TB, ref tenants.Ref) {
	t.Helper()
	if databases, roles := w.onCluster(t, ref); databases+roles != 0 {
		t.Errorf("%d databases and %d roles are left of %s", databases, roles, ref)
	}
	if _, err := w.Control.Tenant(t.Context(), ref); !errors.Is(err, tenants.ErrUnknownProject) {
		t.Errorf("Tenant(%s) = %v, want ErrUnknownProject", ref, err)
	}
}

// recoverAll recovers until nothing is unfinished: the connections of a killed
// process take a moment to end.
func (w *world) recoverAll(t testing.TB) {
	t.Helper()
	for {
		if err := errors.Join(w.Recover(t.Context()), w.dropLeftRoles(t.Context())); err != nil {
			t.Fatal(err)
		}
		refs, err := queryRefs(t.Context(), w, `SELECT ref FROM databases WHERE state IN ('creating', 'dropping', 'dropping_roles')
			UNION SELECT ref FROM projects WHERE status IN ('pausing', 'restoring') AND deleted_at IS NULL`)
		if err != nil {
			t.Fatal(err)
		}
		if len(refs) == 0 {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}
