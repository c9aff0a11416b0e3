package main

import (
	"errors"
	"io/fs"

	"github.com/reevehq/reeve/internal/dev"
	"github.com/reevehq/reeve/internal/manage"
)

// remote says where the server is, and how its answers are shown. These flags
// stand at every command.
type remote struct {
	Output string `short:"o" enum:"table,json" default:"table" help:"How answers are shown: table or json."`
	Data   string `default:".reeve" placeholder:"DIR" help:"Folder of reeve dev (.reeve)."`
}

var errNoServer = usage{errors.New("no server known: set REEVE_URL and REEVE_ACCESS_TOKEN, or start `reeve dev` in this folder (or name its folder with --data)")}

// client finds the server. The token of a development server goes nowhere else:
// so both variables are needed, or none.
func (r *remote) client(p program) (*manage.Client, error) {
	origin, _ := p.lookup("REEVE_URL")
	token, _ := p.lookup("REEVE_ACCESS_TOKEN")
	switch {
	case origin != "" && token != "":
		return manage.New(origin, token), nil
	case origin != "":
		return nil, usage{errors.New("REEVE_URL is set, REEVE_ACCESS_TOKEN is not")}
	case token != "":
		return nil, usage{errors.New("REEVE_ACCESS_TOKEN is set, REEVE_URL is not")}
	}
	origin, token, err := dev.Endpoint(r.Data)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errNoServer
	}
	if err != nil {
		return nil, err
	}
	return manage.New(origin, token), nil
}
