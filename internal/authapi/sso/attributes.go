package sso

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/reevehq/reeve/internal/auth"
)

// apply sets what the request has; auth.ErrValidation.
func (a *Attributes) apply(p *auth.SSOProvider, now time.Time) error {
	p.UpdatedAt = now
	if a.ResourceID != nil {
		if *a.ResourceID == "" || len(*a.ResourceID) > maxResource {
			return invalid("resource_id must have 1 to %d bytes", maxResource)
		}
		p.ResourceID = a.ResourceID
	}
	if a.Disabled != nil {
		p.Disabled = a.Disabled
	}
	if a.Name != nil {
		if utf8.RuneCountInString(*a.Name) > maxLabel || !utf8.ValidString(*a.Name) || strings.ContainsFunc(*a.Name, unicode.IsControl) {
			return invalid("name can have at most %d characters", maxLabel)
		}
		p.Name = strings.TrimSpace(*a.Name)
	}
	if len(a.Rules) > 0 && string(a.Rules) != "null" {
		if err := p.Rules.Merge(a.Rules); err != nil {
			return err
		}
	}
	if a.MetadataXML != nil {
		p.SAML.MetadataXML, p.SAML.MetadataURL, p.SAML.FetchedAt = *a.MetadataXML, *a.MetadataURL, now
	}
	if p.SAML == nil && a.NameIDFormat != nil {
		return errNotSAML
	}
	if a.NameIDFormat != nil {
		if !slices.Contains(nameIDFormats, *a.NameIDFormat) && *a.NameIDFormat != "" {
			return invalid("name_id_format must be one of %s", strings.Join(nameIDFormats, ", "))
		}
		p.SAML.NameIDFormat = *a.NameIDFormat
	}
	if a.Mapping != nil {
		mapping, err := checkMapping(a.Mapping)
		if err != nil {
			return err
		}
		if p.SAML != nil {
			p.SAML.AttributeMapping = mapping
		} else {
			p.OIDC.AttributeMapping = mapping
		}
	}
	if a.Domains != nil {
		return setDomains(p, *a.Domains, now)
	}
	return nil
}

var errNotSAML = auth.ErrValidation.Saying("This connection does not speak SAML")

// nameIDFormats are those that a connection can ask for.
var nameIDFormats = []string{
	"urn:oasis:names:tc:SAML:2.0:nameid-format:persistent",
	"urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress",
	"urn:oasis:names:tc:SAML:2.0:nameid-format:transient",
	"urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified",
}

// domainForm is a domain name in ASCII, of two labels or more.
var domainForm = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

func setDomains(p *auth.SSOProvider, list []string, now time.Time) error {
	if len(list) > maxDomains {
		return invalid("domains can have at most %d entries", maxDomains)
	}
	kept := map[string]auth.SSODomain{}
	for _, d := range p.Domains {
		kept[strings.ToLower(d.Domain)] = d
	}
	p.Domains = []auth.SSODomain{}
	seen := map[string]bool{}
	for _, name := range list {
		name = strings.ToLower(strings.TrimSpace(name))
		if len(name) > 253 || !domainForm.MatchString(name) {
			return invalid("domains: %.100q is not a domain", name)
		}
		if seen[name] {
			continue
		}
		seen[name] = true
		d, ok := kept[name]
		if !ok {
			d = auth.SSODomain{Domain: name, CreatedAt: now, UpdatedAt: now}
		}
		p.Domains = append(p.Domains, d)
	}
	return nil
}

func checkMapping(m *auth.AttributeMapping) (json.RawMessage, error) {
	if len(m.Keys) > maxMapped {
		return nil, invalid("attribute_mapping can have at most %d keys", maxMapped)
	}
	for key, to := range m.Keys {
		names := append([]string{key, to.Name}, to.Names...)
		if key == "" || len(to.Names) > maxNames || slices.ContainsFunc(names, func(n string) bool { return len(n) > maxName }) {
			return nil, invalid("attribute_mapping: the key %.100q has an empty or too long name, or too many", key)
		}
	}
	raw, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("encode mapping: %w", err)
	}
	var object map[string]any
	if err := json.Unmarshal(raw, &object); err != nil {
		return nil, fmt.Errorf("encode mapping: %w", err)
	}
	return auth.MergeMetadata(nil, object) // for values that jsonb cannot hold
}

func invalid(format string, args ...any) error {
	return auth.ErrValidation.Saying(fmt.Sprintf(format, args...))
}
