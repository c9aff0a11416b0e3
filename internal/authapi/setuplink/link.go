package setuplink

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/audit"
	"github.com/reevehq/reeve/internal/authapi/sso"
	"github.com/reevehq/reeve/internal/ratelimit"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

const (
	tokenPrefix = "setup_"
	secretBytes = 32
	defaultTTL  = 7 * 24 * time.Hour
	maxTTL      = 30 * 24 * time.Hour
	maxOpen     = 200
	maxListed   = 500
	maxName     = 200 // characters
)

// Service makes links, and does what they are for.
type Service struct {
	Connections sso.Service
	// CreateSCIMToken makes a token for the directory of a connection, beside those that
	// it has; nil for no SCIM.
	CreateSCIMToken func(ctx context.Context, sc *tenants.Scope, connection uuid.UUID) (string, error)
	// PageURL is where links lead, without the project's ref.
	PageURL string
	Limiter *ratelimit.Limiter
	Now     func() time.Time
}

// Create makes a link. auth.ErrValidation, auth.ErrSAMLOff, auth.ErrSSOProviderNotFound,
// auth.ErrSetupLive, auth.ErrSSODomainExists, auth.ErrSetupLinks.
func (s Service) Create(ctx context.Context, sc *tenants.Scope, r *auth.SetupLinkRequest) (*auth.NewSetupLink, error) {
	now := s.Now().Truncate(time.Microsecond)
	l, err := newLink(r, now)
	if err != nil {
		return nil, err
	}
	if !sc.Tenant.Config.SAMLEnabled {
		return nil, auth.ErrSAMLOff
	}
	if r.Provider != nil {
		p, err := s.Connections.Provider(ctx, sc, l.Provider)
		if err != nil {
			return nil, err
		}
		if err := fits(&l, p); err != nil {
			return nil, err
		}
	}
	if err := s.Connections.DomainsFree(ctx, sc, l.Domains); err != nil {
		return nil, err
	}
	l.CreatedBy = string(tenants.RoleService)
	if sc.Member != nil {
		l.CreatedBy = sc.Member.Name
	}
	secret := make([]byte, secretBytes)
	_, _ = rand.Read(secret) // never fails
	l.Digest = digest(sc, l.ID, secret)
	err = sc.DB.Tx(ctx, func(tx *tenantdb.Tx) error {
		created, err := tx.CreateSetupLink(ctx, &l, maxOpen)
		if err == nil && !created {
			err = auth.ErrSetupLinks
		}
		if err != nil {
			return err
		}
		return audit.Service(ctx, tx, sc, auth.ActionSetupLinkCreated, traits(&l), now)
	})
	if err != nil {
		return nil, err
	}
	l.State = state(&l, now)
	token := tokenPrefix + base64.RawURLEncoding.EncodeToString(append(l.ID[:], secret...))
	return &auth.NewSetupLink{SetupLink: l, URL: s.PageURL + "/" + string(sc.Tenant.Ref) + "#" + token}, nil
}

// newLink reads a request.
func newLink(r *auth.SetupLinkRequest, now time.Time) (l auth.SetupLink, err error) {
	l = auth.SetupLink{
		ID: uuid.New(), Provider: uuid.New(), Creates: r.Provider == nil, Name: strings.TrimSpace(r.Name), Done: []string{}, Domains: []string{},
		CreatedAt: now, ExpiresAt: now.Add(defaultTTL),
	}
	if r.Provider != nil {
		l.Provider = *r.Provider
	}
	for _, intent := range auth.SetupIntents {
		if slices.Contains(r.Intents, intent) {
			l.Intents = append(l.Intents, intent)
		}
	}
	known := !slices.ContainsFunc(r.Intents, func(i string) bool { return !slices.Contains(auth.SetupIntents, i) })
	certificate := slices.Contains(l.Intents, auth.SetupCertificate)
	connects := slices.Contains(l.Intents, auth.SetupSSO)
	switch {
	case len(l.Intents) == 0 || !known:
		return l, invalid("intents must be some of %s", strings.Join(auth.SetupIntents, ", "))
	case connects && certificate:
		return l, invalid("intents: sso is for a connection that is off, certificate for one that is on")
	case l.Creates && !connects:
		return l, invalid("intents must have sso, or provider_id name the connection")
	case utf8.RuneCountInString(l.Name) > maxName || !utf8.ValidString(l.Name) || strings.ContainsFunc(l.Name, unicode.IsControl):
		return l, invalid("name can have at most %d characters", maxName)
	case l.Creates && l.Name == "":
		return l, invalid("name must be that of the company")
	case !l.Creates && len(r.Domains) > 0:
		return l, invalid("domains are those of a new connection")
	case r.ExpiresIn < 0 || r.ExpiresIn > int(maxTTL.Seconds()):
		return l, invalid("expires_in must be at most %d seconds", int(maxTTL.Seconds()))
	case r.ExpiresIn > 0:
		l.ExpiresAt = now.Add(time.Duration(r.ExpiresIn) * time.Second)
	}
	if l.Creates {
		l.Domains, err = sso.CleanDomains(r.Domains)
	}
	return l, err
}

