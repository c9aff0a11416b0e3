package setting

import (
	"encoding/json"
	"strings"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"
)

// set sets settings that Check accepts.
func set(t *testing.T, c *Config, values map[string]any) {
	t.Helper()
	for name, value := range values {
		s, ok := ByName(name)
		if !ok {
			t.Fatalf("%s is not declared", name)
		}
		if err := s.Check(value); err != nil {
			t.Fatalf("%s %v", name, err)
		}
		s.Set(c, value)
	}
}

func TestProvider(t *testing.T) {
	t.Parallel()
	c := Default()
	set(t, &c, map[string]any{
		"external_google_enabled": true, "external_google_client_id": " web , ios", "external_google_additional_client_ids": "android,ios",
		"external_google_skip_nonce_check": true, "external_keycloak_url": "https://id.example/realms/a/",
		"external_keycloak_client_id": "kc", "external_zoom_email_optional": true, "external_x_enabled": true,
	})
	for _, want := range []Provider{
		{
			Name: "google", Enabled: true, ClientID: "web", MoreClientIDs: []string{"ios", "android"}, Secret: "external_google_secret",
			SkipNonceCheck: true,
		},
		{Name: "keycloak", ClientID: "kc", MoreClientIDs: []string{}, Secret: "external_keycloak_secret", URL: "https://id.example/realms/a"},
		{Name: "zoom", Secret: "external_zoom_secret", EmailOptional: true},
		{Name: "x", Enabled: true, Secret: "external_x_secret"},
		{Name: "twitter", Secret: "external_twitter_secret"},
		{Name: "apple", Secret: "external_apple_secret"},
	} {
		got, ok := c.Provider(want.Name)
		if diff := cmp.Diff(want, got); !ok || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", want.Name, ok, diff)
		}
	}
	for _, name := range []string{"", "GOOGLE", "custom:a", "google_client_id", "linkedin_"} {
		if _, ok := c.Provider(name); ok {
			t.Errorf("%q is a provider", name)
		}
	}
}

// TestProvidersAreValues: a copy of a Config is independent of it.
func TestProvidersAreValues(t *testing.T) {
	t.Parallel()
	a := Default()
	set(t, &a, map[string]any{"external_google_client_id": "1", "external_google_enabled": true})
	b := a
	set(t, &b, map[string]any{"external_google_client_id": "2", "external_google_enabled": false, "external_azure_url": "https://a.example"})
	p, _ := a.Provider("google")
	if p.ClientID != "1" || !p.Enabled || a == b {
		t.Errorf("a change of the copy changed %+v", p)
	}
	set(t, &b, map[string]any{"external_azure_url": nil, "external_google_client_id": "1", "external_google_enabled": true})
	if a != b {
		t.Errorf("%+v is not %+v", a.Providers, b.Providers)
	}
}

// TestProvidersSize: each process keeps the settings of many projects.
func TestProvidersSize(t *testing.T) {
	t.Parallel()
	c := Default()
	raw, err := json.Marshal(c)
	if err != nil || strings.Contains(string(raw), "external_google") {
		t.Errorf("%v: the defaults are stored as %s", err, raw)
	}
	if size := unsafe.Sizeof(c.Providers); size > 64 || c.texts != "" {
		t.Errorf("a project without providers needs %d bytes, %q", size, c.texts)
	}
}

func TestEnabledProviders(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		values  map[string]any
		secrets Secrets
		want    string
	}{
		"off":         {map[string]any{"external_github_client_id": "1"}, nil, ""},
		"no id":       {map[string]any{"external_github_enabled": true}, nil, "external_github_client_id: is required with external_github_enabled"},
		"commas":      {map[string]any{"external_github_enabled": true, "external_github_client_id": " , "}, nil, "external_github_client_id: is required with external_github_enabled"},
		"no secret":   {map[string]any{"external_github_enabled": true, "external_github_client_id": "1"}, Secrets{"external_gitlab_secret": "s"}, "external_github_secret: is required with external_github_enabled"},
		"complete":    {map[string]any{"external_github_enabled": true, "external_github_client_id": "1"}, Secrets{"external_github_secret": "s"}, ""},
		"ID tokens":   {map[string]any{"external_apple_enabled": true, "external_apple_client_id": "1"}, nil, ""},
		"no URL":      {map[string]any{"external_keycloak_enabled": true, "external_keycloak_client_id": "1"}, nil, "external_keycloak_url: is required with external_keycloak_enabled"},
		"default URL": {map[string]any{"external_gitlab_enabled": true, "external_gitlab_client_id": "1"}, Secrets{"external_gitlab_secret": "s"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := Default()
			set(t, &config, c.values)
			got := ""
			if err := config.CheckTogether(c.secrets); err != nil {
				got = err.Error()
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestProviderURL(t *testing.T) {
	t.Parallel()
	s, _ := ByName("external_keycloak_url")
	for value, ok := range map[string]bool{
		"": true, "https://id.example/realms/a": true, "https://id.example/": true, "http://localhost:8080/realms/a": true,
		"id.example": false, "ftp://id.example": false, "https://": false, "https://a@id.example": false, "https://id.example?x=1": false,
		"https://id.example/?": false, "https://id.example#x": false, "https://id.example/a b": false, "javascript://id.example/%0aalert(1)": false,
		"https://id.example\\@evil.example": false, "https://id.example/" + strings.Repeat("x", 3000): false,
	} {
		if err := s.Check(value); (err == nil) != ok {
			t.Errorf("%.60q: %v", value, err)
		}
	}
}
