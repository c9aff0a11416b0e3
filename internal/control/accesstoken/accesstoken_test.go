package accesstoken_test

import (
	"context"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authz"
	"github.com/reevehq/reeve/internal/control/accesstoken"
	"github.com/reevehq/reeve/internal/control/auditlog"
	"github.com/reevehq/reeve/internal/control/controltest"
	"github.com/reevehq/reeve/internal/control/org"
	"github.com/reevehq/reeve/internal/control/project"
	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/testkit"
	"github.com/reevehq/reeve/tenants"
)

func TestMain(m *testing.M) { testkit.Main(m) }

type world struct {
	*controltest.World
	now time.Time
}

// session is a JWT's form; its middle part is the user's id.
func session(user uuid.UUID) string { return "e30." + user.String() + ".sig" }

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{now: time.Now()}
	w.World = controltest.New(t, func(c *controltest.World) []controltest.Mounter {
		c.Server.Session = func(_ context.Context, token string) (authz.Actor, error) {
			id, err := uuid.Parse(strings.Split(token, ".")[1])
			if err != nil {
				return authz.Actor{}, auth.ErrBadJWT
			}
			return authz.Actor{UserID: id}, nil
		}
		return []controltest.Mounter{
			&org.Handler{Service: &org.Service{DB: c.DB, Authz: c.Authz}},
			&project.Handler{Service: &project.Service{DB: c.DB, Authz: c.Authz, Servers: hosts{}, URL: controltest.URL, Log: c.Log}},
			&auditlog.Handler{Service: &auditlog.Service{DB: c.DB, Authz: c.Authz}},
			&accesstoken.Handler{Service: &accesstoken.Service{DB: c.DB, Authz: c.Authz, Now: func() time.Time { return w.now }}},
		}
	})
	return w
}

type hosts struct{}

// Describe returns fixed ones.
func (hosts) Describe(tenants.Ref) project.DatabaseServer {
	return project.DatabaseServer{Host: "db.example.com", Port: 5432, Version: "17.0"}
}

// Health finds nothing.
func (hosts) Health(context.Context, tenants.Ref) error { return nil }

func (w *world) project(t *testing.T, org controldb.Organization, letter string) string {
	t.Helper()
	ref := strings.Repeat(letter, 20)
	w.Exec(t, "INSERT INTO databases (ref, cluster_id, state) VALUES ($1, 'default', 'assigned')", ref)
	w.Exec(t, "INSERT INTO projects (ref, organization_id, name, status) VALUES ($1, $2, $1, 'active')", ref, org.ID)
	return ref
}

const path = "/v1/profile/access-tokens"

func (w *world) create(t *testing.T, body string) accesstoken.Created {
	t.Helper()
	var out accesstoken.Created
	w.Do(t, session(w.OwnerID), "POST", path, body).Want(t, 201).Into(t, &out)
	return out
}

func TestTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	made := w.create(t, `{"name":" CI "}`)
	w.Do(t, made.Text, "GET", "/v1/organizations/acme", "").Want(t, 200)
	list := w.Do(t, session(w.OwnerID), "GET", path, "").Want(t, 200, made.ID)
	if strings.Contains(string(list.Body), made.Text) {
		t.Error("the list shows the text")
	}
	if got := w.Do(t, w.Stranger, "GET", path, "").Want(t, 200); strings.Contains(string(got.Body), made.ID) {
		t.Error("another user's list shows it")
	}
	w.Do(t, session(uuid.New()), "DELETE", path+"/"+made.ID, "").Refused(t, 404, "access_token_not_found", "")
	w.Do(t, session(w.OwnerID), "DELETE", path+"/no-id", "").Refused(t, 404, "access_token_not_found", "")
	w.Do(t, session(w.OwnerID), "DELETE", path+"/"+made.ID, "").Want(t, 200)
	w.Do(t, made.Text, "GET", "/v1/organizations/acme", "").Refused(t, 401, "unauthorized", "")
}

// No access token makes, prolongs or widens one.
func TestTokens_make_none(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	made := w.create(t, `{"name":"CI","expires_in":60}`)
	for name, token := range map[string]string{"one without a scope": w.Owner, "one that expires": made.Text} {
		w.Do(t, token, "POST", path, `{"name":"another"}`).Refused(t, 403, "session_required", "")
		if name == "one that expires" {
			w.Do(t, token, "DELETE", path+"/"+uuid.NewString(), "").Refused(t, 403, "session_required", "")
		}
	}
	w.Do(t, made.Text, "DELETE", path+"/"+made.ID, "").Want(t, 200) // itself
	w.Do(t, made.Text, "GET", path, "").Refused(t, 401, "unauthorized", "")
}

