package setting

import (
	"errors"
	"fmt"
	"math"
	"net/mail"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// The bounds are those of the reference where it has some, else where a value
// stops to make sense.
const (
	maxInt16 = math.MaxInt16
	maxInt32 = math.MaxInt32
	maxTTL   = 7 * 24 * 3600 // of tokens and links, in seconds
	maxHours = 100 * 365 * 24
	maxURL   = 2048
	maxGlob  = 512
)

// optional accepts the empty text and what check accepts.
func optional(check func(string) error) func(string) error {
	return func(s string) error {
		if s == "" {
			return nil
		}
		return check(s)
	}
}

// siteURL accepts an absolute http or https URL: users are sent there, with
// tokens in the fragment, so it must have none itself. A comma would make the
// list of allowed URLs ambiguous.
func siteURL(s string) error {
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Host == "" || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https":
		return errors.New("must be an absolute http or https URL")
	case u.User != nil:
		return errors.New("must not hold a user name")
	case strings.Contains(s, "#"):
		return errors.New("must not have a fragment")
	case strings.ContainsAny(s, ", \t\r\n"):
		return errors.New("must not hold commas or spaces")
	}
	return nil
}

// samlURL accepts the address of an auth API.
func samlURL(s string) error {
	if s == "" {
		return nil
	}
	if err := siteURL(s); err != nil {
		return err
	}
	if strings.Contains(s, "?") || strings.HasSuffix(s, "/") {
		return errors.New("must have no query, and not end in a slash")
	}
	return nil
}

// providerURL accepts the address of an identity provider, below which its
// endpoints are.
func providerURL(s string) error {
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Host == "" || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https":
		return errors.New("must be an absolute https URL")
	case u.User != nil:
		return errors.New("must not hold a user name")
	case strings.ContainsAny(s, "?#"):
		return errors.New("must not have a query or fragment")
	case strings.ContainsAny(s, ", \\\t\r\n"):
		return errors.New("must not hold commas, spaces or backslashes")
	}
	return nil
}

// globForm is an absolute URL in which * ** and ? may stand for something, in
// any scheme that apps register: they use underscores too, and some register a
// scheme that nothing follows.
var globForm = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9+._-]*)://([\x21\x24-\x2b\x2d-\x3b\x3d\x3f-\x5b\x5d\x5f\x61-\x7a\x7e]*)$`)

func web(scheme string) bool {
	return strings.EqualFold(scheme, "http") || strings.EqualFold(scheme, "https")
}

// LocalScheme reports whether URLs of a scheme run code or name something in
// the browser. No redirect may go there.
func LocalScheme(scheme string) bool {
	switch strings.ToLower(scheme) {
	case "javascript", "data", "vbscript", "file", "about", "blob", "filesystem", "view-source":
		return true
	}
	return false
}

// allowList accepts URLs with wildcards, separated by commas.
func allowList(s string) error {
	for glob := range strings.SplitSeq(s, ",") {
		if glob = strings.TrimSpace(glob); glob == "" {
			continue
		}
		form := globForm.FindStringSubmatch(glob)
		switch {
		case len(glob) > maxGlob:
			return fmt.Errorf("each URL must have at most %d characters", maxGlob)
		case form == nil, web(form[1]) && form[2] == "":
			return fmt.Errorf("%q is no absolute URL: entries are separated by commas, have a scheme, and * ** and ? as wildcards", glob)
		case LocalScheme(form[1]):
			return fmt.Errorf("the scheme %s is not allowed", form[1])
		}
	}
	return nil
}

var hostForm = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$|^[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*$`)

func host(s string) error {
	if len(s) > 253 || !hostForm.MatchString(s) {
		return errors.New("must be a host name or an IP address")
	}
	return nil
}

func port(s string) error {
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > 65535 || strconv.Itoa(n) != s {
		return errors.New("must be a port from 1 to 65535, as a string")
	}
	return nil
}

// address accepts a bare address (RFC 5322 addr-spec), no display name.
func address(s string) error {
	a, err := mail.ParseAddress(s)
	if err != nil || a.Address != s || len(s) > 254 || strings.ContainsAny(s, " \t\r\n\"<>") {
		return errors.New("must be an e-mail address")
	}
	return nil
}
