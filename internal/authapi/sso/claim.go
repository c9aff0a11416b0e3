package sso

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"golang.org/x/net/publicsuffix"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/audit"
	"github.com/reevehq/reeve/internal/message"
	"github.com/reevehq/reeve/internal/projectlog"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// A domain leads to a connection when it is proved, or when the project's developers say
// so (Attributes.Domains). It is proved by a DNS record, which is looked up again each
// day, or by a mail to the people who run the domain. A second connection gets a domain
// that is another's when that one agrees; then people choose.
const (
	recordHost   = "_reeve-challenge."
	recordPrefix = "reeve-domain-verification="

	maxClaims     = 100
	lookupTimeout = 10 * time.Second
	proofMailTTL  = 24 * time.Hour
	// recheckAfter is how old the proof of a record may be, and goneFor how long a record
	// may be away before the proof is none.
	recheckAfter = 24 * time.Hour
	goneFor      = 7 * 24 * time.Hour
	maxRechecks  = 200
)

// mailboxes are the addresses of a domain that only those who run it can read
// (RFC 2142).
var mailboxes = []string{"admin", "administrator", "hostmaster", "postmaster", "security", "webmaster"}

// webmail are domains of which anybody has an address.
var webmail = []string{
	"gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "live.com", "msn.com", "yahoo.com", "ymail.com", "icloud.com", "me.com",
	"aol.com", "gmx.com", "gmx.de", "gmx.net", "web.de", "mail.com", "mail.ru", "yandex.com", "yandex.ru", "proton.me", "protonmail.com",
	"zoho.com", "qq.com", "163.com", "126.com", "t-online.de", "orange.fr", "free.fr", "libero.it",
}

// Resolver looks up DNS records; *net.Resolver is one.
type Resolver interface {
	LookupTXT(ctx context.Context, name string) ([]string, error)
}

// ResolverAt asks the DNS server at an address, host:port; those of the machine if it is
// empty.
func ResolverAt(address string) *net.Resolver {
	if address == "" {
		return net.DefaultResolver
	}
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, network, address)
	}}
}

// cleanDomain checks a domain that somebody claims.
func cleanDomain(name string) (string, error) {
	name = strings.TrimSuffix(strings.ToLower(strings.TrimSpace(name)), ".")
	if len(name) > 253 || !domainForm.MatchString(name) {
		return "", invalid("%.100q is not a domain", name)
	}
	if suffix, _ := publicsuffix.PublicSuffix(name); suffix == name || slices.Contains(webmail, name) {
		return "", auth.ErrDomainPublic
	}
	return name, nil
}

// view is a claim for an answer.
func view(c *tenantdb.Claim) auth.SSOClaim {
	out := c.SSOClaim
	out.RecordName, out.RecordValue = recordHost+c.Domain, recordPrefix+c.Token
	if c.Owner != nil && *c.Owner != c.Provider {
		out.HeldBy = c.Owner
	}
	switch {
	case c.Proof == "":
		out.State = auth.ClaimPending
	case !c.Routes && c.Owner != nil:
		out.State = auth.ClaimConsent
	case !c.Routes:
		out.State = auth.ClaimUnrouted
	case c.FailingSince != nil:
		out.State = auth.ClaimFailing
	default:
		out.State = auth.ClaimActive
	}
	return out
}

// Claims returns the domains of a connection: those that it claims, and those of which
// the project's developers say that they are its.
func (s Service) Claims(ctx context.Context, sc *tenants.Scope, id uuid.UUID) ([]auth.SSOClaim, error) {
	out := []auth.SSOClaim{}
	err := sc.DB.Do(ctx, func(tx *tenantdb.Tx) error {
		p, err := tx.SSOProvider(ctx, id, false)
		if err != nil {
			return err
		}
		list, err := tx.SSOClaims(ctx, id, maxClaims)
		if err != nil {
			return err
		}
		for i := range list {
			out = append(out, view(&list[i]))
		}
		for _, d := range p.Domains {
			name := strings.ToLower(d.Domain)
			if !slices.ContainsFunc(out, func(c auth.SSOClaim) bool { return c.Domain == name }) {
				out = append(out, auth.SSOClaim{Provider: id, Domain: name, State: auth.ClaimActive, Proof: auth.ProofDeveloper, CreatedAt: d.CreatedAt})
			}
		}
		return nil
	})
	slices.SortFunc(out, func(a, b auth.SSOClaim) int { return strings.Compare(a.Domain, b.Domain) })
	return out, err
}

