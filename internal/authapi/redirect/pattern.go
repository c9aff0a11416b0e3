package redirect

import "strings"

// pattern is an entry of the allow list, split as a URL is. Each part is
// matched separately, so that no wildcard crosses from one part to another.
type pattern struct {
	scheme   string
	host     glob // the name, without a port
	port     glob // with its colon
	anyPort  bool // the pattern has no port, and its last wildcard matches one
	rest     glob // path and query
	unusable bool
}

// readPattern parses an entry of the allow list. The scheme must be literal,
// because ** alone would allow every site.
//
// A wildcard at the end of a host's last label matches the rest of the URL, and
// * also a port, but never more of the name: https://example.com* does not
// match example.community. As a whole label, as in 10.0.0.*, it matches a
// label.
func readPattern(s string) pattern {
	scheme, text, ok := strings.Cut(s, "://")
	if !ok || len(s) > maxGlob {
		return pattern{unusable: true}
	}
	p := pattern{scheme: scheme}
	host, rest := cutRest(text)
	name, port := cutPort(strings.ToLower(host))
	bare := strings.TrimRight(name, "*?")
	wild := name[len(bare):]
	attached := bare != "" && bare[len(bare)-1] != '.'
	if attached {
		name = bare
	}
	p.anyPort = port == "" && wild != "" && (!attached || !strings.Contains(wild, "**"))
	if rest == "" && port == "" {
		rest = wild
	}
	p.host, p.port, p.rest = compile(name), compile(port), compile(rest)
	return p
}

// cutRest splits a pattern's host from its path, or from a query that follows
// the host: there ? is a literal, not a wildcard, as a following = or & shows.
func cutRest(s string) (host, rest string) {
	end := strings.IndexByte(s, '/')
	if end < 0 {
		end = len(s)
	}
	if i := strings.IndexByte(s[:end], '?'); i >= 0 && strings.ContainsAny(s[i:end], "=&") {
		end = i
	}
	return s[:end], s[end:]
}

// cutPort splits host:port; port keeps its colon. Colons of an IPv6 address or
// a set are inside brackets.
func cutPort(host string) (name, port string) {
	for i := 0; i < len(host); i++ {
		switch host[i] {
		case '[':
			i += max(strings.IndexByte(host[i:], ']'), 0)
		case ':':
			return host[:i], host[i:]
		}
	}
	return host, ""
}

// mismatch returns the first part in which the target does not match, or "".
func (p pattern) mismatch(t target) string {
	switch {
	case p.unusable:
		return "The entry is no URL, or too long."
	case !strings.EqualFold(p.scheme, t.scheme):
		return schemeDiffers
	case !p.host.match(t.name):
		return hostDiffers
	case !p.port.match(t.port) && !p.anyPort:
		return portDiffers
	case p.rest.matchRest(t.rest):
		return ""
	}
	// The path is /, whether or not it is written.
	if (t.rest == "" || t.web() && t.rest[0] == '?') && p.rest.matchRest("/"+t.rest) {
		return ""
	}
	return restDiffers
}
