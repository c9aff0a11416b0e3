package scim_test

import (
	"crypto/rand"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/reevehq/reeve/internal/testkit/flowtest"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// TestUser is the life of a user as a directory sees it.
func TestUser(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, enabled)
	c := newCompany(t, f, f.A, "acme.example")
	who := person("ann")
	who["password"], who["nonsense"], who["id"] = "secret canary", 1, "my own"
	made := c.do(t, "POST", "/Users", who).Want(201)
	id := made.Get("id")
	at := f.A.Tenant().Issuer() + "/scim/v2/Users/" + id
	if made.Header.Get("Location") != at || made.Get("meta.location") != at || made.Get("meta.resourceType") != "User" || made.Header.Get("ETag") != made.Get("meta.version") ||
		!strings.HasPrefix(made.Get("meta.version"), `W/"`) || made.Header.Get("Content-Type") != "application/scim+json" || made.Get("active") != "true" {
		t.Errorf("%s %v", made.Raw, made.Header)
	}
	if strings.Contains(string(made.Raw), "canary") || strings.Contains(string(made.Raw), "nonsense") || made.Get("id") == "my own" {
		t.Errorf("%s", made.Raw)
	}
	got := c.do(t, "GET", "/Users/"+id, nil).Want(200)
	if string(got.Raw) != string(made.Raw) {
		t.Errorf("got %s\nmade %s", got.Raw, made.Raw)
	}
	c.do(t, "GET", "/Users/"+id, nil, flowtest.Header("If-None-Match", got.Header.Get("ETag"))).Want(304)
	c.do(t, "GET", "/Users/"+id, nil, flowtest.Header("If-None-Match", `W/"other"`)).Want(200)

	user := c.userOf(t, id)
	row := f.A.Admin(t, "GET", "/admin/users/"+user, nil).Want(200)
	for path, want := range map[string]string{
		"email": "ann@acme.example", "user_metadata.full_name": "Ann Example", "user_metadata.given_name": "Ann", "user_metadata.department": "Research",
		"app_metadata.provider": "sso:" + c.id,
	} {
		if row.Get(path) != want {
			t.Errorf("%s: %q, want %q", path, row.Get(path), want)
		}
	}
	if n := f.A.Count(t, `SELECT count(*) FROM auth.users WHERE is_sso_user AND email_confirmed_at IS NOT NULL`); n != 1 {
		t.Errorf("%d users of a connection", n)
	}

	f.Clock.Advance(time.Second)
	changed := c.do(t, "PATCH", "/Users/"+id, patch(
		m{"op": "Replace", "path": `emails[type eq "work"].value`, "value": "Ann.New@acme.example"}, m{"op": "Add", "path": enterprise + ":department", "value": "Sales"},
		m{"op": "replace", "value": m{"name.givenName": "Anna", "title": "CEO"}}, m{"op": "remove", "path": "displayName"},
	)).Want(200)
	if changed.Get("name.givenName") != "Anna" || changed.Get("meta.version") == made.Get("meta.version") || changed.Get("meta.lastModified") == made.Get("meta.lastModified") ||
		changed.Get("meta.created") != made.Get("meta.created") {
		t.Errorf("%s", changed.Raw)
	}
	row = f.A.Admin(t, "GET", "/admin/users/"+user, nil).Want(200)
	for path, want := range map[string]string{
		"email": "ann.new@acme.example", "user_metadata.full_name": "Anna Example", "user_metadata.department": "Sales", "user_metadata.title": "CEO",
	} {
		if row.Get(path) != want {
			t.Errorf("%s: %q, want %q", path, row.Get(path), want)
		}
	}
	// What the user wrote stays until the directory changes it.
	f.A.Admin(t, "PUT", "/admin/users/"+user, m{"user_metadata": m{"title": "Boss", "theme": "dark"}}).Want(200)
	c.do(t, "PATCH", "/Users/"+id, patch(m{"op": "replace", "path": "nickName", "value": "A"})).Want(200)
	if row = f.A.Admin(t, "GET", "/admin/users/"+user, nil).Want(200); row.Get("user_metadata.title") != "Boss" || row.Get("user_metadata.nickname") != "A" || row.Get("user_metadata.theme") != "dark" {
		t.Errorf("%s", row.Raw)
	}
	// PUT replaces all but active.
	c.do(t, "PATCH", "/Users/"+id, patch(m{"op": "replace", "path": "active", "value": false})).Want(200)
	replaced := c.do(t, "PUT", "/Users/"+id, m{"userName": "ann@acme.example", "externalId": "ext-ann"}).Want(200)
	if replaced.Get("active") != "false" || replaced.Get("title") != "" {
		t.Errorf("%s", replaced.Raw)
	}
	if row = f.A.Admin(t, "GET", "/admin/users/"+user, nil).Want(200); row.Get("user_metadata.nickname") != "" || row.Get("user_metadata.theme") != "dark" {
		t.Errorf("%s", row.Raw)
	}
	c.do(t, "PATCH", "/Users/"+id+"?attributes=userName", patch(m{"op": "replace", "path": "active", "value": "True"})).Want(200)
	if got := c.do(t, "GET", "/Users/"+id+"?attributes=userName", nil).Want(200); got.Get("externalId") != "" || got.Get("id") != id || got.Get("userName") == "" {
		t.Errorf("%s", got.Raw)
	}
	tag := c.do(t, "GET", "/Users/"+id, nil).Want(200).Header.Get("ETag")
	c.refused(t, "PATCH", "/Users/"+id, patch(m{"op": "add", "path": "title", "value": "x"}), 412, "", flowtest.Header("If-Match", `W/"other"`))
	c.do(t, "PATCH", "/Users/"+id, patch(m{"op": "add", "path": "title", "value": "x"}), flowtest.Header("If-Match", `W/"other", `+tag)).Want(200)
	c.refused(t, "DELETE", "/Users/"+id, nil, 412, "", flowtest.Header("If-Match", tag))
	if res := c.do(t, "DELETE", "/Users/"+id, nil).Want(204); len(res.Raw) != 0 {
		t.Errorf("%s", res.Raw)
	}
	for _, method := range []string{"GET", "DELETE"} {
		c.refused(t, method, "/Users/"+id, nil, 404, "")
	}
	c.refused(t, "PUT", "/Users/"+id, person("ann"), 404, "")
	if n := f.A.Count(t, `SELECT count(*) FROM auth.users WHERE id = $1`, user); n != 1 {
		t.Error("the project's user is gone")
	}
	// The same person again is the same user.
	if again := c.push(t, person("ann")); again == id || c.userOf(t, again) != user {
		t.Errorf("%s is user %s, want %s", again, c.userOf(t, again), user)
	}
}

