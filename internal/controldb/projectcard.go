package controldb

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/usage"
	"github.com/reevehq/reeve/tenants"
)

// CardDays is for how many days, the current one included, a ProjectCard has counts.
const CardDays = 7

// ProjectCard is a project with what an overview of many shows.
type ProjectCard struct {
	Project
	// Users is how many users the project has, as the last count says or, before the
	// first, as many as signed up lately; nil when neither is known.
	Users           *int64
	SignIns         [CardDays]int64 // by day (UTC), the current one last
	SignUps         [CardDays]int64
	LastActivity    *time.Time // the beginning of the last hour in which something was counted
	Place           CardPlace
	ActiveUsersPeak int64 // the most distinct users of an hour or a day of these; an estimate
}

// CardQuery selects cards of an organization's projects, by name.
type CardQuery struct {
	Organization uuid.UUID
	// Refs are the only projects to show; nil for all.
	Refs   []tenants.Ref
	Search string // part of a name, or the beginning of a ref
	// After is the place of the last card of the page before; the zero value for the
	// first page.
	After CardPlace
	Limit int
}

// CardPlace is the place of a card among others.
type CardPlace struct {
	Name string // in lower case
	Ref  tenants.Ref
}

// cardsSQL selects a page, and then what concerns its projects only. Days before $7
// are read from their sums, later ones from their hours, as DB.Usage does.
const cardsSQL = `WITH page AS MATERIALIZED (
		SELECT p.* FROM projects p
		 WHERE p.organization_id = $1 AND p.deleted_at IS NULL
		   AND ($2::text[] IS NULL OR p.ref = ANY ($2))
		   AND ($3 = '' OR p.name ILIKE '%' || $3 || '%' OR p.ref LIKE lower($3) || '%')
		   AND ($5 = '' OR (lower(p.name), p.ref) > ($4, $5))
		 ORDER BY lower(p.name), p.ref LIMIT $8
	)
	SELECT p.ref, p.id, p.name, lower(p.name), p.region, p.status, p.platform, p.created_at, p.expires_at, coalesce(p.branch_of, ''),
		u.users, coalesce(c.counts, '[]'), greatest(c.at, (SELECT max(a.at) FROM usage_active a WHERE a.ref = p.ref AND a.span = 'hour')),
		coalesce((SELECT max(a.users) FROM usage_active a WHERE a.ref = p.ref AND a.span IN ('hour', 'day') AND a.at >= $6), 0)
	  FROM page p
	  LEFT JOIN project_users u ON u.ref = p.ref
	  LEFT JOIN LATERAL (
		SELECT jsonb_agg(jsonb_build_object('day', d.day, 'metric', d.metric, 'count', d.count)) AS counts,
			(SELECT max(h.at) FROM usage_counts h WHERE h.ref = p.ref AND h.span = 'hour') AS at
		  FROM (
			SELECT date_trunc('day', n.at AT TIME ZONE 'UTC')::date - ($6 AT TIME ZONE 'UTC')::date AS day, n.metric, sum(n.count) AS count
			  FROM usage_counts n
			 WHERE n.ref = p.ref AND n.metric IN ('sign_ins', 'sign_ups')
			   AND (n.span = 'day' AND n.at >= $6 AND n.at < $7 OR n.span = 'hour' AND n.at >= $7)
			 GROUP BY 1, 2) d
	  ) c ON true
	 ORDER BY lower(p.name), p.ref`

// ProjectCards returns a page of cards by name, by one statement.
func (db *DB) ProjectCards(ctx context.Context, q CardQuery, now time.Time) ([]ProjectCard, error) {
	today := now.UTC().Truncate(24 * time.Hour)
	first, recent := today.AddDate(0, 0, 1-CardDays), today.AddDate(0, 0, 1-rolledDays)
	rows, err := db.pool.Query(ctx, cardsSQL, q.Organization, refNames(q.Refs), likeText(q.Search), q.After.Name, string(q.After.Ref), first, recent, q.Limit)
	if err != nil {
		return nil, Fault(err)
	}
	defer rows.Close()
	out := []ProjectCard{}
	for rows.Next() {
		c := ProjectCard{Project: Project{OrganizationID: q.Organization}}
		var counts []byte
		err := rows.Scan(&c.Ref, &c.ID, &c.Name, &c.Place.Name, &c.Region, &c.Status, &c.Platform, &c.CreatedAt, &c.ExpiresAt, &c.BranchOf,
			&c.Users, &counts, &c.LastActivity, &c.ActiveUsersPeak)
		if err != nil {
			return nil, Fault(err)
		}
		c.Place.Ref = c.Ref
		if err := c.count(counts); err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, Fault(rows.Err())
}

func (c *ProjectCard) count(raw []byte) error {
	var counts []struct {
		Day    int
		Metric usage.Metric
		Count  int64
	}
	if err := json.Unmarshal(raw, &counts); err != nil {
		return fmt.Errorf("usage of %s: %w", c.Ref, err)
	}
	var signUps int64
	for _, n := range counts {
		switch {
		case n.Day < 0 || n.Day >= CardDays:
		case n.Metric == usage.SignIns:
			c.SignIns[n.Day] += n.Count
		case n.Metric == usage.SignUps:
			c.SignUps[n.Day] += n.Count
			signUps += n.Count
		}
	}
	if c.Users == nil && signUps > 0 {
		c.Users = &signUps
	}
	return nil
}

// CountProjectCards returns how many projects a query selects on all pages.
func (db *DB) CountProjectCards(ctx context.Context, q CardQuery) (n int, err error) {
	err = db.pool.QueryRow(ctx, `SELECT count(*) FROM projects p WHERE p.organization_id = $1 AND p.deleted_at IS NULL
		AND ($2::text[] IS NULL OR p.ref = ANY ($2)) AND ($3 = '' OR p.name ILIKE '%' || $3 || '%' OR p.ref LIKE lower($3) || '%')`,
		q.Organization, refNames(q.Refs), likeText(q.Search)).Scan(&n)
	return n, Fault(err)
}

// SetProjectUsers stores how many users a project has.
func (db *DB) SetProjectUsers(ctx context.Context, ref tenants.Ref, users int64, at time.Time) error {
	_, err := db.pool.Exec(ctx, `INSERT INTO project_users AS u (ref, users, counted_at)
		SELECT ref, $2, $3 FROM projects WHERE ref = $1 AND deleted_at IS NULL
		ON CONFLICT (ref) DO UPDATE SET users = excluded.users, counted_at = excluded.counted_at WHERE u.counted_at <= excluded.counted_at`,
		string(ref), users, at)
	return Fault(err)
}

func refNames(refs []tenants.Ref) []string {
	if refs == nil {
		return nil
	}
	out := make([]string, len(refs))
	for i, r := range refs {
		out[i] = string(r)
	}
	return out
}

// likeText escapes a text for LIKE.
func likeText(s string) string {
	return strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`).Replace(s)
}
