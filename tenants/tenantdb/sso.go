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

// maxSSOProviders and maxSSODomains bound what is read; only SQL can write more.
const (
	maxSSOProviders = 1000
	maxSSODomains   = "200"
)

// maxMetadataRead bounds the metadata of all connections that a list reads, in bytes: SQL
// can have written any number of long texts.
const maxMetadataRead = "16777216"

const (
	ssoMetadata     = `CASE WHEN pg_catalog.octet_length(s.metadata_xml) > 1048576 THEN '' ELSE coalesce(s.metadata_xml, '') END`
	ssoMetadataList = `CASE WHEN pg_catalog.sum(pg_catalog.octet_length(s.metadata_xml)) OVER (ORDER BY p.created_at, p.id) > ` + maxMetadataRead + ` OR pg_catalog.octet_length(s.metadata_xml) > 1048576
		THEN '' ELSE coalesce(s.metadata_xml, '') END`
	ssoProviderColumns     = ssoColumnsBefore + ssoMetadata + ssoColumnsAfter
	ssoProviderListColumns = ssoColumnsBefore + ssoMetadataList + ssoColumnsAfter
)

const ssoColumnsBefore = `p.id, p.resource_id, p.disabled, p.created_at, p.updated_at,
	s.id, coalesce(s.entity_id, ''), `

const ssoColumnsAfter = `, coalesce(s.metadata_url, ''), s.attribute_mapping,
	coalesce(s.name_id_format, ''), s.updated_at, c.checked_at, coalesce(c.check_error, ''), coalesce(c.name, ''), c.rules, c.oidc,
	(SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object('id', d.id, 'domain', d.domain, 'created_at', coalesce(d.created_at, 'epoch'),
		'updated_at', coalesce(d.updated_at, 'epoch')) ORDER BY d.domain), '[]')
	 FROM (SELECT * FROM auth.sso_domains d WHERE d.sso_provider_id = p.id ORDER BY d.domain LIMIT ` + maxSSODomains + `) d)`

// A connection is SAML's if it has a SAML provider, whatever SQL made of it.
const fromSSOProviders = ` FROM auth.sso_providers p
	LEFT JOIN auth.saml_providers s ON s.sso_provider_id = p.id
	LEFT JOIN reeve.sso_connection c ON c.provider_id = p.id`

const completeSSOProviders = `(s.id IS NOT NULL OR c.oidc IS NOT NULL)`

// storedOIDC is an OIDCProvider in reeve.sso_connection.
type storedOIDC struct {
	Issuer   string          `json:"issuer"`
	ClientID string          `json:"client_id"`
	Secret   []byte          `json:"sealed_secret"`
	Scopes   []string        `json:"scopes"`
	Mapping  json.RawMessage `json:"attribute_mapping"`
}

func scanSSOProvider(row pgx.Row) (auth.SSOProvider, error) {
	var p auth.SSOProvider
	var mapping, domains, rules, oidc []byte
	var samlID *uuid.UUID
	var saml auth.SAMLProvider
	err := row.Scan(&p.ID, &p.ResourceID, &p.Disabled, momentOrEpoch{&p.CreatedAt}, momentOrEpoch{&p.UpdatedAt},
		&samlID, &saml.EntityID, &saml.MetadataXML, &saml.MetadataURL, &mapping, &saml.NameIDFormat, momentOrEpoch{&saml.FetchedAt},
		&saml.CheckedAt, &saml.CheckError, &p.Name, &rules, &oidc, &domains)
	if err != nil {
		return p, err
	}
	p.Rules = auth.ReadSSORules(rules)
	if samlID != nil {
		if saml.MetadataURL == "" {
			saml.WatchedAt, saml.CheckedAt = saml.CheckedAt, nil
		}
		saml.ID, saml.AttributeMapping = *samlID, object(mapping)
		p.Kind, p.SAML = auth.SSOKindSAML, &saml
	} else {
		var stored storedOIDC
		if err := json.Unmarshal(oidc, &stored); err != nil {
			return p, fmt.Errorf("read OIDC provider: %w", err)
		}
		p.Kind, p.OIDC = auth.SSOKindOIDC, &auth.OIDCProvider{
			Issuer: stored.Issuer, ClientID: stored.ClientID, SealedSecret: stored.Secret, Scopes: stored.Scopes, AttributeMapping: object(stored.Mapping),
		}
	}
	var list []struct {
		ID        uuid.UUID `json:"id"`
		Domain    string    `json:"domain"`
		CreatedAt time.Time `json:"created_at"`
		UpdatedAt time.Time `json:"updated_at"`
	}
	if err := json.Unmarshal(domains, &list); err != nil {
		return p, fmt.Errorf("read domains: %w", err)
	}
	p.Domains = make([]auth.SSODomain, len(list))
	for i, d := range list {
		p.Domains[i] = auth.SSODomain(d)
	}
	return p, nil
}

