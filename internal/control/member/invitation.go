package member

import (
	"cmp"
	"context"
	netmail "net/mail"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authz"
	"github.com/reevehq/reeve/internal/control/text"
	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/internal/web/control"
)

const (
	// invitationLife is how long an invitation can be accepted.
	invitationLife = 7 * 24 * time.Hour
	// maxInvitations is how many open ones an organization may have: each is a
	// mail to a stranger.
	maxInvitations = 100
	// resendPause is the least time between two mails to an address for an
	// organization, and within mailsWithin there are at most mailsHere for an
	// organization and mailsEverywhere for all.
	resendPause     = time.Minute
	mailsWithin     = 24 * time.Hour
	mailsHere       = 5
	mailsEverywhere = 50
	// maxToken bounds the text of an invitation's token; it has 43 characters.
	maxToken = 100
)

var (
	errTooMany = fault.New(fault.Forbidden, "invitation_limit_reached", "The organization has the maximum number of open invitations")
	errResend  = fault.New(fault.TooMany, "over_email_send_rate_limit", "The address got an invitation a moment ago")
	errMails   = fault.New(fault.TooMany, "over_email_send_rate_limit", "The address got too many invitations within a day").After(time.Hour)
	errAlready = fault.New(fault.Conflict, "conflict", "The user is a member already")
)

// Invitations lists the open invitations, the newest first.
func (s *Service) Invitations(ctx context.Context, actor authz.Actor, slug string) ([]Invitation, error) {
	org, err := s.Authz.Organization(ctx, actor, authz.ReadMembers, slug)
	if err != nil {
		return nil, err
	}
	found, err := s.DB.Invitations(ctx, org.ID)
	out := make([]Invitation, len(found))
	for i, inv := range found {
		out[i] = s.invitationOnWire(inv)
	}
	return out, err
}

// Invite invites an address to the organization, or to one project of it. The
// mail goes out after the commit.
func (s *Service) Invite(ctx context.Context, actor authz.Actor, slug string, in InviteBody) (*Invitation, error) {
	address, err := checkAddress(in.Email)
	if err != nil {
		return nil, err
	}
	var out Invitation
	err = s.locked(ctx, actor, authz.ReadOrganization, slug, func(tx *controldb.Tx, g authz.Grants, org controldb.Organization, _ []controldb.Member) error {
		inv := controldb.Invitation{
			OrganizationID: org.ID, Email: address, Role: controldb.Role(in.Role), InvitedBy: actor.UserID,
			CreatedAt: s.Now(), ExpiresAt: s.Now().Add(invitationLife),
		}
		if in.Ref != "" {
			p, err := s.projectOf(ctx, tx, org, in.Ref)
			if err != nil {
				return err
			}
			inv.Ref = p.Ref
			if g, err = s.Authz.GrantsIn(ctx, tx, actor, org.ID, p.Ref); err != nil {
				return err
			}
		}
		if err := s.mayGive(ctx, tx, g, org.ID, inv.Role); err != nil {
			return err
		}
		pending, err := tx.Invitations(ctx, org.ID)
		if err != nil {
			return err
		}
		if len(pending) >= maxInvitations {
			return errTooMany
		}
		invited := slices.ContainsFunc(pending, func(i controldb.Invitation) bool {
			return i.Email == inv.Email && i.Ref == inv.Ref && i.ExpiresAt.After(inv.CreatedAt)
		})
		if !invited { // else a conflict, which mails nothing
			if err := s.mayMail(ctx, tx, org.ID, address); err != nil {
				return err
			}
		}
		if inv, err = tx.Invite(ctx, s.DB, inv); err != nil {
			return err
		}
		out = s.invitationOnWire(inv)
		return control.Remember(ctx, tx, out)
	})
	if err == nil {
		s.Invited()
	}
	return &out, err
}

// mayMail bounds the mails that a stranger gets by inviting, revoking and inviting
// again.
func (s *Service) mayMail(ctx context.Context, tx *controldb.Tx, org uuid.UUID, address string) error {
	sent, err := tx.InvitationMails(ctx, org, address, s.Now().Add(-mailsWithin))
	switch {
	case err != nil:
		return err
	case sent.Here >= mailsHere, sent.Everywhere >= mailsEverywhere:
		return errMails
	case sent.Last != nil:
		if wait := sent.Last.Add(resendPause).Sub(s.Now()); wait > 0 {
			return errResend.After(wait)
		}
	}
	return nil
}

// projectOf finds a living project of the organization.
func (s *Service) projectOf(ctx context.Context, tx *controldb.Tx, org controldb.Organization, ref string) (controldb.Project, error) {
	projects, err := tx.ProjectsOf(ctx, org.ID)
	if err != nil {
		return controldb.Project{}, err
	}
	for _, p := range projects {
		if string(p.Ref) == ref {
			return p, nil
		}
	}
	return controldb.Project{}, authz.ErrProjectNotFound
}

