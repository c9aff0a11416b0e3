package apikey

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/reevehq/reeve/internal/control/text"
	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/tenants"
)

const (
	maxNetworks = 32
	maxLife     = 10 * 366 * 24 * time.Hour
)

// Restrictions limit a key; nil is no restriction.
type Restrictions struct {
	Scopes          []string   `json:"scopes,omitempty" nullable:"true" minItems:"1" maxItems:"32" doc:"All that a secret key may do; null for everything."`
	AllowedNetworks []string   `json:"allowed_networks,omitempty" nullable:"true" minItems:"1" maxItems:"32" doc:"The only networks of clients, in CIDR notation."`
	ExpiresAt       *time.Time `json:"expires_at,omitempty" nullable:"true" doc:"When the key stops working."`
}

// restrict sets the restrictions of a key.
func (r Restrictions) restrict(row *controldb.APIKey, now time.Time) error {
	if err := setScopes(row, r.Scopes); err != nil {
		return err
	}
	if err := setNetworks(row, r.AllowedNetworks); err != nil {
		return err
	}
	return setExpiry(row, r.ExpiresAt, now)
}

// restrictionsOf are those of a key, for the wire.
func restrictionsOf(k controldb.APIKey) Restrictions {
	r := Restrictions{AllowedNetworks: k.Networks}
	for _, s := range k.Scopes {
		r.Scopes = append(r.Scopes, string(s))
	}
	if k.ExpiresAt != nil {
		at := k.ExpiresAt.UTC()
		r.ExpiresAt = &at
	}
	return r
}

func setScopes(row *controldb.APIKey, scopes []string) error {
	row.Scopes = nil
	switch {
	case scopes == nil:
		return nil
	case row.Type != tenants.KeySecret:
		return text.Invalid("scopes: only secret keys have scopes")
	case len(scopes) == 0:
		return text.Invalid("scopes: must name at least one scope; null removes the restriction")
	}
	all := tenants.KeyScopes()
	for _, s := range scopes {
		scope := tenants.KeyScope(s)
		switch {
		case !slices.Contains(all, scope):
			return text.Invalid("scopes: must be of %v", all)
		case slices.Contains(row.Scopes, scope):
			return text.Invalid("scopes: %s is named twice", scope)
		}
		row.Scopes = append(row.Scopes, scope)
	}
	return nil
}

func setNetworks(row *controldb.APIKey, networks []string) error {
	row.Networks = nil
	switch {
	case networks == nil:
		return nil
	case len(networks) == 0 || len(networks) > maxNetworks:
		return text.Invalid("allowed_networks: must have 1 to %d networks; null removes the restriction", maxNetworks)
	}
	for _, s := range networks {
		n, ok := tenants.ParseNetwork(s)
		switch {
		case !ok:
			return text.Invalid("allowed_networks: must be addresses or networks in CIDR notation, as 203.0.113.0/24 or 2001:db8::/32")
		case slices.Contains(row.Networks, n.String()):
			return text.Invalid("allowed_networks: %s is named twice", n)
		}
		row.Networks = append(row.Networks, n.String())
	}
	return nil
}

func setExpiry(row *controldb.APIKey, at *time.Time, now time.Time) error {
	if at != nil && (!at.After(now) || at.After(now.Add(maxLife))) {
		return text.Invalid("expires_at: must be in the future, and within ten years")
	}
	row.ExpiresAt = at
	return nil
}

// changeRestriction applies a field of an update; known is false for any other
// field.
func changeRestriction(row *controldb.APIKey, field string, value any, now time.Time) (known bool, err error) {
	switch field {
	case "scopes":
		list, err := texts(field, value)
		if err != nil {
			return true, err
		}
		return true, setScopes(row, list)
	case "allowed_networks":
		list, err := texts(field, value)
		if err != nil {
			return true, err
		}
		return true, setNetworks(row, list)
	case "expires_at":
		var at *time.Time
		if value != nil {
			s, ok := value.(string)
			parsed, err := time.Parse(time.RFC3339, s)
			if !ok || err != nil {
				return true, text.Invalid("expires_at: must be a time as of RFC 3339, or null")
			}
			at = &parsed
		}
		return true, setExpiry(row, at, now)
	}
	return false, nil
}

func texts(field string, value any) ([]string, error) {
	raw, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	var list []*string
	if json.Unmarshal(raw, &list) != nil || slices.Contains(list, nil) {
		return nil, text.Invalid("%s: must be an array of strings, or null", field)
	}
	if list == nil {
		return nil, nil
	}
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = *s
	}
	return out, nil
}