func (tx *Tx) ssoProvider(ctx context.Context, where string, args ...any) (auth.SSOProvider, error) {
	p, err := scanSSOProvider(tx.q.QueryRow(ctx, `SELECT `+ssoProviderColumns+fromSSOProviders+` WHERE `+completeSSOProviders+` AND `+where+` LIMIT 1`, args...))
	if err != nil {
		return p, notFound(fmt.Errorf("read SSO provider: %w", err), auth.ErrSSOProviderNotFound)
	}
	return p, nil
}

// SSOProvider returns a connection, locked if lock is set; auth.ErrSSOProviderNotFound.
func (tx *Tx) SSOProvider(ctx context.Context, id uuid.UUID, lock bool) (auth.SSOProvider, error) {
	if lock {
		var found uuid.UUID
		err := tx.q.QueryRow(ctx, `SELECT p.id FROM auth.sso_providers p WHERE p.id = $1 FOR UPDATE`, id).Scan(&found)
		if err != nil {
			return auth.SSOProvider{}, notFound(fmt.Errorf("lock SSO provider: %w", err), auth.ErrSSOProviderNotFound)
		}
	}
	return tx.ssoProvider(ctx, `p.id = $1`, id)
}

// SSOProviderOfDomain returns the connection of a domain in lower case;
// auth.ErrSSOProviderNotFound.
func (tx *Tx) SSOProviderOfDomain(ctx context.Context, domain string) (auth.SSOProvider, error) {
	return tx.ssoProvider(ctx, `p.id = (SELECT d.sso_provider_id FROM auth.sso_domains d WHERE pg_catalog.lower(d.domain) = $1 LIMIT 1)`, domain)
}

// SSOProviderOfResource returns the id of the connection with a resource id, in any case;
// auth.ErrSSOProviderNotFound.
func (tx *Tx) SSOProviderOfResource(ctx context.Context, resource string) (id uuid.UUID, err error) {
	err = tx.q.QueryRow(ctx, `SELECT p.id FROM auth.sso_providers p WHERE pg_catalog.lower(p.resource_id) = pg_catalog.lower($1) LIMIT 1`, resource).Scan(&id)
	if err != nil {
		return id, notFound(fmt.Errorf("find SSO provider: %w", err), auth.ErrSSOProviderNotFound)
	}
	return id, nil
}

// SSOProviderOfEntity returns the connection of an identity provider by its entity ID;
// auth.ErrSSOProviderNotFound.
func (tx *Tx) SSOProviderOfEntity(ctx context.Context, entityID string) (auth.SSOProvider, error) {
	return tx.ssoProvider(ctx, `s.entity_id = $1`, entityID)
}

