package social_test

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"testing"

	"github.com/reevehq/reeve/internal/connector"
	"github.com/reevehq/reeve/internal/connector/connectortest"
	"github.com/reevehq/reeve/internal/setting"
)

// TestNames: the providers are those that have settings.
func TestNames(t *testing.T) {
	t.Parallel()
	got := slices.Sorted(maps.Keys(connectors(connectortest.New(t))))
	want := slices.Sorted(slices.Values(setting.ProviderNames()))
	if !slices.Equal(got, want) || len(got) != 25 {
		t.Errorf("connectors %v, settings %v", got, want)
	}
}

// FuzzProfiles: whatever a provider says of a user, the sign-in fails with a
// fault of the provider, or gives a bounded profile with a subject.
func FuzzProfiles(f *testing.F) {
	d := connectortest.New(f)
	d.Direct = true
	made := connectors(d)
	for _, p := range all {
		for _, document := range p.documents {
			f.Add(document)
		}
	}
	for _, seed := range []string{`{"data":[{}]}`, `{"elements":[{"handle~":null}]}`, `{"id":1e999}`, `{"id":"\u0000"}`, `[]`, `{"firstName":{"localized":{"":"x"}}}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, document string) {
		for name, p := range all {
			if p.documents == nil {
				continue
			}
			d.Token(p.token, "access-token", "")
			for address := range p.documents {
				d.JSON(address, document)
			}
			reg := registration()
			reg.BaseURL = p.base
			got, err := made[p.provider].Exchange(t.Context(), reg, callback())
			if err != nil {
				if !errors.Is(err, connector.ErrProfile) {
					t.Errorf("%s: %v", name, err)
				}
				continue
			}
			stored, err := json.Marshal(got.Data)
			if err != nil || got.Subject == "" || got.EmailVerified && got.Email == "" || len(stored) > 200<<10 {
				t.Errorf("%s: %v: %+v", name, err, got)
			}
		}
	})
}
