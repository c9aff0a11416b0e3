package authconfig

import (
	"github.com/reevehq/reeve/internal/setting"
	"github.com/reevehq/reeve/internal/web/control"
)

// Config is the whole configuration on the wire: every declared setting by
// name. A secret is shown as its fingerprint, or null if it is not set.
type Config map[string]any

func onWire(v values, f fingerprinter) Config {
	out := Config{}
	for _, s := range setting.All() {
		secret, exists := v.secrets[s.Name]
		switch {
		case !s.Secret:
			out[s.Name] = s.Value(&v.config)
		case exists && s.Available():
			out[s.Name] = f.of(s.Name, secret)
		default:
			out[s.Name] = nil
		}
	}
	return out
}

// answerSchema describes Config in the OpenAPI document.
func answerSchema() control.ObjectSchema {
	out := control.ObjectSchema{Name: "AuthConfig", Required: true}
	for _, s := range setting.All() {
		m := control.MemberSchema{Name: s.Name, Type: string(s.Kind), Doc: doc(s), Nullable: s.Nullable(), Enum: s.OneOf}
		if s.Secret {
			m.Doc += " The answer holds a fingerprint of it."
		}
		out.Members = append(out.Members, m)
	}
	return out
}

// bodySchema describes the patch in the OpenAPI document.
func bodySchema() control.ObjectSchema {
	out := control.ObjectSchema{Name: "AuthConfigUpdateBody"}
	for _, s := range setting.All() {
		m := control.MemberSchema{
			Name: s.Name, Type: string(s.Kind), Doc: doc(s), Nullable: true, WriteOnly: s.Secret,
			Default: s.Default, Enum: s.OneOf, MaxLength: s.MaxLength,
		}
		if s.Available() && (s.Kind == setting.Integer || s.Kind == setting.Number) {
			m.Minimum, m.Maximum = &s.Min, &s.Max
		}
		out.Members = append(out.Members, m)
	}
	return out
}

func doc(s setting.Setting) string {
	if !s.Available() {
		return "Not available yet: the only value is " + s.Off() + "."
	}
	return s.Effect
}