// SSOProviders returns the project's connections, the oldest first.
func (tx *Tx) SSOProviders(ctx context.Context) ([]auth.SSOProvider, error) {
	rows, err := tx.q.Query(ctx, `SELECT `+ssoProviderListColumns+fromSSOProviders+` WHERE `+completeSSOProviders+` ORDER BY p.created_at, p.id LIMIT $1`, maxSSOProviders)
	if err != nil {
		return nil, fmt.Errorf("list SSO providers: %w", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (auth.SSOProvider, error) { return scanSSOProvider(row) })
	if err != nil {
		return nil, fmt.Errorf("list SSO providers: %w", err)
	}
	return list, nil
}

// CountSSOProviders returns how many connections the project has, at most max, with all
// who make one waiting for each other.
func (tx *Tx) CountSSOProviders(ctx context.Context, max int) (n int, err error) {
	if err := tx.q.Later(ctx, "lock connections", `LOCK TABLE reeve.sso_connection IN SHARE ROW EXCLUSIVE MODE`); err != nil {
		return 0, err
	}
	err = tx.q.QueryRow(ctx, `SELECT pg_catalog.count(*) FROM (SELECT FROM auth.sso_providers LIMIT $1) p`, max).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count SSO providers: %w", err)
	}
	return n, nil
}

// SSOProviderUsed reports whether an id is that of a connection, or users have an
// identity of one that had it.
func (tx *Tx) SSOProviderUsed(ctx context.Context, id uuid.UUID) (used bool, err error) {
	err = tx.q.QueryRow(ctx, `SELECT EXISTS (SELECT FROM auth.sso_providers p WHERE p.id = $1)
		OR EXISTS (SELECT FROM auth.identities i WHERE i.provider = $2)`, id, auth.SSOPrefix+id.String()).Scan(&used)
	if err != nil {
		return false, fmt.Errorf("look for SSO provider: %w", err)
	}
	return used, nil
}

// SSOProviderHasUsers reports whether anybody has come by a connection, which need not
// exist any more.
func (tx *Tx) SSOProviderHasUsers(ctx context.Context, id uuid.UUID) (has bool, err error) {
	err = tx.q.QueryRow(ctx, `SELECT EXISTS (SELECT FROM auth.identities i WHERE i.provider = $1)`, auth.SSOPrefix+id.String()).Scan(&has)
	if err != nil {
		return false, fmt.Errorf("look for users of an SSO provider: %w", err)
	}
	return has, nil
}

// PutSSOProvider writes a connection and its domains: new, or in place of what it was.
// auth.ErrSAMLEntityExists, auth.ErrSSODomainExists.
func (tx *Tx) PutSSOProvider(ctx context.Context, p *auth.SSOProvider) error {
	if _, err := tx.q.Exec(ctx, `INSERT INTO auth.sso_providers (id, resource_id, disabled, created_at, updated_at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (id) DO UPDATE SET resource_id = excluded.resource_id, disabled = excluded.disabled, updated_at = excluded.updated_at`,
		p.ID, p.ResourceID, p.Disabled, p.CreatedAt, p.UpdatedAt); err != nil {
		return fmt.Errorf("write SSO provider: %w", err)
	}
	if err := tx.putSSOConnection(ctx, p); err != nil {
		return err
	}
	if p.SAML != nil {
		if err := tx.putSAMLProvider(ctx, p); err != nil {
			return err
		}
	} else if _, err := tx.q.Exec(ctx, `DELETE FROM auth.saml_providers WHERE sso_provider_id = $1`, p.ID); err != nil {
		return fmt.Errorf("delete SAML provider: %w", err)
	}
	names := make([]string, len(p.Domains))
	for i, d := range p.Domains {
		names[i] = d.Domain
	}
	if _, err := tx.q.Exec(ctx, `DELETE FROM auth.sso_domains d WHERE d.sso_provider_id = $1 AND pg_catalog.lower(d.domain) <> ALL ($2::pg_catalog.text[])`, p.ID, names); err != nil {
		return fmt.Errorf("delete SSO domains: %w", err)
	}
	if _, err := tx.q.Exec(ctx, `INSERT INTO auth.sso_domains (id, sso_provider_id, domain, created_at, updated_at)
		SELECT pg_catalog.gen_random_uuid(), $1, n, $3, $3 FROM pg_catalog.unnest($2::pg_catalog.text[]) n
		WHERE NOT EXISTS (SELECT FROM auth.sso_domains d WHERE d.sso_provider_id = $1 AND pg_catalog.lower(d.domain) = n)`, p.ID, names, p.UpdatedAt); err != nil {
		return fmt.Errorf("write SSO domains: %w", err)
	}
	return nil
}

