package setting

import (
	"errors"
	"strings"

	"github.com/reevehq/reeve/internal/emaildomain"
)

// EmailDomains is which e-mail addresses people may bring.
type EmailDomains struct {
	EmailDomainsAllowed  string // comma separated
	EmailDomainsBlocked  string
	DisposableBlocked    bool
	DisposableExceptions string
}

func emailDomains() Group {
	return Group{Title: "Domains of addresses", Settings: []Setting{
		{
			Name: "security_email_domains_allowed", Kind: Text, MaxLength: 4096, Lines: true, Format: domains,
			Field: func(c *Config) any { return &c.EmailDomainsAllowed },
			Effect: "Domains, separated by commas, with their subdomains: others are refused. Empty for all. " +
				"See [domains](abuse.md#domains-of-e-mail-addresses).",
		},
		{
			Name: "security_email_domains_blocked", Kind: Text, MaxLength: 4096, Lines: true, Format: domains,
			Field:  func(c *Config) any { return &c.EmailDomainsBlocked },
			Effect: "Domains that are refused, with their subdomains.",
		},
		{
			Name: "security_email_disposable_blocked", Kind: Bool,
			Field:  func(c *Config) any { return &c.DisposableBlocked },
			Effect: "Refuses addresses at the domains of disposable mailboxes.",
		},
		{
			Name: "security_email_disposable_exceptions", Kind: Text, MaxLength: 4096, Lines: true, Format: domains,
			Field:  func(c *Config) any { return &c.DisposableExceptions },
			Effect: "Domains that are not disposable, whatever the list says.",
		},
	}}
}

// EmailDomainRules are the rules for domains of addresses.
func (c *Config) EmailDomainRules() emaildomain.Rules {
	return emaildomain.Rules{
		Allowed: splitDomains(c.EmailDomainsAllowed), Blocked: splitDomains(c.EmailDomainsBlocked),
		Disposable: c.DisposableBlocked, Except: splitDomains(c.DisposableExceptions),
	}
}

func splitDomains(list string) (out []string) {
	for part := range strings.SplitSeq(list, ",") {
		if part = strings.ToLower(strings.TrimSpace(part)); part != "" {
			out = append(out, part)
		}
	}
	return out
}

// domains checks a list of domains.
func domains(list string) error {
	for _, d := range splitDomains(list) {
		if host(d) != nil || !strings.Contains(d, ".") || strings.Trim(d, "0123456789.:") == "" {
			return errors.New("must be domains such as example.com, separated by commas")
		}
	}
	return nil
}
