package member_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/control/controltest"
	"github.com/reevehq/reeve/internal/control/member"
	"github.com/reevehq/reeve/internal/control/org"
	"github.com/reevehq/reeve/internal/control/project"
	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/testkit"
	"github.com/reevehq/reeve/tenants"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// world is a control plane whose platform users are in memory.
type world struct {
	*controltest.World
	mu      sync.Mutex
	users   map[uuid.UUID]auth.User
	now     time.Time
	invited int
	asked   int // how often the platform was
	during  func()
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{users: map[uuid.UUID]auth.User{}, now: controltest.Now()}
	w.World = controltest.New(t, func(c *controltest.World) []controltest.Mounter {
		return []controltest.Mounter{
			&org.Handler{Service: &org.Service{DB: c.DB, Authz: c.Authz}},
			&project.Handler{Service: &project.Service{DB: c.DB, Authz: c.Authz, Servers: hosts{}, URL: controltest.URL, Log: c.Log}},
			&member.Handler{Service: &member.Service{DB: c.DB, Authz: c.Authz, Users: w.known, Now: w.clock, Invited: func() { w.invited++ }}},
		}
	})
	w.users[w.OwnerID] = auth.User{ID: w.OwnerID, Aud: auth.Audience}
	return w
}

// hosts are the addresses of projects' databases.
type hosts struct{}

// Describe returns fixed ones.
func (hosts) Describe(tenants.Ref) project.DatabaseServer {
	return project.DatabaseServer{Host: "db.example.com", Port: 5432, Version: "17.0"}
}

// Health finds nothing.
func (hosts) Health(context.Context, tenants.Ref) error { return nil }

func (w *world) clock() time.Time { return w.now }

func (w *world) known(_ context.Context, ids []uuid.UUID) (map[uuid.UUID]auth.User, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked++
	if w.during != nil {
		w.during()
	}
	out := map[uuid.UUID]auth.User{}
	for _, id := range ids {
		if u, ok := w.users[id]; ok {
			out[id] = u
		}
	}
	return out, nil
}

// person adds a platform user with a confirmed address and returns an access
// token of theirs.
func (w *world) person(t *testing.T, email string) (uuid.UUID, string) {
	t.Helper()
	id, now := uuid.New(), controltest.Now()
	w.users[id] = auth.User{ID: id, Aud: auth.Audience, Email: email, EmailConfirmedAt: &now}
	token, err := w.DB.CreateAccessToken(t.Context(), id, "test")
	if err != nil {
		t.Fatal(err)
	}
	return id, token
}

// project inserts a project of Acme.
func (w *world) project(t *testing.T, ref string) {
	t.Helper()
	w.Exec(t, "INSERT INTO databases (ref, cluster_id, state) VALUES ($1, 'default', 'assigned')", ref)
	w.Exec(t, "INSERT INTO projects (ref, organization_id, name, status) VALUES ($1, $2, $1, 'active')", ref, w.Acme.ID)
}

// token is the text that the mail of the newest invitation would hold.
func (w *world) token(t *testing.T) string {
	t.Helper()
	waiting, err := w.DB.UnsentInvitations(t.Context(), w.now, 100)
	if err != nil || len(waiting) == 0 {
		t.Fatalf("%d invitations wait, %v", len(waiting), err)
	}
	last := waiting[len(waiting)-1]
	if err := w.DB.InvitationSent(t.Context(), last.ID, last.Token, w.now); err != nil {
		t.Fatal(err)
	}
	return last.Token
}

const acme = "/v1/organizations/acme"

func TestMembers_list(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.users[w.OwnerID] = auth.User{ID: w.OwnerID, Email: "owner@example.com"}
	w.Do(t, w.ReadOnly, "GET", acme+"/members", "").Want(t, 200, `"user_name":"owner@example.com"`, `"role_name":"read_only"`)
	w.Do(t, w.Stranger, "GET", acme+"/members", "").Refused(t, 404, "organization_not_found", "")
}

