package web

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/projectlog"
	"github.com/reevehq/reeve/tenants"
)

// Refused tries are in the log under a digest of the address that the request names,
// and only then.
func TestTries(t *testing.T) {
	t.Parallel()
	tenant := &tenants.Tenant{Ref: "aaaaaaaaaaaaaaaaaaaa", Secrets: tenants.Secrets{OTPKey: []byte("key of the project")}}
	ann, bob := tenant.LogSubject("ann@example.com"), tenant.LogSubject("4915100000000")
	type body struct {
		Email string `json:"email" form:"email"`
		Phone string `json:"phone" form:"phone"`
	}
	for name, c := range map[string]struct {
		body, kind string
		err        error
		want       string // the subject; "" for no entry
	}{
		"address":         {body: `{"email":" Ann@Example.com"}`, err: auth.ErrCredentials, want: ann},
		"number":          {body: `{"phone":"+4915100000000"}`, err: auth.ErrCredentials, want: bob},
		"form":            {body: "email=ann%40example.com", kind: "application/x-www-form-urlencoded", err: auth.ErrOTPExpired, want: ann},
		"copy of a fault": {body: `{"email":"ann@example.com"}`, err: auth.ErrRefreshBanned, want: ann},
		"no address":      {body: `{}`, err: auth.ErrCredentials},
		"another fault":   {body: `{"email":"ann@example.com"}`, err: auth.ErrValidation},
		"not a text":      {body: `{"email":"", "phone": ""}`, err: auth.ErrCredentials},
		"long":            {body: `{"email":"` + strings.Repeat("a", 321) + `"}`, err: auth.ErrCredentials},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := &logStore{}
			log := projectlog.New(store, projectlog.Options{Logger: slog.New(slog.DiscardHandler)})
			engine := gin.New()
			engine.Use(Common{Logger: slog.New(slog.DiscardHandler)}.Handler(), func(g *gin.Context) {
				g.Set(projectLogKey, newProjectLog(g, log, tenant.Ref, netip.MustParseAddr("192.0.2.1")))
				g.Set(scopeKey, &tenants.Scope{Tenant: tenant, Log: projectLog(g)})
			})
			engine.POST("/auth/v1/x", gin.HandlerFunc(Tenant(http.StatusOK, func(context.Context, *tenants.Scope, *body) (any, error) { return nil, c.err })))
			r := httptest.NewRequest(http.MethodPost, "/auth/v1/x", strings.NewReader(c.body))
			if c.kind != "" {
				r.Header.Set("Content-Type", c.kind)
			}
			engine.ServeHTTP(httptest.NewRecorder(), r)
			if err := log.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
			got := ""
			for _, record := range store.records {
				got = record.Subject
				if strings.Contains(record.Message+string(record.Detail), "ann@") || record.Level != projectlog.Info {
					t.Errorf("%+v", record)
				}
			}
			if got != c.want || len(store.records) > 1 || (c.want == "") != (len(store.records) == 0) {
				t.Errorf("%d entries, subject %q, want %q", len(store.records), got, c.want)
			}
		})
	}
	if other := (&tenants.Tenant{Secrets: tenants.Secrets{OTPKey: []byte("another key")}}); other.LogSubject("ann@example.com") == ann {
		t.Error("two projects name an address alike")
	}
}
