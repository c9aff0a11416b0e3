package typegen

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"
)

func read(ctx context.Context, tx pgx.Tx, schemas []string) (*database, error) {
	db := &database{types: map[uint32]*typ{}, byID: map[uint32]*relation{}}
	for _, step := range []func(context.Context, pgx.Tx, []string) error{
		db.readSchemas, db.readRelations, db.readColumns, db.readTypes, db.readEnums, db.readAttributes, db.readFunctions, db.readKeys, db.readRules,
	} {
		if err := step(ctx, tx, schemas); err != nil {
			return nil, err
		}
	}
	return db, nil
}

// each calls fn for each row, for at most that many.
func each(ctx context.Context, tx pgx.Tx, most int, sql string, args []any, into []any, fn func()) error {
	rows, _ := tx.Query(ctx, sql, args...)
	n := 0
	_, err := pgx.ForEachRow(rows, into, func() error {
		if n++; n > most {
			return ErrTooLarge
		}
		fn()
		return nil
	})
	return err
}

func (db *database) readSchemas(ctx context.Context, tx pgx.Tx, schemas []string) error {
	var name string
	return each(ctx, tx, len(schemas), `SELECT nspname::text FROM pg_namespace WHERE nspname = ANY($1)`, []any{schemas}, []any{&name}, func() {
		db.schemas = append(db.schemas, name)
	})
}

// readRelations reads those of all schemas, because a view may show one of another; only
// those of the schemas are written. 8 and 4 are the bits of INSERT and UPDATE.
func (db *database) readRelations(ctx context.Context, tx pgx.Tx, schemas []string) error {
	var r relation
	var events int32
	return each(ctx, tx, maxRelations, `SELECT c.oid, n.nspname::text, c.relname::text, c.relkind IN ('v', 'm'),
			CASE WHEN n.nspname = ANY($1) THEN pg_relation_is_updatable(c.oid, true) ELSE 0 END
		FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'`,
		[]any{schemas}, []any{&r.id, &r.schema, &r.name, &r.view, &events}, func() {
			own := r
			own.insertable, own.updatable = events&8 != 0, events&4 != 0
			db.relations, db.byID[own.id] = append(db.relations, &own), &own
		})
}

func (db *database) readColumns(ctx context.Context, tx pgx.Tx, schemas []string) error {
	var c column
	var of uint32
	return each(ctx, tx, maxColumns, `SELECT a.attrelid, a.attnum, a.attname::text, a.atttypid,
			NOT (a.attnotnull OR t.typtype = 'd' AND t.typnotnull),
			a.atthasdef AND a.attgenerated = '' OR a.attidentity <> '' OR t.typtype = 'd' AND t.typdefault IS NOT NULL,
			a.attidentity = 'a' OR a.attgenerated <> '',
			CASE WHEN c.relkind = 'v' AND n.nspname = ANY($1) THEN pg_column_is_updatable(c.oid, a.attnum, false) ELSE false END
		FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_type t ON t.oid = a.atttypid
		WHERE a.attnum > 0 AND NOT a.attisdropped AND c.oid = ANY($2) ORDER BY a.attrelid, a.attnum`,
		[]any{schemas, db.ids()}, []any{&of, &c.number, &c.name, &c.typeID, &c.nullable, &c.optional, &c.generated, &c.updatable}, func() {
			own := c
			db.byID[of].columns = append(db.byID[of].columns, &own)
		})
}

func (db *database) ids() []uint32 {
	out := make([]uint32, len(db.relations))
	for i, r := range db.relations {
		out[i] = r.id
	}
	return out
}

func (db *database) readTypes(ctx context.Context, tx pgx.Tx, _ []string) error {
	var t typ
	var kind string
	return each(ctx, tx, maxTypes, `SELECT t.oid, n.nspname::text, t.typname::text, t.typtype::text,
			CASE WHEN t.typcategory = 'A' THEN t.typelem ELSE 0::oid END, t.typbasetype, t.typrelid
		FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace`,
		nil, []any{&t.id, &t.schema, &t.name, &kind, &t.element, &t.base, &t.relation}, func() {
			own := t
			own.kind = kind[0]
			db.types[own.id] = &own
		})
}

