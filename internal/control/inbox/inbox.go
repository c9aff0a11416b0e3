package inbox

import (
	"context"

	"github.com/reevehq/reeve/internal/authz"
	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/message"
)

// Service implements the rules of the inbox. Its messages hold links and codes
// that sign users in, so a read-only member does not see them.
type Service struct {
	DB    *controldb.DB
	Authz *authz.Authorizer
	// Dev says that the platform project's messages may be read: their links sign
	// people in to this server.
	Dev bool
}

// List returns up to limit captured messages, the newest first.
func (s *Service) List(ctx context.Context, actor authz.Actor, ref string, limit int) ([]message.Message, error) {
	project, err := s.Authz.Project(ctx, actor, authz.ReadInbox, ref)
	if err != nil {
		return nil, err
	}
	return s.DB.InboxMessages(ctx, project.Ref, limit)
}

// Platform returns up to limit captured messages of the platform project, the newest
// first, to an operator; none where people other than the developer may be using the
// server.
func (s *Service) Platform(ctx context.Context, actor authz.Actor, limit int) ([]message.Message, error) {
	if err := s.Authz.Operator(ctx, actor); err != nil {
		return nil, err
	}
	if !s.Dev {
		return nil, nil
	}
	project, err := s.DB.PlatformProject(ctx)
	if err != nil {
		return nil, err
	}
	return s.DB.InboxMessages(ctx, project.Ref, limit)
}

// Empty deletes the captured messages and returns how many there were.
func (s *Service) Empty(ctx context.Context, actor authz.Actor, ref string) (n int64, err error) {
	project, err := s.Authz.Project(ctx, actor, authz.EmptyInbox, ref)
	if err != nil {
		return 0, err
	}
	err = s.DB.Tx(ctx, func(tx *controldb.Tx) error {
		n, err = tx.EmptyInbox(ctx, project.Ref)
		return err
	})
	return n, err
}
