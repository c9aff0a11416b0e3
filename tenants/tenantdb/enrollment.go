package tenantdb

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// NoteProof notes that a session proved a second factor in a network, which is an IPv4
// address or the /64 of an IPv6 address. The twenty networks of a user's last proofs are
// kept.
func (tx *Tx) NoteProof(ctx context.Context, user uuid.UUID, network string, session uuid.UUID, at time.Time) error {
	return tx.q.Later(ctx, "note the network of a proof", `SELECT reeve.factor_network_add($1, $2, $3, $4, $5)`,
		unnamed, tx.capability, user, network, session, at)
}

// ProvedIn reports whether a user proved a second factor in a network after a time, or
// has a session there that a factor raised to aal2.
func (tx *Tx) ProvedIn(ctx context.Context, user uuid.UUID, network string, since time.Time) (known bool, err error) {
	err = tx.q.QueryRow(ctx, `SELECT reeve.factor_network_known($1, $2, $3, $4) OR EXISTS (SELECT FROM auth.sessions s
		WHERE s.user_id = $2 AND s.aal = 'aal2' AND s.factor_id IS NOT NULL AND s.ip <<= $3::pg_catalog.text::pg_catalog.inet
			AND greatest(s.refreshed_at AT TIME ZONE 'utc', s.created_at) > $4)`, unnamed, tx.capability, user, network, since).Scan(&known)
	if err != nil {
		return false, fmt.Errorf("look for proofs in a network: %w", err)
	}
	return known, nil
}

// NoteEnrollment notes that a factor or passkey of a user was added, or first verified, in
// a session.
func (tx *Tx) NoteEnrollment(ctx context.Context, id, user, session uuid.UUID, passkey bool, at time.Time) error {
	if session == uuid.Nil {
		return nil // the token belongs to no session
	}
	return tx.q.Later(ctx, "note enrollment", `SELECT reeve.enrollment_add($1, $2, $3, $4, $5, $6)`,
		unnamed, tx.capability, id, user, session, passkey, at)
}

// TakeEnrollments returns the factors and passkeys that were added in a session of a user,
// some of which may be gone. It forgets them, and the networks in which the session proved
// a factor.
func (tx *Tx) TakeEnrollments(ctx context.Context, user, session uuid.UUID) (factors, passkeys []uuid.UUID, err error) {
	rows, err := tx.q.Query(ctx, `SELECT e.id, e.passkey FROM reeve.enrollment_take($1, $2, $3) e`, unnamed, tx.capability, user, session)
	if err != nil {
		return nil, nil, fmt.Errorf("take enrollments: %w", err)
	}
	var id uuid.UUID
	var passkey bool
	_, err = pgx.ForEachRow(rows, []any{&id, &passkey}, func() error {
		if passkey {
			passkeys = append(passkeys, id)
		} else {
			factors = append(factors, id)
		}
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("take enrollments: %w", err)
	}
	return factors, passkeys, nil
}

// SessionsProvedBy returns the sessions of a user that one of these factors raised, and
// those that began by a passkey at or after a time, if it is not nil. A session does not
// say which passkey began it.
func (tx *Tx) SessionsProvedBy(ctx context.Context, user uuid.UUID, factors []uuid.UUID, passkeys *time.Time) ([]uuid.UUID, error) {
	rows, err := tx.q.Query(ctx, `SELECT s.id FROM auth.sessions s WHERE s.user_id = $1 AND (s.factor_id = ANY ($2) OR
		s.created_at >= $3 AND EXISTS (SELECT FROM auth.mfa_amr_claims c WHERE c.session_id = s.id AND c.authentication_method = 'passkey'))`,
		user, factors, passkeys)
	if err != nil {
		return nil, fmt.Errorf("find the sessions of factors: %w", err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil {
		return nil, fmt.Errorf("find the sessions of factors: %w", err)
	}
	return ids, nil
}

// ForgetProofs forgets the networks in which sessions of a user proved a factor last.
func (tx *Tx) ForgetProofs(ctx context.Context, user uuid.UUID, sessions []uuid.UUID) error {
	return tx.q.Later(ctx, "forget the networks of proofs", `SELECT reeve.factor_network_forget($1, $2, $3)`, unnamed, tx.capability, user, sessions)
}
