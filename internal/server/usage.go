package server

import (
	"github.com/reevehq/reeve/internal/outbox"
	"github.com/reevehq/reeve/internal/usage"
	"github.com/reevehq/reeve/tenants"
)

// messageCounter counts the messages that are delivered and those that are given
// up.
type messageCounter struct {
	outbox.Observer
	counters     *usage.Counters
	sent, failed usage.Metric
}

func countMails(c *usage.Counters, sent, failed usage.Metric, o outbox.Observer) outbox.Observer {
	return messageCounter{o, c, sent, failed}
}

// Delivered implements outbox.Observer.
func (m messageCounter) Delivered(ref tenants.Ref) {
	m.counters.Project(string(ref)).Count(m.sent, "")
	m.Observer.Delivered(ref)
}

// Failed implements outbox.Observer.
func (m messageCounter) Failed(ref tenants.Ref, f outbox.Failure) {
	if f.GivenUp {
		m.counters.Project(string(ref)).Count(m.failed, "")
	}
	m.Observer.Failed(ref, f)
}
