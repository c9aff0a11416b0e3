// Package job runs periodic and retried work. Each run happens in one process of
// the installation. The package owns River, which stores jobs in the control
// database: which process runs a job, retries after failures, and the rescue of
// jobs whose process was killed. It does not know the projects' databases or the
// content of a task.
//
// Every task must be idempotent. It can run again after it succeeded. After a
// process lost its connection, two runs can overlap.
//
// Work that never ends, or that must begin within a second, does not belong here.
// The process that needs such work runs it in a loop of its own.
package job
