package tenants_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"github.com/reevehq/reeve/tenants"
)

func TestAuthenticate(t *testing.T) {
	t.Parallel()
	a, b := newProject(refA), newProject(refB)
	for _, p := range []project{a, b} {
		p.SigningKeys, p.LegacyKeys = []tenants.SigningKey{signingKey(t, "HS256"), signingKey(t, "ES256")}, true
		p.SigningKeys[0].Legacy = true
	}
	hs, es := a.SigningKeys[0], a.SigningKeys[1]
	expiring, mistyped := tenants.NewKey(tenants.KeySecret), tenants.NewKey(tenants.KeySecret)
	a.APIKeys[hasher.Hash(expiring)] = tenants.APIKey{ID: "x", Type: tenants.KeySecret, ExpiresAt: day}
	a.APIKeys[hasher.Hash(mistyped)] = tenants.APIKey{ID: "m", Type: tenants.KeyPublishable}

	anon := must2(t)(a.NewLegacyKey(tenants.RoleAnon, day))
	service := must2(t)(a.NewLegacyKey(tenants.RoleService, day))
	serviceB := must2(t)(b.NewLegacyKey(tenants.RoleService, day))
	claims := func(more jwt.MapClaims) jwt.MapClaims {
		c := jwt.MapClaims{"sub": uuid.NewString(), "role": "authenticated", "session_id": uuid.NewString()}
		for k, v := range more {
			c[k] = v
		}
		return c
	}
	user := sign(t, es, es.ID, claims(nil))
	hooked := sign(t, es, es.ID, claims(jwt.MapClaims{"role": "service_role"}))
	forged := sign(t, signingKey(t, "HS256"), hs.ID, jwt.MapClaims{"role": "service_role"})

	creds := func(role tenants.Role, id, user string) tenants.Credentials {
		c := tenants.Credentials{Role: role, UserToken: user}
		if id != "" {
			c.Key = &tenants.APIKey{ID: id}
		}
		return c
	}
	anonA := creds("anon", "p-"+string(refA), "")
	secretA := creds("service_role", "s-"+string(refA), "")
	refused := tenants.Credentials{}

	for name, c := range map[string]struct {
		apikey, authorization string
		browser               bool
		at                    time.Time
		want                  tenants.Credentials
		err                   error
	}{
		"nothing":                         {"", "", false, day, refused, tenants.ErrNoKey},
		"publishable":                     {a.publishable, "", false, day, anonA, nil},
		"publishable from a browser":      {a.publishable, "", true, day, anonA, nil},
		"secret":                          {a.secret, "", false, day, secretA, nil},
		"secret from a browser":           {a.secret, "", true, day, refused, tenants.ErrSecretKeyInBrowser},
		"secret as bearer from a browser": {"", "Bearer " + a.secret, true, day, refused, tenants.ErrSecretKeyInBrowser},
		"other project's key":             {b.publishable, "", false, day, refused, tenants.ErrUnknownKey},
		"other project's secret":          {b.secret, "", false, day, refused, tenants.ErrUnknownKey},
		"unknown key":                     {tenants.NewKey(tenants.KeySecret), "", false, day, refused, tenants.ErrUnknownKey},
		"bad checksum":                    {a.secret[:len(a.secret)-1] + "~", "", false, day, refused, tenants.ErrUnknownKey},
		"type does not fit the prefix":    {mistyped, "", false, day, refused, tenants.ErrUnknownKey},
		"before its expiry":               {expiring, "", false, day.Add(-1), creds("service_role", "x", ""), nil},
		"at its expiry":                   {expiring, "", false, day, refused, tenants.ErrExpiredKey},

		"key as bearer":                {"", "Bearer " + a.publishable, false, day, anonA, nil},
		"key as bearer, small letters": {"", "bearer  " + a.secret, false, day, secretA, nil},
		"key twice":                    {a.secret, "Bearer " + a.secret, false, day, secretA, nil},
		"two different keys":           {a.publishable, "Bearer " + a.secret, false, day, refused, tenants.ErrUnknownKey},
		"secret key and other bearer":  {a.secret, "Bearer " + a.publishable, false, day, refused, tenants.ErrUnknownKey},
		"key and malformed bearer key": {a.publishable, "Bearer sb_secret_", false, day, refused, tenants.ErrUnknownKey},
		"key in another scheme":        {"", "Basic " + a.secret, false, day, refused, tenants.ErrNoKey},
		"other scheme beside a key":    {a.publishable, "Basic eDp5", false, day, anonA, nil},
		"scheme alone":                 {a.publishable, "Bearer", false, day, anonA, nil},

		"user token":                        {a.publishable, "Bearer " + user, false, day, creds("anon", "p-"+string(refA), user), nil},
		"user token from a browser":         {a.publishable, "Bearer " + user, true, day, creds("anon", "p-"+string(refA), user), nil},
		"user token beside a secret key":    {a.secret, "Bearer " + user, false, day, creds("service_role", "s-"+string(refA), user), nil},
		"user token alone":                  {"", "Bearer " + user, false, day, refused, tenants.ErrNoKey},
		"user token as key":                 {user, "", false, day, refused, tenants.ErrUnknownKey},
		"user token with a role by a hook":  {a.publishable, "Bearer " + hooked, false, day, creds("anon", "p-"+string(refA), hooked), nil},
		"that token alone":                  {"", "Bearer " + hooked, false, day, refused, tenants.ErrNoKey},
		"that token as key":                 {hooked, "Bearer " + hooked, false, day, refused, tenants.ErrUnknownKey},
		"text as bearer is for the flow":    {a.publishable, "Bearer nonsense", false, day, creds("anon", "p-"+string(refA), "nonsense"), nil},
		"user token beside unknown key":     {b.publishable, "Bearer " + user, false, day, refused, tenants.ErrUnknownKey},
		"user token beside legacy anon key": {anon, "Bearer " + user, false, day, creds("anon", "", user), nil},

		"legacy anon":                        {anon, "", false, day, creds("anon", "", ""), nil},
		"legacy service":                     {service, "", false, day, creds("service_role", "", ""), nil},
		"legacy twice":                       {service, "Bearer " + service, false, day, creds("service_role", "", ""), nil},
		"legacy as bearer":                   {"", "Bearer " + service, false, day, creds("service_role", "", ""), nil},
		"legacy service beside publishable":  {a.publishable, "Bearer " + service, false, day, creds("service_role", "p-"+string(refA), ""), nil},
		"legacy service beside legacy anon":  {anon, "Bearer " + service, false, day, creds("service_role", "", ""), nil},
		"legacy anon beside legacy service":  {service, "Bearer " + anon, false, day, creds("anon", "", ""), nil},
		"legacy anon beside secret":          {a.secret, "Bearer " + anon, false, day, creds("anon", "s-"+string(refA), ""), nil},
		"new bearer beside legacy":           {anon, "Bearer " + a.secret, false, day, refused, tenants.ErrUnknownKey},
		"other project's legacy":             {serviceB, "", false, day, refused, tenants.ErrUnknownKey},
		"other project's legacy as bearer":   {a.publishable, "Bearer " + serviceB, false, day, refused, tenants.ErrUnknownKey},
		"legacy beside other project's key":  {b.publishable, "Bearer " + service, false, day, refused, tenants.ErrUnknownKey},
		"forged legacy beside a good key":    {a.publishable, "Bearer " + forged, false, day, refused, tenants.ErrUnknownKey},
		"legacy after ten years":             {anon, "", false, day.AddDate(10, 0, 0), refused, tenants.ErrExpiredKey},
		"expired legacy beside a secret key": {a.secret, "Bearer " + anon, false, day.AddDate(10, 0, 0), refused, tenants.ErrExpiredKey},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := a.Authenticate(hasher, c.at, c.apikey, c.authorization, c.browser)
			wantError(t, err, c.err)
			if got.Role != c.want.Role || got.UserToken != c.want.UserToken || keyID(got) != keyID(c.want) {
				t.Errorf("got %+v (key %s), want %+v (key %s)", got, keyID(got), c.want, keyID(c.want))
			}
			if admin := got.Role == tenants.RoleService && got.UserToken == ""; got.Admin() != admin {
				t.Errorf("Admin() = %v", got.Admin())
			}
		})
	}
}

