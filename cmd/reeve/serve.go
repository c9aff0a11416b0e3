package main

import (
	"context"
	"log/slog"

	"github.com/reevehq/reeve/internal/config"
	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/internal/server"
)

type serveCommand struct {
	File string `name:"config" placeholder:"FILE" help:"Configuration file; REEVE_* variables win over it."`
}

// Run serves until it is stopped.
func (c *serveCommand) Run(ctx context.Context, p program) error {
	o, err := p.serverOptions(c.File)
	if err != nil {
		return err
	}
	addProcessors(o.Config.Hash.Slots)
	s, err := server.New(ctx, o)
	if err != nil {
		return stopped(ctx, err)
	}
	o.Logger.InfoContext(ctx, "reeve serves", "version", o.Version, "address", s.Addr().String(), "url", o.Config.HTTP.Origin())
	link, err := s.SetupLink(ctx)
	switch {
	case err != nil:
		o.Logger.WarnContext(ctx, "no setup link for the first operator: reeve operator link makes one", "error", err)
	case link != "":
		o.Logger.WarnContext(ctx, "nobody has an operator's account yet: who opens this link within a day gets one", "link", link)
	}
	return s.Run(ctx)
}

// serverOptions reads the configuration of production.
func (p program) serverOptions(file string) (server.Options, error) {
	cfg, err := config.Load(file, p.lookup)
	if err != nil {
		return server.Options{}, err
	}
	log := slog.New(slog.NewJSONHandler(p.err, &slog.HandlerOptions{Level: cfg.HTTP.Level(), ReplaceAttr: fault.ClipAttr}))
	return server.Options{Config: cfg, Logger: log, Version: version()}, nil
}
