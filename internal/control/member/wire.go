package member

import (
	"time"

	"github.com/reevehq/reeve/internal/controldb"
)

// Member is a member on the wire.
type Member struct {
	UserID     string `json:"user_id"`
	UserName   string `json:"user_name" doc:"The address, or the id of a user without one."`
	Email      string `json:"email,omitempty"`
	Name       string `json:"name" doc:"Of the person; empty when it is unknown."`
	RoleName   string `json:"role_name"`
	MFAEnabled bool   `json:"mfa_enabled" doc:"Whether they have a second factor."`
}

// Changed is the answer to a change of a member.
type Changed struct {
	UserID   string `json:"user_id"`
	RoleName string `json:"role_name" doc:"The role that the user has now, or had."`
}

// Role is a role on the wire.
type Role struct {
	Name        string   `json:"name"`
	Description string   `json:"description"`
	BuiltIn     bool     `json:"built_in"`
	Permissions []string `json:"permissions"`
}

// RoleBody is the body of create and update.
type RoleBody struct {
	Name        string   `json:"name,omitempty" maxLength:"63" doc:"Fixed once the role exists."`
	Description string   `json:"description,omitempty" maxLength:"256"`
	Permissions []string `json:"permissions" maxItems:"100"`
}

// InviteBody is the body of an invitation.
type InviteBody struct {
	Email string `json:"email" maxLength:"255"`
	Role  string `json:"role" maxLength:"63"`
	Ref   string `json:"ref,omitempty" maxLength:"20" doc:"The only project that the role is for."`
}

// Invitation is an open invitation on the wire.
type Invitation struct {
	ID        string     `json:"id"`
	Email     string     `json:"email"`
	Role      string     `json:"role"`
	Ref       string     `json:"ref,omitempty"`
	InvitedBy string     `json:"invited_by"`
	CreatedAt time.Time  `json:"created_at"`
	ExpiresAt time.Time  `json:"expires_at"`
	Expired   bool       `json:"expired"`
	SentAt    *time.Time `json:"sent_at" doc:"When its mail was handed over for delivery; null before."`
}

// Accepted says what the invitation was for.
type Accepted struct {
	OrganizationSlug string `json:"organization_slug"`
	OrganizationName string `json:"organization_name"`
	Ref              string `json:"ref,omitempty"`
	Role             string `json:"role"`
}

func memberOnWire(p Person) Member {
	id := p.UserID.String()
	out := Member{UserID: id, UserName: id, Name: p.user.Name(), RoleName: string(p.Role), MFAEnabled: p.secondFactor}
	if p.user.Email != "" {
		out.UserName, out.Email = p.user.Email, p.user.Email
	}
	return out
}

func changedOnWire(p *Person) *Changed {
	if p == nil {
		return nil
	}
	return &Changed{UserID: p.UserID.String(), RoleName: string(p.Role)}
}

func roleOnWire(d Described) Role {
	out := Role{Name: d.name, Description: d.description, BuiltIn: d.builtIn, Permissions: []string{}}
	for _, p := range d.permissions {
		out.Permissions = append(out.Permissions, string(p))
	}
	return out
}

func (s *Service) invitationOnWire(i controldb.Invitation) Invitation {
	return Invitation{
		ID: i.ID.String(), Email: i.Email, Role: string(i.Role), Ref: string(i.Ref), InvitedBy: i.InvitedBy.String(),
		CreatedAt: i.CreatedAt.UTC(), ExpiresAt: i.ExpiresAt.UTC(), Expired: !s.Now().Before(i.ExpiresAt), SentAt: i.SentAt,
	}
}
