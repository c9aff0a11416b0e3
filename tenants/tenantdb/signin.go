package tenantdb

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
)

// BeginSession writes a session, the user's last_sign_in_at and the audit entry,
// and reads what the access token needs, all in one statement. It returns the
// entry's id. The user must be locked, or created in this transaction. ok is
// false, and nothing has changed, where triggers of the project's developer would
// run, now or at the end of the transaction: the statement cannot read what they
// write. The caller then takes the steps one by one.
func (tx *Tx) BeginSession(ctx context.Context, s *auth.Session, a Audit) (p auth.Principal, entry uuid.UUID, ok bool, err error) {
	return tx.beginSession(ctx, signInSQL, s, a)
}

// BeginFirstSession is BeginSession for a user without credentials, whom it
// creates.
func (tx *Tx) BeginFirstSession(ctx context.Context, u *auth.User, s *auth.Session, a Audit) (p auth.Principal, entry uuid.UUID, ok bool, err error) {
	signedIn := *u
	signedIn.LastSignInAt = &s.CreatedAt
	return tx.beginSession(ctx, signUpSQL, s, a, newUserArgs(&signedIn)...)
}

func (tx *Tx) beginSession(ctx context.Context, sql string, s *auth.Session, a Audit, more ...any) (p auth.Principal, entry uuid.UUID, ok bool, err error) {
	entry = uuid.New()
	payload, err := a.payload()
	if err != nil {
		return p, entry, false, err
	}
	methods := make([]string, len(s.AMR))
	for i, amr := range s.AMR {
		methods[i] = string(amr.Method)
	}
	rows, err := tx.q.Query(ctx, sql, append([]any{
		binaryID(s.ID), binaryID(s.UserID), s.CreatedAt, string(s.AAL), s.UserAgent, s.IP, methods, binaryID(entry), payload,
	}, more...)...)
	if err != nil {
		return p, entry, false, fmt.Errorf("begin session: %w", err)
	}
	p, err = tx.scanPrincipal(ctx, rows, false)
	if errors.Is(err, auth.ErrTokenUserGone) { // no row: the user is there, so there are triggers
		return auth.Principal{}, entry, false, nil
	}
	p.Session.AMR = s.AMR
	return p, entry, err == nil, err
}

// onWrites selects the triggers t that inserts and updates fire: the bits 4 and 16. The
// only other ones are those of deletions, as Reeve's own on auth.sessions.
const onWrites = `NOT t.tgisinternal AND t.tgtype & 20 <> 0`

// noTriggers is the condition of rotateSQL for the tables of a sign-in, and that
// fireDeferred has nothing to fire.
const noTriggers = `NOT EXISTS (SELECT FROM pg_catalog.pg_trigger AS t
		WHERE t.tgrelid IN ('auth.users'::pg_catalog.regclass, 'auth.sessions'::pg_catalog.regclass,
		      'auth.mfa_amr_claims'::pg_catalog.regclass, 'auth.audit_log_entries'::pg_catalog.regclass) AND ` + onWrites + `)
	AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint AS c WHERE c.contype = 't' AND c.condeferrable)`

const signInSQL = `WITH u AS (
	UPDATE auth.users AS u SET last_sign_in_at = $3, updated_at = $3 WHERE u.id = $2 AND ` + noTriggers + `
	RETURNING u.*` + sessionOfU

var signUpSQL = `WITH u AS (
	INSERT INTO auth.users (` + newUserColumns + `) SELECT ` + newUserValues(10) + ` WHERE ` + noTriggers + ` AND $2::pg_catalog.uuid IS NOT NULL
	RETURNING *` + sessionOfU

// sessionOfU writes the session of the user u, and what belongs to it.
const sessionOfU = `
), s AS (
	INSERT INTO auth.sessions (id, user_id, aal, created_at, updated_at, user_agent, ip, refresh_token_counter)
	SELECT $1, u.id, $4::pg_catalog.text::auth.aal_level, $3, $3, nullif($5, ''), nullif($6, '')::pg_catalog.inet, 0 FROM u
	RETURNING *
), amr AS (
	INSERT INTO auth.mfa_amr_claims (id, session_id, created_at, updated_at, authentication_method)
	SELECT pg_catalog.gen_random_uuid(), s.id, t.at, t.at, m.method
	FROM s, pg_catalog.unnest($7::pg_catalog.text[]) AS m (method), pg_catalog.date_trunc('second', $3::pg_catalog.timestamptz) AS t (at)
), audit AS (
	INSERT INTO auth.audit_log_entries (instance_id, id, payload, created_at, ip_address)
	SELECT '00000000-0000-0000-0000-000000000000', $8, $9::pg_catalog.text::pg_catalog.json, $3, $6 FROM s
)
SELECT ` + principalColumns + `
FROM u JOIN s ON s.user_id = u.id
LEFT JOIN auth.identities i ON i.user_id = u.id`
