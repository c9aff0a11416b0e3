// Package job runs work that is due at times, or that is repeated until it
// succeeds, once over all processes of an installation. It owns River, which keeps
// such work in tables of the control database: who runs what, repetition after a
// failure, and what becomes of the work of a process that was killed. It knows no
// project's database and nothing of what a task does.
//
// Every task must be idempotent: it can run again after it succeeded, and, when a
// process was cut off, twice at a time.
//
// Work that never ends or must begin within a second does not belong here: that is
// a loop in the process that does it.
package job
