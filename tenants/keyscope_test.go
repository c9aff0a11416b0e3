package tenants_test

import (
	"net/netip"
	"testing"

	"github.com/reevehq/reeve/tenants"
)

func TestParseNetwork(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"203.0.113.0/24":         "203.0.113.0/24",
		"203.0.113.7":            "203.0.113.7/32",
		"2001:db8::/32":          "2001:db8::/32",
		"2001:db8::1":            "2001:db8::1/128",
		"::ffff:203.0.113.0/120": "203.0.113.0/24",
		"::ffff:203.0.113.7":     "203.0.113.7/32",
		"203.0.113.7/24":         "",
		"::ffff:0:0/95":          "",
		"fe80::1%eth0":           "",
		"203.0.113.0/33":         "",
		"203.0.113.0/024":        "",
		"example.com":            "",
		"":                       "",
	} {
		got, ok := tenants.ParseNetwork(in)
		if ok != (want != "") || ok && got.String() != want {
			t.Errorf("ParseNetwork(%q) = %s, %v", in, got, ok)
		}
	}
}

func TestAllowsClient(t *testing.T) {
	t.Parallel()
	k := &tenants.APIKey{Networks: []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("2001:db8::/32")}}
	for in, want := range map[string]bool{
		"203.0.113.7": true, "::ffff:203.0.113.7": true, "2001:db8::5": true,
		"203.0.114.7": false, "::ffff:203.0.114.7": false, "2001:db9::5": false, "::cb00:7107": false,
	} {
		if got := k.AllowsClient(netip.MustParseAddr(in)); got != want {
			t.Errorf("AllowsClient(%s) = %v", in, got)
		}
	}
	if k.AllowsClient(netip.Addr{}) {
		t.Error("a client without an address is allowed")
	}
	if !(&tenants.APIKey{}).AllowsClient(netip.Addr{}) || (&tenants.APIKey{Networks: []netip.Prefix{}}).AllowsClient(netip.MustParseAddr("::1")) {
		t.Error("no list and an empty list are confused")
	}
}

func TestAllows(t *testing.T) {
	t.Parallel()
	for _, has := range tenants.KeyScopes() {
		for _, asked := range tenants.KeyScopes() {
			if got := (&tenants.APIKey{Scopes: []tenants.KeyScope{has}}).Allows(asked); got != (has == asked) {
				t.Errorf("%s allows %s: %v", has, asked, got)
			}
		}
		if !(&tenants.APIKey{}).Allows(has) || (&tenants.APIKey{Scopes: []tenants.KeyScope{}}).Allows(has) {
			t.Errorf("%s: no list and an empty list are confused", has)
		}
	}
}
