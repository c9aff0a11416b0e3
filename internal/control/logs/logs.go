package logs

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/authz"
	"github.com/reevehq/reeve/internal/control/text"
	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/projectlog"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// Service is the rules of logs.
type Service struct {
	DB    *controldb.DB
	Authz *authz.Authorizer
	// Audit returns the newest entries of the audit log in a project's database; nil
	// for none.
	Audit func(ctx context.Context, ref tenants.Ref, limit int) ([]tenantdb.AuditEntry, error)
	// Stopping is closed when the process ends: tails end then. nil for never.
	Stopping <-chan struct{}
	// Heartbeat is how often a tail shows that it is there, and looks whether its reader
	// still may; 10 seconds when zero.
	Heartbeat time.Duration

	tails tails
}

// List returns the newest of the selected entries, and whether there are older
// ones.
func (s *Service) List(ctx context.Context, actor authz.Actor, in *listInput) (found []projectlog.Record, more bool, err error) {
	project, err := s.Authz.Project(ctx, actor, authz.ReadLogs, in.Ref)
	if err != nil {
		return nil, false, err
	}
	q, err := in.query()
	if err != nil {
		return nil, false, err
	}
	found, err = s.DB.ProjectLog(ctx, project.Ref, q)
	if err == nil && len(found) > in.Limit {
		return found[:in.Limit], true, nil
	}
	return found, false, err
}

// query selects one entry more than the limit, to find out whether there is one.
func (in *listInput) query() (controldb.LogQuery, error) {
	q := controldb.LogQuery{
		Code: in.Code, RequestID: in.RequestID, Since: in.Since, Until: in.Until, Text: in.Text, Limit: in.Limit + 1,
	}
	if level := projectlog.Level(in.Level); level != projectlog.Info {
		q.Levels = projectlog.Levels(level)
	}
	for name, id := range map[string]struct {
		text string
		into *uuid.UUID
	}{"id": {in.ID, &q.ID}, "user_id": {in.UserID, &q.UserID}, "before": {in.Before, &q.Before}, "after": {in.After, &q.After}} {
		if id.text == "" {
			continue
		}
		parsed, err := uuid.Parse(id.text)
		if err != nil {
			return q, text.Invalid("%s: must be a UUID", name)
		}
		*id.into = parsed
	}
	return q, nil
}
