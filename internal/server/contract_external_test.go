package server_test

import (
	"net/http"

	"github.com/reevehq/reeve/internal/server/servertest"
)

func bareGet(path string) func(c *call) *servertest.Answer {
	return func(c *call) *servertest.Answer { return c.bare(c.auto, http.MethodGet, path, nil) }
}

var externalFacts = []fact{
	{name: "authorize, unknown provider", status: 400, code: "validation_failed", ask: bareGet("/authorize?provider=nope")},
	{name: "authorize, none", status: 400, code: "validation_failed", ask: bareGet("/authorize")},
	{
		name: "callback, no state", status: 303, ask: bareGet("/callback?code=x"),
		to: redirectTo{url: site, query: "{error =invalid_request, error_code =bad_oauth_callback, error_description text}"},
	},
	{
		name: "callback, bad state", status: 303, ask: bareGet("/callback?code=x&state=bad"),
		to: redirectTo{url: site, query: "{error =invalid_request, error_code =bad_oauth_state, error_description text}"},
	},
	{
		name: "link identity, linking is off", status: 404, code: "manual_linking_disabled",
		ask: func(c *call) *servertest.Answer {
			return c.as(c.auto, c.user(c.auto).AccessToken, http.MethodGet, "/user/identities/authorize?provider=github", nil)
		},
	},
	{
		name: "unlink identity, linking is off", status: 404, code: "manual_linking_disabled",
		ask: func(c *call) *servertest.Answer {
			s := c.user(c.auto)
			return c.as(c.auto, s.AccessToken, http.MethodDelete, "/user/identities/"+s.User.ID, nil)
		},
	},
}
