package ratelimit

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
)

// maxHops bounds how many entries of X-Forwarded-For are read.
const maxHops = 32

// Proxies are the addresses whose X-Forwarded-For is trusted. The zero value
// trusts none.
type Proxies struct{ Trusted []netip.Prefix }

// ParseProxies reads networks in CIDR form or single addresses, and reports
// every bad one. It refuses a network of all addresses, because then any client
// could claim any address.
func ParseProxies(networks []string) (Proxies, error) {
	var p Proxies
	var errs []error
	for _, s := range networks {
		prefix, err := parseNetwork(strings.TrimSpace(s))
		if err != nil {
			errs = append(errs, fmt.Errorf("trusted proxy %q: %w", s, err))
			continue
		}
		p.Trusted = append(p.Trusted, prefix)
	}
	if err := errors.Join(errs...); err != nil {
		return Proxies{}, err
	}
	return p, nil
}

func parseNetwork(s string) (netip.Prefix, error) {
	var prefix netip.Prefix
	if strings.Contains(s, "/") {
		var err error
		if prefix, err = netip.ParsePrefix(s); err != nil {
			return prefix, errors.New("not a network such as 10.0.0.0/8")
		}
	} else {
		addr, err := netip.ParseAddr(s)
		if err != nil || addr.Zone() != "" {
			return prefix, errors.New("not an IP address")
		}
		prefix = netip.PrefixFrom(addr, addr.BitLen())
	}
	// ::ffff:10.0.0.0/104 is 10.0.0.0/8; addresses are compared unmapped.
	if prefix.Addr().Is4In6() && prefix.Bits() >= 96 {
		prefix = netip.PrefixFrom(prefix.Addr().Unmap(), prefix.Bits()-96)
	}
	if prefix.Bits() == 0 {
		return prefix, errors.New("trusts every address")
	}
	return prefix.Masked(), nil
}

// Client returns the address that a request came from: the peer's, or, when the
// peer is trusted, the right-most untrusted address in X-Forwarded-For. Entries
// left of that, or of one that is not an address, may be forged and are not
// read. It is the zero Addr when the peer has no IP address (a Unix socket).
func (p Proxies) Client(r *http.Request) netip.Addr {
	client := parseHop(r.RemoteAddr)
	if !p.trusts(client) {
		return client
	}
	hops := 0
	lines := r.Header.Values("X-Forwarded-For")
	for i := len(lines) - 1; i >= 0; i-- {
		for rest, more := lines[i], true; more; {
			var hop string
			rest, hop, more = cutLast(rest)
			if hops++; hops > maxHops {
				return client
			}
			addr := parseHop(hop)
			if !addr.IsValid() {
				return client
			}
			if client = addr; !p.trusts(client) {
				return client
			}
		}
	}
	return client
}

func (p Proxies) trusts(addr netip.Addr) bool {
	for _, prefix := range p.Trusted {
		if prefix.Contains(addr) {
			return true
		}
	}
	return false
}

// cutLast splits "a, b, c" into "a, b" and "c".
func cutLast(list string) (before, last string, more bool) {
	if i := strings.LastIndexByte(list, ','); i >= 0 {
		return list[:i], list[i+1:], true
	}
	return "", list, false
}

// parseHop reads an address with or without port and brackets. It drops zones,
// which mean nothing outside their host, and unmaps IPv4 in IPv6, so that one
// client has one address.
func parseHop(s string) netip.Addr {
	s = strings.TrimSpace(s)
	addr, err := netip.ParseAddr(s)
	if err != nil {
		var withPort netip.AddrPort
		if withPort, err = netip.ParseAddrPort(s); err == nil {
			addr = withPort.Addr()
		} else if inner, ok := strings.CutPrefix(s, "["); ok && strings.HasSuffix(inner, "]") {
			addr, err = netip.ParseAddr(strings.TrimSuffix(inner, "]"))
		}
	}
	if err != nil {
		return netip.Addr{}
	}
	return addr.WithZone("").Unmap()
}

// LimitKey is the identifier under which an address is limited: an IPv4 address
// itself, and for an IPv6 address its /64, the smallest network that a provider
// assigns to a customer. Requests without an address share one identifier; it
// is never empty, because "" is the whole project.
func LimitKey(addr netip.Addr) string {
	addr = addr.WithZone("").Unmap()
	switch {
	case !addr.IsValid():
		return "unknown"
	case addr.Is4():
		return addr.String()
	}
	return netip.PrefixFrom(addr, 64).Masked().String()
}