// Who may give which role: the table is the promise that nobody rises above
// themselves or pulls down somebody above.
func TestMembers_change_of_roles(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		by, of, to string
		status     int
	}{
		{"owner", "administrator", "owner", 200},
		{"owner", "administrator", "billing", 200},
		{"administrator", "developer", "administrator", 200},
		{"administrator", "developer", "read_only", 200},
		{"administrator", "developer", "owner", 403},
		{"administrator", "owner", "developer", 403},
		{"administrator", "administrator", "owner", 403}, // themselves
		{"developer", "read_only", "developer", 403},
		{"developer", "developer", "administrator", 403}, // themselves
		{"read_only", "developer", "read_only", 403},
		{"owner", "developer", "king", 400},
		{"owner", "developer", "", 400},
	} {
		t.Run(c.by+" makes "+c.of+" "+c.to, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			tokens := map[string]string{"owner": w.Owner, "administrator": w.Administrator, "developer": w.Developer, "read_only": w.ReadOnly}
			var id uuid.UUID
			members, err := w.DB.MembersOf(t.Context(), w.Acme.ID)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range members {
				if string(m.Role) == c.of {
					id = m.UserID
				}
			}
			w.Do(t, tokens[c.by], "PATCH", acme+"/members/"+id.String(), `{"role":"`+c.to+`"}`).Want(t, c.status)
			held, err := w.DB.RolesOf(t.Context(), id, w.Acme.ID, "")
			want := c.of
			if c.status == 200 {
				want = c.to
			}
			if err != nil || string(held.Organization) != want {
				t.Errorf("the role is %q, want %q (%v)", held.Organization, want, err)
			}
		})
	}
}

func TestMembers_removal_takes_effect_at_once(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.project(t, strings.Repeat("p", 20))
	id, token := w.Member(t, w.Acme, controldb.Developer)
	w.Exec(t, "INSERT INTO project_members (ref, user_id, role) VALUES ($1, $2, 'administrator')", strings.Repeat("p", 20), id)
	w.Do(t, token, "GET", "/v1/projects/"+strings.Repeat("p", 20), "").Want(t, 200)
	w.Do(t, w.Developer, "DELETE", acme+"/members/"+id.String(), "").Refused(t, 403, "forbidden", "")
	w.Do(t, w.Administrator, "DELETE", acme+"/members/"+id.String(), "").Want(t, 200)
	w.Do(t, token, "GET", acme, "").Refused(t, 404, "organization_not_found", "")
	w.Do(t, token, "GET", "/v1/projects/"+strings.Repeat("p", 20), "").Refused(t, 404, "project_not_found", "")
	w.Do(t, w.Administrator, "DELETE", acme+"/members/"+id.String(), "").Refused(t, 404, "member_not_found", "")
	w.Do(t, w.Administrator, "DELETE", acme+"/members/no-id", "").Refused(t, 404, "member_not_found", "")
}

func TestMembers_leave(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id, token := w.Member(t, w.Acme, controldb.ReadOnly)
	w.Do(t, token, "DELETE", acme+"/members/"+id.String(), "").Want(t, 200)
	w.Do(t, token, "GET", acme, "").Refused(t, 404, "organization_not_found", "")
}

func TestMembers_last_owner_stays(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	own := acme + "/members/" + w.OwnerID.String()
	w.Do(t, w.Owner, "DELETE", own, "").Refused(t, 409, "last_owner", "")
	w.Do(t, w.Owner, "PATCH", own, `{"role":"developer"}`).Refused(t, 409, "last_owner", "")
	id, token := w.Member(t, w.Acme, controldb.Owner)
	past, banned := w.now.Add(-time.Hour), w.now.Add(time.Hour)
	for name, u := range map[string]auth.User{
		"deleted": {}, "soft-deleted": {ID: id, Aud: auth.Audience, DeletedAt: &past}, "banned": {ID: id, Aud: auth.Audience, BannedUntil: &banned},
	} {
		if delete(w.users, id); u.ID != uuid.Nil {
			w.users[id] = u
		}
		if got := w.Do(t, w.Owner, "DELETE", own, ""); got.Status != 409 {
			t.Errorf("a %s owner counts: %d", name, got.Status)
		}
	}
	w.users[id] = auth.User{ID: id, Aud: auth.Audience}
	w.Do(t, token, "DELETE", own, "").Want(t, 200)
	w.Do(t, token, "DELETE", acme+"/members/"+id.String(), "").Refused(t, 409, "last_owner", "")
}

