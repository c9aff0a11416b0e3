package migrations_test

import (
	"testing"
)

// The policies below are the usual ones of Supabase's users, in their exact
// forms. The owner creates tables and policies, the api role queries.

func TestPolicyOwnProfile(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	auth, owner, api := p.as(t, p.auth), p.as(t, p.owner), p.as(t, p.api)
	ann, bob := auth.newUser("ann@example.com"), auth.newUser("bob@example.com")
	owner.exec(`
		CREATE TABLE profiles (id uuid PRIMARY KEY REFERENCES auth.users (id) ON DELETE CASCADE, name text);
		ALTER TABLE profiles ENABLE ROW LEVEL SECURITY;
		CREATE POLICY "see own" ON profiles FOR SELECT USING ((SELECT auth.uid()) = id);
		CREATE POLICY "change own" ON profiles FOR UPDATE USING (auth.uid() = id) WITH CHECK (auth.uid() = id);
		CREATE POLICY "make own" ON profiles FOR INSERT TO authenticated WITH CHECK (auth.uid() = id);`)
	owner.exec("INSERT INTO profiles VALUES ($1, 'Ann'), ($2, 'Bob')", ann, bob)

	api.caller("authenticated", claimsOf(ann), func() {
		if got := api.lines("SELECT name FROM profiles"); len(got) != 1 || got[0] != "Ann" {
			t.Errorf("Ann sees %v, want her own profile only", got)
		}
		api.exec("UPDATE profiles SET name = 'changed'")
	})
	if got := owner.lines("SELECT name FROM profiles ORDER BY name"); len(got) != 2 || got[0] != "Bob" || got[1] != "changed" {
		t.Errorf("after Ann's update of everything: %v", got)
	}
	api.exec("BEGIN")
	api.exec("SET LOCAL ROLE authenticated")
	api.exec("SELECT set_config('request.jwt.claims', $1, true)", claimsOf(ann))
	api.refused(denied, "UPDATE profiles SET id = $1", bob)
	api.exec("ROLLBACK")

	for name, claims := range map[string]string{"without claims": "", "with claims of an anonymous caller": `{"role":"anon"}`} {
		api.caller("anon", claims, func() {
			if n := api.count("SELECT count(*) FROM profiles"); n != 0 {
				t.Errorf("anon %s sees %d profiles", name, n)
			}
		})
	}
	api.caller("service_role", `{"role":"service_role"}`, func() {
		if n := api.count("SELECT count(*) FROM profiles"); n != 2 {
			t.Errorf("service_role sees %d profiles, want both", n)
		}
	})

	auth.exec("DELETE FROM auth.users WHERE id = $1", ann)
	if n := owner.count("SELECT count(*) FROM profiles"); n != 1 {
		t.Errorf("%d profiles after Ann was deleted, want 1", n)
	}
}

func TestPolicyTeam(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	auth, owner, api := p.as(t, p.auth), p.as(t, p.owner), p.as(t, p.api)
	ann, bob, eve := auth.newUser("ann@example.com"), auth.newUser("bob@example.com"), auth.newUser("eve@example.com")
	owner.exec(`
		CREATE TABLE teams (id int PRIMARY KEY, name text);
		CREATE TABLE members (team_id int REFERENCES teams, user_id uuid REFERENCES auth.users, PRIMARY KEY (team_id, user_id));
		ALTER TABLE teams ENABLE ROW LEVEL SECURITY;
		ALTER TABLE members ENABLE ROW LEVEL SECURITY;
		CREATE FUNCTION my_teams() RETURNS SETOF int LANGUAGE sql STABLE SECURITY DEFINER SET search_path = ''
			AS 'SELECT team_id FROM public.members WHERE user_id = auth.uid()';
		CREATE POLICY "team by subquery" ON teams TO authenticated
			USING (auth.uid() IN (SELECT user_id FROM members WHERE members.team_id = teams.id));
		CREATE POLICY "members of my teams" ON members FOR SELECT TO authenticated
			USING (team_id IN (SELECT my_teams()));
		INSERT INTO teams VALUES (1, 'red'), (2, 'blue');`)
	owner.exec("INSERT INTO members VALUES (1, $1), (1, $2), (2, $3)", ann, bob, eve)

	for _, c := range []struct {
		name    string
		claims  string
		team    string
		members int
	}{
		{"first member", claimsOf(ann), "red", 2},
		{"second member", claimsOf(bob), "red", 2},
		{"member of the other team", claimsOf(eve), "blue", 1},
	} {
		api.caller("authenticated", c.claims, func() {
			if got := api.lines("SELECT name FROM teams"); len(got) != 1 || got[0] != c.team {
				t.Errorf("%s sees teams %v, want %s", c.name, got, c.team)
			}
			if n := api.count("SELECT count(*) FROM members"); n != c.members {
				t.Errorf("%s sees %d members, want %d", c.name, n, c.members)
			}
		})
	}
	api.caller("anon", claimsOf(ann), func() {
		if n := api.count("SELECT count(*) FROM teams"); n != 0 {
			t.Errorf("role anon sees %d teams through a policy TO authenticated", n)
		}
	})
}

