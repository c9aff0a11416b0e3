package password

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// nice is the nice value of the calling thread.
func nice(t *testing.T) int {
	t.Helper()
	prio, err := syscall.Getpriority(syscall.PRIO_PROCESS, 0)
	if err != nil {
		t.Fatal(err)
	}
	return 20 - prio
}

func TestOnThread_priority(t *testing.T) {
	t.Parallel()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	own, thread := nice(t), syscall.Gettid()
	want := min(19, own+yielding)
	for range 3 {
		onThread(func() {
			if got := nice(t); got != want {
				t.Errorf("nice value = %d, want %d", got, want)
			}
			if syscall.Gettid() == thread {
				t.Error("the call runs on the caller's thread")
			}
			// A goroutine of the call, such as a lane of argon2, runs on
			// another thread: none inherits the priority.
			inner := make(chan int)
			go func() {
				runtime.LockOSThread() // ends the thread
				inner <- nice(t)
			}()
			if got := <-inner; got != own {
				t.Errorf("nice value of a goroutine of the call = %d, want %d", got, own)
			}
		})
	}
	if got := nice(t); got != own {
		t.Errorf("nice value of the caller = %d afterwards, want %d", got, own)
	}
}

// niceValues lists those of this process's threads.
func niceValues(t *testing.T) (values []int) {
	t.Helper()
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	for _, thread := range threads {
		text, err := os.ReadFile(fmt.Sprintf("/proc/self/task/%s/stat", thread.Name()))
		if err != nil {
			continue // it ended
		}
		// Field 19 of proc(5); the second one, a name, may contain spaces.
		fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
		if n, err := strconv.Atoi(fields[19-3]); err == nil {
			values = append(values, n)
		}
	}
	return values
}

// Not parallel: no other test hashes at the same time.
func TestHasher_hashes_at_low_priority(t *testing.T) {
	low := min(19, nice(t)+yielding)
	h := &Hasher{}
	known, err := h.Hash(t.Context(), project, "secret")
	if err != nil {
		t.Fatal(err)
	}
	for name, call := range map[string]func() error{
		"Hash": func() error {
			_, err := h.Hash(t.Context(), project, "secret")
			return err
		},
		"Verify": func() error {
			ok, _, err := h.Verify(t.Context(), project, known, "secret")
			if err == nil && !ok {
				t.Error("the password does not match")
			}
			return err
		},
		"Dummy": func() error { return h.Dummy(t.Context(), project, "secret") },
	} {
		t.Run(name, func(t *testing.T) {
			seen, calls := false, 0
			for ; calls < 50 && !seen; calls++ {
				done := make(chan error, 1)
				go func() { done <- call() }()
				for running := true; running; {
					seen = seen || slices.Contains(niceValues(t), low)
					select {
					case err := <-done:
						if err != nil {
							t.Fatal(err)
						}
						running = false
					default:
					}
				}
			}
			if !seen {
				t.Errorf("no thread with nice value %d in %d calls", low, calls)
			}
		})
	}
}
