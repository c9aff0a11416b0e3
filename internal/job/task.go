package job

import (
	"context"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/reevehq/reeve/tenants"
)

// Task is work that is due once in every period, whichever process does it.
type Task struct {
	// Name is the task's name in the database, of lower-case letters, digits and
	// underscores. It stays the same over releases.
	Name string
	// Every is the period. Periods are counted from midnight UTC, so that processes
	// agree on them.
	Every time.Duration
	// Timeout bounds one run: a minute when zero, maxTimeout at most.
	Timeout time.Duration
	// Run does the work. An error has it repeated some times within the period.
	Run func(ctx context.Context) error
}

// ProjectTask is work on single projects: those that Runner.Offer is told of, each
// once in every period.
type ProjectTask struct {
	Name    string        // as Task.Name
	Every   time.Duration // as Task.Every
	Timeout time.Duration // as Task.Timeout
	Run     func(ctx context.Context, ref tenants.Ref) error
}

const (
	// maxAttempts is how often a run is tried: the next period brings another one.
	maxAttempts = 3
	// maxTimeout bounds what Timeout may be, and rescueAfter is when a run that is
	// still noted as going on is taken to have ended with its process.
	maxTimeout  = 5 * time.Minute
	rescueAfter = 10 * time.Minute
	// retention is for how long at least the rows of finished runs are kept: while
	// its row is there, a run does not happen twice in its period.
	retention = 2 * time.Hour
)

// args are the row's arguments. The kind is the task's name.
type args struct {
	kind string
	Ref  tenants.Ref `json:"ref,omitempty"`
}

// Kind implements river.JobArgs.
func (a args) Kind() string { return a.kind }

// once are the options of a run that happens once in a period, even if all its
// attempts fail.
func once(every time.Duration) *river.InsertOpts {
	return &river.InsertOpts{
		MaxAttempts: maxAttempts,
		UniqueOpts: river.UniqueOpts{
			ByArgs: true, ByPeriod: every,
			ByState: append(rivertype.UniqueOptsByStateDefault(), rivertype.JobStateDiscarded),
		},
	}
}

// worker adapts a task to River.
type worker struct {
	river.WorkerDefaults[args]
	timeout time.Duration
	run     func(ctx context.Context, ref tenants.Ref) error
}

// Timeout implements river.Worker.
func (w *worker) Timeout(*river.Job[args]) time.Duration { return w.timeout }

// Work implements river.Worker.
func (w *worker) Work(ctx context.Context, j *river.Job[args]) error { return w.run(ctx, j.Args.Ref) }
