package password

import "syscall"

// yielding is added to the nice value of a thread that hashes: beside another
// thread that wants the processor, it gets a quarter of the time. A higher value
// would gain little, because a request's thread needs the processor for a short
// time only. But a server whose processors are all busy would hash too slowly to
// sign anybody in, and the garbage collector waits until each thread that hashes
// has run.
const yielding = 5

// lowerPriority lowers the priority of the calling thread: Linux has one for
// each (setpriority(2), NOTES). A failure leaves it as it was.
func lowerPriority() {
	const self = 0
	// The system call returns 20 minus the nice value.
	if prio, err := syscall.Getpriority(syscall.PRIO_PROCESS, self); err == nil {
		_ = syscall.Setpriority(syscall.PRIO_PROCESS, self, min(19, 20-prio+yielding))
	}
}
