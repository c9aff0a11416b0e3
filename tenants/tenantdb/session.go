package tenantdb

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/reevehq/reeve/internal/auth"
)

// sessionColumns is what sessionRow scans, of a table aliased s that may be
// outer joined. It leaves out the amr entries, which cost as much as all other
// columns.
const sessionColumns = `s.id, s.user_id, s.aal::pg_catalog.text, s.factor_id, s.created_at, s.refreshed_at, s.not_after,
	coalesce(s.user_agent, ''), coalesce(pg_catalog.host(s.ip), ''), coalesce(s.refresh_token_counter, 0)`

// amrColumn returns a session's amr entries, each as "<seconds since 1970> <method>".
const amrColumn = `ARRAY(SELECT pg_catalog.floor(extract(epoch FROM c.updated_at))::pg_catalog.text || ' ' || c.authentication_method
	FROM auth.mfa_amr_claims c WHERE c.session_id = s.id)`

type sessionRow struct {
	id, userID, factorID  pgtype.UUID
	aal                   *string
	createdAt             *time.Time
	refreshedAt, notAfter *time.Time
	userAgent, ip         string
	counter               int64
	amr                   []string
}

func (r *sessionRow) targets() []any {
	return []any{
		&r.id, &r.userID, &r.aal, &r.factorID,
		moment{&r.createdAt},
		moment{&r.refreshedAt},
		moment{&r.notAfter},
		&r.userAgent, &r.ip, &r.counter,
	}
}

func (r *sessionRow) session() auth.Session {
	s := auth.Session{
		ID: r.id.Bytes, UserID: r.userID.Bytes, AAL: auth.AAL1, RefreshedAt: r.refreshedAt,
		NotAfter: r.notAfter, UserAgent: r.userAgent, IP: r.ip, RefreshCounter: r.counter, AMR: parseAMR(r.amr),
	}
	if r.factorID.Valid {
		id := uuid.UUID(r.factorID.Bytes)
		s.FactorID = &id
	}
	if r.aal != nil {
		s.AAL = auth.AAL(*r.aal)
	}
	if r.createdAt != nil {
		s.CreatedAt = *r.createdAt
	}
	return s
}

// parseAMR reads amrColumn, the newest entry first.
func parseAMR(entries []string) []auth.AMR {
	var out []auth.AMR
	for _, e := range entries {
		at, method, _ := strings.Cut(e, " ")
		seconds, err := strconv.ParseInt(at, 10, 64)
		if err != nil {
			continue // an entry without a time is ignored
		}
		out = append(out, auth.AMR{Method: auth.Method(method), Timestamp: seconds})
	}
	slices.SortStableFunc(out, func(a, b auth.AMR) int { return cmp.Compare(b.Timestamp, a.Timestamp) })
	return out
}

// CreateSession writes a session with its amr entries.
func (tx *Tx) CreateSession(ctx context.Context, s *auth.Session) error {
	tag, err := tx.q.Exec(ctx, `INSERT INTO auth.sessions
			(id, user_id, aal, factor_id, created_at, updated_at, not_after, user_agent, ip, refresh_token_counter)
		VALUES ($1, $2, $3::auth.aal_level, $4, $5, $5, $6, nullif($7, ''), nullif($8, '')::pg_catalog.inet, $9)`,
		s.ID, s.UserID, string(s.AAL), s.FactorID, s.CreatedAt, s.NotAfter, s.UserAgent, s.IP, s.RefreshCounter)
	if err == nil && tag.RowsAffected() != 1 {
		err = pgx.ErrNoRows
	}
	if err != nil {
		return asFault(suppressed(fmt.Errorf("create session: %w", err)))
	}
	for _, amr := range s.AMR {
		if err := tx.PutAMR(ctx, s.ID, amr); err != nil {
			return err
		}
	}
	return nil
}

// PutAMR writes an amr entry of a session; an older one of the same method is
// replaced.
func (tx *Tx) PutAMR(ctx context.Context, session uuid.UUID, amr auth.AMR) error {
	return tx.q.Later(ctx, "put amr entry", `INSERT INTO auth.mfa_amr_claims (id, session_id, created_at, updated_at, authentication_method)
		VALUES ($1, $2, $3, $3, $4)
		ON CONFLICT (session_id, authentication_method) DO UPDATE SET updated_at = excluded.updated_at`,
		uuid.New(), session, time.Unix(amr.Timestamp, 0), string(amr.Method))
}