// TestProvisionThenSignIn: who is provisioned first is the user who signs in, however the
// identity provider names them.
func TestProvisionThenSignIn(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ subject, email string }{
		"by externalId": {"ext-ann", "ann@acme.example"}, "by userName": {"Ann@Acme.example", "other@acme.example"}, "by address": {"5f1e", "ann@acme.example"},
		"by another address": {"5f1e", "a.example@acme.example"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := flowtest.New(t, enabled)
			co, other := newCompany(t, f, f.A, "acme.example"), newCompany(t, f, f.A, "other.example")
			there := newCompany(t, f, f.B, "acme.example")
			f.A.SignUp(t, "ann@acme.example", "correct horse battery") // with a password, and another user
			who := person("ann")
			if name == "by another address" {
				who["emails"] = []m{{"value": "a.example@acme.example"}}
			}
			id := co.push(t, who)
			other.push(t, who)
			there.push(t, who)
			f.A.Configure(func(c *tenants.Config) { c.DisableSignup = true }) // who is provisioned has signed up
			s := co.session(t, c.subject, c.email)
			if s.UserID != co.userOf(t, id) {
				t.Errorf("signed in as %s, provisioned as %s", s.UserID, co.userOf(t, id))
			}
			if again := co.session(t, c.subject, c.email); again.UserID != s.UserID {
				t.Error("another user at the second sign-in")
			}
			if n := f.A.Count(t, `SELECT count(*) FROM auth.identities WHERE user_id = $1 AND provider_id = $2 AND NOT identity_data ? 'provisioned'`, s.UserID, c.subject); n != 1 {
				t.Errorf("%d identities", n)
			}
			if n := f.A.Count(t, `SELECT count(*) FROM auth.users`); n != 3 {
				t.Errorf("%d users", n)
			}
			co.notIn(t, "somebody", "else@acme.example", "signup_disabled")
			other.notIn(t, "else", "else@acme.example", "signup_disabled")
			// The other connection's user is not this one.
			if o := other.session(t, c.subject, c.email); o.UserID == s.UserID {
				t.Error("one user of two connections")
			}
			co.do(t, "DELETE", "/Users/"+id, nil).Want(204)
			co.notIn(t, c.subject, c.email, "sso_user_deprovisioned")
			f.A.Do(t, "GET", "/user", nil, flowtest.User(s.Access)).WantError(403, "session_not_found")
			other.session(t, c.subject, c.email)
		})
	}
}

