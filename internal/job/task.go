package job

import (
	"context"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/reevehq/reeve/tenants"
)

// Task is work that runs once per period, in any one process.
type Task struct {
	// Name identifies the task in the database: lower-case letters, digits and
	// underscores. It must not change between releases.
	Name string
	// Every is the period. Periods are aligned to midnight UTC, so that all
	// processes use the same ones.
	Every time.Duration
	// Timeout bounds one run. Zero means one minute; the maximum is maxTimeout.
	Timeout time.Duration
	// Run does the work. After an error it is retried, up to maxAttempts in all.
	Run func(ctx context.Context) error
}

// ProjectTask is work on one project. It runs once per period for each project that
// is passed to Runner.Offer.
type ProjectTask struct {
	Name    string        // as Task.Name
	Every   time.Duration // as Task.Every
	Timeout time.Duration // as Task.Timeout
	Run     func(ctx context.Context, ref tenants.Ref) error
}

const (
	// maxAttempts is the number of attempts of a run. The next period has a new run.
	maxAttempts = 3
	// maxTimeout is the maximum of Timeout. A run that is recorded as active for
	// longer than rescueAfter is assumed to have lost its process.
	maxTimeout  = 5 * time.Minute
	rescueAfter = 10 * time.Minute
	// retention is the minimum time for which the rows of finished runs are kept.
	// The row prevents a second run in the same period.
	retention = 2 * time.Hour
)

// args are the arguments of a job. The kind is the task's name.
type args struct {
	kind string
	Ref  tenants.Ref `json:"ref,omitempty"`
}

// Kind implements river.JobArgs.
func (a args) Kind() string { return a.kind }

// oncePerPeriod returns the options of a job that is inserted once per period. A
// job whose attempts have all failed still counts.
func oncePerPeriod(every time.Duration) *river.InsertOpts {
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
