package oauth_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/reevehq/reeve/internal/connector"
	"github.com/reevehq/reeve/internal/connector/connectortest"
	"github.com/reevehq/reeve/internal/connector/oauth"
)

// TestDocumentedErrors: what a provider documents as its error reaches the log.
func TestDocumentedErrors(t *testing.T) {
	t.Parallel()
	const json = "application/json"
	for name, c := range map[string]struct {
		status     int
		kind, body string
		want       string
		token      bool // of the token endpoint; else of a profile
	}{
		"google, code":    {400, json, `{"error":"invalid_grant","error_description":"Malformed auth code."}`, "invalid_grant: Malformed auth code.", true},
		"github, code":    {200, json, `{"error":"bad_verification_code","error_description":"The code passed is incorrect or expired.","error_uri":"https://docs.github.com"}`, "bad_verification_code", true},
		"github, client":  {200, "application/x-www-form-urlencoded", "error=incorrect_client_credentials&error_description=wrong", "incorrect_client_credentials", true},
		"facebook, code":  {400, json, `{"error":{"message":"This authorization code has expired.","type":"OAuthException","code":100,"fbtrace_id":"A"}}`, "100: OAuthException: This authorization code has expired.", true},
		"azure, code":     {400, json, `{"error":"invalid_grant","error_description":"AADSTS70008: The provided authorization code has expired.\r\nTrace ID: 1","error_codes":[70008]}`, "AADSTS70008", true},
		"apple, client":   {400, json, `{"error":"invalid_client"}`, "invalid_client", true},
		"slack, code":     {200, json, `{"ok":false,"error":"invalid_code"}`, "invalid_code", true},
		"kakao, code":     {400, json, `{"error":"invalid_grant","error_description":"authorization code not found","error_code":"KOE320"}`, "authorization code not found", true},
		"twitch, code":    {400, json, `{"status":400,"message":"Invalid authorization code"}`, "Invalid authorization code", true},
		"zoom, code":      {400, json, `{"reason":"Invalid authorization code","error":"invalid_request"}`, "invalid_request", true},
		"linkedin, code":  {400, json, `{"error":"invalid_request","error_description":"Unable to retrieve access token: authorization code not found"}`, "authorization code not found", true},
		"x, code":         {400, json, `{"error":"invalid_request","error_description":"Value passed for the authorization code was invalid."}`, "Value passed", true},
		"figma, code":     {400, json, `{"status":400,"err":"Invalid code"}`, "Invalid code", true},
		"HTML":            {400, "text/html", `<html>error</html>`, "status 400", true},
		"github, profile": {401, json, `{"message":"Bad credentials","documentation_url":"https://docs.github.com/rest"}`, "Bad credentials", false},
		"facebook, proof": {400, json, `{"error":{"message":"Invalid appsecret_proof provided in the API argument","type":"GraphMethodException","code":100}}`, "Invalid appsecret_proof", false},
		"discord":         {401, json, `{"message":"401: Unauthorized","code":0}`, "401: Unauthorized", false},
		"spotify":         {403, json, `{"error":{"status":403,"message":"User not registered in the Developer Dashboard"}}`, "User not registered", false},
		"notion":          {401, json, `{"object":"error","status":401,"code":"unauthorized","message":"API token is invalid."}`, "unauthorized: API token is invalid.", false},
		"x, profile":      {403, json, `{"title":"Forbidden","type":"about:blank","status":403,"detail":"client-not-enrolled"}`, "client-not-enrolled", false},
		"x, 1.1":          {401, json, `{"errors":[{"code":32,"message":"Could not authenticate you."}]}`, "32: Could not authenticate you.", false},
		"keycloak":        {403, json, `{"error":"insufficient_scope","error_description":"Missing openid scope"}`, "Missing openid scope", false},
		"no text":         {404, "text/plain", "Not Found", "status 404", false},
		"quotes a secret": {400, json, `{"message":"token bearer-token is bad"}`, "token [redacted] is bad", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := connectortest.New(t)
			d.Answer(tokenURL, c.status, c.kind, c.body)
			calls := oauth.New(d.Client())
			var err error
			want := connector.ErrProfile
			if c.token {
				want = connector.ErrExchange
				_, err = calls.Exchange(t.Context(), oauth.Endpoint{TokenURL: tokenURL}, client, callback)
			} else {
				err = calls.GetJSON(t.Context(), oauth.Request{URL: tokenURL, Bearer: "bearer-token"}, &struct{}{})
			}
			checkFault(t, err, want)
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "provider.example/token") {
				t.Errorf("got %v, want %q in it", err, c.want)
			}
			var status *oauth.StatusError
			if !errors.As(err, &status) || status.Status != c.status {
				t.Errorf("no status in %v", err)
			}
		})
	}
}