func TestPolicyClaims(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	owner, api := p.as(t, p.owner), p.as(t, p.api)
	owner.exec(`
		CREATE TABLE settings (id int);
		ALTER TABLE settings ENABLE ROW LEVEL SECURITY;
		CREATE POLICY admins ON settings TO authenticated USING (auth.jwt() -> 'app_metadata' ->> 'role' = 'admin');
		CREATE TABLE vault (id int);
		ALTER TABLE vault ENABLE ROW LEVEL SECURITY;
		CREATE POLICY "second factor" ON vault AS RESTRICTIVE TO authenticated USING ((SELECT auth.jwt() ->> 'aal') = 'aal2');
		CREATE POLICY everybody ON vault USING (true);
		INSERT INTO settings VALUES (1);
		INSERT INTO vault VALUES (1);`)
	for _, c := range []struct {
		name, table, claims string
		rows                int
	}{
		{"admin", "settings", `{"app_metadata":{"role":"admin"}}`, 1},
		{"other role", "settings", `{"app_metadata":{"role":"editor"}}`, 0},
		{"role in user metadata", "settings", `{"user_metadata":{"role":"admin"}}`, 0},
		{"no app metadata", "settings", `{}`, 0},
		{"no claims", "settings", ``, 0},
		{"aal2", "vault", `{"aal":"aal2"}`, 1},
		{"aal1", "vault", `{"aal":"aal1"}`, 0},
		{"no aal", "vault", `{}`, 0},
	} {
		api.caller("authenticated", c.claims, func() {
			if n := api.count("SELECT count(*) FROM " + c.table); n != c.rows {
				t.Errorf("%s sees %d rows of %s, want %d", c.name, n, c.table, c.rows)
			}
		})
	}
}

func TestPolicyFolderOfCaller(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	auth, owner, api := p.as(t, p.auth), p.as(t, p.owner), p.as(t, p.api)
	ann, bob := auth.newUser("ann@example.com"), auth.newUser("bob@example.com")
	owner.exec(`
		CREATE TABLE files (bucket_id text, name text, PRIMARY KEY (bucket_id, name));
		ALTER TABLE files ENABLE ROW LEVEL SECURITY;
		CREATE POLICY "own folder" ON files TO authenticated
			USING (bucket_id = 'avatars' AND (string_to_array(name, '/'))[1] = auth.uid()::text)
			WITH CHECK (bucket_id = 'avatars' AND (string_to_array(name, '/'))[1] = auth.uid()::text);`)

	api.caller("authenticated", claimsOf(ann), func() {
		api.exec("INSERT INTO files VALUES ('avatars', $1)", ann.String()+"/me.png")
	})
	for name, path := range map[string][2]string{
		"another user's folder": {"avatars", bob.String() + "/me.png"},
		"another bucket":        {"private", ann.String() + "/me.png"},
		"no folder":             {"avatars", "me.png"},
	} {
		api.exec("BEGIN")
		api.exec("SET LOCAL ROLE authenticated")
		api.exec("SELECT set_config('request.jwt.claims', $1, true)", claimsOf(ann))
		if _, err := api.conn.Exec(t.Context(), "INSERT INTO files VALUES ($1, $2)", path[0], path[1]); sqlState(err) != denied {
			t.Errorf("%s: %v, want a refusal", name, err)
		}
		api.exec("ROLLBACK")
	}
	api.caller("authenticated", claimsOf(bob), func() {
		if n := api.count("SELECT count(*) FROM files"); n != 0 {
			t.Errorf("Bob sees %d of Ann's files", n)
		}
	})
}