// Resend mails an invitation with a new link, which is valid as long as a new
// one; the former link ends.
func (s *Service) Resend(ctx context.Context, actor authz.Actor, slug, id string) (*Invitation, error) {
	out, err := s.onInvitation(ctx, actor, slug, id, func(tx *controldb.Tx, inv *controldb.Invitation) error {
		if err := s.mayMail(ctx, tx, inv.OrganizationID, inv.Email); err != nil {
			return err
		}
		inv.ExpiresAt, inv.SentAt, inv.InvitedBy = s.Now().Add(invitationLife), nil, actor.UserID
		return tx.Reinvite(ctx, s.DB, inv.OrganizationID, inv.ID, actor.UserID, s.Now(), inv.ExpiresAt)
	})
	if err == nil {
		s.Invited()
	}
	return out, err
}

// Revoke ends an invitation; its link no longer works.
func (s *Service) Revoke(ctx context.Context, actor authz.Actor, slug, id string) (*Invitation, error) {
	return s.onInvitation(ctx, actor, slug, id, func(tx *controldb.Tx, inv *controldb.Invitation) error {
		return tx.RevokeInvitation(ctx, inv.OrganizationID, inv.ID, s.Now())
	})
}

func (s *Service) onInvitation(ctx context.Context, actor authz.Actor, slug, id string,
	fn func(*controldb.Tx, *controldb.Invitation) error,
) (*Invitation, error) {
	var out Invitation
	err := s.locked(ctx, actor, authz.ReadOrganization, slug, func(tx *controldb.Tx, g authz.Grants, org controldb.Organization, _ []controldb.Member) error {
		parsed, err := uuid.Parse(id)
		if err != nil {
			return cmp.Or(g.Require(authz.WriteMembers), error(controldb.ErrNoInvitation))
		}
		inv, err := tx.Invitation(ctx, org.ID, parsed)
		if err != nil {
			return cmp.Or(g.Require(authz.WriteMembers), err)
		}
		if inv.Ref != "" {
			if g, err = s.Authz.GrantsIn(ctx, tx, actor, org.ID, inv.Ref); err != nil {
				return err
			}
		}
		if err := g.Require(authz.WriteMembers); err != nil {
			return err
		}
		if !g.Covers(inv.Role) {
			return errAbove
		}
		if err := fn(tx, &inv); err != nil {
			return err
		}
		out = s.invitationOnWire(inv)
		return nil
	})
	return &out, err
}

// Accept makes the actor a member by an invitation that was sent to their
// confirmed address. controldb.ErrInvitationInvalid does not say what is wrong:
// the token may be somebody else's.
func (s *Service) Accept(ctx context.Context, actor authz.Actor, token string) (*Accepted, error) {
	if err := actor.RequirePerson(); err != nil {
		return nil, err
	}
	if !actor.Scope.Unlimited() {
		return nil, authz.ErrTokenScope // a token would widen itself
	}
	users, err := s.Users(ctx, []uuid.UUID{actor.UserID})
	if err != nil {
		return nil, err
	}
	user, ok := users[actor.UserID]
	if !ok {
		return nil, auth.ErrUserNotFound
	}
	if token == "" || len(token) > maxToken || user.Email == "" || user.EmailConfirmedAt == nil {
		return nil, controldb.ErrInvitationInvalid
	}
	var out Accepted
	err = s.DB.Tx(ctx, func(tx *controldb.Tx) error {
		hash := s.DB.Hasher().Hash(token)
		id, err := tx.OrganizationOfInvitation(ctx, hash)
		if err != nil {
			return err
		}
		// Before the invitation's row, as in all other changes.
		if _, err := tx.LockMembers(ctx, id); err != nil {
			return err
		}
		if out, err = s.accept(ctx, tx, hash, actor.UserID, user.Email); err != nil {
			return err
		}
		return control.Remember(ctx, tx, out)
	})
	return &out, err
}

// join gives the invitation's role, unless the inviter may no longer give it, or the
// user was removed since.
func (s *Service) join(ctx context.Context, tx *controldb.Tx, inv controldb.Invitation, user uuid.UUID) error {
	if err := s.inviterMay(ctx, tx, inv); err != nil {
		return err
	}
	ended, err := tx.MembershipEndedAt(ctx, inv.OrganizationID, inv.Ref, user)
	if err != nil {
		return err
	}
	if !inv.ExpiresAt.Add(-invitationLife).After(ended) {
		return controldb.ErrInvitationInvalid // it was sent before they were removed
	}
	held, err := tx.RolesOf(ctx, user, inv.OrganizationID, inv.Ref)
	if err != nil {
		return err
	}
	if inv.Ref != "" {
		if held.Project != "" {
			return errAlready
		}
		return tx.SetProjectRole(ctx, inv.Ref, user, inv.Role)
	}
	if held.Organization != "" {
		return errAlready
	}
	return tx.AddMember(ctx, inv.OrganizationID, user, inv.Role)
}

func checkAddress(s string) (string, error) {
	s = strings.ToLower(strings.TrimSpace(s))
	a, err := netmail.ParseAddress(s)
	if err != nil || a.Name != "" || a.Address != s || len(s) > 255 {
		return "", text.Invalid("email: must be an e-mail address")
	}
	return s, nil
}
