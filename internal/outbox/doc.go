// Package outbox delivers the rows of the projects' outboxes. A flow adds a row in
// the transaction of what the row tells of; a consumer delivers it afterwards, at
// least once. The package owns claims and leases, repetition and giving up, fair
// turns over the projects, and how a row's payload is sealed. It does not own what
// a payload says or how it is delivered: that is the consumer's, one for each kind.
//
// Every kind is a Queue with workers, leases and turns of its own, so a kind whose
// deliveries are slow holds nothing of another. A further kind is one call of
// Dispatcher.Register.
package outbox
