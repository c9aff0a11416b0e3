package thirdparty

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/authz"
	"github.com/reevehq/reeve/internal/connector"
	"github.com/reevehq/reeve/internal/connector/oidc"
	"github.com/reevehq/reeve/internal/control/text"
	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/internal/outbound"
	"github.com/reevehq/reeve/internal/web/control"
	"github.com/reevehq/reeve/tenants"
)

// maxIssuers is the limit of issuers that a project trusts.
const maxIssuers = 10

// The errors.
var (
	ErrLimit = fault.New(fault.Conflict, "third_party_auth_limit_reached", "The project trusts its maximum of 10 issuers")
	// ErrUnresolved is returned for an issuer whose keys cannot be fetched; the
	// message says why.
	ErrUnresolved = fault.New(fault.Invalid, "third_party_auth_unresolved", "The keys of the issuer cannot be fetched")
	// ErrToken is returned for a token that no trusted issuer has signed, or that has
	// expired.
	ErrToken = fault.New(fault.Invalid, "bad_jwt", "The token is not valid, or of no issuer that the project trusts")
)

// Service implements the rules of trusted issuers.
type Service struct {
	DB    *controldb.DB
	Authz *authz.Authorizer
	OIDC  *oidc.Client
	// Ours reports whether an issuer is a project of this installation.
	Ours func(issuer string) bool
	// PlainHTTP allows addresses without TLS, for development.
	PlainHTTP bool
	Now       func() time.Time
}

// Create begins to trust an issuer, whose keys it fetches first. Faults:
// validation_failed, conflict, ErrLimit, ErrUnresolved.
func (s *Service) Create(ctx context.Context, actor authz.Actor, ref string, b CreateBody) (*Issuer, error) {
	p, err := s.Authz.Project(ctx, actor, authz.WriteAuthConfig, ref)
	if err != nil {
		return nil, err
	}
	row, err := s.resolve(ctx, p.Ref, b)
	if err != nil {
		return nil, err
	}
	var out Issuer
	err = s.DB.Tx(ctx, func(tx *controldb.Tx) error {
		if _, err := tx.LockProject(ctx, p.Ref); err != nil {
			return err
		}
		have, err := tx.ThirdParties(ctx, p.Ref)
		if err != nil {
			return err
		}
		if len(have) >= maxIssuers {
			return ErrLimit
		}
		created, err := tx.CreateThirdParty(ctx, row)
		if err != nil {
			return err
		}
		out = onWire(created)
		return control.Remember(ctx, tx, out)
	})
	return &out, err
}

// resolve checks what is to be trusted, and finds its keys.
func (s *Service) resolve(ctx context.Context, ref tenants.Ref, b CreateBody) (controldb.ThirdParty, error) {
	row := controldb.ThirdParty{
		ID: uuid.New(), Ref: string(ref), Issuer: b.OIDCIssuer, JWKSURL: b.JWKSURL, KeysURL: b.JWKSURL, Audiences: b.Audiences,
	}
	for name, address := range map[string]string{"oidc_issuer_url": b.OIDCIssuer, "jwks_url": b.JWKSURL} {
		if address != "" && !s.sound(address) {
			return row, text.Invalid("%s: must be an absolute https URL", name)
		}
	}
	switch {
	case b.OIDCIssuer == "" && b.JWKSURL == "" && b.CustomJWKS == nil:
		return row, text.Invalid("oidc_issuer_url, jwks_url or custom_jwks: one must be given")
	case b.JWKSURL != "" && b.CustomJWKS != nil:
		return row, text.Invalid("custom_jwks: not beside jwks_url")
	case s.Ours(b.OIDCIssuer):
		return row, text.Invalid("oidc_issuer_url: is a project of this installation")
	}
	for _, a := range b.Audiences {
		if a == "" || len(a) > 512 {
			return row, text.Invalid("audiences: each must have 1 to 512 characters")
		}
	}
	if row.Audiences == nil {
		row.Audiences = []string{}
	}
	var err error
	switch {
	case b.CustomJWKS != nil:
		row.CustomJWKS, err = given(b.CustomJWKS)
		row.Resolved = row.CustomJWKS
	case b.JWKSURL == "":
		var d oidc.Discovery
		if d, err = s.OIDC.Discover(ctx, string(ref), b.OIDCIssuer, ""); err != nil {
			return row, unresolved(err)
		}
		row.KeysURL = d.KeysURL
		fallthrough
	default:
		if row.Resolved, err = s.OIDC.KeysAt(ctx, string(ref), row.KeysURL); err != nil {
			return row, unresolved(err)
		}
	}
	now := s.Now()
	row.ResolvedAt = &now
	return row, err
}

