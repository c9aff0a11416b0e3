package devpg

import (
	"errors"
	"io/fs"
	"syscall"
)

// supported is false: Start refuses, so that the code below is never reached.
const supported = false

// ErrInUse is returned when another living process holds the cluster's folder.
var ErrInUse = errors.New("in use by another process")

type dirLock struct{}

func (*dirLock) Close() error { return nil }

func lockDir(string) (*dirLock, error) { return nil, errors.ErrUnsupported }

// Holder always reports false: nothing is started here.
func Holder(string) (pid int, held bool) { return 0, false }

func procAttr(*account, syscall.Signal) *syscall.SysProcAttr { return nil }

func ownerOf(fs.FileInfo) (uint32, bool) { return 0, false }

func signalProcess(int, syscall.Signal) error { return errors.ErrUnsupported }

func alive(int) bool { return false }

func isPostmaster(int, string) bool { return false }
