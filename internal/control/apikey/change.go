package apikey

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"

	"github.com/reevehq/reeve/internal/control/text"
	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/web"
	"github.com/reevehq/reeve/tenants"
)

// maxTemplate bounds a JWT template, in bytes of JSON.
const maxTemplate = 4096

var nameForm = regexp.MustCompile(`^[a-z_][a-z0-9_]{3,63}$`)

// change applies a body of update to a key. A field that is left out stays,
// null takes a description or template away.
func change(row *controldb.APIKey, body web.Object) error {
	for _, field := range slices.Sorted(maps.Keys(body)) {
		var err error
		switch value := body[field]; field {
		case "name":
			name, ok := value.(string)
			if !ok || !nameForm.MatchString(name) {
				return text.Invalid("name: must be 4 to 64 of a-z, 0-9 and _, and not begin with a digit")
			}
			row.Name = name
		case "description":
			row.Description = nil
			if value != nil {
				s, ok := value.(string)
				if !ok {
					return text.Invalid("description: must be a string or null")
				}
				row.Description, err = describe(&s)
			}
		case "secret_jwt_template":
			template, ok := value.(map[string]any)
			if !ok && value != nil {
				return text.Invalid("secret_jwt_template: must be an object or null")
			}
			row.SecretJWTTemplate, err = encodeTemplate(row.Type, template)
		default:
			return text.Invalid("%s: unknown field", field)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func encodeTemplate(t tenants.KeyType, template map[string]any) (json.RawMessage, error) {
	if template == nil {
		return nil, nil
	}
	if t != tenants.KeySecret {
		return nil, text.Invalid("secret_jwt_template: only secret keys have one")
	}
	raw, err := json.Marshal(template)
	if err != nil {
		return nil, fmt.Errorf("encode JWT template: %w", err)
	}
	if len(raw) > maxTemplate {
		return nil, text.Invalid("secret_jwt_template: must have at most %d bytes", maxTemplate)
	}
	return raw, nil
}

func decodeTemplate(raw json.RawMessage) (map[string]any, error) {
	if raw == nil {
		return nil, nil
	}
	var out map[string]any
	if err := json.Unmarshal(raw, &out); err != nil {
		return nil, fmt.Errorf("decode JWT template: %w", err)
	}
	return out, nil
}
