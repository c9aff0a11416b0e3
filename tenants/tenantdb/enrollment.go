package tenantdb

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
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
