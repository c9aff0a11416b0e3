package authconfig_test

import (
	"strings"
	"testing"

	"github.com/reevehq/reeve/internal/control/authconfig"
	"github.com/reevehq/reeve/internal/setting"
)

// TestDescription: a dashboard can render every setting from the description.
func TestDescription(t *testing.T) {
	t.Parallel()
	w, _, path := newWorld(t)
	var config map[string]any
	w.Do(t, w.ReadOnly, "GET", path, "").Want(t, 200).Into(t, &config)
	var got authconfig.Description
	w.Do(t, w.ReadOnly, "GET", path+"/settings", "").Want(t, 200).Into(t, &got)
	all := map[string]authconfig.SettingDetails{}
	for _, section := range got.Sections {
		for _, s := range section.Settings {
			all[s.Name] = s
			if _, ok := config[s.Name]; !ok {
				t.Errorf("%s is not in the configuration", s.Name)
			}
			if s.Built != (s.Doc != "") || strings.ContainsAny(s.Doc, "`[") || s.Label == "" {
				t.Errorf("%+v", s)
			}
			if s.Built && !s.Secret && s.Default != config[s.Name] && config[s.Name] != nil {
				t.Errorf("%s: default %v, a new project has %v", s.Name, s.Default, config[s.Name])
			}
		}
	}
	if len(all) != len(config) || len(all) != len(setting.All()) {
		t.Errorf("%d settings are described, the configuration has %d", len(all), len(config))
	}
	if s := all["uri_allow_list"]; s.See != "auth.md#redirects" || strings.Contains(s.Doc, "See") || *s.MaxLength != 4096 || !s.Multiline {
		t.Errorf("%+v", s)
	}
	if s := all["jwt_exp"]; *s.Minimum != 1 || *s.Maximum != 604800 || s.Unit != "seconds" || s.Default != 3600.0 {
		t.Errorf("%+v", s)
	}
	if s := all["sms_twilio_auth_token"]; !s.Secret || s.Default != nil || len(s.Needs) != 1 || *s.Needs[0].Value != "twilio" {
		t.Errorf("%+v", s)
	}
	if s := all["mailer_allow_unverified_email_sign_ins"]; len(s.Needs) != 2 || s.Needs[1].On || s.Needs[1].Setting != "mailer_autoconfirm" {
		t.Errorf("%+v", s)
	}
	if s := all["external_github_email_optional"]; s.Provider != "github" || s.Label != "Email optional" {
		t.Errorf("%+v", s)
	}
	w.Do(t, w.Stranger, "GET", path+"/settings", "").Refused(t, 404, "project_not_found", "")
}
