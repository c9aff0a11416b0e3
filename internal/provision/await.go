package provision

import (
	"context"
	"errors"
	"time"

	"github.com/reevehq/reeve/tenants"
)

// errGoesOn is returned when the caller's wait ended before the work did.
var errGoesOn = errors.New("provision: it goes on in the background")

// await runs the steps after the commit of a creation or deletion in the
// background, without the caller's cancellation, and returns their error. It
// returns errGoesOn when they take longer than timeout or the caller goes away.
func (s *Service) await(ctx context.Context, timeout time.Duration, ref tenants.Ref,
	do func(ctx context.Context, ref tenants.Ref, wait bool) (bool, error),
) error {
	done := make(chan error, 1)
	s.background.Go(func() {
		ctx, cancel := s.detach(ctx, finishTimeout)
		defer cancel()
		_, err := do(ctx, ref, true)
		done <- err
	})
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case err := <-done:
		return err
	case <-timer.C:
	case <-ctx.Done():
	}
	return errGoesOn
}

// detach returns a context with ctx's values that ends after timeout or when
// the service is closed, but not with ctx.
func (s *Service) detach(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
	stop := context.AfterFunc(s.ctx, cancel)
	return ctx, func() { stop(); cancel() }
}
