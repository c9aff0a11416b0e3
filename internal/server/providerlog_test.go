package server_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/reevehq/reeve/internal/server/servertest"
)

const gitlabSecret = "client-secret-of-gitlab"

// TestDeveloperFindsFailingProvider: what a social provider does wrong at a callback
// stands in the project's log under the id of that request, without secrets. The
// browser goes back to the app, and nobody is signed in.
func TestDeveloperFindsFailingProvider(t *testing.T) {
	t.Parallel()
	token := func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"access_token":"of-the-provider","token_type":"Bearer"}`)
	}
	var how atomic.Value // http.HandlerFunc
	double := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { how.Load().(http.HandlerFunc)(w, r) }))
	t.Cleanup(double.Close)
	p := servertest.Start(t).Project(t, "shop", jsonObject{
		"external_gitlab_enabled": true, "external_gitlab_client_id": "app", "external_gitlab_secret": gitlabSecret, "external_gitlab_url": double.URL,
		"site_url": site,
	})
	for name, c := range map[string]struct {
		how   http.HandlerFunc
		code  string // of the entry
		level string
	}{
		"refuses the secret": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, `{"error":"invalid_client","error_description":"bad secret `+r.FormValue("client_secret")+`"}`)
		}, "provider_exchange_failed", "error"},
		"answers the exchange with HTML": {func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "<html>maintenance</html>")
		}, "provider_exchange_failed", "error"},
		"is out of order": {func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "down", http.StatusServiceUnavailable)
		}, "provider_unavailable", "error"},
		"hangs up": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "provider_unavailable", "error"},
		"has no profile": {func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/oauth/token" {
				token(w)
				return
			}
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, `{"message":"insufficient_scope"}`)
		}, "provider_profile_failed", "error"},
		"gives no address": {func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/oauth/token" {
				token(w)
				return
			}
			_, _ = io.WriteString(w, `{"id":7,"name":"Ann"}`)
		}, "provider_without_email", "error"},
	} {
		how.Store(c.how)
		begun := p.Do(t, http.MethodGet, "/authorize?provider=gitlab", nil).Expect(t, http.StatusSeeOther)
		_, state, _ := strings.Cut(begun.Header.Get("Location"), "&state=")
		state, _, _ = strings.Cut(state, "&")
		cookie, _, _ := strings.Cut(begun.Header.Get("Set-Cookie"), ";")
		back := p.Do(t, http.MethodGet, "/callback?code=c&state="+state, nil, "Cookie", cookie)
		if to := back.Header.Get("Location"); back.Status != http.StatusSeeOther || !strings.HasPrefix(to, site+"?") || !strings.Contains(to, "error=") || strings.Contains(to, gitlabSecret) {
			t.Errorf("%s: %d, to %s", name, back.Status, to)
		}
		entry := logged(t, p, back.Header.Get("X-Request-Id"))
		said, _ := entry.Detail["error"].(string)
		if entry.Code != c.code || entry.Level != c.level || entry.Count != 1 || entry.Route != "GET /auth/v1/callback" || strings.Contains(said, gitlabSecret) {
			t.Errorf("%s: entry %+v", name, entry)
		}
	}
	var users []any
	p.Admin(t, http.MethodGet, "/admin/users", nil).Expect(t, http.StatusOK).Into(t, &struct{ Users *[]any }{&users})
	if len(users) != 0 {
		t.Errorf("%d users", len(users))
	}
}
