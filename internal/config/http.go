package config

import (
	"log/slog"
	"net"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/reevehq/reeve/internal/ratelimit"
)

// The two forms of a project's canonical URL.
const (
	ByHost = "host" // https://<ref>.<base domain>
	ByPath = "path" // <public URL>/p/<ref>
)

// HTTP is the process's listen address and public names.
type HTTP struct {
	// Listen is the main address, "host:port"; an empty host is every interface.
	Listen string `yaml:"listen" env:"REEVE_LISTEN"`
	// PublicURL is the clients' URL of the main host, without a path.
	PublicURL string `yaml:"public_url" env:"REEVE_PUBLIC_URL"`
	// BaseDomain is the domain that <ref>. precedes; empty: projects have no
	// host.
	BaseDomain string `yaml:"base_domain" env:"REEVE_BASE_DOMAIN"`
	// ProjectURLs is ByHost or ByPath; by default ByHost with a base domain.
	ProjectURLs string `yaml:"project_urls" env:"REEVE_PROJECT_URLS"`
	// TrustedProxies are addresses and networks whose X-Forwarded-For is
	// trusted.
	TrustedProxies []string `yaml:"trusted_proxies" env:"REEVE_TRUSTED_PROXIES"`
	// DrainDelay is how long a stopping process continues to serve while
	// /readyz refuses.
	DrainDelay time.Duration `yaml:"drain_delay" env:"REEVE_DRAIN_DELAY"`
	// AccessLog writes a line for each request.
	AccessLog bool `yaml:"access_log" env:"REEVE_ACCESS_LOG"`
	// LogLevel is debug, info, warn or error.
	LogLevel string `yaml:"log_level" env:"REEVE_LOG_LEVEL"`
}

func defaultHTTP() HTTP { return HTTP{Listen: ":8000", LogLevel: "info", DrainDelay: 5 * time.Second} }

// Validate reports every error, as Problems.
func (h HTTP) Validate() error {
	var p Problems
	checkListen(&p, "http.listen", h.Listen)
	h.checkNames(&p)
	if _, err := ratelimit.ParseProxies(h.TrustedProxies); err != nil {
		p.add("http.trusted_proxies", "must be addresses or networks such as 10.0.0.0/8")
	}
	if h.DrainDelay < 0 || h.DrainDelay > time.Minute {
		p.add("http.drain_delay", "must be from 0 to 1m")
	}
	if _, err := h.level(); err != nil {
		p.add("http.log_level", "must be debug, info, warn or error")
	}
	return p.orNil()
}

// domain is a lower-case host name (RFC 1123 section 2.1).
var domain = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$`)

// maxBaseDomain leaves room for a ref and a dot within 253 characters.
const maxBaseDomain = 253 - 21

func (h HTTP) checkNames(p *Problems) {
	const key = "http.public_url"
	u, err := url.Parse(h.PublicURL)
	switch {
	case h.PublicURL == "":
		p.add(key, "is required: how clients reach this server, such as https://reeve.example.com")
	case err != nil || u.Host == "" || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https":
		p.add(key, "must be an http or https URL")
	case u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "":
		p.add(key, "must have no user, path, query or fragment")
	}
	if h.BaseDomain != "" && (!domain.MatchString(h.BaseDomain) || len(h.BaseDomain) > maxBaseDomain) {
		p.add("http.base_domain", "must be a lower-case domain name without port, such as reeve.example.com")
	}
	switch h.ProjectURLs {
	case "", ByPath:
	case ByHost:
		if h.BaseDomain == "" {
			p.add("http.project_urls", "host needs http.base_domain")
		}
	default:
		p.add("http.project_urls", "must be host or path")
	}
}

func checkListen(p *Problems, key, addr string) {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		p.add(key, "must be an address such as :8000 or 127.0.0.1:8000")
		return
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		p.add(key, "must end in a port between 0 and 65535")
	}
}

// Origin is PublicURL without a trailing slash.
func (h HTTP) Origin() string { return strings.TrimRight(h.PublicURL, "/") }

// ProjectURL is the canonical URL of a project, without a trailing slash. A
// project's host has the scheme and port of PublicURL.
func (h HTTP) ProjectURL(ref string) string {
	if h.BaseDomain == "" || h.ProjectURLs == ByPath {
		return h.Origin() + "/p/" + ref
	}
	u, err := url.Parse(h.PublicURL)
	if err != nil {
		return "https://" + ref + "." + h.BaseDomain
	}
	host := ref + "." + h.BaseDomain
	if port := u.Port(); port != "" {
		host += ":" + port
	}
	return u.Scheme + "://" + host
}

// Level is LogLevel, parsed; info if it is not valid.
func (h HTTP) Level() slog.Level {
	level, err := h.level()
	if err != nil {
		return slog.LevelInfo
	}
	return level
}

func (h HTTP) level() (level slog.Level, err error) {
	err = level.UnmarshalText([]byte(h.LogLevel))
	return level, err
}