// given reads a key set of a request. Private members never get further: only the
// public halves are kept.
func given(set *GivenSet) ([]json.RawMessage, error) {
	raw := make([]json.RawMessage, len(set.Keys))
	for i, k := range set.Keys {
		for _, private := range []string{"d", "k"} {
			if _, ok := k[private]; ok {
				return nil, text.Invalid("custom_jwks: has a private or symmetric key; whoever had it could sign tokens")
			}
		}
		b, err := json.Marshal(k)
		if err != nil {
			return nil, text.Invalid("custom_jwks: %v", err)
		}
		raw[i] = b
	}
	keys, err := oidc.PublicKeys(raw)
	if err != nil {
		return nil, text.Invalid("custom_jwks: has no public RSA, EC or Ed25519 key")
	}
	return keys, nil
}

func unresolved(err error) error {
	f := fault.From(err)
	if errors.Is(err, outbound.ErrRefusedAddress) {
		return ErrUnresolved.Saying("The keys of the issuer cannot be fetched: its address is not a public one").Because(err)
	}
	if f.Err != nil {
		return ErrUnresolved.Saying("The keys of the issuer cannot be fetched: " + f.Err.Error()).Because(err)
	}
	return ErrUnresolved.Because(err)
}

func (s *Service) sound(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Host != "" && u.User == nil && u.Fragment == "" && u.RawQuery == "" &&
		(u.Scheme == "https" || u.Scheme == "http" && s.PlainHTTP)
}

// List returns the issuers that the project trusts, the oldest first.
func (s *Service) List(ctx context.Context, actor authz.Actor, ref string) ([]controldb.ThirdParty, error) {
	p, err := s.Authz.Project(ctx, actor, authz.ReadAuthConfig, ref)
	if err != nil {
		return nil, err
	}
	return s.DB.ThirdParties(ctx, p.Ref)
}

// Get returns an issuer; controldb.ErrNoThirdParty.
func (s *Service) Get(ctx context.Context, actor authz.Actor, ref, id string) (controldb.ThirdParty, error) {
	p, err := s.Authz.Project(ctx, actor, authz.ReadAuthConfig, ref)
	if err != nil {
		return controldb.ThirdParty{}, err
	}
	parsed, err := uuid.Parse(id)
	if err != nil {
		return controldb.ThirdParty{}, controldb.ErrNoThirdParty
	}
	return s.DB.ThirdPartyByID(ctx, p.Ref, parsed)
}

// Delete ends the trust in an issuer, and returns it.
func (s *Service) Delete(ctx context.Context, actor authz.Actor, ref, id string) (controldb.ThirdParty, error) {
	p, err := s.Authz.Project(ctx, actor, authz.WriteAuthConfig, ref)
	if err != nil {
		return controldb.ThirdParty{}, err
	}
	parsed, err := uuid.Parse(id)
	if err != nil {
		return controldb.ThirdParty{}, controldb.ErrNoThirdParty
	}
	var row controldb.ThirdParty
	err = s.DB.Tx(ctx, func(tx *controldb.Tx) error {
		if row, err = tx.ThirdPartyByID(ctx, p.Ref, parsed); err != nil {
			return err
		}
		return tx.DeleteThirdParty(ctx, p.Ref, parsed)
	})
	return row, err
}

// Claims returns the claims of a token that an issuer has signed which the project
// trusts; ErrToken, or connector.ErrUnavailable while the issuer's keys cannot be
// fetched. The claim role is authenticated or anon, which it is without one: no
// issuer makes anybody more.
func (s *Service) Claims(ctx context.Context, ref tenants.Ref, raw string) (map[string]any, error) {
	trusted, err := s.DB.ThirdParties(ctx, ref)
	if err != nil {
		return nil, err
	}
	issuer := oidc.UnverifiedIssuer(raw)
	if s.Ours(issuer) {
		return nil, ErrToken
	}
	why := error(ErrToken)
	for _, t := range trusted {
		if t.Issuer != "" && t.Issuer != issuer {
			continue
		}
		claims, err := s.OIDC.VerifyAccess(ctx, string(ref), oidc.Trust{Issuer: t.Issuer, KeysURL: t.KeysURL, Keys: t.CustomJWKS}, raw)
		switch {
		case errors.Is(err, connector.ErrUnavailable):
			why = err
		case err != nil:
			why = ErrToken.Because(err)
		case !audience(claims["aud"], t.Audiences):
			why = ErrToken.Saying("The token is for another audience")
		default:
			if role := claims["role"]; role != "authenticated" {
				claims["role"] = "anon"
			}
			return claims, nil
		}
	}
	return nil, why
}

// audience reports whether a claim aud has one of those wanted.
func audience(aud any, wanted []string) bool {
	if len(wanted) == 0 {
		return true
	}
	switch a := aud.(type) {
	case string:
		return slices.Contains(wanted, a)
	case []any:
		return slices.ContainsFunc(a, func(v any) bool { s, ok := v.(string); return ok && slices.Contains(wanted, s) })
	}
	return false
}
