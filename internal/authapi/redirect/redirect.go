// Package redirect decides where a browser may be sent: to the project's site or
// to what its allow list names, nowhere else. It also makes the forms that a
// redirect carries: a session or an error in the fragment, a code in the query.
package redirect

import (
	"net"
	"net/url"
	"regexp"
	"strings"

	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/tenants"
)

// maxURL bounds a redirect target.
const maxURL = 4096

// Target gives the URL to redirect to: the first candidate that is allowed, or
// the site URL. An empty or refused candidate is passed over without a word, as
// in the reference.
func Target(cfg *tenants.Config, candidates ...string) string {
	for _, c := range candidates {
		if c != "" && Allowed(cfg, c) {
			return c
		}
	}
	return cfg.SiteURL
}

// Allowed reports whether a browser may be sent to raw: it has the site's scheme
// and host, or matches a glob of the allow list. In a glob * stands for any
// characters but . and /, ** for any at all, ? for one as in *, and [a-z] for one
// of a set.
func Allowed(cfg *tenants.Config, raw string) bool {
	target, ok := parse(raw)
	if !ok {
		return false
	}
	if sameSite(cfg.SiteURL, target) {
		return true
	}
	bare := *target
	bare.Fragment, bare.RawFragment, bare.Host = "", "", strings.ToLower(bare.Host)
	for _, pattern := range cfg.AllowList() {
		if allows(pattern, &bare) {
			return true
		}
	}
	return false
}

// allows asks the host on its own first: whatever a pattern says of the rest, its
// wildcards cannot make a host out of a path, query or port. The scheme must be
// spelled out, as ** alone would allow every site there is.
func allows(pattern string, target *url.URL) bool {
	scheme, rest, ok := strings.Cut(pattern, "://")
	if !ok || len(pattern) > maxGlob || !strings.EqualFold(scheme, target.Scheme) {
		return false
	}
	host, path := rest, ""
	if i := strings.IndexByte(rest, '/'); i >= 0 {
		host, path = rest[:i], rest[i:]
	}
	host = strings.ToLower(host)
	hosts := host
	if path == "" && strings.Trim(host, "*") != "" {
		// In https://example.com** the path is meant, not example.com.evil.org.
		hosts = strings.TrimSuffix(host, "**")
	}
	if !compile(hosts).match(target.Host) {
		return false
	}
	whole, text := compile(target.Scheme+"://"+host+path), target.String()
	return whole.match(text) || (target.Path == "" && whole.match(text+"/"))
}

// parse refuses whatever browsers and parsers may read differently, and schemes
// that run code.
func parse(raw string) (*url.URL, bool) {
	if len(raw) > maxURL || strings.ContainsAny(raw, "\\\t\r\n\x00 ") {
		return nil, false
	}
	u, err := url.Parse(raw)
	if err != nil || u.Scheme == "" || u.User != nil || u.Opaque != "" {
		return nil, false
	}
	switch strings.ToLower(u.Scheme) {
	case "javascript", "data", "vbscript", "file", "about", "blob", "filesystem", "view-source":
		return nil, false
	case "http", "https":
		if !plainHost(u.Hostname()) || dotSegments(u.Path) {
			return nil, false
		}
	}
	return u, true
}

// hostForm is a host name in ASCII. Browsers rewrite other characters, some of
// them into dots and slashes; internationalized names have their xn-- form.
var hostForm = regexp.MustCompile(`^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$`)

func plainHost(host string) bool {
	return net.ParseIP(host) != nil || hostForm.MatchString(host) && !oddNumericHost(host)
}

// dotSegments finds what browsers resolve before they ask, so that the path which
// a glob saw would not be the one that is fetched. path is percent-decoded, as
// %2e counts as a dot.
func dotSegments(path string) bool {
	for segment := range strings.SplitSeq(path, "/") {
		if segment == "." || segment == ".." {
			return true
		}
	}
	return false
}

// oddNumericHost finds hosts that browsers read as an address although they are
// not written as one: 2130706433, 0x7f.1, 127.1.
func oddNumericHost(host string) bool {
	last := strings.ToLower(host[strings.LastIndexByte(host, '.')+1:])
	return strings.Trim(last, "0123456789") == "" || strings.HasPrefix(last, "0x")
}

// sameSite compares scheme and host; the port too, unless the site is on this
// machine, where development servers move from port to port.
func sameSite(site string, target *url.URL) bool {
	s, err := url.Parse(site)
	if err != nil || s.Hostname() == "" || !strings.EqualFold(s.Scheme, target.Scheme) ||
		!strings.EqualFold(s.Hostname(), target.Hostname()) {
		return false
	}
	if host := s.Hostname(); host == "localhost" || net.ParseIP(host).IsLoopback() {
		return true
	}
	return port(s) == port(target)
}

func port(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	if strings.EqualFold(u.Scheme, "https") {
		return "443"
	}
	return "80"
}

// WithFragment adds values to the target as its fragment.
func WithFragment(target string, values url.Values) string {
	if i := strings.IndexByte(target, '#'); i >= 0 {
		target = target[:i]
	}
	return target + "#" + values.Encode()
}

// WithCode adds the authorization code to the target's query (PKCE).
func WithCode(target, code string) string {
	u, err := url.Parse(target)
	if err != nil {
		return target
	}
	q := u.Query()
	q.Set("code", code)
	u.RawQuery = q.Encode()
	return u.String()
}

// WithError tells a refusal to the app: in the fragment, and for a PKCE flow in
// the query too.
func WithError(target string, f *fault.Error, pkce bool) string {
	return tell(target, url.Values{
		"error": {oauthError(f.Kind)}, "error_code": {f.Code}, "error_description": {f.Message},
	}, pkce)
}

// WithMessage tells the app what its user is to read, in the same places as an
// error.
func WithMessage(target, message string, pkce bool) string {
	return tell(target, url.Values{"message": {message}}, pkce)
}

func tell(target string, values url.Values, pkce bool) string {
	if pkce {
		if u, err := url.Parse(target); err == nil {
			q := u.Query()
			for k := range values {
				q.Set(k, values.Get(k))
			}
			u.RawQuery = q.Encode()
			target = u.String()
		}
	}
	values.Set("sb", "")
	return WithFragment(target, values)
}

// oauthError is the error of RFC 6749, section 4.1.2.1, for a kind of fault.
func oauthError(k fault.Kind) string {
	switch k {
	case fault.Forbidden, fault.Unauthorized, fault.Unprocessable:
		return "access_denied"
	case fault.Internal, fault.Conflict:
		return "server_error"
	case fault.TooMany, fault.Unavailable:
		return "temporarily_unavailable"
	default:
		return "invalid_request"
	}
}
