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

// rowKey identifies a row of a project.
type rowKey struct {
	ref tenants.Ref
	id  uuid.UUID
}

// turn is the state of one project's turn.
type turn struct {
	q     *Queue
	ref   tenants.Ref
	ctx   context.Context // bounds deliveries that have begun
	began time.Time
	log   *slog.Logger
	retry time.Duration // the shortest delay of a row that is tried again; 0 for none
}

// turn delivers one batch of one project. No delivery begins after stopping is
// done; work bounds the deliveries that have begun.
func (q *Queue) turn(stopping, work context.Context, ref tenants.Ref) outcome {
	t := &turn{q: q, ref: ref, ctx: work, began: q.Now(), log: q.Logger.With("project", string(ref), "kind", string(q.Kind))}
	o := t.run(stopping)
	o.slow = q.Now().Sub(t.began) >= slowTurn
	if t.retry > 0 {
		q.wakeAfter(ref, t.retry)
	}
	return o
}

// run is turn without the measurement of its duration.
func (t *turn) run(stopping context.Context) outcome {
	q, ref := t.q, t.ref
	claiming, cancel := context.WithTimeout(stopping, claimTimeout)
	rows, err := q.Store.Claim(claiming, ref, q.Kind, q.Batch, q.Lease)
	cancel()
	if err != nil {
		return t.claimFailed(stopping, err)
	}
	if len(rows) == 0 {
		return outcome{ref: ref, idle: !t.unmarkIfEmpty()}
	}
	deliver, err := t.open()
	if err != nil {
		t.observe(Failure{Row: rows[0], Err: err, Untried: len(rows)})
		t.releaseUntried(rows, err)
		return outcome{ref: ref, failed: true}
	}
	o := outcome{ref: ref, more: len(rows) == q.Batch}
	for i, row := range rows {
		if stopping.Err() != nil || t.overdue() {
			t.release(rows[i:], 0)
			o.more = true
			break
		}
		if err := t.deliver(deliver, row); err != nil {
			t.releaseUntried(rows[i+1:], err)
			o.failed = true
			break
		}
	}
	return o
}

// overdue reports whether the turn must not begin another row. Other projects wait
// for the worker, and the row's lease could end during the delivery, so that
// another process would deliver it too.
func (t *turn) overdue() bool {
	return t.q.Now().Sub(t.began) >= min(slowTurn, t.q.Lease-t.q.Timeout)
}

// open calls the consumer's Open. A panic becomes an error, because one project's
// row must not crash the process.
func (t *turn) open() (deliver Deliver, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("consumer panicked: %v", p)
		}
	}()
	return t.q.Consumer.Open(t.ctx, t.ref)
}

// deliver delivers one row and records the result. It returns an error only if the
// project's next row would fail too.
func (t *turn) deliver(deliver Deliver, row Row) error {
	key := rowKey{t.ref, row.ID}
	if t.q.sent.Contains(key) { // delivered before, but Done failed
		t.done(key)
		return nil
	}
	err := t.call(deliver, row)
	if err == nil {
		t.q.sent.Add(key, struct{}{})
		if t.q.Observer != nil {
			t.q.Observer.Delivered(t.ref)
		}
		t.done(key)
		return nil
	}
	if t.ctx.Err() != nil { // cancelled by the shutdown, not a failure of the row
		t.release([]Row{row}, 0)
		return err
	}
	t.failed(row, err)
	if Unreachable(err) {
		return err
	}
	return nil
}

// call calls deliver with the delivery's timeout. A panic becomes an error, as in
// open.
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

// done removes a delivered row. If that fails, the key stays in sent, so that this
// process does not deliver the row again.
func (t *turn) done(key rowKey) {
	err := t.record(func(ctx context.Context) error { return t.q.Store.Done(ctx, t.ref, key.id) })
	if err == nil {
		t.q.sent.Remove(key)
	}
}