func (db *database) readEnums(ctx context.Context, tx pgx.Tx, _ []string) error {
	var of uint32
	var value string
	return each(ctx, tx, maxColumns, `SELECT enumtypid, enumlabel::text FROM pg_enum ORDER BY enumtypid, enumsortorder`, nil, []any{&of, &value}, func() {
		if t := db.types[of]; t != nil {
			t.values = append(t.values, value)
		}
	})
}

func (db *database) readAttributes(ctx context.Context, tx pgx.Tx, schemas []string) error {
	var of uint32
	var a argument
	return each(ctx, tx, maxColumns, `SELECT c.reltype, a.attname::text, a.atttypid
		FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE c.relkind = 'c' AND a.attnum > 0 AND NOT a.attisdropped AND n.nspname = ANY($1) ORDER BY c.oid, a.attnum`,
		[]any{schemas}, []any{&of, &a.name, &a.typeID}, func() {
			if t := db.types[of]; t != nil {
				t.attributes = append(t.attributes, a)
			}
		})
}

func (db *database) readFunctions(ctx context.Context, tx pgx.Tx, schemas []string) error {
	var f function
	var types []uint32
	var names, modes []string
	var defaults int
	return each(ctx, tx, maxFunctions, `SELECT n.nspname::text, p.proname::text, coalesce(p.proallargtypes, p.proargtypes::oid[]),
			coalesce(p.proargnames, '{}'), coalesce(p.proargmodes::text[], '{}'), p.pronargdefaults, p.prorettype, p.proretset, p.proretset AND p.prorows = 1
		FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
		WHERE n.nspname = ANY($1) AND p.prokind = 'f' AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype) ORDER BY p.oid`,
		[]any{schemas}, []any{&f.schema, &f.name, &types, &names, &modes, &defaults, &f.returns, &f.set, &f.oneRow}, func() {
			own := f
			for i, id := range types {
				a, mode := argument{typeID: id}, "i"
				if i < len(names) {
					a.name = names[i]
				}
				if i < len(modes) {
					mode = modes[i]
				}
				switch mode {
				case "i", "b", "v":
					own.args = append(own.args, a)
				case "t":
					own.results = append(own.results, a)
				}
			}
			// The last ones have the defaults.
			for i := max(0, len(own.args)-defaults); i < len(own.args); i++ {
				own.args[i].optional = true
			}
			db.functions = append(db.functions, &own)
		})
}

func (db *database) readKeys(ctx context.Context, tx pgx.Tx, _ []string) error {
	var k key
	return each(ctx, tx, maxKeys, `SELECT k.conname::text, k.conrelid, k.confrelid, k.conkey, k.confkey,
			EXISTS (SELECT FROM pg_constraint u WHERE u.conrelid = k.conrelid AND u.contype IN ('p', 'u')
				AND u.conkey @> k.conkey AND u.conkey <@ k.conkey)
		FROM pg_constraint k WHERE k.contype = 'f' AND k.conparentid = 0 ORDER BY k.oid`,
		nil, []any{&k.name, &k.from, &k.to, &k.columns, &k.references, &k.isOneToOne}, func() {
			own := k
			own.columns, own.references = slices.Clone(k.columns), slices.Clone(k.references)
			db.keys = append(db.keys, own)
		})
}

// readRules finds what the columns of views show.
func (db *database) readRules(ctx context.Context, tx pgx.Tx, _ []string) error {
	var of uint32
	var rule string
	views, total := views{db: db, queries: map[uint32]*node{}}, 0
	err := each(ctx, tx, maxRelations, `SELECT ev_class, ev_action::text FROM pg_rewrite
		WHERE rulename = '_RETURN' AND ev_class = ANY($1) AND length(ev_action::text) <= $2`, []any{db.ids(), maxRule}, []any{&of, &rule}, func() {
		if total += len(rule); total <= maxRules {
			views.queries[of] = parseRule(rule)
		}
	})
	if err != nil {
		return err
	}
	if total > maxRules {
		return ErrTooLarge
	}
	views.trace()
	return nil
}
