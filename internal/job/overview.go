package job

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river/rivertype"

	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/tenants"
)

// State sums the runs of a task up that the tables still have.
type State struct {
	Name string `db:"kind"`
	// Waiting, Running and Retrying are runs now; Failed have been given up.
	Waiting, Running, Retrying, Failed int
	LastDone                           *time.Time
}

// Failure is a run that failed, and is retried or was given up.
type Failure struct {
	ID       int64
	Name     string
	Ref      tenants.Ref // "" for a task of the installation
	GivenUp  bool
	Attempt  int
	At       time.Time // of the last attempt
	NextAt   time.Time
	Problem  string
	Finished *time.Time
}

// ErrNoRun is returned for a run that cannot be tried again.
var ErrNoRun = fault.New(fault.NotFound, "job_not_found", "There is no run that can be tried again")

// States sums the tasks up, by name.
func States(ctx context.Context, pool *pgxpool.Pool) ([]State, error) {
	rows, _ := pool.Query(ctx, `SELECT kind,
			count(*) FILTER (WHERE state IN ('available', 'scheduled', 'pending')),
			count(*) FILTER (WHERE state = 'running'),
			count(*) FILTER (WHERE state = 'retryable'),
			count(*) FILTER (WHERE state = 'discarded'),
			max(finalized_at) FILTER (WHERE state = 'completed')
		FROM `+schema+`.river_job GROUP BY kind ORDER BY kind`)
	out, err := pgx.CollectRows(rows, pgx.RowToStructByPos[State])
	if err != nil {
		return nil, fmt.Errorf("states of jobs: %w", err)
	}
	return out, nil
}

// Failures returns the runs that failed last, the newest first.
func Failures(ctx context.Context, pool *pgxpool.Pool, limit int) ([]Failure, error) {
	rows, _ := pool.Query(ctx, `SELECT id, kind, coalesce(args ->> 'ref', ''), state = 'discarded', attempt, coalesce(attempted_at, created_at), scheduled_at,
			coalesce(errors[array_length(errors, 1)] ->> 'error', ''), finalized_at
		FROM `+schema+`.river_job WHERE state IN ('retryable', 'discarded') ORDER BY coalesce(attempted_at, created_at) DESC, id DESC LIMIT $1`, limit)
	out, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Failure])
	if err != nil {
		return nil, fmt.Errorf("failed jobs: %w", err)
	}
	return out, nil
}

// Retry makes a run that failed due at once. ErrNoRun.
func (r *Runner) Retry(ctx context.Context, id int64) error {
	row, err := r.client.JobGet(ctx, id)
	if errors.Is(err, rivertype.ErrNotFound) || err == nil && row.State != rivertype.JobStateRetryable && row.State != rivertype.JobStateDiscarded {
		return ErrNoRun
	}
	if err == nil {
		_, err = r.client.JobRetry(ctx, id)
	}
	if err != nil {
		return fmt.Errorf("retry a job: %w", err)
	}
	return nil
}
