package sso

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/saml"
	"github.com/reevehq/reeve/internal/secret"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// The keys of a project's service provider are in its database, sealed by a key that is
// not. The first one is made when it is first needed; which one signs, and which are
// published, is by their order: the oldest signs.

// storedKey is what is sealed.
type storedKey struct {
	Private     []byte `json:"private_key"` // PKCS #8
	Certificate []byte `json:"certificate"`
}

func keyPlace(id uuid.UUID) string { return "saml key/" + id.String() }

// service returns the project's service provider with its keys.
func (s Service) service(ctx context.Context, sc *tenants.Scope) (*saml.Service, error) {
	keys, err := s.keys(ctx, sc)
	if err != nil {
		return nil, err
	}
	return s.serviceOf(sc, keys), nil
}

func (s Service) serviceOf(sc *tenants.Scope, keys []saml.Key) *saml.Service {
	own := sc.Tenant.Issuer() + "/sso/saml/"
	at, others := own, []string(nil)
	if known := sc.Tenant.Config.SAMLExternalURL; known != "" {
		at, others = known+"/sso/saml/", []string{own}
	}
	sp := &saml.Service{EntityID: at + "metadata", ACS: at + "acs", Logout: at + "slo", Keys: keys, Now: s.Now()}
	for _, o := range others {
		sp.Others = append(sp.Others, saml.Service{EntityID: o + "metadata", ACS: o + "acs", Logout: o + "slo"})
	}
	return sp
}

// self is the service provider as responses must know it.
func self(sp *saml.Service, decrypts bool) saml.Self {
	me := saml.Self{EntityIDs: []string{sp.EntityID}, ACS: []string{sp.ACS}}
	for _, o := range sp.Others {
		me.EntityIDs, me.ACS = append(me.EntityIDs, o.EntityID), append(me.ACS, o.ACS)
	}
	if decrypts {
		for _, k := range sp.Keys {
			me.Keys = append(me.Keys, k.Private)
		}
	}
	return me
}

// Metadata returns the metadata of the project's service provider; auth.ErrSAMLOff.
func (s Service) Metadata(ctx context.Context, sc *tenants.Scope) ([]byte, error) {
	if !sc.Tenant.Config.SAMLEnabled {
		return nil, auth.ErrSAMLOff
	}
	sp, err := s.service(ctx, sc)
	if err != nil {
		return nil, err
	}
	return sp.Metadata(nameIDFormats)
}

func (s Service) keys(ctx context.Context, sc *tenants.Scope) ([]saml.Key, error) {
	sealed, err := s.sealedKeys(ctx, sc)
	if err != nil {
		return nil, err
	}
	if len(sealed) == 0 {
		if err := s.makeKey(ctx, sc); err != nil {
			return nil, err
		}
		if sealed, err = s.sealedKeys(ctx, sc); err != nil {
			return nil, err
		}
	}
	return openKeys(sc.Tenant, sealed)
}

func openKeys(t *tenants.Tenant, sealed []tenantdb.SAMLKey) ([]saml.Key, error) {
	keys := make([]saml.Key, 0, len(sealed))
	for _, k := range sealed {
		key, err := openKey(t, k)
		if err != nil {
			return nil, err
		}
		keys = append(keys, *key)
	}
	if len(keys) == 0 {
		return nil, errors.New("the project has no SAML key")
	}
	return keys, nil
}

func (s Service) sealedKeys(ctx context.Context, sc *tenants.Scope) (list []tenantdb.SAMLKey, err error) {
	err = sc.DB.Do(ctx, func(tx *tenantdb.Tx) error {
		list, err = tx.SAMLKeys(ctx)
		return err
	})
	return list, err
}

// makeKey makes the project's first key. Of several requests at once the first one's
// stays.
func (s Service) makeKey(ctx context.Context, sc *tenants.Scope) error {
	k, err := s.newKey(sc)
	if err != nil {
		return err
	}
	return sc.DB.Do(ctx, func(tx *tenantdb.Tx) error { return tx.AddFirstSAMLKey(ctx, *k) })
}

// newKey makes a key and seals it.
func (s Service) newKey(sc *tenants.Scope) (*tenantdb.SAMLKey, error) {
	key, err := saml.NewKey(string(sc.Tenant.Ref), s.Now())
	if err != nil {
		return nil, err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key.Private)
	if err != nil {
		return nil, fmt.Errorf("encode SAML key: %w", err)
	}
	raw, err := json.Marshal(storedKey{Private: private, Certificate: key.Certificate.Raw})
	if err != nil {
		return nil, fmt.Errorf("encode SAML key: %w", err)
	}
	id := uuid.New()
	sealed, err := secret.SealWith(sc.Tenant.Secrets.OutboxKey, keyPlace(id), raw)
	if err != nil {
		return nil, err
	}
	return &tenantdb.SAMLKey{ID: id, Sealed: sealed, CreatedAt: s.Now().Truncate(time.Microsecond)}, nil
}

func openKey(t *tenants.Tenant, k tenantdb.SAMLKey) (*saml.Key, error) {
	raw, err := secret.OpenWith(t.Secrets.OutboxKey, keyPlace(k.ID), k.Sealed)
	if err != nil {
		return nil, fmt.Errorf("open SAML key: %w", err)
	}
	var stored storedKey
	if err := json.Unmarshal(raw, &stored); err != nil {
		return nil, fmt.Errorf("read SAML key: %w", err)
	}
	private, err := x509.ParsePKCS8PrivateKey(stored.Private)
	if err != nil {
		return nil, fmt.Errorf("read SAML key: %w", err)
	}
	key, ok := private.(*rsa.PrivateKey)
	if !ok {
		return nil, errors.New("read SAML key: not RSA")
	}
	cert, err := x509.ParseCertificate(stored.Certificate)
	if err != nil {
		return nil, fmt.Errorf("read SAML key: %w", err)
	}
	return &saml.Key{Private: key, Certificate: cert}, nil
}
