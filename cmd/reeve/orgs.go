package main

import (
	"context"

	"github.com/reevehq/reeve/internal/manage"
)

type orgsCommand struct {
	List   orgsList   `cmd:"" help:"List the organizations that you are a member of."`
	Create orgsCreate `cmd:"" help:"Create an organization."`
	Get    orgsGet    `cmd:"" help:"Show an organization."`

	RequireMFA orgsRequireMFA `cmd:"" name:"require-mfa" help:"Require a second factor of the members, or no more: --off."`

	Members     orgsMembers     `cmd:"" help:"List the members."`
	Roles       orgsRoles       `cmd:"" help:"List the roles; -o json shows their permissions."`
	SetRole     orgsSetRole     `cmd:"" help:"Give a member another role."`
	Remove      orgsRemove      `cmd:"" help:"Remove a member, or leave."`
	Invite      orgsInvite      `cmd:"" help:"Invite an address by mail."`
	Invitations orgsInvitations `cmd:"" help:"List the open invitations."`
	Accept      orgsAccept      `cmd:"" help:"Accept an invitation that was mailed to you."`
}

type (
	orgsList   struct{}
	orgsCreate struct {
		Name string `arg:"" help:"Its name."`
	}
	orgsGet struct {
		Slug string `arg:"" help:"Its slug."`
	}
)

type orgsRequireMFA struct {
	Slug string `arg:"" help:"Its slug."`
	Off  bool   `help:"Members need none any more."`
}

// Run requires a second factor, or does so no more.
func (o *orgsRequireMFA) Run(ctx context.Context, p program, r *remote) error {
	c, err := r.client(p)
	if err != nil {
		return err
	}
	answer, err := c.Change(ctx, manage.Path("organizations", o.Slug), map[string]bool{"mfa_required": !o.Off})
	if err != nil {
		return err
	}
	return r.print(p, answer, column{"SLUG", "slug"}, column{"NAME", "name"}, column{"MFA REQUIRED", "mfa_required"})
}

// Run lists.
func (orgsList) Run(ctx context.Context, p program, r *remote) error {
	c, err := r.client(p)
	if err != nil {
		return err
	}
	answer, err := c.Get(ctx, manage.Path("organizations"))
	if err != nil {
		return err
	}
	return r.print(p, answer, column{"SLUG", "slug"}, column{"NAME", "name"})
}

// Run creates.
func (o *orgsCreate) Run(ctx context.Context, p program, r *remote) error {
	c, err := r.client(p)
	if err != nil {
		return err
	}
	answer, err := c.Create(ctx, manage.Path("organizations"), map[string]string{"name": o.Name})
	if err != nil {
		return err
	}
	return r.print(p, answer, column{"SLUG", "slug"}, column{"NAME", "name"})
}

// Run shows.
func (o *orgsGet) Run(ctx context.Context, p program, r *remote) error {
	c, err := r.client(p)
	if err != nil {
		return err
	}
	answer, err := c.Get(ctx, manage.Path("organizations", o.Slug))
	if err != nil {
		return err
	}
	return r.print(p, answer, column{"SLUG", "id"}, column{"NAME", "name"}, column{"PLAN", "plan"})
}
