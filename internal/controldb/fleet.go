package controldb

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// The operator's view of the installation: it crosses organizations, and holds
// nothing of what projects store.

// Fleet counts what an installation has.
type Fleet struct {
	Organizations int
	// Projects counts by status, deleted ones left out.
	Projects map[string]int
	// Warm databases wait for projects. Behind have an older schema than this release;
	// Failing are those whose last step of creating, migrating or dropping failed.
	Warm, Behind, Failing int
	// ShutOut projects have logins that are suspended.
	ShutOut int
}

// Fleet counts; known is the schema version of this release.
func (db *DB) Fleet(ctx context.Context, known int64) (Fleet, error) {
	f := Fleet{Projects: map[string]int{}}
	err := db.pool.QueryRow(ctx, `SELECT
		(SELECT count(*) FROM organizations WHERE deleted_at IS NULL),
		(SELECT count(*) FROM databases WHERE state = 'warm'),
		(SELECT count(*) FROM databases WHERE state = 'assigned' AND schema_version < $1),
		(SELECT count(*) FROM databases WHERE state <> 'dropped' AND attempts > 0),
		(SELECT count(*) FROM shut_outs WHERE until > now())`, known).
		Scan(&f.Organizations, &f.Warm, &f.Behind, &f.Failing, &f.ShutOut)
	if err != nil {
		return f, Fault(err)
	}
	rows, _ := db.pool.Query(ctx, `SELECT status, count(*) FROM projects WHERE deleted_at IS NULL GROUP BY status`)
	var status string
	var n int
	_, err = pgx.ForEachRow(rows, []any{&status, &n}, func() error {
		f.Projects[status] = n
		return nil
	})
	return f, Fault(err)
}

// FleetOrganization is an organization as its installation's operator sees it.
type FleetOrganization struct {
	Slug, Name, Plan  string
	CreatedAt         time.Time
	Members, Projects int
}

// FleetOrganizations returns organizations whose name or slug contains search, by
// slug, those after a slug.
func (db *DB) FleetOrganizations(ctx context.Context, search, after string, limit int) ([]FleetOrganization, error) {
	rows, _ := db.pool.Query(ctx, `SELECT o.slug, o.name, o.plan, o.created_at,
			(SELECT count(*) FROM members m WHERE m.organization_id = o.id),
			(SELECT count(*) FROM projects p WHERE p.organization_id = o.id AND p.deleted_at IS NULL)
		FROM organizations o
		WHERE o.deleted_at IS NULL AND o.slug > $1 AND (strpos(o.slug, lower($2)) > 0 OR strpos(lower(o.name), lower($2)) > 0)
		ORDER BY o.slug LIMIT $3`, after, search, limit)
	out, err := pgx.CollectRows(rows, pgx.RowToStructByPos[FleetOrganization])
	return out, Fault(err)
}

// FleetFilter selects projects for the operator.
type FleetFilter struct {
	// Search is part of a project's name or ref, or of its organization's slug.
	Search string
	// Status is one of tenants.Status; empty for all.
	Status string
	// Trouble is one of the words below; empty for all.
	Trouble string
	// After is the last ref of the page before.
	After string
	Limit int
	// Known is the schema version of this release.
	Known int64
}

// What can be wrong with a project, as FleetFilter.Trouble.
const (
	TroubleFailing = "failing"  // a step of creating, migrating or dropping failed
	TroubleBehind  = "behind"   // its schema is older than this release
	TroubleShutOut = "shut_out" // its logins are suspended
	TroubleErrors  = "errors"   // its log has errors of the last hour
)

// FleetProject is a project as its installation's operator sees it.
type FleetProject struct {
	Ref, Name, Organization, Status string
	CreatedAt                       time.Time
	ExpiresAt                       *time.Time
	BranchOf                        *string
	Platform                        bool
	SchemaVersion                   int64
	Attempts                        int     // failed ones since the last success
	LastError                       *string // of them
	ShutOutUntil                    *time.Time
	// Errors of the log in the last hour; SignIns and Refusals of the last two days of
	// the calendar.
	Errors, SignIns, Refusals int64
}

// FleetProjects returns projects by ref. What is counted of a project is counted for
// the page only.
func (db *DB) FleetProjects(ctx context.Context, f FleetFilter) ([]FleetProject, error) {
	args := pgx.NamedArgs{"search": f.Search, "status": f.Status, "after": f.After, "limit": f.Limit, "known": f.Known}
	where := ""
	switch f.Trouble {
	case TroubleFailing:
		where = ` AND (p.status = 'failed' OR d.attempts > 0)`
	case TroubleBehind:
		where = ` AND d.state = 'assigned' AND d.schema_version < @known`
	case TroubleShutOut:
		where = ` AND s.until > now()`
	case TroubleErrors:
		where = ` AND p.ref IN (SELECT l.ref FROM project_logs l WHERE l.level = 'error' AND l.at > now() - interval '1 hour')`
	}
	rows, _ := db.pool.Query(ctx, `WITH page AS (
			SELECT p.ref, p.name, o.slug, p.status, p.created_at, p.expires_at, p.branch_of, p.platform,
				d.schema_version, d.attempts, d.last_error, s.until
			FROM projects p JOIN organizations o ON o.id = p.organization_id JOIN databases d ON d.ref = p.ref
			LEFT JOIN shut_outs s ON s.ref = p.ref AND s.until > now()
			WHERE p.deleted_at IS NULL AND p.ref > @after AND (@status = '' OR p.status = @status)
				AND (strpos(p.ref, lower(@search)) > 0 OR strpos(lower(p.name), lower(@search)) > 0 OR strpos(o.slug, lower(@search)) > 0)`+where+`
			ORDER BY p.ref LIMIT @limit)
		SELECT page.*,
			(SELECT coalesce(sum(l.count), 0) FROM project_logs l WHERE l.ref = page.ref AND l.level = 'error' AND l.at > now() - interval '1 hour'),
			u.sign_ins, u.refusals
		FROM page CROSS JOIN LATERAL (
			SELECT coalesce(sum(c.count) FILTER (WHERE c.metric = 'sign_ins'), 0) AS sign_ins,
				coalesce(sum(c.count) FILTER (WHERE c.metric = 'refusals'), 0) AS refusals
			FROM usage_counts c
			WHERE c.ref = page.ref AND c.span = 'hour' AND c.at >= date_trunc('day', now() - interval '1 day')) u
		ORDER BY page.ref`, args)
	out, err := pgx.CollectRows(rows, pgx.RowToStructByPos[FleetProject])
	return out, Fault(err)
}
