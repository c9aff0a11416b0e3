package controldb

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/reevehq/reeve/internal/keyrotation"
	"github.com/reevehq/reeve/internal/keyset"
	"github.com/reevehq/reeve/tenants"
)

// KeyRotation is the rotation of a project's signing keys.
type KeyRotation struct {
	Ref tenants.Ref
	keyrotation.Plan
	keyrotation.State
	// LookAt is when the next step is due, or is looked at again; the zero time for
	// never.
	LookAt time.Time
}

type keyRotationRow struct {
	Ref        string `gorm:"primaryKey"`
	Days       int
	Algorithm  string
	Held       bool
	Phase      string
	Since      time.Time
	KeyID      *uuid.UUID
	PreviousID *uuid.UUID
	TokenLife  int
	LookAt     *time.Time
}

func (keyRotationRow) TableName() string { return "key_rotations" }

func (r keyRotationRow) rotation() KeyRotation {
	out := KeyRotation{
		Ref: tenants.Ref(r.Ref), Plan: keyrotation.Plan{Days: r.Days, Algorithm: r.Algorithm, Held: r.Held},
		State: keyrotation.State{
			Phase: keyrotation.Phase(r.Phase), Since: r.Since.UTC(), TokenLife: time.Duration(r.TokenLife) * time.Second,
		},
	}
	if r.KeyID != nil {
		out.Key = *r.KeyID
	}
	if r.PreviousID != nil {
		out.Previous = *r.PreviousID
	}
	if r.LookAt != nil {
		out.LookAt = r.LookAt.UTC()
	}
	return out
}

// KeyRotation returns a project's rotation. One that nobody has planned is idle since
// its key in use became that.
func (r reader) KeyRotation(ctx context.Context, ref tenants.Ref) (KeyRotation, error) {
	var row keyRotationRow
	err := r.with(ctx).Where("ref = ?", string(ref)).Take(&row).Error
	if !errors.Is(err, gorm.ErrRecordNotFound) {
		return row.rotation(), Fault(err)
	}
	row = keyRotationRow{Ref: string(ref), Algorithm: "ES256", Phase: string(keyrotation.Idle)}
	err = r.with(ctx).Raw(`SELECT coalesce((SELECT updated_at FROM signing_keys WHERE ref = ? AND status = 'in_use'), now())`, string(ref)).
		Row().Scan(&row.Since)
	return row.rotation(), Fault(err)
}

// PutKeyRotation stores a project's rotation.
func (tx *Tx) PutKeyRotation(ctx context.Context, k KeyRotation) error {
	row := keyRotationRow{
		Ref: string(k.Ref), Days: k.Days, Algorithm: k.Algorithm, Held: k.Held, Phase: string(k.Phase), Since: k.Since,
		TokenLife: int(k.TokenLife / time.Second),
	}
	if k.Key != uuid.Nil {
		row.KeyID = &k.Key
	}
	if k.Previous != uuid.Nil {
		row.PreviousID = &k.Previous
	}
	if !k.LookAt.IsZero() {
		row.LookAt = &k.LookAt
	}
	return Fault(tx.with(ctx).Save(&row).Error)
}

// KeyRotationsDue lists projects with a rotation to look at by now, the longest
// waiting first. It leaves out those that are not served.
func (r reader) KeyRotationsDue(ctx context.Context, now time.Time, limit int) ([]tenants.Ref, error) {
	var refs []tenants.Ref
	err := r.with(ctx).Raw(`SELECT k.ref FROM key_rotations k JOIN projects p ON p.ref = k.ref AND p.deleted_at IS NULL
		WHERE NOT k.held AND k.look_at <= ? ORDER BY k.look_at, k.ref LIMIT ?`, now, limit).Scan(&refs).Error
	return refs, Fault(err)
}

// longestToken is the longest life that a hook can give an access token, whatever
// jwt_exp says.
const longestToken = 7 * 24 * time.Hour

// LongestTokenLife returns the longest life of an access token that the project may
// have issued within a time before now: its configuration in force then, and all
// since.
func (r reader) LongestTokenLife(ctx context.Context, ref tenants.Ref, within time.Duration) (time.Duration, error) {
	var seconds int64
	usual := tenants.DefaultConfig()
	err := r.with(ctx).Raw(`WITH since AS (SELECT now() - make_interval(secs => ?) AS at)
		SELECT coalesce(max(CASE WHEN (config->>'hook_custom_access_token_enabled')::boolean THEN ? ELSE coalesce((config->>'jwt_exp')::bigint, ?) END), ?) FROM auth_configs, since WHERE ref = ? AND (created_at >= since.at
			OR version = (SELECT max(version) FROM auth_configs WHERE ref = ? AND created_at < since.at))`,
		within.Seconds(), int64(longestToken/time.Second), usual.JWTExp, usual.JWTExp, string(ref), string(ref)).Row().Scan(&seconds)
	return time.Duration(seconds) * time.Second, Fault(err)
}

