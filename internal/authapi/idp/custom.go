package idp

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/connector"
	"github.com/reevehq/reeve/internal/connector/custom"
	"github.com/reevehq/reeve/internal/secret"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// findCustom is Registered for a provider of the project's own. It reads the row each
// time, so that a change takes effect at once.
func (r Registry) findCustom(ctx context.Context, sc *tenants.Scope, name string) (found *Provider, enabled bool, err error) {
	if r.Custom == nil || !auth.ValidCustomIdentifier(name) {
		return nil, false, auth.ErrProviderUnknown
	}
	var p auth.CustomProvider
	err = sc.DB.Do(ctx, func(tx *tenantdb.Tx) (err error) {
		p, err = tx.CustomProvider(ctx, name, false)
		return err
	})
	switch {
	case errors.Is(err, auth.ErrCustomProviderNotFound):
		return nil, false, auth.ErrProviderUnknown
	case err != nil:
		return nil, false, err
	}
	enabled = p.Enabled && sc.Tenant.Config.CustomOAuthEnabled
	clientSecret, err := openClientSecret(sc.Tenant, &p)
	if err != nil && enabled {
		return nil, false, err
	}
	return &Provider{
		Name: name, Connector: r.Custom.Connector(Definition(&p)), EmailOptional: p.EmailOptional,
		Client: connector.Client{
			Project: string(sc.Tenant.Ref), ID: p.ClientID, MoreIDs: p.AcceptableClientIDs,
			Secret: clientSecret, SkipNonceCheck: p.SkipNonceCheck,
		},
	}, enabled, nil
}

// Definition is what a row says of its provider. Parameters that are no text,
// which only SQL can write, are left out.
func Definition(p *auth.CustomProvider) custom.Definition {
	d := custom.Definition{
		Type: custom.Type(p.Type), Scopes: p.Scopes, PKCE: p.PKCE, ClaimsAllowList: p.ClaimsAllowList,
		AttributeMapping: auth.DecodeObject(p.AttributeMapping), AuthorizationParams: map[string]string{},
		Issuer: p.Issuer, DiscoveryURL: p.DiscoveryURL,
		AuthURL: p.AuthorizationURL, TokenURL: p.TokenURL, UserinfoURL: p.UserinfoURL,
	}
	var params map[string]any
	_ = json.Unmarshal(p.AuthorizationParams, &params)
	for name, value := range params {
		if text, ok := value.(string); ok {
			d.AuthorizationParams[name] = text
		}
	}
	return d
}

// sealedPrefix begins a client secret that is sealed. Any other text is the
// secret itself: SQL, or a dump of the reference, wrote it.
const sealedPrefix = "reeve-sealed:"

// SealClientSecret seals the client secret of a custom provider for its row.
func SealClientSecret(t *tenants.Tenant, provider uuid.UUID, clientSecret string) (string, error) {
	sealed, err := secret.SealWith(t.Secrets.OutboxKey, secretPlace(provider), []byte(clientSecret))
	return sealedPrefix + base64.StdEncoding.EncodeToString(sealed), err
}

// openClientSecret returns connector.ErrMisconfigured for a sealed secret of
// another row or project.
func openClientSecret(t *tenants.Tenant, p *auth.CustomProvider) (string, error) {
	encoded, ok := strings.CutPrefix(p.ClientSecret, sealedPrefix)
	if !ok {
		return p.ClientSecret, nil
	}
	sealed, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return "", connector.ErrMisconfigured.Because(err)
	}
	plain, err := secret.OpenWith(t.Secrets.OutboxKey, secretPlace(p.ID), sealed)
	if err != nil {
		return "", connector.ErrMisconfigured.Because(err)
	}
	return string(plain), nil
}

func secretPlace(provider uuid.UUID) string { return "custom provider/" + provider.String() }
