package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/connector"
	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/internal/projectlog"
	"github.com/reevehq/reeve/internal/ratelimit"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/pool"
)

// logStore keeps the records in memory.
type logStore struct{ records []projectlog.Record }

func (s *logStore) AppendLog(_ context.Context, records []projectlog.Record) error {
	s.records = append(s.records, records...)
	return nil
}

func (s *logStore) TrimLog(context.Context, string, int) error { return nil }

func TestProjectLog(t *testing.T) {
	t.Parallel()
	limited := ratelimit.New(ratelimit.Options{}).Allow(t.Context(), tenants.NewRef(), ratelimit.Rule{Name: "otp/signup", Per: time.Minute}, "")
	for name, c := range map[string]struct {
		err    error
		want   string // "level code"; "" for no entry
		detail string
	}{
		"unclassified":     {err: errors.New("operator's secret"), want: "error unexpected_failure"},
		"paused":           {err: tenants.ErrPaused, want: "warning project_paused"},
		"another's key":    {err: tenants.ErrUnknownKey, want: "warning invalid_api_key"},
		"rate limit":       {err: limited, want: "warning over_request_rate_limit", detail: `{"events":0,"per":"1m0s","rule":"otp/signup"}`},
		"no connection":    {err: fmt.Errorf("acquire: %w", pool.ErrOverCapacity), want: "error over_capacity"},
		"database away":    {err: pool.ErrDatabaseUnavailable.Because(errors.New("dial 10.0.0.5")), want: "error database_unavailable"},
		"time limit":       {err: context.DeadlineExceeded, want: "error request_timeout"},
		"provider refuses": {err: connector.ErrExchange.Because(errors.New("invalid_client")), want: "error provider_exchange_failed", detail: `{"error":"invalid_client"}`},
		"provider is off":  {err: auth.ErrProviderOff, want: "info provider_disabled"},
		"unknown provider": {err: auth.ErrProviderUnknown, want: "info provider_unknown"},
		"state again":      {err: auth.ErrOAuthState, want: "info bad_oauth_state"},
		"code again":       {err: auth.ErrFlowNotFound, want: "info flow_state_not_found"},
		"another verifier": {err: auth.ErrBadVerifier, want: "info bad_code_verifier"},
		"wrong password":   {err: auth.ErrCredentials},
		"used code":        {err: auth.ErrLinkExpired},
		"invalid field":    {err: auth.ErrValidation},
		"conflict":         {err: auth.ErrConflict},
		"unknown":          {err: fault.New(fault.NotFound, "not_found", "")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for how, answer := range map[string]func() (any, error){
				"answered":   func() (any, error) { return nil, c.err },
				"redirected": func() (any, error) { return Redirect{Location: "https://app.example.com/#error", Err: c.err}, nil },
			} {
				if how == "redirected" && errors.Is(c.err, context.DeadlineExceeded) {
					continue // no flow redirects it unclassified
				}
				store := &logStore{}
				log := projectlog.New(store, projectlog.Options{Logger: slog.New(slog.DiscardHandler)})
				engine := gin.New()
				engine.Use(Common{Logger: slog.New(slog.DiscardHandler)}.Handler(), func(g *gin.Context) {
					g.Set(projectLogKey, newProjectLog(g, log, "aaaaaaaaaaaaaaaaaaaa", netip.MustParseAddr("192.0.2.1")))
					g.Set(scopeKey, &tenants.Scope{Tenant: &tenants.Tenant{Ref: "aaaaaaaaaaaaaaaaaaaa"}, Log: projectLog(g)})
				})
				engine.GET("/p/:ref/auth/v1/x", gin.HandlerFunc(Tenant(http.StatusOK, func(context.Context, *tenants.Scope, *None) (any, error) { return answer() })))
				rec := httptest.NewRecorder()
				engine.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/p/aaaaaaaaaaaaaaaaaaaa/auth/v1/x?token=secret", nil))
				if err := log.Flush(t.Context()); err != nil {
					t.Fatal(err)
				}
				got, detail := "", ""
				for _, r := range store.records {
					got, detail = string(r.Level)+" "+r.Code, string(r.Detail)
					if r.Route != "GET /auth/v1/x" || r.ClientIP != "192.0.2.1" || r.RequestIDs[0] != rec.Header().Get("X-Request-Id") || r.Message == "" {
						t.Errorf("%s: %+v", how, r)
					}
				}
				if c.detail == "" && c.want != "" {
					c.detail = "{}"
				}
				if len(store.records) > 1 || got != c.want || detail != c.detail {
					t.Errorf("%s: %d entries, %q %s, want %q %s", how, len(store.records), got, detail, c.want, c.detail)
				}
			}
		})
	}
}
