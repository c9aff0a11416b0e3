package database

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/internal/authz"
	"github.com/reevehq/reeve/internal/control/text"
	"github.com/reevehq/reeve/internal/web/control"
)

func (h *Handler) mountTables(api control.API) {
	control.Register(api, control.Operation{
		ID: "list-tables", Method: http.MethodGet, Path: path + "/tables", Tag: "Database",
		Summary: "List tables and views of a project's database, with columns, policies and what users' roles may do",
	}, h.tables)
}

// The bounds of an answer.
const (
	maxColumns  = 300 // of a table
	maxPolicies = 100 // of a table
	maxExpr     = 4000
)

type tablesInput struct {
	Ref     string `path:"ref"`
	Schemas string `query:"included_schemas" maxLength:"4000" doc:"Names of schemas, with commas between them; all but those of Postgres, extensions and Reeve when left out."`
	Search  string `query:"search" maxLength:"63" doc:"A part of the name."`
	After   string `query:"after" maxLength:"200" doc:"The next of the page before."`
	Limit   int    `query:"limit" minimum:"1" maximum:"200" default:"100"`
}

// Tables is a page of tables, by schema and name.
type Tables struct {
	Schemas []string `json:"schemas" doc:"Those that exist, whether or not they are asked for."`
	Tables  []Table  `json:"tables"`
	Next    *string  `json:"next" doc:"The after of the next page; null on the last one."`
}

// Table is a table, view or the like.
type Table struct {
	Schema      string        `json:"schema"`
	Name        string        `json:"name"`
	Kind        string        `json:"kind" enum:"table,partitioned table,view,materialized view,foreign table"`
	Owner       string        `json:"owner"`
	Comment     string        `json:"comment"`
	RLS         bool          `json:"rls_enabled"`
	RLSForced   bool          `json:"rls_forced" doc:"Also for the owner."`
	RowEstimate *int64        `json:"row_estimate" doc:"As of the last VACUUM or ANALYZE; null before the first."`
	Bytes       *int64        `json:"bytes" doc:"With indexes; null while a session locks the table, as are defaults and conditions of policies then."`
	Columns     []TableColumn `json:"columns"`
	Policies    []TablePolicy `json:"policies"`
	Grants      TableGrants   `json:"grants" doc:"What users' roles may do, policies apart; columns' own grants are left out."`
}

// TableColumn is a column.
type TableColumn struct {
	Name      string  `json:"name"`
	Type      string  `json:"type"`
	Nullable  bool    `json:"nullable"`
	Default   *string `json:"default"`
	Identity  bool    `json:"identity"`
	Generated bool    `json:"generated"`
	Primary   bool    `json:"primary_key"`
}

// TablePolicy is a policy.
type TablePolicy struct {
	Name       string   `json:"name"`
	Command    string   `json:"command" enum:"ALL,SELECT,INSERT,UPDATE,DELETE"`
	Permissive bool     `json:"permissive" doc:"One such policy must admit a row, and all that are not."`
	Roles      []string `json:"roles" doc:"public for everybody."`
	Using      *string  `json:"using"`
	Check      *string  `json:"with_check"`
}

// TableGrants are privileges by role.
type TableGrants struct {
	Anon          []string `json:"anon"`
	Authenticated []string `json:"authenticated"`
	ServiceRole   []string `json:"service_role"`
}

// mySchemas leaves out the schemas of Postgres and Reeve; it needs n.
const mySchemas = ` n.nspname NOT IN ('reeve', 'information_schema') AND n.nspname NOT LIKE 'pg\_%' `

const selectTables = `
	WITH locked AS (SELECT DISTINCT relation FROM pg_locks WHERE locktype = 'relation' AND mode = 'AccessExclusiveLock')
	SELECT c.oid, n.nspname, c.relname,
	       CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned table' WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' ELSE 'foreign table' END,
	       pg_get_userbyid(c.relowner), coalesce(left(obj_description(c.oid, 'pg_class'), @expr), ''), c.relrowsecurity, c.relforcerowsecurity,
	       CASE WHEN c.reltuples >= 0 AND c.relkind <> 'v' THEN c.reltuples::bigint END,
	       CASE WHEN c.oid NOT IN (SELECT relation FROM locked) THEN pg_total_relation_size(c.oid) END,
	       ARRAY(SELECT p FROM unnest(@privileges::text[]) p WHERE has_table_privilege('anon', c.oid, p)),
	       ARRAY(SELECT p FROM unnest(@privileges::text[]) p WHERE has_table_privilege('authenticated', c.oid, p)),
	       ARRAY(SELECT p FROM unnest(@privileges::text[]) p WHERE has_table_privilege('service_role', c.oid, p))
	  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
	 WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND ` + mySchemas + `
	   AND (CASE WHEN @schemas::text[] = '{}' THEN n.nspname NOT IN ('auth', 'extensions') ELSE n.nspname = ANY(@schemas::text[]) END)
	   AND strpos(lower(c.relname), lower(@search)) > 0
	   AND (n.nspname, c.relname) > (@after_schema::text COLLATE "C", @after_name::text COLLATE "C")
	 ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C" LIMIT @limit`

const selectColumns = `
	SELECT a.attrelid, a.attname, format_type(a.atttypid, a.atttypmod), NOT a.attnotnull,
	       CASE WHEN a.attgenerated = '' AND a.attrelid <> ALL(@locked::oid[]) THEN left(pg_get_expr(d.adbin, d.adrelid), @expr) END, a.attidentity <> '', a.attgenerated <> '',
	       EXISTS (SELECT FROM pg_index i WHERE i.indrelid = a.attrelid AND i.indisprimary AND a.attnum = ANY(i.indkey))
	  FROM (SELECT *, row_number() OVER (PARTITION BY attrelid ORDER BY attnum) AS nth FROM pg_attribute
	         WHERE attrelid = ANY(@oids::oid[]) AND attnum > 0 AND NOT attisdropped) a
	  LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
	 WHERE a.nth <= @most ORDER BY a.attrelid, a.attnum`

