package server

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/admin"
	"github.com/reevehq/reeve/internal/authapi/adminlink"
	"github.com/reevehq/reeve/internal/authapi/passkey"
	"github.com/reevehq/reeve/internal/authapi/recovery"
	"github.com/reevehq/reeve/internal/authapi/strength"
	"github.com/reevehq/reeve/internal/authapi/users"
	"github.com/reevehq/reeve/internal/authz"
	"github.com/reevehq/reeve/internal/control/user"
	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/internal/projectlog"
	"github.com/reevehq/reeve/internal/web/control"
	"github.com/reevehq/reeve/tenants"
)

// accounts is user.Accounts by the services of the tenant plane's admin routes.
type accounts struct {
	admin    admin.Service
	links    adminlink.Service
	recovery recovery.Service
}

func (s *Server) newAccounts(people users.Users) accounts {
	passwords := strength.Checker{Leaked: s.leaked}
	return accounts{
		admin:    admin.Service{Users: people, Hasher: s.passwords, Strength: passwords, Mailer: s.mailer},
		links:    adminlink.Service{Users: people, Mailer: s.mailer, Hasher: s.passwords, Strength: passwords},
		recovery: recovery.Service{Users: people, Mailer: s.mailer, Texter: s.texter},
	}
}

func attributes(a user.Attributes, since *time.Time) *admin.Attributes {
	return &admin.Attributes{
		ID: a.ID, Email: a.Email, Phone: a.Phone, Password: a.Password, EmailConfirm: a.EmailConfirm, PhoneConfirm: a.PhoneConfirm,
		UserMetadata: a.UserMetadata, AppMetadata: a.AppMetadata, Role: a.Role, BanDuration: a.BanDuration, Unchanged: since,
	}
}

// Create implements user.Accounts.
func (a accounts) Create(ctx context.Context, sc *tenants.Scope, attrs user.Attributes) (*auth.User, error) {
	return a.admin.Create(ctx, sc, attributes(attrs, nil))
}

// Invite implements user.Accounts.
func (a accounts) Invite(ctx context.Context, sc *tenants.Scope, email, redirectTo string, data map[string]any) (*auth.User, error) {
	order, err := a.links.Check(ctx, sc, &adminlink.Request{Type: adminlink.Invite, Email: email, Data: data, RedirectTo: redirectTo})
	if err != nil {
		return nil, err
	}
	return a.links.Send(ctx, sc, order)
}

// Update implements user.Accounts.
func (a accounts) Update(ctx context.Context, sc *tenants.Scope, id uuid.UUID, attrs user.Attributes, since *time.Time) (*auth.User, error) {
	return a.admin.Update(ctx, sc, id, attributes(attrs, since))
}

// Delete implements user.Accounts.
func (a accounts) Delete(ctx context.Context, sc *tenants.Scope, id uuid.UUID, soft bool, since *time.Time) error {
	if soft {
		return a.admin.SoftDelete(ctx, sc, id, since)
	}
	return a.admin.Delete(ctx, sc, id, since)
}

// Mail implements user.Accounts.
func (a accounts) Mail(ctx context.Context, sc *tenants.Scope, u *auth.User, kind, redirectTo string) error {
	if kind == "confirmation" {
		// The link of a sign-up proves what that sign-up said.
		if err := a.recovery.Mailer.TooSoon(sc, u.ConfirmationSentAt); err != nil {
			return err
		}
		return a.recovery.Resend(ctx, sc, recovery.Signup, recovery.Order{Email: u.Email})
	}
	order, err := a.links.Check(ctx, sc, &adminlink.Request{Type: adminlink.Type(kind), Email: u.Email, RedirectTo: redirectTo})
	if err != nil {
		return err
	}
	_, err = a.links.Send(ctx, sc, order)
	return err
}

