package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/reevehq/reeve/internal/dev"
	"github.com/reevehq/reeve/internal/outbound"
)

// development checks the requirements of `reeve dev`.
func development(ctx context.Context, o Options) []Finding {
	if o.Data == "" {
		o.Data = dev.DefaultData
	}
	found := []Finding{folder(o.Data)}
	if url, _, err := dev.Endpoint(o.Data); !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission) {
		found = append(found, running(ctx, url, err))
	}
	if url, ok := o.Lookup("REEVE_DATABASE_URL"); ok && url != "" {
		return append(found, cluster(ctx, "REEVE_DATABASE_URL", url, false)...)
	}
	dir, err := dev.Binaries(o.Data)
	return append(found, Finding{About: "Postgres binaries", Text: dir, Err: err})
}

// folder checks the secrets in a development server's folder: this process can
// read them, and other users cannot.
func folder(dir string) Finding {
	f := Finding{About: "data folder " + dir, Text: "in order"}
	fi, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		f.Text = "not there yet: `reeve dev` makes it"
		return f
	case err != nil:
		f.Err = err
		return f
	case !fi.IsDir():
		f.Err = errors.New("is no folder")
		return f
	}
	var wrong []string
	for _, name := range []string{"dev.json", "master.key", "postgres.password"} {
		if err := secretFile(filepath.Join(dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			wrong = append(wrong, err.Error())
		}
	}
	if len(wrong) > 0 {
		f.Err = errors.New(strings.Join(wrong, "; "))
	}
	return f
}

func secretFile(path string) error {
	file, err := os.Open(path) //nolint:gosec // the user names the folder
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	fi, err := file.Stat()
	if err != nil {
		return err
	}
	if fi.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("others can read %s: chmod 600", filepath.Base(path))
	}
	return nil
}

// running checks the server in dev.json.
func running(ctx context.Context, url string, err error) Finding {
	f := Finding{About: "development server", Err: err}
	if err != nil {
		return f
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/readyz", nil)
	if err != nil {
		f.Err = err
		return f
	}
	res, err := outbound.New(outbound.Options{AllowPrivate: true, AllowPlainHTTP: true}).HTTP(timeout).Do(req)
	if err != nil {
		f.Warning, f.Text = true, "does not run at "+url+": `reeve dev` starts it"
		return f
	}
	_ = res.Body.Close()
	if f.Text = "runs at " + url; res.StatusCode != http.StatusOK {
		f.Warning, f.Text = true, fmt.Sprintf("%s is not ready (HTTP %d)", url, res.StatusCode)
	}
	return f
}