// PrincipalBySession returns the session, locked, with its user, identities and
// factors. A session that is gone is auth.ErrSessionNotFound.
func (tx *Tx) PrincipalBySession(ctx context.Context, id uuid.UUID) (auth.Principal, error) {
	// The session row is locked first and alone, because an outer join cannot
	// be.
	var user uuid.UUID
	err := tx.q.QueryRow(ctx, `SELECT s.user_id FROM auth.sessions s WHERE s.id = $1 FOR UPDATE`, id).Scan(&user)
	if err != nil {
		return auth.Principal{}, notFound(fmt.Errorf("lock session: %w", err), auth.ErrSessionNotFound)
	}
	return tx.principal(ctx, user, id)
}

// SessionAMR returns how the user of a session was proved, the newest proof first;
// nothing for an unknown session.
func (tx *Tx) SessionAMR(ctx context.Context, id uuid.UUID) ([]auth.AMR, error) {
	var entries []string
	err := tx.q.QueryRow(ctx, `SELECT `+amrColumn+` FROM auth.sessions s WHERE s.id = $1`, id).Scan(&entries)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return nil, fmt.Errorf("read amr: %w", err)
	}
	return parseAMR(entries), nil
}

func (tx *Tx) principal(ctx context.Context, user, session uuid.UUID) (auth.Principal, error) {
	rows, err := tx.q.Query(ctx, `SELECT `+principalColumns+`, `+amrColumn+`
		FROM auth.users u
		LEFT JOIN auth.sessions s ON s.id = $2 AND s.user_id = u.id
		LEFT JOIN auth.identities i ON i.user_id = u.id
		WHERE u.id = $1 AND u.deleted_at IS NULL`, user, session)
	if err != nil {
		return auth.Principal{}, fmt.Errorf("read principal: %w", err)
	}
	return tx.scanPrincipal(ctx, rows, true)
}

// Rotation is a request for the next refresh token of a session.
type Rotation struct {
	Session    uuid.UUID
	User       uuid.UUID // the user that the session must have; uuid.Nil = any
	Counter    int64     // the one presented; must be the newest
	Now        time.Time
	UserAgent  string
	IP         string
	Timebox    time.Duration // 0 = none
	Inactivity time.Duration // 0 = none
	LowAAL     time.Duration // 0 = no limit
}

// Rotate moves the session to its next refresh token, records the refresh, writes the
// audit entry and reads what the access token needs, all in one statement: one round trip
// and one transaction. ok is false, and nothing has changed, when the token
// presented is not the newest, when the session or user may not continue, or when
// triggers of the project's developer would run. The caller then finds the reason
// in a transaction.
//
// The condition on the counter makes concurrent refreshes safe: READ COMMITTED
// checks it again after waiting for the row, so one of them succeeds.
func (db *DB) Rotate(ctx context.Context, r Rotation) (p auth.Principal, ok bool, err error) {
	err = db.Do(ctx, func(tx *Tx) error {
		p, ok, err = tx.Rotate(ctx, r)
		return err
	})
	return p, ok && err == nil, err
}

// Rotate is DB.Rotate within a transaction.
func (tx *Tx) Rotate(ctx context.Context, r Rotation) (p auth.Principal, ok bool, err error) {
	client := clientOf(r.IP, r.UserAgent)
	rows, err := tx.q.Query(ctx, rotateSQL, binaryID(r.Session), r.Counter, r.Now, r.UserAgent, r.IP,
		interval(r.Timebox), interval(r.Inactivity), binaryID(uuid.New()), pgtype.UUID{Bytes: r.User, Valid: r.User != uuid.Nil}, interval(r.LowAAL),
		client, rotationMAC(tx.capability, r.Session, r.Now, client))
	if err != nil {
		return p, false, fmt.Errorf("rotate: %w", err)
	}
	p, err = tx.scanPrincipal(ctx, rows, true)
	if errors.Is(err, auth.ErrTokenUserGone) { // no row
		return auth.Principal{}, false, nil
	}
	return p, err == nil, err
}

