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

// Options are what New may be told; zero values mean the defaults.
type Options struct {
	Tasks        []Task
	ProjectTasks []ProjectTask
	Logger       *slog.Logger
	Workers      int           // runs at a time in this process; 2
	StopGrace    time.Duration // for runs under way when Run is stopped; 5 s

	pollEvery, rescueAfter time.Duration // the constants, but for tests
}

const (
	// pollEvery is how often a process looks for work.
	pollEvery = 5 * time.Second
	// startAgain is how long Run waits after it found the database unreachable.
	startAgain = 10 * time.Second
	// offerBatch bounds one insert of Offer.
	offerBatch = 1000
)

// Runner does the work of a process, and has the work noted that is due.
type Runner struct {
	client   *river.Client[pgx.Tx]
	projects map[string]ProjectTask
	log      *slog.Logger
}

// New makes the Runner of a process over the control database, whose tables must
// have been migrated before Run.
func New(pool *pgxpool.Pool, o Options) (*Runner, error) {
	r := &Runner{projects: map[string]ProjectTask{}, log: o.Logger}
	if r.log == nil {
		r.log = slog.New(slog.DiscardHandler)
	}
	config := &river.Config{
		Schema: schema,
		Logger: slog.New(warnings{r.log.Handler()}),
		// No LISTEN: nothing here is in such a hurry that it would be worth a
		// connection of every process.
		PollOnly:             true,
		FetchPollInterval:    or(o.pollEvery, pollEvery),
		FetchOnlyKnownKinds:  true, // a newer release's tasks are left to it
		Queues:               map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: or(o.Workers, 2)}},
		Workers:              river.NewWorkers(),
		ErrorHandler:         &failures{log: r.log},
		MaxAttempts:          maxAttempts,
		JobTimeout:           min(time.Minute, or(o.rescueAfter, rescueAfter)/2),
		RescueStuckJobsAfter: or(o.rescueAfter, rescueAfter),
		SoftStopTimeout:      or(o.StopGrace, 5*time.Second),
		// The tables stay small; rebuilding an index concurrently waits for every
		// transaction of the database.
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
			func() (river.JobArgs, *river.InsertOpts) { return args{kind: t.Name}, once(t.Every) },
			&river.PeriodicJobOpts{RunOnStart: true})) // once a period all the same
	}
	for _, t := range o.ProjectTasks {
		if err := add(t.Name, t.Every, t.Timeout, t.Run); err != nil {
			return nil, err
		}
		r.projects[t.Name] = t
	}
	config.CompletedJobRetentionPeriod = max(retention, 2*longest)
	var err error
	if r.client, err = river.NewClient(riverpgxv5.New(pool), config); err != nil {
		return nil, fmt.Errorf("jobs: %w", err)
	}
	return r, nil
}

// Run works until ctx ends, lets the runs under way end, for StopGrace, ends them,
// and returns nil. A database that cannot be reached is waited for.
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
		case <-time.After(startAgain):
		}
	}
	<-r.client.Stopped()
	return nil
}

// Offer notes a run of the project task for each project that has none yet in this
// period. It is for every process to call, at least once a period, with the projects
// that it knows to need it.
func (r *Runner) Offer(ctx context.Context, task string, refs []tenants.Ref) error {
	t, ok := r.projects[task]
	if !ok {
		return fmt.Errorf("job %q: no such project task", task)
	}
	for batch := range slices.Chunk(refs, offerBatch) {
		rows := make([]river.InsertManyParams, len(batch))
		for i, ref := range batch {
			rows[i] = river.InsertManyParams{Args: args{kind: task, Ref: ref}, InsertOpts: once(t.Every)}
		}
		if _, err := r.client.InsertMany(ctx, rows); err != nil {
			return fmt.Errorf("job %q: %w", task, err)
		}
	}
	return nil
}

// period is a schedule: the beginning of each period. It is how River, too, counts
// periods in UniqueOpts.
type period time.Duration

// Next implements river.PeriodicSchedule.
func (p period) Next(now time.Time) time.Time {
	return now.UTC().Truncate(time.Duration(p)).Add(time.Duration(p))
}

func or[T int | time.Duration](v, otherwise T) T {
	if v > 0 {
		return v
	}
	return otherwise
}
