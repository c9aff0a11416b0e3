package authconfig

import (
	"context"
	"maps"
	"slices"

	"github.com/reevehq/reeve/internal/control/text"
	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/internal/message"
	"github.com/reevehq/reeve/internal/setting"
	"github.com/reevehq/reeve/internal/web/control"
)

// values is the contents of a version of the configuration.
type values struct {
	config  setting.Config
	secrets setting.Secrets
}

func (v values) equal(other values) bool {
	return v.config == other.config && maps.Equal(v.secrets, other.secrets)
}

// only returns the present values of a patch's settings, without secrets.
func (v values) only(patch control.Object) map[string]any {
	out := map[string]any{}
	for name := range patch {
		if declared, ok := setting.ByName(name); ok && !declared.Secret {
			out[name] = declared.Value(&v.config)
		}
	}
	return out
}

// check checks everything about a patch that does not depend on the present
// values. The fault names the first wrong setting in alphabetical order.
func (s *Service) check(ctx context.Context, patch control.Object) error {
	for _, name := range slices.Sorted(maps.Keys(patch)) {
		declared, ok := setting.ByName(name)
		if !ok {
			return text.Invalid("%s: unknown field", name)
		}
		if err := declared.Check(patch[name]); err != nil {
			return text.Invalid("%s: %s", name, err)
		}
		if err := s.checkMail(ctx, declared, patch[name]); err != nil {
			return err
		}
	}
	return nil
}

// checkMail checks the value of a setting that is a mail's subject or content.
func (s *Service) checkMail(ctx context.Context, declared setting.Setting, value any) error {
	template, ok := value.(string)
	if declared.Mail == "" || !ok {
		return nil
	}
	err := s.CheckTemplate(ctx, message.Kind(declared.Mail), declared.Subject, template)
	if err == nil {
		return nil
	}
	refusal := fault.From(err)
	if refusal.Kind != fault.Invalid {
		return err
	}
	return refusal.Saying(declared.Name + ": " + refusal.Message)
}

// apply returns the values with a patch applied that check passed. null
// restores a default. The fault names the first wrong setting in alphabetical
// order.
func apply(before values, f fingerprinter, patch control.Object) (values, error) {
	after := values{config: before.config, secrets: maps.Clone(before.secrets)}
	for _, name := range slices.Sorted(maps.Keys(patch)) {
		declared, ok := setting.ByName(name)
		if !ok {
			return before, text.Invalid("%s: unknown field", name)
		}
		value := patch[name]
		switch {
		case !declared.Available(): // a later release may have stored a value
		case declared.Secret:
			if err := after.setSecret(name, value, f); err != nil {
				return before, err
			}
		default:
			declared.Set(&after.config, value)
		}
	}
	if err := after.config.CheckTogether(after.secrets); err != nil {
		return before, text.Invalid("%s", err)
	}
	return after, nil
}

// setSecret sets a new secret; null or "" removes it. The fingerprint of the
// present one, which answers show, changes nothing, so that a client may write
// back what it read. The fingerprint of an earlier one is refused.
func (v *values) setSecret(name string, value any, f fingerprinter) error {
	secret, _ := value.(string) // Check has checked the type
	present, exists := v.secrets[name]
	switch {
	case secret == "":
		delete(v.secrets, name)
	case !f.made(name, secret):
		if v.secrets == nil {
			v.secrets = setting.Secrets{}
		}
		v.secrets[name] = secret
	case !exists || secret != f.of(name, present):
		return text.Invalid("%s: is what reading gave before the secret was changed, and no secret", name)
	}
	return nil
}