// The user is read in a subquery, not joined: a plan that was cached while the
// table was small must not scan it when it has grown. The statement cannot read
// what triggers write, so it changes nothing where the tables that it writes to
// have triggers on that.
const rotateSQL = `WITH s AS (
	UPDATE auth.sessions AS s
	   SET refresh_token_counter = $2 + 1, refreshed_at = $3 AT TIME ZONE 'utc', updated_at = $3,
	       user_agent = nullif($4, ''), ip = nullif($5, '')::pg_catalog.inet
	 WHERE s.id = $1 AND coalesce(s.refresh_token_counter, 0) = $2
	   AND ($9::pg_catalog.uuid IS NULL OR s.user_id = $9)
	   AND (SELECT o.deleted_at IS NULL AND coalesce(nullif(o.aud, ''), '` + auth.Audience + `') = '` + auth.Audience + `'
	          AND (o.banned_until IS NULL OR o.banned_until <= $3)
	          FROM auth.users AS o WHERE o.id = s.user_id)
	   AND (s.not_after IS NULL OR s.not_after > $3)
	   AND ($6::pg_catalog.interval IS NULL OR s.created_at + $6::pg_catalog.interval > $3)
	   AND ($7::pg_catalog.interval IS NULL OR
	        greatest(s.refreshed_at AT TIME ZONE 'utc', s.created_at) + $7::pg_catalog.interval > $3)
	   AND ($10::pg_catalog.interval IS NULL OR s.aal::pg_catalog.text = 'aal2' OR s.created_at + $10::pg_catalog.interval > $3 OR
	        (SELECT true FROM auth.mfa_factors AS f WHERE f.user_id = s.user_id AND f.status::pg_catalog.text = 'verified' LIMIT 1) IS NULL)
	   AND NOT EXISTS (SELECT FROM pg_catalog.pg_trigger AS t
	        WHERE t.tgrelid IN ('auth.sessions'::pg_catalog.regclass, 'auth.audit_log_entries'::pg_catalog.regclass) AND ` + onWrites + `)
	RETURNING s.*
), audit AS (
	INSERT INTO auth.audit_log_entries (instance_id, id, payload, created_at, ip_address)
	SELECT '00000000-0000-0000-0000-000000000000', $8, pg_catalog.json_strip_nulls(pg_catalog.json_build_object('action', 'token_refreshed',
		'actor_id', u.id, 'actor_username', coalesce(nullif(u.phone, ''), u.email, ''), 'actor_via_sso', u.is_sso_user, 'log_type', 'token',
		'actor_name', CASE pg_catalog.jsonb_typeof(u.raw_user_meta_data->'full_name') WHEN 'string'
			THEN nullif(u.raw_user_meta_data->>'full_name', '') END)), $3, $5
	FROM s JOIN auth.users u ON u.id = s.user_id
), recorded AS (
	INSERT INTO reeve.session_rotation (session_id, at, client, mac) SELECT s.id, $3, $11, $12 FROM s
)
SELECT ` + principalColumns + `, ` + amrColumn + `
FROM s JOIN auth.users u ON u.id = s.user_id
LEFT JOIN auth.identities i ON i.user_id = u.id`

// AdvanceSession does what Rotate does for a session that the transaction holds
// locked.
func (tx *Tx) AdvanceSession(ctx context.Context, s *auth.Session) error {
	tag, err := tx.q.Exec(ctx, `UPDATE auth.sessions SET refresh_token_counter = $2, refreshed_at = $3 AT TIME ZONE 'utc',
			updated_at = $3, user_agent = nullif($4, ''), ip = nullif($5, '')::pg_catalog.inet
		WHERE id = $1`, s.ID, s.RefreshCounter, s.RefreshedAt, s.UserAgent, s.IP)
	if err != nil {
		return fmt.Errorf("advance session: %w", err)
	}
	if tag.RowsAffected() != 1 {
		return auth.ErrSessionNotFound
	}
	return nil
}

// RaiseSession writes assurance level, factor and refresh counter of a session
// that the transaction holds locked.
func (tx *Tx) RaiseSession(ctx context.Context, s *auth.Session) error {
	tag, err := tx.q.Exec(ctx, `UPDATE auth.sessions SET aal = $2::auth.aal_level, factor_id = $3, refresh_token_counter = $4,
			refreshed_at = $5 AT TIME ZONE 'utc', updated_at = $5
		WHERE id = $1`, s.ID, string(s.AAL), s.FactorID, s.RefreshCounter, s.RefreshedAt)
	if err != nil {
		return asFault(fmt.Errorf("raise session: %w", err))
	}
	if tag.RowsAffected() != 1 {
		return auth.ErrSessionNotFound
	}
	return nil
}

