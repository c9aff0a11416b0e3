package connector_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/reevehq/reeve/internal/connector"
)

func TestToProfile(t *testing.T) {
	t.Parallel()
	nested := func(inner any, levels int) any {
		for range levels {
			inner = map[string]any{"a": inner}
		}
		return inner
	}
	for name, c := range map[string]struct {
		claims connector.Claims
		want   *connector.Profile // nil for ErrProfile
	}{
		"least": {
			connector.Claims{Subject: "1"},
			&connector.Profile{Subject: "1", Data: map[string]any{"sub": "1", "provider_id": "1", "email_verified": false, "phone_verified": false}},
		},
		"verified": {
			connector.Claims{Subject: "1", Issuer: "https://i", Email: " A@b.c ", EmailVerified: true, Name: "Ada", Custom: map[string]any{"hd": "b.c", "none": nil}},
			&connector.Profile{Subject: "1", Email: "A@b.c", EmailVerified: true, Data: map[string]any{
				"iss": "https://i", "sub": "1", "provider_id": "1", "email": "A@b.c", "email_verified": true, "phone_verified": false,
				"name": "Ada", "custom_claims": map[string]any{"hd": "b.c"},
			}},
		},
		"verified, no address": {
			connector.Claims{Subject: "1", EmailVerified: true, PhoneVerified: true},
			&connector.Profile{Subject: "1", Data: map[string]any{"sub": "1", "provider_id": "1", "email_verified": false, "phone_verified": false}},
		},
		"what Postgres cannot store": {
			connector.Claims{Subject: "1", Name: "a\x00\xff\u0007b", Custom: map[string]any{"k": "a\x00b", "l": []any{nil, "\xffx", 1.0}, "m\x00": 1}},
			&connector.Profile{Subject: "1", Data: map[string]any{
				"sub": "1", "provider_id": "1", "email_verified": false, "phone_verified": false, "name": "ab",
				"custom_claims": map[string]any{"k": "ab", "l": []any{"x", 1.0}},
			}},
		},
		"too long": {
			connector.Claims{
				Subject: "1", Name: strings.Repeat("x", 5000), Email: strings.Repeat("x", 400) + "@b.c", EmailVerified: true,
				Custom: map[string]any{"big": strings.Repeat("x", 20000)},
			},
			&connector.Profile{Subject: "1", Data: map[string]any{"sub": "1", "provider_id": "1", "email_verified": false, "phone_verified": false}},
		},
		"too deep": {
			connector.Claims{Subject: "1", Custom: map[string]any{"flat": true, "deep": nested("x", 20)}},
			&connector.Profile{Subject: "1", Data: map[string]any{
				"sub": "1", "provider_id": "1", "email_verified": false, "phone_verified": false, "custom_claims": map[string]any{
					"flat": true, "deep": nested(map[string]any{}, 7),
				},
			}},
		},
		"no subject":          {connector.Claims{Email: "a@b.c"}, nil},
		"control in subject":  {connector.Claims{Subject: "1\x00"}, nil},
		"very long subject":   {connector.Claims{Subject: strings.Repeat("1", 300)}, nil},
		"invalid UTF-8 in it": {connector.Claims{Subject: "1\xff"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := c.claims.ToProfile()
			if c.want == nil {
				if !errors.Is(err, connector.ErrProfile) {
					t.Errorf("%+v, %v", got, err)
				}
				return
			}
			if diff := cmp.Diff(c.want, got); err != nil || diff != "" {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		})
	}
}

func TestTextAndFlag(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]struct {
		text connector.Text
		flag connector.Flag
	}{
		`"a"`: {"a", false}, `12345678901234567890`: {"12345678901234567890", false}, `-1`: {"-1", false}, `null`: {"", false},
		`{}`: {"", false}, `[1]`: {"", false}, `true`: {"", true}, `false`: {"", false}, `"true"`: {"true", true}, `"false"`: {"false", false},
		`1`: {"1", true}, `"1"`: {"1", true}, `0`: {"0", false}, `"yes"`: {"yes", false}, `""`: {"", false},
	} {
		var got struct {
			T connector.Text
			F connector.Flag
		}
		got.T, got.F = "before", true
		err := json.Unmarshal([]byte(`{"T":`+raw+`,"F":`+raw+`}`), &got)
		if raw == "null" { // Unmarshalers are called for null
			want.flag = false
		}
		if err != nil || got.T != want.text || got.F != want.flag {
			t.Errorf("%s: %q %v, %v", raw, got.T, got.F, err)
		}
	}
}

// FuzzToProfile: whatever a provider sends can be stored, and is bounded.
func FuzzToProfile(f *testing.F) {
	f.Add(`{"Subject":"1","Email":"a@b.c","Name":"x","Custom":{"a":["\u0000",{"b":null}]}}`)
	f.Fuzz(func(t *testing.T, raw string) {
		var c connector.Claims
		if json.Unmarshal([]byte(raw), &c) != nil {
			return
		}
		p, err := c.ToProfile()
		if err != nil {
			return
		}
		stored, err := json.Marshal(p.Data)
		if err != nil || len(stored) > 1<<20 || strings.Contains(string(stored), `\u0000`) {
			t.Errorf("%v: %d bytes: %.300s", err, len(stored), stored)
		}
	})
}
