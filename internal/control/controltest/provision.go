package controltest

import (
	"context"
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/internal/control/project"
	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/provision"
	"github.com/reevehq/reeve/internal/secret"
	"github.com/reevehq/reeve/internal/sqlrun"
	"github.com/reevehq/reeve/tenants"
)

// Rows creates projects that are only rows of the control database, by the same
// verbs and in the same transaction as internal/provision. Its fields determine
// the state of their databases.
type Rows struct {
	World *World
	// Unhealthy has the projects whose database does not answer.
	Unhealthy map[tenants.Ref]bool
	// Cold leaves projects creating when their transaction commits.
	Cold bool
	// OwnerPasswords are the passwords set after a project's creation.
	OwnerPasswords map[tenants.Ref]string
}

// Create inserts a project.
func (r *Rows) Create(ctx context.Context, n provision.NewProject) (provision.Created, error) {
	if err := n.Validate(); err != nil {
		return provision.Created{}, err
	}
	var created provision.Created
	err := r.World.DB.Tx(ctx, func(tx *controldb.Tx) (err error) {
		if err := tx.CheckProjectLimit(ctx, n.OrganizationID, n.TTL != 0); err != nil {
			return err
		}
		if created, err = r.insert(ctx, tx, n); err != nil || n.Within == nil {
			return err
		}
		return n.Within(ctx, tx, created)
	})
	if err == nil && r.Cold {
		created.Project.Status = tenants.StatusActive
		err = r.World.DB.Tx(ctx, func(tx *controldb.Tx) error {
			return tx.SetProjectStatus(ctx, created.Project.Ref, tenants.StatusActive)
		})
	}
	return created, err
}

func (r *Rows) insert(ctx context.Context, tx *controldb.Tx, n provision.NewProject) (provision.Created, error) {
	ref, status := tenants.NewRef(), tenants.StatusActive
	if r.Cold {
		status = tenants.StatusCreating
	}
	created := provision.Created{DatabaseURL: "postgresql://" + ref.OwnerRole() + "@db.example.com/" + ref.Database()}
	dk, wrapped, err := r.World.Keyring.NewDataKey(string(ref))
	if err != nil {
		return created, err
	}
	sealed, err := controldb.Passwords{Auth: "a", API: "b", Owner: "c"}.Seal(dk)
	if err != nil {
		return created, err
	}
	if err := tx.CreateDatabase(ctx, controldb.Database{Ref: ref, ClusterID: "test", Wrapped: wrapped, Sealed: sealed}); err != nil {
		return created, err
	}
	project := controldb.Project{
		Ref: ref, OrganizationID: n.OrganizationID, Name: n.Name, Region: n.Region, Status: status,
		Platform: n.Platform, CreatedBy: n.CreatedBy, BranchOf: n.BranchOf, GitBranch: n.GitBranch,
	}
	if n.TTL != 0 {
		at := Now().Add(n.TTL)
		project.ExpiresAt = &at
	}
	created.Project, err = tx.CreateProject(ctx, project)
	if err != nil {
		return created, err
	}
	if err := tx.CreateAuthConfig(ctx, controldb.AuthConfig{Ref: ref, Version: 1, Config: tenants.DefaultConfig()}); err != nil {
		return created, err
	}
	return created, r.keys(ctx, tx, dk, &created)
}

func (r *Rows) keys(ctx context.Context, tx *controldb.Tx, dk *secret.DataKey, created *provision.Created) error {
	ref := created.Project.Ref
	for t, text := range map[tenants.KeyType]*string{
		tenants.KeyPublishable: &created.PublishableKey, tenants.KeySecret: &created.SecretKey,
	} {
		key, drawn, err := controldb.NewAPIKey(r.World.DB.Hasher(), dk, ref, t, "default")
		if err != nil {
			return err
		}
		if _, err := tx.CreateAPIKey(ctx, key); err != nil {
			return err
		}
		*text = drawn
	}
	key, _, err := tenants.NewSigningKey("ES256")
	if err != nil {
		return err
	}
	key.Status = tenants.KeyInUse
	row, err := controldb.SealSigningKey(dk, ref, key)
	if err != nil {
		return err
	}
	_, err = tx.CreateSigningKey(ctx, row)
	return err
}

