package server_test

import (
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/config"
	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/secret"
	"github.com/reevehq/reeve/internal/server"
	"github.com/reevehq/reeve/internal/server/servertest"
	"github.com/reevehq/reeve/internal/testkit"
)

// TestOperatorToken issues, lists and revokes tokens while a server runs.
func TestOperatorToken(t *testing.T) {
	t.Parallel()
	c := config.Development()
	c.HTTP.PublicURL = "http://reeve.test"
	c.Database.ControlURL, c.Database.AdminURL = testkit.Database(t), testkit.Postgres(t)
	c.Database.TemplateStrategy = config.StrategyFileCopy
	c.Secrets.MasterKeys = []string{secret.NewMasterKey()}
	c.Database = c.Database.Resolve()
	o := server.Options{Config: c, Logger: slog.New(slog.NewTextHandler(t.Output(), nil))}

	texts := map[string]string{}
	for name, ttl := range map[string]time.Duration{"eternal": 0, "ci": time.Hour, "short": time.Nanosecond} {
		text, err := server.OperatorToken(t.Context(), o, name, ttl)
		if err != nil {
			t.Fatal(err)
		}
		texts[name] = text
	}
	if _, err := server.OperatorToken(t.Context(), o, " ", 0); err == nil {
		t.Error("a token without a name")
	}
	reeve := servertest.StartOn(t, c.Database.ControlURL, c.Secrets.MasterKeys[0])
	listed := map[string]controldb.AccessToken{}
	tokens, err := server.AccessTokens(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	for _, token := range tokens {
		listed[token.Name] = token
	}
	left := func(name string) time.Duration {
		if listed[name].ExpiresAt == nil {
			return 0
		}
		return listed[name].ExpiresAt.Sub(listed[name].CreatedAt).Round(time.Minute)
	}
	// The fourth is servertest's.
	if len(tokens) != 4 || left("eternal") != 0 || left("ci") != time.Hour || listed["short"].ExpiresAt == nil {
		t.Errorf("tokens: %+v", tokens)
	}
	good := func(name string, want bool) {
		t.Helper()
		if reeve.Server.CheckToken(t.Context(), texts[name]) != want {
			t.Errorf("%s is good: %v", name, !want)
		}
	}
	good("eternal", true)
	good("ci", true)
	good("short", false)
	if err := server.RevokeToken(t.Context(), o, listed["ci"].ID); err != nil {
		t.Fatal(err)
	}
	good("ci", false)
	good("eternal", true)
	for _, id := range []uuid.UUID{listed["ci"].ID, uuid.New()} {
		if err := server.RevokeToken(t.Context(), o, id); !errors.Is(err, controldb.ErrNoAccessToken) {
			t.Errorf("revoke a token that there is not = %v", err)
		}
	}
	// Service tokens too.
	db := reeve.Control(t)
	org, err := db.OrganizationBySlug(t.Context(), "default")
	if err != nil {
		t.Fatal(err)
	}
	var text string
	err = db.Tx(t.Context(), func(tx *controldb.Tx) error {
		_, text, err = tx.CreateServiceToken(t.Context(), db.Hasher(), controldb.ServiceToken{
			OrganizationID: org.ID, Name: "CI", Permissions: []string{"organization:read"}, CreatedBy: uuid.New(), ExpiresAt: time.Now().Add(time.Hour),
		})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	get := func() int {
		return reeve.Do(t, "GET", "/v1/organizations/default", nil, "Authorization", "Bearer "+text).Status
	}
	services, err := server.ServiceTokens(t.Context(), o)
	if err != nil || len(services) != 1 || services[0].Name != "CI" || services[0].OrganizationID != org.ID {
		t.Fatalf("service tokens: %+v, %v", services, err)
	}
	if got := get(); got != 200 {
		t.Errorf("with a service token: %d", got)
	}
	if err := server.RevokeToken(t.Context(), o, services[0].ID); err != nil {
		t.Fatal(err)
	}
	if got := get(); got != 401 {
		t.Errorf("with a service token that is revoked: %d", got)
	}
}
