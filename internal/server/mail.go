package server

import (
	"context"
	"net"
	"strconv"
	"time"

	"github.com/reevehq/reeve/internal/control/authconfig"
	"github.com/reevehq/reeve/internal/control/project"
	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/message"
	"github.com/reevehq/reeve/internal/outbox"
	"github.com/reevehq/reeve/internal/setting"
	"github.com/reevehq/reeve/tenants"
)

// marks is outbox.Marks over the control database.
type marks struct{ db *controldb.DB }

// manyMarks bounds one sweep; the oldest marks come first.
const manyMarks = 10_000

func (m marks) Mark(ctx context.Context, ref tenants.Ref, kind outbox.Kind) error {
	return m.db.MarkOutbox(ctx, ref, string(kind))
}

func (m marks) Marked(ctx context.Context, kind outbox.Kind) ([]tenants.Ref, error) {
	return m.db.MarkedOutboxes(ctx, string(kind), manyMarks)
}

func (m marks) Unmark(ctx context.Context, ref tenants.Ref, kind outbox.Kind, olderThan time.Duration) error {
	return m.db.UnmarkOutbox(ctx, ref, string(kind), olderThan)
}

// sender returns the sender of a project's mails: the inbox if it is a
// branch, its own SMTP server, else the capturing inbox, else the operator's SMTP server.
func (s *Server) sender(ctx context.Context, ref tenants.Ref) (message.Sender, error) {
	t, err := s.registry.Tenant(ctx, ref)
	if err != nil {
		return nil, err
	}
	r, err := s.mailRoute(t, &t.Config, t.Secrets.Settings)
	return r.Sender, err
}

// mailRoute returns how mails of a project leave if it has this configuration.
func (s *Server) mailRoute(t *tenants.Tenant, c *setting.Config, secrets setting.Secrets) (authconfig.Route, error) {
	if t.Capture {
		return authconfig.Route{Sender: message.Capture{Store: s.control}}, nil
	}
	if c.SMTPHost != "" {
		port, _ := strconv.Atoi(c.SMTPPort) // checked when it was set; 0 is the default port
		return authconfig.Route{Own: true, Sender: s.smtp(message.SMTPSettings{
			Host: c.SMTPHost, Port: port, User: c.SMTPUser, Pass: secrets[setting.SMTPPass],
			From: c.SMTPAdminEmail, SenderName: c.SMTPSenderName,
		}, false)}, nil
	}
	if s.config.Mail.Capture {
		return authconfig.Route{Sender: message.Capture{Store: s.control}}, nil
	}
	settings := s.config.Mail.Settings()
	if settings.Host == "" {
		return authconfig.Route{}, message.ErrNoServer // the mails wait until there is one, or they expire
	}
	if c.SMTPSenderName != "" {
		settings.SenderName = c.SMTPSenderName
	}
	return authconfig.Route{Sender: s.smtp(settings, true)}, nil
}

// mailOfProjects is what happens to the mails of projects without a mail server of
// their own.
func (s *Server) mailOfProjects() project.Mail {
	switch {
	case s.config.Mail.Capture:
		return project.MailCaptured
	case s.config.Mail.SMTPURL == "":
		return project.MailWaits
	}
	return project.MailSent
}

// hasSMTP reports whether a project has a mail server of its own.
func (s *Server) hasSMTP(ref tenants.Ref) bool {
	t, err := s.registry.Tenant(context.Background(), ref) // in memory: the sender has just been made
	return err == nil && t.Config.SMTPHost != "" && !t.Capture
}

// smtp returns a sender. The operator's server may be in a private network; a
// project's may not, except in development.
func (s *Server) smtp(settings message.SMTPSettings, operators bool) message.Sender {
	dial := s.outbound.DialContext
	if operators {
		dial = (&net.Dialer{Timeout: 10 * time.Second}).DialContext
	}
	return &message.SMTP{Settings: settings, Dial: dial}
}
