package tenants

import (
	"net/netip"
	"slices"
)

// KeyScope is a permission of a secret key.
type KeyScope string

// The scopes of secret keys. Every route of the tenant plane that needs a secret
// key needs exactly one of them. ScopeServer is for no route: it lets a request
// name the client that it acts for, and spares it captchas.
const (
	ScopeUsersRead      KeyScope = "auth.users.read"
	ScopeUsersWrite     KeyScope = "auth.users.write"
	ScopeLinksWrite     KeyScope = "auth.links.write"
	ScopeAuditRead      KeyScope = "auth.audit.read"
	ScopeProvidersRead  KeyScope = "auth.providers.read"
	ScopeProvidersWrite KeyScope = "auth.providers.write"
	ScopeServer         KeyScope = "auth.server"
)

// KeyScopes lists all scopes.
func KeyScopes() []KeyScope {
	return []KeyScope{
		ScopeUsersRead, ScopeUsersWrite, ScopeLinksWrite, ScopeAuditRead, ScopeProvidersRead, ScopeProvidersWrite, ScopeServer,
	}
}

// Allows reports whether the key has the scope. A key without a list has all.
func (k *APIKey) Allows(s KeyScope) bool { return k.Scopes == nil || slices.Contains(k.Scopes, s) }

// AllowsClient reports whether the key may be used from an address. An
// IPv4-mapped IPv6 address counts as the IPv4 address.
func (k *APIKey) AllowsClient(client netip.Addr) bool {
	if k.Networks == nil {
		return true
	}
	client = client.Unmap().WithZone("")
	return slices.ContainsFunc(k.Networks, func(n netip.Prefix) bool { return n.Contains(client) })
}

// Has reports whether the request acts as service_role itself, by a key that has
// the scope. Legacy keys have all scopes.
func (c Credentials) Has(s KeyScope) bool {
	return c.Admin() && (c.Key == nil || c.Key.Allows(s))
}

// ParseNetwork parses a network in CIDR notation, or an address, which is a
// network of its own. IPv4-mapped networks become IPv4 networks. ok is false for
// any other text, and for a network with bits set beyond its length.
func ParseNetwork(s string) (n netip.Prefix, ok bool) {
	if addr, err := netip.ParseAddr(s); err == nil && addr.Zone() == "" {
		addr = addr.Unmap()
		return netip.PrefixFrom(addr, addr.BitLen()), true
	}
	n, err := netip.ParsePrefix(s)
	if err != nil {
		return netip.Prefix{}, false
	}
	if n.Addr().Is4In6() {
		if n.Bits() < 96 {
			return netip.Prefix{}, false
		}
		n = netip.PrefixFrom(n.Addr().Unmap(), n.Bits()-96)
	}
	return n, n == n.Masked()
}