const selectPolicies = `
	SELECT p.polrelid, p.polname, CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'ALL' END,
	       p.polpermissive, ARRAY(SELECT CASE r WHEN 0 THEN 'public' ELSE pg_get_userbyid(r)::text END FROM unnest(p.polroles) r ORDER BY 1),
	       CASE WHEN p.polrelid <> ALL(@locked::oid[]) THEN left(pg_get_expr(p.polqual, p.polrelid), @expr) END,
	       CASE WHEN p.polrelid <> ALL(@locked::oid[]) THEN left(pg_get_expr(p.polwithcheck, p.polrelid), @expr) END
	  FROM (SELECT *, row_number() OVER (PARTITION BY polrelid ORDER BY polname) AS nth FROM pg_policy WHERE polrelid = ANY(@oids::oid[])) p
	 WHERE p.nth <= @most ORDER BY p.polrelid, p.polname`

var privileges = []string{"SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"}

func (h *Handler) tables(ctx context.Context, actor control.Actor, in *tablesInput) (*Tables, error) {
	schemas, err := splitSchemas(in.Schemas)
	if err != nil {
		return nil, err
	}
	s := h.Service
	p, err := s.project(ctx, actor, authz.ReadDatabase, in.Ref)
	if err != nil {
		return nil, err
	}
	out := &Tables{}
	return out, s.Catalogs(ctx, p.Ref, func(ctx context.Context, tx pgx.Tx) error {
		// A session may lock a table between the look at the locks and its size.
		if _, err := tx.Exec(ctx, "SET LOCAL lock_timeout = '2s'; SET LOCAL statement_timeout = '10s'"); err != nil {
			return err
		}
		return out.read(ctx, tx, in, schemas)
	})
}

// splitSchemas reads a list of names.
func splitSchemas(list string) ([]string, error) {
	out := []string{}
	for name := range strings.SplitSeq(list, ",") {
		if name = strings.TrimSpace(name); name != "" && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	if len(out) > maxSchemas {
		return nil, text.Invalid("included_schemas: must name at most %d schemas", maxSchemas)
	}
	return out, nil
}

func (t *Tables) read(ctx context.Context, tx pgx.Tx, in *tablesInput, schemas []string) error {
	rows, _ := tx.Query(ctx, "SELECT n.nspname FROM pg_namespace n WHERE "+mySchemas+" ORDER BY n.nspname LIMIT 1000")
	var err error
	if t.Schemas, err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
		return fmt.Errorf("read schemas: %w", err)
	}
	afterSchema, afterName, _ := strings.Cut(in.After, ".")
	rows, _ = tx.Query(ctx, selectTables, pgx.NamedArgs{
		"schemas": schemas, "search": in.Search, "after_schema": afterSchema, "after_name": afterName, "limit": in.Limit + 1,
		"privileges": privileges, "expr": maxExpr,
	})
	var oids []uint32
	t.Tables, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (table Table, err error) {
		var oid uint32
		g := &table.Grants
		err = row.Scan(&oid, &table.Schema, &table.Name, &table.Kind, &table.Owner, &table.Comment, &table.RLS, &table.RLSForced,
			&table.RowEstimate, &table.Bytes, &g.Anon, &g.Authenticated, &g.ServiceRole)
		oids = append(oids, oid)
		table.Columns, table.Policies = []TableColumn{}, []TablePolicy{}
		return table, err
	})
	if err != nil {
		return fmt.Errorf("read tables: %w", err)
	}
	if len(t.Tables) > in.Limit {
		t.Tables, oids = t.Tables[:in.Limit], oids[:in.Limit]
		last := t.Tables[in.Limit-1]
		next := last.Schema + "." + last.Name
		t.Next = &next
	}
	at, locked := make(map[uint32]*Table, len(oids)), []uint32{}
	for i, oid := range oids {
		if at[oid] = &t.Tables[i]; t.Tables[i].Bytes == nil {
			locked = append(locked, oid) // showing an expression would wait
		}
	}
	if err := readColumns(ctx, tx, at, pgx.NamedArgs{"oids": oids, "locked": locked, "most": maxColumns, "expr": maxExpr}); err != nil {
		return err
	}
	return readPolicies(ctx, tx, at, pgx.NamedArgs{"oids": oids, "locked": locked, "most": maxPolicies, "expr": maxExpr})
}

func readColumns(ctx context.Context, tx pgx.Tx, at map[uint32]*Table, args pgx.NamedArgs) error {
	rows, _ := tx.Query(ctx, selectColumns, args)
	var oid uint32
	var c TableColumn
	_, err := pgx.ForEachRow(rows, []any{&oid, &c.Name, &c.Type, &c.Nullable, &c.Default, &c.Identity, &c.Generated, &c.Primary}, func() error {
		at[oid].Columns = append(at[oid].Columns, c)
		c = TableColumn{}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read columns: %w", err)
	}
	return nil
}

func readPolicies(ctx context.Context, tx pgx.Tx, at map[uint32]*Table, args pgx.NamedArgs) error {
	rows, _ := tx.Query(ctx, selectPolicies, args)
	var oid uint32
	var p TablePolicy
	_, err := pgx.ForEachRow(rows, []any{&oid, &p.Name, &p.Command, &p.Permissive, &p.Roles, &p.Using, &p.Check}, func() error {
		at[oid].Policies = append(at[oid].Policies, p)
		p = TablePolicy{}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read policies: %w", err)
	}
	return nil
}
