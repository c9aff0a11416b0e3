package setting

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// ours are the settings that the reference's config/auth does not have: Reeve's
// own, and those of providers that it knows by its own configuration only.
func ours(name string) bool {
	switch name {
	case "mailer_verify_on_get", "password_hibp_fail_closed", "password_hibp_at_sign_in",
		"security_email_domains_allowed", "security_email_domains_blocked", "security_email_disposable_blocked",
		"security_email_disposable_exceptions", "security_anonymous_users_max_age_days",
		"security_leaked_keys_revoked", "sessions_max_per_user", "sms_allowed_countries", "sms_provider_url", "rate_limit_sms_country", "rate_limit_mfa", "passkey_aal2_enabled", "jwt_optional_claims",
		"mfa_recovery_codes_enroll_enabled", "mfa_recovery_codes_verify_enabled", "mailer_notifications_mfa_recovery_code_used_enabled",
		"mailer_subjects_mfa_recovery_code_used_notification", "mailer_templates_mfa_recovery_code_used_notification_content",
		"mfa_policy", "mfa_policy_roles", "mfa_policy_grace_period", "mfa_policy_since", "sessions_allow_low_aal":
		return true
	case "mailer_notifications_new_device_enabled", "mailer_subjects_new_device_notification", "mailer_templates_new_device_notification_content",
		"security_captcha_site_key":
		return true
	}
	if strings.HasPrefix(name, "hook_") && strings.HasSuffix(name, "_mode") {
		return true
	}
	for _, provider := range []string{"fly", "linkedin", "snapchat", "vercel_marketplace"} {
		end, ok := strings.CutPrefix(name, "external_"+provider+"_")
		if ok && slices.Contains([]string{"enabled", "client_id", "secret", "email_optional"}, end) {
			return true
		}
	}
	return false
}

// TestReference: every setting of the reference is declared, with its kind, and
// no other but ours; what must not be null in an answer is not.
func TestReference(t *testing.T) {
	t.Parallel()
	known := 0
	for kind, names := range reference {
		for _, name := range strings.Fields(names) {
			name, never := strings.CutSuffix(name, "!")
			known++
			s, ok := ByName(name)
			switch {
			case !ok:
				t.Errorf("%s is not declared", name)
			case s.Kind != kind:
				t.Errorf("%s is declared as %s, the reference has %s", name, s.Kind, kind)
			case never && s.Nullable():
				t.Errorf("%s is null in some answers", name)
			}
		}
	}
	own := 0
	for _, s := range All() {
		if ours(s.Name) {
			own++
		}
	}
	if len(All()) != known+own || known != 238 {
		t.Errorf("%d settings are declared, the reference has %d, %d are ours", len(All()), known, own)
	}
}

