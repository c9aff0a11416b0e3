package controldb

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/internal/secret"
	"github.com/reevehq/reeve/internal/setting"
	"github.com/reevehq/reeve/internal/testkit"
	"github.com/reevehq/reeve/tenants"
)

// base is a migrated control database with an organization.
type base struct {
	*DB
	url, masterKey string
	org            uuid.UUID
}

func openBase(t *testing.T, url, masterKey string, change ...func(*Options)) *DB {
	t.Helper()
	keyring, err := secret.NewKeyring(masterKey)
	if err != nil {
		t.Fatal(err)
	}
	o := Options{ProjectURL: func(ref tenants.Ref) string { return "https://" + string(ref) + ".example.com" }}
	for _, c := range change {
		c(&o)
	}
	db, err := Open(t.Context(), url, keyring, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	return db
}

func newBase(t *testing.T) *base {
	t.Helper()
	b := &base{url: testkit.Database(t), masterKey: secret.NewMasterKey(), org: uuid.New()}
	b.DB = openBase(t, b.url, b.masterKey)
	if err := b.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.exec(t, `INSERT INTO organizations (id, slug, name) VALUES ($1, 'acme', 'Acme')`, b.org)
	return b
}

func (b *base) exec(t *testing.T, sql string, args ...any) {
	t.Helper()
	if _, err := b.Pool().Exec(t.Context(), sql, args...); err != nil {
		t.Fatal(err)
	}
}

func (b *base) tx(t *testing.T, fn func(tx *Tx) error) {
	t.Helper()
	if err := b.Tx(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

// project inserts an active project with everything that a tenant needs, and
// returns its data key.
func (b *base) project(t *testing.T, ref tenants.Ref) *secret.DataKey {
	t.Helper()
	dk, wrapped, err := b.Keyring().NewDataKey(string(ref))
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := Passwords{Auth: "auth pw", API: "api pw", Owner: "owner pw"}.Seal(dk)
	if err != nil {
		t.Fatal(err)
	}
	key, _, err := tenants.NewSigningKey("ES256")
	if err != nil {
		t.Fatal(err)
	}
	key.Status = tenants.KeyInUse
	row, err := SealSigningKey(dk, ref, key)
	if err != nil {
		t.Fatal(err)
	}
	config := AuthConfig{Ref: ref, Version: 1, Config: tenants.DefaultConfig()}
	config.Config.SMTPHost = "smtp.example.com"
	if err := config.SealSecrets(dk, setting.Secrets{setting.SMTPPass: "smtp pw"}); err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	b.tx(t, func(tx *Tx) error {
		if err := tx.CreateDatabase(ctx, Database{Ref: ref, ClusterID: "main", Wrapped: wrapped, Sealed: sealed}); err != nil {
			return err
		}
		if err := tx.AssignDatabase(ctx, ref); err != nil {
			return err
		}
		if _, err := tx.CreateProject(ctx, Project{Ref: ref, OrganizationID: b.org, Name: "Shop", Status: tenants.StatusActive}); err != nil {
			return err
		}
		if err := tx.CreateAuthConfig(ctx, config); err != nil {
			return err
		}
		_, err := tx.CreateSigningKey(ctx, row)
		return err
	})
	return dk
}

func TestPepper(t *testing.T) {
	t.Parallel()
	url, masterKey := testkit.Database(t), secret.NewMasterKey()
	replicas := []*DB{openBase(t, url, masterKey), openBase(t, url, masterKey), openBase(t, url, masterKey)}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("Hasher gave a hasher without a pepper")
			}
		}()
		replicas[0].Hasher()
	}()
	var group sync.WaitGroup
	for _, r := range replicas {
		group.Go(func() {
			if err := r.Migrate(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	later := openBase(t, url, masterKey)
	want := later.Hasher().Hash("key")
	for i, r := range replicas {
		if r.Hasher().Hash("key") != want || r.Installation() != later.Installation() {
			t.Errorf("replica %d has another pepper", i)
		}
	}
	if pending, err := later.Pending(t.Context()); err != nil || pending {
		t.Errorf("Pending = %v, %v", pending, err)
	}
	foreign, err := secret.NewKeyring(secret.NewMasterKey())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), url, foreign, Options{}); !errors.Is(err, secret.ErrSealed) {
		t.Errorf("Open with another master key = %v", err)
	}
}

func TestUnreachable(t *testing.T) {
	t.Parallel()
	keyring, err := secret.NewKeyring(secret.NewMasterKey())
	if err != nil {
		t.Fatal(err)
	}
	_, err = Open(t.Context(), "postgres://nobody@127.0.0.1:1/none", keyring, Options{})
	checkUnavailable(t, err)

	b := newBase(t)
	b.project(t, refA)
	// The server ends every connection; the next uses may fail, then it works again.
	for range 3 {
		admin := openBase(t, b.url, b.masterKey)
		_, err := admin.Pool().Exec(t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
			WHERE datname = current_database() AND pid <> pg_backend_pid()`)
		if err != nil {
			t.Fatal(err)
		}
		for {
			_, err := b.ProjectByRef(t.Context(), refA)
			if err == nil {
				break
			}
			checkUnavailable(t, err)
		}
	}
	b.Close()
	_, err = b.ProjectByRef(t.Context(), refA)
	checkUnavailable(t, err)
	_, err = b.Tenant(t.Context(), refA)
	checkUnavailable(t, err)
}

func checkUnavailable(t *testing.T, err error) {
	t.Helper()
	var f *fault.Error
	if !errors.As(err, &f) || f.Kind != fault.Unavailable || f.Code != "database_unavailable" || f.RetryAfter <= 0 {
		t.Errorf("error = %v, want database_unavailable with a time to retry", err)
	}
}

func TestConstraints(t *testing.T) {
	t.Parallel()
	b := newBase(t)
	b.project(t, refA)
	ctx := t.Context()
	for _, c := range []struct {
		name string
		do   func(tx *Tx) error
		kind fault.Kind
		says string
	}{
		{"name too long", func(tx *Tx) error { return tx.RenameProject(ctx, refA, strings.Repeat("x", 257)) }, fault.Invalid, "name"},
		{"unknown ref", func(tx *Tx) error { return tx.RenameProject(ctx, refB, "x") }, fault.NotFound, "Project"},
		{"unknown organization", func(tx *Tx) error { return tx.CheckProjectLimit(ctx, uuid.New(), false) }, fault.NotFound, "Organization"},
		{"second in use", func(tx *Tx) error {
			return tx.with(ctx).Exec(`INSERT INTO signing_keys (id, ref, kid, algorithm, status, private)
				VALUES (gen_random_uuid(), ?, 'k', 'ES256', 'in_use', '')`, string(refA)).Error
		}, fault.Conflict, "in use"},
		{"wrong state", func(tx *Tx) error { return tx.WarmDatabase(ctx, refA) }, fault.Conflict, "changed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var f *fault.Error
			if err := b.Tx(ctx, c.do); !errors.As(err, &f) || f.Kind != c.kind || !strings.Contains(f.Message, c.says) {
				t.Errorf("error = %v", err)
			}
		})
	}
}

func TestTxRollsBack(t *testing.T) {
	t.Parallel()
	b := newBase(t)
	b.project(t, refA)
	refusal := errors.New("no")
	err := b.Tx(t.Context(), func(tx *Tx) error {
		if err := tx.RenameProject(t.Context(), refA, "other"); err != nil {
			return err
		}
		return refusal
	})
	if !errors.Is(err, refusal) {
		t.Errorf("error = %v", err)
	}
	if p, err := b.ProjectByRef(t.Context(), refA); err != nil || p.Name != "Shop" {
		t.Errorf("name = %q, %v", p.Name, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := b.Tx(ctx, func(*Tx) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("Tx of a caller that went away = %v", err)
	}
}

func TestOutboxMarks(t *testing.T) {
	t.Parallel()
	b := newBase(t)
	kinds := []string{"email", "webhook"}
	marked := func(kind string) []tenants.Ref {
		t.Helper()
		refs, err := b.MarkedOutboxes(t.Context(), kind, 10)
		if err != nil {
			t.Fatal(err)
		}
		return refs
	}
	for _, kind := range kinds {
		for _, ref := range []tenants.Ref{refA, refB, refA} {
			if err := b.MarkOutbox(t.Context(), ref, kind); err != nil {
				t.Fatal(err)
			}
		}
		if refs := marked(kind); !slices.Equal(refs, []tenants.Ref{refB, refA}) {
			t.Fatalf("%s: marks = %v", kind, refs)
		}
	}
	b.exec(t, "UPDATE outbox_marks SET marked_at = marked_at - interval '1 hour'")
	b.exec(t, "UPDATE outbox_kind_marks SET marked_at = marked_at - interval '1 hour'")
	for _, kind := range kinds {
		// A is marked again while its outbox is being emptied.
		if err := b.MarkOutbox(t.Context(), refA, kind); err != nil {
			t.Fatal(err)
		}
		for _, ref := range []tenants.Ref{refA, refB} {
			if err := b.UnmarkOutbox(t.Context(), ref, kind, 30*time.Minute); err != nil {
				t.Fatal(err)
			}
		}
		if refs := marked(kind); !slices.Equal(refs, []tenants.Ref{refA}) {
			t.Errorf("%s: marks left = %v", kind, refs)
		}
	}
	// The mark of the other kind is separate.
	if err := b.UnmarkOutbox(t.Context(), refA, "webhook", 0); err != nil {
		t.Fatal(err)
	}
	if mails, hooks, none := marked("email"), marked("webhook"), marked("sms"); len(mails) != 1 || len(hooks)+len(none) != 0 {
		t.Errorf("marks = %v, %v, %v", mails, hooks, none)
	}
}
