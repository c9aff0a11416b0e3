package provision

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/tenants"
)

// TestCreateGoesOn cancels the caller's context while the template is locked.
func TestCreateGoesOn(t *testing.T) {
	t.Parallel()
	ctx, leave := context.WithCancel(t.Context())
	template := ownTemplate(t)
	w := newWorld(t, template)
	s := w.replica(t, template, func(s *Service) {
		s.After = func(step string) {
			if step == "roles recorded" {
				leave()
			}
		}
	})
	var ref tenants.Ref
	err := w.asAdmin(t.Context(), "postgres", func(conn *pgx.Conn) error {
		return w.lockedTemplate(t.Context(), conn, false, func() error {
			created, err := s.Create(ctx, NewProject{OrganizationID: w.org, Name: "a"})
			if err == nil && created.Project.Status != tenants.StatusCreating {
				t.Errorf("project is %s", created.Project.Status)
			}
			ref = created.Project.Ref
			return err
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	s.background.Wait()
	w.checkServed(t, ref)
}

func TestAwait(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	release, seen := make(chan struct{}), make(chan error, 1)
	do := func(ctx context.Context, _ tenants.Ref, _ bool) (bool, error) {
		<-release
		seen <- ctx.Err()
		return true, nil
	}
	if err := w.await(t.Context(), time.Millisecond, "", do); !errors.Is(err, errGoesOn) {
		t.Errorf("await = %v", err)
	}
	close(release)
	if err := <-seen; err != nil {
		t.Errorf("the work's context: %v", err)
	}
	if err := w.await(t.Context(), time.Minute, "", do); err != nil {
		t.Error(err)
	}
	if err := <-seen; err != nil {
		t.Errorf("the work's context: %v", err)
	}
	ended := w.replica(t)
	if err := ended.init(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = ended.await(t.Context(), time.Minute, "", func(ctx context.Context, _ tenants.Ref, _ bool) (bool, error) {
			seen <- nil
			<-ctx.Done()
			return true, ctx.Err()
		})
	}()
	if err := <-seen; err != nil { // it has begun
		t.Error(err)
	}
	ended.Close() // returns only when the work ends
}