// Two owners who remove each other, or both leave, at the same time: one stays.
func TestMembers_last_owner_stays_in_a_race(t *testing.T) {
	t.Parallel()
	for range 5 {
		w := newWorld(t)
		id, token := w.Member(t, w.Acme, controldb.Owner)
		var group sync.WaitGroup
		group.Go(func() { w.Do(t, w.Owner, "DELETE", acme+"/members/"+w.OwnerID.String(), "") })
		group.Go(func() { w.Do(t, token, "DELETE", acme+"/members/"+id.String(), "") })
		group.Wait()
		members, err := w.DB.MembersOf(t.Context(), w.Acme.ID)
		if err != nil {
			t.Fatal(err)
		}
		owners := 0
		for _, m := range members {
			if m.Role == controldb.Owner {
				owners++
			}
		}
		if owners != 1 {
			t.Fatalf("%d owners are left, want 1", owners)
		}
	}
}

// The platform's database is asked once, before the members are locked.
func TestMembers_are_not_locked_while_the_platform_is_asked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var ids []string
	for range 20 {
		id, _ := w.Member(t, w.Acme, controldb.Owner)
		w.users[id] = auth.User{ID: id, Aud: auth.Audience}
		ids = append(ids, id.String())
	}
	w.during = func() {
		var free bool
		err := w.DB.Pool().QueryRow(t.Context(), "SELECT pg_try_advisory_xact_lock(hashtextextended('members of ' || $1::text, 0))", w.Acme.ID).Scan(&free)
		if err != nil || !free {
			t.Errorf("the members are locked: %v", err)
		}
	}
	for _, c := range []struct {
		method, path, body string
		asks               int
	}{
		{"GET", acme + "/members", "", 1},
		{"PATCH", acme + "/members/" + ids[0], `{"role":"developer"}`, 1},
		{"DELETE", acme + "/members/" + ids[1], "", 1},
	} {
		w.asked = 0
		w.Do(t, w.Owner, c.method, c.path, c.body).Want(t, 200)
		if w.asked != c.asks {
			t.Errorf("%s %s: asked %d times, want %d", c.method, c.path, w.asked, c.asks)
		}
	}
}

// Who becomes a member while the platform is asked is asked for too.
func TestMembers_change_while_the_platform_is_asked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := uuid.New()
	w.users[id] = auth.User{ID: id, Aud: auth.Audience}
	w.during = func() {
		if w.asked == 1 {
			w.Exec(t, "INSERT INTO members (organization_id, user_id, role) VALUES ($1, $2, 'owner')", w.Acme.ID, id)
		}
	}
	w.Do(t, w.Owner, "DELETE", acme+"/members/"+w.OwnerID.String(), "").Want(t, 200)
	if w.asked != 2 {
		t.Errorf("asked %d times", w.asked)
	}
}

func TestMembers_transfer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id, token := w.Member(t, w.Acme, controldb.Developer)
	body := `{"user_id":"` + id.String() + `"}`
	w.Do(t, w.Owner, "POST", acme+"/transfer", body).Refused(t, 409, "last_owner", "") // to somebody who is deleted
	until := time.Now().Add(time.Hour)
	w.users[id] = auth.User{ID: id, Aud: auth.Audience, BannedUntil: &until}
	w.Do(t, w.Owner, "POST", acme+"/transfer", body).Refused(t, 409, "last_owner", "")
	w.users[id] = auth.User{ID: id, Aud: auth.Audience}
	w.Do(t, w.Administrator, "POST", acme+"/transfer", body).Refused(t, 403, "forbidden", "")
	w.Do(t, w.Owner, "POST", acme+"/transfer", `{"user_id":"`+uuid.NewString()+`"}`).Refused(t, 404, "member_not_found", "")
	w.Do(t, w.Owner, "POST", acme+"/transfer", `{"user_id":"`+w.OwnerID.String()+`"}`).Want(t, 400)
	w.Do(t, w.Owner, "POST", acme+"/transfer", body).Want(t, 200, `"role_name":"owner"`)
	w.Do(t, w.Owner, "POST", acme+"/transfer", body).Refused(t, 403, "forbidden", "")
	w.Do(t, token, "DELETE", acme+"/members/"+w.OwnerID.String(), "").Want(t, 200)
}

