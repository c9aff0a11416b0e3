package member

import (
	"context"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authz"
	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/tenants"
)

// Shown is an invitation as whoever has its token may see it before they sign in.
// The address is masked: a link may be forwarded.
type Shown struct {
	Organization string    `json:"organization" doc:"Name of the organization."`
	Project      string    `json:"project,omitempty" doc:"Name of the only project that it is for."`
	Role         string    `json:"role"`
	InvitedBy    string    `json:"invited_by" doc:"Address of the inviter; empty when they have none."`
	Email        string    `json:"email" doc:"The invited address, masked: a***@example.com."`
	ExpiresAt    time.Time `json:"expires_at"`
}

// ShowInvitation returns the open invitation of a token.
// controldb.ErrInvitationInvalid also when its inviter may no longer invite.
func (s *Service) ShowInvitation(ctx context.Context, token string) (*Shown, error) {
	inv, err := s.OpenInvitation(ctx, token)
	if err != nil {
		return nil, err
	}
	org, err := s.DB.OrganizationByID(ctx, inv.OrganizationID)
	if err != nil {
		return nil, err
	}
	out := &Shown{Organization: org.Name, Role: string(inv.Role), Email: masked(inv.Email), ExpiresAt: inv.ExpiresAt.UTC()}
	if inv.Ref != "" {
		p, err := s.DB.ProjectByRef(ctx, inv.Ref)
		if fault.From(err).Kind == fault.NotFound && err != nil {
			return nil, controldb.ErrInvitationInvalid
		}
		if err != nil {
			return nil, err
		}
		out.Project = p.Name
	}
	inviter, err := s.Users(ctx, []uuid.UUID{inv.InvitedBy})
	out.InvitedBy = inviter[inv.InvitedBy].Email
	return out, err
}

// OpenInvitation returns the open invitation of a token whose inviter may still
// invite; controldb.ErrInvitationInvalid.
func (s *Service) OpenInvitation(ctx context.Context, token string) (inv controldb.Invitation, err error) {
	if token == "" || len(token) > maxToken {
		return inv, controldb.ErrInvitationInvalid
	}
	err = s.DB.Tx(ctx, func(tx *controldb.Tx) error {
		inv, err = s.valid(ctx, tx, token)
		return err
	})
	return inv, err
}

// valid returns the open invitation of a token that can be accepted now.
func (s *Service) valid(ctx context.Context, tx *controldb.Tx, token string) (controldb.Invitation, error) {
	inv, err := tx.InvitationByHash(ctx, s.DB.Hasher().Hash(token), s.Now())
	if err != nil {
		return inv, err
	}
	return inv, s.inviterMay(ctx, tx, inv)
}

// inviterMay returns controldb.ErrInvitationInvalid unless the inviter may still
// give the invitation's role.
func (s *Service) inviterMay(ctx context.Context, tx *controldb.Tx, inv controldb.Invitation) error {
	// What they may is asked, not how they signed in.
	inviter := authz.Actor{UserID: inv.InvitedBy, SecondFactor: true}
	g, err := s.Authz.GrantsIn(ctx, tx, inviter, inv.OrganizationID, inv.Ref)
	if err != nil {
		return err
	}
	if s.mayGive(ctx, tx, g, inv.OrganizationID, inv.Role) != nil {
		return controldb.ErrInvitationInvalid
	}
	return nil
}

// Join accepts an invitation for somebody who has no account: register creates the
// user with the invited address, which the mailed token proves to be theirs, and
// returns them. It commits before the membership does: when that fails, which
// nothing but a fault of the database causes, the person has an account, and
// accepts when they have signed in. ip is the client's, for the audit log.
// controldb.ErrInvitationInvalid.
func (s *Service) Join(ctx context.Context, token, ip string, register func(ctx context.Context, email string) (*auth.User, error)) (*Accepted, error) {
	if token == "" || len(token) > maxToken {
		return nil, controldb.ErrInvitationInvalid
	}
	var out Accepted
	err := s.DB.Tx(ctx, func(tx *controldb.Tx) error {
		hash := s.DB.Hasher().Hash(token)
		id, err := tx.OrganizationOfInvitation(ctx, hash)
		if err != nil {
			return err
		}
		if _, err := tx.LockMembers(ctx, id); err != nil {
			return err
		}
		inv, err := s.valid(ctx, tx, token)
		if err != nil {
			return err
		}
		u, err := register(ctx, inv.Email)
		if err != nil {
			return err
		}
		out, err = s.accept(ctx, tx, hash, u.ID, inv.Email)
		if err != nil {
			return err
		}
		return tx.AppendAudit(ctx, s.DB, controldb.AuditEntry{
			ID: uuid.New(), OrganizationID: inv.OrganizationID, Ref: inv.Ref, At: s.Now(), Actor: u.ID, Action: "accept-invitation",
			Object: "/v1/invitations/accept", Result: controldb.AuditDone, IP: ip, Detail: []byte(`{}`),
		})
	})
	return &out, err
}

// accept marks an invitation as accepted and gives its role.
func (s *Service) accept(ctx context.Context, tx *controldb.Tx, hash tenants.KeyHash, user uuid.UUID, email string) (Accepted, error) {
	inv, err := tx.AcceptInvitation(ctx, hash, user, email, s.Now())
	if err != nil {
		return Accepted{}, err
	}
	org, err := tx.OrganizationByID(ctx, inv.OrganizationID)
	if err != nil {
		return Accepted{}, err
	}
	out := Accepted{OrganizationSlug: org.Slug, OrganizationName: org.Name, Ref: string(inv.Ref), Role: string(inv.Role)}
	return out, s.join(ctx, tx, inv, user)
}

// masked is an address of which the local part is hidden but for its first
// character.
func masked(email string) string {
	local, domain, ok := strings.Cut(email, "@")
	if !ok || local == "" {
		return "***"
	}
	first := []rune(local)[:1]
	return string(first) + "***@" + domain
}