// TestSignInThenProvision: who has signed in is the user that is provisioned.
func TestSignInThenProvision(t *testing.T) {
	t.Parallel()
	for name, subject := range map[string]string{"by externalId": "ext-ann", "by userName": "ann@acme.example", "by address": "5f1e"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := flowtest.New(t, enabled)
			c, other := newCompany(t, f, f.A, "acme.example"), newCompany(t, f, f.A, "other.example")
			s, o := c.session(t, subject, "ann@acme.example"), other.session(t, subject, "ann@acme.example")
			id := c.push(t, person("ann"))
			if got := c.userOf(t, id); got != s.UserID {
				t.Errorf("provisioned as %s, signed in as %s", got, s.UserID)
			}
			f.A.Do(t, "GET", "/user", nil, flowtest.User(s.Access)).Want(200)
			if n := f.A.Count(t, `SELECT count(*) FROM auth.users`); n != 2 {
				t.Errorf("%d users", n)
			}
			c.do(t, "PATCH", "/Users/"+id, patch(m{"op": "Replace", "path": "active", "value": "False"})).Want(200)
			f.A.Do(t, "GET", "/user", nil, flowtest.User(s.Access)).WantError(403, "session_not_found")
			f.A.Do(t, "GET", "/user", nil, flowtest.User(o.Access)).Want(200)
		})
	}
}

// TestAddressInUse: at many providers people can change their address, so an address does
// not get anybody into an account in which somebody else has signed in.
func TestAddressInUse(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, enabled)
	c := newCompany(t, f, f.A, "acme.example")
	id := c.push(t, person("ann"))
	ann := c.session(t, "ext-ann", "ann@acme.example")
	eve := c.session(t, "eve", "ann@acme.example")
	if eve.UserID == ann.UserID {
		t.Error("eve is ann")
	}
	c.do(t, "PATCH", "/Users/"+id, patch(m{"op": "replace", "path": "active", "value": false})).Want(200)
	c.notIn(t, "mallory", "ann@acme.example", "sso_user_deprovisioned")
}

