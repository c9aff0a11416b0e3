package main

import (
	"context"

	"github.com/reevehq/reeve/internal/manage"
)

// ofOrganization is the organization that a command works on.
type ofOrganization struct {
	Slug string `arg:"" help:"The organization's slug."`
}

type (
	orgsMembers struct {
		ofOrganization
	}
	orgsRoles struct {
		ofOrganization
	}
	orgsInvitations struct {
		ofOrganization
	}
	orgsInvite struct {
		ofOrganization
		Email   string `arg:"" help:"The address of whom you invite."`
		Role    string `default:"developer" help:"Their role."`
		Project string `placeholder:"REF" help:"The only project that the role is for: its ref, or its name if no other has it."`
	}
	orgsAccept struct {
		Token string `arg:"" help:"The token in the mail."`
	}
	orgsSetRole struct {
		ofOrganization
		User string `arg:"" help:"The member's id."`
		Role string `arg:"" help:"Their new role."`
	}
	orgsRemove struct {
		ofOrganization
		User string `arg:"" help:"The member's id; your own leaves."`
	}
)

func (o *ofOrganization) path(parts ...string) string {
	return manage.Path(append([]string{"organizations", o.Slug}, parts...)...)
}

// list prints what a path of the organization answers.
func (o *ofOrganization) list(ctx context.Context, p program, r *remote, part string, columns ...column) error {
	c, err := r.client(p)
	if err != nil {
		return err
	}
	answer, err := c.Get(ctx, o.path(part))
	if err != nil {
		return err
	}
	return r.print(p, answer, columns...)
}

// Run lists.
func (o *orgsMembers) Run(ctx context.Context, p program, r *remote) error {
	return o.list(ctx, p, r, "members", column{"ID", "user_id"}, column{"USER", "user_name"}, column{"ROLE", "role_name"})
}

// Run lists.
func (o *orgsRoles) Run(ctx context.Context, p program, r *remote) error {
	return o.list(ctx, p, r, "roles", column{"ROLE", "name"}, column{"DESCRIPTION", "description"})
}

func invitationColumns() []column {
	return []column{{"ID", "id"}, {"ADDRESS", "email"}, {"ROLE", "role"}, {"PROJECT", "ref"}, {"EXPIRES", "expires_at"}, {"SENT", "sent_at"}}
}

// Run lists.
func (o *orgsInvitations) Run(ctx context.Context, p program, r *remote) error {
	return o.list(ctx, p, r, "invitations", invitationColumns()...)
}

// Run invites.
func (o *orgsInvite) Run(ctx context.Context, p program, r *remote) error {
	c, err := r.client(p)
	if err != nil {
		return err
	}
	body := map[string]string{"email": o.Email, "role": o.Role}
	if o.Project != "" {
		if body["ref"], err = c.Ref(ctx, o.Project); err != nil {
			return err
		}
	}
	answer, err := c.Create(ctx, o.path("invitations"), body)
	if err != nil {
		return err
	}
	return r.print(p, answer, invitationColumns()...)
}

// Run accepts.
func (o *orgsAccept) Run(ctx context.Context, p program, r *remote) error {
	c, err := r.client(p)
	if err != nil {
		return err
	}
	answer, err := c.Create(ctx, manage.Path("invitations", "accept"), map[string]string{"token": o.Token})
	if err != nil {
		return err
	}
	return r.print(p, answer, column{"SLUG", "organization_slug"}, column{"NAME", "organization_name"}, column{"PROJECT", "ref"}, column{"ROLE", "role"})
}

func changedColumns() []column { return []column{{"ID", "user_id"}, {"ROLE", "role_name"}} }

// Run changes the role.
func (o *orgsSetRole) Run(ctx context.Context, p program, r *remote) error {
	c, err := r.client(p)
	if err != nil {
		return err
	}
	answer, err := c.Change(ctx, o.path("members", o.User), map[string]string{"role": o.Role})
	if err != nil {
		return err
	}
	return r.print(p, answer, changedColumns()...)
}

// Run removes.
func (o *orgsRemove) Run(ctx context.Context, p program, r *remote) error {
	c, err := r.client(p)
	if err != nil {
		return err
	}
	answer, err := c.Delete(ctx, o.path("members", o.User))
	if err != nil {
		return err
	}
	return r.print(p, answer, changedColumns()...)
}
