package server

import (
	"context"
	"time"

	"github.com/reevehq/reeve/internal/authapi/tidy"
	"github.com/reevehq/reeve/internal/control/user"
	"github.com/reevehq/reeve/internal/job"
	"github.com/reevehq/reeve/internal/provision"
)

// tidyProject is the name of the job that tidies a project's database.
const tidyProject = "tidy_project"

const (
	// lostAudit is longer than any request of the Management API takes.
	lostAudit = 10 * time.Minute
	// manyLostAudits bounds one run.
	manyLostAudits = 1000
)

// offerPeriod is the interval at which jobs are offered for the projects in
// use.
const offerPeriod = 10 * time.Minute

// newJobs lists the scheduled jobs, see package job.
func (s *Server) newJobs() (*job.Runner, error) {
	projects := tidy.Tidier{Tenant: s.registry.Tenant, Database: s.Database, Now: s.now, Log: s.projectLog}
	return job.New(s.control.Pool(), job.Options{
		Logger: s.log,
		Tasks: []job.Task{
			{Name: "delete_idempotency_keys", Every: 10 * time.Minute, Run: func(ctx context.Context) error {
				_, err := s.control.DeleteOldIdempotencyKeys(ctx)
				return err
			}},
			{Name: "end_lost_audits", Every: time.Minute, Run: func(ctx context.Context) error {
				return s.control.EndLostAudits(ctx, s.now().Add(-lostAudit), manyLostAudits)
			}},
			{Name: "delete_old_failures", Every: time.Minute, Run: func(ctx context.Context) error {
				return s.control.DeleteOldFailures(ctx)
			}},
			{Name: "roll_up_usage", Every: time.Hour, Run: func(ctx context.Context) error {
				return s.control.RollUpUsage(ctx, s.now())
			}},
			{Name: "delete_old_key_uses", Every: time.Hour, Run: func(ctx context.Context) error {
				return s.control.DeleteOldKeyUses(ctx, s.now())
			}},
			{Name: "delete_old_logs", Every: time.Hour, Run: func(ctx context.Context) error {
				_, err := s.control.DeleteOldLogs(ctx, s.config.Logs.Keep)
				return err
			}},
		},
		ProjectTasks: []job.ProjectTask{
			{Name: tidyProject, Every: time.Hour, Run: projects.Tidy},
			{Name: indexJobs[user.IndexSearch], Every: time.Hour, Timeout: provision.IndexTimeout, Run: s.provision.IndexSearch},
			{Name: indexJobs[user.IndexLastSignIn], Every: time.Hour, Timeout: provision.IndexTimeout, Run: s.provision.IndexLastSignIn},
			{Name: indexJobs[user.IndexAudit], Every: time.Hour, Timeout: provision.IndexTimeout, Run: s.provision.IndexAudit},
		},
	})
}

// offerJobs offers the jobs of the projects that are in use in this process.
// Only this process knows which these are; an unused project costs nothing.
func (s *Server) offerJobs(ctx context.Context) error {
	tick := time.NewTicker(offerPeriod)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if err := s.jobs.Offer(ctx, tidyProject, s.budget.Refs()); err != nil && ctx.Err() == nil {
			s.log.WarnContext(ctx, "projects are not tidied for now", "error", err)
		}
	}
}
