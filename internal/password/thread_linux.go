package password

import "syscall"

// yielding is added to the nice value of a thread that hashes. At 10, a thread
// that wants the processor gets nine tenths of it beside one that hashes, and at
// once. The rest is for sign-ins of a server that is busy with other requests,
// and lets the garbage collector stop a thread that hashes without a long wait.
const yielding = 10

// lowerPriority lowers the priority of the calling thread: Linux has one for
// each (setpriority(2), NOTES). A failure leaves it as it was.
func lowerPriority() {
	const self = 0
	// The system call returns 20 minus the nice value.
	if prio, err := syscall.Getpriority(syscall.PRIO_PROCESS, self); err == nil {
		_ = syscall.Setpriority(syscall.PRIO_PROCESS, self, min(19, 20-prio+yielding))
	}
}
