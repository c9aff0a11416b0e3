package setting

import (
	"strings"
	"testing"
)

func TestHookURI(t *testing.T) {
	t.Parallel()
	s, _ := ByName("hook_custom_access_token_uri")
	for uri, good := range map[string]bool{
		"pg-functions://postgres/public/custom_access_token_hook":   true,
		"pg-functions://postgres/app/Hook$1":                        true,
		"https://hooks.example.com/token?x=1":                       true,
		"http://localhost:3000/x":                                   true,
		"http://[::1]:3000/x":                                       true,
		"http://10.1.2.3/x":                                         true,
		"":                                                          true,
		"pg-functions://postgres/public":                            false,
		"pg-functions://postgres/public/f/g":                        false,
		"pg-functions://other/public/f":                             false,
		"pg-functions://postgres/public/f();drop":                   false,
		`pg-functions://postgres/pub"lic/f`:                         false,
		"pg-functions://postgres/public/" + strings.Repeat("f", 64): false,
		"http://hooks.example.com/":                                 false,
		"http://169.254.169.254/":                                   false,
		"https://user:pass@hooks.example.com/":                      false,
		"https://":                                                  false,
		"file:///etc/passwd":                                        false,
		"https://a.example/#x":                                      false,
		"HOOK":                                                      false,
	} {
		if err := s.Check(uri); (err == nil) != good {
			t.Errorf("%q: %v", uri, err)
		}
	}
}

func TestHookSecrets(t *testing.T) {
	t.Parallel()
	key := "v1,whsec_" + strings.Repeat("QUJD", 8) // 24 bytes
	for text, want := range map[string]int{
		key: 1, key + "|" + key: 2, key + "|": 1,
		"": 0, "|": 0, "whsec_QUJD": 0, "v1,whsec_": 0, "v1,whsec_QUJD": 0, "v1,whsec_" + strings.Repeat("QUJD", 22): 0,
		"v1a,whpk_x:whsk_y": 0, strings.Repeat(key+"|", 6): 0, key + "\n": 0,
	} {
		keys, err := ParseHookSecrets(text)
		if len(keys) != want || (err == nil) != (want > 0) {
			t.Errorf("%q: %d keys, %v", text, len(keys), err)
		}
	}
}

func TestHooksTogether(t *testing.T) {
	t.Parallel()
	key := "v1,whsec_" + strings.Repeat("QUJD", 8)
	for name, c := range map[string]struct {
		hook    Hook
		secrets string
		want    string // the beginning of the error
	}{
		"off":                {Hook{}, "", ""},
		"function":           {Hook{Enabled: true, URI: "pg-functions://postgres/public/f"}, "", ""},
		"url":                {Hook{Enabled: true, URI: "https://a.example"}, key, ""},
		"url without secret": {Hook{Enabled: true, URI: "https://a.example"}, "", "hook_custom_access_token_secrets: is required"},
		"without uri":        {Hook{Enabled: true}, key, "hook_custom_access_token_uri: is required"},
		"bad secret, off":    {Hook{URI: "https://a.example"}, "x", "hook_custom_access_token_secrets: must be v1,whsec_"},
	} {
		cfg := Default()
		cfg.CustomAccessToken = c.hook
		err := cfg.CheckTogether(Secrets{HookSecrets(HookCustomAccessToken): c.secrets})
		if (err == nil) != (c.want == "") || err != nil && !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