// Claim begins the proof of a domain, or returns how it stands. auth.ErrDomainPublic,
// auth.ErrClaims, auth.ErrValidation, auth.ErrSSOProviderNotFound.
func (s Service) Claim(ctx context.Context, sc *tenants.Scope, id uuid.UUID, name string) (*auth.SSOClaim, error) {
	domain, err := cleanDomain(name)
	if err != nil {
		return nil, err
	}
	secret := make([]byte, 20)
	_, _ = rand.Read(secret) // never fails
	return s.changeClaim(ctx, sc, id, domain, func(tx *tenantdb.Tx, p *auth.SSOProvider) error {
		room, err := tx.CreateSSOClaim(ctx, id, domain, hex.EncodeToString(secret), s.Now(), maxClaims)
		if err == nil && !room {
			err = auth.ErrClaims
		}
		if err != nil {
			return err
		}
		return s.audit(ctx, tx, sc, p, auth.ActionSSODomainClaimed)
	})
}

// changeClaim changes a claim with its connection locked, and returns it.
func (s Service) changeClaim(ctx context.Context, sc *tenants.Scope, id uuid.UUID, domain string, change func(tx *tenantdb.Tx, p *auth.SSOProvider) error) (*auth.SSOClaim, error) {
	var out auth.SSOClaim
	err := sc.DB.Tx(ctx, func(tx *tenantdb.Tx) error {
		p, err := tx.SSOProvider(ctx, id, true)
		if err != nil {
			return err
		}
		if err := change(tx, &p); err != nil {
			return err
		}
		c, err := tx.SSOClaim(ctx, id, domain)
		out = view(&c)
		return err
	})
	return &out, err
}

func (s Service) claim(ctx context.Context, sc *tenants.Scope, id uuid.UUID, domain string) (c tenantdb.Claim, err error) {
	err = sc.DB.Do(ctx, func(tx *tenantdb.Tx) error {
		c, err = tx.SSOClaim(ctx, id, domain)
		return err
	})
	return c, err
}

// CheckClaim looks for the record that proves a domain. auth.ErrClaimNotFound,
// auth.ErrDomainUnproved, auth.ErrDomainLookup.
func (s Service) CheckClaim(ctx context.Context, sc *tenants.Scope, id uuid.UUID, name string) (*auth.SSOClaim, error) {
	domain := strings.ToLower(name)
	c, err := s.claim(ctx, sc, id, domain)
	if err != nil {
		return nil, err
	}
	if err := s.lookUpRecord(ctx, &c); err != nil {
		return nil, err
	}
	return s.prove(ctx, sc, id, domain, auth.ProofDNS)
}

func (s Service) prove(ctx context.Context, sc *tenants.Scope, id uuid.UUID, domain, proof string) (*auth.SSOClaim, error) {
	return s.changeClaim(ctx, sc, id, domain, func(tx *tenantdb.Tx, p *auth.SSOProvider) error {
		if _, err := tx.SSOClaim(ctx, id, domain); err != nil {
			return err
		}
		if err := tx.ProveSSOClaim(ctx, id, domain, proof, s.Now()); err != nil {
			return err
		}
		return s.audit(ctx, tx, sc, p, auth.ActionSSODomainProved)
	})
}

// lookUpRecord looks for the record of a claim. auth.ErrDomainUnproved where the name
// servers say that it is not there, auth.ErrDomainLookup where they say nothing.
func (s Service) lookUpRecord(ctx context.Context, c *tenantdb.Claim) error {
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	records, err := s.Resolver.LookupTXT(ctx, recordHost+c.Domain+".")
	var failed *net.DNSError
	switch {
	case errors.As(err, &failed) && failed.IsNotFound:
		return auth.ErrDomainUnproved.Because(err).Saying("There is no TXT record " + recordHost + c.Domain + " yet. New records can take an hour to be seen.")
	case err != nil:
		return auth.ErrDomainLookup.Because(err)
	}
	for _, r := range records {
		if hmac.Equal([]byte(strings.TrimSpace(r)), []byte(recordPrefix+c.Token)) {
			return nil
		}
	}
	return auth.ErrDomainUnproved.Saying("The TXT record " + recordHost + c.Domain + " has another value than " + recordPrefix + c.Token)
}

