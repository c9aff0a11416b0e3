// Package controltest is the fixture of the control plane's tests: a separate
// control database with two organizations, members of every role, and the real
// router. Projects are only rows; nothing is created on a cluster.
package controltest

import (
	"context"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/authz"
	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/secret"
	"github.com/reevehq/reeve/internal/testkit"
	"github.com/reevehq/reeve/internal/web"
	"github.com/reevehq/reeve/internal/web/control"
	"github.com/reevehq/reeve/tenants"
)

// World is one installation.
type World struct {
	DB      *controldb.DB
	Keyring *secret.Keyring
	Authz   *authz.Authorizer
	Log     *slog.Logger
	Handler http.Handler
	Server  *control.Server

	Acme, Rival controldb.Organization
	// Access tokens: of Acme's members by role, and of Rival's owner.
	Owner, Administrator, Developer, ReadOnly, Stranger string
	// OwnerID is the user behind Owner.
	OwnerID uuid.UUID
}

// Mounter is a resource's Handler.
type Mounter interface{ Mount(api control.API) }

// New returns a world with the resources that mount returns for it.
func New(t testing.TB, mount func(*World) []Mounter) *World {
	t.Helper()
	gin.SetMode(gin.TestMode)
	keyring, err := secret.NewKeyring(secret.NewMasterKey())
	if err != nil {
		t.Fatal(err)
	}
	w := &World{Keyring: keyring, Log: slog.New(slog.DiscardHandler)}
	w.DB, err = controldb.Open(t.Context(), testkit.Database(t), keyring, controldb.Options{
		ProjectURL: URL, Logger: w.Log,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.DB.Close)
	if err := w.DB.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.Authz = &authz.Authorizer{DB: w.DB}
	w.people(t)
	w.Server = &control.Server{DB: w.DB, Keyring: keyring, Log: slog.New(failOnPanic{t}), Version: "test"}
	engine := gin.New()
	engine.HandleMethodNotAllowed, engine.RedirectTrailingSlash = true, false
	engine.Use(web.Common{Logger: w.Log, Errors: web.Errors{{Path: "/", Write: control.WriteError}}}.Handler())
	engine.NoRoute(web.NotFound)
	engine.NoMethod(web.MethodNotAllowed)
	api := w.Server.Mount(engine)
	for _, m := range mount(w) {
		m.Mount(api)
	}
	w.Handler = engine
	return w
}

// URL is a project's canonical URL in tests.
func URL(ref tenants.Ref) string { return "https://" + string(ref) + ".example.com" }

func (w *World) people(t testing.TB) {
	t.Helper()
	ctx := t.Context()
	err := w.DB.Tx(ctx, func(tx *controldb.Tx) (err error) {
		if w.Acme, err = tx.CreateOrganization(ctx, controldb.Organization{Slug: "acme", Name: "Acme", MaxProjects: 1000}); err != nil {
			return err
		}
		w.Rival, err = tx.CreateOrganization(ctx, controldb.Organization{Slug: "rival", Name: "Rival"})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	w.OwnerID, w.Owner = w.Member(t, w.Acme, controldb.Owner)
	_, w.Administrator = w.Member(t, w.Acme, controldb.Administrator)
	_, w.Developer = w.Member(t, w.Acme, controldb.Developer)
	_, w.ReadOnly = w.Member(t, w.Acme, controldb.ReadOnly)
	_, w.Stranger = w.Member(t, w.Rival, controldb.Owner)
}

// Member creates a user who is a member of an organization, and returns a token
// of theirs.
func (w *World) Member(t testing.TB, org controldb.Organization, role controldb.Role) (uuid.UUID, string) {
	t.Helper()
	user := uuid.New()
	err := w.DB.Tx(t.Context(), func(tx *controldb.Tx) error { return tx.AddMember(t.Context(), org.ID, user, role) })
	if err != nil {
		t.Fatal(err)
	}
	token, err := w.DB.CreateAccessToken(t.Context(), user, "test")
	if err != nil {
		t.Fatal(err)
	}
	return user, token
}

// Exec runs SQL on the control database.
func (w *World) Exec(t testing.TB, sql string, args ...any) {
	t.Helper()
	if _, err := w.DB.Pool().Exec(t.Context(), sql, args...); err != nil {
		t.Fatal(err)
	}
}

// failOnPanic fails the test when an error is logged: a request that ends in a
// 500 is always Reeve's fault.
type failOnPanic struct{ testing.TB }

func (f failOnPanic) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelError }

func (f failOnPanic) Handle(_ context.Context, r slog.Record) error {
	r.Attrs(func(a slog.Attr) bool {
		f.Errorf("%s %s: %v", r.Message, a.Key, a.Value)
		return true
	})
	return nil
}

func (f failOnPanic) WithAttrs([]slog.Attr) slog.Handler { return f }
func (f failOnPanic) WithGroup(string) slog.Handler      { return f }

// Now is the clock of tests.
func Now() time.Time { return time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC) }
