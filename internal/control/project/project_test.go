package project_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/reevehq/reeve/internal/control/controltest"
	"github.com/reevehq/reeve/internal/control/org"
	"github.com/reevehq/reeve/internal/control/project"
	"github.com/reevehq/reeve/internal/testkit"
	"github.com/reevehq/reeve/tenants"
)

func TestMain(m *testing.M) { testkit.Main(m) }

type world struct {
	*controltest.World
	rows    *controltest.Rows
	service *project.Service
}

func newWorld(t *testing.T) *world {
	t.Helper()
	out := &world{rows: &controltest.Rows{Unhealthy: map[tenants.Ref]bool{}}}
	out.World = controltest.New(t, func(w *controltest.World) []controltest.Mounter {
		out.rows.World = w
		out.service = &project.Service{
			DB: w.DB, Authz: w.Authz, Provision: out.rows, Servers: out.rows, URL: controltest.URL, Now: controltest.Now, Log: w.Log,
		}
		return []controltest.Mounter{
			&org.Handler{Service: &org.Service{DB: w.DB, Authz: w.Authz}},
			&project.Handler{Service: out.service},
		}
	})
	return out
}

func (w *world) count(t *testing.T) (n int) {
	t.Helper()
	if err := w.DB.Pool().QueryRow(t.Context(), "SELECT count(*) FROM projects").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestLife(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var created project.Created
	w.Do(t, w.Owner, "POST", "/v1/projects?reveal=true",
		`{"name":" Shop ","organization_slug":"acme","db_pass":"correct-horse","region":"us-east-1","plan":"free","high_availability":false}`).
		Want(t, 201).Golden(t, "create").Into(t, &created)
	if key, ok := tenants.ParseKey(created.SecretKey); !ok || key != tenants.KeySecret {
		t.Errorf("secret_key = %q", created.SecretKey)
	}
	path := "/v1/projects/" + created.Ref
	w.Do(t, w.ReadOnly, "GET", "/v1/projects", "").Want(t, 200).Golden(t, "list")
	w.Do(t, w.ReadOnly, "GET", path, "").Want(t, 200).Golden(t, "get")
	w.Do(t, w.ReadOnly, "GET", "/v1/organizations/acme/projects", "").Want(t, 200).Golden(t, "page")
	w.Do(t, w.Administrator, "PATCH", path, `{"name":"Store"}`).Want(t, 200).Golden(t, "rename")
	w.Do(t, w.ReadOnly, "GET", path, "").Want(t, 200, `"name":"Store"`)
	w.Do(t, w.Stranger, "GET", "/v1/projects", "").Want(t, 200)
	if got := w.Do(t, w.Stranger, "GET", "/v1/projects", ""); string(got.Body) != "[]\n" {
		t.Errorf("a stranger's list: %s", got.Body)
	}
	w.Do(t, w.Owner, "DELETE", path, "").Want(t, 200).Golden(t, "delete")
	w.Do(t, w.Owner, "GET", path, "").Want(t, 200, `"status":"GOING_DOWN"`)
}

func TestCreateRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	cases := map[string]struct {
		body          string
		status        int
		code, message string
	}{
		"no name":              {`{"organization_slug":"acme"}`, 400, "validation_failed", "name: is required"},
		"empty name":           {`{"name":"","organization_slug":"acme"}`, 400, "validation_failed", "name: "},
		"blank name":           {`{"name":"  ","organization_slug":"acme"}`, 400, "validation_failed", "name: "},
		"long name":            {`{"name":"` + strings.Repeat("ü", 257) + `","organization_slug":"acme"}`, 400, "validation_failed", "name: "},
		"control character":    {`{"name":"a\tb","organization_slug":"acme"}`, 400, "validation_failed", "name: "},
		"no organization":      {`{"name":"x"}`, 400, "validation_failed", "organization_slug: is required"},
		"two organizations":    {`{"name":"x","organization_slug":"acme","organization_id":"rival"}`, 400, "validation_failed", "organization_id: "},
		"unknown organization": {`{"name":"x","organization_slug":"nowhere"}`, 404, "organization_not_found", ""},
		"foreign organization": {`{"name":"x","organization_slug":"rival"}`, 404, "organization_not_found", ""},
		"short password":       {`{"name":"x","organization_slug":"acme","db_pass":"1234567"}`, 400, "validation_failed", "db_pass: "},
		"long password":        {`{"name":"x","organization_slug":"acme","db_pass":"` + strings.Repeat("x", 129) + `"}`, 400, "validation_failed", "db_pass: "},
		"unknown field":        {`{"name":"x","organization_slug":"acme","foo":1}`, 400, "validation_failed", "foo: unknown field"},
		"high availability":    {`{"name":"x","organization_slug":"acme","high_availability":true}`, 400, "validation_failed", "high_availability: "},
		"unknown plan":         {`{"name":"x","organization_slug":"acme","plan":"gold"}`, 400, "validation_failed", "plan: "},
		"region of many words": {`{"name":"x","organization_slug":"acme","region":"the moon"}`, 400, "validation_failed", "region: "},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			w.Do(t, w.Owner, "POST", "/v1/projects", c.body).Refused(t, c.status, c.code, c.message)
		})
	}
	if n := w.count(t); n != 0 {
		t.Errorf("%d projects were made by refused requests", n)
	}
	for name, body := range map[string]string{
		"longest name":        `{"name":"` + strings.Repeat("ü", 256) + `","organization_slug":"acme"}`,
		"former name of slug": `{"name":"x","organization_id":"acme"}`,
		"region selection":    `{"name":"x","organization_slug":"acme","region_selection":{"type":"specific","code":"eu-west-1"}}`,
	} {
		t.Run(name, func(t *testing.T) { w.Do(t, w.Owner, "POST", "/v1/projects", body).Want(t, 201) })
	}
	t.Run("quota", func(t *testing.T) {
		w.Exec(t, "UPDATE organizations SET max_projects = 3 WHERE slug = 'acme'")
		w.Do(t, w.Owner, "POST", "/v1/projects", `{"name":"x","organization_slug":"acme"}`).
			Refused(t, 403, "project_limit_reached", "")
	})
}

