package sso_test

import (
	"encoding/base64"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/testkit/flowtest"
)

// FuzzACS posts forms to the assertion consumer service. None makes a user whom the
// provider did not name, or an error of the server's.
func FuzzACS(f *testing.F) {
	fixture := flowtest.New(f, enabled)
	c := newCompany(f, fixture, fixture.A, "acme.example")
	form := func(response, relay string) string {
		return url.Values{"SAMLResponse": {response}, "RelayState": {relay}}.Encode()
	}
	sound := c.Encoded(c.says(f, request{}, "ann"))
	raw, err := base64.StdEncoding.DecodeString(sound)
	if err != nil {
		f.Fatal(err)
	}
	replaced := func(old, by string) string {
		return form(base64.StdEncoding.EncodeToString([]byte(strings.ReplaceAll(string(raw), old, by))), app)
	}
	late := c.says(f, request{}, "eve")
	late.At = late.At.Add(-time.Hour)
	elsewhere := c.says(f, request{}, "eve")
	elsewhere.Audience = "https://elsewhere.example"
	for _, body := range []string{
		form(sound, app), form(sound, "https://evil.example"), form(sound, uuid.NewString()), form(sound, "\x00"), form(sound, strings.Repeat("a", 100_000)),
		form(c.Encoded(late), app), form(c.Encoded(elsewhere), app), replaced("ann", "eve"), replaced("Response", "LogoutResponse"), replaced("urn:", "urn :"),
		form(sound[:len(sound)/2], app), form(sound+sound, app), form(strings.Repeat("A", 400_000), app), form("%%%", ""),
		"", "SAMLResponse", "SAMLResponse=&SAMLResponse=" + url.QueryEscape(sound), "SAMLResponse=%zz", "=&=;", "\xff\x00", "{}", `{"SAMLResponse":"` + sound + `"}`,
	} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		res := fixture.A.Do(t, "POST", "/sso/saml/acs", body, flowtest.Key(""), flowtest.Header("Content-Type", "application/x-www-form-urlencoded"))
		if res.Status != 303 && (res.Status < 400 || res.Status >= 500) {
			t.Errorf("%d %s to %q", res.Status, res.Raw, body)
		}
		if to := res.Header.Get("Location"); to != "" && !strings.HasPrefix(to, "https://app.example.com") {
			t.Errorf("sent to %s by %q", to, body)
		}
		if n := fixture.A.Count(t, `SELECT count(*) FROM auth.users WHERE email <> 'ann@acme.example'`); n != 0 {
			t.Errorf("%d users whom the provider did not name, by %q", n, body)
		}
		if n := fixture.A.Count(t, `SELECT count(*) FROM auth.sessions`); n > 1 {
			t.Errorf("%d sessions of one response, by %q", n, body)
		}
	})
}
