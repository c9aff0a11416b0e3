package server_test

import (
	"maps"
	"net/http"
	"slices"
	"testing"

	"github.com/reevehq/reeve/internal/control/advisor"
	"github.com/reevehq/reeve/internal/server/servertest"
)

// advisorCases have, for each lint of a database, SQL that causes it and similar
// SQL that does not.
var advisorCases = map[string]struct{ fault, sound string }{
	"rls_disabled_in_public": {
		`CREATE TABLE t (id int); GRANT SELECT ON t TO anon`,
		`CREATE TABLE t (id int); GRANT SELECT ON t TO anon; ALTER TABLE t ENABLE ROW LEVEL SECURITY;
		 CREATE SCHEMA hidden; CREATE TABLE hidden.t (id int); GRANT USAGE ON SCHEMA hidden TO anon; GRANT SELECT ON hidden.t TO anon`,
	},
	"policy_exists_rls_disabled": {
		`CREATE TABLE t (id int); CREATE POLICY p ON t USING (true); REVOKE ALL ON t FROM anon, authenticated`,
		`CREATE TABLE t (id int); CREATE POLICY p ON t USING (true); ALTER TABLE t ENABLE ROW LEVEL SECURITY`,
	},
	"rls_enabled_no_policy": {
		`CREATE TABLE t (id int); ALTER TABLE t ENABLE ROW LEVEL SECURITY`,
		`CREATE TABLE t (id int); ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON t USING (true)`,
	},
	"security_definer_view": {
		`CREATE VIEW t AS SELECT 1 AS one; GRANT SELECT ON t TO authenticated`,
		`CREATE VIEW t WITH (security_invoker = on) AS SELECT 1 AS one; GRANT SELECT ON t TO authenticated`,
	},
	"auth_users_exposed": {
		`CREATE MATERIALIZED VIEW t AS SELECT id, email FROM auth.users; GRANT SELECT ON t TO anon`,
		`CREATE MATERIALIZED VIEW t AS SELECT id, email FROM auth.users; REVOKE ALL ON t FROM anon, authenticated`,
	},
	"rls_references_user_metadata": {
		`CREATE TABLE t (id int); ALTER TABLE t ENABLE ROW LEVEL SECURITY;
		 CREATE POLICY p ON t USING ((SELECT auth.jwt()) -> 'user_metadata' ->> 'role' = 'admin')`,
		`CREATE TABLE t (user_metadata int); ALTER TABLE t ENABLE ROW LEVEL SECURITY;
		 CREATE POLICY p ON t USING (user_metadata = 1 AND (SELECT auth.jwt()) -> 'app_metadata' ->> 'role' = 'admin')`,
	},
	"auth_rls_initplan": {
		`CREATE TABLE t (id uuid); ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON t USING (id = auth.uid())`,
		`CREATE TABLE t (id uuid); ALTER TABLE t ENABLE ROW LEVEL SECURITY;
		 CREATE POLICY p ON t USING (id = (SELECT auth.uid()) AND (SELECT auth.jwt() ->> 'aal') = 'aal2')`,
	},
	"unindexed_foreign_keys": {
		`CREATE TABLE o (a int, b int, PRIMARY KEY (a, b)); CREATE TABLE t (a int, b int, FOREIGN KEY (a, b) REFERENCES o); CREATE INDEX ON t (a)`,
		`CREATE TABLE o (a int, b int, PRIMARY KEY (a, b)); CREATE TABLE t (a int, b int, FOREIGN KEY (a, b) REFERENCES o); CREATE INDEX ON t (b, a)`,
	},
	"duplicate_index": {
		`CREATE TABLE t (a int); CREATE INDEX x ON t (a); CREATE INDEX y ON t (a)`,
		`CREATE TABLE t (a int); CREATE INDEX x ON t (a); CREATE INDEX y ON t (a DESC); CREATE UNIQUE INDEX z ON t (a)`,
	},
}

