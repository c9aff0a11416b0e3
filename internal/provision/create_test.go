package provision

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/tenants"
)

func TestCreate(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		warm     bool
		password string
	}{
		{name: "cold"},
		{name: "warm", warm: true},
		{name: "cold, chosen password", password: "it's a 'quoted' one"},
		{name: "warm, chosen password", warm: true, password: `pass\word $1`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			if c.warm {
				w.mustWarm(t)
			}
			author := uuid.New()
			created := w.mustCreate(t, NewProject{Name: "Käse-Shop", Region: "here", DBPassword: c.password, CreatedBy: &author})
			if created.Project.Status != tenants.StatusActive || created.Project.Name != "Käse-Shop" || *created.Project.CreatedBy != author {
				t.Errorf("project = %+v", created.Project)
			}
			tenant := w.checkServed(t, created.Project.Ref)
			for text, want := range map[string]tenants.KeyType{
				created.PublishableKey: tenants.KeyPublishable, created.SecretKey: tenants.KeySecret,
			} {
				hash := w.Control.Hasher().Hash(text)
				if got := tenant.APIKeys[hash]; got.Type != want || got.Name != "default" {
					t.Errorf("API key = %+v, want a %s key", got, want)
				}
				if ref, err := w.Control.RefByKey(t.Context(), hash); err != nil || ref != tenant.Ref {
					t.Errorf("RefByKey = %q, %v", ref, err)
				}
			}
			if key := tenant.SigningKeys[0]; key.Algorithm != "ES256" || key.Status != tenants.KeyInUse || key.Signer() == nil {
				t.Errorf("signing key = %s %s", key.Algorithm, key.Status)
			}
			if tenant.Config != tenants.DefaultConfig() || tenant.URL != "https://"+string(tenant.Ref)+".example.com" {
				t.Errorf("config = %+v, url = %s", tenant.Config, tenant.URL)
			}
			checkOwner(t, w, created, c.password)
			if left, err := w.Control.CountWarm(t.Context(), "test"); err != nil || left != 0 {
				t.Errorf("%d warm databases are left, %v", left, err)
			}
		})
	}
}

// checkOwner connects with the developer's URL and creates a table in public.
func checkOwner(t *testing.T, w *world, created Created, password string) {
	t.Helper()
	if w.ownerURL(t, created.Project.Ref) != created.DatabaseURL {
		t.Error("the sealed password differs from the one at creation")
	}
	conn, err := pgx.Connect(t.Context(), created.DatabaseURL)
	if err != nil {
		t.Fatalf("connect as owner: %v", err)
	}
	defer closeConn(conn)
	if got := conn.Config().Password; password != "" && got != password {
		t.Errorf("the URL's password is %q, want %q", got, password)
	}
	if _, err := conn.Exec(t.Context(), "CREATE TABLE notes (id uuid REFERENCES auth.users (id))"); err != nil {
		t.Error(err)
	}
	for _, denied := range []string{"CREATE DATABASE mine", "CREATE ROLE mine", "SELECT * FROM reeve.capability"} {
		if _, err := conn.Exec(t.Context(), denied); err == nil {
			t.Errorf("the owner role may %s", denied)
		}
	}
}

func TestCreateRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	full := uuid.New()
	w.insertOrganization(t, full, 1)
	w.mustCreate(t, NewProject{OrganizationID: full})
	for _, c := range []struct {
		name string
		n    NewProject
		kind fault.Kind
		code string
	}{
		{"no name", NewProject{OrganizationID: w.org}, fault.Invalid, "validation_failed"},
		{"name too long", NewProject{OrganizationID: w.org, Name: strings.Repeat("ä", 257)}, fault.Invalid, "validation_failed"},
		{"NUL in the name", NewProject{OrganizationID: w.org, Name: "a\x00b"}, fault.Invalid, "validation_failed"},
		{"no UTF-8", NewProject{OrganizationID: w.org, Name: "a\xffb"}, fault.Invalid, "validation_failed"},
		{"password not ASCII", NewProject{OrganizationID: w.org, Name: "a", DBPassword: "pässword"}, fault.Invalid, "validation_failed"},
		{"password too long", NewProject{OrganizationID: w.org, Name: "a", DBPassword: strings.Repeat("x", 129)}, fault.Invalid, "validation_failed"},
		{"unknown organization", NewProject{OrganizationID: uuid.New(), Name: "a"}, fault.NotFound, "organization_not_found"},
		{"over the quota", NewProject{OrganizationID: full, Name: "a"}, fault.Forbidden, "project_limit_reached"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := w.Create(t.Context(), c.n)
			var f *fault.Error
			if !errors.As(err, &f) || f.Kind != c.kind || f.Code != c.code {
				t.Errorf("error = %v, want %s", err, c.code)
			}
		})
	}
	refs, err := queryRefs(t.Context(), w, "SELECT ref FROM databases")
	if err != nil || len(refs) != 1 {
		t.Errorf("%d rows of databases, %v; the refused ones must leave none", len(refs), err)
	}
}

func TestCreateWithin(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.mustWarm(t)
	refusal := errors.New("no")
	_, err := w.Create(t.Context(), NewProject{
		OrganizationID: w.org, Name: "a",
		Within: func(_ context.Context, _ *controldb.Tx, created Created) error {
			if created.SecretKey == "" || created.Project.Ref == "" {
				t.Errorf("created = %+v", created.Project)
			}
			return refusal
		},
	})
	if !errors.Is(err, refusal) {
		t.Errorf("error = %v", err)
	}
	if n, err := w.Control.CountWarm(t.Context(), "test"); err != nil || n != 1 {
		t.Errorf("%d warm databases, %v; the refused creation must give it back", n, err)
	}
}

// TestCreateAtOnce has more concurrent callers than warm databases and quota.
func TestCreateAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(s *Service) { s.WarmTarget = 2 })
	other := w.replica(t)
	org := uuid.New()
	w.insertOrganization(t, org, 4)
	w.mustWarm(t)
	w.mustWarm(t)
	var mu sync.Mutex
	var refused int
	refs := map[tenants.Ref]bool{}
	var group sync.WaitGroup
	for i := range 6 {
		s := []*Service{w.Service, other}[i%2]
		group.Go(func() {
			created, err := s.Create(t.Context(), NewProject{OrganizationID: org, Name: "a"})
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				refs[created.Project.Ref] = true
			case errors.Is(err, controldb.ErrProjectLimit):
				refused++
			default:
				t.Error(err)
			}
		})
	}
	group.Wait()
	if len(refs) != 4 || refused != 2 {
		t.Fatalf("%d created, %d refused, want 4 and 2", len(refs), refused)
	}
	for ref := range refs {
		w.checkServed(t, ref)
	}
}

func TestIsolation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a, b := w.mustCreate(t, NewProject{}), w.mustCreate(t, NewProject{})
	d, err := w.Control.DatabaseByRef(t.Context(), a.Project.Ref)
	if err != nil {
		t.Fatal(err)
	}
	p, _, err := w.open(d)
	if err != nil {
		t.Fatal(err)
	}
	control, err := pgx.ParseConfig(w.url)
	if err != nil {
		t.Fatal(err)
	}
	databases := []string{b.Project.Ref.Database(), DefaultTemplate, "postgres", "template1", control.Database}
	for _, r := range w.rolesOf(a.Project.Ref, p) {
		own, err := w.dial(t.Context(), a.Project.Ref, r.name, r.password)
		if err != nil {
			t.Fatalf("%s cannot connect to its own database: %v", r.name, err)
		}
		closeConn(own)
		for _, database := range databases {
			cfg, err := w.ConnConfig(b.Project.Ref, r.name, r.password)
			if err != nil {
				t.Fatal(err)
			}
			cfg.Database = database
			if conn, err := pgx.ConnectConfig(t.Context(), cfg); err == nil {
				t.Errorf("%s can connect to %s", r.name, database)
				closeConn(conn)
			}
		}
	}
}
