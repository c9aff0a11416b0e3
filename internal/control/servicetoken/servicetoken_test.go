package servicetoken_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authz"
	"github.com/reevehq/reeve/internal/control/accesstoken"
	"github.com/reevehq/reeve/internal/control/auditlog"
	"github.com/reevehq/reeve/internal/control/controltest"
	"github.com/reevehq/reeve/internal/control/member"
	"github.com/reevehq/reeve/internal/control/org"
	"github.com/reevehq/reeve/internal/control/profile"
	"github.com/reevehq/reeve/internal/control/project"
	"github.com/reevehq/reeve/internal/control/servicetoken"
	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/testkit"
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
	now := func() time.Time { return w.now }
	nobody := func(context.Context, uuid.UUID) (auth.User, error) { return auth.User{}, auth.ErrUserNotFound }
	nobodies := func(context.Context, []uuid.UUID) (map[uuid.UUID]auth.User, error) { return nil, nil }
	w.World = controltest.New(t, func(c *controltest.World) []controltest.Mounter {
		c.Server.Session = func(_ context.Context, token string) (authz.Actor, error) {
			id, err := uuid.Parse(strings.Split(token, ".")[1])
			return authz.Actor{UserID: id}, err
		}
		rows := &controltest.Rows{World: c}
		return []controltest.Mounter{
			&org.Handler{Service: &org.Service{DB: c.DB, Authz: c.Authz}},
			&project.Handler{Service: &project.Service{DB: c.DB, Authz: c.Authz, Provision: rows, Servers: rows, URL: controltest.URL, Log: c.Log, Now: now}},
			&profile.Handler{User: nobody},
			&accesstoken.Handler{Service: &accesstoken.Service{DB: c.DB, Authz: c.Authz, Now: now}},
			&member.Handler{Service: &member.Service{DB: c.DB, Authz: c.Authz, Users: nobodies, Invited: func() {}, Now: now}},
			&auditlog.Handler{Service: &auditlog.Service{DB: c.DB, Authz: c.Authz}},
			&servicetoken.Handler{Service: &servicetoken.Service{DB: c.DB, Authz: c.Authz, Now: now}},
		}
	})
	return w
}

const path = "/v1/organizations/acme/service-tokens"

func (w *world) create(t *testing.T, body string) servicetoken.Created {
	t.Helper()
	var out servicetoken.Created
	w.Do(t, session(w.OwnerID), "POST", path, body).Want(t, 201).Into(t, &out)
	return out
}

func TestServiceTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Do(t, w.Owner, "GET", path, "").Want(t, 200, "[]")
	made := w.create(t, `{"name":" CI ","expires_in":3600}`)
	if !strings.HasPrefix(made.Text, "sbp_") || len(made.Text) != 44 || made.Name != "CI" || made.CreatedBy != w.OwnerID.String() || made.LastUsedAt != nil {
		t.Errorf("%+v", made)
	}
	w.Do(t, made.Text, "GET", "/v1/organizations/acme", "").Want(t, 200)
	list := w.Do(t, w.Administrator, "GET", path, "").Want(t, 200, made.ID, `"last_used_at":"2`)
	if strings.Contains(string(list.Body), made.Text) {
		t.Error("the list shows the text")
	}
	w.Do(t, w.Stranger, "GET", path, "").Refused(t, 404, "organization_not_found", "")
	w.Do(t, w.Developer, "GET", path, "").Refused(t, 403, "forbidden", "")
	w.Do(t, w.Developer, "DELETE", path+"/"+made.ID, "").Refused(t, 403, "forbidden", "")
	w.Do(t, w.Owner, "DELETE", path+"/no-id", "").Refused(t, 404, "service_token_not_found", "")
	w.Do(t, w.Owner, "DELETE", path+"/"+uuid.NewString(), "").Refused(t, 404, "service_token_not_found", "")
	w.Do(t, w.Stranger, "DELETE", "/v1/organizations/rival/service-tokens/"+made.ID, "").Refused(t, 404, "service_token_not_found", "")
	w.Do(t, made.Text, "GET", "/v1/organizations/acme", "").Want(t, 200)
	w.Do(t, w.Administrator, "DELETE", path+"/"+made.ID, "").Want(t, 200, made.ID)
	w.Do(t, made.Text, "GET", "/v1/organizations/acme", "").Refused(t, 401, "unauthorized", "")
}

