package advisor

import (
	"cmp"
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// maxFindings bounds the findings of a rule, and maxText the texts in them.
const (
	maxFindings = 100
	maxText     = 256
)

// rule is a lint of the database. Its query returns the finding's schema, object
// and what else belongs to the object, and the columns of a foreign key.
type rule struct {
	name, title, level, category string
	object                       string // type of the object
	description, remediation     string
	detail                       string // format of schema, object, and what else
	query                        string
	// fix is an expression over the query's columns s, o, e and f: the statement that
	// mends a finding, or null. "" where no single statement does.
	fix string
}

// The statements that mend findings.
const (
	enableRLS = `format('ALTER TABLE %I.%I ENABLE ROW LEVEL SECURITY', s, o)`
	useCaller = `format('ALTER VIEW %I.%I SET (security_invoker = true)', s, o)`
	hideView  = `format('REVOKE ALL ON %I.%I FROM PUBLIC, anon, authenticated', s, o)`
	addIndex  = `(SELECT format('CREATE INDEX ON %I.%I (%s)', s, o, string_agg(quote_ident(a.attname), ', ' ORDER BY k.n))
		FROM unnest(f) WITH ORDINALITY k (attnum, n)
		JOIN pg_class t ON t.relname = o AND t.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = s)
		JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.attnum)`
	// dropIndex spares the indexes of constraints.
	dropIndex = `(SELECT format('DROP INDEX %I.%I', s, x.relname)
		FROM unnest(string_to_array(e, ', ')) g (name)
		JOIN pg_class x ON x.relname = g.name AND x.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = s)
		WHERE NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = x.oid) ORDER BY x.relname DESC LIMIT 1)`
)

// Parts of the queries, which see the search path pg_catalog. They call no
// function and evaluate no expression of the developer.
const (
	// mine leaves out the schemas of Postgres and Reeve, and what extensions own;
	// it needs n and c.
	mine = ` n.nspname NOT IN ('auth', 'reeve', 'extensions', 'information_schema') AND n.nspname NOT LIKE 'pg\_%'
		AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e') `
	// exposed restricts to what the roles of users may reach in public.
	exposed = ` n.nspname = 'public' AND EXISTS (SELECT FROM pg_roles r WHERE r.rolname IN ('anon', 'authenticated')
		AND has_schema_privilege(r.oid, n.oid, 'USAGE') AND has_table_privilege(r.oid, c.oid, 'SELECT, INSERT, UPDATE, DELETE')) AND ` + mine
	tables  = ` FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p') AND `
	noExtra = `, '', NULL::int2[] `
	// invoker is whether a view reads with the rights of its caller.
	invoker = ` EXISTS (SELECT FROM pg_options_to_table(c.reloptions) o
		WHERE o.option_name = 'security_invoker' AND lower(o.option_value) IN ('true', 'on', 'yes', '1', 't', 'y')) `
	// expressions are the texts of policies, as p.
	expressions = ` FROM (SELECT polrelid, polname, coalesce(pg_get_expr(polqual, polrelid), '') || ' ' ||
			coalesce(pg_get_expr(polwithcheck, polrelid), '') AS text FROM pg_policy) p
		JOIN pg_class c ON c.oid = p.polrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE `
)

var rules = []rule{
	{
		fix:  enableRLS,
		name: "rls_disabled_in_public", title: "Table in public without row level security", level: levelError, category: security, object: "table",
		description: "Users' roles have privileges on a table whose rows no policy restricts.",
		detail:      "Table %s.%s can be used by anon or authenticated, and row level security is not enabled.",
		remediation: "ALTER TABLE … ENABLE ROW LEVEL SECURITY and create policies, or revoke the privileges.",
		query:       `SELECT n.nspname, c.relname` + noExtra + tables + ` NOT c.relrowsecurity AND ` + exposed,
	},
	{
		fix:  enableRLS,
		name: "policy_exists_rls_disabled", title: "Policies without row level security", level: levelError, category: security, object: "table",
		description: "Policies have no effect while row level security of their table is off.",
		detail:      "Table %s.%s has policies, and row level security is not enabled.",
		remediation: "ALTER TABLE … ENABLE ROW LEVEL SECURITY.",
		query: `SELECT n.nspname, c.relname` + noExtra + tables + ` NOT c.relrowsecurity
			AND EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid) AND ` + mine,
	},
	{
		name: "rls_enabled_no_policy", title: "Row level security without a policy", level: levelInfo, category: security, object: "table",
		description: "Without a policy, only the owner and roles that bypass row level security see rows.",
		detail:      "Table %s.%s has row level security enabled, and no policy.",
		remediation: "Create a policy if users are to reach the rows.",
		query: `SELECT n.nspname, c.relname` + noExtra + tables + ` c.relrowsecurity
			AND NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid) AND ` + mine,
	},
	{
		fix:  useCaller,
		name: "security_definer_view", title: "View with the rights of its owner", level: levelError, category: security, object: "view",
		description: "Such a view reads its tables with its owner's rights, so policies for the caller do not apply.",
		detail:      "View %s.%s can be used by anon or authenticated, and is not security_invoker.",
		remediation: "ALTER VIEW … SET (security_invoker = true).",
		query: `SELECT n.nspname, c.relname` + noExtra + ` FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
			WHERE c.relkind = 'v' AND NOT ` + invoker + ` AND ` + exposed,
	},
	{
		fix:  hideView,
		name: "auth_users_exposed", title: "View shows auth.users", level: levelError, category: security, object: "view",
		description: "Users' roles can read rows of auth.users by a view that has the rights of its owner.",
		detail:      "View %s.%s reads auth.users, and can be used by anon or authenticated.",
		remediation: "Revoke the privileges, or show a table of your own that has the public columns only.",
		query: `SELECT n.nspname, c.relname` + noExtra + ` FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
			WHERE c.relkind IN ('v', 'm') AND NOT ` + invoker + ` AND EXISTS (
				SELECT FROM pg_rewrite w JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid
				WHERE w.ev_class = c.oid AND d.refclassid = 'pg_class'::regclass AND d.refobjid = to_regclass('auth.users')) AND ` + exposed,
	},
	{
		name: "rls_references_user_metadata", title: "Policy trusts user_metadata", level: levelError, category: security, object: "table",
		description: "Users change their user_metadata as they like, so no policy may depend on it.",
		detail:      "Table %s.%s has the policy %s, which reads user_metadata of the token.",
		remediation: "Use app_metadata, which only the server changes, or a table.",
		query: `SELECT n.nspname, c.relname, p.polname::text, NULL::int2[] ` + expressions +
			` p.text ~ '(auth\.jwt\(\)|request\.jwt\.claim).*user_metadata' AND ` + mine,
	},
	{
		name: "auth_rls_initplan", title: "Policy calls an auth function for each row", level: levelWarning, category: performance, object: "table",
		description: "A call such as auth.uid() is evaluated for each row unless it is a subquery.",
		detail:      "Table %s.%s has the policy %s, which calls an auth function or current_setting for each row.",
		remediation: "Write (select auth.uid()) in place of auth.uid().",
		query: `SELECT n.nspname, c.relname, p.polname::text, NULL::int2[] ` + expressions +
			` regexp_replace(p.text, 'SELECT[\s(]+(auth\.(uid|jwt|role|email)|current_setting)\(', '', 'g')
				~ '(auth\.(uid|jwt|role|email)|\mcurrent_setting)\(' AND ` + mine,
	},
	{
		fix:  addIndex,
		name: "unindexed_foreign_keys", title: "Foreign key without an index", level: levelInfo, category: performance, object: "table",
		description: "Without an index on the referencing columns, deleting a referenced row reads the whole table.",
		detail:      "Table %s.%s has the foreign key %s, whose columns no index begins with.",
		remediation: "Create an index on the columns of the foreign key.",
		query: `SELECT n.nspname, c.relname, f.conname::text, f.conkey
			FROM pg_constraint f JOIN pg_class c ON c.oid = f.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
			WHERE f.contype = 'f' AND f.conparentid = 0 AND NOT EXISTS (
				SELECT FROM pg_index i WHERE i.indrelid = f.conrelid AND i.indisvalid AND i.indpred IS NULL
				AND (SELECT array_agg(k ORDER BY k) FROM unnest((i.indkey::int2[])[0:cardinality(f.conkey) - 1]) k)
					= (SELECT array_agg(k ORDER BY k) FROM unnest(f.conkey) k)) AND ` + mine,
	},
	{
		fix:  dropIndex,
		name: "duplicate_index", title: "Equal indexes", level: levelWarning, category: performance, object: "table",
		description: "Each index is written at every change; a second one with the same definition gains nothing.",
		detail:      "Table %s.%s has equal indexes: %s.",
		remediation: "Drop all of them but one.",
		query: `SELECT n.nspname, c.relname, string_agg(x.relname, ', ' ORDER BY x.relname), NULL::int2[]
			FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
			WHERE c.relkind IN ('r', 'p', 'm') AND ` + mine + `
			GROUP BY n.nspname, c.relname, replace(pg_get_indexdef(i.indexrelid), ' INDEX ' || quote_ident(x.relname) || ' ON ', ' ON ')
			HAVING count(*) > 1`,
	},
}

// find returns the findings of a rule, the first maxFindings of them by name.
func (r rule) find(ctx context.Context, tx pgx.Tx) ([]Lint, error) {
	rows, err := tx.Query(ctx, fmt.Sprintf("SELECT s, o, left(e, %d), f, %s FROM (%s) q (s, o, e, f) ORDER BY 1, 2, 3 LIMIT %d",
		maxText, cmp.Or(r.fix, "NULL::text"), r.query, maxFindings))
	if err != nil {
		return nil, fmt.Errorf("lint %s: %w", r.name, err)
	}
	found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (Lint, error) {
		var schema, object, extra string
		var columns []int16
		var fix *string
		err := row.Scan(&schema, &object, &extra, &columns, &fix)
		found := r.lint(schema, object, extra, columns)
		found.Fix = fix
		return found, err
	})
	if err != nil {
		return nil, fmt.Errorf("lint %s: %w", r.name, err)
	}
	return found, nil
}

func (r rule) lint(schema, object, extra string, columns []int16) Lint {
	m := Metadata{Schema: schema, Name: object, Type: r.object, FKeyColumns: columns}
	args, key := []any{schema, object}, r.name+"_"+schema+"_"+object
	if extra != "" {
		args, key = append(args, extra), key+"_"+extra
	}
	if columns != nil {
		m.FKeyName = extra
	}
	return Lint{
		Name: r.name, Title: r.title, Level: r.level, Facing: "EXTERNAL", Categories: []string{r.category},
		Description: r.description, Detail: fmt.Sprintf(r.detail, args...), Remediation: r.remediation, Metadata: m, CacheKey: key,
	}
}
