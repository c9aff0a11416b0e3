package sso

import (
	"encoding/json"
	"time"

	"github.com/reevehq/reeve/internal/auth"
)

// Provider is a connection in the form of the hosted service, which knows SAML only.
type Provider struct {
	ID        string    `json:"id" format:"uuid"`
	SAML      *SAML     `json:"saml,omitempty"`
	OIDC      *OIDC     `json:"oidc,omitempty"`
	Domains   []Domain  `json:"domains"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// OIDC is the identity provider of a Provider that speaks OpenID Connect.
type OIDC struct {
	OIDCState
	AttributeMapping Mapping       `json:"attribute_mapping"`
	Rules            auth.SSORules `json:"rules"`
}

// ProviderList is all connections of a project that are of a kind.
type ProviderList struct {
	Items []Provider `json:"items"`
}

// SAML is the identity provider of a Provider.
type SAML struct {
	ID               string  `json:"id" format:"uuid"`
	EntityID         string  `json:"entity_id"`
	MetadataURL      string  `json:"metadata_url,omitempty"`
	MetadataXML      string  `json:"metadata_xml,omitempty"`
	AttributeMapping Mapping `json:"attribute_mapping"`
	NameIDFormat     string  `json:"name_id_format,omitempty"`
}

// Domain is a domain of a Provider.
type Domain struct {
	ID        string    `json:"id" format:"uuid"`
	Domain    string    `json:"domain"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// Mapping says which statements of the provider become which claims.
type Mapping struct {
	Keys map[string]MappedClaim `json:"keys" doc:"By the names of the claims."`
}

// MappedClaim is one of them.
type MappedClaim struct {
	Name    string   `json:"name,omitempty" doc:"The provider's name of the statement."`
	Names   []string `json:"names,omitempty" doc:"Names of which the first one that the provider states counts."`
	Default any      `json:"default,omitempty" doc:"The value if it states none."`
	Array   bool     `json:"array,omitempty" doc:"Take all values, not the first alone."`
}

// ProviderBody are members of a connection to write. The hosted service's clients write
// those of SAML.
type ProviderBody struct {
	MetadataXML  *string      `json:"metadata_xml,omitempty" maxLength:"1048576"`
	MetadataURL  *string      `json:"metadata_url,omitempty" maxLength:"2048"`
	Domains      *[]string    `json:"domains,omitempty" maxItems:"100"`
	Mapping      *Mapping     `json:"attribute_mapping,omitempty"`
	NameIDFormat *string      `json:"name_id_format,omitempty" maxLength:"100"`
	OIDC         *OIDCChange  `json:"oidc,omitempty" doc:"Of a connection that speaks OpenID Connect."`
	Rules        *RulesChange `json:"rules,omitempty"`
}

// CreateProviderBody is a new one.
type CreateProviderBody struct {
	Type string `json:"type" enum:"saml,oidc"`
	ProviderBody
}

type hostedListInput struct {
	Ref  string `path:"ref"`
	Kind string `query:"type" enum:"saml,oidc" default:"saml"`
}

type hostedCreateInput struct {
	Ref  string `path:"ref"`
	Body CreateProviderBody
}

type hostedUpdateInput struct {
	ConnectionInput
	Body ProviderBody
}

func (b ProviderBody) change() Change {
	return Change{MetadataXML: b.MetadataXML, MetadataURL: b.MetadataURL, Domains: b.Domains, Mapping: b.Mapping, NameIDFormat: b.NameIDFormat, OIDC: b.OIDC, Rules: b.Rules}
}

func hostedAnswer(p *auth.SSOProvider, err error) (*Provider, error) {
	if err != nil {
		return nil, err
	}
	out := hosted(p)
	return &out, nil
}

func hosted(p *auth.SSOProvider) Provider {
	out := Provider{ID: p.ID.String(), CreatedAt: p.CreatedAt, UpdatedAt: p.UpdatedAt, Domains: make([]Domain, len(p.Domains))}
	if p.SAML != nil {
		out.SAML = &SAML{
			ID: p.SAML.ID.String(), EntityID: p.SAML.EntityID, MetadataURL: p.SAML.MetadataURL, MetadataXML: p.SAML.MetadataXML,
			AttributeMapping: mappingOf(p), NameIDFormat: p.SAML.NameIDFormat,
		}
	}
	if p.OIDC != nil {
		out.OIDC = &OIDC{OIDCState: *oidcState(p.OIDC), AttributeMapping: mappingOf(p), Rules: p.Rules}
	}
	for i, d := range p.Domains {
		out.Domains[i] = Domain{ID: d.ID.String(), Domain: d.Domain, CreatedAt: d.CreatedAt, UpdatedAt: d.UpdatedAt}
	}
	return out
}

// mappingOf reads the mapping of a connection; SQL may have written anything.
func mappingOf(p *auth.SSOProvider) Mapping {
	var m Mapping
	if json.Unmarshal(p.Mapping(), &m) != nil || m.Keys == nil {
		m.Keys = map[string]MappedClaim{}
	}
	return m
}