// Branch inserts a project that is a branch of another one.
func (r *Rows) Branch(ctx context.Context, n provision.NewProject) (provision.Created, error) {
	return r.Create(ctx, n)
}

// ResetBranch returns the project.
func (r *Rows) ResetBranch(ctx context.Context, ref tenants.Ref) (controldb.Project, error) {
	return r.World.DB.ProjectByRef(ctx, ref)
}

// Delete marks a project as being deleted.
func (r *Rows) Delete(ctx context.Context, ref tenants.Ref) error {
	return r.World.DB.Tx(ctx, func(tx *controldb.Tx) error {
		return tx.SetProjectStatus(ctx, ref, tenants.StatusDeleting)
	})
}

// Pause sets the status.
func (r *Rows) Pause(ctx context.Context, ref tenants.Ref) (controldb.Project, error) {
	return r.move(ctx, ref, tenants.StatusPaused)
}

// Restore sets the status.
func (r *Rows) Restore(ctx context.Context, ref tenants.Ref) (controldb.Project, error) {
	return r.move(ctx, ref, tenants.StatusActive)
}

func (r *Rows) move(ctx context.Context, ref tenants.Ref, to tenants.Status) (controldb.Project, error) {
	err := r.World.DB.Tx(ctx, func(tx *controldb.Tx) error { return tx.SetProjectStatus(ctx, ref, to) })
	if err != nil {
		return controldb.Project{}, err
	}
	return r.World.DB.ProjectByRef(ctx, ref)
}

// SetOwnerPassword notes the password in OwnerPasswords.
func (r *Rows) SetOwnerPassword(_ context.Context, ref tenants.Ref, password string) error {
	if r.OwnerPasswords == nil {
		r.OwnerPasswords = map[tenants.Ref]string{}
	}
	r.OwnerPasswords[ref] = password
	return nil
}

// Describe returns the same server for all.
func (r *Rows) Describe(tenants.Ref) project.DatabaseServer {
	return project.DatabaseServer{Host: "db.example.com", Port: 5432, Version: "15.18"}
}

// Health fails for the Sick.
func (r *Rows) Health(_ context.Context, ref tenants.Ref) error {
	if r.Unhealthy[ref] {
		return errors.New("connection refused")
	}
	return nil
}

// Inspect runs fn in the control database, with the search path of
// provision.Service.Inspect.
func (r *Rows) Inspect(ctx context.Context, _ tenants.Ref, fn func(ctx context.Context, tx pgx.Tx) error) error {
	return pgx.BeginTxFunc(ctx, r.World.DB.Pool(), pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SET LOCAL search_path = pg_catalog"); err != nil {
			return err
		}
		return fn(ctx, tx)
	})
}

// Session runs fn with a session in the control database.
func (r *Rows) Session(ctx context.Context, _ tenants.Ref, _ bool, fn func(*sqlrun.Session) error) error {
	conn, err := pgx.ConnectConfig(ctx, r.World.DB.Pool().Config().ConnConfig)
	if err != nil {
		return err
	}
	hijacked, err := conn.PgConn().Hijack()
	if err != nil {
		return err
	}
	defer func() { _ = hijacked.Conn.Close() }()
	session, stop := sqlrun.New(ctx, hijacked)
	defer stop()
	return fn(session)
}

// Project inserts a project of an organization.
func (w *World) Project(t testing.TB, org controldb.Organization, name string) provision.Created {
	t.Helper()
	created, err := (&Rows{World: w}).Create(t.Context(), provision.NewProject{OrganizationID: org.ID, Name: name})
	if err != nil {
		t.Fatal(err)
	}
	return created
}
