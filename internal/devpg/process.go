package devpg

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// process is the postmaster.
type process struct {
	cmd    *exec.Cmd
	exited chan struct{} // closed after err is set
	err    error
	asked  chan struct{} // closed before the process is asked to end
	once   sync.Once
}

// launch starts the postmaster with its output appended to the log.
func (c *cluster) launch(port int) (*process, error) {
	log, err := c.openLog()
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }()
	cmd := exec.Command(filepath.Join(c.install.dir, "postgres"), c.arguments(port)...)
	cmd.Dir, cmd.Env = c.home, environ()
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = procAttr(c.account, c.deathSignal())
	p := &process{cmd: cmd, exited: make(chan struct{}), asked: make(chan struct{})}
	return p, p.start()
}

// deathSignal is sent to the postmaster when this process dies: one that keeps
// the data intact, or, for ephemeral data, one that ends it at once.
func (c *cluster) deathSignal() syscall.Signal {
	if c.Ephemeral {
		return syscall.SIGQUIT
	}
	return syscall.SIGINT
}

// start runs the child from a thread that lives as long as the child: the
// kernel sends the death signal when that thread ends, not the process.
func (p *process) start() error {
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with this goroutine
		err := p.cmd.Start()
		started <- err
		if err != nil {
			return
		}
		p.err = p.cmd.Wait()
		close(p.exited)
	}()
	if err := <-started; err != nil {
		return fmt.Errorf("start postgres: %w", err)
	}
	return nil
}

// stop requests a fast shutdown, and an immediate one when ctx ends.
func (p *process) stop(ctx context.Context) error {
	p.once.Do(func() { close(p.asked) })
	_ = p.cmd.Process.Signal(syscall.SIGINT) // fails only when it has ended
	select {
	case <-p.exited:
		return nil
	case <-ctx.Done():
	}
	_ = p.cmd.Process.Signal(syscall.SIGQUIT)
	select {
	case <-p.exited:
	case <-time.After(10 * time.Second):
		_ = p.cmd.Process.Kill()
		<-p.exited
	}
	return fmt.Errorf("postgres did not shut down in time: %w", ctx.Err())
}

// maxLog is the size from which a log is rotated at the next start.
const maxLog = 16 << 20

func (c *cluster) openLog() (*os.File, error) {
	path := c.logPath()
	if fi, err := os.Stat(path); err == nil && fi.Size() > maxLog {
		_ = os.Rename(path, path+".1")
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("postgres' log: %w", err)
	}
	return f, nil
}
