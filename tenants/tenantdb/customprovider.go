package tenantdb

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/internal/auth"
)

// maxCustomProviders bounds a list; only SQL can write more.
const maxCustomProviders = 1000

const customProviderColumns = `p.id, p.provider_type, p.identifier, p.name, p.client_id, p.client_secret,
	pg_catalog.array_remove(p.acceptable_client_ids, NULL), pg_catalog.array_remove(p.scopes, NULL), p.pkce_enabled, p.attribute_mapping, p.authorization_params,
	pg_catalog.array_remove(p.custom_claims_allowlist, NULL), p.enabled, p.email_optional, coalesce(p.issuer, ''), coalesce(p.discovery_url, ''),
	p.skip_nonce_check, coalesce(p.authorization_url, ''), coalesce(p.token_url, ''), coalesce(p.userinfo_url, ''),
	coalesce(p.jwks_uri, ''), p.created_at, p.updated_at`

func scanCustomProvider(row pgx.Row) (auth.CustomProvider, error) {
	var p auth.CustomProvider
	var mapping, params []byte
	err := row.Scan(&p.ID, &p.Type, &p.Identifier, &p.Name, &p.ClientID, &p.ClientSecret,
		&p.AcceptableClientIDs, &p.Scopes, &p.PKCE, &mapping, &params,
		&p.ClaimsAllowList, &p.Enabled, &p.EmailOptional, &p.Issuer, &p.DiscoveryURL,
		&p.SkipNonceCheck, &p.AuthorizationURL, &p.TokenURL, &p.UserinfoURL,
		&p.JWKSURI, momentOrEpoch{&p.CreatedAt}, momentOrEpoch{&p.UpdatedAt})
	p.AttributeMapping, p.AuthorizationParams = object(mapping), object(params)
	return p, err
}

// CustomProvider returns the provider with this identifier, locked if lock is
// set; auth.ErrCustomProviderNotFound.
func (tx *Tx) CustomProvider(ctx context.Context, identifier string, lock bool) (auth.CustomProvider, error) {
	sql := `SELECT ` + customProviderColumns + ` FROM auth.custom_oauth_providers p WHERE p.identifier = $1`
	if lock {
		sql += ` FOR UPDATE`
	}
	p, err := scanCustomProvider(tx.q.QueryRow(ctx, sql, identifier))
	if err != nil {
		return p, notFound(fmt.Errorf("read custom provider: %w", err), auth.ErrCustomProviderNotFound)
	}
	return p, nil
}

// CustomProviders returns the project's providers of a type, oldest first; ""
// for all.
func (tx *Tx) CustomProviders(ctx context.Context, providerType string) ([]auth.CustomProvider, error) {
	rows, err := tx.q.Query(ctx, `SELECT `+customProviderColumns+` FROM auth.custom_oauth_providers p
		WHERE ($1 = '' OR p.provider_type = $1) AND p.identifier LIKE 'custom:%' ORDER BY p.created_at, p.identifier LIMIT $2`, providerType, maxCustomProviders)
	if err != nil {
		return nil, fmt.Errorf("list custom providers: %w", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (auth.CustomProvider, error) { return scanCustomProvider(row) })
	if err != nil {
		return nil, fmt.Errorf("list custom providers: %w", err)
	}
	return list, nil
}

// CountCustomProviders returns how many providers the project has. Other
// transactions that count wait until this one has ended.
func (tx *Tx) CountCustomProviders(ctx context.Context) (n int, err error) {
	if _, err := tx.q.Exec(ctx, `SELECT pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('reeve custom providers', 0))`); err != nil {
		return 0, fmt.Errorf("lock custom providers: %w", err)
	}
	if err := tx.q.QueryRow(ctx, `SELECT pg_catalog.count(*) FROM auth.custom_oauth_providers`).Scan(&n); err != nil {
		return 0, fmt.Errorf("count custom providers: %w", err)
	}
	return n, nil
}

// CreateCustomProvider writes a provider; auth.ErrCustomProviderExists.
func (tx *Tx) CreateCustomProvider(ctx context.Context, p *auth.CustomProvider) error {
	_, err := tx.q.Exec(ctx, `INSERT INTO auth.custom_oauth_providers (id, provider_type, identifier, name, client_id, client_secret,
			acceptable_client_ids, scopes, pkce_enabled, attribute_mapping, authorization_params, custom_claims_allowlist, enabled,
			email_optional, issuer, discovery_url, skip_nonce_check, authorization_url, token_url, userinfo_url, jwks_uri, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, nullif($15, ''), nullif($16, ''), $17,
			nullif($18, ''), nullif($19, ''), nullif($20, ''), nullif($21, ''), $22, $22)`,
		p.ID, p.Type, p.Identifier, p.Name, p.ClientID, p.ClientSecret, p.AcceptableClientIDs, p.Scopes, p.PKCE, string(p.AttributeMapping),
		string(p.AuthorizationParams), p.ClaimsAllowList, p.Enabled, p.EmailOptional, p.Issuer, p.DiscoveryURL, p.SkipNonceCheck,
		p.AuthorizationURL, p.TokenURL, p.UserinfoURL, p.JWKSURI, p.UpdatedAt)
	if err != nil {
		return fmt.Errorf("create custom provider: %w", err)
	}
	return nil
}

// UpdateCustomProvider writes everything but id, type, identifier and creation.
// A cached discovery document is dropped. auth.ErrCustomProviderNotFound.
func (tx *Tx) UpdateCustomProvider(ctx context.Context, p *auth.CustomProvider) error {
	tag, err := tx.q.Exec(ctx, `UPDATE auth.custom_oauth_providers SET name = $2, client_id = $3, client_secret = $4,
			acceptable_client_ids = $5, scopes = $6, pkce_enabled = $7, attribute_mapping = $8, authorization_params = $9,
			custom_claims_allowlist = $10, enabled = $11, email_optional = $12, issuer = nullif($13, ''), discovery_url = nullif($14, ''),
			skip_nonce_check = $15, authorization_url = nullif($16, ''), token_url = nullif($17, ''), userinfo_url = nullif($18, ''),
			jwks_uri = nullif($19, ''), updated_at = $20, cached_discovery = NULL, discovery_cached_at = NULL
		WHERE id = $1`,
		p.ID, p.Name, p.ClientID, p.ClientSecret, p.AcceptableClientIDs, p.Scopes, p.PKCE, string(p.AttributeMapping),
		string(p.AuthorizationParams), p.ClaimsAllowList, p.Enabled, p.EmailOptional, p.Issuer, p.DiscoveryURL, p.SkipNonceCheck,
		p.AuthorizationURL, p.TokenURL, p.UserinfoURL, p.JWKSURI, p.UpdatedAt)
	if err != nil {
		return fmt.Errorf("update custom provider: %w", err)
	}
	if tag.RowsAffected() != 1 {
		return auth.ErrCustomProviderNotFound
	}
	return nil
}

// DeleteCustomProvider removes a provider; auth.ErrCustomProviderNotFound.
func (tx *Tx) DeleteCustomProvider(ctx context.Context, id uuid.UUID) error {
	tag, err := tx.q.Exec(ctx, `DELETE FROM auth.custom_oauth_providers WHERE id = $1`, id)
	if err != nil {
		return fmt.Errorf("delete custom provider: %w", err)
	}
	if tag.RowsAffected() != 1 {
		return auth.ErrCustomProviderNotFound
	}
	return nil
}
