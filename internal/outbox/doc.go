// Package outbox delivers the rows of the projects' outboxes (transactional outbox
// pattern). A flow adds a row in the transaction that makes the change; a consumer
// delivers it after the commit, at least once.
//
// The package owns claims and leases, retries, giving up, fair scheduling between
// projects, and the encryption of a row's payload. It does not own the content of
// a payload or the way it is delivered; those belong to the consumer of the kind.
//
// Each kind has a Queue with its own workers, leases and schedule, so slow
// deliveries of one kind do not delay another kind. Dispatcher.Register adds a
// kind.
package outbox
