package redirect

import "strings"

// pattern is an entry of the allow list, split as a URL is: each part is matched
// on its own, so that no wildcard makes one part out of another.
type pattern struct {
	scheme   string
	host     glob // of the name, without a port
	port     glob // with its colon
	anyPort  bool // there is no port in the pattern, and its last wildcard takes one
	rest     glob // of path and query
	unusable bool
}

// readPattern reads an entry of the allow list. The scheme must be spelled out, as
// ** alone would allow every site there is.
//
// A wildcard at the end of a host's last label stands for the rest of the URL, and
// * for a port too, but never for more of the name: https://example.com* is not
// example.community. As a label of its own, in 10.0.0.*, it stands for a label.
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
	p.anyPort = port == "" && wild != "" && !(attached && strings.Contains(wild, "**"))
	if rest == "" && port == "" {
		rest = wild
	}
	p.host, p.port, p.rest = compile(name), compile(port), compile(rest)
	return p
}

// cutRest splits a pattern's host from its path, or from a query that follows the
// host: there ? is a character, not a wildcard, which an = or & behind it tells.
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

// cutPort splits host:port; port keeps its colon. The colons of an IPv6 address
// and of a set are within brackets.
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

func (p pattern) allows(t target) bool {
	if p.unusable || !strings.EqualFold(p.scheme, t.scheme) || !p.host.match(t.name) {
		return false
	}
	if !p.port.match(t.port) && !p.anyPort {
		return false
	}
	switch {
	case p.rest.matchRest(t.rest):
		return true
	case t.rest == "", t.web() && t.rest[0] == '?': // the path is /, whether or not it is written
		return p.rest.matchRest("/" + t.rest)
	}
	return false
}
