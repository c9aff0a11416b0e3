package server_test

import (
	"bufio"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/reevehq/reeve/internal/control/authconfig"
	"github.com/reevehq/reeve/internal/server/servertest"
)

// TestTailOfBrowser: an EventSource of the dashboard is known by its cookie, and a
// stop of the server ends it at once.
func TestTailOfBrowser(t *testing.T) {
	t.Parallel()
	reeve := servertest.Start(t)
	p := platform(t, reeve)
	id, _ := developer(t, p, "dev@example.com")
	access, _ := browserOf(t, reeve, p.SignIn(t, "dev@example.com", "correct horse battery"))
	conn := servertest.Connect(t, reeve.ControlURL)
	if _, err := conn.Exec(t.Context(), "INSERT INTO members (organization_id, user_id, role) SELECT id, $1, 'read_only' FROM organizations WHERE slug = 'default'", id); err != nil {
		t.Fatal(err)
	}
	ours := reeve.Project(t, "ours", map[string]any{"disable_signup": true})
	path := reeve.URL + "/v1/projects/" + ours.Ref + "/logs/tail"

	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = "reeve.test"
	for name, value := range map[string]string{"Cookie": access, "Sec-Fetch-Site": "same-origin", "Accept": "text/event-stream"} {
		r.Header.Set(name, value)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != 200 || answer.Header.Get("Content-Type") != "text/event-stream" || answer.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %v", answer.StatusCode, answer.Header)
	}
	refused := ours.Do(t, http.MethodPost, "/signup", map[string]any{"email": "ann@example.com", "password": "correct horse"}).Expect(t, 422)
	in := bufio.NewScanner(answer.Body)
	for in.Scan() && !strings.HasPrefix(in.Text(), "data: ") {
	}
	if !strings.Contains(in.Text(), `"signup_disabled"`) || !strings.Contains(in.Text(), refused.Header.Get("X-Request-Id")) {
		t.Errorf("%s, %v", in.Text(), in.Err())
	}
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	other, err := http.DefaultClient.Do(r)
	if err != nil || other.StatusCode != 403 {
		t.Errorf("from another site: %v, %v", other, err)
	} else {
		_ = other.Body.Close()
	}
	stopped := make(chan struct{})
	go func() {
		reeve.Stop()
		close(stopped)
	}()
	for in.Scan() { // to its end
	}
	select {
	case <-stopped:
	case <-time.After(time.Minute):
		t.Error("a tail holds the server up")
	}
}

// TestTrials: tests of a configuration by the real parts of a server.
func TestTrials(t *testing.T) {
	t.Parallel()
	reeve := servertest.Start(t)
	mails := startMailServer(t)
	p := reeve.Project(t, "tried", nil)
	path := "/v1/projects/" + p.Ref + "/config/auth"
	var sent authconfig.MailTest
	reeve.Manage(t, http.MethodPost, path+"/templates/invite/test", map[string]any{"subject": "Try {{ .SiteURL }}"}).Expect(t, 200).Into(t, &sent)
	if !sent.Accepted || sent.Server != "inbox" || !strings.Contains(sent.To, "operator") {
		t.Errorf("%+v", sent)
	}
	if got := p.Inbox(t, sent.To, 1); got[0].Subject != "Try http://localhost:3000" {
		t.Errorf("%+v", got)
	}
	var tried authconfig.SMTPTest
	reeve.Manage(t, http.MethodPost, path+"/smtp/test", map[string]any{"config": mails.settings(), "send": true}).Expect(t, 200).Into(t, &tried)
	if !tried.OK || !tried.Sent || mails.taken.Load() != 1 {
		t.Errorf("%+v", tried)
	}
	// Not to a stranger, and not without an address.
	strange := servertest.Connect(t, platform(t, reeve).AdminURL(t))
	run(t, strange, "UPDATE auth.users SET email_confirmed_at = NULL")
	wantCode(t, reeve.Manage(t, http.MethodPost, path+"/smtp/test", map[string]any{"send": true, "config": mails.settings()}), "409 address_not_verified")
	wantCode(t, reeve.Manage(t, http.MethodPost, path+"/templates/invite/test", map[string]any{}), "409 address_not_verified")

	// A provider of the project's own.
	var custom authconfig.ProviderTest
	wantCode(t, reeve.Manage(t, http.MethodPost, path+"/providers/custom:acme/test", map[string]any{}), "404 provider_not_found")
	p.Admin(t, http.MethodPost, "/admin/custom-providers", map[string]any{
		"provider_type": "oauth2", "identifier": "custom:acme", "name": "Acme", "client_id": "shop", "client_secret": "s3cret", "enabled": false,
		"authorization_url": "https://127.0.0.1:1/a", "token_url": "https://127.0.0.1:1/t", "userinfo_url": "https://127.0.0.1:1/u",
	}).Expect(t, 201)
	reeve.Manage(t, http.MethodPost, path+"/providers/custom:acme/test", map[string]any{}).Expect(t, 200).Into(t, &custom)
	if custom.OK || custom.Enabled || len(custom.Checks) != 2 || custom.Checks[1].Status != "failed" || custom.CallbackURL != p.URL+"/auth/v1/callback" {
		t.Errorf("%+v", custom)
	}
	for _, c := range custom.Checks {
		if strings.Contains(fmt.Sprint(c), "s3cret") {
			t.Errorf("%+v", c)
		}
	}
}
