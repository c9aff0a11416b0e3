package setting

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strings"
)

// Passkeys is sign-in with a passkey. The relying party that passkeys are for is
// packed, because few projects name one: see Config.RelyingParty.
type Passkeys struct {
	PasskeyEnabled bool
	PasskeyAAL2    bool
}

// RelyingParty is the party that passkeys and security keys of a project are made
// for (WebAuthn Level 3, section 4).
type RelyingParty struct {
	ID      string   // a domain
	Name    string   // for people
	Origins []string // of the pages and apps that may ask for a passkey
}

// RelyingParty returns the project's relying party. What no setting says follows
// from site_url. The id is empty where nothing names a domain.
func (c *Config) RelyingParty() RelyingParty {
	site, host := siteOrigin(c.SiteURL)
	p := RelyingParty{ID: c.text("webauthn_rp_id"), Name: c.text("webauthn_rp_display_name")}
	if p.ID == "" && rpID(host) == nil {
		p.ID = host
	}
	for origin := range strings.SplitSeq(c.text("webauthn_rp_origins"), ",") {
		if origin = strings.TrimSpace(origin); origin != "" {
			p.Origins = append(p.Origins, origin)
		}
	}
	switch {
	case len(p.Origins) > 0 || p.ID == "":
	case host == p.ID || strings.HasSuffix(host, "."+p.ID):
		p.Origins = []string{site}
	default:
		p.Origins = []string{"https://" + p.ID}
	}
	if p.Name == "" {
		p.Name = p.ID
	}
	return p
}

// siteOrigin returns the origin of a URL as browsers write it, and its host.
func siteOrigin(site string) (origin, host string) {
	u, err := url.Parse(site)
	if err != nil {
		return "", ""
	}
	host = strings.ToLower(u.Hostname())
	origin = u.Scheme + "://" + strings.ToLower(u.Host)
	if u.Scheme == "https" {
		origin = strings.TrimSuffix(origin, ":443")
	} else {
		origin = strings.TrimSuffix(origin, ":80")
	}
	return origin, host
}

// passkeys is sign-in with a passkey, and the relying party that it is for.
func passkeys() Group {
	return Group{
		Title: "Passkeys",
		Settings: []Setting{
			{
				Name: "passkey_enabled", Kind: Bool, Public: "passkeys_enabled",
				Field:  func(c *Config) any { return &c.PasskeyEnabled },
				Effect: "Lets users add passkeys, and sign in with them. See [passkeys](passkeys.md).",
			},
			{
				Name: "passkey_aal2_enabled", Kind: Bool,
				Field: func(c *Config) any { return &c.PasskeyAAL2 },
				Effect: "A sign-in with a passkey begins an aal2 session if the device verified the user, by a fingerprint, a face or a PIN, and the user has no verified second factor. " +
					"Otherwise such a sign-in is aal1, like any other.",
			},
			packedText("webauthn_rp_display_name", 128, nil, "Name of the app, which devices may show beside a passkey; empty for the domain."),
			packedText("webauthn_rp_id", 253, optional(rpID), "Domain that passkeys and security keys are made for, such as `example.com`; empty for the host of `site_url`. "+
				"Whoever changes it makes all existing ones useless."),
			packedText("webauthn_rp_origins", 4096, optional(rpOrigins), "Origins of the pages that may use them, separated by commas, such as `https://example.com,https://app.example.com`; "+
				"empty for that of `site_url`. An Android app is `android:apk-key-hash:` and the hash of its certificate."),
		},
		Rules: []Rule{{
			Text:  "`webauthn_rp_id` is required with `passkey_enabled` and with `mfa_web_authn_enroll_enabled` where `site_url` names no domain.",
			Check: relyingPartyKnown,
		}},
	}
}

func relyingPartyKnown(c *Config, _ Secrets) error {
	if (c.PasskeyEnabled || c.WebAuthnEnroll) && c.RelyingParty().ID == "" {
		return errors.New("webauthn_rp_id: is required with passkey_enabled and mfa_web_authn_enroll_enabled, because site_url names no domain")
	}
	return nil
}

var domainForm = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// rpID accepts a domain in the form in which browsers compare it.
func rpID(s string) error {
	labels := strings.Split(s, ".")
	switch {
	case len(s) > 253 || !domainForm.MatchString(s) || net.ParseIP(s) != nil:
		return errors.New("must be a domain in lower case, such as example.com, without scheme and port")
	case len(labels) == 1 && s != "localhost":
		return errors.New("must be a domain below a top-level one, or localhost")
	case strings.Trim(labels[len(labels)-1], "0123456789") == "":
		return errors.New("must be a domain, not an IP address")
	}
	return nil
}

// maxOrigins bounds the origins of a relying party.
const maxOrigins = 20

var androidForm = regexp.MustCompile(`^android:apk-key-hash:[A-Za-z0-9_-]{27,64}$`)

// rpOrigins accepts origins, separated by commas.
func rpOrigins(s string) error {
	n := 0
	for origin := range strings.SplitSeq(s, ",") {
		if origin = strings.TrimSpace(origin); origin == "" {
			continue
		}
		if n++; n > maxOrigins {
			return fmt.Errorf("must have at most %d origins", maxOrigins)
		}
		if androidForm.MatchString(origin) {
			continue
		}
		exact, host := siteOrigin(origin)
		local := host == "localhost" || strings.HasSuffix(host, ".localhost")
		switch {
		case siteURL(origin) != nil || exact != origin:
			return fmt.Errorf("%q is no origin, such as https://example.com", origin)
		case rpID(host) != nil:
			return fmt.Errorf("%q has no domain", origin)
		case !local && !strings.HasPrefix(origin, "https://"):
			return fmt.Errorf("%q must begin with https://", origin)
		}
	}
	return nil
}
