package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	// drainTimeout bounds the requests in progress at a stop.
	drainTimeout = 10 * time.Second
	// maxHeaderBytes bounds what net/http reads of a request's headers.
	// web.MaxHeaders is the effective limit; beyond this one the answer has no
	// code.
	maxHeaderBytes = 1 << 20
)

// Addr is where the server listens.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// Run serves until ctx ends, lets requests in progress finish, and closes
// everything. It returns nil for a requested stop. Background work ends after
// the last request: until then keys must still be revoked and mails delivered.
func (s *Server) Run(ctx context.Context) error {
	srv := &http.Server{
		Handler:           s.handler(),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	srv.RegisterOnShutdown(sync.OnceFunc(func() { close(s.stopping) }))
	defer s.close(context.WithoutCancel(ctx))
	if err := s.guesses.Load(ctx); err != nil {
		s.log.WarnContext(ctx, "wrong guesses of earlier processes do not count for now", "error", err)
	}
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	group, ctx := errgroup.WithContext(ctx)
	ended := make(chan struct{})
	group.Go(func() error {
		defer close(ended)
		if err := srv.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve: %w", err)
		}
		return nil
	})
	group.Go(func() error {
		<-ctx.Done()
		defer stop()
		return s.drain(srv, ended)
	})
	for _, run := range []func(context.Context) error{
		s.registry.Run, s.outbox.Run, s.provision.Run, s.guard.Run, s.jobs.Run, s.offerJobs, s.projectLog.Run, s.hookCalls.Run, s.usage.Run, s.keyUses.Run, s.oldSets.Run, s.guesses.Run, s.mailInvitations, s.mailLeaks,
		func(ctx context.Context) error { return s.places.Run(ctx, s.log) },
	} {
		group.Go(func() error {
			err := run(background)
			if background.Err() != nil {
				return nil // requested
			}
			return err
		})
	}
	return group.Wait()
}

// drain makes /readyz refuse, continues for DrainDelay so that balancers send
// requests elsewhere, and then accepts no new requests and waits for those in
// progress.
func (s *Server) drain(srv *http.Server, ended <-chan struct{}) error {
	s.ready.Store(false)
	select {
	case <-time.After(s.config.HTTP.DrainDelay):
	case <-ended:
	}
	ctx, cancel := context.WithTimeout(context.Background(), drainTimeout)
	defer cancel()
	err := srv.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		s.log.Warn("requests under way were cut off at the stop")
		return srv.Close()
	}
	return err
}

// close closes everything that New opened.
func (s *Server) close(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, drainTimeout)
	defer cancel()
	if s.listener != nil {
		_ = s.listener.Close() // Shutdown has closed it already, or nothing served
	}
	s.leaks.Close(ctx)
	if err := s.guesses.Flush(ctx); err != nil {
		s.log.Warn("the last failed guesses are forgotten", "error", err)
	}
	_ = s.usage.Flush(ctx)      // logged
	_ = s.keyUses.Flush(ctx)    // logged
	_ = s.oldSets.Flush(ctx)    // logged
	_ = s.hookCalls.Flush(ctx)  // logged
	_ = s.projectLog.Flush(ctx) // logged; everything that adds entries has ended
	if err := s.budget.Close(ctx); err != nil {
		s.log.Warn("closing the projects' connections", "error", err)
	}
	s.outbound.Close()
	s.named.Close()
	s.provision.Close()
	s.control.Close()
}
