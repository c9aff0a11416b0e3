package external

import "testing"

func TestDisplayName(t *testing.T) {
	t.Parallel()
	for provider, want := range map[string]string{"github": "GitHub", "google": "Google", "slack_oidc": "Slack", "custom:acme": "acme", "": ""} {
		if got := displayName(provider); got != want {
			t.Errorf("%q is shown as %q, want %q", provider, got, want)
		}
	}
}
