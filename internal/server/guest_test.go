package server_test

import (
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/reevehq/reeve/internal/server/servertest"
)

// invited invites an address to the default organization and returns the token of
// the mailed link.
func invited(t *testing.T, reeve *servertest.Reeve, p *servertest.Project, email, role string) string {
	t.Helper()
	reeve.Manage(t, http.MethodPost, "/v1/organizations/default/invitations", map[string]any{"email": email, "role": role}).Expect(t, 201)
	conn := servertest.Connect(t, reeve.ControlURL)
	for range 1000 {
		var html string
		err := conn.QueryRow(t.Context(), "SELECT coalesce(max(html), '') FROM inbox_messages WHERE ref = $1 AND recipient = $2 AND html LIKE '%/invite?%'", p.Ref, email).Scan(&html)
		if err != nil {
			t.Fatal(err)
		}
		if found := mailedLink.FindStringSubmatch(html); found != nil {
			return found[1]
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("no link was mailed")
	return ""
}

var mailedLink = regexp.MustCompile(`href="http://reeve\.test/invite\?token=([^"]+)"`)

// TestInvitation_in_a_browser: whoever has the mailed token sees the invitation,
// and without an account accepts it in one step.
func TestInvitation_in_a_browser(t *testing.T) {
	t.Parallel()
	reeve := servertest.Start(t)
	p := platform(t, reeve)
	runPlatform(t, reeve)
	p.Configure(t, map[string]any{"disable_signup": true}) // an invitation is no sign-up by anybody
	token := invited(t, reeve, p, "ann@example.com", "developer")
	show := func(token any) *servertest.Answer {
		return reeve.Do(t, http.MethodPost, "/dashboard/invitation", map[string]any{"token": token}, fromPage()...)
	}
	join := func(body map[string]any) *servertest.Answer {
		return reeve.Do(t, http.MethodPost, "/dashboard/invitation/sign-up", body, fromPage()...)
	}
	shown := show(token).Expect(t, 200)
	if got := shown.JSON(t); got["organization"] != "Default" || got["email"] != "a***@example.com" || got["role"] != "developer" ||
		got["invited_by"] != "operator@reeve.localhost" || got["expires_at"] == nil || strings.Contains(string(shown.Body), "ann@") || shown.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("invitation: %s", shown.Body)
	}
	sound := map[string]any{"token": token, "password": "correct horse battery", "name": "Ann"}
	for name, bad := range map[string]any{"empty": "", "unknown": "x" + token, "long": strings.Repeat("x", 101)} {
		wantCode(t, show(bad), "404 invitation_invalid")
		if got := join(map[string]any{"token": bad, "password": "correct horse battery"}); refusedAs(got) != "404 invitation_invalid" {
			t.Errorf("%s: %d %s", name, got.Status, got.Body)
		}
	}
	wantCode(t, show(5), "400 bad_json")
	wantCode(t, join(map[string]any{"token": token, "password": "x"}), "422 weak_password")
	wantCode(t, join(map[string]any{"token": token, "password": strings.Repeat("x", 73)}), "400 validation_failed")
	wantCode(t, join(map[string]any{"token": token, "password": "correct horse battery", "name": "a\u202eb"}), "400 validation_failed")
	for _, path := range []string{"/dashboard/invitation", "/dashboard/invitation/sign-up"} {
		wantCode(t, reeve.Do(t, http.MethodPost, path, sound, "Host", "reeve.test", "Sec-Fetch-Site", "cross-site"), "403 cross_origin_request")
		wantCode(t, reeve.Do(t, http.MethodPost, path, sound, "Host", p.Ref+".localhost", "Sec-Fetch-Site", "same-origin"), "404 not_found")
	}

	// Of many at once, one joins.
	var wg sync.WaitGroup
	var mu sync.Mutex
	codes := map[string]int{}
	var done *servertest.Answer
	for range 4 {
		wg.Go(func() {
			a := join(sound)
			mu.Lock()
			defer mu.Unlock()
			if codes[refusedAs(a)]++; a.Status == 200 {
				done = a
			}
		})
	}
	wg.Wait()
	if codes["200 "] != 1 || codes["404 invitation_invalid"] != 3 {
		t.Fatalf("answers: %v", codes)
	}
	if got := done.JSON(t); got["user"].(map[string]any)["email"] != "ann@example.com" || got["accepted"].(map[string]any)["organization_slug"] != "default" {
		t.Errorf("answer: %s", done.Body)
	}
	var access string
	for _, set := range done.Header.Values("Set-Cookie") {
		if text, attributes, _ := strings.Cut(set, ";"); strings.Contains(attributes, "Path=/;") {
			access = text
		}
	}
	ann := page(t, reeve, access)
	if got := ann(http.MethodGet, "/v1/organizations/default/permissions", nil).Expect(t, 200).JSON(t); got["role"] != "developer" {
		t.Errorf("role: %v", got)
	}
	if got := ann(http.MethodGet, "/v1/profile", nil).Expect(t, 200).JSON(t); got["name"] != "Ann" {
		t.Errorf("profile: %v", got)
	}
	p.SignIn(t, "ann@example.com", "correct horse battery")
	wantCode(t, show(token), "404 invitation_invalid")
	if log := reeve.Manage(t, http.MethodGet, "/v1/organizations/default/audit-logs", nil).Expect(t, 200); !strings.Contains(string(log.Body), "accept-invitation") {
		t.Errorf("audit log: %s", log.Body)
	}

	// Somebody with an account signs in, and accepts as that person only.
	developer(t, p, "bob@example.com")
	bobs := invited(t, reeve, p, "bob@example.com", "read_only")
	wantCode(t, join(map[string]any{"token": bobs, "password": "correct horse battery"}), "422 email_exists")
	wantCode(t, ann(http.MethodPost, "/v1/invitations/accept", map[string]any{"token": bobs}), "404 invitation_invalid")
	cookie, _ := browserOf(t, reeve, p.SignIn(t, "bob@example.com", "correct horse battery"))
	page(t, reeve, cookie)(http.MethodPost, "/v1/invitations/accept", map[string]any{"token": bobs}).Expect(t, 200)
}

// TestInvitation_of_a_squatted_address: what a stranger began with the address ends,
// with their password.
func TestInvitation_of_a_squatted_address(t *testing.T) {
	t.Parallel()
	reeve := servertest.Start(t)
	p := platform(t, reeve)
	p.Do(t, http.MethodPost, "/signup", map[string]any{"email": "ann@example.com", "password": "of a stranger", "data": map[string]any{"name": "Eve"}}).Expect(t, 200)
	token := invited(t, reeve, p, "ann@example.com", "developer")
	reeve.Do(t, http.MethodPost, "/dashboard/invitation/sign-up", map[string]any{"token": token, "password": "correct horse battery", "name": "Ann"}, fromPage()...).Expect(t, 200)
	if got := p.Do(t, http.MethodPost, "/token?grant_type=password", map[string]any{"email": "ann@example.com", "password": "of a stranger"}); got.Status != 400 {
		t.Errorf("the stranger's password: %d %s", got.Status, got.Body)
	}
	p.SignIn(t, "ann@example.com", "correct horse battery")

	// An inviter who may no longer invite, and an invitation that was revoked.
	other := invited(t, reeve, p, "carl@example.com", "owner")
	conn := servertest.Connect(t, reeve.ControlURL)
	show := func() *servertest.Answer {
		return reeve.Do(t, http.MethodPost, "/dashboard/invitation", map[string]any{"token": other}, fromPage()...)
	}
	show().Expect(t, 200)
	if _, err := conn.Exec(t.Context(), "UPDATE members SET role = 'developer' WHERE role = 'owner'"); err != nil {
		t.Fatal(err)
	}
	wantCode(t, show(), "404 invitation_invalid")
	wantCode(t, reeve.Do(t, http.MethodPost, "/dashboard/invitation/sign-up", map[string]any{"token": other, "password": "correct horse battery"}, fromPage()...), "404 invitation_invalid")
	var n int
	if err := servertest.Connect(t, p.AdminURL(t)).QueryRow(t.Context(), "SELECT count(*) FROM auth.users WHERE email = 'carl@example.com'").Scan(&n); err != nil || n != 0 {
		t.Errorf("%d users: %v", n, err)
	}
}
