package tenantdb

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/internal/auth"
)

// Claim is a row of a claimed domain, or one of a domain that routes without a claim.
type Claim struct {
	auth.SSOClaim
	Token string // of the record; "" without a claim
	// Routes reports that users of the domain are led to the connection; Owner is the
	// connection that auth.sso_domains has for it, if any.
	Routes bool
	Owner  *uuid.UUID
}

const claimColumns = `c.provider_id, c.domain, c.token, coalesce(c.proof, ''), c.created_at, c.proved_at, c.checked_at, c.failing_since, c.consented_at,
	d.sso_provider_id, d.sso_provider_id IS NOT DISTINCT FROM c.provider_id OR (d.sso_provider_id IS NOT NULL AND c.proof IS NOT NULL AND c.consented_by IS NOT DISTINCT FROM d.sso_provider_id)`

const fromClaims = ` FROM reeve.sso_claim c LEFT JOIN auth.sso_domains d ON pg_catalog.lower(d.domain) = c.domain`

func scanClaim(row pgx.CollectableRow) (c Claim, err error) {
	err = row.Scan(&c.Provider, &c.Domain, &c.Token, &c.Proof, &c.CreatedAt, &c.ProvedAt, &c.CheckedAt, &c.FailingSince, &c.ConsentedAt, &c.Owner, &c.Routes)
	return c, err
}

func (tx *Tx) claims(ctx context.Context, where string, args ...any) ([]Claim, error) {
	rows, err := tx.q.Query(ctx, `SELECT `+claimColumns+fromClaims+` WHERE `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read claims: %w", err)
	}
	list, err := pgx.CollectRows(rows, scanClaim)
	if err != nil {
		return nil, fmt.Errorf("read claims: %w", err)
	}
	return list, nil
}

// SSOClaims returns the domains that a connection claims, by name. At most max.
func (tx *Tx) SSOClaims(ctx context.Context, provider uuid.UUID, max int) ([]Claim, error) {
	return tx.claims(ctx, `c.provider_id = $1 ORDER BY c.domain LIMIT $2`, provider, max)
}

// SSOClaim returns the claim of a domain; auth.ErrClaimNotFound.
func (tx *Tx) SSOClaim(ctx context.Context, provider uuid.UUID, domain string) (Claim, error) {
	list, err := tx.claims(ctx, `c.provider_id = $1 AND c.domain = $2`, provider, domain)
	if err == nil && len(list) == 0 {
		err = auth.ErrClaimNotFound
	}
	if err != nil {
		return Claim{}, err
	}
	return list[0], nil
}

// ClaimsAwaiting returns proved claims of others on a domain that a connection has, which
// it has not agreed to. At most max.
func (tx *Tx) ClaimsAwaiting(ctx context.Context, owner uuid.UUID, max int) ([]Claim, error) {
	return tx.claims(ctx, `d.sso_provider_id = $1 AND c.provider_id <> $1 AND c.proof IS NOT NULL AND c.consented_by IS DISTINCT FROM $1 ORDER BY c.domain, c.created_at LIMIT $2`, owner, max)
}

// ClaimsToCheck returns claims proved by DNS that were not checked since a time, in any
// order: name servers that never answer must not keep the others from their turn.
func (tx *Tx) ClaimsToCheck(ctx context.Context, since time.Time, max int) ([]Claim, error) {
	return tx.claims(ctx, `c.proof = 'dns' AND coalesce(c.checked_at, c.created_at) < $1 ORDER BY pg_catalog.random() LIMIT $2`, since, max)
}

// CreateSSOClaim writes a claim, unless the connection has it; false if it has max claims.
func (tx *Tx) CreateSSOClaim(ctx context.Context, provider uuid.UUID, domain, token string, now time.Time, max int) (bool, error) {
	var room bool
	err := tx.q.QueryRow(ctx, `SELECT (SELECT pg_catalog.count(*) FROM reeve.sso_claim c WHERE c.provider_id = $1 AND c.domain <> $2) < $3`, provider, domain, max).Scan(&room)
	if err != nil || !room {
		return false, err
	}
	return true, tx.q.Later(ctx, "create claim", `INSERT INTO reeve.sso_claim (provider_id, domain, token, created_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (provider_id, domain) DO NOTHING`, provider, domain, token, now)
}

