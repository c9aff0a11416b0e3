package server

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/internal/authapi/tidy"
	"github.com/reevehq/reeve/internal/control/billing"
	"github.com/reevehq/reeve/internal/control/signingkey"
	"github.com/reevehq/reeve/internal/control/user"
	"github.com/reevehq/reeve/internal/job"
	"github.com/reevehq/reeve/internal/provision"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// The jobs of projects that are in use.
const (
	tidyProject = "tidy_project"     // tidies the database
	endSessions = "end_sessions"     // ends sessions that are over
	countUsers  = "count_users"      // stores how many users the project has
	rollUpUsers = "roll_up_activity" // counts the ledger of active users
)

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
	projects := tidy.Tidier{Tenant: s.registry.Tenant, Database: s.Database, Now: s.now, Log: s.projectLog, Connections: s.flows().Connections()}
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
			{Name: "rotate_signing_keys", Every: time.Minute, Run: signingkey.Autopilot{DB: s.control, Log: s.projectLog, Now: s.now}.Run},
			{Name: "delete_old_key_sets", Every: time.Hour, Run: func(ctx context.Context) error {
				return s.control.DeleteOldSets(ctx, s.now())
			}},
			{Name: "delete_old_logs", Every: time.Hour, Run: func(ctx context.Context) error {
				_, err := s.control.DeleteOldLogs(ctx, s.config.Logs.Keep)
				return err
			}},
			{Name: "delete_old_hook_calls", Every: time.Hour, Run: func(ctx context.Context) error {
				_, err := s.control.DeleteOldHookCalls(ctx, s.config.Logs.Keep)
				return err
			}},
			{Name: "reconcile_ledgers", Every: 24 * time.Hour, Run: s.ledgers().Reconcile},
		},
		ProjectTasks: []job.ProjectTask{
			{Name: tidyProject, Every: time.Hour, Run: projects.Tidy},
			{Name: endSessions, Every: 10 * time.Minute, Run: projects.EndSessions},
			{Name: countUsers, Every: time.Hour, Run: s.countUsers},
			{Name: rollUpUsers, Every: 10 * time.Minute, Run: s.ledgers().RollUp},
			{Name: indexJobs[user.IndexSearch], Every: time.Hour, Timeout: provision.IndexTimeout, Run: s.provision.IndexSearch},
			{Name: indexJobs[user.IndexLastSignIn], Every: time.Hour, Timeout: provision.IndexTimeout, Run: s.provision.IndexLastSignIn},
			{Name: indexJobs[user.IndexProvider], Every: time.Hour, Timeout: provision.IndexTimeout, Run: s.provision.IndexProvider},
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
		for _, name := range []string{tidyProject, endSessions, countUsers, rollUpUsers} {
			if err := s.jobs.Offer(ctx, name, s.budget.Refs()); err != nil && ctx.Err() == nil {
				s.log.WarnContext(ctx, "a job of the projects is not done for now", "job", name, "error", err)
			}
		}
	}
}

// ledgers counts the ledgers of active users.
func (s *Server) ledgers() *billing.Ledgers {
	return &billing.Ledgers{DB: s.control, Tenant: s.registry.Tenant, Database: s.Database, Now: s.now, Log: s.log}
}

// closeLedger counts the ledger of a project that is deleted.
func (s *Server) closeLedger(ctx context.Context, ref tenants.Ref, within func(func(*pgx.Conn) error) error) error {
	return s.ledgers().Close(ctx, ref, within)
}

// countUsers stores how many users a project has, for overviews of many projects.
func (s *Server) countUsers(ctx context.Context, ref tenants.Ref) error {
	t, err := s.registry.Tenant(ctx, ref)
	if errors.Is(err, tenants.ErrUnknownProject) || err == nil && t.Status != tenants.StatusActive {
		return nil // deleted or paused meanwhile
	}
	if err != nil {
		return err
	}
	var n int64
	err = s.Database(t).Do(ctx, func(tx *tenantdb.Tx) error {
		n, _, err = tx.CountUsers(ctx, tenantdb.UserFilter{}, tenantdb.UserIndexes{})
		return err
	})
	if err != nil {
		return err
	}
	return s.control.SetProjectUsers(ctx, ref, n, s.now())
}