func (tx *Tx) putSAMLProvider(ctx context.Context, p *auth.SSOProvider) error {
	if _, err := tx.q.Exec(ctx, `INSERT INTO auth.saml_providers (id, sso_provider_id, entity_id, metadata_xml, metadata_url, attribute_mapping, name_id_format,
			created_at, updated_at) VALUES ($1, $2, $3, $4, nullif($5, ''), $6, nullif($7, ''), $8, $9)
		ON CONFLICT (id) DO UPDATE SET entity_id = excluded.entity_id, metadata_xml = excluded.metadata_xml, metadata_url = excluded.metadata_url,
			attribute_mapping = excluded.attribute_mapping, name_id_format = excluded.name_id_format, updated_at = excluded.updated_at`,
		p.SAML.ID, p.ID, p.SAML.EntityID, p.SAML.MetadataXML, p.SAML.MetadataURL, string(p.SAML.AttributeMapping), p.SAML.NameIDFormat,
		p.CreatedAt, p.SAML.FetchedAt); err != nil {
		return fmt.Errorf("write SAML provider: %w", err)
	}
	return nil
}

func (tx *Tx) putSSOConnection(ctx context.Context, p *auth.SSOProvider) error {
	rules, err := json.Marshal(p.Rules)
	if err != nil {
		return fmt.Errorf("encode rules: %w", err)
	}
	var oidc *string
	if o := p.OIDC; o != nil {
		raw, err := json.Marshal(storedOIDC{Issuer: o.Issuer, ClientID: o.ClientID, Secret: o.SealedSecret, Scopes: o.Scopes, Mapping: o.AttributeMapping})
		if err != nil {
			return fmt.Errorf("encode OIDC provider: %w", err)
		}
		text := string(raw)
		oidc = &text
	}
	if _, err := tx.q.Exec(ctx, `INSERT INTO reeve.sso_connection (provider_id, kind, name, rules, oidc, updated_at) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (provider_id) DO UPDATE SET kind = excluded.kind, name = excluded.name, rules = excluded.rules, oidc = excluded.oidc, updated_at = excluded.updated_at`,
		p.ID, string(p.Kind), p.Name, string(rules), oidc, p.UpdatedAt); err != nil {
		return fmt.Errorf("write connection: %w", err)
	}
	return nil
}

// RefreshSAML stores metadata that was fetched anew, unless the connection was changed
// meanwhile.
func (tx *Tx) RefreshSAML(ctx context.Context, s *auth.SAMLProvider, metadata string, now time.Time) error {
	_, err := tx.q.Exec(ctx, `UPDATE auth.saml_providers SET metadata_xml = $3, updated_at = $4
		WHERE id = $1 AND entity_id = $2 AND metadata_url = $5 AND metadata_xml = $6`, s.ID, s.EntityID, metadata, now, s.MetadataURL, s.MetadataXML)
	if err != nil {
		return fmt.Errorf("refresh SAML metadata: %w", err)
	}
	return nil
}

// CheckedSAML notes that a connection's metadata was asked for, or looked at if it has no
// address, and what was wrong.
func (tx *Tx) CheckedSAML(ctx context.Context, provider uuid.UUID, wrong string, now time.Time) error {
	_, err := tx.q.Exec(ctx, `INSERT INTO reeve.sso_connection AS c (provider_id, kind, name, rules, checked_at, check_error, updated_at)
		VALUES ($1, 'saml', '', '{}', $2, nullif("left"($3, 1000), ''), $2)
		ON CONFLICT (provider_id) DO UPDATE SET checked_at = excluded.checked_at, check_error = excluded.check_error`, provider, now, wrong)
	if err != nil {
		return fmt.Errorf("note check of SAML metadata: %w", err)
	}
	return nil
}

