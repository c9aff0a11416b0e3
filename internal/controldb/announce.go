package controldb

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/reevehq/reeve/tenants"
)

const (
	// announceWindow is longer than the time from a change to its commit.
	announceWindow = 2 * time.Second
	// announcePause is the least time between two announcements.
	announcePause   = 20 * time.Millisecond
	announceTimeout = 5 * time.Second
)

// announcer notifies all processes of changes, after their commit and apart from
// it: a commit that notifies fails when the server's NOTIFY queue is full. A lost
// announcement only delays a change until the next poll.
type announcer struct {
	db        *DB
	committed chan struct{}         // capacity 1
	announced map[tenants.Ref]int64 // versions that need no second announcement
	failing   bool
	stop      context.CancelFunc
	done      chan struct{}
}

func newAnnouncer(db *DB) *announcer {
	ctx, cancel := context.WithCancel(context.Background())
	a := &announcer{db: db, committed: make(chan struct{}, 1), stop: cancel, done: make(chan struct{})}
	go func() {
		defer close(a.done)
		a.run(ctx)
	}()
	return a
}

// close stops the announcer and waits for it.
func (a *announcer) close() {
	a.stop()
	<-a.done
}

// wake requests an announcement. It never blocks.
func (a *announcer) wake() {
	select {
	case a.committed <- struct{}{}:
	default:
	}
}

func (a *announcer) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-a.committed:
		}
		err := a.announce(ctx)
		if err != nil && ctx.Err() == nil && !a.failing {
			a.db.log.WarnContext(ctx, "changes cannot be announced, other processes find them when they poll", "error", err)
		}
		a.failing = err != nil
		select {
		case <-ctx.Done():
			return
		case <-time.After(announcePause):
		}
	}
}

func (a *announcer) announce(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, announceTimeout)
	defer cancel()
	changes, err := a.db.Changes(ctx, announceWindow)
	if err != nil {
		return err
	}
	recent := make(map[tenants.Ref]int64, len(changes))
	var payloads []string
	for _, c := range changes {
		recent[c.Ref] = c.Version
		if a.announced[c.Ref] != c.Version {
			payloads = append(payloads, string(c.Ref)+":"+strconv.FormatInt(c.Version, 10))
		}
	}
	if len(payloads) > 0 {
		_, err := a.db.pool.Exec(ctx, `SELECT pg_notify($1, p) FROM unnest($2::text[]) p`, channelProject, payloads)
		if err != nil {
			return Fault(fmt.Errorf("announce changes: %w", err))
		}
	}
	a.announced = recent
	return nil
}
