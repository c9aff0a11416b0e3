package migrations

import (
	"embed"
	"io/fs"
)

//go:embed control/*.sql
var controlFS embed.FS

// Control returns the goose migrations of the control database.
func Control() fs.FS {
	sub, err := fs.Sub(controlFS, "control")
	if err != nil {
		panic("migrations: " + err.Error()) // a fixed path: it is there or nothing compiles
	}
	return sub
}
