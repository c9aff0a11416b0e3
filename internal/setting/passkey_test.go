package setting

import (
	"slices"
	"testing"
)

// TestRelyingParty: what no setting says follows from site_url.
func TestRelyingParty(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		site, id, name, origins string
		want                    RelyingParty
	}{
		"site":            {site: "https://app.example.com:443/welcome?x=1", want: RelyingParty{"app.example.com", "app.example.com", []string{"https://app.example.com"}}},
		"port":            {site: "http://localhost:3000", want: RelyingParty{"localhost", "localhost", []string{"http://localhost:3000"}}},
		"capitals":        {site: "HTTPS://App.Example.COM", want: RelyingParty{"app.example.com", "app.example.com", []string{"https://app.example.com"}}},
		"parent domain":   {site: "https://app.example.com", id: "example.com", name: "Shop", want: RelyingParty{"example.com", "Shop", []string{"https://app.example.com"}}},
		"other domain":    {site: "https://app.example.org", id: "example.com", want: RelyingParty{"example.com", "example.com", []string{"https://example.com"}}},
		"similar domain":  {site: "https://badexample.com", id: "example.com", want: RelyingParty{"example.com", "example.com", []string{"https://example.com"}}},
		"origins":         {site: "https://example.com", origins: " https://a.example.com,,https://b.example.com", want: RelyingParty{"example.com", "example.com", []string{"https://a.example.com", "https://b.example.com"}}},
		"address":         {site: "http://127.0.0.1:3000"},
		"IPv6":            {site: "http://[::1]:3000"},
		"address with id": {site: "http://127.0.0.1:3000", id: "localhost", want: RelyingParty{"localhost", "localhost", []string{"https://localhost"}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := Default()
			cfg.SiteURL = c.site
			for setting, value := range map[string]string{"webauthn_rp_id": c.id, "webauthn_rp_display_name": c.name, "webauthn_rp_origins": c.origins} {
				s, _ := ByName(setting)
				if err := s.Check(value); err != nil {
					t.Fatalf("%s: %v", setting, err)
				}
				s.Set(&cfg, value)
			}
			got := cfg.RelyingParty()
			if got.ID != c.want.ID || got.Name != c.want.Name || !slices.Equal(got.Origins, c.want.Origins) {
				t.Errorf("%+v, want %+v", got, c.want)
			}
		})
	}
}
