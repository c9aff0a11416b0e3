package outbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"
	"unicode"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/tenants"
)

// rowKey names a row of a project.
type rowKey struct {
	ref tenants.Ref
	id  uuid.UUID
}

// turn is the state of one project's turn.
type turn struct {
	q     *Queue
	ref   tenants.Ref
	ctx   context.Context // bounds what was begun
	began time.Time
	log   *slog.Logger
}

// turn works one batch of one project. No row is begun after stopping ends;
// work bounds what was begun.
func (q *Queue) turn(stopping, work context.Context, ref tenants.Ref) outcome {
	t := &turn{q: q, ref: ref, ctx: work, began: q.Now(), log: q.Logger.With("project", string(ref), "kind", string(q.Kind))}
	o := t.run(stopping)
	o.slow = q.Now().Sub(t.began) >= slowTurn
	return o
}

// run is turn without the clock.
func (t *turn) run(stopping context.Context) outcome {
	q, ref := t.q, t.ref
	claiming, cancel := context.WithTimeout(stopping, claimTimeout)
	rows, err := q.Store.Claim(claiming, ref, q.Kind, q.Batch, q.Lease)
	cancel()
	if err != nil {
		return t.claimFailed(stopping, err)
	}
	if len(rows) == 0 {
		return outcome{ref: ref, idle: !t.settle()}
	}
	deliver, err := t.open()
	if err != nil {
		t.giveBack(rows, err)
		return outcome{ref: ref, failed: true}
	}
	o := outcome{ref: ref, more: len(rows) == q.Batch}
	for i, row := range rows {
		if stopping.Err() != nil || t.late() {
			t.release(rows[i:], 0)
			o.more = true
			break
		}
		if err := t.deliver(deliver, row); err != nil {
			t.giveBack(rows[i+1:], err)
			o.failed = true
			break
		}
	}
	return o
}

// late tells whether the turn must not begin another row: others wait for the
// worker, and the row's lease might end while it is being delivered, so that
// another process would deliver it too.
func (t *turn) late() bool {
	return t.q.Now().Sub(t.began) >= min(slowTurn, t.q.Lease-t.q.Timeout)
}

// open asks the consumer for the turn's Deliver. A panic in a consumer is an error
// like others, because one project's row must not end the process for all.
func (t *turn) open() (deliver Deliver, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("consumer panicked: %v", p)
		}
	}()
	return t.q.Consumer.Open(t.ctx, t.ref)
}

// deliver delivers one row and records what came of it. The error is the reason
// why trying the next row now is useless; nil otherwise.
func (t *turn) deliver(deliver Deliver, row Row) error {
	key := rowKey{t.ref, row.ID}
	if t.q.sent.Contains(key) { // delivered before, but Done failed then
		t.done(key)
		return nil
	}
	err := t.call(deliver, row)
	if err == nil {
		t.q.sent.Add(key, struct{}{})
		t.done(key)
		return nil
	}
	if t.ctx.Err() != nil { // stopped by us: says nothing about the row
		t.release([]Row{row}, 0)
		return err
	}
	t.failed(row, err)
	if Unreachable(err) {
		return err
	}
	return nil
}

// call calls deliver, within its time; for a panic see open.
func (t *turn) call(deliver Deliver, row Row) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = Deferred(fmt.Errorf("consumer panicked: %v", p))
		}
	}()
	ctx, cancel := context.WithTimeout(t.ctx, t.q.Timeout)
	defer cancel()
	return deliver(ctx, row)
}

// done removes a row that was delivered. If the database fails, the process still
// knows not to deliver it again when it comes back.
func (t *turn) done(key rowKey) {
	err := t.record(func(ctx context.Context) error { return t.q.Store.Done(ctx, t.ref, key.id) })
	if err == nil {
		t.q.sent.Remove(key)
	}
}

// failed decides whether a row is tried again.
func (t *turn) failed(row Row, err error) {
	why := reason(err)
	log := t.log.With("row", row.ID, "attempts", row.Attempts+1, "reason", why)
	if Permanent(err) || t.tooOld(row) {
		log.Warn("message given up")
		_ = t.record(func(ctx context.Context) error { return t.q.Store.Dead(ctx, t.ref, row.ID, why) })
		return
	}
	delay := retryDelay(row.Attempts)
	log.Warn("message will be tried again", "delay", delay.String())
	_ = t.record(func(ctx context.Context) error { return t.q.Store.Retry(ctx, t.ref, row.ID, why, delay) })
}

// tooOld tells whether a row is no longer worth another try.
func (t *turn) tooOld(row Row) bool { return t.q.Now().Sub(row.CreatedAt) >= t.q.GiveUp }

// giveBack puts rows back that were not tried because of err: they have lost no
// attempt, so that they go out soon once the receiver works again. Those that are
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
		t.log.Warn("messages wait", "count", len(wait), "reason", reason(err))
	}
	t.release(wait, firstRetry)
}

// release makes rows due again, after delay, that this turn did not try. If that
// fails, they come back when their lease ends.
func (t *turn) release(rows []Row, delay time.Duration) {
	for _, row := range rows {
		if t.record(func(ctx context.Context) error { return t.q.Store.Release(ctx, t.ref, row.ID, delay) }) != nil {
			return
		}
	}
}

// record writes down what came of a row. It does not end with the turn's
// context: a row that was delivered must be removed even while stopping.
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
	if at, ok := t.q.marked.Peek(t.ref); ok && t.q.Now().Sub(at) < unmarkAfter {
		return false // Unmark would leave it
	}
	ctx, cancel := context.WithTimeout(t.ctx, recordTimeout)
	defer cancel()
	n, _, err := t.q.Store.Pending(ctx, t.ref, t.q.Kind)
	if err == nil && n == 0 {
		err = t.q.Marks.Unmark(ctx, t.ref, t.q.Kind, unmarkAfter)
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
		t.q.marked.Remove(t.ref)
		if err := t.q.Marks.Unmark(t.ctx, t.ref, t.q.Kind, 0); err != nil {
			t.log.Warn("outbox mark not settled", "error", err)
		}
		return outcome{ref: t.ref}
	}
	if stopping.Err() == nil {
		t.log.Warn("outbox not readable", "error", err)
	}
	return outcome{ref: t.ref, failed: true}
}

// maxReason bounds, in bytes, what is kept of a failure.
const maxReason = 500

// reason is what is kept and logged of an error: one line of valid text, because
// it may quote what a stranger's server said.
func reason(err error) string {
	text := strings.ToValidUTF8(err.Error(), "\uFFFD")
	words := strings.FieldsFunc(text, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)
	})
	return fault.Clip(strings.Join(words, " "), maxReason)
}
