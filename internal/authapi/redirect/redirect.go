// Package redirect decides where a browser may be sent: only to the project's
// site or to entries of its allow list. It also encodes a redirect's payload: a
// session or an error in the fragment, a code in the query.
package redirect

import (
	"net"
	"net/url"
	"regexp"
	"strings"

	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/internal/setting"
	"github.com/reevehq/reeve/tenants"
)

// maxURL bounds a redirect target.
const maxURL = 4096

// Target returns the URL to redirect to: the first allowed candidate, or the
// site URL. Empty and refused candidates are skipped silently, as in the
// reference.
func Target(cfg *tenants.Config, candidates ...string) string {
	for _, c := range candidates {
		if c != "" && Allowed(cfg, c) {
			return c
		}
	}
	return cfg.SiteURL
}

// Usable reports whether a browser can be sent to a target: a site URL may be
// empty or come from an imported database.
func Usable(target string) bool {
	scheme, after, ok := strings.Cut(target, ":")
	return ok && schemeForm.MatchString(scheme) && parsed(scheme, ":"+after) != nil
}

// parsed parses scheme and what follows it; nil if that is no URL. Apps may have
// an underscore in their scheme, which RFC 3986 does not allow: the URL has a
// hyphen there.
func parsed(scheme, after string) *url.URL {
	u, err := url.Parse(strings.ReplaceAll(scheme, "_", "-") + after)
	if err != nil {
		return nil
	}
	return u
}

// Allowed reports whether a browser may be sent to raw: it has the site's
// scheme and host, or matches a glob of the allow list. In a glob * matches any
// characters but . and /, ** any characters, ? one of those that * matches, and
// [a-z] one of a set. The text is matched as given, since the browser gets it
// so; without its fragment, and scheme and host in any case.
func Allowed(cfg *tenants.Config, raw string) bool {
	t, refused := parse(raw)
	if refused != "" {
		return false
	}
	if offSite(cfg.SiteURL, t) == "" {
		return true
	}
	for _, entry := range cfg.AllowList() {
		if readPattern(entry).mismatch(t) == "" {
			return true
		}
	}
	return false
}

// target is a URL, split as browsers split it.
type target struct {
	url        *url.URL
	scheme     string
	name, port string // of the host, in lower case; the port has its colon
	rest       string // path and query as they were written
}

// web reports whether browsers request it from a host instead of passing it to
// an app.
func (t target) web() bool {
	return strings.EqualFold(t.scheme, "http") || strings.EqualFold(t.scheme, "https")
}

// parse refuses everything that browsers and parsers may interpret differently,
// and schemes that run code. refused is the reason, "" for a target.
func parse(raw string) (t target, refused string) {
	switch {
	case len(raw) > maxURL:
		return target{}, "It is longer than 4096 bytes."
	case strings.ContainsFunc(raw, func(r rune) bool { return r <= ' ' || r == '\\' || r == 0x7f }):
		return target{}, "It has a space, a backslash or a control character, which browsers rewrite."
	}
	scheme, after, ok := strings.Cut(raw, "://")
	if !ok || !schemeForm.MatchString(scheme) {
		return target{}, "It is no absolute URL, such as https://example.com/welcome."
	}
	t = target{scheme: scheme}
	u := parsed(scheme, "://"+after)
	switch {
	case u == nil || u.Opaque != "":
		return target{}, "It is no URL."
	case u.User != nil:
		return target{}, "It has a user name before the host."
	}
	after, _, _ = strings.Cut(after, "#")
	end := strings.IndexAny(after, "/?")
	if end < 0 {
		end = len(after)
	}
	host := after[:end]
	if !strings.EqualFold(host, u.Host) {
		return target{}, "Its host is percent-encoded."
	}
	t.url, t.rest = u, after[end:]
	t.name, t.port = cutPort(strings.ToLower(host))
	switch {
	case setting.LocalScheme(scheme):
		return target{}, "Its scheme runs code or names something in the browser."
	case t.web() && !plainHost(u.Hostname()):
		return target{}, "Its host is not one that all browsers read alike: use ASCII names (xn-- for others) and plain IP addresses."
	case t.web() && dotSegments(u.Path):
		return target{}, "Its path has . or .. segments, which browsers resolve first."
	}
	return t, ""
}