func TestNewTableIsReachableUntilRowLevelSecurity(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	owner, api := p.as(t, p.owner), p.as(t, p.api)
	owner.exec(`
		CREATE TABLE notes (id serial PRIMARY KEY, body text);
		CREATE FUNCTION shout(word text) RETURNS text LANGUAGE sql AS 'SELECT upper(word)';`)
	for _, role := range []string{"anon", "authenticated", "service_role"} {
		api.caller(role, "", func() {
			api.exec("INSERT INTO notes (body) VALUES (shout('hello'))")
			api.exec("UPDATE notes SET body = 'changed'")
		})
	}
	owner.exec("ALTER TABLE notes ENABLE ROW LEVEL SECURITY")
	for role, want := range map[string]int{"anon": 0, "authenticated": 0, "service_role": 3} {
		api.caller(role, "", func() {
			if n := api.count("SELECT count(*) FROM notes"); n != want {
				t.Errorf("%s sees %d notes, want %d", role, n, want)
			}
		})
	}
	api.exec("BEGIN")
	api.exec("SET LOCAL ROLE authenticated")
	api.refused(denied, "INSERT INTO notes (body) VALUES ('no')")
	api.exec("ROLLBACK")
}

func TestAuthFunctions(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	api := p.as(t, p.api)
	const ann, bob = "6f1a2f10-0000-4000-8000-000000000001", "6f1a2f10-0000-4000-8000-000000000002"
	const all = `SELECT concat_ws('|', coalesce(auth.uid()::text, '-'), coalesce(auth.role(), '-'),
		coalesce(auth.email(), '-'), coalesce(auth.jwt()::text, '-'))`
	for _, c := range []struct {
		name     string
		settings map[string]string
		want     string
	}{
		{"nothing set", nil, "-|-|-|-"},
		{
			"claims",
			map[string]string{"request.jwt.claims": `{"sub":"` + ann + `","role":"authenticated","email":"a@b.c"}`},
			ann + `|authenticated|a@b.c|{"sub": "` + ann + `", "role": "authenticated", "email": "a@b.c"}`,
		},
		{
			"older settings",
			map[string]string{"request.jwt.claim.sub": ann, "request.jwt.claim.role": "anon", "request.jwt.claim.email": "a@b.c"},
			ann + "|anon|a@b.c|-",
		},
		{"older whole claim", map[string]string{"request.jwt.claim": `{"a": 1}`}, `-|-|-|{"a": 1}`},
		{
			"claims win over leftovers",
			map[string]string{"request.jwt.claims": `{"role":"anon"}`, "request.jwt.claim.sub": bob},
			`-|anon|-|{"role": "anon"}`,
		},
		{"empty claims", map[string]string{"request.jwt.claims": ""}, "-|-|-|-"},
		{"empty sub", map[string]string{"request.jwt.claims": `{"sub":""}`}, `-|-|-|{"sub": ""}`},
	} {
		api.exec("BEGIN")
		for name, value := range c.settings {
			api.exec("SELECT set_config($1, $2, true)", name, value)
		}
		api.exec("SET LOCAL ROLE authenticated")
		api.exec("SET LOCAL search_path = ''")
		if got := api.text(all); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
		api.exec("ROLLBACK")
	}
}
