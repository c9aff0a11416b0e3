package sso

import (
	"cmp"
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authz"
	"github.com/reevehq/reeve/internal/provision"
	"github.com/reevehq/reeve/internal/web/control"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// Service implements the rules of the routes.
type Service struct {
	Authz *authz.Authorizer
	// Open returns the scope of an active project for a request of an actor.
	Open        func(ctx context.Context, ref tenants.Ref, actor authz.Actor) (*tenants.Scope, error)
	Connections Connections
	Domains     Domains
	Directory   Directory
	// Page is the address of the dashboard's page about an attempt at a connection. Its
	// text AttemptPlace becomes the attempt's id.
	Page func(ref tenants.Ref, connection uuid.UUID) string
	Now  func() time.Time
}

// Connections administers the connections of a project, by the service that the
// project's own admin routes have. Faults are its own.
type Connections interface {
	// List returns all, the oldest first.
	List(ctx context.Context, sc *tenants.Scope) ([]auth.SSOProvider, error)
	Provider(ctx context.Context, sc *tenants.Scope, id uuid.UUID) (*auth.SSOProvider, error)
	// Create makes one of a kind, with an id of its own if that is zero.
	Create(ctx context.Context, sc *tenants.Scope, kind auth.SSOKind, id uuid.UUID, c Change) (*auth.SSOProvider, error)
	Update(ctx context.Context, sc *tenants.Scope, id uuid.UUID, c Change) (*auth.SSOProvider, error)
	Delete(ctx context.Context, sc *tenants.Scope, id uuid.UUID) (*auth.SSOProvider, error)
	// Attempts returns at most a number, before a time or, if it is zero, the newest.
	Attempts(ctx context.Context, sc *tenants.Scope, id uuid.UUID, before time.Time, most int) ([]auth.SSOAttempt, error)
	// DryRun begins one, and returns where the browser goes. Then it goes to back.
	DryRun(ctx context.Context, sc *tenants.Scope, id uuid.UUID, back string) (string, error)
	Keys(ctx context.Context, sc *tenants.Scope) ([]Key, error)
	AddKey(ctx context.Context, sc *tenants.Scope) ([]Key, error)
	RemoveKey(ctx context.Context, sc *tenants.Scope, id uuid.UUID) ([]Key, error)
}

var (
	errNotFound = auth.ErrSSOProviderNotFound.Saying("There is no such connection in the project")
	// errOff is what the hosted service's command line takes for a project without SAML.
	errOff = auth.ErrSAMLOff.Saying("SAML 2.0 is switched off: set saml_enabled in the configuration of the project's auth")
)

const (
	useTimeout  = 4 * time.Second
	attemptGone = "There is no such attempt at the connection: attempts are kept for a limited time"
)

// open returns the scope of a project in which the actor may do the action.
func (s *Service) open(ctx context.Context, actor authz.Actor, action authz.Action, ref string) (*tenants.Scope, error) {
	p, err := s.Authz.Project(ctx, actor, action, ref)
	switch {
	case err != nil:
		return nil, err
	case p.Status.Paused():
		return nil, provision.ErrPaused
	case p.Status != tenants.StatusActive:
		return nil, provision.ErrNotReady
	}
	return s.Open(ctx, p.Ref, actor)
}

// openOne is open for a route that names a connection.
func (s *Service) openOne(ctx context.Context, actor authz.Actor, action authz.Action, ref, text string) (*tenants.Scope, uuid.UUID, error) {
	sc, err := s.open(ctx, actor, action, ref)
	if err != nil {
		return nil, uuid.Nil, err
	}
	id, err := uuid.Parse(text)
	if err != nil {
		return nil, uuid.Nil, errNotFound.Because(err)
	}
	return sc, id, nil
}

// find returns a connection that the actor may read; auth.ErrSSOProviderNotFound.
func (s *Service) find(ctx context.Context, actor authz.Actor, ref, text string) (*tenants.Scope, *auth.SSOProvider, error) {
	sc, id, err := s.openOne(ctx, actor, authz.ReadAuthConfig, ref, text)
	if err != nil {
		return nil, nil, err
	}
	p, err := s.Connections.Provider(ctx, sc, id)
	return sc, p, worded(err)
}

func (s *Service) create(ctx context.Context, actor authz.Actor, ref string, b CreateBody) (*auth.SSOProvider, error) {
	sc, err := s.open(ctx, actor, authz.WriteAuthConfig, ref)
	if err != nil {
		return nil, err
	}
	id := uuid.Nil
	if b.ID != "" {
		if id, err = uuid.Parse(b.ID); err != nil || id.Version() != 4 {
			return nil, auth.ErrValidation.Because(err).Saying("id must be a random UUID")
		}
	}
	p, err := s.Connections.Create(ctx, sc, auth.SSOKind(b.Kind), id, b.Change)
	return p, worded(err)
}

func (s *Service) update(ctx context.Context, actor authz.Actor, ref, text string, c Change) (*auth.SSOProvider, error) {
	sc, id, err := s.openOne(ctx, actor, authz.WriteAuthConfig, ref, text)
	if err != nil {
		return nil, err
	}
	p, err := s.Connections.Update(ctx, sc, id, c)
	return p, worded(err)
}

func (s *Service) remove(ctx context.Context, actor authz.Actor, ref, text string) (*auth.SSOProvider, error) {
	sc, id, err := s.openOne(ctx, actor, authz.WriteAuthConfig, ref, text)
	if err != nil {
		return nil, err
	}
	p, err := s.Connections.Delete(ctx, sc, id)
	if err == nil {
		control.Before(ctx, map[string]any{"name": p.Label(), "type": string(p.Kind), "domains": domainsOf(p)})
	}
	return p, worded(err)
}

// HostedList returns the connections of a project that are of a kind. auth.ErrSAMLOff: the
// hosted service's command line then says what to do.
func (s *Service) HostedList(ctx context.Context, actor authz.Actor, ref string, kind auth.SSOKind) (*ProviderList, error) {
	sc, err := s.open(ctx, actor, authz.ReadAuthConfig, ref)
	if err != nil {
		return nil, err
	}
	if !sc.Tenant.Config.SAMLEnabled {
		return nil, errOff
	}
	found, err := s.Connections.List(ctx, sc)
	if err != nil {
		return nil, err
	}
	out := &ProviderList{Items: []Provider{}}
	for i := range found {
		if found[i].Kind == kind {
			out.Items = append(out.Items, hosted(&found[i]))
		}
	}
	return out, nil
}

// Overview returns the values that are entered at identity providers.
func (s *Service) Overview(ctx context.Context, actor authz.Actor, ref string) (*Overview, error) {
	sc, err := s.open(ctx, actor, authz.ReadAuthConfig, ref)
	if err != nil {
		return nil, err
	}
	at, own := cmp.Or(sc.Tenant.Config.SAMLExternalURL, sc.Tenant.Issuer())+"/sso", sc.Tenant.Issuer()+"/sso"
	return &Overview{SAMLEnabled: sc.Tenant.Config.SAMLEnabled, Service: ServiceProvider{
		EntityID: at + "/saml/metadata", MetadataURL: at + "/saml/metadata", ACSURL: at + "/saml/acs", LogoutURL: at + "/saml/slo", StartURL: own, OIDCURL: own + "/oidc",
	}}, nil
}

// List returns all connections of a project.
func (s *Service) List(ctx context.Context, actor authz.Actor, ref string) (*ConnectionList, error) {
	sc, err := s.open(ctx, actor, authz.ReadAuthConfig, ref)
	if err != nil {
		return nil, err
	}
	found, err := s.Connections.List(ctx, sc)
	if err != nil {
		return nil, err
	}
	ids := make([]uuid.UUID, len(found))
	for i := range found {
		ids[i] = found[i].ID
	}
	uses, err := s.uses(ctx, sc, ids...)
	if err != nil {
		return nil, err
	}
	out := &ConnectionList{Items: make([]Connection, len(found))}
	for i := range found {
		out.Items[i] = s.onWire(&found[i], uses[found[i].ID])
		if state := out.Items[i].SAML; state != nil {
			state.MetadataXML = ""
		}
	}
	return out, nil
}

// Get returns a connection; auth.ErrSSOProviderNotFound.
func (s *Service) Get(ctx context.Context, actor authz.Actor, ref, id string) (*Connection, error) {
	sc, p, err := s.find(ctx, actor, ref, id)
	return s.answer(ctx, sc, p, err)
}

// Create makes a connection. The errors of the tenant plane's service.
func (s *Service) Create(ctx context.Context, actor authz.Actor, ref string, b CreateBody) (*Connection, error) {
	p, err := s.create(ctx, actor, ref, b)
	return s.answer(ctx, nil, p, err)
}

// Update changes a connection. The errors of the tenant plane's service.
func (s *Service) Update(ctx context.Context, actor authz.Actor, ref, text string, c Change) (*Connection, error) {
	sc, id, err := s.openOne(ctx, actor, authz.WriteAuthConfig, ref, text)
	if err != nil {
		return nil, err
	}
	p, err := s.Connections.Update(ctx, sc, id, c)
	return s.answer(ctx, sc, p, worded(err))
}

// Delete removes a connection and returns what it was; auth.ErrSSOProviderNotFound.
func (s *Service) Delete(ctx context.Context, actor authz.Actor, ref, id string) (*Connection, error) {
	p, err := s.remove(ctx, actor, ref, id)
	return s.answer(ctx, nil, p, err)
}

// Refresh fetches the metadata of a connection anew. auth.ErrValidation for one without
// an address of it, auth.ErrSAMLMetadataFetch, auth.ErrSAMLEntityMismatch.
func (s *Service) Refresh(ctx context.Context, actor authz.Actor, ref, text string) (*Connection, error) {
	sc, id, err := s.openOne(ctx, actor, authz.WriteAuthConfig, ref, text)
	if err != nil {
		return nil, err
	}
	p, err := s.Connections.Provider(ctx, sc, id)
	if err != nil {
		return nil, worded(err)
	}
	if p.SAML == nil || p.SAML.MetadataURL == "" {
		return nil, auth.ErrValidation.Saying("The metadata of the connection was uploaded: it has no address to fetch it from")
	}
	p, err = s.Connections.Update(ctx, sc, id, Change{MetadataURL: &p.SAML.MetadataURL})
	return s.answer(ctx, sc, p, worded(err))
}

// DryRun begins a sign-in that changes nothing. auth.ErrSAMLOff,
// auth.ErrSSOProviderNotFound.
func (s *Service) DryRun(ctx context.Context, actor authz.Actor, ref, text string) (*DryRun, error) {
	sc, id, err := s.openOne(ctx, actor, authz.WriteAuthConfig, ref, text)
	if err != nil {
		return nil, err
	}
	address, err := s.Connections.DryRun(ctx, sc, id, s.Page(sc.Tenant.Ref, id))
	if err != nil {
		return nil, worded(err)
	}
	return &DryRun{URL: address}, nil
}

// ListAttempts returns a page of attempts, the newest first; auth.ErrSSOProviderNotFound.
func (s *Service) ListAttempts(ctx context.Context, actor authz.Actor, in *attemptsInput) (*AttemptList, error) {
	sc, id, err := s.openOne(ctx, actor, authz.ReadUsers, in.Ref, in.ID)
	if err != nil {
		return nil, err
	}
	list, err := s.Connections.Attempts(ctx, sc, id, in.Before, in.Limit)
	if err != nil {
		return nil, worded(err)
	}
	out := &AttemptList{Items: make([]Attempt, len(list))}
	for i := range list {
		out.Items[i] = attemptOf(&list[i])
	}
	return out, nil
}

// Attempt returns an attempt; auth.ErrSSOProviderNotFound.
func (s *Service) Attempt(ctx context.Context, actor authz.Actor, in *attemptInput) (*Attempt, error) {
	sc, id, err := s.openOne(ctx, actor, authz.ReadUsers, in.Ref, in.ID)
	if err != nil {
		return nil, err
	}
	which, err := uuid.Parse(in.Attempt)
	if err != nil {
		return nil, errNotFound.Because(err).Saying(attemptGone)
	}
	var a auth.SSOAttempt
	var found bool
	err = sc.DB.Do(ctx, func(tx *tenantdb.Tx) (err error) {
		a, found, err = tx.SSOAttempt(ctx, which)
		return err
	})
	if err != nil {
		return nil, err
	}
	if !found || a.Provider == nil || *a.Provider != id {
		return nil, errNotFound.Saying(attemptGone)
	}
	out := attemptOf(&a)
	return &out, nil
}

// ListKeys returns the keys of the project's service provider; auth.ErrSAMLOff.
func (s *Service) ListKeys(ctx context.Context, actor authz.Actor, ref string) (*KeyList, error) {
	sc, err := s.open(ctx, actor, authz.ReadAuthConfig, ref)
	if err != nil {
		return nil, err
	}
	return keysOf(s.Connections.Keys(ctx, sc))
}

// AddKey adds a second key; auth.ErrSAMLKeys, auth.ErrSAMLOff.
func (s *Service) AddKey(ctx context.Context, actor authz.Actor, ref string) (*KeyList, error) {
	sc, err := s.open(ctx, actor, authz.WriteAuthConfig, ref)
	if err != nil {
		return nil, err
	}
	return keysOf(s.Connections.AddKey(ctx, sc))
}

// RemoveKey removes a key of two; auth.ErrSAMLKeyNotFound, auth.ErrSAMLOff.
func (s *Service) RemoveKey(ctx context.Context, actor authz.Actor, ref, text string) (*KeyList, error) {
	sc, err := s.open(ctx, actor, authz.WriteAuthConfig, ref)
	if err != nil {
		return nil, err
	}
	id, err := uuid.Parse(text)
	if err != nil {
		return nil, auth.ErrSAMLKeyNotFound.Because(err)
	}
	return keysOf(s.Connections.RemoveKey(ctx, sc, id))
}
