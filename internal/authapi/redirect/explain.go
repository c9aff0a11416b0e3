package redirect

import (
	"net"
	"net/url"
	"strings"

	"golang.org/x/net/publicsuffix"

	"github.com/reevehq/reeve/tenants"
)

// Verdict says why a browser may be sent to a URL, or why not. Allowed decides by
// the same rules.
type Verdict struct {
	Allowed bool
	// By is the index in Patterns of the first that allows the URL; -1 if none does.
	By int
	// Target is where the browser is sent: the URL, or the site URL.
	Target string
	// Normalized is the URL as browsers request it; "" if they may read it in
	// different ways.
	Normalized string
	// Refused says why the URL is refused whatever the patterns are; else "".
	Refused  string
	Patterns []Tried
	Warnings []string // about the URL
}

// Tried is a pattern, and what came of it.
type Tried struct {
	Site     bool // the site URL, else an entry of the allow list
	Pattern  string
	Mismatch string // the first part that does not match; "" if all do
	Warnings []string
}

// Explain returns what Allowed decides about a URL, and how.
func Explain(cfg *tenants.Config, raw string) Verdict {
	v := Verdict{By: -1, Target: Target(cfg, raw), Patterns: []Tried{{Site: true, Pattern: cfg.SiteURL, Warnings: siteWarnings(cfg.SiteURL)}}}
	for _, entry := range cfg.AllowList() {
		v.Patterns = append(v.Patterns, Tried{Pattern: entry, Warnings: readPattern(entry).warnings()})
	}
	t, refused := parse(raw)
	v.Refused = refused
	for i := range v.Patterns {
		p := &v.Patterns[i]
		switch {
		case refused != "":
			p.Mismatch = "The URL is refused."
		case p.Site:
			p.Mismatch = offSite(cfg.SiteURL, t)
		default:
			p.Mismatch = readPattern(p.Pattern).mismatch(t)
		}
		if p.Mismatch == "" && v.By < 0 {
			v.By = i
		}
	}
	v.Allowed = v.By >= 0
	if refused == "" {
		v.Normalized = t.normalized()
		v.Warnings = t.warnings()
	}
	return v
}

// normalized is the target as the WHATWG URL standard serializes it, without
// fragment. A URL of an app is passed to it as written.
func (t target) normalized() string {
	if !t.web() {
		return t.scheme + "://" + t.url.Host + t.rest
	}
	u := *t.url
	u.Scheme, u.Fragment, u.RawFragment = strings.ToLower(t.scheme), "", ""
	u.Host = t.name
	if p := port(t.url); t.port != "" && t.port != ":" && p != defaultPort(u.Scheme) {
		u.Host += ":" + p
	}
	if u.Path == "" {
		u.Path = "/"
	}
	return u.String()
}

func defaultPort(scheme string) string { return port(&url.URL{Scheme: scheme}) }

func (t target) warnings() (out []string) {
	if strings.EqualFold(t.scheme, "http") && !local(t.url.Hostname()) {
		out = append(out, "Sessions and codes travel to this URL unencrypted: use https.")
	}
	if t.url.Fragment != "" {
		out = append(out, "The fragment is replaced when a session or an error is added.")
	}
	return out
}

func siteWarnings(site string) (out []string) {
	u, err := url.Parse(site)
	if err == nil && u.Scheme == "http" && !local(u.Hostname()) {
		out = append(out, "http: sessions and codes travel unencrypted.")
	}
	return out
}

// warnings says what is dangerous about a pattern.
func (p pattern) warnings() (out []string) {
	if p.unusable {
		return []string{"The entry matches nothing: it is no URL, or too long."}
	}
	web := strings.EqualFold(p.scheme, "http") || strings.EqualFold(p.scheme, "https")
	suffix, wild := p.host.literalEnd()
	if strings.EqualFold(p.scheme, "http") && !local(suffix) {
		out = append(out, "http: sessions and codes travel unencrypted.")
	}
	if strings.Contains(suffix, "@") {
		out = append(out, "The entry matches nothing: no redirect has a user name before its host.")
	}
	if !web || !wild {
		return out
	}
	if p.host.addresses() {
		return out
	}
	// What follows the last wildcard's label: in app-*.example.com only a name
	// below example.com can match.
	domain := suffix
	if i := strings.IndexByte(suffix, '.'); i >= 0 {
		domain = suffix[i+1:]
	}
	switch {
	case local(domain):
	case domain == "" || !strings.Contains(suffix, "."):
		out = append(out, "The wildcard matches hosts of anybody: sessions can be sent to them.")
	case isPublicSuffix(domain):
		out = append(out, "Anybody can get a name below "+domain+": sessions can be sent to strangers' sites.")
	}
	return out
}

// isPublicSuffix reports whether strangers register names below a domain
// (publicsuffix.org), such as co.uk or vercel.app.
func isPublicSuffix(domain string) bool {
	suffix, _ := publicsuffix.PublicSuffix(domain)
	return suffix == domain
}

// literalEnd returns what a glob ends with after its last wildcard, and whether it
// has a wildcard.
func (g glob) literalEnd() (end string, wild bool) {
	var b []byte
	for i := len(g) - 1; i >= 0; i-- {
		if g[i].kind != literal {
			wild = true
			break
		}
		b = append(b, g[i].char)
	}
	for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
		b[i], b[j] = b[j], b[i]
	}
	return string(b), wild
}

// addresses reports whether a glob matches IPv4 addresses only, as 10.0.0.*.
func (g glob) addresses() bool {
	dots := 0
	for _, a := range g {
		if a.kind == literal && a.char == '.' {
			dots++
		}
		if a.kind == all || a.kind == set || a.kind == literal && strings.IndexByte("0123456789.", a.char) < 0 {
			return false
		}
	}
	return dots == 3 && g[0].kind == literal
}

// local reports whether a host is on the same machine.
func local(host string) bool {
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || net.ParseIP(strings.Trim(host, "[]")).IsLoopback()
}