func TestProjectMembers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	mine, other := strings.Repeat("m", 20), strings.Repeat("o", 20)
	w.project(t, mine)
	w.project(t, other)
	id, token := w.person(t, "guest@example.com")
	members := "/v1/projects/" + mine + "/members/"
	// A stranger is invited; they are not just added.
	w.Do(t, w.Administrator, "PUT", members+id.String(), `{"role":"developer"}`).Refused(t, 404, "member_not_found", "")
	w.Do(t, w.Administrator, "POST", acme+"/invitations", `{"email":"guest@example.com","role":"developer","ref":"`+mine+`"}`).Want(t, 201)
	w.Do(t, token, "POST", "/v1/invitations/accept", `{"token":"`+w.token(t)+`"}`).Want(t, 200, `"ref":"`+mine+`"`)
	// They see their project, the name of its organization and nothing else.
	w.Do(t, token, "GET", "/v1/projects/"+mine, "").Want(t, 200)
	w.Do(t, token, "GET", "/v1/projects/"+other, "").Refused(t, 404, "project_not_found", "")
	w.Do(t, token, "GET", acme, "").Want(t, 200)
	w.Do(t, token, "GET", acme+"/members", "").Refused(t, 403, "forbidden", "")
	if got := w.Do(t, token, "GET", "/v1/projects", "").Want(t, 200, mine); strings.Contains(string(got.Body), other) {
		t.Errorf("the list shows another project: %s", got.Body)
	}
	if got := w.Do(t, token, "GET", "/v1/organizations", "").Want(t, 200, "acme"); strings.Contains(string(got.Body), "rival") {
		t.Errorf("the list shows another organization: %s", got.Body)
	}
	// A role in a project gives none in the organization, whatever it is.
	w.Do(t, w.Owner, "PUT", members+id.String(), `{"role":"owner"}`).Want(t, 200)
	w.Do(t, token, "PATCH", "/v1/projects/"+mine, `{"name":"renamed"}`).Want(t, 200)
	w.Do(t, token, "POST", "/v1/projects", `{"name":"new","organization_slug":"acme"}`).Refused(t, 403, "forbidden", "")
	w.Do(t, token, "POST", acme+"/transfer", `{"user_id":"`+id.String()+`"}`).Refused(t, 403, "forbidden", "")
	w.Do(t, token, "POST", acme+"/roles", `{"name":"mine","permissions":[]}`).Refused(t, 403, "forbidden", "")
	// An administrator of the organization cannot take an owner's role away.
	w.Do(t, w.Administrator, "DELETE", members+id.String(), "").Refused(t, 403, "forbidden", "")
	w.Do(t, w.ReadOnly, "GET", "/v1/projects/"+mine+"/members", "").Want(t, 200, "guest@example.com")
	w.Do(t, token, "DELETE", members+id.String(), "").Want(t, 200)
	w.Do(t, token, "GET", "/v1/projects/"+mine, "").Refused(t, 404, "project_not_found", "")
	w.Do(t, token, "GET", acme, "").Refused(t, 404, "organization_not_found", "")
}

