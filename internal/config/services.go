package config

import (
	"net"
	"net/url"
)

// Services are the addresses of services that Reeve asks. An empty one is the
// public service. An address that the operator names may be private and plain
// http.
type Services struct {
	// HCaptchaURL and TurnstileURL are the addresses of siteverify.
	HCaptchaURL  string `yaml:"hcaptcha_url" env:"REEVE_HCAPTCHA_URL"`
	TurnstileURL string `yaml:"turnstile_url" env:"REEVE_TURNSTILE_URL"`
	// LeakedPasswordsURL is a mirror of the range API of haveibeenpwned.com: the
	// address before /range/.
	LeakedPasswordsURL string `yaml:"leaked_passwords_url" env:"REEVE_LEAKED_PASSWORDS_URL"`
	// Resolver is the DNS server, host:port, that is asked for the records which prove
	// domains of companies; "" for those of the machine.
	Resolver string `yaml:"resolver" env:"REEVE_RESOLVER"`
}

// Geo is where places of clients are looked up.
type Geo struct {
	// Database is a file in the MaxMind DB format; "" for none. It is read again when it
	// changes.
	Database string `yaml:"database" env:"REEVE_GEO_DATABASE"`
}

// Validate reports every error, as Problems.
func (s Services) Validate() error {
	var p Problems
	if s.Resolver != "" {
		if host, port, err := net.SplitHostPort(s.Resolver); err != nil || net.ParseIP(host) == nil || port == "" {
			p.add("services.resolver", "must be the address of a DNS server, such as 192.0.2.1:53")
		}
	}
	for key, address := range map[string]string{
		"services.hcaptcha_url": s.HCaptchaURL, "services.turnstile_url": s.TurnstileURL, "services.leaked_passwords_url": s.LeakedPasswordsURL,
	} {
		u, err := url.Parse(address)
		if address != "" && (err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.RawQuery != "" || u.Fragment != "") {
			p.add(key, "must be an http or https URL without user, query and fragment")
		}
	}
	return p.orNil()
}
