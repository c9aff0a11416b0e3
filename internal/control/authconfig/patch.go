package authconfig

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/reevehq/reeve/internal/control/text"
	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/internal/web/control"
	"github.com/reevehq/reeve/tenants"
)

// maxSecret bounds secret fields, in bytes.
const maxSecret = 1024

// apply gives the configuration with a patch on it. null brings a field's
// default back.
func (s *Service) apply(config tenants.Config, secrets controldb.AuthSecrets, patch control.Object) (tenants.Config, controldb.AuthSecrets, error) {
	known, defaults := fields(), members(tenants.DefaultConfig())
	merged := members(config)
	for _, name := range slices.Sorted(maps.Keys(patch)) {
		value := patch[name]
		if name == "smtp_pass" {
			var err error
			if secrets.SMTPPass, err = secretValue(name, secrets.SMTPPass, value); err != nil {
				return config, secrets, err
			}
			continue
		}
		field, ok := known[name]
		if !ok {
			return config, secrets, text.Invalid("%s: unknown field", name)
		}
		if value == nil {
			merged[name] = defaults[name]
			continue
		}
		if err := s.check(name, field, value); err != nil {
			return config, secrets, err
		}
		merged[name] = value
	}
	var out tenants.Config
	raw, err := json.Marshal(merged)
	if err == nil {
		err = json.Unmarshal(raw, &out)
	}
	if err != nil {
		return config, secrets, fmt.Errorf("merge configuration: %w", err)
	}
	return out, secrets, together(out)
}

func (s *Service) check(name string, f field, value any) error {
	if err := f.check(value); err != nil {
		return text.Invalid("%s: %s", name, err)
	}
	if f.template == "" {
		return nil
	}
	if err := s.CheckTemplate(f.template, f.subject, value.(string)); err != nil {
		refusal := fault.From(err)
		if refusal.Kind == fault.Internal {
			return err
		}
		return refusal.Saying(name + ": " + refusal.Message)
	}
	return nil
}

// together checks what no field can tell alone.
func together(c tenants.Config) error {
	if c.SMTPHost != "" && c.SMTPAdminEmail == "" {
		return text.Invalid("smtp_admin_email: is required with smtp_host")
	}
	return nil
}

// secretValue reads a new secret. Its fingerprint, which is what reading the
// configuration gives, stands for the secret that is there: a client that writes
// back what it read changes nothing.
func secretValue(name, current string, value any) (string, error) {
	if value == nil {
		return "", nil
	}
	s, ok := value.(string)
	switch {
	case !ok:
		return "", text.Invalid("%s: must be a string", name)
	case len(s) > maxSecret:
		return "", text.Invalid("%s: must have at most %d bytes", name, maxSecret)
	case current != "" && s == fingerprint(current):
		return current, nil
	}
	return s, nil
}

// members gives a configuration as its JSON members.
func members(c tenants.Config) map[string]any {
	out := map[string]any{}
	raw, err := json.Marshal(c)
	if err == nil {
		err = json.Unmarshal(raw, &out)
	}
	if err != nil {
		panic("authconfig: tenants.Config is no plain JSON: " + err.Error())
	}
	return out
}