// ProveSSOClaim notes a proof, and routes the domain to the connection unless another has
// it.
func (tx *Tx) ProveSSOClaim(ctx context.Context, provider uuid.UUID, domain, proof string, now time.Time) error {
	if err := tx.q.Later(ctx, "prove claim", `UPDATE reeve.sso_claim c SET proof = $3, proved_at = coalesce(c.proved_at, $4), checked_at = $4, failing_since = NULL
		WHERE c.provider_id = $1 AND c.domain = $2`, provider, domain, proof, now); err != nil {
		return err
	}
	return tx.q.Later(ctx, "route domain", `INSERT INTO auth.sso_domains (id, sso_provider_id, domain, created_at, updated_at)
		SELECT pg_catalog.gen_random_uuid(), $1, $2, $3, $3 WHERE NOT EXISTS (SELECT FROM auth.sso_domains d WHERE pg_catalog.lower(d.domain) = $2)`,
		provider, domain, now)
}

// FailSSOClaim notes that the proof of a claim is gone. One that has been gone since
// before a time is no proof any more: the domain leads to the connection no more. over
// reports that.
func (tx *Tx) FailSSOClaim(ctx context.Context, provider uuid.UUID, domain string, before, now time.Time) (over bool, err error) {
	err = tx.q.QueryRow(ctx, `UPDATE reeve.sso_claim c SET checked_at = $4, failing_since = coalesce(c.failing_since, $4),
			proof = CASE WHEN c.failing_since < $3 THEN NULL ELSE c.proof END
		WHERE c.provider_id = $1 AND c.domain = $2 AND c.proof = 'dns' RETURNING c.proof IS NULL`, provider, domain, before, now).Scan(&over)
	if err != nil {
		return false, notFound(fmt.Errorf("fail claim: %w", err), auth.ErrClaimNotFound)
	}
	if !over {
		return false, nil
	}
	return true, tx.unroute(ctx, provider, domain)
}

func (tx *Tx) unroute(ctx context.Context, provider uuid.UUID, domain string) error {
	return tx.q.Later(ctx, "unroute domain", `DELETE FROM auth.sso_domains d WHERE d.sso_provider_id = $1 AND pg_catalog.lower(d.domain) = $2`, provider, domain)
}

// DeleteSSOClaim removes a domain from a connection, claimed or not;
// auth.ErrClaimNotFound.
func (tx *Tx) DeleteSSOClaim(ctx context.Context, provider uuid.UUID, domain string) error {
	claims, err := tx.q.Exec(ctx, `DELETE FROM reeve.sso_claim c WHERE c.provider_id = $1 AND c.domain = $2`, provider, domain)
	if err != nil {
		return fmt.Errorf("delete claim: %w", err)
	}
	routes, err := tx.q.Exec(ctx, `DELETE FROM auth.sso_domains d WHERE d.sso_provider_id = $1 AND pg_catalog.lower(d.domain) = $2`, provider, domain)
	if err != nil {
		return fmt.Errorf("delete domain: %w", err)
	}
	if claims.RowsAffected()+routes.RowsAffected() == 0 {
		return auth.ErrClaimNotFound
	}
	return nil
}

