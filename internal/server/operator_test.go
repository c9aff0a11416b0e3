package server_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/server"
	"github.com/reevehq/reeve/internal/server/servertest"
)

// fleetOf gives the refs of a page of all projects, and its next.
func fleetOf(t *testing.T, reeve *servertest.Reeve, as, query string) (refs []string, next any) {
	t.Helper()
	page := reeve.Do(t, http.MethodGet, "/v1/operator/projects"+query, nil, "Authorization", "Bearer "+as).Expect(t, 200).JSON(t)
	for _, p := range page["projects"].([]any) {
		refs = append(refs, p.(map[string]any)["ref"].(string))
	}
	return refs, page["next"]
}

// TestOperator: the installation is shown to the sessions of its operators; to all
// others, tokens of operators included, its routes do not exist.
func TestOperator(t *testing.T) {
	t.Parallel()
	reeve := servertest.Start(t)
	db := reeve.Control(t)
	shop, blog := reeve.Project(t, "shop", nil), reeve.Project(t, "blog", nil)
	people := platform(t, reeve)
	id, operator := developer(t, people, "olga@example.com")
	user := uuid.MustParse(id)
	_, stranger := developer(t, people, "stranger@example.com")
	if err := db.Tx(t.Context(), func(tx *controldb.Tx) error { return tx.AddOperator(t.Context(), user, nil) }); err != nil {
		t.Fatal(err)
	}
	personal, err := db.CreateAccessToken(t.Context(), user, "of the operator")
	if err != nil {
		t.Fatal(err)
	}
	theirs := reeve.Do(t, http.MethodPost, "/v1/organizations", map[string]any{"name": "Theirs"}, "Authorization", "Bearer "+operator).Expect(t, 201).JSON(t)["slug"].(string)
	service := reeve.Do(t, http.MethodPost, "/v1/organizations/"+theirs+"/service-tokens", map[string]any{"name": "CI", "expires_in": 3600}, "Authorization", "Bearer "+operator).
		Expect(t, 201).JSON(t)["token"].(string)

	routes := [][2]string{
		{http.MethodGet, "/v1/operator"}, {http.MethodGet, "/v1/operator/organizations"}, {http.MethodGet, "/v1/operator/projects"},
		{http.MethodGet, "/v1/operator/inbox"}, {http.MethodGet, "/v1/operator/jobs"}, {http.MethodPost, "/v1/operator/jobs/1/retry"},
	}
	for _, r := range routes {
		for name, token := range map[string]string{"another person": stranger, "a token of the operator": personal, "a service token": service, "the first operator's token": reeve.Token} {
			if a := reeve.Do(t, r[0], r[1], nil, "Authorization", "Bearer "+token); a.Status != 404 || a.JSON(t)["code"] != "not_found" {
				t.Errorf("%s %s as %s: %d %s", r[0], r[1], name, a.Status, a.Body)
			}
		}
	}

	overview := reeve.Do(t, http.MethodGet, "/v1/operator", nil, "Authorization", "Bearer "+operator).Expect(t, 200).JSON(t)
	if n := overview["projects"].(map[string]any)["active"].(float64); n != 3 { // the platform project too
		t.Errorf("%v active projects: %v", n, overview)
	}
	if s := overview["server"].(map[string]any); s["problem"] != nil || s["max_connections"].(float64) < 1 || s["connections"].(float64) < 1 {
		t.Errorf("the server: %v", s)
	}

	all, next := fleetOf(t, reeve, operator, "")
	if len(all) != 3 || next != nil || !slices.IsSorted(all) || !slices.Contains(all, shop.Ref) {
		t.Errorf("all projects: %v, next %v", all, next)
	}
	first, next := fleetOf(t, reeve, operator, "?limit=2")
	second, end := fleetOf(t, reeve, operator, "?limit=2&after="+next.(string))
	if end != nil || !slices.Equal(append(first, second...), all) {
		t.Errorf("page by page: %v %v", first, second)
	}
	for query, want := range map[string][]string{
		"?q=SHO": {shop.Ref}, "?q=" + blog.Ref[:12]: {blog.Ref}, "?q=%25": nil, "?status=paused": nil, "?trouble=failing": nil, "?trouble=behind": nil, "?trouble=shut_out": nil,
	} {
		if got, _ := fleetOf(t, reeve, operator, query); !slices.Equal(got, want) {
			t.Errorf("projects %s: %v, want %v", query, got, want)
		}
	}

	// What is wrong is found.
	conn := servertest.Connect(t, reeve.ControlURL)
	for _, sql := range []string{
		`UPDATE databases SET attempts = 3, last_error = 'disk full' WHERE ref = '` + shop.Ref + `'`,
		`INSERT INTO shut_outs (ref, offences, offended_at, until, all_roles, cause) VALUES ('` + blog.Ref + `', 2, now(), now() + interval '1 hour', false, 'locks')`,
		`INSERT INTO project_logs (id, ref, at, level, code, message, count) VALUES (gen_random_uuid(), '` + blog.Ref + `', now(), 'error', 'x', 'x', 7)`,
	} {
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	for query, want := range map[string]string{"?trouble=failing": shop.Ref, "?trouble=shut_out": blog.Ref, "?trouble=errors": blog.Ref} {
		if got, _ := fleetOf(t, reeve, operator, query); !slices.Equal(got, []string{want}) {
			t.Errorf("projects %s: %v", query, got)
		}
	}
	if _, err := conn.Exec(t.Context(), `DELETE FROM shut_outs; UPDATE databases SET attempts = 0, last_error = NULL`); err != nil {
		t.Fatal(err)
	}

	found := string(reeve.Do(t, http.MethodGet, "/v1/operator/organizations?q=THEIR", nil, "Authorization", "Bearer "+operator).Expect(t, 200).Body)
	if !strings.Contains(found, `"slug":"`+theirs+`"`) || strings.Contains(found, `"default"`) {
		t.Errorf("organizations: %s", found)
	}

	// An operator who was removed is a stranger from the next request on.
	if err := db.Tx(t.Context(), func(tx *controldb.Tx) error { return tx.RemoveOperator(t.Context(), user) }); err != nil {
		t.Fatal(err)
	}
	for _, r := range routes {
		if a := reeve.Do(t, r[0], r[1], nil, "Authorization", "Bearer "+operator); a.Status != 404 {
			t.Errorf("%s %s as a former operator: %d %s", r[0], r[1], a.Status, a.Body)
		}
	}
}

// TestOperator_jobs: a run that was given up is shown, and tried again.
func TestOperator_jobs(t *testing.T) {
	t.Parallel()
	reeve := servertest.Start(t)
	id, operator := developer(t, platform(t, reeve), "olga@example.com")
	db := reeve.Control(t)
	if err := db.Tx(t.Context(), func(tx *controldb.Tx) error { return tx.AddOperator(t.Context(), uuid.MustParse(id), nil) }); err != nil {
		t.Fatal(err)
	}
	conn := servertest.Connect(t, reeve.ControlURL)
	var run string
	err := conn.QueryRow(t.Context(), `INSERT INTO river.river_job (kind, args, state, attempt, max_attempts, attempted_at, finalized_at, errors)
		VALUES ('of_another_release', '{"ref": "abcdefghijklmnopqrst"}', 'discarded', 5, 5, now(), now(), ARRAY['{"error": "disk full"}'::jsonb]) RETURNING id::text`).Scan(&run)
	if err != nil {
		t.Fatal(err)
	}
	jobs := func() string {
		return string(reeve.Do(t, http.MethodGet, "/v1/operator/jobs", nil, "Authorization", "Bearer "+operator).Expect(t, 200).Body)
	}
	if got := jobs(); !strings.Contains(got, `"error":"disk full"`) || !strings.Contains(got, `"ref":"abcdefghijklmnopqrst"`) || !strings.Contains(got, `"given_up":true`) {
		t.Errorf("jobs: %s", got)
	}
	retry := func(id string) int {
		return reeve.Do(t, http.MethodPost, "/v1/operator/jobs/"+id+"/retry", nil, "Authorization", "Bearer "+operator).Status
	}
	for id, want := range map[string]int{"0": 404, "x": 404, "99999999999999999999": 404, "-1": 404} {
		if got := retry(id); got != want {
			t.Errorf("retry of %s: %d", id, got)
		}
	}
	if got := retry(run); got != 200 {
		t.Fatalf("retry: %d", got)
	}
	if got := retry(run); got != 404 {
		t.Errorf("retry of a run that waits: %d", got)
	}
	if got := jobs(); strings.Contains(got, "disk full") {
		t.Errorf("jobs after it: %s", got)
	}
}

// TestOperatorInbox: the captured mails to people who sign in are shown to operators,
// under reeve dev alone.
func TestOperatorInbox(t *testing.T) {
	t.Parallel()
	for _, dev := range []bool{true, false} {
		reeve := servertest.StartWith(t, func(o *server.Options) { o.Dev = dev })
		db := reeve.Control(t)
		id, operator := developer(t, platform(t, reeve), "olga@example.com")
		if err := db.Tx(t.Context(), func(tx *controldb.Tx) error { return tx.AddOperator(t.Context(), uuid.MustParse(id), nil) }); err != nil {
			t.Fatal(err)
		}
		slug := reeve.Do(t, http.MethodPost, "/v1/organizations", map[string]any{"name": "Inviting"}, "Authorization", "Bearer "+operator).Expect(t, 201).JSON(t)["slug"].(string)
		reeve.Do(t, http.MethodPost, "/v1/organizations/"+slug+"/invitations", map[string]any{"email": "guest@example.com", "role": "developer"}, "Authorization", "Bearer "+operator).Expect(t, 201)
		project, err := db.PlatformProject(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		eventually(t, "the invitation is captured", func() bool {
			mails, err := db.InboxMessages(t.Context(), project.Ref, 10)
			return err == nil && len(mails) == 1
		})
		body := string(reeve.Do(t, http.MethodGet, "/v1/operator/inbox", nil, "Authorization", "Bearer "+operator).Expect(t, 200).Body)
		if strings.Contains(body, "guest@example.com") != dev {
			t.Errorf("dev %v: %s", dev, body)
		}
	}
}
