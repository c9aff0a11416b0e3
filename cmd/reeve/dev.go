package main

import (
	"context"
	"errors"
	"log/slog"
	"strconv"

	"github.com/reevehq/reeve/internal/config"
	"github.com/reevehq/reeve/internal/dev"
	"github.com/reevehq/reeve/internal/fault"
)

type devCommand struct {
	Listen       string `placeholder:"ADDR" help:"Address to listen on (127.0.0.1:8000)."`
	PostgresPort port   `placeholder:"N" help:"Port of the own Postgres (the last one, at first a free one)."`
	File         string `name:"config" placeholder:"FILE" help:"Configuration file."`
}

// port is a TCP port; 0 names none.
type port uint16

// UnmarshalText reads a flag.
func (p *port) UnmarshalText(text []byte) error {
	n, err := strconv.ParseUint(string(text), 10, 16)
	if err != nil {
		return errors.New("must be a port, at most 65535")
	}
	*p = port(n)
	return nil
}

// Run starts the development server.
func (c *devCommand) Run(ctx context.Context, p program, r *remote) error {
	cfg, err := config.Over(config.Development(), c.File, p.lookup)
	if err != nil {
		return err
	}
	if c.Listen != "" {
		cfg.HTTP.Listen = c.Listen
	}
	addProcessors(cfg.Hash.Slots)
	return stopped(ctx, dev.Run(ctx, dev.Options{
		Config: cfg, Data: r.folder(), PostgresPort: int(c.PostgresPort),
		Command: p.name, Version: version(), Out: p.out,
		Logger: slog.New(slog.NewTextHandler(p.err, &slog.HandlerOptions{Level: cfg.HTTP.Level(), ReplaceAttr: fault.ClipAttr})),
	}))
}