func TestDeletePlatform(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.Project(t, w.Acme, "Dashboard").Project
	w.Exec(t, "UPDATE projects SET platform = true WHERE ref = $1", string(p.Ref))
	w.Do(t, w.Owner, "DELETE", "/v1/projects/"+string(p.Ref), "").Refused(t, 403, "platform_project", "")
	w.Do(t, w.Owner, "GET", "/v1/projects/"+string(p.Ref), "").Want(t, 200, "ACTIVE_HEALTHY")
}

func TestPause(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.Project(t, w.Acme, "Shop").Project
	at := "/v1/projects/" + string(p.Ref)
	w.Do(t, w.Owner, "POST", at+"/pause", "").Want(t, 200, `"status":"INACTIVE"`)
	w.Do(t, w.Owner, "POST", at+"/restore", "").Want(t, 200, `"status":"ACTIVE_HEALTHY"`)
	w.Exec(t, "UPDATE projects SET platform = true WHERE ref = $1", string(p.Ref))
	for _, what := range []string{"/pause", "/restore"} {
		w.Do(t, w.Owner, "POST", at+what, "").Refused(t, 403, "platform_project", "")
	}
}

func TestStatus(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.Project(t, w.Acme, "Shop").Project
	for status, want := range map[tenants.Status]string{
		"active": "ACTIVE_HEALTHY", "creating": "COMING_UP", "pausing": "PAUSING", "paused": "INACTIVE", "restoring": "RESTORING",
		"failed": "INIT_FAILED", "deleting": "GOING_DOWN",
	} {
		w.Exec(t, "UPDATE projects SET status = $2 WHERE ref = $1", string(p.Ref), string(status))
		w.Do(t, w.ReadOnly, "GET", "/v1/projects/"+string(p.Ref), "").Want(t, 200, `"status":"`+want+`"`)
	}
}

