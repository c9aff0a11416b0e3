//go:build linux || darwin

package main

import (
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/pprof"
	"strings"

	"github.com/reevehq/reeve/internal/config"
	"github.com/reevehq/reeve/internal/dev"
)

// embed runs the server within this process, so that profiles see it.
func (b *bench) embed(ctx context.Context, variables []string) (*reeve, error) {
	lookup := func(name string) (string, bool) {
		for _, v := range variables {
			if key, value, _ := strings.Cut(v, "="); key == name {
				return value, true
			}
		}
		return os.LookupEnv(name)
	}
	c, err := config.Over(config.Development(), "", lookup)
	if err != nil {
		return nil, err
	}
	c.HTTP.Listen = b.addr
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan struct{})
	var exit error
	go func() {
		defer close(ended)
		exit = dev.Run(running, dev.Options{
			Config: c, Data: b.data(), Command: "reeve", Version: "bench", Out: io.Discard,
			Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
		})
	}()
	end := func() error {
		cancel()
		<-ended
		return exit
	}
	return &reeve{end: end, ended: ended}, nil
}

// profile profiles this process until stop, if profiles are requested.
func (b *bench) profile(figure string) (stop func(), err error) {
	if b.profiles == "" {
		return func() {}, nil
	}
	if err := os.MkdirAll(b.profiles, 0o755); err != nil {
		return nil, err
	}
	f, err := os.Create(filepath.Join(b.profiles, figure+".pprof"))
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, err
	}
	return func() {
		pprof.StopCPUProfile()
		_ = f.Close() // a truncated profile is noticed when it is read
	}, nil
}