// schemeForm is RFC 3986, section 3.1, and the underscore.
var schemeForm = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+._-]*$`)

// hostForm is a host name in ASCII. Browsers rewrite other characters, some of
// them into dots and slashes; internationalized names have their xn-- form.
var hostForm = regexp.MustCompile(`^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$`)

func plainHost(host string) bool {
	return net.ParseIP(host) != nil || hostForm.MatchString(host) && !oddNumericHost(host)
}

// dotSegments reports whether the path has segments that browsers resolve
// before the request, so that the path that a glob matched would not be the one
// requested. path is percent-decoded, because %2e counts as a dot.
func dotSegments(path string) bool {
	for segment := range strings.SplitSeq(path, "/") {
		if segment == "." || segment == ".." {
			return true
		}
	}
	return false
}

// oddNumericHost reports whether browsers interpret a host as an IP address
// although it is not written as one: 2130706433, 0x7f.1, 127.1.
func oddNumericHost(host string) bool {
	last := strings.ToLower(host[strings.LastIndexByte(host, '.')+1:])
	return strings.Trim(last, "0123456789") == "" || strings.HasPrefix(last, "0x")
}

// offSite compares scheme and host with the site's, and the port unless the site
// is on this machine, where development servers change ports. It returns what
// differs, or "".
func offSite(site string, t target) string {
	s, err := url.Parse(site)
	switch {
	case err != nil || s.Hostname() == "":
		return "The site URL has no host."
	case strings.Contains(t.scheme, "_"), !strings.EqualFold(s.Scheme, t.url.Scheme):
		return schemeDiffers
	case !strings.EqualFold(s.Hostname(), t.url.Hostname()):
		return hostDiffers
	}
	if host := s.Hostname(); host == "localhost" || net.ParseIP(host).IsLoopback() {
		return ""
	}
	if port(s) != port(t.url) {
		return portDiffers
	}
	return ""
}

// The parts in which a URL can differ from a pattern.
const (
	schemeDiffers = "The scheme differs."
	hostDiffers   = "The host does not match."
	portDiffers   = "The port does not match."
	restDiffers   = "The path or query does not match."
)

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
	return withQuery(target, url.Values{"code": {code}})
}

// withQuery sets values in the target's query. The rest of the target stays as
// written: a parser would print com.example:// as com.example:, which is
// another URL to the app's system.
func withQuery(target string, values url.Values) string {
	target, fragment, fragmented := strings.Cut(target, "#")
	target, query, _ := strings.Cut(target, "?")
	all, _ := url.ParseQuery(query) // an unreadable query is dropped
	for k := range values {
		all.Set(k, values.Get(k))
	}
	target += "?" + all.Encode()
	if fragmented {
		target += "#" + fragment
	}
	return target
}

// WithError adds an error to the target: in the fragment, and for a PKCE flow
// in the query too.
func WithError(target string, f *fault.Error, pkce bool) string {
	return tell(target, url.Values{
		"error": {oauthError(f.Kind)}, "error_code": {f.Code}, "error_description": {f.Message},
	}, pkce)
}

// WithQueryError adds an error to the target's query alone: no app waits for it.
func WithQueryError(target string, f *fault.Error) string {
	return withQuery(target, url.Values{
		"error": {oauthError(f.Kind)}, "error_code": {f.Code}, "error_description": {f.Message},
	})
}

// WithDenial adds an identity provider's own error to the target's query and
// fragment.
func WithDenial(target, code, description string) string {
	values := url.Values{"error": {code}}
	if description != "" {
		values.Set("error_description", description)
	}
	return tell(target, values, true)
}

// WithMessage adds a message for the app's user to the target, in the same
// places as an error.
func WithMessage(target, message string, pkce bool) string {
	return tell(target, url.Values{"message": {message}}, pkce)
}

func tell(target string, values url.Values, pkce bool) string {
	if pkce {
		target = withQuery(target, values)
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
