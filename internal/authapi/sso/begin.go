package sso

import (
	"cmp"
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

const (
	// relayTTL is how long a user may take at the identity provider.
	relayTTL = 15 * time.Minute
	// maxShared bounds the connections that share a domain.
	maxShared = 20
)

// AttemptPlace stands for the id of the attempt in Start.DryRun.
const AttemptPlace = "{attempt}"

// Start is a request to sign in by a connection: by its id, or by a domain.
type Start struct {
	Provider   uuid.UUID
	Domain     string
	RedirectTo redirect.Asked
	PKCE       pkce.Challenge
	// DryRun is where to go after a dry run; "" for a sign-in. It is ours: no rule for
	// redirects holds for it. AttemptPlace in it becomes the id of the attempt.
	DryRun string
	// Attempt is the id of the attempt; zero for any.
	Attempt uuid.UUID
}

// Begin returns the address to which the browser goes. auth.ErrSAMLOff,
// auth.ErrSSOProviderNotFound, auth.ErrSSOProviderDisabled.
func (s Service) Begin(ctx context.Context, sc *tenants.Scope, st Start) (string, error) {
	if !sc.Tenant.Config.SAMLEnabled {
		return "", auth.ErrSAMLOff
	}
	relay := auth.SSORelay{ID: cmp.Or(st.Attempt, uuid.New()), RedirectTo: st.RedirectTo.Target(ctx, sc), Domain: st.Domain, CreatedAt: s.Now()}
	t := s.newTrail(sc, relay.ID, auth.AttemptLogin)
	if st.DryRun != "" {
		t.Kind, relay.DryRun = auth.AttemptDryRun, true
		relay.RedirectTo = strings.ReplaceAll(st.DryRun, AttemptPlace, relay.ID.String())
	}
	list, err := s.find(ctx, sc, st)
	if err != nil {
		return "", err
	}
	if st.DryRun == "" {
		if list = on(list); len(list) == 0 {
			return "", auth.ErrSSOProviderDisabled
		}
	}
	var flow *auth.FlowState
	if st.PKCE.Given() {
		flow = &auth.FlowState{
			ID: uuid.New(), CodeChallenge: st.PKCE.CodeChallenge, CodeChallengeMethod: strings.ToLower(st.PKCE.CodeChallengeMethod),
			ProviderType: list[0].Provider(), AuthenticationMethod: auth.MethodSAML, CreatedAt: s.Now(),
		}
		relay.Flow = &flow.ID
	}
	relay.Provider = list[0].ID
	if len(list) == 1 {
		return s.toProvider(ctx, sc, &list[0], &relay, t, flow)
	}
	relay.RequestID = toChoose
	return sc.Tenant.Issuer() + "/sso/choose/" + relay.ID.String(), s.write(ctx, sc, &relay, nil, flow)
}

// toProvider writes the start of a sign-in at a connection's provider, and returns the
// address of that.
func (s Service) toProvider(ctx context.Context, sc *tenants.Scope, p *auth.SSOProvider, relay *auth.SSORelay, t *trail, flow *auth.FlowState) (address string, err error) {
	if p.OIDC != nil {
		return s.toOIDC(ctx, sc, p, relay, t, flow)
	}
	metadata, err := parseMetadata(p.SAML.MetadataXML, s.Now())
	if err != nil {
		return "", err
	}
	sp, err := s.service(ctx, sc)
	if err != nil {
		return "", err
	}
	relay.RequestID, address, err = sp.SignIn(metadata, saml.Request{RelayState: relay.ID.String(), NameIDFormat: p.SAML.NameIDFormat})
	if err != nil {
		return "", err
	}
	t.Provider = &p.ID
	return address, s.write(ctx, sc, relay, t, flow)
}

// write writes the start of a sign-in.
func (s Service) write(ctx context.Context, sc *tenants.Scope, relay *auth.SSORelay, t *trail, flow *auth.FlowState) error {
	return sc.DB.Tx(ctx, func(tx *tenantdb.Tx) error {
		if flow != nil {
			if err := tx.CreateFlowState(ctx, flow); err != nil {
				return err
			}
		}
		if err := tx.CreateSSORelay(ctx, relay); err != nil {
			return err
		}
		if t == nil {
			return nil
		}
		return tx.PutSSOAttempt(ctx, &t.SSOAttempt)
	})
}

// find returns the connections that a start can mean; at least one.
func (s Service) find(ctx context.Context, sc *tenants.Scope, st Start) (list []auth.SSOProvider, err error) {
	err = sc.DB.Do(ctx, func(tx *tenantdb.Tx) error {
		if st.Provider != uuid.Nil {
			p, err := tx.SSOProvider(ctx, st.Provider, false)
			list = []auth.SSOProvider{p}
			return err
		}
		list, err = tx.SSOProvidersOfDomain(ctx, st.Domain, maxShared)
		if err == nil && len(list) == 0 {
			err = auth.ErrSSOProviderNotFound
		}
		return err
	})
	return list, err
}