func TestTokens_expire(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.now = time.Now().Add(-2 * time.Minute)
	made := w.create(t, `{"name":"short","expires_in":60}`)
	w.Do(t, made.Text, "GET", "/v1/organizations", "").Refused(t, 401, "unauthorized", "")
}

func TestTokens_scope(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	mine, other := w.project(t, w.Acme, "m"), w.project(t, w.Acme, "o")
	theirs := w.project(t, w.Rival, "t")
	get := func(token, path string) int { return w.Do(t, token, "GET", path, "").Status }
	rename := func(token, ref string) int {
		return w.Do(t, token, "PATCH", "/v1/projects/"+ref, `{"name":"x"}`).Status
	}

	t.Run("a project", func(t *testing.T) {
		token := w.create(t, `{"name":"p","projects":["`+mine+`"]}`).Text
		for path, want := range map[string]int{
			"/v1/projects/" + mine: 200, "/v1/projects/" + other: 404, "/v1/projects/" + theirs: 404,
			"/v1/organizations/acme": 200, "/v1/organizations/rival": 404,
		} {
			if got := get(token, path); got != want {
				t.Errorf("%s: %d, want %d", path, got, want)
			}
		}
		if got := rename(token, mine); got != 200 {
			t.Errorf("rename: %d", got)
		}
		w.Do(t, token, "POST", "/v1/projects", `{"name":"new","organization_slug":"acme"}`).Refused(t, 403, "forbidden", "")
		list := string(w.Do(t, token, "GET", "/v1/projects", "").Want(t, 200, mine).Body)
		if strings.Contains(list, other) {
			t.Errorf("the list shows another project: %s", list)
		}
		list = string(w.Do(t, token, "GET", "/v1/organizations/acme/projects", "").Want(t, 200, mine).Body)
		if strings.Contains(list, other) {
			t.Errorf("the organization's list shows another project: %s", list)
		}
		list = string(w.Do(t, token, "GET", path, "").Want(t, 200).Body)
		if strings.Count(list, `"id"`) != 1 {
			t.Errorf("the token sees other tokens: %s", list)
		}
	})
	t.Run("an organization", func(t *testing.T) {
		owner, token := w.Member(t, w.Rival, controldb.Owner)
		w.Exec(t, "INSERT INTO members (organization_id, user_id, role) VALUES ($1, $2, 'owner')", w.Acme.ID, owner)
		if got := get(token, "/v1/projects/"+theirs); got != 200 {
			t.Errorf("without a scope: %d", got)
		}
		var made accesstoken.Created
		w.Do(t, session(owner), "POST", path, `{"name":"o","organizations":["acme"]}`).Want(t, 201).Into(t, &made)
		for path, want := range map[string]int{
			"/v1/projects/" + mine: 200, "/v1/projects/" + other: 200, "/v1/projects/" + theirs: 404,
			"/v1/organizations/acme": 200, "/v1/organizations/rival": 404,
		} {
			if got := get(made.Text, path); got != want {
				t.Errorf("%s: %d, want %d", path, got, want)
			}
		}
		if list := string(w.Do(t, made.Text, "GET", "/v1/organizations", "").Body); strings.Contains(list, "rival") {
			t.Errorf("the list shows another organization: %s", list)
		}
	})
	t.Run("permissions", func(t *testing.T) {
		token := w.create(t, `{"name":"r","permissions":["project:read"]}`).Text
		if got := get(token, "/v1/projects/"+mine); got != 200 {
			t.Errorf("read: %d", got)
		}
		if got := rename(token, mine); got != 403 {
			t.Errorf("rename: %d", got)
		}
	})
	t.Run("never more than the user", func(t *testing.T) {
		user, _ := w.Member(t, w.Acme, controldb.ReadOnly)
		var made accesstoken.Created
		w.Do(t, session(user), "POST", path, `{"name":"x","permissions":["project:read","project:update"]}`).Want(t, 201).Into(t, &made)
		if got := rename(made.Text, mine); got != 403 {
			t.Errorf("rename: %d", got)
		}
		w.Exec(t, "DELETE FROM members WHERE user_id = $1", user)
		if got := get(made.Text, "/v1/projects/"+mine); got != 404 {
			t.Errorf("after the member left: %d", got)
		}
	})
	t.Run("refused", func(t *testing.T) {
		for _, body := range []string{
			`{"name":"x","projects":["` + theirs + `"]}`, `{"name":"x","projects":["x"]}`, `{"name":"x","organizations":["rival"]}`,
			`{"name":"x","organizations":["nosuch"]}`, `{"name":"x","permissions":["*"]}`, `{"name":"x","permissions":[]}`,
			`{"name":"x","projects":[]}`, `{"name":""}`, `{"name":"x","expires_in":0}`, `{"name":"x","expires_in":999999999999}`,
		} {
			if got := w.Do(t, session(w.OwnerID), "POST", path, body); got.Status != 400 {
				t.Errorf("%s: %d %s", body, got.Status, got.Body)
			}
		}
	})
}

