// Package emaildomain decides by its domain whether a new e-mail address may be
// used: by a project's lists and the list of disposable domains in this binary. It
// does not look up names, and knows no flow.
package emaildomain

import (
	_ "embed" // the list
	"slices"
	"strings"
	"sync"
)

// disposableText has a domain a line, sorted. It is the list of
// github.com/disposable-email-domains/disposable-email-domains (CC0 1.0), from the
// npm package disposable-email-domains-js 1.26.0 (CC0 1.0).
//
//go:embed disposable.txt
var disposableText string

var disposable = sync.OnceValue(func() []string { return strings.Fields(disposableText) })

// Rules are a project's. Domains are in lower case; each covers its subdomains.
type Rules struct {
	Allowed    []string // if not empty, no others
	Blocked    []string
	Disposable bool     // disposable domains are blocked
	Except     []string // not disposable, whatever the list says
}

// Reason is the rule that refuses a domain; "" when it is allowed.
type Reason string

// The reasons.
const (
	NotAllowed Reason = "not_allowed"
	Blocked    Reason = "blocked"
	Disposable Reason = "disposable"
)

// Refuses returns the reason why an address in lower case may not be used.
func (r Rules) Refuses(email string) Reason {
	domain := Of(email)
	switch {
	case matches(domain, r.Blocked):
		return Blocked
	case len(r.Allowed) > 0 && !matches(domain, r.Allowed):
		return NotAllowed
	case r.Disposable && !matches(domain, r.Except) && !matches(domain, r.Allowed) && IsDisposable(domain):
		return Disposable
	}
	return ""
}

// Of returns the domain of an address.
func Of(email string) string {
	return strings.TrimSuffix(strings.ToLower(email[strings.LastIndexByte(email, '@')+1:]), ".")
}

// IsDisposable reports whether the domain, or one that it is below of, is on the
// list.
func IsDisposable(domain string) bool {
	return above(domain, func(d string) bool {
		_, found := slices.BinarySearch(disposable(), d)
		return found
	})
}

func matches(domain string, list []string) bool {
	return len(list) > 0 && above(domain, func(d string) bool { return slices.Contains(list, d) })
}

// above reports whether is holds for the domain or one above it.
func above(domain string, is func(string) bool) bool {
	for domain != "" {
		if is(domain) {
			return true
		}
		_, domain, _ = strings.Cut(domain, ".")
	}
	return false
}