// DropClaim takes a domain from a connection, claimed or not; auth.ErrClaimNotFound.
func (s Service) DropClaim(ctx context.Context, sc *tenants.Scope, id uuid.UUID, name string) error {
	return s.dropClaim(ctx, sc, id, name, false)
}

// DropClaimOfMany is DropClaim, except that a connection that is on keeps its last
// domain, because without any it could speak for every address: auth.ErrDomainLast.
func (s Service) DropClaimOfMany(ctx context.Context, sc *tenants.Scope, id uuid.UUID, name string) error {
	return s.dropClaim(ctx, sc, id, name, true)
}

func (s Service) dropClaim(ctx context.Context, sc *tenants.Scope, id uuid.UUID, name string, keepLast bool) error {
	return sc.DB.Tx(ctx, func(tx *tenantdb.Tx) error {
		p, err := tx.SSOProvider(ctx, id, true)
		if err != nil {
			return err
		}
		if err := tx.DeleteSSOClaim(ctx, id, strings.ToLower(name)); err != nil {
			return err
		}
		if keepLast && p.On() {
			left, err := tx.SSOProviderHasDomain(ctx, id)
			if err != nil {
				return err
			}
			if !left {
				return auth.ErrDomainLast
			}
		}
		return s.audit(ctx, tx, sc, &p, auth.ActionSSODomainDropped)
	})
}

// Consent lets another connection have a domain that a connection has: people choose
// between both. auth.ErrClaimConsent.
func (s Service) Consent(ctx context.Context, sc *tenants.Scope, owner, other uuid.UUID, name string) (*auth.SSOClaim, error) {
	domain := strings.ToLower(name)
	return s.changeClaim(ctx, sc, other, domain, func(tx *tenantdb.Tx, p *auth.SSOProvider) error {
		if err := tx.ConsentSSOClaim(ctx, owner, other, domain, s.Now()); err != nil {
			return err
		}
		return s.audit(ctx, tx, sc, p, auth.ActionSSODomainShared)
	})
}

// Awaiting returns the claims of others that a connection can agree to.
func (s Service) Awaiting(ctx context.Context, sc *tenants.Scope, owner uuid.UUID) ([]auth.SSOClaim, error) {
	out := []auth.SSOClaim{}
	err := sc.DB.Do(ctx, func(tx *tenantdb.Tx) error {
		list, err := tx.ClaimsAwaiting(ctx, owner, maxClaims)
		for i := range list {
			v := view(&list[i])
			v.RecordName, v.RecordValue = "", ""
			out = append(out, v)
		}
		return err
	})
	return out, err
}

// MailClaim asks the people who run a domain, by a mail to one of their mailboxes.
// auth.ErrClaimNotFound, auth.ErrDomainMailboxes, auth.ErrEmailRate.
func (s Service) MailClaim(ctx context.Context, sc *tenants.Scope, id uuid.UUID, name, mailbox string) error {
	domain := strings.ToLower(name)
	if !slices.Contains(mailboxes, mailbox) {
		return auth.ErrDomainMailboxes
	}
	var p auth.SSOProvider
	var c tenantdb.Claim
	err := sc.DB.Do(ctx, func(tx *tenantdb.Tx) (err error) {
		if p, err = tx.SSOProvider(ctx, id, false); err != nil {
			return err
		}
		c, err = tx.SSOClaim(ctx, id, domain)
		return err
	})
	if err != nil {
		return err
	}
	link := sc.Tenant.Issuer() + "/sso/domains/verify?" + s.proofLink(sc, &c).Encode()
	data := message.Data{SendingTo: mailbox + "@" + domain, ConfirmationURL: link, Provider: p.Name, ExpiresIn: proofMailTTL}
	return s.Mailer.PostTo(ctx, sc, message.DomainProof, data, func(tx *tenantdb.Tx) error {
		return s.audit(ctx, tx, sc, &p, auth.ActionSSODomainMailed)
	})
}

// proofLink is the query of the link in a mail. It is bound to the claim by the claim's
// token: one that is dropped and made again has another.
func (s Service) proofLink(sc *tenants.Scope, c *tenantdb.Claim) url.Values {
	until := strconv.FormatInt(s.Now().Add(proofMailTTL).Unix(), 10)
	return url.Values{"connection": {c.Provider.String()}, "domain": {c.Domain}, "until": {until}, "token": {proofMAC(sc, c, until)}}
}