// failed records a failed delivery: the row is retried later or given up.
func (t *turn) failed(row Row, err error) {
	why := reason(err)
	log := t.log.With("row", row.ID, "attempts", row.Attempts+1, "reason", why)
	givenUp := Permanent(err) || t.tooOld(row)
	t.observe(Failure{Row: row, Err: err, GivenUp: givenUp})
	if givenUp {
		log.Warn("message given up")
		_ = t.record(func(ctx context.Context) error { return t.q.Store.Dead(ctx, t.ref, row.ID, why) })
		return
	}
	delay := retryDelay(t.q.RetryAfter, row.Attempts)
	log.Warn("message will be tried again", "delay", delay.String())
	_ = t.record(func(ctx context.Context) error { return t.q.Store.Retry(ctx, t.ref, row.ID, why, delay) })
	if t.retry == 0 || delay < t.retry {
		t.retry = delay
	}
}

// observe passes a failure to the observer, unless the shutdown caused it.
func (t *turn) observe(f Failure) {
	if t.q.Observer != nil && t.ctx.Err() == nil {
		t.q.Observer.Failed(t.ref, f)
	}
}

// tooOld reports whether a row has reached the age at which it is given up.
func (t *turn) tooOld(row Row) bool { return t.q.Now().Sub(row.CreatedAt) >= t.q.GiveUp }

// releaseUntried releases rows that were not tried because of err. No attempt is
// counted, so they are delivered soon after the receiver works again. Rows that are
// too old are given up.
func (t *turn) releaseUntried(rows []Row, err error) {
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
	t.release(wait, t.q.RetryAfter)
}

// release ends the claims of rows that were not tried and makes them due after
// delay. If that fails, they are due when their lease ends.
func (t *turn) release(rows []Row, delay time.Duration) {
	for _, row := range rows {
		if t.record(func(ctx context.Context) error { return t.q.Store.Release(ctx, t.ref, row.ID, delay) }) != nil {
			return
		}
	}
}

// record runs a write of a row's result. It ignores the cancellation of the turn's
// context, because a delivered row must be removed even during the shutdown.
func (t *turn) record(write func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.ctx), recordTimeout)
	defer cancel()
	err := write(ctx)
	if err != nil {
		t.log.Warn("outbox not updated", "error", err)
	}
	return err
}

// unmarkIfEmpty removes the project's mark if no row is pending, and reports
// whether it did.
func (t *turn) unmarkIfEmpty() bool {
	if at, ok := t.q.marked.Peek(t.ref); ok && t.q.Now().Sub(at) < unmarkAfter {
		return false // too recent for Unmark
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

// claimFailed handles an error of Claim. The mark of a deleted project is removed,
// that of a paused one stays; a project whose database cannot be reached cools down.
func (t *turn) claimFailed(stopping context.Context, err error) outcome {
	if f := (*fault.Error)(nil); errors.As(err, &f) && f.Kind == fault.NotFound {
		t.q.marked.Remove(t.ref)
		if err := t.q.Marks.Unmark(t.ctx, t.ref, t.q.Kind, 0); err != nil {
			t.log.Warn("outbox mark not settled", "error", err)
		}
		return outcome{ref: t.ref}
	}
	if errors.Is(err, tenants.ErrPaused) { // its mark is looked at again once it is restored
		return outcome{ref: t.ref, idle: true}
	}
	if stopping.Err() == nil {
		t.log.Warn("outbox not readable", "error", err)
	}
	return outcome{ref: t.ref, failed: true}
}

// maxReason is the maximum length of a stored reason in bytes.
const maxReason = 500

// reason is the text of an error for the database and the log: one line of valid
// UTF-8 without control characters, because an error may quote the reply of a
// foreign server.
func reason(err error) string {
	text := strings.ToValidUTF8(err.Error(), "\uFFFD")
	words := strings.FieldsFunc(text, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)
	})
	return fault.Clip(strings.Join(words, " "), maxReason)
}
