package server_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/reevehq/reeve/internal/config"
	"github.com/reevehq/reeve/internal/server"
	"github.com/reevehq/reeve/internal/server/servertest"
)

// production starts a server as `reeve serve` does.
func production(t *testing.T, options ...servertest.Options) *servertest.Reeve {
	t.Helper()
	return servertest.StartWith(t, func(o *server.Options) { o.Dev = false }, options...)
}

// setupCode is the code of a new setup link.
func setupCode(t *testing.T, reeve *servertest.Reeve) string {
	t.Helper()
	link, err := reeve.Server.SetupLink(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(link)
	if err != nil || u.Host != "reeve.test" || u.Path != "/setup" || len(u.Query().Get("code")) < 26 {
		t.Fatalf("link %q: %v", link, err)
	}
	return u.Query().Get("code")
}

func form(code string) map[string]any {
	return map[string]any{"code": code, "email": "Ada@Example.com", "password": "correct horse battery", "name": "Ada", "organization": "Acme"}
}

func firstRun(t *testing.T, reeve *servertest.Reeve, body any) *servertest.Answer {
	t.Helper()
	return reeve.Do(t, http.MethodPost, "/dashboard/first-run", body, fromPage()...)
}

func dashboardConfig(t *testing.T, reeve *servertest.Reeve) map[string]any {
	t.Helper()
	return reeve.Do(t, http.MethodGet, "/dashboard/config", nil, "Host", "reeve.test").Expect(t, 200).JSON(t)
}

// TestFirstRun: the setup link makes the operator an account once; the browser is
// signed in, and the operator is whom the command line's tokens stand for.
func TestFirstRun(t *testing.T) {
	t.Parallel()
	reeve := production(t)
	if c := dashboardConfig(t, reeve); c["first_run"] != true || c["dev"] != false {
		t.Fatalf("config: %v", c)
	}
	code, another := setupCode(t, reeve), setupCode(t, reeve)
	conn := servertest.Connect(t, reeve.ControlURL)
	var stored int
	if err := conn.QueryRow(t.Context(), "SELECT count(*) FROM setup_links WHERE position(convert_to($1, 'UTF8') IN hash) > 0", code).Scan(&stored); err != nil || stored != 0 {
		t.Fatalf("the code is stored: %d %v", stored, err)
	}
	for name, c := range map[string]struct {
		change map[string]any
		want   string
	}{
		"no code":         {map[string]any{"code": ""}, "403 setup_link_invalid"},
		"a wrong code":    {map[string]any{"code": "x" + code}, "403 setup_link_invalid"},
		"no address":      {map[string]any{"email": "ada"}, "400 validation_failed"},
		"weak password":   {map[string]any{"password": "x"}, "422 weak_password"},
		"no name":         {map[string]any{"name": " "}, "400 validation_failed"},
		"control":         {map[string]any{"organization": "a\u0000b"}, "400 validation_failed"},
		"a wrong type":    {map[string]any{"password": 5}, "400 bad_json"},
		"no organization": {map[string]any{"organization": ""}, "400 validation_failed"},
	} {
		body := form(code)
		for k, v := range c.change {
			body[k] = v
		}
		if got := firstRun(t, reeve, body); refusedAs(got) != c.want {
			t.Errorf("%s: %d %s, want %s", name, got.Status, got.Body, c.want)
		}
	}
	wantCode(t, reeve.Do(t, http.MethodPost, "/dashboard/first-run", form(code), "Host", "reeve.test", "Sec-Fetch-Site", "cross-site"), "403 cross_origin_request")

	operator := reeve.Manage(t, http.MethodGet, "/v1/profile", nil).Expect(t, 200).JSON(t)["gotrue_id"]
	done := firstRun(t, reeve, form(code)).Expect(t, 200)
	if user := done.JSON(t)["user"].(map[string]any); user["email"] != "ada@example.com" || user["id"] != operator {
		t.Fatalf("answer: %s", done.Body)
	}
	var access string
	for _, set := range done.Header.Values("Set-Cookie") {
		if text, attributes, _ := strings.Cut(set, ";"); strings.Contains(attributes, "Path=/;") {
			access = text
		}
	}
	orgs := reeve.Do(t, http.MethodGet, "/v1/organizations", nil, fromPage("Cookie", access)...).Expect(t, 200)
	if !strings.Contains(string(orgs.Body), `"name":"Acme"`) {
		t.Errorf("organizations: %s", orgs.Body)
	}
	log := reeve.Manage(t, http.MethodGet, "/v1/organizations/default/audit-logs", nil).Expect(t, 200)
	if !strings.Contains(string(log.Body), "first-run") || strings.Contains(string(log.Body), "correct horse") {
		t.Errorf("audit log: %s", log.Body)
	}
	for _, c := range []string{code, another} {
		wantCode(t, firstRun(t, reeve, form(c)), "403 setup_link_invalid")
	}
	if link, err := reeve.Server.SetupLink(t.Context()); link != "" || err != nil {
		t.Errorf("another link: %q %v", link, err)
	}
	platform(t, reeve).SignIn(t, "ada@example.com", "correct horse battery")

	// The next start finds the same operator, and makes none.
	again := reeve.Replica(t)
	var users int
	if err := servertest.Connect(t, platform(t, reeve).AdminURL(t)).QueryRow(t.Context(), "SELECT count(*) FROM auth.users").Scan(&users); err != nil || users != 1 {
		t.Errorf("%d users: %v", users, err)
	}
	if got := again.Manage(t, http.MethodGet, "/v1/profile", nil).Expect(t, 200).JSON(t); got["gotrue_id"] != operator || got["primary_email"] != "ada@example.com" {
		t.Errorf("operator of the next start: %v", got)
	}
	if c := dashboardConfig(t, again); c["first_run"] != false {
		t.Errorf("config: %v", c)
	}
}

// TestFirstRun_at_once: of many uses of links at once one succeeds.
func TestFirstRun_at_once(t *testing.T) {
	t.Parallel()
	reeve := production(t)
	codes := []string{setupCode(t, reeve), setupCode(t, reeve)}
	var wg sync.WaitGroup
	var mu sync.Mutex
	got := map[string]int{}
	for i := range 8 {
		wg.Go(func() {
			a := firstRun(t, reeve, form(codes[i%2]))
			mu.Lock()
			defer mu.Unlock()
			got[refusedAs(a)]++
		})
	}
	wg.Wait()
	if got["200 "] != 1 || got["403 setup_link_invalid"] != 7 {
		t.Errorf("answers: %v", got)
	}
}

// TestFirstRun_refused: expired links, guesses, and addresses of others.
func TestFirstRun_refused(t *testing.T) {
	t.Parallel()
	reeve := production(t)
	p := platform(t, reeve)
	conn := servertest.Connect(t, reeve.ControlURL)
	code := setupCode(t, reeve)
	if _, err := conn.Exec(t.Context(), "UPDATE setup_links SET expires_at = $1", time.Now().Add(-time.Second)); err != nil {
		t.Fatal(err)
	}
	wantCode(t, firstRun(t, reeve, form(code)), "403 setup_link_invalid")

	// Somebody has proved the address to be theirs; nobody's sign-up keeps it.
	code = setupCode(t, reeve)
	p.SignUp(t, "ada@example.com", "somebody else's password")
	wantCode(t, firstRun(t, reeve, form(code)), "409 email_exists")
	p.Do(t, http.MethodPost, "/signup", map[string]any{"email": "eve@example.com", "password": "of a stranger"}).Expect(t, 200)
	body := form(code)
	body["email"] = "eve@example.com"
	firstRun(t, reeve, body).Expect(t, 200)
	p.SignIn(t, "eve@example.com", "correct horse battery")

	for range 20 {
		if got := firstRun(t, reeve, form("guess")); got.Status == 429 {
			return
		}
	}
	t.Error("guesses are not limited")
}

// TestFirstRun_not_needed: an operator who can sign in ends the first run.
func TestFirstRun_not_needed(t *testing.T) {
	t.Parallel()
	reeve := production(t)
	code := setupCode(t, reeve)
	p := platform(t, reeve)
	operator := reeve.Manage(t, http.MethodGet, "/v1/profile", nil).Expect(t, 200).JSON(t)["gotrue_id"].(string)
	p.Admin(t, http.MethodPut, "/admin/users/"+operator, map[string]any{"password": "set by recovery"}).Expect(t, 200)
	wantCode(t, firstRun(t, reeve, form(code)), "403 setup_link_invalid")
	if link, err := reeve.Server.SetupLink(t.Context()); link != "" || err != nil {
		t.Errorf("a link: %q %v", link, err)
	}
}

// runPlatform makes the operator an owner of the platform project's organization.
func runPlatform(t *testing.T, reeve *servertest.Reeve) {
	t.Helper()
	_, err := servertest.Connect(t, reeve.ControlURL).Exec(t.Context(), `INSERT INTO members (organization_id, user_id, role)
		SELECT o.id, p.user_id, 'owner' FROM organizations o, operators p WHERE o.slug = 'reeve' ON CONFLICT DO NOTHING`)
	if err != nil {
		t.Fatal(err)
	}
}

// TestDashboardConfig: what a page gets before anybody signs in, from the settings
// of the platform project.
func TestDashboardConfig(t *testing.T) {
	t.Parallel()
	reeve := servertest.Start(t, func(c *config.Config) { c.Mail.Capture = false })
	p := platform(t, reeve)
	runPlatform(t, reeve)
	p.Configure(t, map[string]any{
		"disable_signup": true, "mailer_autoconfirm": true, "password_min_length": 12,
		"password_required_characters":                      "abcdefghijklmnopqrstuvwxyz:ABCDEFGHIJKLMNOPQRSTUVWXYZ:0123456789",
		"security_update_password_require_current_password": true,
		"external_github_enabled":                           true, "external_github_client_id": "id", "external_github_secret": "hunter2",
	})
	answer := reeve.Do(t, http.MethodGet, "/dashboard/config", nil, "Host", "reeve.test").Expect(t, 200)
	if strings.Contains(string(answer.Body), "hunter2") || !strings.HasPrefix(answer.Header.Get("Cache-Control"), "public") {
		t.Errorf("%v %s", answer.Header, answer.Body)
	}
	c := answer.JSON(t)
	auth := c["auth"].(map[string]any)
	methods, passwords := auth["methods"].(map[string]any), auth["passwords"].(map[string]any)
	for name, ok := range map[string]bool{
		"version": c["version"] == "test", "dev": c["dev"] == true && c["first_run"] == false, "mail": c["mail"] == "unsent",
		"sign up": auth["sign_up"] == false && auth["confirm_email"] == false, "email": methods["email"] == true && methods["phone"] == false,
		"providers": len(methods["providers"].([]any)) == 1 && methods["providers"].([]any)[0] == "github",
		"passwords": passwords["min_length"] == 12.0 && len(passwords["required_characters"].([]any)) == 3 && passwords["current_required"] == true,
	} {
		if !ok {
			t.Errorf("%s: %s", name, answer.Body)
		}
	}
	// The key works at the URL.
	u, err := url.Parse(auth["url"].(string))
	if err != nil {
		t.Fatal(err)
	}
	reeve.Do(t, http.MethodGet, u.Path+"/auth/v1/settings", nil, "apikey", auth["publishable_key"].(string)).Expect(t, 200)
	other := reeve.Do(t, http.MethodGet, "/dashboard/config", nil, "Host", p.Ref+".localhost")
	wantCode(t, other, "404 not_found")

	// A project without a key gets one, and mailed links lead to the main host.
	conn := servertest.Connect(t, reeve.ControlURL)
	if _, err := conn.Exec(t.Context(), "DELETE FROM api_keys WHERE ref = $1 AND type = 'publishable'", p.Ref); err != nil {
		t.Fatal(err)
	}
	again := dashboardConfig(t, reeve.Replica(t))["auth"].(map[string]any)
	if key := again["publishable_key"].(string); !strings.HasPrefix(key, "sb_publishable_") || key == auth["publishable_key"] {
		t.Errorf("key %q", key)
	}
	settings := reeve.Manage(t, http.MethodGet, "/v1/projects/"+p.Ref+"/config/auth", nil).Expect(t, 200).JSON(t)
	if settings["site_url"] != "http://reeve.test" {
		t.Errorf("site_url is %v", settings["site_url"])
	}
}

// TestOperators: operators by the command line.
func TestOperators(t *testing.T) {
	t.Parallel()
	reeve := production(t)
	p := platform(t, reeve)
	p.SignUp(t, "bob@example.com", "correct horse battery")
	o := reeve.Options(t)
	if _, err := server.AddOperator(t.Context(), o, "nobody@example.com"); err == nil || !strings.Contains(err.Error(), "nobody has an account") {
		t.Errorf("somebody without an account: %v", err)
	}
	if _, err := server.AddOperator(t.Context(), o, "not an address"); err == nil {
		t.Error("not an address was accepted")
	}
	if link, err := server.OperatorLink(t.Context(), o); err != nil || !strings.HasPrefix(link, "http://reeve.test/setup?code=") {
		t.Errorf("link %q: %v", link, err)
	}
	for range 2 {
		if _, err := server.AddOperator(t.Context(), o, "Bob@example.com"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := server.OperatorLink(t.Context(), o); err == nil {
		t.Error("a setup link for an installation whose operator can sign in")
	}
	found, err := server.Operators(t.Context(), o)
	if err != nil || len(found) != 2 || found[0].Email != "operator@reeve.localhost" || found[1].Email != "bob@example.com" {
		t.Fatalf("operators: %v %v", found, err)
	}
	if _, err := server.RemoveOperator(t.Context(), o, "operator@reeve.localhost"); err != nil {
		t.Error(err)
	}
	if _, err := server.RemoveOperator(t.Context(), o, "operator@reeve.localhost"); err == nil || !strings.Contains(err.Error(), "not found") {
		t.Errorf("removed twice: %v", err)
	}
	if _, err := server.RemoveOperator(t.Context(), o, "bob@example.com"); err == nil || !strings.Contains(err.Error(), "last operator") {
		t.Errorf("the last operator: %v", err)
	}
}