// asJSON is a value as it arrives in a patch.
func asJSON(t *testing.T, v any) (out any) {
	t.Helper()
	raw, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(raw, &out)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestDeclarations checks each declaration in itself.
func TestDeclarations(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, s := range All() {
		if seen[s.Name] {
			t.Errorf("%s is declared twice", s.Name)
		}
		seen[s.Name] = true
		c := Default()
		if err := s.Check(asJSON(t, s.Value(&c))); err != nil {
			t.Errorf("%s: its default %s", s.Name, err)
		}
		if err := s.Check(nil); err != nil {
			t.Errorf("%s: null %s", s.Name, err)
		}
		if s.Secret && (s.Kind != Text || s.MaxLength == 0 || s.Default != nil || s.Kept() || s.Public != "") {
			t.Errorf("%s: a secret is a bounded text without default and is kept apart", s.Name)
		}
		if s.Secret != secretName(s.Name) {
			t.Errorf("%s is a secret: %v", s.Name, s.Secret)
		}
		if !s.Available() {
			if s.Kept() {
				t.Errorf("%s is read by flows and names no effect", s.Name)
			}
			continue
		}
		if s.Kept() == s.Secret || s.Field != nil && s.packed != nil {
			t.Errorf("%s has an effect and no value", s.Name)
		}
		if !strings.HasSuffix(s.Effect, ".") || strings.ContainsAny(s.Effect, "|\n") {
			t.Errorf("%s: its effect is no sentence for a table: %q", s.Name, s.Effect)
		}
		if (s.Kind == Integer || s.Kind == Number) && s.Max <= s.Min {
			t.Errorf("%s has no bounds", s.Name)
		}
		if s.Kind == Text && s.MaxLength == 0 && s.OneOf == nil && s.Format == nil {
			t.Errorf("%s has no bounds", s.Name)
		}
	}
	c := Default()
	if err := c.CheckTogether(nil); err != nil {
		t.Errorf("the defaults together: %v", err)
	}
}

// secretName tells by the name alone what must be a secret.
func secretName(name string) bool {
	for _, end := range []string{"_secret", "_secrets", "_pass", "_auth_token", "_access_key", "_textlocal_api_key"} {
		if strings.HasSuffix(name, end) {
			return true
		}
	}
	return false
}

// other is a value unlike the default that Set takes.
func other(s Setting) any {
	switch v := s.Default.(type) {
	case bool:
		return !v
	case int:
		return v + 1
	case float64:
		return v + 0.5
	default:
		return "other"
	}
}

// TestFields: each field of Config belongs to one setting, and is stored by its
// name alone.
func TestFields(t *testing.T) {
	t.Parallel()
	reached := map[string]bool{}
	defaults := Default()
	for _, s := range All() {
		if !s.Kept() {
			continue
		}
		c := Default()
		s.Set(&c, other(s))
		if got := s.Value(&c); got != other(s) {
			t.Errorf("%s is %v after it was set to %v", s.Name, got, other(s))
		}
		var where []string
		before, after := leaves(reflect.ValueOf(defaults), ""), leaves(reflect.ValueOf(c), "")
		for name, value := range after {
			if value != before[name] {
				where = append(where, name)
			}
		}
		if len(where) != 1 || reached[where[0]] && s.Field != nil {
			t.Fatalf("%s changes the fields %v", s.Name, where)
		}
		for _, o := range All() {
			if o.Name != s.Name && o.Value(&c) != o.Value(&defaults) {
				t.Errorf("%s changes %s too", s.Name, o.Name)
			}
		}
		reached[where[0]] = true
		raw, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		back := Default()
		if err := json.Unmarshal(raw, &back); err != nil || back != c {
			t.Errorf("%s: stored as %s, read as %+v, %v", s.Name, raw, back, err)
		}
		s.Set(&c, nil)
		if c != defaults {
			t.Errorf("%s: null does not bring the default back", s.Name)
		}
	}
	if fields := len(leaves(reflect.ValueOf(defaults), "")); len(reached) != fields {
		t.Errorf("%d of %d fields of Config belong to a setting", len(reached), fields)
	}
}

// leaves are the values in a struct and in the structs in it, by their path.
func leaves(v reflect.Value, path string) map[string]any {
	if v.Kind() != reflect.Struct {
		return map[string]any{path: fmt.Sprint(v)}
	}
	out := map[string]any{}
	for i := range v.NumField() {
		maps.Copy(out, leaves(v.Field(i), path+"."+v.Type().Field(i).Name))
	}
	return out
}

// TestStored: rows of an earlier and of a later release are read.
func TestStored(t *testing.T) {
	t.Parallel()
	c := Default()
	err := json.Unmarshal([]byte(`{"site_url":"https://a.example","jwt_exp":60,"sessions_timebox":0.5,"later":{},"rate_limit_web3":5,"smtp_pass":"x"}`), &c)
	want := Default()
	want.SiteURL, want.JWTExp, want.SessionsTimebox = "https://a.example", 60, 0.5
	if err != nil || c != want {
		t.Errorf("read %+v, %v", c, err)
	}
	for _, raw := range []string{`[]`, `{"jwt_exp":"60"}`, `{"jwt_exp":1.5}`, `{"site_url":5}`} {
		if err := json.Unmarshal([]byte(raw), &c); err == nil {
			t.Errorf("%s is read", raw)
		}
	}
}

// TestPublic: the answer of /auth/v1/settings follows the settings that name a
// member of it, and holds none besides.
func TestPublic(t *testing.T) {
	t.Parallel()
	public := func(c Config) (out map[string]any) {
		if err := json.Unmarshal(c.AppendPublic(nil), &out); err != nil {
			t.Fatalf("%v: %s", err, c.AppendPublic(nil))
		}
		return out
	}
	at := func(answer map[string]any, path string) any {
		if object, name, nested := strings.Cut(path, "."); nested {
			inner, _ := answer[object].(map[string]any)
			return inner[name]
		}
		return answer[path]
	}
	members := len(publicConstants)
	for _, s := range All() {
		if s.Public == "" {
			continue
		}
		members++
		c := Default()
		if got, want := at(public(c), s.Public), asJSON(t, s.Value(&c)); got != want && (want != nil || got != "") {
			t.Errorf("%s: %s is %v, want %v", s.Name, s.Public, got, want)
		}
		if !s.Kept() {
			continue
		}
		s.Set(&c, other(s))
		if got, want := at(public(c), s.Public), asJSON(t, other(s)); got != want {
			t.Errorf("%s: %s is %v, want %v", s.Name, s.Public, got, want)
		}
	}
	answer := public(Default())
	external, _ := answer["external"].(map[string]any)
	if got := len(answer) - 1 + len(external); got != members {
		t.Errorf("%d members, want %d", got, members)
	}
}

// TestAppendPublicText: a text is encoded, whatever it holds.
func TestAppendPublicText(t *testing.T) {
	t.Parallel()
	c := Default()
	c.SiteURL = "a\"b\n</script>"
	var got string
	if err := json.Unmarshal(appendValue(nil, &c.SiteURL), &got); err != nil || got != c.SiteURL {
		t.Errorf("%q, %v", got, err)
	}
}

// TestCheck covers what no declared setting shows alone.
func TestCheck(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		s     Setting
		value any
		want  string // "" for accepted
	}{
		"one of":           {Setting{Kind: Text, OneOf: []string{"a", "b"}, Effect: "x"}, "c", `must be one of: "a", "b"`},
		"characters":       {Setting{Kind: Text, MaxLength: 2, Effect: "x"}, "éé", ""},
		"bytes":            {Setting{Kind: Text, Secret: true, MaxLength: 3, Effect: "x"}, "éé", "must have at most 3 bytes"},
		"line":             {Setting{Kind: Text, Effect: "x"}, "a\nb", "must not hold control characters"},
		"lines":            {Setting{Kind: Text, Lines: true, Effect: "x"}, "a\nb", ""},
		"off, number":      {Setting{Kind: Integer, Default: 5}, 5.0, ""},
		"off, text":        {Setting{Kind: Text}, "", ""},
		"off, not a list":  {Setting{Kind: Text}, []any{}, "is not available yet: the only value is null"},
		"off, other":       {Setting{Kind: Text, Default: "a"}, "b", `is not available yet: the only value is "a"`},
		"off, empty text":  {Setting{Kind: Text, Default: "a"}, "", `is not available yet: the only value is "a"`},
		"off, other truth": {Setting{Kind: Bool}.normal(), true, "is not available yet: the only value is false"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := ""
			if err := c.s.Check(c.value); err != nil {
				got = err.Error()
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// FuzzCheck: no value makes a check panic, and what is accepted can be set,
// stored and read.
func FuzzCheck(f *testing.F) {
	for _, seed := range []string{`true`, `5`, `1e400`, `"https://a.b/*"`, `"x"`, `{}`, `[null]`, `"a@b.c"`, `0.1`, `"65535"`, `"::1"`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		var value any
		if json.Unmarshal([]byte(raw), &value) != nil {
			return
		}
		for _, s := range All() {
			if s.Check(value) != nil || !s.Kept() {
				continue
			}
			c, back := Default(), Default()
			s.Set(&c, value)
			stored, err := json.Marshal(c)
			if err == nil {
				err = json.Unmarshal(stored, &back)
			}
			if err != nil || back != c {
				t.Errorf("%s = %s: stored as %s: %v", s.Name, raw, stored, err)
			}
		}
	})
}

func TestSecretsDoNotShow(t *testing.T) {
	t.Parallel()
	s := Secrets{SMTPPass: "leak"}
	var b strings.Builder
	slog.New(slog.NewJSONHandler(&b, nil)).Info("x", "secrets", s)
	for _, shown := range []string{fmt.Sprint(s), fmt.Sprintf("%+v %#v", s, s), fmt.Sprint(&s), b.String()} {
		if strings.Contains(shown, "leak") {
			t.Error(shown)
		}
	}
}

// TestDocs: the table in the documentation is what `make generate` writes.
func TestDocs(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/settings.md")
	if err != nil {
		t.Fatal(err)
	}
	want, err := WriteTable(string(page))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(page)); diff != "" {
		t.Errorf("docs/settings.md is not up to date; run make generate (-want +got):\n%s", diff)
	}
}