func proofMAC(sc *tenants.Scope, c *tenantdb.Claim, until string) string {
	mac := hmac.New(sha256.New, sc.Tenant.Secrets.OTPKey)
	mac.Write([]byte("sso domain proof\x00" + c.Provider.String() + "\x00" + c.Domain + "\x00" + c.Token + "\x00" + until))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// Proof is what the link of a mail says.
type Proof struct {
	Connection           uuid.UUID
	Domain, Until, Token string
}

// CheckProof checks a link, and returns the connection that asks; auth.ErrDomainLink.
func (s Service) CheckProof(ctx context.Context, sc *tenants.Scope, link Proof) (*auth.SSOProvider, error) {
	var p auth.SSOProvider
	var c tenantdb.Claim
	err := sc.DB.Do(ctx, func(tx *tenantdb.Tx) (err error) {
		if c, err = tx.SSOClaim(ctx, link.Connection, link.Domain); err != nil {
			return err
		}
		p, err = tx.SSOProvider(ctx, link.Connection, false)
		return err
	})
	if errors.Is(err, auth.ErrClaimNotFound) || errors.Is(err, auth.ErrSSOProviderNotFound) {
		return nil, auth.ErrDomainLink.Because(err)
	}
	if err != nil {
		return nil, err
	}
	until, err := strconv.ParseInt(link.Until, 10, 64)
	if err != nil || !hmac.Equal([]byte(link.Token), []byte(proofMAC(sc, &c, link.Until))) || s.Now().Unix() > until {
		return nil, auth.ErrDomainLink
	}
	return &p, nil
}

// AcceptProof proves a domain by the link of a mail; auth.ErrDomainLink.
func (s Service) AcceptProof(ctx context.Context, sc *tenants.Scope, link Proof) error {
	if _, err := s.CheckProof(ctx, sc, link); err != nil {
		return err
	}
	_, err := s.prove(ctx, sc, link.Connection, link.Domain, auth.ProofMail)
	return err
}

// Recheck looks again for the records of proved domains. One that has been away for a
// week proves nothing any more. Name servers that give no answer change nothing.
func (s Service) Recheck(ctx context.Context, sc *tenants.Scope, log *projectlog.Log) error {
	var list []tenantdb.Claim
	now := s.Now()
	err := sc.DB.Do(ctx, func(tx *tenantdb.Tx) (err error) {
		list, err = tx.ClaimsToCheck(ctx, now.Add(-recheckAfter), maxRechecks)
		return err
	})
	if err != nil {
		return err
	}
	var failed []error
	for i := range list {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		failed = append(failed, s.recheck(ctx, sc, log, &list[i], now))
	}
	return errors.Join(failed...)
}

func (s Service) recheck(ctx context.Context, sc *tenants.Scope, log *projectlog.Log, c *tenantdb.Claim, now time.Time) error {
	found := s.lookUpRecord(ctx, c)
	over := false
	err := sc.DB.Tx(ctx, func(tx *tenantdb.Tx) (err error) {
		switch {
		case found == nil:
			return tx.RenewSSOClaim(ctx, c.Provider, c.Domain, now)
		case !errors.Is(found, auth.ErrDomainUnproved):
			return nil
		}
		if over, err = tx.FailSSOClaim(ctx, c.Provider, c.Domain, now.Add(-goneFor), now); err != nil || !over {
			return err
		}
		return audit.Service(ctx, tx, sc, auth.ActionSSODomainLost, audit.Traits{"provider": auth.SSOPrefix + c.Provider.String(), "domain": c.Domain}, now)
	})
	if errors.Is(err, auth.ErrClaimNotFound) {
		return nil
	}
	if err == nil && errors.Is(found, auth.ErrDomainUnproved) && log != nil {
		entry := projectlog.Entry{
			Project: string(sc.Tenant.Ref), Level: projectlog.Warning, Code: "sso_domain_failing",
			Message: "The DNS record that proves a domain of an enterprise connection is not there any more. After a week without it the domain leads to the connection no more.",
			Detail:  map[string]any{"domain": c.Domain, "provider": auth.SSOPrefix + c.Provider.String()},
		}
		if over {
			entry.Code, entry.Message = "sso_domain_lost", "A domain leads to an enterprise connection no more, because its DNS record has been away for a week."
		}
		log.Add(ctx, entry)
	}
	return err
}