// Only a session creates one, of somebody who may.
func TestServiceTokens_creators(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const body = `{"name":"x","expires_in":3600}`
	made := w.create(t, `{"name":"CI","expires_in":3600}`)
	w.Do(t, w.Owner, "POST", path, body).Refused(t, 403, "session_required", "")
	w.Do(t, made.Text, "POST", path, body).Refused(t, 403, "forbidden", "")
	for role, status := range map[controldb.Role]int{controldb.Administrator: 201, controldb.Developer: 403, controldb.ReadOnly: 403, controldb.Billing: 403} {
		user, _ := w.Member(t, w.Acme, role)
		if got := w.Do(t, session(user), "POST", path, fmt.Sprintf(`{"name":%q,"expires_in":3600}`, role)); got.Status != status {
			t.Errorf("%s: %d %s", role, got.Status, got.Body)
		}
	}
	stranger, _ := w.Member(t, w.Rival, controldb.Owner)
	w.Do(t, session(stranger), "POST", path, body).Refused(t, 404, "organization_not_found", "")
	w.Do(t, session(w.OwnerID), "POST", path, `{"name":"CI","expires_in":60}`).Refused(t, 409, "conflict", "")
}

// A token allows what was fixed when it was made: at most what its maker may do,
// nothing that is for people, and nothing that its maker gets later.
func TestServiceTokens_permissions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	people := []string{"organization:delete", "member:write", "role:write", "service_token:write"}
	whole := w.create(t, `{"name":"whole","expires_in":3600}`)
	for _, p := range authz.Actions() {
		if want := !slices.Contains(people, string(p)); slices.Contains(whole.Permissions, string(p)) != want {
			t.Errorf("%s: want %v in %v", p, want, whole.Permissions)
		}
	}
	for _, p := range people {
		w.Do(t, session(w.OwnerID), "POST", path, `{"name":"x","expires_in":3600,"permissions":["`+p+`"]}`).Refused(t, 400, "validation_failed", "permissions:")
	}
	// A role that makes tokens, and little else.
	w.Exec(t, `INSERT INTO roles (organization_id, name, permissions) VALUES ($1, 'tokens', '["organization:read","project:read","service_token:write"]')`, w.Acme.ID)
	maker, _ := w.Member(t, w.Acme, "tokens")
	w.Do(t, session(maker), "POST", path, `{"name":"x","expires_in":3600,"permissions":["project:read","project:update"]}`).Refused(t, 403, "forbidden", "")
	var narrow servicetoken.Created
	w.Do(t, session(maker), "POST", path, `{"name":"narrow","expires_in":3600}`).Want(t, 201).Into(t, &narrow)
	if !slices.Equal(narrow.Permissions, []string{"organization:read", "project:read"}) {
		t.Errorf("%v", narrow.Permissions)
	}
	ref := string(w.Project(t, w.Acme, "shop").Project.Ref)
	rename := func(token string) controltest.Response {
		return w.Do(t, token, "PATCH", "/v1/projects/"+ref, `{"name":"x"}`)
	}
	w.Do(t, narrow.Text, "GET", "/v1/projects/"+ref, "").Want(t, 200)
	rename(narrow.Text).Refused(t, 403, "forbidden", "")
	w.Exec(t, "UPDATE members SET role = 'owner' WHERE user_id = $1", maker)
	rename(narrow.Text).Refused(t, 403, "forbidden", "")
	rename(whole.Text).Want(t, 200)
	// Nor does a row that says more.
	w.Exec(t, `UPDATE service_tokens SET permissions = '["member:write","role:write","service_token:write","organization:delete","*"]' WHERE id = $1`, narrow.ID)
	w.Do(t, narrow.Text, "POST", "/v1/organizations/acme/invitations", `{"email":"a@example.com","role":"read_only"}`).Refused(t, 403, "forbidden", "")
	w.Do(t, narrow.Text, "POST", path, `{"name":"y","expires_in":60}`).Refused(t, 403, "forbidden", "")
	rename(narrow.Text).Refused(t, 403, "forbidden", "")
}