func TestRoles(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Do(t, w.ReadOnly, "GET", acme+"/roles", "").Want(t, 200).Golden(t, "roles")
	support := `{"name":"support","description":"Answers users","permissions":["project:read","logs:read","logs:read"]}`
	w.Do(t, w.Developer, "POST", acme+"/roles", support).Refused(t, 403, "forbidden", "")
	w.Do(t, w.Administrator, "POST", acme+"/roles", support).Want(t, 201).Golden(t, "role")
	w.Do(t, w.Administrator, "POST", acme+"/roles", support).Refused(t, 409, "conflict", "")
	for name, body := range map[string]string{
		"a built-in name":    `{"name":"owner","permissions":[]}`,
		"a strange name":     `{"name":"Support Team","permissions":[]}`,
		"no name":            `{"permissions":[]}`,
		"unknown permission": `{"name":"x","permissions":["project:explode"]}`,
		"a wildcard":         `{"name":"x","permissions":["*"]}`,
	} {
		if got := w.Do(t, w.Owner, "POST", acme+"/roles", body); got.Status != 400 {
			t.Errorf("%s: %d %s", name, got.Status, got.Body)
		}
	}
	// Nobody defines a role above themselves.
	w.Do(t, w.Administrator, "POST", acme+"/roles", `{"name":"boss","permissions":["organization:delete"]}`).Refused(t, 403, "forbidden", "")

	id, token := w.Member(t, w.Acme, "support")
	ref := strings.Repeat("s", 20)
	w.project(t, ref)
	w.Do(t, token, "GET", "/v1/projects/"+ref, "").Want(t, 200)
	w.Do(t, token, "PATCH", "/v1/projects/"+ref, `{"name":"x"}`).Refused(t, 403, "forbidden", "")
	w.Do(t, w.Owner, "DELETE", acme+"/roles/support", "").Refused(t, 409, "role_in_use", "")
	// A change of the role is in force with the next request.
	w.Do(t, w.Owner, "PUT", acme+"/roles/support", `{"permissions":["project:read","project:update"]}`).Want(t, 200)
	w.Do(t, token, "PATCH", "/v1/projects/"+ref, `{"name":"x"}`).Want(t, 200)
	w.Do(t, w.Owner, "PUT", acme+"/roles/nosuch", `{"permissions":[]}`).Refused(t, 404, "role_not_found", "")
	w.Do(t, w.Owner, "PATCH", acme+"/members/"+id.String(), `{"role":"read_only"}`).Want(t, 200)
	w.Do(t, w.Owner, "DELETE", acme+"/roles/support", "").Want(t, 200)
	w.Do(t, w.Owner, "PATCH", acme+"/members/"+id.String(), `{"role":"support"}`).Want(t, 400)
	// The same name in another organization is another role.
	w.Do(t, w.Stranger, "POST", "/v1/organizations/rival/roles", `{"name":"support","permissions":["project:delete"]}`).Want(t, 201)
	w.Do(t, token, "DELETE", "/v1/projects/"+ref, "").Refused(t, 403, "forbidden", "")
}

// An invitation from before somebody was removed does not bring them back, whatever
// address it is to.
func TestInvitations_end_with_the_membership(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	mine := strings.Repeat("m", 20)
	w.project(t, mine)
	invite := func(email, ref string) string {
		w.now = w.now.Add(2 * time.Minute)
		w.Do(t, w.Administrator, "POST", acme+"/invitations", `{"email":"`+email+`","role":"developer","ref":"`+ref+`"}`).Want(t, 201)
		return w.token(t)
	}
	id, token := w.person(t, "old@example.com")
	moveTo := func(email string) {
		u := w.users[id]
		u.Email = email
		w.users[id] = u
	}
	accept := func(invitation string) controltest.Response {
		return w.Do(t, token, "POST", "/v1/invitations/accept", `{"token":"`+invitation+`"}`)
	}
	accept(invite("old@example.com", "")).Want(t, 200)
	toOld, toOther := invite("old@example.com", mine), invite("other@example.com", mine)
	moveTo("new@example.com")
	toNew := invite("new@example.com", mine)
	w.now = w.now.Add(time.Minute)
	w.Do(t, w.Owner, "DELETE", acme+"/members/"+id.String(), "").Want(t, 200)
	if open := string(w.Do(t, w.Owner, "GET", acme+"/invitations", "").Want(t, 200).Body); strings.Contains(open, "old@") || strings.Contains(open, "new@") || !strings.Contains(open, "other@") {
		t.Errorf("open: %s", open)
	}
	for email, invitation := range map[string]string{"old@example.com": toOld, "new@example.com": toNew, "other@example.com": toOther} {
		moveTo(email)
		accept(invitation).Refused(t, 404, "invitation_invalid", "")
	}
	// Others may accept one that names them, and a later one counts again.
	_, other := w.person(t, "other@example.com")
	w.Do(t, other, "POST", "/v1/invitations/accept", `{"token":"`+toOther+`"}`).Want(t, 200)
	moveTo("new@example.com")
	accept(invite("new@example.com", "")).Want(t, 200)

	// The same with a role in a project alone.
	accept(invite("new@example.com", mine)).Want(t, 200)
	again := invite("new@example.com", mine)
	w.now = w.now.Add(time.Minute)
	w.Do(t, w.Owner, "DELETE", "/v1/projects/"+mine+"/members/"+id.String(), "").Want(t, 200)
	accept(again).Refused(t, 404, "invitation_invalid", "")
	accept(invite("new@example.com", mine)).Want(t, 200)
}

