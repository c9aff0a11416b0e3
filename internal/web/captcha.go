package web

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"

	"github.com/gin-gonic/gin"

	"github.com/reevehq/reeve/tenants"
)

// Captcha verifies the token of a solved captcha.
type Captcha interface {
	Verify(ctx context.Context, sc *tenants.Scope, token string) error
}

// Grants excepts the grants of POST /token that begin with something other than a
// secret which can be guessed.
func Grants(names ...string) func(*http.Request) bool {
	return func(r *http.Request) bool { return slices.Contains(names, r.URL.Query().Get("grant_type")) }
}

// captchaRequest is the member of a request's body that has the token.
type captchaRequest struct {
	Security struct {
		Token string `json:"captcha_token"`
	} `json:"gotrue_meta_security"`
}

// requireCaptcha refuses requests without a solved captcha, for projects that
// require one. Callers with a secret key need none. The body is left for the
// endpoint, which reports what is wrong with one that is not JSON.
func requireCaptcha(captcha Captcha, unless []func(*http.Request) bool) gin.HandlerFunc {
	return func(c *gin.Context) {
		sc := scope(c)
		if !sc.Tenant.Config.CaptchaEnabled || sc.Has(tenants.ScopeServer) || slices.ContainsFunc(unless, func(f func(*http.Request) bool) bool { return f(c.Request) }) {
			return
		}
		body, err := readBody(c)
		if err != nil {
			writeError(c, err)
			return
		}
		c.Request.Body = io.NopCloser(bytes.NewReader(body))
		var req captchaRequest
		_ = json.Unmarshal(body, &req) // no token then
		nameSubject(c, sc.Log)
		if err := captcha.Verify(c.Request.Context(), sc, req.Security.Token); err != nil {
			writeError(c, err)
		}
	}
}
