package server_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/reevehq/reeve/internal/server/servertest"
)

// TestIsolation tries all credentials of project A on project B, at every route
// and by every kind of address. No request may succeed, and nothing may be
// written in either project: so nothing of A's is consumed either.
func TestIsolation(t *testing.T) {
	t.Parallel()
	w := newNeighbours(t)
	for _, l := range []*loot{w.a, w.b} { // fills every cache with the tokens
		l.As(t, l.ann.AccessToken, http.MethodGet, "/user", nil).Expect(t, http.StatusOK)
	}
	beforeA, beforeB := w.a.Fingerprint(t), w.b.Fingerprint(t)
	t.Run("keys", w.foreignKeys)
	t.Run("keys beside the right one", w.foreignKeyBeside)
	t.Run("access token", w.foreignAccessToken)
	t.Run("refresh token", w.foreignRefreshToken)
	t.Run("one-time tokens", w.foreignOneTimeTokens)
	t.Run("code", w.foreignCode)
	t.Run("password", w.foreignPassword)
	t.Run("disagreement", w.disagreement)
	w.a.Fingerprint(t).Same(t, beforeA, "project A")
	w.b.Fingerprint(t).Same(t, beforeB, "project B")

	t.Run("A's own are still good", w.a.spend)
	w.b.Fingerprint(t).Same(t, beforeB, "project B while A was used")
	t.Run("every route of A", w.useA)
	w.b.Fingerprint(t).Same(t, beforeB, "project B while all of A was used")
	t.Run("B's own are still good", w.b.spend)
}

// foreignKeys: A's keys at B's addresses, wherever a key is accepted.
func (w *neighbours) foreignKeys(t *testing.T) {
	for name, key := range w.a.keys() {
		for _, addr := range w.b.named() {
			for _, r := range tenantRoutes {
				what := name + " by " + addr.name + " " + r.String()
				refused(t, w.at(t, addr, r.method, r.at(), r.sample(), "apikey", key), what, 401, "invalid_api_key")
				refused(t, w.at(t, addr, r.method, r.at(), r.sample(), "Authorization", "Bearer "+key), what+" in Authorization", 401, "invalid_api_key")
				code := "invalid_api_key"
				if name == "secret" { // not read there
					code = "no_api_key"
				}
				if a := w.at(t, addr, r.method, withKey(r.at(), key), r.sample()); name != "secret" || r.guard != open {
					refused(t, a, what+" in the query", 401, code)
				}
			}
		}
	}
}

// foreignKeyBeside: A's keys in Authorization with one of B's in apikey. No key
// of A gives its role to a request of B.
func (w *neighbours) foreignKeyBeside(t *testing.T) {
	for name, key := range w.a.keys() {
		for _, addr := range w.b.addresses() {
			for _, r := range tenantRoutes {
				a := w.at(t, addr, r.method, r.at(), r.sample(), "apikey", w.b.PublishableKey, "Authorization", "Bearer "+key)
				refused(t, a, name+" by "+addr.name+" "+r.String(), 401, "invalid_api_key")
			}
		}
	}
}

// foreignAccessToken: A's user, with B's keys. The other routes do not read the
// token.
func (w *neighbours) foreignAccessToken(t *testing.T) {
	for _, key := range []string{w.b.PublishableKey, w.b.SecretKey} {
		for _, addr := range w.b.addresses() {
			for _, r := range tenantRoutes {
				if r.guard != signed && r.guard != byAdmin {
					continue
				}
				// Only an access token names its project, so only it disagrees
				// with the address.
				for bearer, status := range map[string]int{w.a.ann.AccessToken: 401, w.a.ann.RefreshToken: 403, w.a.ann.User.ID: 403} {
					a := w.at(t, addr, r.method, r.at(), r.sample(), "apikey", key, "Authorization", "Bearer "+bearer)
					refused(t, a, addr.name+" "+r.String(), status, "bad_jwt")
				}
			}
		}
	}
	for _, addr := range w.b.addresses() {
		for _, r := range tenantRoutes {
			a := w.at(t, addr, r.method, r.at(), r.sample(), "apikey", w.a.ann.AccessToken)
			refused(t, a, "access token as key by "+addr.name+" "+r.String(), 401, "invalid_api_key")
		}
	}
}

