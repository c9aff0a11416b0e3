package server

import (
	"context"

	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/hook"
)

// hookCalls keeps calls of hooks in the control database.
type hookCalls struct{ db *controldb.DB }

// AddHookCalls implements hook.Store.
func (h hookCalls) AddHookCalls(ctx context.Context, calls []hook.Call) error {
	out := make([]controldb.HookCall, len(calls))
	for i, c := range calls {
		out[i] = controldb.HookCall{
			ID: c.ID, Ref: c.Ref, Point: c.Point, At: c.At, Duration: c.Duration, Outcome: string(c.Outcome), Mode: c.Mode,
			Error: c.Error, Status: c.Status, RequestID: c.RequestID,
		}
	}
	return h.db.AddHookCalls(ctx, out)
}