func TestInvitations(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	invite := func(email, role string) controltest.Response {
		return w.Do(t, w.Administrator, "POST", acme+"/invitations", `{"email":"`+email+`","role":"`+role+`"}`)
	}
	accept := func(as, token string) controltest.Response {
		return w.Do(t, as, "POST", "/v1/invitations/accept", `{"token":"`+token+`"}`)
	}
	id, guest := w.person(t, "Guest@Example.com")
	_, thief := w.person(t, "thief@example.com")
	invite("guest@example.com", "developer").Want(t, 201).Golden(t, "invitation")
	if w.invited != 1 {
		t.Errorf("the mailer was called %d times", w.invited)
	}
	token := w.token(t)
	accept(thief, token).Refused(t, 404, "invitation_invalid", "")
	accept(guest, token+"x").Refused(t, 404, "invitation_invalid", "")
	accept(guest, "").Refused(t, 404, "invitation_invalid", "")
	w.users[id] = auth.User{ID: id, Email: "guest@example.com"}
	accept(guest, token).Refused(t, 404, "invitation_invalid", "") // not confirmed
	now := w.now
	w.users[id] = auth.User{ID: id, Email: "guest@example.com", EmailConfirmedAt: &now}
	accept(guest, token).Want(t, 200).Golden(t, "accepted")
	w.Do(t, guest, "GET", acme, "").Want(t, 200)
	accept(guest, token).Refused(t, 404, "invitation_invalid", "")

	t.Run("refusals", func(t *testing.T) {
		w.Do(t, w.Developer, "POST", acme+"/invitations", `{"email":"a@example.com","role":"read_only"}`).Refused(t, 403, "forbidden", "")
		invite("a@example.com", "owner").Refused(t, 403, "forbidden", "")
		invite("a@example.com", "king").Want(t, 400)
		for _, email := range []string{"", "no address", "a@b@c", "Name <a@example.com>", "a@example.com\\u000d\\u000aBcc: b@example.com"} {
			invite(email, "developer").Want(t, 400)
		}
		w.Do(t, w.Administrator, "POST", acme+"/invitations", `{"email":"a@example.com","role":"developer","ref":"`+strings.Repeat("z", 20)+`"}`).
			Refused(t, 404, "project_not_found", "")
	})
	t.Run("twice", func(t *testing.T) {
		invite("twice@example.com", "developer").Want(t, 201)
		invite("TWICE@example.com", "read_only").Refused(t, 409, "conflict", "")
	})
	t.Run("expired and invited again", func(t *testing.T) {
		_, late := w.person(t, "late@example.com")
		invite("late@example.com", "developer").Want(t, 201)
		old := w.token(t)
		w.now = w.now.Add(8 * 24 * time.Hour)
		accept(late, old).Refused(t, 404, "invitation_invalid", "")
		w.Do(t, w.Owner, "GET", acme+"/invitations", "").Want(t, 200, `"expired":true`)
		invite("late@example.com", "read_only").Want(t, 201)
		accept(late, w.token(t)).Want(t, 200, `"role":"read_only"`)
	})
	t.Run("sent again", func(t *testing.T) {
		_, again := w.person(t, "again@example.com")
		var inv member.Invitation
		invite("again@example.com", "developer").Want(t, 201).Into(t, &inv)
		old := w.token(t)
		path := acme + "/invitations/" + inv.ID + "/resend"
		w.Do(t, w.Administrator, "POST", path, "").Refused(t, 429, "over_email_send_rate_limit", "")
		w.now = w.now.Add(2 * time.Minute)
		w.Do(t, w.Developer, "POST", path, "").Refused(t, 403, "forbidden", "")
		w.Do(t, w.Administrator, "POST", path, "").Want(t, 200)
		accept(again, old).Refused(t, 404, "invitation_invalid", "")
		accept(again, w.token(t)).Want(t, 200)
		w.Do(t, w.Administrator, "POST", path, "").Refused(t, 404, "invitation_not_found", "")
	})
	t.Run("revoked", func(t *testing.T) {
		_, revoked := w.person(t, "revoked@example.com")
		var inv member.Invitation
		invite("revoked@example.com", "developer").Want(t, 201).Into(t, &inv)
		token := w.token(t)
		w.Do(t, w.Stranger, "DELETE", "/v1/organizations/rival/invitations/"+inv.ID, "").Refused(t, 404, "invitation_not_found", "")
		w.Do(t, w.Administrator, "DELETE", acme+"/invitations/"+inv.ID, "").Want(t, 200)
		accept(revoked, token).Refused(t, 404, "invitation_invalid", "")
	})
	t.Run("the inviter lost the right", func(t *testing.T) {
		_, late := w.person(t, "victim@example.com")
		boss, bossToken := w.Member(t, w.Acme, controldb.Administrator)
		w.Do(t, bossToken, "POST", acme+"/invitations", `{"email":"victim@example.com","role":"administrator"}`).Want(t, 201)
		token := w.token(t)
		w.Do(t, w.Owner, "DELETE", acme+"/members/"+boss.String(), "").Want(t, 200)
		accept(late, token).Refused(t, 404, "invitation_invalid", "")
	})
	t.Run("mails to one address", func(t *testing.T) {
		var inv member.Invitation
		again := func() controltest.Response {
			return invite("stranger@example.com", "developer")
		}
		for i := range 5 {
			again().Want(t, 201).Into(t, &inv)
			w.Do(t, w.Administrator, "DELETE", acme+"/invitations/"+inv.ID, "").Want(t, 200)
			if i == 0 {
				again().Refused(t, 429, "over_email_send_rate_limit", "")
			}
			w.now = w.now.Add(2 * time.Minute)
		}
		again().Refused(t, 429, "over_email_send_rate_limit", "")
		w.now = w.now.Add(25 * time.Hour)
		again().Want(t, 201)
	})
	t.Run("of somebody who was removed", func(t *testing.T) {
		back, backToken := w.person(t, "back@example.com")
		invite("back@example.com", "developer").Want(t, 201)
		token := w.token(t)
		w.Exec(t, "INSERT INTO members (organization_id, user_id, role) VALUES ($1, $2, 'developer')", w.Acme.ID, back)
		w.Do(t, w.Administrator, "DELETE", acme+"/members/"+back.String(), "").Want(t, 200)
		accept(backToken, token).Refused(t, 404, "invitation_invalid", "")
	})
	t.Run("a member already", func(t *testing.T) {
		invite("guest@example.com", "administrator").Want(t, 201)
		accept(guest, w.token(t)).Refused(t, 409, "conflict", "")
	})
}

