package provision

import (
	"context"
	"errors"
	"time"

	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/tenants"
)

const (
	// expireTick is the interval at which ephemeral projects are looked for whose
	// time is over.
	expireTick = 5 * time.Second
	// expireBatch is how many are marked before the first of them is dropped.
	expireBatch = 100
)

// Expire deletes the ephemeral projects whose time is over. All of a batch are
// marked first, so that none is served for longer because others take time to
// drop. Then their databases are dropped one after the other, which leaves most
// of the server to the projects that live. Any number of replicas may call it at
// the same time; what a killed one has marked is dropped by Recover. It returns
// the errors of those that are left.
func (s *Service) Expire(ctx context.Context) error {
	if err := s.init(); err != nil {
		return err
	}
	var all []error
	for ctx.Err() == nil {
		marked, err := s.markExpired(ctx)
		all = append(all, err)
		for _, ref := range marked {
			if _, err := s.drop(ctx, ref, false); err != nil {
				all = append(all, err)
			}
		}
		if err != nil || len(marked) == 0 {
			break
		}
	}
	return errors.Join(all...)
}

// markExpired marks projects as being deleted and returns those that it marked
// itself.
func (s *Service) markExpired(ctx context.Context) ([]tenants.Ref, error) {
	expired, err := s.Control.ExpiredProjects(ctx, s.Now(), expireBatch)
	if err != nil {
		return nil, err
	}
	var marked []tenants.Ref
	for _, p := range expired {
		err := s.Control.Tx(ctx, func(tx *controldb.Tx) error {
			// Under the row's lock: it may have been extended in between.
			if err := tx.ExpireProject(ctx, p.Ref, s.Now()); err != nil {
				return err
			}
			return tx.DropDatabase(ctx, p.Ref)
		})
		if errors.Is(err, controldb.ErrNoProject) {
			continue
		}
		if err != nil {
			return marked, err
		}
		s.after("expire")
		marked = append(marked, p.Ref)
	}
	return marked, nil
}