func keyID(c tenants.Credentials) string {
	if c.Key == nil {
		return "none"
	}
	return c.Key.ID
}

func TestPresentedKey(t *testing.T) {
	t.Parallel()
	a := newProject(refA)
	k := signingKey(t, "HS256")
	legacy := sign(t, k, "", jwt.MapClaims{"role": "anon"})
	user := sign(t, k, "", jwt.MapClaims{"role": "authenticated", "sub": uuid.NewString()})
	for name, c := range map[string]struct{ apikey, authorization, want string }{
		"none":                   {"", "", ""},
		"apikey":                 {a.publishable, "", a.publishable},
		"apikey goes first":      {a.publishable, "Bearer " + a.secret, a.publishable},
		"bearer key":             {"", "Bearer " + a.secret, a.secret},
		"bearer legacy key":      {"", "Bearer " + legacy, legacy},
		"bearer user token":      {"", "Bearer " + user, ""},
		"bearer text":            {"", "Bearer scim-token", ""},
		"bearer that is endless": {"", "Bearer " + strings.Repeat(legacy, 100), ""},
	} {
		if got := tenants.PresentedKey(c.apikey, c.authorization); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

func TestLooksLikeBrowser(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		headers []string
		want    bool
	}{
		"Chrome":           {[]string{"User-Agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/150.0.0.0 Safari/537.36", "Sec-Fetch-Site", "cross-site", "Sec-Ch-Ua", `"Chromium";v="150"`}, true},
		"Safari":           {[]string{"User-Agent", "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X)"}, true},
		"small letters":    {[]string{"User-Agent", "mozilla/5.0"}, true},
		"changed agent":    {[]string{"User-Agent", "node", "Sec-Fetch-Site", "cross-site"}, true},
		"client hints":     {[]string{"User-Agent", "x", "Sec-CH-UA", `"Chromium"`}, true},
		"Node fetch":       {[]string{"User-Agent", "node", "Sec-Fetch-Mode", "cors", "Accept-Language", "*"}, false},
		"supabase-js Node": {[]string{"User-Agent", "node", "Sec-Fetch-Mode", "cors", "X-Client-Info", "supabase-js-node/2.119.0"}, false},
		"Deno":             {[]string{"User-Agent", "Deno/2.5.0"}, false},
		"Bun":              {[]string{"User-Agent", "Bun/1.3.0"}, false},
		"Python":           {[]string{"User-Agent", "python-httpx/0.28.1"}, false},
		"Dart":             {[]string{"User-Agent", "Dart/3.9 (dart:io)"}, false},
		"Go":               {[]string{"User-Agent", "Go-http-client/2.0"}, false},
		"curl":             {[]string{"User-Agent", "curl/8.5.0"}, false},
		"agent inside":     {[]string{"User-Agent", "crawler (like Mozilla/5.0)"}, false},
		"no headers":       {nil, false},
	} {
		h := http.Header{}
		for i := 0; i < len(c.headers); i += 2 {
			h.Set(c.headers[i], c.headers[i+1])
		}
		if got := tenants.LooksLikeBrowser(h); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
