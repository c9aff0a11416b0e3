package job

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"github.com/reevehq/reeve/tenants"
)

// Options configure a Runner. Zero values select the defaults.
type Options struct {
	Tasks        []Task
	ProjectTasks []ProjectTask
	Logger       *slog.Logger
	Workers      int           // concurrent runs in this process; 2
	StopGrace    time.Duration // for active runs when Run is stopped; 5 s

	pollEvery, rescueAfter time.Duration // set by tests only
}

const (
	// pollEvery is the interval at which a process polls for jobs.
	pollEvery = 5 * time.Second
	// startRetryDelay is the delay before Run retries a failed start.
	startRetryDelay = 10 * time.Second
	// offerBatch is the maximum number of rows in one insert of Offer.
	offerBatch = 1000
)

// Runner executes jobs in one process and inserts the periodic jobs that are due.
type Runner struct {
	client   *river.Client[pgx.Tx]
	projects map[string]ProjectTask
	log      *slog.Logger
}

// New returns a Runner that uses the control database. Its tables must have been
// migrated before Run.
func New(pool *pgxpool.Pool, o Options) (*Runner, error) {
	r := &Runner{projects: map[string]ProjectTask{}, log: o.Logger}
	if r.log == nil {
		r.log = slog.New(slog.DiscardHandler)
	}
	config := &river.Config{
		Schema: schema,
		Logger: slog.New(warningHandler{r.log.Handler()}),
		// LISTEN would occupy a connection in every process, and no job needs to
		// begin that quickly.
		PollOnly:             true,
		FetchPollInterval:    positiveOr(o.pollEvery, pollEvery),
		FetchOnlyKnownKinds:  true, // tasks of a newer release are not touched
		Queues:               map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: positiveOr(o.Workers, 2)}},
		Workers:              river.NewWorkers(),
		ErrorHandler:         &errorLogger{log: r.log},
		MaxAttempts:          maxAttempts,
		JobTimeout:           min(time.Minute, positiveOr(o.rescueAfter, rescueAfter)/2),
		RescueStuckJobsAfter: positiveOr(o.rescueAfter, rescueAfter),
		SoftStopTimeout:      positiveOr(o.StopGrace, 5*time.Second),
		// No reindexing: the tables stay small, and REINDEX CONCURRENTLY waits for
		// all transactions of the database.
		ReindexerIndexNames: []string{},
	}
	longest := time.Duration(0)
	seen := map[string]bool{}
	add := func(name string, every, timeout time.Duration, run func(context.Context, tenants.Ref) error) error {
		if seen[name] || every < time.Second || timeout > maxTimeout {
			return fmt.Errorf("job %q: named twice, or a period of %v or a time limit of %v that cannot be", name, every, timeout)
		}
		seen[name], longest = true, max(longest, every)
		river.AddWorkerArgs(config.Workers, args{kind: name}, &worker{timeout: timeout, run: run})
		return nil
	}
	for _, t := range o.Tasks {
		if err := add(t.Name, t.Every, t.Timeout, func(ctx context.Context, _ tenants.Ref) error { return t.Run(ctx) }); err != nil {
			return nil, err
		}
		config.PeriodicJobs = append(config.PeriodicJobs, river.NewPeriodicJob(period(t.Every),
			func() (river.JobArgs, *river.InsertOpts) { return args{kind: t.Name}, oncePerPeriod(t.Every) },
			&river.PeriodicJobOpts{RunOnStart: true})) // UniqueOpts still limits it to one run per period
	}
	for _, t := range o.ProjectTasks {
		if err := add(t.Name, t.Every, t.Timeout, t.Run); err != nil {
			return nil, err
		}
		r.projects[t.Name] = t
	}
	config.CompletedJobRetentionPeriod = max(retention, 2*longest)
	var err error
	if r.client, err = river.NewClient(pollingDriver{riverpgxv5.New(pool)}, config); err != nil {
		return nil, fmt.Errorf("jobs: %w", err)
	}
	return r, nil
}

// pollingDriver inserts jobs without a notification. Nobody listens, and a commit
// that notifies fails when the server's NOTIFY queue is full.
type pollingDriver struct{ *riverpgxv5.Driver }

func (pollingDriver) SupportsListener() bool     { return false }
func (pollingDriver) SupportsListenNotify() bool { return false }

// Run executes jobs until ctx ends. It then waits up to StopGrace for active runs,
// cancels the rest, and returns nil. While the database cannot be reached at the
// start, Run retries.
func (r *Runner) Run(ctx context.Context) error {
	for {
		err := r.client.Start(ctx)
		if err == nil {
			break
		}
		if ctx.Err() != nil {
			return nil
		}
		r.log.WarnContext(ctx, "jobs do not start", "error", err)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(startRetryDelay):
		}
	}
	<-r.client.Stopped()
	return nil
}

// Offer inserts a run of the project task for each project that has no run in this
// period yet. Every process calls it at least once per period with the projects
// that it knows to need the task.
func (r *Runner) Offer(ctx context.Context, task string, refs []tenants.Ref) error {
	t, ok := r.projects[task]
	if !ok {
		return fmt.Errorf("job %q: no such project task", task)
	}
	for batch := range slices.Chunk(refs, offerBatch) {
		rows := make([]river.InsertManyParams, len(batch))
		for i, ref := range batch {
			rows[i] = river.InsertManyParams{Args: args{kind: task, Ref: ref}, InsertOpts: oncePerPeriod(t.Every)}
		}
		if _, err := r.client.InsertMany(ctx, rows); err != nil {
			return fmt.Errorf("job %q: %w", task, err)
		}
	}
	return nil
}

// period is a schedule with one run at the beginning of each period. River's
// UniqueOpts use the same boundaries of periods.
type period time.Duration

// Next implements river.PeriodicSchedule.
func (p period) Next(now time.Time) time.Time {
	return now.UTC().Truncate(time.Duration(p)).Add(time.Duration(p))
}

// positiveOr returns v if it is positive, and def otherwise.
func positiveOr[T int | time.Duration](v, def T) T {
	if v > 0 {
		return v
	}
	return def
}