// Link implements user.Accounts.
func (a accounts) Link(ctx context.Context, sc *tenants.Scope, u *auth.User, kind, redirectTo string) (*user.Link, error) {
	order, err := a.links.Check(ctx, sc, &adminlink.Request{Type: adminlink.Type(kind), Email: u.Email, RedirectTo: redirectTo})
	if err != nil {
		return nil, err
	}
	link, err := a.links.Generate(ctx, sc, order)
	if err != nil {
		return nil, err
	}
	return &user.Link{ActionLink: link.URL, Code: link.Code, Token: link.Token, Type: string(link.Type), RedirectTo: order.RedirectTo}, nil
}

// EndSessions implements user.Accounts.
func (a accounts) EndSessions(ctx context.Context, sc *tenants.Scope, id uuid.UUID) error {
	return a.admin.EndSessions(ctx, sc, id)
}

// EndSession implements user.Accounts.
func (a accounts) EndSession(ctx context.Context, sc *tenants.Scope, id, session uuid.UUID) error {
	return a.admin.EndSession(ctx, sc, id, session)
}

// Unlink implements user.Accounts.
func (a accounts) Unlink(ctx context.Context, sc *tenants.Scope, id, identity uuid.UUID) error {
	return a.admin.Unlink(ctx, sc, id, identity)
}

// RenameFactor implements user.Accounts.
func (a accounts) RenameFactor(ctx context.Context, sc *tenants.Scope, id, factor uuid.UUID, name string) error {
	_, err := a.admin.RenameFactor(ctx, sc, id, factor, name)
	return err
}

// DeleteFactor implements user.Accounts.
func (a accounts) DeleteFactor(ctx context.Context, sc *tenants.Scope, id, factor uuid.UUID) error {
	return a.admin.DeleteFactor(ctx, sc, id, factor)
}

// errPasskeyNotFound is auth.ErrPasskeyNotFound in the words of the Management API.
var errPasskeyNotFound = fault.New(fault.NotFound, "passkey_not_found", "The user has no such passkey")

// DeletePasskey implements user.Accounts.
func (a accounts) DeletePasskey(ctx context.Context, sc *tenants.Scope, id, key uuid.UUID) error {
	err := passkey.Service{Sessions: a.admin.Sessions}.DeleteOf(ctx, sc, id, key)
	if errors.Is(err, auth.ErrPasskeyNotFound) {
		err = errPasskeyNotFound
	}
	return err
}

// memberScope returns the scope of a project for a request of the Management API.
func (s *Server) memberScope(ctx context.Context, ref tenants.Ref, actor authz.Actor) (*tenants.Scope, error) {
	t, err := s.registry.Tenant(ctx, ref)
	if err != nil {
		return nil, err
	}
	id, ip := control.Origin(ctx)
	sc := &tenants.Scope{
		Tenant: t, DB: s.Database(t), RequestID: id, Credentials: tenants.Credentials{Role: tenants.RoleService},
		Log:   s.projectLog.Request(projectlog.Entry{Project: string(ref), RequestID: id, Route: "Management API", ClientIP: ip}),
		Usage: s.usage.Project(string(ref)), Member: &tenants.Member{ID: actor.UserID},
	}
	sc.ClientIP, _ = netip.ParseAddr(ip) // unknown otherwise
	if actor.Service != nil {
		sc.Member.Name = actor.Service.Name
		return sc, nil
	}
	u, err := s.platformUser(ctx, actor.UserID)
	if err != nil && fault.From(err).Kind != fault.NotFound {
		return nil, err
	}
	sc.Member.Name = u.Email
	return sc, nil
}

// The jobs that make indexes for the lists of users.
var indexJobs = map[user.Index]string{
	user.IndexSearch: "index_users_search", user.IndexLastSignIn: "index_users_last_sign_in",
	user.IndexProvider: "index_users_provider", user.IndexAudit: "index_users_audit",
}

// indexUsers has the indexes of a project made in the background.
func (s *Server) indexUsers(ctx context.Context, ref tenants.Ref, which user.Index) error {
	name, ok := indexJobs[which]
	if !ok {
		return fmt.Errorf("no job makes the index %q", which)
	}
	return s.jobs.Offer(ctx, name, []tenants.Ref{ref})
}