// TestDeactivate: a user who is deactivated or removed loses all sessions at once and
// does not get another, until they are active again; a ban is apart.
func TestDeactivate(t *testing.T) {
	t.Parallel()
	for name, off := range map[string]func(t *testing.T, c *company, id string){
		"deactivated": func(t *testing.T, c *company, id string) {
			c.do(t, "PATCH", "/Users/"+id, patch(m{"op": "replace", "value": m{"active": false}})).Want(200)
		},
		"replaced": func(t *testing.T, c *company, id string) {
			who := person("ann")
			who["active"] = false
			c.do(t, "PUT", "/Users/"+id, who).Want(200)
		},
		"removed": func(t *testing.T, c *company, id string) { c.do(t, "DELETE", "/Users/"+id, nil).Want(204) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := flowtest.New(t, enabled)
			c := newCompany(t, f, f.A, "acme.example")
			id := c.push(t, person("ann"))
			c.push(t, person("bob"))
			first, second := c.session(t, "ext-ann", "ann@acme.example"), c.session(t, "ext-ann", "ann@acme.example")
			bob := c.session(t, "ext-bob", "bob@acme.example")
			active := func(s flowtest.Session) bool {
				return flowtest.One[bool](t, f.A, `SELECT auth.session_active() FROM set_config('request.jwt.claims', $1, false)`,
					`{"sub":"`+s.UserID+`","session_id":"`+flowtest.Claims(t, s.Access)["session_id"].(string)+`"}`)
			}
			if !active(first) {
				t.Error("policies do not take the session for active")
			}
			off(t, c, id)
			for _, s := range []flowtest.Session{first, second} {
				f.A.Do(t, "GET", "/user", nil, flowtest.User(s.Access)).WantError(403, "session_not_found")
				f.A.Refresh(t, s.Refresh).Want(400)
				if active(s) {
					t.Error("policies take the session for active")
				}
			}
			if n := f.A.Count(t, `SELECT count(*) FROM reeve.ended_session WHERE cause = 'scim' AND user_id = $1`, first.UserID); n != 2 {
				t.Errorf("%d sessions ended by SCIM", n)
			}
			f.A.Do(t, "GET", "/user", nil, flowtest.User(bob.Access)).Want(200)
			c.notIn(t, "ext-ann", "ann@acme.example", "sso_user_deprovisioned")
			c.notIn(t, "ANN@acme.example", "x@acme.example", "sso_user_deprovisioned") // by another name
			if n := f.A.Count(t, `SELECT count(*) FROM auth.users WHERE banned_until IS NOT NULL`); n != 0 {
				t.Error("banned")
			}
			f.A.Exec(t, `UPDATE auth.users SET banned_until = now() + interval '1 day' WHERE id = $1`, first.UserID)
			if name == "removed" {
				c.push(t, person("ann"))
			} else {
				c.do(t, "PATCH", "/Users/"+id, patch(m{"op": "replace", "path": "active", "value": true})).Want(200)
			}
			c.notIn(t, "ext-ann", "ann@acme.example", "user_banned") // the admin's ban stands
			f.A.Exec(t, `UPDATE auth.users SET banned_until = NULL WHERE id = $1`, first.UserID)
			if back := c.session(t, "ext-ann", "ann@acme.example"); back.UserID != first.UserID {
				t.Error("back as another user")
			}
		})
	}
}

// TestCodeOfDeactivated: a code that was issued before is not redeemed after.
func TestCodeOfDeactivated(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, enabled)
	c := newCompany(t, f, f.A, "acme.example")
	id := c.push(t, person("ann"))
	f.A.Exec(t, `INSERT INTO auth.flow_state (id, user_id, auth_code, auth_code_issued_at, code_challenge, code_challenge_method, provider_type, authentication_method, created_at, updated_at)
		VALUES (gen_random_uuid(), $1, 'the-code', now(), $2, 'plain', 'sso', 'sso/saml', now(), now())`, c.userOf(t, id), strings.Repeat("v", 43))
	c.do(t, "PATCH", "/Users/"+id, patch(m{"op": "replace", "path": "active", "value": false})).Want(200)
	f.A.Do(t, "POST", "/token?grant_type=pkce", m{"auth_code": "the-code", "code_verifier": strings.Repeat("v", 43)}).WantError(404, "flow_state_not_found")
}

// TestInactiveFromTheStart: a user can be provisioned before they may sign in.
func TestInactiveFromTheStart(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, enabled)
	c := newCompany(t, f, f.A, "acme.example")
	who := person("ann")
	who["active"] = "False"
	id := c.push(t, who)
	c.notIn(t, "ext-ann", "ann@acme.example", "sso_user_deprovisioned")
	c.do(t, "PATCH", "/Users/"+id, patch(m{"op": "replace", "path": "active", "value": true})).Want(200)
	c.session(t, "ext-ann", "ann@acme.example")
}