// DeleteSSOProvider removes a connection; auth.ErrSSOProviderNotFound. The identities
// of its users stay.
func (tx *Tx) DeleteSSOProvider(ctx context.Context, id uuid.UUID) error {
	tag, err := tx.q.Exec(ctx, `DELETE FROM auth.sso_providers WHERE id = $1`, id)
	if err != nil {
		return fmt.Errorf("delete SSO provider: %w", err)
	}
	if tag.RowsAffected() != 1 {
		return auth.ErrSSOProviderNotFound
	}
	for _, table := range []string{"sso_connection", "sso_claim", "sso_logout"} {
		if err := tx.q.Later(ctx, "delete what a connection has", `DELETE FROM reeve.`+table+` WHERE provider_id = $1`, id); err != nil {
			return err
		}
	}
	return nil
}

// CreateSSORelay writes the start of a sign-in at a connection's provider.
func (tx *Tx) CreateSSORelay(ctx context.Context, r *auth.SSORelay) error {
	return tx.q.Later(ctx, "create relay state", `INSERT INTO auth.saml_relay_states (id, sso_provider_id, request_id, redirect_to, flow_state_id, created_at, updated_at, for_email)
		VALUES ($1, $2, $3, nullif($4, ''), $5, $6, $6, nullif($7, ''))`, r.ID, r.Provider, r.RequestID, r.RedirectTo, r.Flow, r.CreatedAt, domainOrDryRun(r))
}

// dryRun is in place of the domain of a relay state of a dry run. No domain is so.
const dryRun = "?dry_run"

func domainOrDryRun(r *auth.SSORelay) string {
	if r.DryRun {
		return dryRun
	}
	return r.Domain
}

const ssoRelayColumns = `r.id, r.sso_provider_id, r.request_id, coalesce(r.redirect_to, ''), r.flow_state_id, coalesce(r.for_email, ''), r.created_at`

// TakeSSORelay returns the start of a sign-in and deletes it, so that it is answered
// once; auth.ErrSAMLRelayNotFound.
func (tx *Tx) TakeSSORelay(ctx context.Context, id uuid.UUID) (auth.SSORelay, error) {
	return tx.ssoRelay(ctx, `DELETE FROM auth.saml_relay_states r WHERE r.id = $1 RETURNING `+ssoRelayColumns, id)
}

// SSORelay returns the start of a sign-in; auth.ErrSAMLRelayNotFound.
func (tx *Tx) SSORelay(ctx context.Context, id uuid.UUID) (auth.SSORelay, error) {
	return tx.ssoRelay(ctx, `SELECT `+ssoRelayColumns+` FROM auth.saml_relay_states r WHERE r.id = $1`, id)
}

func (tx *Tx) ssoRelay(ctx context.Context, sql string, id uuid.UUID) (r auth.SSORelay, err error) {
	err = tx.q.QueryRow(ctx, sql, id).Scan(&r.ID, &r.Provider, &r.RequestID, &r.RedirectTo, &r.Flow, &r.Domain, momentOrEpoch{&r.CreatedAt})
	if err != nil {
		return r, notFound(fmt.Errorf("read relay state: %w", err), auth.ErrSAMLRelayNotFound)
	}
	if r.Domain == dryRun {
		r.Domain, r.DryRun = "", true
	}
	return r, nil
}

// UseAssertion remembers that an assertion was used until a time. used reports that it
// was remembered already. It is behind the capability, so that no SQL of the project's
// can forget one.
func (tx *Tx) UseAssertion(ctx context.Context, digest []byte, until time.Time) (used bool, err error) {
	err = tx.q.QueryRow(ctx, `SELECT NOT reeve.saml_assertion_use($1, $2, $3)`, unnamed, tx.capability, digest, until).Scan(&used)
	if err != nil {
		return false, fmt.Errorf("use assertion: %w", err)
	}
	return used, nil
}