// One token is accepted once, however many ask at the same time.
func TestInvitations_race(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, guest := w.person(t, "guest@example.com")
	w.Do(t, w.Owner, "POST", acme+"/invitations", `{"email":"guest@example.com","role":"developer"}`).Want(t, 201)
	token := w.token(t)
	var group sync.WaitGroup
	var mu sync.Mutex
	status := map[int]int{}
	for range 8 {
		group.Go(func() {
			got := w.Do(t, guest, "POST", "/v1/invitations/accept", `{"token":"`+token+`"}`).Status
			mu.Lock()
			defer mu.Unlock()
			status[got]++
		})
	}
	group.Wait()
	if status[200] != 1 || status[404] != 7 {
		t.Errorf("answers by status: %v", status)
	}
}

// scoped returns an access token of the user's that may read one project.
func (w *world) scoped(t *testing.T, user uuid.UUID, ref string) (text string) {
	t.Helper()
	err := w.DB.Tx(t.Context(), func(tx *controldb.Tx) (err error) {
		_, text, err = tx.CreateAccessToken(t.Context(), w.DB.Hasher(), controldb.AccessToken{
			UserID: user, Name: "scoped", Scope: controldb.TokenScope{
				Projects: []tenants.Ref{tenants.Ref(ref)}, Permissions: []string{"organization:read", "project:read"},
			},
		})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// A token that may only read does not end its user's membership.
func TestMembers_leave_with_a_scoped_token(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ref := strings.Repeat("a", 20)
	w.project(t, ref)
	id, _ := w.Member(t, w.Acme, controldb.Administrator)
	w.Exec(t, "INSERT INTO project_members (ref, user_id, role) VALUES ($1, $2, 'developer')", ref, id)
	token := w.scoped(t, id, ref)
	w.Do(t, token, "DELETE", "/v1/projects/"+ref+"/members/"+id.String(), "").Refused(t, 403, "forbidden", "")
	w.Do(t, token, "DELETE", acme+"/members/"+id.String(), "").Refused(t, 403, "forbidden", "")
}

// Accepting takes the locks in the order of all other changes: one that holds the
// members can still revoke the invitation.
func TestInvitations_accept_and_revoke_do_not_deadlock(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, ada := w.person(t, "ada@example.com")
	var inv member.Invitation
	w.Do(t, w.Owner, "POST", acme+"/invitations", `{"email":"ada@example.com","role":"developer"}`).Want(t, 201).Into(t, &inv)
	text := w.token(t)
	status := make(chan int)
	err := w.DB.Tx(t.Context(), func(tx *controldb.Tx) error {
		if _, err := tx.LockMembers(t.Context(), w.Acme.ID); err != nil {
			return err
		}
		go func() {
			status <- w.Do(t, ada, "POST", "/v1/invitations/accept", `{"token":"`+text+`"}`).Status
		}()
		const waits = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
		for n := 0; n == 0; {
			if err := w.DB.Pool().QueryRow(t.Context(), waits).Scan(&n); err != nil {
				return err
			}
		}
		return tx.RevokeInvitation(t.Context(), w.Acme.ID, uuid.MustParse(inv.ID), w.now)
	})
	if got := <-status; err != nil || got != 404 {
		t.Errorf("revoke: %v; accept: %d, want 404", err, got)
	}
}

// Nobody takes a role in a project away that allows more than their own.
func TestMembers_removal_spares_higher_roles_in_projects(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ref := strings.Repeat("a", 20)
	w.project(t, ref)
	w.Do(t, w.Owner, "POST", acme+"/roles", `{"name":"people","permissions":["organization:read","member:read","member:write","project:read","api_key:read","signing_key:read","auth_config:read","logs:read"]}`).Want(t, 201)
	_, people := w.Member(t, w.Acme, "people")
	id, _ := w.Member(t, w.Acme, controldb.ReadOnly)
	w.Exec(t, "INSERT INTO project_members (ref, user_id, role) VALUES ($1, $2, 'administrator')", ref, id)
	w.Do(t, people, "DELETE", acme+"/members/"+id.String(), "").Refused(t, 403, "forbidden", "")
	w.Do(t, w.Owner, "DELETE", acme+"/members/"+id.String(), "").Want(t, 200)
}
