package setting

import (
	"slices"
	"testing"
)

// TestSections: every group has its section, and every setting is in one.
func TestSections(t *testing.T) {
	t.Parallel()
	for _, g := range declared.groups {
		if !slices.ContainsFunc(sections, func(s struct{ id, title, group string }) bool { return s.group == g.Title }) {
			t.Errorf("the group %q has no section", g.Title)
		}
	}
	seen := map[string]string{}
	for _, s := range Sections() {
		if len(s.Settings) == 0 {
			t.Errorf("the section %s is empty", s.ID)
		}
		for _, one := range s.Settings {
			if seen[one.Name] != "" {
				t.Errorf("%s is in %s and in %s", one.Name, seen[one.Name], s.ID)
			}
			seen[one.Name] = s.ID
			if one.Label() == "" {
				t.Errorf("%s has no label", one.Name)
			}
		}
	}
	if len(seen) != len(All()) {
		t.Errorf("%d of %d settings are in a section", len(seen), len(All()))
	}
	for name, want := range map[string]string{
		"site_url": "urls", "disable_signup": "sign_up", "jwt_exp": "tokens", "rate_limit_otp": "rate_limits",
		"external_google_client_id": "providers", "mailer_subjects_invite": "templates",
	} {
		if seen[name] != want {
			t.Errorf("%s is in %s", name, seen[name])
		}
	}
	for name := range elsewhere {
		if seen[name] == "" {
			t.Errorf("%s is not declared", name)
		}
	}
}

// TestNeeds: conditions name settings that exist, and do not go in circles.
func TestNeeds(t *testing.T) {
	t.Parallel()
	for name := range needs {
		if _, ok := ByName(name); !ok {
			t.Errorf("%s is not declared", name)
		}
	}
	for _, s := range All() {
		for _, n := range s.Needs() {
			other, ok := ByName(n.Setting)
			if !ok || n.Setting == s.Name {
				t.Errorf("%s needs %s", s.Name, n.Setting)
			}
			if n.Value != "" && !slices.Contains(other.OneOf, n.Value) {
				t.Errorf("%s needs %s to be %s", s.Name, n.Setting, n.Value)
			}
			if s.Available() && !other.Available() {
				t.Errorf("%s needs %s, which is not available", s.Name, n.Setting)
			}
			if slices.ContainsFunc(other.Needs(), func(back Need) bool { return back.Setting == s.Name }) {
				t.Errorf("%s and %s need each other", s.Name, n.Setting)
			}
		}
	}
	for name, want := range map[string]int{"external_google_secret": 1, "external_google_enabled": 0, "sms_twilio_verify_auth_token": 1, "sms_template": 1, "sms_provider": 0, "sms_test_otp": 0, "rate_limit_sms_sent": 0, "smtp_sender_name": 0, "hook_send_sms_uri": 1} {
		s, _ := ByName(name)
		if got := s.Needs(); len(got) != want {
			t.Errorf("%s needs %+v", name, got)
		}
	}
}