// OldSet is the requests for a project's key set that name an old one by the same
// entity tag.
type OldSet struct {
	Ref       tenants.Ref
	Tag       string
	FirstAt   time.Time
	LastAt    time.Time
	Requests  int64
	IP, Agent string
}

// keepOldSets is how long requests for old key sets are kept, and maxOldSets how
// many of a project.
const (
	keepOldSets = 24 * time.Hour
	maxOldSets  = 200
)

// AddOldSetRequests implements keyset.Store. What Postgres does not accept is
// dropped.
func (db *DB) AddOldSetRequests(ctx context.Context, requests []keyset.Request) error {
	raw, err := json.Marshal(requests)
	if err != nil {
		return fmt.Errorf("encode requests for old key sets: %w", err)
	}
	_, err = db.pool.Exec(ctx, `INSERT INTO old_key_sets AS o (ref, tag, first_at, last_at, requests, ip, agent)
		SELECT e.ref, e.tag, e.first, e.last, e.count, e.ip, e.agent
		  FROM jsonb_to_recordset($1::jsonb) AS e(ref text, tag text, first timestamptz, last timestamptz, count bigint, ip text, agent text)
		  JOIN projects p ON p.ref = e.ref AND p.deleted_at IS NULL
		 WHERE (SELECT count(*) FROM old_key_sets x WHERE x.ref = e.ref) < $2
		    OR EXISTS (SELECT FROM old_key_sets x WHERE x.ref = e.ref AND x.tag = e.tag)
		 ORDER BY e.ref, e.tag
		ON CONFLICT (ref, tag) DO UPDATE SET first_at = least(o.first_at, excluded.first_at), last_at = greatest(o.last_at, excluded.last_at),
			requests = o.requests + excluded.requests, ip = excluded.ip, agent = excluded.agent`, string(raw), maxOldSets)
	if badData(err) {
		slog.WarnContext(ctx, "requests for old key sets cannot be stored", "error", err)
		return nil
	}
	return Fault(err)
}

// OldSets lists the requests of verifiers that keep an old key set, see
// keyrotation.Keeps; of one project, or of all for "".
func (r reader) OldSets(ctx context.Context, ref tenants.Ref, now time.Time, limit int) ([]OldSet, error) {
	return r.oldSets(ctx, ref, now, limit, "")
}

// UnreportedOldSets lists those of OldSets of all projects that no log had for a day.
func (r reader) UnreportedOldSets(ctx context.Context, now time.Time, limit int) ([]OldSet, error) {
	return r.oldSets(ctx, "", now, limit, " AND (warned_at IS NULL OR warned_at < now() - interval '1 day')")
}

func (r reader) oldSets(ctx context.Context, ref tenants.Ref, now time.Time, limit int, further string) ([]OldSet, error) {
	var rows []OldSet
	err := r.with(ctx).Raw(`SELECT ref, tag, first_at, last_at, requests, ip, agent FROM old_key_sets
		WHERE (ref = ? OR ? = '') AND last_at > ? AND last_at - first_at >= interval '1 minute'`+further+`
		ORDER BY last_at DESC, tag LIMIT ?`, string(ref), string(ref), now.Add(-keyrotation.CacheLife), limit).Scan(&rows).Error
	out := rows[:0]
	for _, o := range rows {
		if keyrotation.Keeps(o.FirstAt, o.LastAt, now) {
			out = append(out, o)
		}
	}
	return out, Fault(err)
}

// ReportedOldSet notes that the project's log has the requests.
func (db *DB) ReportedOldSet(ctx context.Context, o OldSet) error {
	_, err := db.pool.Exec(ctx, `UPDATE old_key_sets SET warned_at = now() WHERE ref = $1 AND tag = $2`, string(o.Ref), o.Tag)
	return Fault(err)
}

// DeleteOldSets deletes requests for old key sets that nobody has repeated for a day.
func (db *DB) DeleteOldSets(ctx context.Context, now time.Time) error {
	_, err := db.pool.Exec(ctx, `DELETE FROM old_key_sets WHERE last_at < $1`, now.Add(-keepOldSets))
	return Fault(err)
}