// advisorFixes are the statements that mend the findings of advisorCases.
var advisorFixes = map[string]string{
	"rls_disabled_in_public":     `ALTER TABLE public.t ENABLE ROW LEVEL SECURITY`,
	"policy_exists_rls_disabled": `ALTER TABLE public.t ENABLE ROW LEVEL SECURITY`,
	"security_definer_view":      `ALTER VIEW public.t SET (security_invoker = true)`,
	"auth_users_exposed":         `REVOKE ALL ON public.t FROM PUBLIC, anon, authenticated`,
	"unindexed_foreign_keys":     `CREATE INDEX ON public.t (a, b)`,
	"duplicate_index":            `DROP INDEX public.y`,
}

// TestAdvisors: each lint is found in a database that has its fault, and not in
// one that has not. Neither a function nor a search path of the developer's is
// used.
func TestAdvisors(t *testing.T) {
	t.Parallel()
	reeve := servertest.Start(t)
	p := reeve.Project(t, "advised", nil)
	conn := servertest.Connect(t, p.AdminURL(t))
	const shadow = `CREATE FUNCTION public.has_table_privilege(oid, oid, text) RETURNS boolean LANGUAGE plpgsql AS
		'BEGIN RAISE EXCEPTION ''called''; END'; CREATE TABLE public.pg_class (x int); REVOKE ALL ON public.pg_class FROM anon, authenticated; `
	find := func(sql string) map[string]advisor.Lint {
		t.Helper()
		if _, err := conn.Exec(t.Context(), `SET search_path = public, auth; `+shadow+sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
		found := map[string]advisor.Lint{}
		for _, category := range []string{"security?lint_type=sql", "performance"} {
			var lints advisor.Lints
			reeve.Manage(t, http.MethodGet, "/v1/projects/"+p.Ref+"/advisors/"+category, nil).Expect(t, 200).Into(t, &lints)
			for _, l := range lints.Lints {
				if l.Metadata.Name == "t" {
					found[l.Name] = l
				}
			}
		}
		const drop = `DROP SCHEMA IF EXISTS hidden CASCADE; DO $$ DECLARE r record; BEGIN
			FOR r IN SELECT c.oid::regclass AS c, c.relkind AS k FROM pg_catalog.pg_class c
				WHERE relnamespace = 'public'::regnamespace AND relname IN ('t', 'o', 'pg_class') AND relkind IN ('r', 'v', 'm') LOOP
				EXECUTE format('DROP %s %s CASCADE', CASE r.k WHEN 'r' THEN 'TABLE' WHEN 'v' THEN 'VIEW' ELSE 'MATERIALIZED VIEW' END, r.c);
			END LOOP; END $$; DROP FUNCTION public.has_table_privilege`
		if _, err := conn.Exec(t.Context(), drop); err != nil {
			t.Fatal(err)
		}
		return found
	}
	for _, name := range slices.Sorted(maps.Keys(advisorCases)) {
		c := advisorCases[name]
		if l, ok := find(c.fault)[name]; !ok || l.Detail == "" || l.CacheKey == "" || l.Metadata.Schema != "public" {
			t.Errorf("%s is not found: %+v", name, l)
		} else if name == "unindexed_foreign_keys" && (l.Metadata.FKeyName != "t_a_b_fkey" || !slices.Equal(l.Metadata.FKeyColumns, []int16{1, 2})) {
			t.Errorf("%+v", l.Metadata)
		} else if fix := advisorFixes[name]; (l.Fix == nil) != (fix == "") || fix != "" && *l.Fix != fix {
			t.Errorf("%s is mended by %v, want %s", name, l.Fix, fix)
		} else if l, ok := find(c.fault + "; " + fix)[name]; ok && fix != "" {
			t.Errorf("%s is found after the fix: %+v", name, l)
		}
		if l, ok := find(c.sound)[name]; ok {
			t.Errorf("%s is found without the fault: %+v", name, l)
		}
	}
	var all advisor.Lints
	reeve.Manage(t, http.MethodGet, "/v1/projects/"+p.Ref+"/advisors/security", nil).Expect(t, 200).Into(t, &all)
	if !slices.ContainsFunc(all.Lints, func(l advisor.Lint) bool { return l.Name == "auth_leaked_password_protection" }) {
		t.Errorf("no lint of the settings: %+v", all)
	}
}
