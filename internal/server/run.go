package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	// drainTimeout is how long requests under way may take to end at a stop.
	drainTimeout = 10 * time.Second
	// maxHeaderBytes bounds a request's headers; the longest access token fits.
	maxHeaderBytes = 64 << 10
)

// Addr is where the server listens.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// Run serves until ctx ends, lets the requests under way finish, and closes
// everything. It returns nil for a stop that was asked for.
func (s *Server) Run(ctx context.Context) error {
	srv := &http.Server{
		Handler:           s.handler(),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    maxHeaderBytes,
	}
	defer s.close(context.WithoutCancel(ctx))
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		if err := srv.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve: %w", err)
		}
		return nil
	})
	group.Go(func() error { return ended(ctx, s.registry.Run(ctx)) })
	group.Go(func() error { return ended(ctx, s.dispatcher.Run(ctx)) })
	group.Go(func() error { return ended(ctx, s.provision.Run(ctx)) })
	group.Go(func() error { s.tidy(ctx); return nil })
	group.Go(func() error {
		<-ctx.Done()
		drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
		defer cancel()
		if err := srv.Shutdown(drain); err != nil {
			return fmt.Errorf("drain: %w", err)
		}
		return nil
	})
	return group.Wait()
}

// tidyPeriod is the time between two rounds of tidy.
const tidyPeriod = 10 * time.Minute

// tidy removes from the control database what has had its time.
func (s *Server) tidy(ctx context.Context) {
	tick := time.NewTicker(tidyPeriod)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if _, err := s.control.DeleteOldIdempotencyKeys(ctx); err != nil && ctx.Err() == nil {
			s.log.WarnContext(ctx, "old idempotency keys stay for now", "error", err)
		}
	}
}

// ended passes on why a background job ended, unless it was told to.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// close gives back what New opened.
func (s *Server) close(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, drainTimeout)
	defer cancel()
	if s.listener != nil {
		_ = s.listener.Close() // Shutdown has closed it already, or nothing served
	}
	if err := s.budget.Close(ctx); err != nil {
		s.log.Warn("closing the projects' connections", "error", err)
	}
	s.outbound.Close()
	s.provision.Close()
	s.control.Close()
}
