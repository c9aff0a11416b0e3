package tenants

import (
	"net/netip"
	"strings"
)

const (
	maxHost    = 253 // RFC 1035 section 2.3.4
	pathPrefix = "/p/"
)

// Address returns which project a request addresses, by its Host header and its
// URL path, without looking anything up. It returns ErrUnknownProject for a
// host that is neither a project's nor a main host and for /p/ without a ref,
// and ErrDisagree when host and path name different projects.
func (r *Router) Address(host, path string) (Address, error) {
	byHost, err := r.refOfHost(host)
	if err != nil {
		return Address{}, err
	}
	byPath, rest, err := refOfPath(path)
	switch {
	case err != nil:
		return Address{}, err
	case byHost == "" && byPath == "":
		return Address{Kind: AddressKey, Rest: rest}, nil
	case byHost == "":
		return Address{Kind: AddressPath, Ref: byPath, Rest: rest}, nil
	case byPath != "" && byPath != byHost:
		return Address{}, ErrDisagree
	default:
		return Address{Kind: AddressHost, Ref: byHost, Rest: rest}, nil
	}
}

// refOfHost returns the project that a host names, "" for a main host.
func (r *Router) refOfHost(hostport string) (Ref, error) {
	host, ok := hostName(hostport)
	if !ok {
		return "", ErrUnknownProject
	}
	base, hasBase := hostName(r.BaseDomain)
	if hasBase && host == base {
		return "", nil
	}
	for _, main := range r.MainHosts {
		if name, ok := hostName(main); ok && name == host {
			return "", nil
		}
	}
	if label, under := strings.CutSuffix(host, "."+base); hasBase && under {
		return ParseRef(label)
	}
	if len(r.MainHosts) > 0 {
		return "", ErrUnknownProject
	}
	return "", nil
}

// refOfPath splits /p/<ref>/rest. It refuses a second /p/ in the rest, so that
// no code behind the router can read another project from it.
func refOfPath(path string) (Ref, string, error) {
	after, ok := strings.CutPrefix(path, pathPrefix)
	if !ok {
		if !strings.HasPrefix(path, "/") {
			path = "/" + path
		}
		return "", path, nil
	}
	name, rest, _ := strings.Cut(after, "/")
	ref, err := ParseRef(name)
	if err != nil {
		return "", "", err
	}
	rest = "/" + rest
	if strings.HasPrefix(rest, pathPrefix) {
		return "", "", ErrUnknownProject
	}
	return ref, rest, nil
}

// hostName removes the port and one trailing dot from a host and lower-cases
// it. ok is false unless the result is a name of letters, digits, hyphens,
// underscores and dots, or an IP address.
func hostName(hostport string) (name string, ok bool) {
	host, ok := cutPort(hostport)
	if !ok || host == "" || len(host) > maxHost+1 {
		return "", false
	}
	if v6, bracketed := strings.CutPrefix(host, "["); bracketed {
		addr, err := netip.ParseAddr(strings.TrimSuffix(v6, "]"))
		return addr.String(), err == nil && addr.Is6() && addr.Zone() == ""
	}
	host = strings.TrimSuffix(host, ".")
	out := []byte(host)
	label := 0
	for i, c := range out {
		switch {
		case 'A' <= c && c <= 'Z':
			// ASCII only: Unicode folding would make ref letters out of others.
			out[i] = c + 'a' - 'A'
		case c == '.' && label == 0:
			return "", false
		case c == '.':
			label = 0
			continue
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '-', c == '_':
		default:
			return "", false
		}
		label++
	}
	return string(out), label > 0 && len(out) <= maxHost
}

// cutPort splits off a numeric port.
func cutPort(hostport string) (host string, ok bool) {
	i := strings.LastIndexByte(hostport, ':')
	if i < 0 || strings.HasSuffix(hostport, "]") {
		return hostport, true
	}
	host, port := hostport[:i], hostport[i+1:]
	if strings.HasPrefix(host, "[") != strings.HasSuffix(host, "]") || len(port) > 5 {
		return "", false
	}
	for _, c := range []byte(port) {
		if c < '0' || c > '9' {
			return "", false
		}
	}
	return host, true
}
