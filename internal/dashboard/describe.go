package dashboard

import (
	"net/http"

	"github.com/reevehq/reeve/internal/control/member"
	"github.com/reevehq/reeve/internal/web/control"
)

// Describe adds the routes of browsers to the Management API's OpenAPI document,
// so that a page's types come from one place.
func Describe(api control.API) {
	type tokens struct {
		AccessToken  string `json:"access_token"`
		RefreshToken string `json:"refresh_token"`
	}
	control.Describe[struct{}, Config](api, control.Operation{
		ID: "get-dashboard-config", Method: http.MethodGet, Path: ConfigPath, Tag: "Dashboard",
		Summary: "What a page needs to know before anybody signs in",
	})
	control.Describe[FirstRun, Session](api, control.Operation{
		ID: "finish-first-run", Method: http.MethodPost, Path: FirstRunPath, Tag: "Dashboard",
		Summary: "Give the first operator an account, by the setup link",
	})
	control.Describe[Invitation, member.Shown](api, control.Operation{
		ID: "show-invitation", Method: http.MethodPost, Path: InvitationPath, Tag: "Dashboard", Summary: "Show the invitation of a mailed link",
	})
	control.Describe[Join, Joined](api, control.Operation{
		ID: "sign-up-by-invitation", Method: http.MethodPost, Path: JoinPath, Tag: "Dashboard",
		Summary: "Accept an invitation without an account: sign up with a password",
	})
	control.Describe[struct{}, Session](api, control.Operation{
		ID: "get-dashboard-session", Method: http.MethodGet, Path: Path, Tag: "Dashboard", Summary: "Who is signed in in this browser",
	})
	control.Describe[tokens, Session](api, control.Operation{
		ID: "begin-dashboard-session", Method: http.MethodPost, Path: Path, Tag: "Dashboard",
		Summary: "Exchange the tokens of a session of the platform project for cookies",
	})
	control.Describe[struct{}, Session](api, control.Operation{
		ID: "refresh-dashboard-session", Method: http.MethodPost, Path: RefreshPath, Tag: "Dashboard", Summary: "Continue the browser's session",
	})
	control.Describe[Proof, Session](api, control.Operation{
		ID: "prove-factor", Method: http.MethodPost, Path: ProvePath, Tag: "Dashboard", Summary: "Prove a code of an authenticator app in the browser's session",
	})
	control.Describe[struct{}, struct{}](api, control.Operation{
		ID: "end-dashboard-session", Method: http.MethodDelete, Path: Path, Tag: "Dashboard", Summary: "Sign out", Status: http.StatusNoContent,
	})
}
