package control

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/fault"
)

// Idempotent creates. The first request with an Idempotency-Key reserves it.
// Remember stores its answer in the transaction that creates the object, so
// that a process killed at any instant leaves both or neither. The answer is
// sealed, because it may hold a secret that is shown once. For 24 hours the
// same request gets that answer again; another request with the key is refused.
// A request that arrives while the first is in progress is refused as a conflict. A
// reservation that is older than ReservationTTL and has no answer has created
// nothing, and never will, because Remember fails once another request has
// taken over: so the request runs again. A failed create releases the key.

// ReservationTTL is how long a create may be in progress before another request
// with its key takes over.
const ReservationTTL = time.Minute

// Errors of idempotent creates.
var (
	ErrIdempotencyKeyReused = fault.New(fault.Conflict, "idempotency_key_reused",
		"This Idempotency-Key was used with another request")
	ErrIdempotencyUnderWay = fault.New(fault.Conflict, "idempotency_under_way",
		"The first request with this Idempotency-Key is still under way")
)

type reservationKey struct{}

// reservation is a create in progress.
type reservation struct {
	server *Server
	row    controldb.Reservation
	status int
	stored bool
}

// Remember stores out as the answer to the request's Idempotency-Key, in the
// transaction that creates the object. Without a key it does nothing. When
// another request took over in the meantime it fails with
// controldb.ErrReservationLost, so that the transaction does not commit. It may
// be called again, in a later transaction, with a newer answer.
func Remember(ctx context.Context, tx *controldb.Tx, out any) error {
	r, _ := ctx.Value(reservationKey{}).(*reservation)
	if r == nil {
		return nil
	}
	raw, err := json.Marshal(out)
	if err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	sealed, err := r.server.Keyring.Seal(r.place(), raw)
	if err != nil {
		return err
	}
	if err := tx.CompleteReservation(ctx, r.row, r.status, sealed); err != nil {
		return fmt.Errorf("store answer: %w", err)
	}
	r.stored = true
	return nil
}

// Forget takes back what Remember stored, when the object could not be kept and
// the operation returns an error.
func Forget(ctx context.Context) error {
	r, _ := ctx.Value(reservationKey{}).(*reservation)
	if r == nil || !r.stored {
		return nil
	}
	r.stored = false
	return r.server.DB.ReopenReservation(ctx, r.row)
}

func (r *reservation) place() string {
	return "idempotency_keys/response/" + r.row.Actor.String() + "/" + r.row.Key
}

// once runs a create at most once per Idempotency-Key, or returns the stored
// answer; replayed reports which.
func once[Out any](ctx context.Context, s *Server, op Operation, run func(context.Context) (*Out, error)) (out *Out, replayed bool, err error) {
	if !op.Creates || requestOf(ctx).key == "" {
		out, err = run(ctx)
		return out, false, err
	}
	r := &reservation{server: s, status: op.Status}
	earlier, err := s.reserve(ctx, r)
	if err != nil {
		return nil, false, err
	}
	if earlier != nil {
		out = new(Out)
		if err := json.Unmarshal(earlier, out); err != nil {
			return nil, false, fmt.Errorf("decode stored answer: %w", err)
		}
		return out, true, nil
	}
	finished := false
	defer func() {
		if !finished { // refused, failed or panicked
			s.release(ctx, r)
		}
	}()
	ctx = context.WithValue(ctx, reservationKey{}, r)
	if out, err = run(ctx); err != nil {
		return nil, false, err
	}
	finished = true
	if !r.stored {
		s.rememberLate(ctx, op, out)
	}
	return out, false, nil
}

// rememberLate stores the answer of an operation that created something without
// calling Remember: releasing the key would let a retry create it again. It is
// logged as an error, because a process killed before this leaves one half.
func (s *Server) rememberLate(ctx context.Context, op Operation, out any) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	err := s.DB.Tx(ctx, func(tx *controldb.Tx) error { return Remember(ctx, tx, out) })
	s.Log.ErrorContext(ctx, "operation does not remember its answer in its transaction",
		"request_id", requestOf(ctx).id, "operation", op.ID, "error", err)
}

// reserve reserves the key for this request, or opens its stored answer.
func (s *Server) reserve(ctx context.Context, r *reservation) ([]byte, error) {
	request, actor := requestOf(ctx), actorOf(ctx)
	row, earlier, err := s.DB.ReserveIdempotencyKey(ctx, actor.UserID, request.key, request.digest[:])
	if err != nil {
		return nil, fmt.Errorf("reserve idempotency key: %w", err)
	}
	r.row = row
	switch {
	case earlier == nil:
		return nil, nil
	case !bytes.Equal(earlier.RequestHash, request.digest[:]):
		return nil, ErrIdempotencyKeyReused
	case earlier.Status != 0:
		return s.Keyring.Open(r.place(), earlier.Response)
	case earlier.Age < ReservationTTL:
		return nil, ErrIdempotencyUnderWay.After(time.Second)
	}
	taken, err := s.DB.TakeOverReservation(ctx, row)
	if err != nil {
		return nil, fmt.Errorf("take over idempotency key: %w", err)
	}
	if taken == nil {
		return nil, ErrIdempotencyUnderWay.After(time.Second)
	}
	r.row = *taken
	return nil, nil
}

// release releases the key, unless an answer is stored. It also runs when the
// caller has gone.
func (s *Server) release(ctx context.Context, r *reservation) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := s.DB.ReleaseReservation(ctx, r.row); err != nil {
		s.Log.WarnContext(ctx, "idempotency key is not given back", "request_id", requestOf(ctx).id, "error", err)
	}
}