// fits checks a link against its connection, and names it. auth.ErrSetupLive,
// auth.ErrValidation.
func fits(l *auth.SetupLink, p *auth.SSOProvider) error {
	if l.Name == "" {
		l.Name = p.Label()
	}
	switch {
	case slices.Contains(l.Intents, auth.SetupSSO) && p.On():
		return auth.ErrSetupLive
	case p.SAML == nil && slices.Contains(l.Intents, auth.SetupCertificate):
		return invalid("intents: certificate is of SAML, which the connection does not speak")
	}
	return nil
}

// digest is what is stored of a token. The key is not in the project's database, and not
// a branch's, so that a copy of the row admits nobody.
func digest(sc *tenants.Scope, link uuid.UUID, secret []byte) []byte {
	mac := hmac.New(sha256.New, sc.Tenant.Secrets.OTPKey)
	mac.Write([]byte("sso setup link\x00"))
	mac.Write(link[:])
	mac.Write(secret)
	return mac.Sum(nil)
}

// state is auth.SetupLink.State.
func state(l *auth.SetupLink, now time.Time) string {
	switch {
	case l.RevokedAt != nil:
		return "revoked"
	case len(l.Done) >= len(l.Intents):
		return "used"
	case !now.Before(l.ExpiresAt):
		return "expired"
	default:
		return "open"
	}
}

// List returns the project's links, the newest first; never nil.
func (s Service) List(ctx context.Context, sc *tenants.Scope) (list []auth.SetupLink, err error) {
	err = sc.DB.Do(ctx, func(tx *tenantdb.Tx) error {
		list, err = tx.SetupLinks(ctx, maxListed)
		return err
	})
	if list == nil {
		list = []auth.SetupLink{}
	}
	now := s.Now()
	for i := range list {
		list[i].State = state(&list[i], now)
	}
	return list, err
}

// Revoke ends a link at once, and returns it; auth.ErrSetupLinkNotFound. One that has
// ended stays as it is.
func (s Service) Revoke(ctx context.Context, sc *tenants.Scope, id uuid.UUID) (*auth.SetupLink, error) {
	now := s.Now().Truncate(time.Microsecond)
	var l auth.SetupLink
	err := sc.DB.Tx(ctx, func(tx *tenantdb.Tx) (err error) {
		if l, err = tx.SetupLink(ctx, id, true); err != nil || state(&l, now) != "open" {
			return err
		}
		l.RevokedAt = &now
		if err := tx.PutSetupLink(ctx, &l); err != nil {
			return err
		}
		return audit.Service(ctx, tx, sc, auth.ActionSetupLinkRevoked, traits(&l), now)
	})
	l.State = state(&l, now)
	return &l, err
}

func traits(l *auth.SetupLink) audit.Traits {
	return audit.Traits{"setup_link_id": l.ID.String(), "provider": auth.SSOPrefix + l.Provider.String(), "name": l.Name, "intents": l.Intents}
}

func invalid(format string, args ...any) error {
	return auth.ErrValidation.Saying(fmt.Sprintf(format, args...))
}