// TestUserDeletedByAdmin: the directory's user outlives the project's, and is provisioned
// again with its next change.
func TestUserDeletedByAdmin(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, enabled)
	c := newCompany(t, f, f.A, "acme.example")
	id := c.push(t, person("ann"))
	user := c.userOf(t, id)
	f.A.Admin(t, "DELETE", "/admin/users/"+user, nil).Want(200)
	if got := c.do(t, "GET", "/Users/"+id, nil).Want(200).Get("userName"); got != "ann@acme.example" || c.userOf(t, id) != "" {
		t.Errorf("%q is user %q", got, c.userOf(t, id))
	}
	s := c.session(t, "5f1e", "ann@acme.example")
	if s.UserID == user || c.userOf(t, id) != s.UserID {
		t.Errorf("signed in as %s, linked to %s", s.UserID, c.userOf(t, id))
	}
	f.A.Admin(t, "DELETE", "/admin/users/"+s.UserID, nil).Want(200)
	c.do(t, "PUT", "/Users/"+id, person("ann")).Want(200)
	if c.userOf(t, id) == "" {
		t.Error("not provisioned again")
	}
}

// TestUserConflicts: who is there already is 409, in this connection alone.
func TestUserConflicts(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, enabled)
	c, other := newCompany(t, f, f.A, "acme.example"), newCompany(t, f, f.A, "other.example")
	c.push(t, person("ann"))
	bob := c.push(t, person("bob"))
	c.refused(t, "POST", "/Users", person("ann"), 409, "uniqueness")
	c.refused(t, "POST", "/Users", m{"userName": "ANN@acme.example"}, 409, "uniqueness")
	c.refused(t, "POST", "/Users", m{"userName": "x", "externalId": "ext-ann"}, 409, "uniqueness")
	c.refused(t, "PATCH", "/Users/"+bob, patch(m{"op": "replace", "path": "userName", "value": "Ann@acme.example"}), 409, "uniqueness")
	c.refused(t, "PUT", "/Users/"+bob, person("ann"), 409, "uniqueness")
	other.push(t, person("ann"))
	if n := f.A.Count(t, `SELECT count(*) FROM auth.users`); n != 3 {
		t.Errorf("%d users", n)
	}
	stranger := person("dan")
	stranger["emails"] = []m{{"value": "dan@elsewhere.example"}}
	c.refused(t, "POST", "/Users", stranger, 400, "invalidValue") // an address outside of the connection's domains
	c.refused(t, "PATCH", "/Users/"+bob, patch(m{"op": "replace", "path": "emails", "value": stranger["emails"]}), 400, "invalidValue")
	f.A.Configure(func(c *tenants.Config) { c.EmailDomainsBlocked = "acme.example" })
	c.refused(t, "POST", "/Users", person("eve"), 400, "invalidValue")
	big := person("big")
	big["title"], big["nickName"], big["locale"], big["timezone"], big["userType"] = strings.Repeat("t", 4096), strings.Repeat("n", 4096), strings.Repeat("l", 4096),
		strings.Repeat("z", 4096), strings.Repeat("u", 4096)
	f.A.Configure(func(c *tenants.Config) { c.EmailDomainsBlocked = "" })
	c.refused(t, "POST", "/Users", big, 400, "invalidValue") // more than metadata can be
	f.A.Exec(t, `CREATE FUNCTION public.no() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'canary'; END$$`)
	f.A.Exec(t, `CREATE TRIGGER no BEFORE INSERT ON auth.users FOR EACH ROW EXECUTE FUNCTION public.no()`)
	if res := c.refused(t, "POST", "/Users", person("kim"), 500, ""); strings.Contains(string(res.Raw), "canary") {
		t.Errorf("%s", res.Raw)
	}
	if n := f.A.Count(t, `SELECT count(*) FROM auth.scim_users WHERE user_name LIKE 'kim%'`); n != 0 {
		t.Error("half of a user stays")
	}
}

