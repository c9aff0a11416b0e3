package main

import (
	"fmt"

	"github.com/reevehq/reeve/internal/server"
)

type openapiCommand struct{}

// Run prints the description of the Management API.
func (openapiCommand) Run(p program) error {
	raw, err := server.OpenAPI(version())
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(p.out, string(raw))
	return err
}