func TestHealth(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p, sick := w.Project(t, w.Acme, "Shop").Project, w.Project(t, w.Acme, "Sick").Project
	w.rows.Unhealthy[sick.Ref] = true
	path := func(ref tenants.Ref, query string) string { return "/v1/projects/" + string(ref) + "/health" + query }
	w.Do(t, w.ReadOnly, "GET", path(p.Ref, "?services=auth&services=db&services=rest"), "").Want(t, 200).Golden(t, "health")
	commas := w.Do(t, w.ReadOnly, "GET", path(p.Ref, "?services=auth,db,rest&timeout_ms=100"), "").Want(t, 200)
	commas.Golden(t, "health")
	w.Do(t, w.ReadOnly, "GET", path(sick.Ref, "?services=auth"), "").Want(t, 200).Golden(t, "health_sick")
	// A service that does not run is left out, and requesting it is no error.
	all := "?services=auth,db,db_postgres_user,pooler,realtime,rest,storage,pg_bouncer"
	w.Do(t, w.ReadOnly, "GET", path(p.Ref, all), "").Want(t, 200).Golden(t, "health_all")
	for _, none := range []string{"?services=rest", "?services=storage,realtime", "?services=pooler&services=pg_bouncer"} {
		if got := w.Do(t, w.ReadOnly, "GET", path(p.Ref, none), "").Want(t, 200); strings.TrimSpace(string(got.Body)) != "[]" {
			t.Errorf("%s answers %s", none, got.Body)
		}
	}
	w.Do(t, w.ReadOnly, "GET", path(p.Ref, ""), "").Want(t, 200, `"auth"`, `"db"`)
	w.Do(t, w.ReadOnly, "GET", path(p.Ref, "?services=,"), "").Want(t, 200, `"auth"`, `"db"`)
	w.Do(t, w.ReadOnly, "GET", path(p.Ref, "?services=mail"), "").Refused(t, 400, "validation_failed", "services: ")
	w.Do(t, w.ReadOnly, "GET", path(p.Ref, "?services=auth&timeout_ms=10001"), "").Refused(t, 400, "validation_failed", "timeout_ms: ")
	w.Exec(t, "UPDATE projects SET status = 'paused' WHERE ref = $1", string(p.Ref))
	w.Do(t, w.ReadOnly, "GET", path(p.Ref, "?services=db"), "").Want(t, 200, `"UNHEALTHY"`, "paused")
}

func TestSetPassword(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ref := w.Project(t, w.Acme, "Shop").Project.Ref
	path := "/v1/projects/" + string(ref) + "/database/password"
	w.Do(t, w.Administrator, "PATCH", path, `{"password":"correct horse"}`).Want(t, 200).Golden(t, "password")
	for _, body := range []string{`{}`, `{"password":"short"}`, `{"password":null}`, `{"password":"` + strings.Repeat("x", 129) + `"}`} {
		w.Do(t, w.Administrator, "PATCH", path, body).Refused(t, 400, "validation_failed", "password: ")
	}
	w.Do(t, w.Developer, "PATCH", path, `{"password":"of a developer"}`).Refused(t, 403, "forbidden", "")
	w.Do(t, w.Stranger, "PATCH", path, `{"password":"of a stranger"}`).Refused(t, 404, "project_not_found", "")
	if got := w.rows.OwnerPasswords[ref]; got != "correct horse" {
		t.Errorf("the password is %q", got)
	}
}

func TestPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, name := range []string{"Beta", "Alpha-1", "Gamma"} {
		w.Project(t, w.Acme, name)
	}
	w.Exec(t, "UPDATE projects SET status = 'paused' WHERE name = 'Beta'")
	for query, want := range map[string]string{
		"":                           "Alpha-1 Beta Gamma",
		"?sort=name_desc":            "Gamma Beta Alpha-1",
		"?sort=created_asc":          "Beta Alpha-1 Gamma",
		"?sort=created_desc&limit=1": "Gamma",
		"?offset=1&limit=1":          "Beta",
		"?offset=9":                  "",
		"?search=PHA-1":              "Alpha-1", // no ref, drawn of letters, holds that too
		"?statuses=INACTIVE,UNKNOWN": "Beta",
	} {
		t.Run(query, func(t *testing.T) {
			var page project.Page
			w.Do(t, w.ReadOnly, "GET", "/v1/organizations/acme/projects"+query, "").Want(t, 200).Into(t, &page)
			var names []string
			for _, p := range page.Projects {
				names = append(names, p.Name)
			}
			if got := strings.Join(names, " "); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

const shop = `{"name":"Shop","organization_slug":"acme"}`

func TestIdempotency(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	send := func(token, key, body string) controltest.Response {
		return w.Do(t, token, "POST", "/v1/projects", body, "Idempotency-Key", key)
	}
	t.Run("the same again", func(t *testing.T) {
		first := send(w.Owner, "same", shop).Want(t, 201)
		again := send(w.Owner, "same", shop).Want(t, 201)
		if string(first.Body) != string(again.Body) {
			t.Errorf("first %s, then %s", first.Body, again.Body)
		}
		if first.Header.Get("Idempotency-Replayed") != "" || again.Header.Get("Idempotency-Replayed") != "true" {
			t.Error("Idempotency-Replayed does not tell which is which")
		}
	})
	t.Run("another request", func(t *testing.T) {
		send(w.Owner, "same", `{"name":"Other","organization_slug":"acme"}`).Refused(t, 409, "idempotency_key_reused", "")
	})
	t.Run("another actor", func(t *testing.T) {
		got := send(w.Administrator, "same", shop).Want(t, 201)
		if got.Header.Get("Idempotency-Replayed") != "" {
			t.Error("an actor got another one's answer")
		}
	})
	t.Run("a refusal gives the key back", func(t *testing.T) {
		send(w.Owner, "refused", `{"name":"x","organization_slug":"nowhere"}`).Want(t, 404)
		send(w.Owner, "refused", shop).Want(t, 201)
	})
	t.Run("a create that is not ready at once", func(t *testing.T) {
		w.rows.Cold = true
		defer func() { w.rows.Cold = false }()
		first := send(w.Owner, "cold", shop).Want(t, 201, "ACTIVE_HEALTHY")
		if again := send(w.Owner, "cold", shop).Want(t, 201); string(again.Body) != string(first.Body) {
			t.Errorf("first %s, then %s", first.Body, again.Body)
		}
	})
	t.Run("sealed at rest", func(t *testing.T) {
		var leaks int
		err := w.DB.Pool().QueryRow(t.Context(),
			`SELECT count(*) FROM idempotency_keys WHERE position('sb_secret_'::bytea IN response) > 0`).Scan(&leaks)
		if err != nil || leaks > 0 {
			t.Errorf("%d answers are readable at rest, %v", leaks, err)
		}
	})
}

func TestIdempotencyUnderWay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	send := func() controltest.Response {
		return w.Do(t, w.Owner, "POST", "/v1/projects", shop, "Idempotency-Key", "k")
	}
	send().Want(t, 201)
	// The state after a process was killed: reserved, nothing stored.
	w.Exec(t, "UPDATE idempotency_keys SET status = NULL, response = NULL, created_at = now()")
	got := send().Refused(t, 409, "idempotency_under_way", "")
	if got.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	w.Exec(t, "UPDATE idempotency_keys SET created_at = now() - interval '61 seconds'")
	send().Want(t, 201)
	if n := w.count(t); n != 2 {
		t.Fatalf("%d projects", n)
	}
	send().Want(t, 201)
	if n := w.count(t); n != 2 {
		t.Errorf("%d projects after a replay", n)
	}
	w.Exec(t, "UPDATE idempotency_keys SET created_at = now() - interval '25 hours'")
	send().Want(t, 201)
	if n := w.count(t); n != 3 {
		t.Errorf("%d projects after the key expired", n)
	}
}

func TestIdempotencyConcurrent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var mu sync.Mutex
	bodies, statuses := map[string]bool{}, map[int]int{}
	var wg sync.WaitGroup
	for range 12 {
		wg.Go(func() {
			got := w.Do(t, w.Owner, "POST", "/v1/projects", shop, "Idempotency-Key", "k")
			mu.Lock()
			defer mu.Unlock()
			statuses[got.Status]++
			if got.Status == 201 {
				bodies[string(got.Body)] = true
			}
		})
	}
	wg.Wait()
	if n := w.count(t); n != 1 || len(bodies) != 1 || statuses[201]+statuses[409] != 12 {
		t.Errorf("%d projects, %d different answers, statuses %v", n, len(bodies), statuses)
	}
}

func TestIdempotencyTakenOver(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	// While the first create is in its transaction, its reservation is taken
	// over.
	_, err := w.DB.Pool().Exec(t.Context(), `CREATE FUNCTION take_over() RETURNS trigger LANGUAGE plpgsql AS $$
		BEGIN UPDATE idempotency_keys SET created_at = created_at + interval '1 second'; RETURN NULL; END $$;
		CREATE TRIGGER take_over AFTER INSERT ON projects FOR EACH ROW EXECUTE FUNCTION take_over()`)
	if err != nil {
		t.Fatal(err)
	}
	w.Do(t, w.Owner, "POST", "/v1/projects", shop, "Idempotency-Key", "k").Refused(t, 409, "idempotency_under_way", "")
	if n := w.count(t); n != 0 {
		t.Errorf("%d projects", n)
	}
}

// TestReveal: the secrets are in the answer only when it was asked for them.
func TestReveal(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for query, want := range map[string]bool{"": false, "?reveal=false": false, "?reveal=true": true} {
		body := string(w.Do(t, w.Owner, "POST", "/v1/projects"+query, shop).Want(t, 201, `"publishable_key":"sb_publishable_`).Body)
		if strings.Contains(body, "sb_secret_") != want || strings.Contains(body, "db_url") != want {
			t.Errorf("%q answers %s", query, body)
		}
	}
}

func TestTimeToLive(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	create := func(ttl string) controltest.Response {
		return w.Do(t, w.Owner, "POST", "/v1/projects", `{"name":"Test","organization_slug":"acme","ttl":"`+ttl+`"}`)
	}
	for _, ttl := range []string{"59s", "721h", "-1h", "0s", "1d", "soon", "1", "9999999h"} {
		create(ttl).Refused(t, 400, "validation_failed", "ttl: ")
	}
	if n := w.count(t); n != 0 {
		t.Errorf("%d projects were made by refused requests", n)
	}
	var made project.Created
	create("90m").Want(t, 201, `"expires_at":"2026-05-04T13:30:00Z"`).Into(t, &made)
	path := "/v1/projects/" + made.Ref
	w.Do(t, w.ReadOnly, "GET", path, "").Want(t, 200, `"expires_at":"2026-05-04T13:30:00Z"`)
	w.Do(t, w.ReadOnly, "GET", "/v1/projects", "").Want(t, 200, `"expires_at":"2026-05-04T13:30:00Z"`)
	w.Do(t, w.Administrator, "PATCH", path, `{"ttl":"720h"}`).Want(t, 200, `"expires_at":"2026-06-03T12:00:00Z"`, `"name":"Test"`)
	w.Do(t, w.Administrator, "PATCH", path, `{"ttl":"1m","name":"Other"}`).Want(t, 200, `"expires_at":"2026-05-04T12:01:00Z"`, `"name":"Other"`)
	w.Do(t, w.Administrator, "PATCH", path, `{"ttl":"1s"}`).Refused(t, 400, "validation_failed", "ttl: ")
	w.Do(t, w.Administrator, "PATCH", path, `{}`).Refused(t, 400, "validation_failed", "name: ")
	w.Do(t, w.Developer, "PATCH", path, `{"ttl":"1h"}`).Refused(t, 403, "forbidden", "")
	w.Do(t, w.Stranger, "PATCH", path, `{"ttl":"1h"}`).Refused(t, 404, "project_not_found", "")

	stays := w.Project(t, w.Acme, "Shop").Project
	w.Do(t, w.Owner, "PATCH", "/v1/projects/"+string(stays.Ref), `{"ttl":"1h","name":"Other"}`).Refused(t, 400, "project_not_ephemeral", "ttl: ")
	if got := w.Do(t, w.Owner, "GET", "/v1/projects/"+string(stays.Ref), "").Want(t, 200, `"name":"Shop"`); strings.Contains(string(got.Body), "expires_at") {
		t.Errorf("it expires: %s", got.Body)
	}

	// Each kind has a quota of its own.
	w.Exec(t, "UPDATE organizations SET max_projects = 1, max_ephemeral_projects = 2 WHERE slug = 'acme'")
	w.Do(t, w.Owner, "POST", "/v1/projects", shop).Refused(t, 403, "project_limit_reached", "")
	create("1h").Want(t, 201)
	create("1h").Refused(t, 403, "ephemeral_project_limit_reached", "")

	w.Exec(t, "UPDATE projects SET status = 'deleting' WHERE ref = $1", made.Ref)
	w.Do(t, w.Owner, "PATCH", path, `{"ttl":"1h"}`).Refused(t, 404, "project_not_found", "")
}
