package sso

import (
	"context"
	"net/url"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/web"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// Where connections share a domain, people choose on a page of ours. The start of the
// sign-in is a relay state without a request; choosing makes it one of the chosen
// connection.

// toChoose is the request id of a relay state whose connection is not chosen yet. No
// message has it: identifiers of XML do not begin so.
const toChoose = "?"

// choice is a relay state to be chosen for, and its connections.
func (s Service) choice(ctx context.Context, tx *tenantdb.Tx, id uuid.UUID) (auth.SSORelay, []auth.SSOProvider, error) {
	relay, err := tx.SSORelay(ctx, id)
	if err != nil {
		return relay, nil, err
	}
	if relay.RequestID != toChoose || s.Now().After(relay.CreatedAt.Add(relayTTL)) {
		return relay, nil, auth.ErrSAMLRelayNotFound
	}
	all, err := tx.SSOProvidersOfDomain(ctx, relay.Domain, maxShared)
	return relay, on(all), err
}

// on returns the connections that are switched on.
func on(all []auth.SSOProvider) []auth.SSOProvider {
	var list []auth.SSOProvider
	for _, p := range all {
		if p.On() {
			list = append(list, p)
		}
	}
	return list
}

// Choices returns the connections that a person can choose from; auth.ErrSAMLRelayNotFound.
func (s Service) Choices(ctx context.Context, sc *tenants.Scope, id uuid.UUID) (list []auth.SSOProvider, err error) {
	err = sc.DB.Do(ctx, func(tx *tenantdb.Tx) error {
		_, list, err = s.choice(ctx, tx, id)
		return err
	})
	return list, err
}

// Choose returns the address of the chosen connection's provider.
// auth.ErrSAMLRelayNotFound, auth.ErrSSOProviderNotFound.
func (s Service) Choose(ctx context.Context, sc *tenants.Scope, id, chosen uuid.UUID) (string, error) {
	var relay auth.SSORelay
	var p *auth.SSOProvider
	err := sc.DB.Tx(ctx, func(tx *tenantdb.Tx) (err error) {
		var list []auth.SSOProvider
		if relay, list, err = s.choice(ctx, tx, id); err != nil {
			return err
		}
		for i := range list {
			if list[i].ID == chosen {
				p = &list[i]
			}
		}
		if p == nil {
			return auth.ErrSSOProviderNotFound
		}
		_, err = tx.TakeSSORelay(ctx, id)
		return err
	})
	if err != nil {
		return "", err
	}
	relay.ID, relay.Provider, relay.CreatedAt = uuid.New(), p.ID, s.Now()
	return s.toProvider(ctx, sc, p, &relay, s.newTrail(sc, relay.ID, auth.AttemptLogin), nil)
}

// chosenRequest is the path of /sso/choose/{choice_id}, and the form of its page.
type chosenRequest struct {
	Provider string `json:"provider_id" form:"provider_id"`
	id       uuid.UUID
}

// BindQuery implements web.QueryBinder.
func (r *chosenRequest) BindQuery(_ url.Values, param func(string) string) (err error) {
	if r.id, err = uuid.Parse(param("choice_id")); err != nil {
		return auth.ErrSAMLRelayNotFound.Because(err)
	}
	return nil
}

func (h Handler) choices(ctx context.Context, sc *tenants.Scope, req *chosenRequest) (any, error) {
	list, err := h.Service.Choices(ctx, sc, req.id)
	if err != nil {
		return nil, err
	}
	p := web.Prompt{Title: "How do you sign in?", Text: []string{"Several sign-in pages belong to your address. Choose the one of your company or team."}, Choice: "provider_id", Action: req.id.String()}
	for i := range list {
		p.Choices = append(p.Choices, web.PromptField{Name: list[i].Label(), Value: list[i].ID.String()})
	}
	return p, nil
}

func (h Handler) choose(ctx context.Context, sc *tenants.Scope, req *chosenRequest) (any, error) {
	id, err := uuid.Parse(req.Provider)
	if err != nil {
		return nil, auth.ErrSSOProviderNotFound.Because(err)
	}
	address, err := h.Service.Choose(ctx, sc, req.id, id)
	if err != nil {
		return nil, err
	}
	return web.Redirect{Location: address}, nil
}
