package message

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/tenants"
)

// sentKey names a row of a project.
type sentKey struct {
	ref tenants.Ref
	id  uuid.UUID
}

// turn is the state of one project's turn.
type turn struct {
	d     *Dispatcher
	ref   tenants.Ref
	ctx   context.Context // bounds what was begun
	began time.Time
	log   *slog.Logger
}

// turn works one batch of one project. No row is begun after stopping ends;
// work bounds what was begun.
func (d *Dispatcher) turn(stopping, work context.Context, ref tenants.Ref) outcome {
	t := &turn{d: d, ref: ref, ctx: work, began: d.Now(), log: d.Logger.With("project", string(ref))}
	o := t.run(stopping)
	o.slow = d.Now().Sub(t.began) >= slowTurn
	return o
}

// run is turn without the clock.
func (t *turn) run(stopping context.Context) outcome {
	d, ref := t.d, t.ref
	claiming, cancel := context.WithTimeout(stopping, claimTimeout)
	rows, err := d.Outbox.Claim(claiming, ref, d.Batch, d.Lease)
	cancel()
	if err != nil {
		return t.claimFailed(stopping, err)
	}
	if len(rows) == 0 {
		return outcome{ref: ref, idle: !t.settle()}
	}
	sender, err := d.Sender(t.ctx, ref)
	if err != nil {
		t.giveBack(rows, fmt.Errorf("find sender: %w", err))
		return outcome{ref: ref, failed: true}
	}
	o := outcome{ref: ref, more: len(rows) == d.Batch}
	for i, row := range rows {
		if stopping.Err() != nil || t.late() {
			t.release(rows[i:], 0)
			o.more = true
			break
		}
		if err := t.deliver(sender, row); err != nil {
			t.giveBack(rows[i+1:], err)
			o.failed = true
			break
		}
	}
	return o
}

// late tells whether the turn must not begin another row: others wait for the
// worker, and the row's lease might end while it is being sent, so that
// another process would send it too.
func (t *turn) late() bool {
	return t.d.Now().Sub(t.began) >= min(slowTurn, t.d.Lease-t.d.SendTimeout)
}

// deliver sends one row and records what came of it. The error is the reason
// why trying the next row now is useless; nil otherwise.
func (t *turn) deliver(sender Sender, row Row) error {
	key := sentKey{t.ref, row.ID}
	if t.d.sent.Contains(key) { // sent before, but Done failed then
		t.done(key)
		return nil
	}
	m := row.Message
	if m.ID == uuid.Nil {
		m.ID = row.ID
	}
	if m.CreatedAt.IsZero() {
		m.CreatedAt = row.CreatedAt
	}
	err := t.send(sender, m)
	if err == nil {
		t.d.sent.Add(key, struct{}{})
		t.done(key)
		return nil
	}
	if t.ctx.Err() != nil { // stopped by us: says nothing about the message
		t.release([]Row{row}, 0)
		return err
	}
	t.failed(row, err)
	if verdictOf(err) == unreachable {
		return err
	}
	return nil
}

// send calls the sender; a panic in it is an error like others, because one
// project's mail must not end the process for all.
func (t *turn) send(sender Sender, m Message) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = Deferred(fmt.Errorf("sender panicked: %v", p))
		}
	}()
	ctx, cancel := context.WithTimeout(t.ctx, t.d.SendTimeout)
	defer cancel()
	return sender.Send(ctx, t.ref, m)
}

// done removes a row that was sent. If the database fails, the process still
// knows not to send it again when it comes back.
func (t *turn) done(key sentKey) {
	err := t.record(func(ctx context.Context) error { return t.d.Outbox.Done(ctx, t.ref, key.id) })
	if err == nil {
		t.d.sent.Remove(key)
	}
}

// failed decides whether a message is tried again.
func (t *turn) failed(row Row, err error) {
	reason := clip(oneLine(err.Error()), 500)
	log := t.log.With("row", row.ID, "kind", string(row.Message.Kind), "attempts", row.Attempts+1, "reason", reason)
	if Permanent(err) || t.tooOld(row) {
		log.Warn("message given up")
		_ = t.record(func(ctx context.Context) error { return t.d.Outbox.Dead(ctx, t.ref, row.ID, reason) })
		return
	}
	delay := retryDelay(row.Attempts)
	log.Warn("message will be tried again", "delay", delay.String())
	_ = t.record(func(ctx context.Context) error { return t.d.Outbox.Retry(ctx, t.ref, row.ID, reason, delay) })
}

// tooOld tells whether a message is no longer worth another try.
func (t *turn) tooOld(row Row) bool { return t.d.Now().Sub(row.CreatedAt) >= t.d.GiveUp }

// giveBack puts rows back that were not tried because of err: they have lost no
// attempt, so that they go out soon once the sender works again. Those that are
// too old to wait for that are given up.
func (t *turn) giveBack(rows []Row, err error) {
	if t.ctx.Err() != nil {
		t.release(rows, 0)
		return
	}
	var wait []Row
	for _, row := range rows {
		if t.tooOld(row) {
			t.failed(row, err)
			continue
		}
		wait = append(wait, row)
	}
	if len(wait) > 0 {
		t.log.Warn("messages wait for the sender", "count", len(wait), "reason", clip(oneLine(err.Error()), 500))
	}
	t.release(wait, firstRetry)
}

// release makes rows due again, after delay, that this turn did not try. If that
// fails, they come back when their lease ends.
func (t *turn) release(rows []Row, delay time.Duration) {
	for _, row := range rows {
		if t.record(func(ctx context.Context) error { return t.d.Outbox.Release(ctx, t.ref, row.ID, delay) }) != nil {
			return
		}
	}
}

// record writes down what came of a row. It does not end with the turn's
// context: a message that was sent must be removed even while stopping.
func (t *turn) record(write func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.ctx), recordTimeout)
	defer cancel()
	err := write(ctx)
	if err != nil {
		t.log.Warn("outbox not updated", "error", err)
	}
	return err
}

// settle takes the project's mark away when nothing is pending, and tells
// whether nothing is.
func (t *turn) settle() bool {
	if at, ok := t.d.marked.Peek(t.ref); ok && t.d.Now().Sub(at) < unmarkAfter {
		return false // Unmark would leave it
	}
	ctx, cancel := context.WithTimeout(t.ctx, recordTimeout)
	defer cancel()
	n, _, err := t.d.Outbox.Pending(ctx, t.ref)
	if err == nil && n == 0 {
		err = t.d.Marks.Unmark(ctx, t.ref, unmarkAfter)
	}
	if err != nil {
		t.log.Warn("outbox mark not settled", "error", err)
	}
	return err == nil && n == 0
}

// claimFailed takes the mark of a deleted project away, and leaves one whose
// database cannot be reached alone for a while.
func (t *turn) claimFailed(stopping context.Context, err error) outcome {
	if f := (*fault.Error)(nil); errors.As(err, &f) && f.Kind == fault.NotFound {
		t.d.marked.Remove(t.ref)
		if err := t.d.Marks.Unmark(t.ctx, t.ref, 0); err != nil {
			t.log.Warn("outbox mark not settled", "error", err)
		}
		return outcome{ref: t.ref}
	}
	if stopping.Err() == nil {
		t.log.Warn("outbox not readable", "error", err)
	}
	return outcome{ref: t.ref, failed: true}
}