// NewerSession reports whether the user began another session after this one.
func (tx *Tx) NewerSession(ctx context.Context, s *auth.Session) (bool, error) {
	var newer bool
	err := tx.q.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM auth.sessions o WHERE o.user_id = $1 AND o.id <> $2
		AND (o.created_at, o.id) > ($3, $2))`, s.UserID, s.ID, s.CreatedAt).Scan(&newer)
	if err != nil {
		return false, fmt.Errorf("look for newer sessions: %w", err)
	}
	return newer, nil
}

// SessionStands reports whether a session exists.
func (tx *Tx) SessionStands(ctx context.Context, id uuid.UUID) (bool, error) {
	var stands bool
	if err := tx.q.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM auth.sessions s WHERE s.id = $1)`, id).Scan(&stands); err != nil {
		return false, fmt.Errorf("look for session: %w", err)
	}
	return stands, nil
}

// HasSession reports whether a user has a session.
func (tx *Tx) HasSession(ctx context.Context, user, id uuid.UUID) (bool, error) {
	var has bool
	err := tx.q.QueryRow(ctx, `SELECT EXISTS (SELECT FROM auth.sessions s WHERE s.id = $1 AND s.user_id = $2)`, id, user).Scan(&has)
	if err != nil {
		return false, fmt.Errorf("look for session: %w", err)
	}
	return has, nil
}

// SessionsOf returns a user's sessions, the one used last first, at most max.
func (tx *Tx) SessionsOf(ctx context.Context, user uuid.UUID, max int) ([]auth.Session, error) {
	return tx.sessionsOf(ctx, user, 0, max)
}

func (tx *Tx) sessionsOf(ctx context.Context, user uuid.UUID, skip, max int) ([]auth.Session, error) {
	rows, err := tx.q.Query(ctx, `SELECT `+sessionColumns+`, `+amrColumn+` FROM auth.sessions s WHERE s.user_id = $1
		ORDER BY greatest(s.refreshed_at AT TIME ZONE 'utc', s.created_at) DESC NULLS LAST, s.id OFFSET $2 LIMIT $3`, user, skip, max)
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (auth.Session, error) {
		var r sessionRow
		err := row.Scan(append(r.targets(), &r.amr)...)
		return r.session(), err
	})
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	return list, nil
}

// SessionPage returns sessions of a user in the order of SessionsOf, and how many there
// are.
func (tx *Tx) SessionPage(ctx context.Context, user uuid.UUID, skip, max int) (list []auth.Session, total int64, err error) {
	err = tx.q.QueryRow(ctx, `SELECT count(*) FROM auth.sessions s WHERE s.user_id = $1`, user).Scan(&total)
	if err != nil {
		return nil, 0, fmt.Errorf("count sessions: %w", err)
	}
	list, err = tx.sessionsOf(ctx, user, skip, max)
	return list, total, err
}

// DeleteSession ends one session; a missing one is no error.
func (tx *Tx) DeleteSession(ctx context.Context, id uuid.UUID) error {
	return tx.deleteSessions(ctx, `id = $1`, id)
}

// DeleteSessions ends all sessions of a user.
func (tx *Tx) DeleteSessions(ctx context.Context, user uuid.UUID) error {
	return tx.deleteSessions(ctx, `user_id = $1`, user)
}

// DeleteOtherSessions ends all sessions of a user but one.
func (tx *Tx) DeleteOtherSessions(ctx context.Context, user, keep uuid.UUID) error {
	return tx.deleteSessions(ctx, `user_id = $1 AND id <> $2`, user, keep)
}

// DeleteTheseSessions ends the sessions of a user that have one of the ids.
func (tx *Tx) DeleteTheseSessions(ctx context.Context, user uuid.UUID, ids []uuid.UUID) error {
	return tx.deleteSessions(ctx, `user_id = $1 AND id = ANY ($2)`, user, ids)
}

// DeleteOldestSessions ends all sessions of a user but the keep that began last.
func (tx *Tx) DeleteOldestSessions(ctx context.Context, user uuid.UUID, keep int) error {
	return tx.deleteSessions(ctx, `user_id = $1 AND id IN (SELECT o.id FROM auth.sessions o WHERE o.user_id = $1
		ORDER BY o.created_at DESC NULLS LAST, o.id OFFSET $2)`, user, keep)
}

func (tx *Tx) deleteSessions(ctx context.Context, where string, args ...any) error {
	return tx.q.Later(ctx, "delete sessions", `DELETE FROM auth.sessions WHERE `+where, args...)
}

func interval(d time.Duration) *time.Duration {
	if d <= 0 {
		return nil
	}
	return &d
}
