package tenantdb

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
)

// WebAuthnFactor returns the credential record of a factor; nil before it was
// verified. auth.ErrFactorNotFound.
func (tx *Tx) WebAuthnFactor(ctx context.Context, factor uuid.UUID) (record json.RawMessage, err error) {
	var raw []byte
	err = tx.q.QueryRow(ctx, `SELECT f.web_authn_credential FROM auth.mfa_factors f WHERE f.id = $1`, factor).Scan(&raw)
	if err != nil {
		return nil, notFound(fmt.Errorf("read key: %w", err), auth.ErrFactorNotFound)
	}
	return raw, nil
}

// PutWebAuthnChallenge stores what the end of a challenge's ceremony needs.
func (tx *Tx) PutWebAuthnChallenge(ctx context.Context, challenge uuid.UUID, data json.RawMessage) error {
	return tx.q.Later(ctx, "put ceremony of a challenge", `UPDATE auth.mfa_challenges SET web_authn_session_data = $2::pg_catalog.text::pg_catalog.jsonb
		WHERE id = $1`, challenge, string(data))
}

// WebAuthnChallenge returns what PutWebAuthnChallenge stored; auth.ErrFactorNotFound.
func (tx *Tx) WebAuthnChallenge(ctx context.Context, challenge uuid.UUID) (data json.RawMessage, err error) {
	var raw []byte
	err = tx.q.QueryRow(ctx, `SELECT c.web_authn_session_data FROM auth.mfa_challenges c WHERE c.id = $1 FOR UPDATE`, challenge).Scan(&raw)
	if err != nil {
		return nil, notFound(fmt.Errorf("read ceremony of a challenge: %w", err), auth.ErrFactorNotFound)
	}
	return raw, nil
}

// KeepWebAuthnFactor stores the credential record of a verified factor, and the
// last response to a challenge of it.
func (tx *Tx) KeepWebAuthnFactor(ctx context.Context, factor uuid.UUID, record json.RawMessage, aaguid uuid.UUID, last json.RawMessage, now time.Time) error {
	return tx.q.Later(ctx, "keep key", `UPDATE auth.mfa_factors SET status = 'verified', updated_at = $5, web_authn_aaguid = $3,
			web_authn_credential = $2::pg_catalog.text::pg_catalog.jsonb, last_webauthn_challenge_data = $4::pg_catalog.text::pg_catalog.jsonb
		WHERE id = $1`, factor, string(record), aaguid, string(last), now)
}