// TestGroupsOf: the names of a user's groups, for rules.
func TestGroupsOf(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, enabled)
	c := newCompany(t, f, f.A, "acme.example")
	ann, bob := c.push(t, person("ann")), c.push(t, person("bob"))
	c.group(t, "Staff", ann, bob)
	c.group(t, "Admins", ann)
	c.group(t, "Admins", ann) // directories have groups of one name
	of := func(id string) (names []string) {
		err := f.A.DB.Do(t.Context(), func(tx *tenantdb.Tx) (err error) {
			names, err = tx.SCIMGroupsOf(t.Context(), mustParse(t, c.userOf(t, id)))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return names
	}
	if got := of(ann); !slices.Equal(got, []string{"Admins", "Staff"}) {
		t.Errorf("%v", got)
	}
	if got := of(bob); !slices.Equal(got, []string{"Staff"}) {
		t.Errorf("%v", got)
	}
	c.do(t, "PATCH", "/Users/"+ann, patch(m{"op": "replace", "path": "active", "value": false})).Want(200)
	if got := of(ann); len(got) != 0 {
		t.Errorf("%v", got)
	}
}

// TestAtOnce: somebody who is provisioned and signs in at the same moment is one user, and
// is withdrawn as one.
func TestAtOnce(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, enabled)
	c := newCompany(t, f, f.A, "acme.example")
	for range 8 {
		name := "p" + strings.ToLower(rand.Text()[:8])
		email := name + "@acme.example"
		var wg sync.WaitGroup
		var id, user string
		wg.Go(func() { id = c.push(t, person(name)) })
		wg.Go(func() { user = c.session(t, "subject-"+name, email).UserID })
		wg.Wait()
		if got := c.userOf(t, id); got != user {
			t.Fatalf("signed in as %s, provisioned as %s", user, got)
		}
		c.do(t, "PATCH", "/Users/"+id, patch(m{"op": "replace", "path": "active", "value": false})).Want(200)
		c.notIn(t, "subject-"+name, email, "sso_user_deprovisioned")
	}
}

// TestProvisionThenLink: where the connection links its people to users who have their
// address, no second user is made; who is linked, and withdrawn, is who was there.
func TestProvisionThenLink(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, enabled, func(c *tenants.Config) { c.MailerAutoconfirm = true })
	c := newCompany(t, f, f.A, "acme.example")
	before := f.A.SignUp(t, "ann@acme.example", "correct horse battery")
	f.A.Exec(t, `INSERT INTO reeve.sso_claim (provider_id, domain, token, created_at, proof, proved_at) VALUES ($1, 'acme.example', 'x', now(), 'dns', now())`, c.id)
	f.A.Admin(t, "PUT", "/admin/sso/providers/"+c.id, m{"rules": m{"link_users": true, "default_app_metadata": m{"plan": "pro"}}}).Want(200)
	id := c.push(t, person("ann"))
	c.do(t, "PATCH", "/Users/"+id, patch(m{"op": "add", "path": "title", "value": "CEO"})).Want(200)
	if n := f.A.Count(t, `SELECT count(*) FROM auth.users`); n != 1 || c.userOf(t, id) != "" {
		t.Errorf("%d users, provisioned as %q", n, c.userOf(t, id))
	}
	c.do(t, "PATCH", "/Users/"+id, patch(m{"op": "replace", "path": "active", "value": false})).Want(200)
	c.notIn(t, "5f1e", "ann@acme.example", "sso_user_deprovisioned")
	c.do(t, "PATCH", "/Users/"+id, patch(m{"op": "replace", "path": "active", "value": true})).Want(200)
	s := c.session(t, "5f1e", "ann@acme.example")
	if s.UserID != before.UserID || c.userOf(t, id) != s.UserID {
		t.Errorf("signed in as %s, provisioned as %s, want %s", s.UserID, c.userOf(t, id), before.UserID)
	}
	c.do(t, "DELETE", "/Users/"+id, nil).Want(204)
	c.notIn(t, "5f1e", "ann@acme.example", "sso_user_deprovisioned")
	f.A.Do(t, "GET", "/user", nil, flowtest.User(s.Access)).WantError(403, "session_not_found")
	// Who was not there gets what the connection gives new users.
	bob := c.userOf(t, c.push(t, person("bob")))
	if got := f.A.Admin(t, "GET", "/admin/users/"+bob, nil).Want(200); got.Get("app_metadata.plan") != "pro" || got.Get("app_metadata.provider") != "sso:"+c.id {
		t.Errorf("%s", got.Raw)
	}
}