// TidyAssertions removes up to max used assertions that have expired, and returns how
// many.
func (tx *Tx) TidyAssertions(ctx context.Context, now time.Time, max int) (removed int64, err error) {
	err = tx.q.QueryRow(ctx, `SELECT reeve.saml_tidy($1, $2, $3)`, unnamed, tx.capability, now, max).Scan(&removed)
	if err != nil {
		return 0, fmt.Errorf("tidy assertions: %w", err)
	}
	return removed, nil
}

// SAMLKey is a key of the project's service provider, sealed.
type SAMLKey struct {
	ID        uuid.UUID
	Sealed    []byte
	CreatedAt time.Time
}

// SAMLKeys returns the keys of the project's service provider, the oldest first.
func (tx *Tx) SAMLKeys(ctx context.Context) ([]SAMLKey, error) {
	rows, err := tx.q.Query(ctx, `SELECT k.id, k.sealed, k.created_at FROM reeve.saml_keys_all($1) k`, unnamed, tx.capability)
	if err != nil {
		return nil, fmt.Errorf("read SAML keys: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[SAMLKey])
	if err != nil {
		return nil, fmt.Errorf("read SAML keys: %w", err)
	}
	return list, nil
}

// AddFirstSAMLKey stores a key, unless there is one.
func (tx *Tx) AddFirstSAMLKey(ctx context.Context, k SAMLKey) error {
	if _, err := tx.q.Exec(ctx, `SELECT reeve.saml_key_first($1, $2, $3, $4)`, unnamed, tx.capability, k.ID, k.Sealed, k.CreatedAt); err != nil {
		return fmt.Errorf("store SAML key: %w", err)
	}
	return nil
}

// AddSAMLKey adds a key after those that the project has; false if it has two.
func (tx *Tx) AddSAMLKey(ctx context.Context, k SAMLKey) (added bool, err error) {
	err = tx.q.QueryRow(ctx, `SELECT reeve.saml_key_add($1, $2, $3, $4)`, unnamed, tx.capability, k.ID, k.Sealed, k.CreatedAt).Scan(&added)
	if err != nil {
		return false, fmt.Errorf("store SAML key: %w", err)
	}
	return added, nil
}

// RemoveSAMLKey removes a key; false if there is none, or no other.
func (tx *Tx) RemoveSAMLKey(ctx context.Context, id uuid.UUID) (removed bool, err error) {
	err = tx.q.QueryRow(ctx, `SELECT reeve.saml_key_remove($1, $2)`, unnamed, tx.capability, id).Scan(&removed)
	if err != nil {
		return false, fmt.Errorf("remove SAML key: %w", err)
	}
	return removed, nil
}

// TakeSSOFlow returns the PKCE exchange of a sign-in at a connection's provider, and
// deletes it; auth.ErrFlowNotFound.
func (tx *Tx) TakeSSOFlow(ctx context.Context, id uuid.UUID) (auth.FlowState, error) {
	return tx.scanFlowState(ctx, `DELETE FROM auth.flow_state f WHERE f.id = $1 AND f.authentication_method IN ('sso/saml', 'sso/oidc')
		AND f.auth_code_issued_at IS NULL RETURNING `+flowStateColumns, id)
}

// EndSessionAt sets when a session ends at the latest.
func (tx *Tx) EndSessionAt(ctx context.Context, id uuid.UUID, at time.Time) error {
	return tx.q.Later(ctx, "set the end of a session", `UPDATE auth.sessions SET not_after = $2 WHERE id = $1`, id, at)
}

// ShareSSOProvider locks a connection against changes until the transaction ends, and
// reports whether it is on. It is off if it is gone.
func (tx *Tx) ShareSSOProvider(ctx context.Context, id uuid.UUID) (on bool, err error) {
	err = tx.q.QueryRow(ctx, `SELECT p.disabled IS NOT TRUE FROM auth.sso_providers p WHERE p.id = $1 FOR SHARE`, id).Scan(&on)
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("lock SSO provider: %w", err)
	}
	return on, nil
}