// A token is of one organization, or of some projects of it.
func TestServiceTokens_scope(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	mine, other := string(w.Project(t, w.Acme, "mine").Project.Ref), string(w.Project(t, w.Acme, "other").Project.Ref)
	theirs := string(w.Project(t, w.Rival, "theirs").Project.Ref)
	// The maker is an owner of the other organization too: the token is of nobody.
	w.Exec(t, "INSERT INTO members (organization_id, user_id, role) VALUES ($1, $2, 'owner')", w.Rival.ID, w.OwnerID)
	whole := w.create(t, `{"name":"whole","expires_in":3600}`).Text
	narrow := w.create(t, `{"name":"narrow","expires_in":3600,"projects":["`+mine+`","`+mine+`"]}`)
	if len(narrow.Projects) != 1 {
		t.Errorf("%v", narrow.Projects)
	}
	for path, want := range map[string][2]int{
		"/v1/projects/" + mine: {200, 200}, "/v1/projects/" + other: {200, 404}, "/v1/projects/" + theirs: {404, 404},
		"/v1/organizations/acme": {200, 200}, "/v1/organizations/rival": {404, 404}, "/v1/organizations/nosuch": {404, 404},
		"/v1/organizations/acme/members": {200, 403}, "/v1/organizations/rival/members": {404, 404},
		"/v1/organizations/rival/service-tokens": {404, 404}, path: {200, 403},
	} {
		for i, token := range []string{whole, narrow.Text} {
			if got := w.Do(t, token, "GET", path, ""); got.Status != want[i] {
				t.Errorf("%s, token %d: %d %s", path, i, got.Status, got.Body)
			}
		}
	}
	for path, want := range map[string][2][]string{
		"/v1/projects":                    {{mine, other}, {mine}},
		"/v1/organizations":               {{"acme"}, {"acme"}},
		"/v1/organizations/acme/projects": {{mine, other}, {mine}},
	} {
		for i, token := range []string{whole, narrow.Text} {
			body := string(w.Do(t, token, "GET", path, "").Want(t, 200).Body)
			for _, name := range []string{mine, other, theirs, "acme", "rival"} {
				if strings.Contains(body, `"`+name+`"`) != slices.Contains(want[i], name) && (name != "acme" || path == "/v1/organizations") {
					t.Errorf("%s, token %d: %s: %s", path, i, name, body)
				}
			}
		}
	}
	w.Do(t, narrow.Text, "POST", "/v1/projects", `{"name":"new","organization_slug":"acme"}`).Refused(t, 403, "forbidden", "")
	w.Do(t, whole, "POST", "/v1/projects", `{"name":"new","organization_slug":"rival"}`).Refused(t, 404, "organization_not_found", "")
	w.Do(t, whole, "POST", "/v1/projects", `{"name":"new","organization_slug":"acme"}`).Want(t, 201)
	for _, body := range []string{
		`{"name":"x","expires_in":60,"projects":["` + theirs + `"]}`, `{"name":"x","expires_in":60,"projects":["x"]}`, `{"name":"x","expires_in":60,"projects":[]}`,
		`{"name":"x","expires_in":60,"permissions":["*"]}`, `{"name":"x","expires_in":60,"permissions":[]}`, `{"name":"","expires_in":60}`,
		`{"name":"x"}`, `{"name":"x","expires_in":59}`, `{"name":"x","expires_in":31622401}`, `{"name":"x","expires_in":60,"organization_id":"` + w.Rival.ID.String() + `"}`,
	} {
		if got := w.Do(t, session(w.OwnerID), "POST", path, body); got.Status != 400 {
			t.Errorf("%s: %d %s", body, got.Status, got.Body)
		}
	}
}

// What needs a person is refused, and the profile is the token's own.
func TestServiceTokens_are_nobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	made := w.create(t, `{"name":"CI","expires_in":3600}`)
	for _, c := range [][3]string{
		{"GET", "/v1/profile/access-tokens", ""},
		{"POST", "/v1/profile/access-tokens", `{"name":"x"}`},
		{"DELETE", "/v1/profile/access-tokens/" + made.ID, ""},
		{"POST", "/v1/organizations", `{"name":"x"}`},
		{"POST", "/v1/invitations/accept", `{"token":"x"}`},
		{"POST", path, `{"name":"x","expires_in":60}`},
		{"POST", "/v1/organizations/acme/transfer", `{"user_id":"` + w.OwnerID.String() + `"}`},
		{"DELETE", "/v1/organizations/acme/members/" + w.OwnerID.String(), ""},
		{"DELETE", "/v1/organizations/acme/members/" + made.ID, ""},
		{"PATCH", "/v1/organizations/acme/members/" + w.OwnerID.String(), `{"role":"read_only"}`},
		{"POST", "/v1/organizations/acme/roles", `{"name":"x","permissions":["project:read"]}`},
	} {
		if got := w.Do(t, made.Text, c[0], c[1], c[2]); got.Status != 403 {
			t.Errorf("%s %s: %d %s", c[0], c[1], got.Status, got.Body)
		}
	}
	w.Do(t, made.Text, "POST", "/v1/profile/access-tokens", `{"name":"x"}`).Refused(t, 403, "session_required", "")
	w.Do(t, made.Text, "POST", "/v1/organizations", `{"name":"x"}`).Refused(t, 403, "person_required", "")
	w.Do(t, made.Text, "GET", "/v1/profile", "").Want(t, 200, `"username":"CI"`, `"gotrue_id":"`+made.ID, `"primary_email":""`)
	if members := string(w.Do(t, w.Owner, "GET", "/v1/organizations/acme/members", "").Want(t, 200).Body); strings.Contains(members, made.ID) {
		t.Errorf("it is a member: %s", members)
	}
}

