// Package doctor looks at an installation and says what is wrong with it. It
// changes nothing.
package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/internal/config"
	"github.com/reevehq/reeve/internal/devpg"
)

const (
	timeout = 10 * time.Second
	// oldest is the oldest release of Postgres that the SQL runs on.
	oldest = 140000
)

// Options say what to look at.
type Options struct {
	File   string // configuration file, "" for none
	Data   string // folder of a development server
	Lookup config.Lookup
}

// Finding is one thing that was looked at; Err is set where it is bad.
type Finding struct {
	About, Text string
	Err         error
}

// Examine looks at the production configuration where there is one, else at what
// `reeve dev` needs.
func Examine(ctx context.Context, o Options) []Finding {
	_, named := o.Lookup("REEVE_PUBLIC_URL")
	if o.File == "" && !named {
		return development(ctx, o)
	}
	cfg, err := config.Load(o.File, o.Lookup)
	found := []Finding{{About: "configuration", Text: "valid", Err: err}}
	if cfg.Database.ControlURL != "" {
		found = append(found, database(ctx, "control database", cfg.Database.ControlURL, false))
		found = append(found, database(ctx, "project databases' server", cfg.Database.AdminURL, true))
	}
	return found
}

func development(ctx context.Context, o Options) []Finding {
	found := []Finding{folder(o.Data)}
	if url, ok := o.Lookup("REEVE_DATABASE_URL"); ok && url != "" {
		return append(found, database(ctx, "REEVE_DATABASE_URL", url, true))
	}
	dir, err := devpg.Find(".")
	return append(found, Finding{About: "Postgres binaries", Text: dir, Err: err})
}

// folder looks at the secrets in a development server's folder.
func folder(dir string) Finding {
	f := Finding{About: "data folder " + dir, Text: "in order"}
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		f.Text = "not there yet: `reeve dev` makes it"
		return f
	}
	for _, name := range []string{"dev.json", "master.key", "postgres.password"} {
		fi, err := os.Stat(filepath.Join(dir, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			f.Err = err
		} else if fi.Mode().Perm()&0o077 != 0 {
			f.Err = fmt.Errorf("others can read %s: chmod 600", name)
		}
	}
	return f
}

// database looks at a server: can it be reached, is it new enough, and, for an
// admin, may the role do what provisioning needs.
func database(ctx context.Context, about, url string, admin bool) Finding {
	f := Finding{About: about}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		f.Err = err // pgx leaves the password out
		return f
	}
	defer func() { _ = conn.Close(ctx) }()
	var number int
	var version string
	var super, createDB, createRole bool
	f.Err = conn.QueryRow(ctx, `SELECT current_setting('server_version_num')::int, current_setting('server_version'),
		rolsuper, rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname = current_user`).
		Scan(&number, &version, &super, &createDB, &createRole)
	f.Text = "PostgreSQL " + version
	switch {
	case f.Err != nil:
	case number < oldest:
		f.Err = fmt.Errorf("PostgreSQL %s is too old: 14 or newer", version)
	case admin && !super && (!createDB || !createRole):
		f.Err = errors.New("the role may not create databases and roles (CREATEDB, CREATEROLE)")
	}
	return f
}