// ConsentSSOClaim notes that the connection that has a domain agrees to another's claim
// of it; auth.ErrClaimConsent.
func (tx *Tx) ConsentSSOClaim(ctx context.Context, owner, other uuid.UUID, domain string, now time.Time) error {
	tag, err := tx.q.Exec(ctx, `UPDATE reeve.sso_claim c SET consented_at = $4, consented_by = $1 WHERE c.provider_id = $2 AND c.domain = $3 AND c.proof IS NOT NULL
		AND EXISTS (SELECT FROM auth.sso_domains d WHERE d.sso_provider_id = $1 AND pg_catalog.lower(d.domain) = $3)`, owner, other, domain, now)
	if err != nil {
		return fmt.Errorf("consent to claim: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return auth.ErrClaimConsent
	}
	return nil
}

// SSOProvidersOfDomain returns the connections to which a domain in lower case leads, that
// of auth.sso_domains first. At most max.
func (tx *Tx) SSOProvidersOfDomain(ctx context.Context, domain string, max int) ([]auth.SSOProvider, error) {
	rows, err := tx.q.Query(ctx, `SELECT `+ssoProviderColumns+fromSSOProviders+` WHERE `+completeSSOProviders+` AND p.id IN (
			SELECT d.sso_provider_id FROM auth.sso_domains d WHERE pg_catalog.lower(d.domain) = $1
			UNION SELECT c.provider_id FROM reeve.sso_claim c WHERE c.domain = $1 AND c.proof IS NOT NULL
				AND EXISTS (SELECT FROM auth.sso_domains d WHERE pg_catalog.lower(d.domain) = $1 AND d.sso_provider_id = c.consented_by))
		ORDER BY EXISTS (SELECT FROM auth.sso_domains d WHERE d.sso_provider_id = p.id AND pg_catalog.lower(d.domain) = $1) DESC, p.created_at, p.id LIMIT $2`, domain, max)
	if err != nil {
		return nil, fmt.Errorf("read SSO providers of a domain: %w", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (auth.SSOProvider, error) { return scanSSOProvider(row) })
	if err != nil {
		return nil, fmt.Errorf("read SSO providers of a domain: %w", err)
	}
	return list, nil
}

// RefusesPasswords reports whether a connection to which a domain in lower case leads
// wants its users to come by it alone.
func (tx *Tx) RefusesPasswords(ctx context.Context, domain string) (refuses bool, err error) {
	err = tx.q.QueryRow(ctx, `SELECT EXISTS (SELECT FROM auth.sso_domains d JOIN auth.sso_providers p ON p.id = d.sso_provider_id
		JOIN reeve.sso_connection c ON c.provider_id = p.id
		WHERE pg_catalog.lower(d.domain) = $1 AND p.disabled IS NOT TRUE AND c.rules ->> 'refuse_passwords' = 'true')`, domain).Scan(&refuses)
	if err != nil {
		return false, fmt.Errorf("read rules of a domain: %w", err)
	}
	return refuses, nil
}

// RenewSSOClaim notes that the proof of a claim was found again.
func (tx *Tx) RenewSSOClaim(ctx context.Context, provider uuid.UUID, domain string, now time.Time) error {
	return tx.q.Later(ctx, "renew claim", `UPDATE reeve.sso_claim c SET checked_at = $3, failing_since = NULL WHERE c.provider_id = $1 AND c.domain = $2 AND c.proof IS NOT NULL`,
		provider, domain, now)
}

// SSOProviderHasDomain reports whether a connection has a domain, or claims one.
func (tx *Tx) SSOProviderHasDomain(ctx context.Context, id uuid.UUID) (has bool, err error) {
	err = tx.q.QueryRow(ctx, `SELECT EXISTS (SELECT FROM auth.sso_domains d WHERE d.sso_provider_id = $1)
		OR EXISTS (SELECT FROM reeve.sso_claim c WHERE c.provider_id = $1)`, id).Scan(&has)
	if err != nil {
		return false, fmt.Errorf("count domains: %w", err)
	}
	return has, nil
}

// DomainProved reports whether the company of a connection has proved that a domain is
// its own, by DNS or by a mail.
func (tx *Tx) DomainProved(ctx context.Context, provider uuid.UUID, domain string) (proved bool, err error) {
	err = tx.q.QueryRow(ctx, `SELECT EXISTS (SELECT FROM reeve.sso_claim c JOIN auth.sso_domains d ON d.sso_provider_id = c.provider_id AND pg_catalog.lower(d.domain) = c.domain
		WHERE c.provider_id = $1 AND c.domain = $2 AND c.proof IN ('dns', 'mail') AND c.failing_since IS NULL)`, provider, domain).Scan(&proved)
	if err != nil {
		return false, fmt.Errorf("read proof of domain: %w", err)
	}
	return proved, nil
}

// DomainAllowed reports whether a connection may speak for addresses of a domain in lower
// case: one that leads to it; any while it has and claims none.
func (tx *Tx) DomainAllowed(ctx context.Context, provider uuid.UUID, domain string) (allowed bool, err error) {
	err = tx.q.QueryRow(ctx, `SELECT (NOT EXISTS (SELECT FROM auth.sso_domains d WHERE d.sso_provider_id = $1)
			AND NOT EXISTS (SELECT FROM reeve.sso_claim c WHERE c.provider_id = $1))
		OR EXISTS (SELECT FROM auth.sso_domains d WHERE d.sso_provider_id = $1 AND pg_catalog.lower(d.domain) = $2)
		OR EXISTS (SELECT FROM reeve.sso_claim c JOIN auth.sso_domains d ON pg_catalog.lower(d.domain) = c.domain AND d.sso_provider_id = c.consented_by
			WHERE c.provider_id = $1 AND c.domain = $2 AND c.proof IS NOT NULL)`, provider, domain).Scan(&allowed)
	if err != nil {
		return false, fmt.Errorf("read domains of a connection: %w", err)
	}
	return allowed, nil
}
