//go:build !linux

package password

// lowerPriority does nothing: other systems have one priority for a process.
func lowerPriority() {}