func (w *neighbours) foreignRefreshToken(t *testing.T) {
	w.withKeysOfB(t, func(what string, send sender) {
		a := send(http.MethodPost, "/token?grant_type=refresh_token", map[string]any{"refresh_token": w.a.ann.RefreshToken})
		refused(t, a, what, 400, "refresh_token_not_found")
	})
}

// foreignOneTimeTokens: links and codes that were mailed to A's users; B's
// users with the same addresses have pending ones too.
func (w *neighbours) foreignOneTimeTokens(t *testing.T) {
	for _, l := range w.a.links {
		w.withKeysOfB(t, func(what string, send sender) {
			what += " " + l.verify
			a := send(http.MethodPost, "/verify", map[string]any{"type": l.verify, "token_hash": l.token})
			refused(t, a, what, 403, "otp_expired")
			a = send(http.MethodPost, "/verify", map[string]any{"type": l.verify, "email": l.email, "token": l.code})
			refused(t, a, what+" by code", 403, "otp_expired")
			a = send(http.MethodGet, "/verify?type="+l.verify+"&token="+l.token, nil)
			if to := a.Header.Get("Location"); a.Status != 303 || !strings.Contains(to, "error_code=otp_expired") || strings.Contains(to, "access_token") {
				t.Errorf("%s by link: %d to %q", what, a.Status, to)
			}
		})
	}
}

func (w *neighbours) foreignCode(t *testing.T) {
	w.withKeysOfB(t, func(what string, send sender) {
		for _, verifier := range []string{w.a.verifier, w.b.verifier} {
			a := send(http.MethodPost, "/token?grant_type=pkce", map[string]any{"auth_code": w.a.code, "code_verifier": verifier})
			refused(t, a, what, 404, "flow_state_not_found")
		}
	})
}

func (w *neighbours) foreignPassword(t *testing.T) {
	w.withKeysOfB(t, func(what string, send sender) {
		a := send(http.MethodPost, "/token?grant_type=password", map[string]any{"email": annEmail, "password": annPassword + "a"})
		refused(t, a, what, 400, "invalid_credentials")
	})
}

type sender func(method, path string, body any) *servertest.Answer

// withKeysOfB tries all of B's addresses and keys.
func (w *neighbours) withKeysOfB(t *testing.T, try func(what string, send sender)) {
	t.Helper()
	for name, key := range w.b.keys() {
		for _, addr := range w.b.addresses() {
			if name != "publishable" && addr.name != "path" {
				continue // ten wrong codes are allowed per address
			}
			try(name+" by "+addr.name, func(method, path string, body any) *servertest.Answer {
				return w.at(t, addr, method, path, body, "apikey", key)
			})
		}
	}
}