// The audit log of an organization has the tokens that are for it alone.
func TestTokens_audit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	mine, other := w.project(t, w.Acme, "m"), w.project(t, w.Acme, "o")
	theirs := w.project(t, w.Rival, "t")
	w.Exec(t, "INSERT INTO members (organization_id, user_id, role) VALUES ($1, $2, 'owner')", w.Rival.ID, w.OwnerID)
	type logged struct {
		Entries []struct {
			Action string
			Ref    *string
			Detail struct{ Request struct{ Name string } }
		}
	}
	for name, body := range map[string]string{
		"unlimited": ``, "permissions": `,"permissions":["project:read"]`, "acme": `,"organizations":["acme"]`, "rival": `,"organizations":["rival"]`,
		"mine": `,"projects":["` + mine + `"]`, "two": `,"projects":["` + mine + `","` + other + `"]`,
		"acme and mine": `,"organizations":["acme"],"projects":["` + mine + `"]`,
		"both":          `,"organizations":["acme","rival"]`, "both by projects": `,"projects":["` + mine + `","` + theirs + `"]`,
	} {
		w.create(t, `{"name":"`+name+`"`+body+`}`)
	}
	for slug, want := range map[string]map[string]string{
		"acme": {"acme": "", "mine": mine, "two": "", "acme and mine": ""}, "rival": {"rival": ""},
	} {
		var page logged
		w.Do(t, session(w.OwnerID), "GET", "/v1/organizations/"+slug+"/audit-logs", "").Want(t, 200).Into(t, &page)
		got := map[string]string{}
		for _, e := range page.Entries {
			ref := ""
			if e.Ref != nil {
				ref = *e.Ref
			}
			got[e.Detail.Request.Name] = ref
		}
		if !maps.Equal(got, want) {
			t.Errorf("%s has %v, want %v", slug, got, want)
		}
	}
}

func TestTokens_limit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Exec(t, `INSERT INTO access_tokens (id, user_id, name, hash)
		SELECT gen_random_uuid(), $1, 'x', decode(md5(n::text), 'hex') FROM generate_series(1, 99) n`, w.OwnerID)
	// The owner has one already.
	w.Do(t, session(w.OwnerID), "POST", path, `{"name":"x"}`).Refused(t, 403, "access_token_limit_reached", "")
}

func TestSession_that_is_not_valid(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Do(t, "e30.x.y", "GET", "/v1/organizations", "").Refused(t, 401, "unauthorized", "")
}

// An access token does not get the text of a token that a session created, though
// it sends the same request with the same key.
func TestTokens_replay_is_for_the_same_credential(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	narrow := w.create(t, `{"name":"narrow","permissions":["organization:read"]}`)
	const body = `{"name":"everything"}`
	w.Do(t, session(w.OwnerID), "POST", path, body, "Idempotency-Key", "k").Want(t, 201)
	w.Do(t, session(w.OwnerID), "POST", path, body, "Idempotency-Key", "k").Want(t, 201, `"token":"sbp_`)
	w.Do(t, narrow.Text, "POST", path, body, "Idempotency-Key", "k").Refused(t, 409, "idempotency_key_reused", "")
	w.Do(t, w.Owner, "POST", path, body, "Idempotency-Key", "k").Refused(t, 409, "idempotency_key_reused", "")
}