// A token outlives its maker's membership, and not its organization or its end.
func TestServiceTokens_end(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	maker, _ := w.Member(t, w.Acme, controldb.Administrator)
	var made servicetoken.Created
	w.Do(t, session(maker), "POST", path, `{"name":"CI","expires_in":3600}`).Want(t, 201).Into(t, &made)
	get := func() int { return w.Do(t, made.Text, "GET", "/v1/organizations/acme", "").Status }
	w.Do(t, w.Owner, "DELETE", "/v1/organizations/acme/members/"+maker.String(), "").Want(t, 200)
	if got := get(); got != 200 {
		t.Errorf("after its maker left: %d", got)
	}
	w.now = time.Now().Add(-2 * time.Hour)
	expired := w.create(t, `{"name":"expired","expires_in":3600}`)
	w.now = time.Now()
	w.Do(t, expired.Text, "GET", "/v1/organizations/acme", "").Refused(t, 401, "unauthorized", "")
	w.Do(t, w.Owner, "GET", path, "").Want(t, 200, expired.ID)

	itself := w.create(t, `{"name":"leaked","expires_in":3600,"permissions":["logs:read"]}`)
	w.Do(t, itself.Text, "DELETE", path+"/"+made.ID, "").Want(t, 403)
	w.Do(t, itself.Text, "DELETE", "/v1/organizations/rival/service-tokens/"+itself.ID, "").Refused(t, 404, "organization_not_found", "")
	w.Do(t, itself.Text, "DELETE", path+"/"+itself.ID, "").Want(t, 200)
	w.Do(t, itself.Text, "GET", "/v1/organizations/acme", "").Refused(t, 401, "unauthorized", "")

	w.Exec(t, "DELETE FROM organizations WHERE slug = 'acme'")
	if got := get(); got != 401 {
		t.Errorf("after the organization's end: %d", got)
	}
}

// The audit log names the token; entries that a killed process left find its
// organization too.
func TestServiceTokens_audit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	made := w.create(t, `{"name":"CI","expires_in":3600}`)
	ref := string(w.Project(t, w.Acme, "shop").Project.Ref)
	w.Do(t, made.Text, "PATCH", "/v1/projects/"+ref, `{"name":"x"}`).Want(t, 200)
	err := w.DB.BeginAudit(t.Context(), controldb.AuditEntry{
		ID: uuid.New(), At: time.Now().Add(-time.Hour), Actor: uuid.MustParse(made.ID), Token: uuid.MustParse(made.ID), Service: "CI", Action: "delete-project", Object: "/v1/projects/" + ref,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.DB.EndLostAudits(t.Context(), time.Now(), 10); err != nil {
		t.Fatal(err)
	}
	var page auditlog.List
	w.Do(t, w.Owner, "GET", "/v1/organizations/acme/audit-logs", "").Want(t, 200).Into(t, &page)
	seen := map[string]bool{}
	for _, e := range page.Entries {
		seen[e.Action] = true
		if named := e.Service != nil && *e.Service == "CI" && *e.Actor == made.ID && *e.Token == made.ID; named != (e.Action != "create-service-token") {
			t.Errorf("%+v", e)
		}
		if strings.Contains(string(e.Detail), made.Text) {
			t.Errorf("the log has the text: %s", e.Detail)
		}
	}
	if !seen["create-service-token"] || !seen["update-project"] || !seen["delete-project"] {
		t.Errorf("entries: %v", seen)
	}
	w.Do(t, w.Owner, "GET", "/v1/organizations/acme/audit-logs/verify", "").Want(t, 200, `"valid":true`)
}

func TestServiceTokens_limit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Exec(t, `INSERT INTO service_tokens (id, organization_id, name, hash, permissions, created_by, expires_at)
		SELECT gen_random_uuid(), $1, n::text, decode(md5(n::text), 'hex'), '[]', $2, now() FROM generate_series(1, 99) n`, w.Acme.ID, w.OwnerID)
	w.Do(t, session(w.OwnerID), "POST", path, `{"name":"last","expires_in":60}`).Want(t, 201)
	w.Do(t, session(w.OwnerID), "POST", path, `{"name":"more","expires_in":60}`).Refused(t, 403, "service_token_limit_reached", "")
}

// The same request with the same key creates one token, for the same credential.
func TestServiceTokens_replay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const body = `{"name":"CI","expires_in":3600}`
	var first, again servicetoken.Created
	w.Do(t, session(w.OwnerID), "POST", path, body, "Idempotency-Key", "k").Want(t, 201).Into(t, &first)
	w.Do(t, session(w.OwnerID), "POST", path, body, "Idempotency-Key", "k").Want(t, 201).Into(t, &again)
	if first.Text != again.Text {
		t.Error("a second token")
	}
	w.Do(t, w.Owner, "POST", path, body, "Idempotency-Key", "k").Refused(t, 409, "idempotency_key_reused", "")
}
