package tenantdb

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/internal/auth"
)

// ssoName is what is stored of a name, with what else the provider is told of it.
type ssoName struct {
	auth.SSOName
	Hint string `json:"hint,omitempty"`
}

// CreateSSOSession notes by which session of an identity provider a session began.
func (tx *Tx) CreateSSOSession(ctx context.Context, id uuid.UUID, o *auth.SSOOrigin, now time.Time) error {
	name, err := json.Marshal(ssoName{o.Name, o.Hint})
	if err != nil {
		return fmt.Errorf("encode name: %w", err)
	}
	return tx.q.Later(ctx, "note the origin of a session", `INSERT INTO reeve.sso_session (session_id, provider_id, subject, name, session_index, created_at)
		VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`, id, o.Provider, o.Name.Digest(), string(name), o.SessionIndex, now)
}

// SSOOrigin returns by which session of an identity provider a session began; nil if it
// began otherwise.
func (tx *Tx) SSOOrigin(ctx context.Context, session uuid.UUID) (*auth.SSOOrigin, error) {
	var o auth.SSOOrigin
	var name []byte
	err := tx.q.QueryRow(ctx, `SELECT o.provider_id, o.name, o.session_index FROM reeve.sso_session o WHERE o.session_id = $1`, session).
		Scan(&o.Provider, &name, &o.SessionIndex)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return nil, nil //nolint:nilnil // as promised
	case err != nil:
		return nil, fmt.Errorf("read the origin of a session: %w", err)
	}
	var stored ssoName
	if err := json.Unmarshal(name, &stored); err != nil {
		return nil, fmt.Errorf("read the origin of a session: %w", err)
	}
	o.Name, o.Hint = stored.SSOName, stored.Hint
	return &o, nil
}

// SSOSession is a session that an identity provider vouches for.
type SSOSession struct {
	ID, User uuid.UUID
	Index    string // the provider's session
}

