package sso

import (
	"context"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/pkce"
	"github.com/reevehq/reeve/internal/authapi/redirect"
	"github.com/reevehq/reeve/internal/saml"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// relayTTL is how long a user may take at the identity provider.
const relayTTL = 15 * time.Minute

// Start is a request to sign in by a connection: by its id, or by a domain.
type Start struct {
	Provider   uuid.UUID
	Domain     string
	RedirectTo redirect.Asked
	PKCE       pkce.Challenge
	// DryRun is where to go after a dry run; "" for a sign-in. It is ours: no rule for
	// redirects holds for it.
	DryRun string
}

// Begin returns the address to which the browser goes. auth.ErrSAMLOff,
// auth.ErrSSOProviderNotFound, auth.ErrSSOProviderDisabled.
func (s Service) Begin(ctx context.Context, sc *tenants.Scope, st Start) (string, error) {
	if !sc.Tenant.Config.SAMLEnabled {
		return "", auth.ErrSAMLOff
	}
	p, err := s.find(ctx, sc, st)
	if err != nil {
		return "", err
	}
	if !p.On() && st.DryRun == "" {
		return "", auth.ErrSSOProviderDisabled
	}
	metadata, err := parseMetadata(p.SAML.MetadataXML, s.Now())
	if err != nil {
		return "", err
	}
	sp, err := s.service(ctx, sc)
	if err != nil {
		return "", err
	}
	relay := auth.SSORelay{ID: uuid.New(), Provider: p.ID, RedirectTo: st.RedirectTo.Target(ctx, sc), CreatedAt: s.Now()}
	id, address, err := sp.SignIn(metadata, saml.Request{RelayState: relay.ID.String(), NameIDFormat: p.SAML.NameIDFormat})
	if err != nil {
		return "", err
	}
	relay.RequestID = id
	t := s.newTrail(sc, relay.ID, auth.AttemptLogin)
	t.Provider = &p.ID
	if st.DryRun != "" {
		t.Kind, relay.RedirectTo = auth.AttemptDryRun, st.DryRun
	}
	return address, sc.DB.Tx(ctx, func(tx *tenantdb.Tx) error {
		if st.PKCE.Given() {
			flow := auth.FlowState{
				ID: uuid.New(), CodeChallenge: st.PKCE.CodeChallenge, CodeChallengeMethod: strings.ToLower(st.PKCE.CodeChallengeMethod),
				ProviderType: p.Provider(), AuthenticationMethod: auth.MethodSAML, CreatedAt: s.Now(),
			}
			relay.Flow = &flow.ID
			if err := tx.CreateFlowState(ctx, &flow); err != nil {
				return err
			}
		}
		if err := tx.CreateSSORelay(ctx, &relay); err != nil {
			return err
		}
		return tx.PutSSOAttempt(ctx, &t.SSOAttempt)
	})
}

func (s Service) find(ctx context.Context, sc *tenants.Scope, st Start) (*auth.SSOProvider, error) {
	var p auth.SSOProvider
	err := sc.DB.Do(ctx, func(tx *tenantdb.Tx) (err error) {
		if st.Provider != uuid.Nil {
			p, err = tx.SSOProvider(ctx, st.Provider, false)
			return err
		}
		p, err = tx.SSOProviderOfDomain(ctx, st.Domain)
		return err
	})
	return &p, err
}
