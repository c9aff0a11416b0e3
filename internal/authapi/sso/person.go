package sso

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/users"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

const (
	maxID         = 1024 // bytes
	maxUserGroups = 500
)

// person is whom a provider named, as the connection's mapping reads it.
type person struct {
	users.ProviderUser
	groups []string
	app    map[string]any // of app_metadata
}

// personOf is whom a provider has named. auth.ErrSAMLAssertionNoUserID,
// auth.ErrSAMLAssertionNoEmail.
func personOf(p *auth.SSOProvider, a *said) (who person, err error) {
	if a.subject == "" || len(a.subject) > maxID {
		return who, auth.ErrSAMLAssertionNoUserID
	}
	claims := mapped(p, a)
	address, _ := claims["email"].(string)
	if address == "" {
		address = a.address
	}
	email, err := auth.NormalizeEmail(address)
	if err != nil || email == "" {
		return who, auth.ErrSAMLAssertionNoEmail.Because(err)
	}
	data := map[string]any{
		"iss": a.issuer, "email": email, "email_verified": true, "phone_verified": false, "custom_claims": claims,
	}
	who.ProviderUser = users.ProviderUser{
		Identity: users.Identity{Provider: p.Provider(), ProviderID: a.subject, Kind: a.kind, Data: data}, Email: email, Verified: true,
	}
	if p.Rules.GroupsAttribute != "" && p.Rules.GroupsAttribute != auth.SSOGroupsSCIM {
		groups := a.statements(p.Rules.GroupsAttribute)
		who.groups = groups[:min(len(groups), maxUserGroups)]
		who.app = map[string]any{"groups": slices.Concat([]string{}, who.groups)}
	}
	return who, nil
}

// admit checks a person against the connection's rules. auth.ErrSSODomain,
// auth.ErrSSOGroup.
func (s Service) admit(ctx context.Context, sc *tenants.Scope, p *auth.SSOProvider, who *person) error {
	if !p.Rules.AllowOtherDomains {
		var inside bool
		err := sc.DB.Do(ctx, func(tx *tenantdb.Tx) (err error) {
			inside, err = tx.DomainAllowed(ctx, p.ID, auth.DomainOf(who.Email))
			return err
		})
		if err != nil || !inside {
			return cmp.Or(err, error(auth.ErrSSODomain))
		}
	}
	if p.Rules.GroupsAttribute == auth.SSOGroupsSCIM { // checked when the user is known
		return nil
	}
	if len(p.Rules.AllowedGroups) > 0 && !slices.ContainsFunc(p.Rules.AllowedGroups, func(g string) bool { return slices.Contains(who.groups, g) }) {
		return auth.ErrSSOGroup
	}
	return nil
}

// mapped returns the claims that the connection's mapping makes of the statements.
func mapped(p *auth.SSOProvider, a *said) map[string]any {
	var m auth.AttributeMapping
	_ = json.Unmarshal(p.Mapping(), &m) // SQL may have written anything
	claims := map[string]any{}
	for key, to := range m.Keys {
		values := a.statements(append([]string{to.Name}, to.Names...)...)
		switch {
		case len(values) > 0 && to.Array:
			claims[key] = values
		case len(values) > 0:
			claims[key] = values[0]
		case to.Default != nil:
			claims[key] = to.Default
		}
	}
	return claims
}
