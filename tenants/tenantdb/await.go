package tenantdb

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/fault"
)

// memory is what the runs of one transaction share.
type memory struct {
	answers map[string]any
	ids     map[string]uuid.UUID
	waits   int
}

// waiting ends a run, so that what it waits for is done without a connection.
type waiting struct {
	key string
	do  func(ctx context.Context) any
}

// Error implements error.
func (*waiting) Error() string { return "the transaction waits for an answer" }

// maxWaits bounds what a transaction waits for, all its runs together.
const maxWaits = 16

// errWaits ends a transaction that finds other facts in each run.
var errWaits = fault.New(fault.Unavailable, "conflict", "The request met too many other changes: try again")

// Await returns what do answers, which no transaction and no connection waits for. The
// first call for a key returns an error, by which Tx rolls back, gives the connection
// back, calls do once, and runs its function anew: then Await returns the answer. So
// key must name all facts that the answer depends on: if a later run finds others, they
// have another key, and do is called with them.
//
// fn must return the error. In a Tx of Do, which has no transaction, do is called at once.
func Await[T any](ctx context.Context, tx *Tx, key string, do func(ctx context.Context) T) (answer T, err error) {
	if tx == nil || tx.memory == nil {
		return do(ctx), nil
	}
	if have, ok := tx.memory.answers[key]; ok {
		return have.(T), nil
	}
	return answer, &waiting{key: key, do: func(ctx context.Context) any { return do(ctx) }}
}

// SameID returns the id that was first proposed for a name, by any run of this
// transaction. Facts about new rows are the same then, whatever run writes them.
func (tx *Tx) SameID(name string, proposed uuid.UUID) uuid.UUID {
	if tx.memory == nil {
		return proposed
	}
	if id, ok := tx.memory.ids[name]; ok {
		return id
	}
	tx.memory.ids[name] = proposed
	return proposed
}

// await does what a run waits for; false for an error of another kind.
func (m *memory) await(ctx context.Context, err error) (bool, error) {
	var w *waiting
	if !errors.As(err, &w) {
		return false, err
	}
	if m.waits++; m.waits > maxWaits {
		return false, errWaits
	}
	m.answers[w.key] = w.do(ctx)
	if ctx.Err() != nil {
		return true, asFault(ctx.Err())
	}
	return true, nil
}
