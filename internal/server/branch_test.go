package server_test

import (
	"net/http"
	"testing"

	"github.com/reevehq/reeve/internal/server/servertest"
)

// TestBranch: users of a project sign in at its branch with their passwords. No
// key, token or session of one is worth anything at the other, and the branch's
// mails are captured whatever its settings say.
func TestBranch(t *testing.T) {
	t.Parallel()
	reeve := servertest.Start(t)
	source := reeve.Project(t, "shop", map[string]any{"mailer_autoconfirm": true})
	old := source.SignUp(t, "ann@example.com", "correct horse battery")
	source.SignIn(t, "ann@example.com", "correct horse battery")

	var created struct {
		Ref, URL, Status   string
		BranchOf           string `json:"branch_of"`
		ExpiresAt          string `json:"expires_at"`
		PublishableKeyText string `json:"publishable_key"`
		SecretKeyText      string `json:"secret_key"`
	}
	// Requests meanwhile wait, or are refused as unavailable.
	stop, ended := make(chan struct{}), make(chan struct{})
	statuses := map[int]int{}
	go func() {
		defer close(ended)
		for {
			select {
			case <-stop:
				return
			default:
				statuses[source.As(t, old.AccessToken, http.MethodGet, "/user", nil).Status]++
			}
		}
	}()
	reeve.Manage(t, http.MethodPost, "/v1/projects/"+source.Ref+"/branch?reveal=true", map[string]any{"name": "pr-1", "ttl": "1h"}).
		Expect(t, 201).Into(t, &created)
	close(stop)
	<-ended
	for status := range statuses {
		if status != 200 && status != 503 {
			t.Errorf("requests of the source meanwhile: %v", statuses)
		}
	}
	t.Log(statuses)
	if created.BranchOf != source.Ref || created.ExpiresAt == "" || created.Status != "ACTIVE_HEALTHY" {
		t.Fatalf("branch = %+v", created)
	}
	branch := *source
	branch.Ref, branch.PublishableKey, branch.SecretKey = created.Ref, created.PublishableKeyText, created.SecretKeyText

	session := branch.SignIn(t, "ann@example.com", "correct horse battery")
	source.SignIn(t, "ann@example.com", "correct horse battery")
	for name, c := range map[string]struct {
		at    *servertest.Project
		token string
		want  int
	}{
		"own, source": {source, old.AccessToken, 200}, "own, branch": {&branch, session.AccessToken, 200},
		"source's at the branch": {&branch, old.AccessToken, 401}, "branch's at the source": {source, session.AccessToken, 401},
	} {
		if a := c.at.As(t, c.token, http.MethodGet, "/user", nil); a.Status != c.want {
			t.Errorf("%s: %d %s", name, a.Status, a.Body)
		}
	}
	for name, at := range map[string]*servertest.Project{"source": source, "branch": &branch} {
		other, own := session, old
		if at == &branch {
			other, own = old, session
		}
		if a := at.Do(t, http.MethodPost, "/token?grant_type=refresh_token", map[string]any{"refresh_token": other.RefreshToken}); a.Status != 400 {
			t.Errorf("refresh token of the other at the %s: %d %s", name, a.Status, a.Body)
		}
		at.Do(t, http.MethodPost, "/token?grant_type=refresh_token", map[string]any{"refresh_token": own.RefreshToken}).Expect(t, 200)
	}
	if a := reeve.Do(t, http.MethodGet, branch.Auth("/settings"), nil, "apikey", source.PublishableKey); a.Status != 401 {
		t.Errorf("the source's key at the branch: %d", a.Status)
	}

	branch.Configure(t, map[string]any{"smtp_host": "mail.example.com", "smtp_admin_email": "a@example.com"})
	branch.Do(t, http.MethodPost, "/recover", map[string]any{"email": "ann@example.com"}).Expect(t, 200)
	branch.Inbox(t, "ann@example.com", 1)

	var list []struct{ Ref string }
	reeve.Manage(t, http.MethodGet, "/v1/projects/"+source.Ref+"/branch", nil).Expect(t, 200).Into(t, &list)
	if len(list) != 1 || list[0].Ref != branch.Ref {
		t.Errorf("branches = %v", list)
	}
	source.SignUp(t, "bob@example.com", "correct horse battery")
	reeve.Manage(t, http.MethodPost, "/v1/projects/"+branch.Ref+"/reset", nil).Expect(t, 200)
	branch.SignIn(t, "bob@example.com", "correct horse battery")
	if a := branch.As(t, session.AccessToken, http.MethodGet, "/user", nil); a.Status != 403 {
		t.Errorf("a session from before the reset: %d %s", a.Status, a.Body)
	}
	source.SignIn(t, "bob@example.com", "correct horse battery")
	reeve.Manage(t, http.MethodPost, "/v1/projects/"+source.Ref+"/reset", nil).Expect(t, 400)
}