// called is a user of a directory that calls people otherwise than the identity provider.
func called(name string) m {
	who := person(name)
	who["userName"], who["externalId"] = "ACME\\"+name, "guid-"+name
	return who
}

// TestLinkedByAddress: somebody whom the connection was linked to is the one of the
// directory with the address, whatever it calls them, whoever comes first.
func TestLinkedByAddress(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, enabled, func(c *tenants.Config) { c.MailerAutoconfirm = true })
	c := newCompany(t, f, f.A, "acme.example")
	f.A.Exec(t, `INSERT INTO reeve.sso_claim (provider_id, domain, token, created_at, proof, proved_at) VALUES ($1, 'acme.example', 'x', now(), 'dns', now())`, c.id)
	f.A.Admin(t, "PUT", "/admin/sso/providers/"+c.id, m{"rules": m{"link_users": true}}).Want(200)
	off := patch(m{"op": "replace", "path": "active", "value": false})

	ann := f.A.SignUp(t, "ann@acme.example", "correct horse battery")
	s := c.session(t, "s-ann", "ann@acme.example")
	id := c.push(t, called("ann"))
	if s.UserID != ann.UserID || c.userOf(t, id) != ann.UserID {
		t.Errorf("linked to %s, provisioned as %q, want %s", s.UserID, c.userOf(t, id), ann.UserID)
	}
	c.do(t, "PATCH", "/Users/"+id, off).Want(200)
	f.A.Do(t, "GET", "/user", nil, flowtest.User(s.Access)).WantError(403, "session_not_found")
	c.notIn(t, "s-ann", "ann@acme.example", "sso_user_deprovisioned")

	bob := f.A.SignUp(t, "bob@acme.example", "correct horse battery")
	id = c.push(t, called("bob"))
	c.do(t, "PATCH", "/Users/"+id, off).Want(200)
	c.notIn(t, "s-bob", "bob@acme.example", "sso_user_deprovisioned")
	c.do(t, "PATCH", "/Users/"+id, patch(m{"op": "replace", "path": "active", "value": true})).Want(200)
	if s := c.session(t, "s-bob", "bob@acme.example"); s.UserID != bob.UserID || c.userOf(t, id) != bob.UserID {
		t.Errorf("linked to %s, provisioned as %q, want %s", s.UserID, c.userOf(t, id), bob.UserID)
	}
	// One that an earlier release left without a user is tied at the next sign-in.
	f.A.Exec(t, `UPDATE auth.scim_users SET user_id = NULL WHERE id = $1`, id)
	s = c.session(t, "s-bob", "bob@acme.example")
	if c.userOf(t, id) != bob.UserID {
		t.Errorf("provisioned as %q", c.userOf(t, id))
	}
	c.do(t, "DELETE", "/Users/"+id, nil).Want(204)
	f.A.Do(t, "GET", "/user", nil, flowtest.User(s.Access)).WantError(403, "session_not_found")

	// Somebody with another address by now is not taken over, and no second user is made.
	cleo := f.A.SignUp(t, "cleo@acme.example", "correct horse battery")
	c.session(t, "s-cleo", "cleo@acme.example")
	f.A.Exec(t, `UPDATE auth.users SET email = 'cleo@private.example' WHERE id = $1`, cleo.UserID)
	before := f.A.Count(t, `SELECT count(*) FROM auth.users`)
	c.refused(t, "POST", "/Users", called("cleo"), 409, "uniqueness")
	if n := f.A.Count(t, `SELECT count(*) FROM auth.users`); n != before {
		t.Errorf("%d users, %d before", n, before)
	}
	if log := f.A.Admin(t, "GET", c.admin()+"/log?failed=true", nil).Want(200); !strings.Contains(string(log.Raw), "remove its identity first") {
		t.Errorf("%s", log.Raw)
	}
}
