package outbound

import (
	"fmt"
	"net/netip"
)

// class classifies addresses by who may reach them.
type class string

const (
	public   class = "public"
	private  class = "private"  // reachable only from inside; AllowPrivate
	reserved class = "reserved" // never a legitimate target; only AllowNetworks
)

func prefixes(list ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(list))
	for i, s := range list {
		out[i] = netip.MustParsePrefix(s)
	}
	return out
}

// The IANA special-purpose registries (RFC 6890), read November 2026.
var (
	privateNetworks = prefixes(
		"127.0.0.0/8", "::1/128", // loopback
		"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", // RFC 1918, RFC 4193
		"100.64.0.0/10", // shared by a carrier's customers, RFC 6598
	)
	reservedNetworks4 = prefixes(
		"0.0.0.0/8",                                         // this host
		"169.254.0.0/16",                                    // link-local: the metadata services of clouds
		"192.0.0.0/24",                                      // protocol assignments
		"192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", // documentation
		"192.88.99.0/24", // 6to4 relays
		"198.18.0.0/15",  // benchmarks
		"224.0.0.0/4",    // multicast
		"240.0.0.0/4",    // reserved and broadcast
	)
	// All public IPv6 addresses are in 2000::/3; these parts of it are special.
	globalUnicast     = netip.MustParsePrefix("2000::/3")
	reservedNetworks6 = prefixes(
		"2001::/23",                  // protocol assignments: Teredo, ORCHID, benchmarks
		"2001:db8::/32", "3fff::/20", // documentation
		"2002::/16", // 6to4, which leads to an IPv4 address of the sender's choice
	)
	// nat64 carries an IPv4 address in its last four bytes (RFC 6052).
	nat64 = netip.MustParsePrefix("64:ff9b::/96")
)

// CheckAddress returns ErrRefusedAddress unless the address may be reached.
// IPv4 mapped into IPv6 or translated by NAT64 is checked as IPv4.
func (c *Client) CheckAddress(addr netip.Addr) error {
	inner := unwrap(addr.WithZone(""))
	for _, allowed := range c.options.AllowNetworks {
		if allowed.Contains(inner) || allowed.Contains(addr.WithZone("")) {
			return nil
		}
	}
	switch kind := classify(inner); {
	case kind == public, kind == private && c.options.AllowPrivate:
		return nil
	default:
		return ErrRefusedAddress.Because(fmt.Errorf("%s is %s", addr, kind))
	}
}

// unwrap returns the IPv4 address in a mapped or translated one.
func unwrap(addr netip.Addr) netip.Addr {
	addr = addr.Unmap()
	if nat64.Contains(addr) {
		b := addr.As16()
		return netip.AddrFrom4([4]byte(b[12:]))
	}
	return addr
}

func classify(addr netip.Addr) class {
	switch {
	case !addr.IsValid():
		return reserved
	case within(addr, privateNetworks):
		return private
	case addr.Is4() && within(addr, reservedNetworks4):
		return reserved
	case addr.Is6() && (!globalUnicast.Contains(addr) || within(addr, reservedNetworks6)):
		return reserved
	}
	return public
}

func within(addr netip.Addr, networks []netip.Prefix) bool {
	for _, n := range networks {
		if n.Contains(addr) {
			return true
		}
	}
	return false
}
