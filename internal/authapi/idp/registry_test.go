package idp_test

import (
	"strings"
	"testing"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/idp"
	"github.com/reevehq/reeve/internal/connector"
	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/tenants"
)

// TestFindRefused: a refusal says which provider was asked for, to the log and
// not in the answer.
func TestFindRefused(t *testing.T) {
	t.Parallel()
	r := idp.Registry{Connectors: map[string]connector.Connector{"github": nil}}
	sc := &tenants.Scope{Tenant: &tenants.Tenant{Config: tenants.DefaultConfig()}}
	for name, code := range map[string]*fault.Error{
		"github": auth.ErrProviderOff, "nope": auth.ErrProviderUnknown, strings.Repeat("x", 1000): auth.ErrProviderUnknown,
	} {
		_, err := r.Find(t.Context(), sc, name)
		f := fault.From(err)
		if f.Code != code.Code || f.Message != code.Message || f.Err == nil {
			t.Fatalf("%.20s: %v", name, err)
		}
		if cause := f.Err.Error(); !strings.Contains(cause, name[:min(len(name), 20)]) || len(cause) > 100 {
			t.Errorf("%.20s: cause %s", name, cause)
		}
	}
}