// disagreement: host, path, key and token must name the same project.
func (w *neighbours) disagreement(t *testing.T) {
	a, b := w.a, w.b
	hostA, pathB := []string{"Host", a.Ref + ".localhost"}, "/p/"+b.Ref+"/auth/v1"
	for _, c := range []struct {
		name, path, key, bearer string
		host                    []string
		status                  int
		code                    string
	}{
		{name: "host A, path B, key A", path: pathB, host: hostA, key: a.PublishableKey, status: 401, code: "project_mismatch"},
		{name: "host A, path B, key B", path: pathB, host: hostA, key: b.PublishableKey, status: 401, code: "project_mismatch"},
		{name: "host A, key B", path: "/auth/v1", host: hostA, key: b.PublishableKey, status: 401, code: "invalid_api_key"},
		{name: "host A, secret key B", path: "/auth/v1", host: hostA, key: b.SecretKey, status: 401, code: "invalid_api_key"},
		{name: "path B, key A", path: pathB, key: a.PublishableKey, status: 401, code: "invalid_api_key"},
		{name: "bare, key A, token B", path: "/auth/v1", key: a.PublishableKey, bearer: b.ann.AccessToken, status: 401, code: "bad_jwt"},
		{name: "host A, key A, token B", path: "/auth/v1", host: hostA, key: a.PublishableKey, bearer: b.ann.AccessToken, status: 401, code: "bad_jwt"},
		{name: "path twice", path: "/p/" + a.Ref + pathB, key: a.PublishableKey, status: 404, code: "not_found"},
		{name: "unknown host", path: "/auth/v1", host: []string{"Host", strings.Repeat("z", 20) + ".localhost"}, key: a.PublishableKey, status: 404, code: "project_not_found"},
		{name: "unknown path", path: "/p/" + strings.Repeat("z", 20) + "/auth/v1", key: a.PublishableKey, status: 404, code: "project_not_found"},
		{name: "upper-case ref", path: "/p/" + strings.ToUpper(a.Ref) + "/auth/v1", key: a.PublishableKey, status: 404, code: "project_not_found"},
		{name: "bare without a key", path: "/auth/v1", status: 401, code: "no_api_key"},
		{name: "bare, key A beside key B", path: "/auth/v1", key: a.PublishableKey, bearer: b.SecretKey, status: 401, code: "invalid_api_key"},
	} {
		for _, route := range []string{"/user", "/admin/users"} {
			headers := append([]string{}, c.host...)
			if c.key != "" {
				headers = append(headers, "apikey", c.key)
			}
			if c.bearer != "" {
				headers = append(headers, "Authorization", "Bearer "+c.bearer)
			}
			refused(t, w.reeve.Do(t, http.MethodGet, c.path+route, nil, headers...), c.name+" "+route, c.status, c.code)
		}
	}
	// Of two headers only the first counts, for the router and for the check.
	for _, keys := range [][]string{{a.SecretKey, b.SecretKey}, {a.PublishableKey, b.SecretKey}} {
		got := w.reeve.Raw(t, http.MethodGet, pathB+"/admin/users", http.Header{"Apikey": keys})
		refused(t, got, "two keys", 401, "invalid_api_key")
	}
}

// spend redeems all one-time tokens of the project's users.
func (l *loot) spend(t *testing.T) {
	l.As(t, l.ann.AccessToken, http.MethodGet, "/user", nil).Expect(t, http.StatusOK)
	l.Do(t, http.MethodPost, "/token?grant_type=refresh_token", map[string]any{"refresh_token": l.ann.RefreshToken}).
		Expect(t, http.StatusOK).Into(t, &l.ann)
	for _, k := range l.links {
		l.Do(t, http.MethodPost, "/verify", map[string]any{"type": k.verify, "token_hash": k.token}).Expect(t, http.StatusOK)
	}
	l.Do(t, http.MethodPost, "/token?grant_type=pkce", map[string]any{"auth_code": l.code, "code_verifier": l.verifier}).
		Expect(t, http.StatusOK)
}

// useA calls every route of A with full rights, including destructive ones: B's
// users have the same ids and addresses.
func (w *neighbours) useA(t *testing.T) {
	for _, r := range tenantRoutes {
		headers := []string{"apikey", w.a.PublishableKey}
		switch r.guard {
		case signed:
			headers = append(headers, "Authorization", "Bearer "+w.a.ann.AccessToken)
		case byAdmin:
			headers = []string{"apikey", w.a.SecretKey}
		}
		a := w.reeve.Do(t, r.method, w.a.Auth(r.at()), r.sample(), headers...)
		if a.Status >= 500 || a.Status == 401 && r.early != 401 {
			t.Errorf("%s: %d %s", r, a.Status, a.Body)
		}
	}
	w.a.Admin(t, http.MethodGet, "/admin/users/"+annID, nil).Refused(t, 404, "user_not_found")
	w.b.Admin(t, http.MethodGet, "/admin/users/"+annID, nil).Expect(t, http.StatusOK)
}

// sample is the body to send, an untyped nil if the route reads none.
func (r tenantRoute) sample() any {
	if r.body == nil {
		return nil
	}
	return r.body
}

func withKey(path, key string) string {
	sep := "?"
	if strings.Contains(path, "?") {
		sep = "&"
	}
	return path + sep + "apikey=" + url.QueryEscape(key)
}

// refused is Answer.Refused without ending the test.
func refused(t *testing.T, a *servertest.Answer, what string, status int, code string) {
	t.Helper()
	if a.Status != status || a.Code(t) != code {
		t.Errorf("%s: %d %s, want %d %s", what, a.Status, a.Body, status, code)
	}
}
