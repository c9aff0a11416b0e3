// Package typegen writes the TypeScript types of a database: what `supabase gen
// types typescript` prints. It reads the catalogs only, and runs nothing of the
// developer's. It does not connect.
//
// catalog.go reads the catalogs into a Database; rule.go finds out which columns of
// tables a view shows; typescript.go writes.
package typegen

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/internal/fault"
)

// ErrTooLarge is returned for a database whose types would be too large.
var ErrTooLarge = fault.New(fault.TooLarge, "types_too_large", "The database has too many objects to write its types: ask for fewer schemas")

// The bounds of what is read.
const (
	maxRelations = 5_000
	maxColumns   = 50_000
	maxFunctions = 5_000
	maxTypes     = 20_000
	maxKeys      = 10_000
	maxRelated   = 50_000  // foreign keys as seen from tables and views
	maxOrigins   = 200_000 // columns of tables as seen from views
	// maxRules bounds the definitions of all views together, and maxRule that of one, in
	// bytes. A longer one is as if all its columns were computed.
	maxRules = 8 << 20
	maxRule  = 1 << 20
	// maxOutput bounds the text, in bytes.
	maxOutput = 8 << 20
)

// TypeScript returns the types of some schemas; those that do not exist are left out.
// The search path of the transaction must be pg_catalog. Faults: ErrTooLarge.
func TypeScript(ctx context.Context, tx pgx.Tx, schemas []string) (string, error) {
	db, err := read(ctx, tx, schemas)
	if err != nil {
		return "", fmt.Errorf("read the catalogs: %w", err)
	}
	return db.typeScript(ctx)
}

// database is what the types are written from.
type database struct {
	schemas   []string
	relations []*relation
	functions []*function
	types     map[uint32]*typ
	keys      []key

	byID map[uint32]*relation
}

// relation is a table or a view.
type relation struct {
	id           uint32
	schema, name string
	view         bool
	insertable   bool
	updatable    bool
	columns      []*column
}

type column struct {
	number    int16
	name      string
	typeID    uint32
	nullable  bool
	optional  bool // it has a default
	generated bool // no client may set it
	updatable bool // of a view: the column can be written through it
	origins   []origin
}

// origin is a column of a table that a view's column shows.
type origin struct {
	relation uint32
	column   int16
}

type function struct {
	schema, name string
	args         []argument // in
	results      []argument // of RETURNS TABLE
	returns      uint32
	set, oneRow  bool
}

type argument struct {
	name     string
	typeID   uint32
	optional bool
}

// typ is a type of Postgres.
type typ struct {
	id           uint32
	schema, name string
	kind         byte // typtype
	element      uint32
	base         uint32 // of a domain
	relation     uint32 // of a row type
	values       []string
	attributes   []argument // of a composite type that is no relation's
}

// key is a foreign key.
type key struct {
	name       string
	from, to   uint32
	columns    []int16
	references []int16
	isOneToOne bool
}