// SSOSessions returns sessions that a provider vouches for: those of a name, if it is not
// nil, and of the provider's sessions, if there are any; never all. At most max.
func (tx *Tx) SSOSessions(ctx context.Context, provider uuid.UUID, name *auth.SSOName, indexes []string, max int) ([]SSOSession, error) {
	var subject []byte
	if name != nil {
		subject = name.Digest()
	} else if len(indexes) == 0 {
		return nil, nil
	}
	rows, err := tx.q.Query(ctx, `SELECT s.id, s.user_id, o.session_index FROM reeve.sso_session o JOIN auth.sessions s ON s.id = o.session_id
		WHERE o.provider_id = $1 AND ($3::pg_catalog.bytea IS NULL OR o.subject = $3) AND (pg_catalog.cardinality($4::pg_catalog.text[]) = 0 OR o.session_index = ANY ($4))
		ORDER BY s.user_id, s.id LIMIT $2`, provider, max, subject, append([]string{}, indexes...))
	if err != nil {
		return nil, fmt.Errorf("list sessions of a provider: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[SSOSession])
	if err != nil {
		return nil, fmt.Errorf("list sessions of a provider: %w", err)
	}
	return list, nil
}

// EndSSOCodes ends the codes of a user's sign-ins at a provider that were not redeemed.
func (tx *Tx) EndSSOCodes(ctx context.Context, provider, user uuid.UUID) error {
	return tx.q.Later(ctx, "end codes of a user", `DELETE FROM auth.flow_state f WHERE f.user_id = $1 AND f.provider_type = $2`, user, auth.SSOPrefix+provider.String())
}

// EndLostSSO ends up to max sessions whose connection is gone or off, and returns how
// many: what ending a connection could not finish.
func (tx *Tx) EndLostSSO(ctx context.Context, now time.Time, max int) (int64, error) {
	rows, err := tx.q.Query(ctx, `DELETE FROM auth.sessions s WHERE s.id = ANY (ARRAY(
		SELECT o.session_id FROM reeve.sso_session o JOIN auth.sessions i ON i.id = o.session_id
		WHERE NOT EXISTS (SELECT FROM auth.sso_providers p WHERE p.id = o.provider_id AND p.disabled IS NOT TRUE) LIMIT $1)) RETURNING s.id`, max)
	if err != nil {
		return 0, fmt.Errorf("end sessions of lost providers: %w", err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil {
		return 0, fmt.Errorf("end sessions of lost providers: %w", err)
	}
	if len(ids) == 0 {
		return 0, nil
	}
	return int64(len(ids)), tx.q.Later(ctx, "explain the end of sessions", `SELECT reeve.session_explain_all($1, $2, $3, $4)`,
		unnamed, tx.capability, ids, string(auth.EndAdmin), now)
}

// TidySSO removes up to max rows of sessions that are gone, of unanswered requests to
// sign out, of attempts, and of setup links, that are older than the times given.
func (tx *Tx) TidySSO(ctx context.Context, requests, attempts time.Time, max int) (removed int64, err error) {
	for _, sql := range []struct {
		text string
		args []any
	}{
		{`DELETE FROM reeve.sso_session o WHERE o.session_id = ANY (ARRAY(SELECT i.session_id FROM reeve.sso_session i
			WHERE i.created_at < $2 AND NOT EXISTS (SELECT FROM auth.sessions s WHERE s.id = i.session_id) LIMIT $1 FOR UPDATE SKIP LOCKED))`, []any{max, requests}},
		{`DELETE FROM reeve.sso_logout o WHERE o.id = ANY (ARRAY(SELECT i.id FROM reeve.sso_logout i WHERE i.created_at < $2 LIMIT $1
			FOR UPDATE SKIP LOCKED))`, []any{max, requests}},
		{`DELETE FROM reeve.sso_attempt o WHERE o.id = ANY (ARRAY(SELECT i.id FROM reeve.sso_attempt i WHERE i.at < $2 LIMIT $1
			FOR UPDATE SKIP LOCKED))`, []any{max, attempts}},
		{`DELETE FROM reeve.sso_connection o WHERE o.provider_id = ANY (ARRAY(SELECT i.provider_id FROM reeve.sso_connection i
			WHERE i.updated_at < $2 AND NOT EXISTS (SELECT FROM auth.sso_providers p WHERE p.id = i.provider_id) LIMIT $1 FOR UPDATE SKIP LOCKED))`, []any{max, requests}},
		{`DELETE FROM reeve.sso_claim o WHERE o.provider_id = ANY (ARRAY(SELECT i.provider_id FROM reeve.sso_claim i
			WHERE i.created_at < $2 AND NOT EXISTS (SELECT FROM auth.sso_providers p WHERE p.id = i.provider_id) LIMIT $1 FOR UPDATE SKIP LOCKED))`, []any{max, requests}},
		{`DELETE FROM reeve.sso_setup_link o WHERE o.id = ANY (ARRAY(SELECT i.id FROM reeve.sso_setup_link i WHERE i.expires_at < $2 LIMIT $1
			FOR UPDATE SKIP LOCKED))`, []any{max, attempts}},
	} {
		tag, err := tx.q.Exec(ctx, sql.text, sql.args...)
		if err != nil {
			return removed, fmt.Errorf("tidy connections: %w", err)
		}
		removed += tag.RowsAffected()
	}
	return removed, nil
}

// SSOLogout is a request to sign out at an identity provider that awaits its answer.
type SSOLogout struct {
	ID, Provider uuid.UUID
	RequestID    string
	RedirectTo   string
	Form         json.RawMessage // what to post, and where to; nil after a redirect
	CreatedAt    time.Time
}

// CreateSSOLogout writes a request to sign out.
func (tx *Tx) CreateSSOLogout(ctx context.Context, l *SSOLogout) error {
	var form *string
	if l.Form != nil {
		text := string(l.Form)
		form = &text
	}
	return tx.q.Later(ctx, "create sign-out", `INSERT INTO reeve.sso_logout (id, provider_id, request_id, redirect_to, form, created_at)
		VALUES ($1, $2, $3, $4, $5, $6)`, l.ID, l.Provider, l.RequestID, l.RedirectTo, form, l.CreatedAt)
}

const ssoLogoutColumns = `o.id, o.provider_id, o.request_id, o.redirect_to, o.form, o.created_at`

// SSOLogout returns a request to sign out; auth.ErrSSOLogoutNotFound. take deletes it, so
// that it is answered once.
func (tx *Tx) SSOLogout(ctx context.Context, id uuid.UUID, take bool) (l SSOLogout, err error) {
	sql := `SELECT ` + ssoLogoutColumns + ` FROM reeve.sso_logout o WHERE o.id = $1`
	if take {
		sql = `DELETE FROM reeve.sso_logout o WHERE o.id = $1 RETURNING ` + ssoLogoutColumns
	}
	var form []byte
	err = tx.q.QueryRow(ctx, sql, id).Scan(&l.ID, &l.Provider, &l.RequestID, &l.RedirectTo, &form, &l.CreatedAt)
	if err != nil {
		return l, notFound(fmt.Errorf("read sign-out: %w", err), auth.ErrSSOLogoutNotFound)
	}
	l.Form = form
	return l, nil
}

// EndSSOSessions ends up to max sessions that a provider vouches for, and the codes of
// its sign-ins that were not redeemed yet. It returns how many sessions.
func (tx *Tx) EndSSOSessions(ctx context.Context, provider uuid.UUID, cause auth.EndCause, now time.Time, max int) (int, error) {
	if err := tx.q.Later(ctx, "end codes of a provider", `DELETE FROM auth.flow_state f WHERE f.provider_type = $1`, auth.SSOPrefix+provider.String()); err != nil {
		return 0, err
	}
	rows, err := tx.q.Query(ctx, `DELETE FROM auth.sessions s WHERE s.id = ANY (ARRAY(
		SELECT o.session_id FROM reeve.sso_session o JOIN auth.sessions i ON i.id = o.session_id WHERE o.provider_id = $1 LIMIT $2)) RETURNING s.id`, provider, max)
	if err != nil {
		return 0, fmt.Errorf("end sessions of a provider: %w", err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil {
		return 0, fmt.Errorf("end sessions of a provider: %w", err)
	}
	if len(ids) == 0 {
		return 0, nil
	}
	return len(ids), tx.q.Later(ctx, "explain the end of sessions", `SELECT reeve.session_explain_all($1, $2, $3, $4)`,
		unnamed, tx.capability, ids, string(cause), now)
}
