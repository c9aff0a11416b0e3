package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path/filepath"

	"github.com/reevehq/reeve/internal/config"
	"github.com/reevehq/reeve/internal/dev"
	"github.com/reevehq/reeve/internal/manage"
)

// remote is the server's address, and the output format. Every command has
// these flags.
type remote struct {
	Output string `short:"o" enum:"table,json" default:"table" help:"How answers are shown: table or json."`
	Data   string `placeholder:"DIR" help:"Folder of reeve dev (.reeve), also as REEVE_DATA; where it is named, REEVE_URL does not count."`

	source string // where the address came from, once client has run
}

const (
	fromVariable = "REEVE_URL"
	dataVariable = "REEVE_DATA"
)

var errNoServer = usage{errors.New("no server known: set REEVE_URL and REEVE_ACCESS_TOKEN, or start `reeve dev` in this folder (or name its folder with --data or REEVE_DATA)")}

// fromEnvironment sets Data from its variable unless the flag is given.
func (r *remote) fromEnvironment(lookup config.Lookup) {
	if r.Data == "" {
		r.Data, _ = lookup(dataVariable)
	}
}

// folder is Data, or the default.
func (r *remote) folder() string {
	if r.Data == "" {
		return dev.DefaultData
	}
	return r.Data
}

// client finds the server. A named folder takes precedence: a variable must not
// send a development server's command to another server.
func (r *remote) client(p program) (*manage.Client, error) {
	if r.Data == "" {
		if c, err := r.named(p); c != nil || err != nil {
			return c, err
		}
	}
	origin, token, err := dev.Endpoint(r.folder())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, r.unknown()
	}
	if err != nil {
		return nil, err
	}
	r.source = filepath.Join(r.folder(), "dev.json")
	return manage.New(origin, token), nil
}

// anonymous finds the server for a route that needs no token.
func (r *remote) anonymous(p program) (*manage.Client, error) {
	origin, _ := p.lookup(fromVariable)
	if r.Data != "" || origin == "" {
		return r.client(p)
	}
	if err := checkOrigin(origin); err != nil {
		return nil, err
	}
	r.source = fromVariable
	return manage.New(origin, ""), nil
}

// project finds the server, and the ref of the project with a ref or a name.
func (r *remote) project(ctx context.Context, p program, word string) (c *manage.Client, ref string, err error) {
	if c, err = r.client(p); err != nil {
		return nil, "", err
	}
	ref, err = c.Ref(ctx, word)
	return c, ref, err
}

// named is the server in the variables; nil if there is none. The token of a
// development server is only sent to that server, so both variables are needed,
// or neither.
func (r *remote) named(p program) (*manage.Client, error) {
	origin, _ := p.lookup(fromVariable)
	token, _ := p.lookup("REEVE_ACCESS_TOKEN")
	switch {
	case origin == "" && token == "":
		return nil, nil
	case token == "":
		return nil, usage{errors.New("REEVE_URL is set, REEVE_ACCESS_TOKEN is not")}
	case origin == "":
		return nil, usage{errors.New("REEVE_ACCESS_TOKEN is set, REEVE_URL is not")}
	}
	if err := checkOrigin(origin); err != nil {
		return nil, err
	}
	r.source = fromVariable
	return manage.New(origin, token), nil
}

func checkOrigin(origin string) error {
	if u, err := url.Parse(origin); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return usage{errors.New("REEVE_URL must begin with http:// or https://")}
	}
	return nil
}

func (r *remote) unknown() error {
	if r.Data == "" {
		return errNoServer
	}
	return usage{fmt.Errorf("no server known in %s: start `reeve dev --data %s` first", r.Data, r.Data)}
}

// advise adds a remedy to an error.
func (r *remote) advise(err error) error {
	var gone *manage.Unreachable
	if errors.As(err, &gone) && r.source == fromVariable {
		return fmt.Errorf("%w: %s (address from %s)", err, gone.Cause(), r.source)
	}
	if errors.As(err, &gone) && r.source != "" {
		return fmt.Errorf("%w: is `reeve dev` running? (address from %s)", err, r.source)
	}
	var refused *manage.Refusal
	if errors.As(err, &refused) && refused.Code == "project_not_found" {
		return fmt.Errorf("%w: `reeve projects list` shows refs and names", err)
	}
	return err
}
