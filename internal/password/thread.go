package password

import "runtime"

// onThread runs fn on an OS thread of its own, at a lower priority where the
// system has one for each thread, and waits for it. Other goroutines of this
// process then get a processor at once while a flood of passwords is hashed;
// the Go scheduler alone would let each call run for 10 ms. It takes a slot of
// GOMAXPROCS, so the process must have more of them than hashing may occupy.
//
// A panic of fn is passed on to the caller: hashes are written by strangers, and
// a panic in a goroutine of its own would end the process.
func onThread(fn func()) {
	done := make(chan any, 1)
	go func() {
		// The lock is never released, so the runtime ends the thread. An
		// unprivileged process cannot raise a thread's priority again, and no
		// thread inherits it: a locked one is never cloned.
		runtime.LockOSThread()
		lowerPriority()
		defer func() { done <- recover() }()
		fn()
	}()
	if p := <-done; p != nil {
		panic(p)
	}
}
