package apikey

import (
	"maps"
	"regexp"
	"slices"
	"time"

	"github.com/reevehq/reeve/internal/control/text"
	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/web/control"
	"github.com/reevehq/reeve/tenants"
)

// secretRole is the role of every secret key.
const secretRole = "service_role"

// checkTemplate refuses a template that a key of the type does not have anyway.
func checkTemplate(of tenants.KeyType, template map[string]any) error {
	switch {
	case template == nil:
		return nil
	case of != tenants.KeySecret:
		return text.Invalid("secret_jwt_template: only secret keys have one, leave it out")
	case len(template) != 1 || template["role"] != secretRole:
		return text.Invalid(`secret_jwt_template: must be {"role":"service_role"}, which every secret key has, or be left out`)
	}
	return nil
}

var nameForm = regexp.MustCompile(`^[a-z_][a-z0-9_]{3,63}$`)

// change applies the body of an update to a key. An absent field stays, null
// removes a description or a restriction.
func change(row *controldb.APIKey, body control.Object, now time.Time) error {
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
			if value != nil && !ok {
				return text.Invalid("secret_jwt_template: must be an object or null")
			}
			err = checkTemplate(row.Type, template)
		default:
			var known bool
			if known, err = changeRestriction(row, field, value, now); !known {
				return text.Invalid("%s: unknown field", field)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}
