package server

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/mail"
	"github.com/reevehq/reeve/internal/control/leak"
	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/internal/message"
	"github.com/reevehq/reeve/internal/ratelimit"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

const (
	// leakPeriod is the pause between two looks for notices that another process did
	// not hand over.
	leakPeriod = 30 * time.Second
	// manyLeaks bounds one look.
	manyLeaks = 100
)

// leakRule limits the reports of an address.
var leakRule = ratelimit.Rule{Name: "leaked_keys", Events: 60, Per: 5 * time.Minute, Burst: 60}

func (s *Server) newLeaks() *leak.Service {
	return &leak.Service{
		DB: s.control, Legacy: s.legacyKey, Project: s.projectLog, Log: s.log, Now: s.now, Delay: leak.Delay, Noted: s.leakNoted.wake,
		Changed: func(ref tenants.Ref) { s.registry.Changed(tenants.Change{Ref: ref}) },
		Allow: func(ctx context.Context, ip string) error {
			address, _ := netip.ParseAddr(ip) // an unknown one is a client of its own
			return s.limiter.Allow(ctx, "", leakRule, ratelimit.LimitKey(address))
		},
	}
}

// legacyKey returns the project and the role of a legacy key that is accepted.
func (s *Server) legacyKey(ctx context.Context, key string) (tenants.Ref, tenants.Role, error) {
	if tenants.LooksLikeKey(key) {
		return "", "", tenants.ErrUnknownKey
	}
	t, err := s.router.ResolvePaused(ctx, tenants.Address{}, key)
	if err != nil {
		return "", "", err
	}
	creds, err := t.Authenticate(s.hasher, s.now(), key, "", false)
	return t.Ref, creds.Role, err
}

// mailLeaks hands the mails about leaked keys over to the platform project's outbox,
// as mailInvitations does.
func (s *Server) mailLeaks(ctx context.Context) error {
	tick := time.NewTicker(leakPeriod)
	defer tick.Stop()
	for {
		if err := s.mailNewLeaks(ctx); err != nil && ctx.Err() == nil {
			s.log.WarnContext(ctx, "leaks of keys are not mailed for now", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-s.leakNoted:
		case <-tick.C:
		}
	}
}

func (s *Server) mailNewLeaks(ctx context.Context) error {
	waiting, err := s.control.UnsentLeakNotices(ctx, s.now(), manyLeaks)
	for _, n := range waiting { // one that cannot be mailed holds no other
		if failed := s.mailLeak(ctx, n); failed != nil {
			err = errors.Join(err, fmt.Errorf("leak %s: %w", n.ID, failed), s.control.LeakNoticeFailed(ctx, n, s.now()))
		}
	}
	return err
}

// mailLeak hands over a mail to each of those who are to know, at least once: a
// mail's id keeps a second one out while the first waits in the outbox, and a process
// that ends between the mail and the note that it was handed over sends it again.
func (s *Server) mailLeak(ctx context.Context, n controldb.LeakNotice) error {
	values := map[string]any{"kind": n.Kind, "name": n.Name, "project": n.Project, "revoked": n.Revoked}
	var users []uuid.UUID
	if n.UserID != nil {
		users = append(users, *n.UserID)
	}
	if n.OrganizationID != nil {
		org, err := s.control.OrganizationByID(ctx, *n.OrganizationID)
		if fault.From(err).Kind == fault.NotFound && err != nil { // with all who were to know
			return s.control.LeakNoticeSent(ctx, n.ID, s.now())
		}
		if err != nil {
			return err
		}
		values["organization"] = org.Name
		members, err := s.control.MembersOf(ctx, org.ID)
		if err != nil {
			return err
		}
		for _, m := range members {
			if slices.Contains([]controldb.Role{controldb.Owner, controldb.Administrator}, m.Role) {
				users = append(users, m.UserID)
			}
		}
	}
	for _, id := range users {
		u, err := s.platformUser(ctx, id)
		if errors.Is(err, auth.ErrUserNotFound) || err == nil && u.Email == "" {
			continue
		}
		if err != nil {
			return err
		}
		m, err := message.Render(message.LeakedKey, message.Template{}, u.Email, message.Data{
			ProjectName: platformName, SiteURL: s.config.HTTP.Origin(), Data: values,
		})
		if err != nil {
			return err
		}
		m.ID = uuid.NewSHA1(n.ID, id[:])
		if err := s.enqueuePlatform(ctx, m); err != nil {
			return err
		}
	}
	return s.control.LeakNoticeSent(ctx, n.ID, s.now())
}

// enqueuePlatform puts a mail into the platform project's outbox, unless it is there
// already.
func (s *Server) enqueuePlatform(ctx context.Context, m message.Message) error {
	p, err := s.control.PlatformProject(ctx)
	if err != nil {
		return err
	}
	t, err := s.registry.Tenant(ctx, p.Ref)
	if err != nil {
		return err
	}
	sealed, err := mail.Seal(t, m)
	if err != nil {
		return err
	}
	if err := s.mailer.Dispatcher.Prepare(ctx, t.Ref); err != nil {
		return err
	}
	err = s.Database(t).Tx(ctx, func(tx *tenantdb.Tx) error {
		return tx.Enqueue(ctx, m.ID, string(message.Mails), sealed)
	})
	var pg *pgconn.PgError
	if err != nil && (!errors.As(err, &pg) || pg.Code != "23505") { // unique_violation
		return err
	}
	s.mailer.Dispatcher.Wake(t.Ref)
	return nil
}
