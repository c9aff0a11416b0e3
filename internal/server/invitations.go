package server

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/dashboard"
	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/internal/message"
)

const (
	// invitationPeriod is the pause between two looks for invitations whose mail
	// another process did not hand over.
	invitationPeriod = 30 * time.Second
	// manyInvitations bounds one look.
	manyInvitations = 100
)

// nudge is a request to look now. It never blocks.
type nudge chan struct{}

func (n nudge) wake() {
	select {
	case n <- struct{}{}:
	default:
	}
}

// mailInvitations hands the mails of new invitations over to the platform
// project's outbox. The row in the control database and the outbox row commit
// apart: a mail is handed over until its invitation says so, at least once. Its id
// keeps a second one out while the first waits in the outbox.
func (s *Server) mailInvitations(ctx context.Context) error {
	tick := time.NewTicker(invitationPeriod)
	defer tick.Stop()
	for {
		if err := s.mailNewInvitations(ctx); err != nil && ctx.Err() == nil {
			s.log.WarnContext(ctx, "invitations are not mailed for now", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-s.invited:
		case <-tick.C:
		}
	}
}

func (s *Server) mailNewInvitations(ctx context.Context) error {
	waiting, err := s.control.UnsentInvitations(ctx, s.now(), manyInvitations)
	for _, inv := range waiting { // one that cannot be mailed holds no other
		if failed := s.mailInvitation(ctx, inv); failed != nil {
			err = errors.Join(err, fmt.Errorf("invitation %s: %w", inv.ID, failed))
		}
	}
	return err
}

func (s *Server) mailInvitation(ctx context.Context, inv controldb.UnsentInvitation) error {
	data, err := s.invitationData(ctx, inv)
	if err != nil {
		return err
	}
	m, err := message.Render(message.TeamInvite, message.Template{}, inv.Email, data)
	if err != nil {
		return err
	}
	m.ID = uuid.NewSHA1(inv.ID, []byte(inv.Token)) // of this token's mail
	if err := s.enqueuePlatform(ctx, m); err != nil {
		return err
	}
	return s.control.InvitationSent(ctx, inv.ID, inv.Token, s.now())
}

func (s *Server) invitationData(ctx context.Context, inv controldb.UnsentInvitation) (message.Data, error) {
	org, err := s.control.OrganizationByID(ctx, inv.OrganizationID)
	if err != nil {
		return message.Data{}, err
	}
	inviter, err := s.platformUser(ctx, inv.InvitedBy)
	if err != nil && !errors.Is(err, auth.ErrUserNotFound) {
		return message.Data{}, err
	}
	values := map[string]any{
		"organization": org.Name, "role": strings.ReplaceAll(string(inv.Role), "_", " "), "inviter": inviter.Email, "token": inv.Token,
	}
	if inv.Ref != "" {
		p, err := s.control.ProjectByRef(ctx, inv.Ref)
		if err != nil && fault.From(err).Kind != fault.NotFound {
			return message.Data{}, err
		}
		values["project"] = p.Name
	}
	return message.Data{
		ConfirmationURL: s.config.HTTP.Origin() + dashboard.InvitationPage + "?" + url.Values{"token": {inv.Token}}.Encode(),
		ProjectName:     platformName, SiteURL: s.config.HTTP.Origin(), ExpiresIn: inv.ExpiresAt.Sub(s.now()).Round(time.Hour), Data: values,
	}, nil
}
