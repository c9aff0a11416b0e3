package tenantdb

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/internal/auth"
)

// SignupState is what is known of the sign-ups of an unconfirmed user.
type SignupState struct {
	First     bool // a sign-up created the user
	Contested bool // another sign-up named the same address since
}

// BeginSignup records that a sign-up created the user.
func (tx *Tx) BeginSignup(ctx context.Context, user uuid.UUID, now time.Time) error {
	return tx.signup(ctx, `SELECT reeve.signup_first($1, $2, $3)`, tx.capability, user, now)
}

// PutSignup stores a further sign-up of an unconfirmed user, who is contested
// from then on. Older ones lose password and data, and then their tokens, when
// there are many.
func (tx *Tx) PutSignup(ctx context.Context, s *auth.Signup) error {
	data := ""
	if s.Data != nil {
		raw, err := json.Marshal(s.Data)
		if err != nil {
			return fmt.Errorf("encode data of sign-up: %w", err)
		}
		data = string(raw)
	}
	return tx.signup(ctx, `SELECT reeve.signup_add($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`, tx.capability, s.ID, s.UserID,
		s.Email, s.TokenHash, s.Resent, nullable(s.Password), nullable(data), nullable(s.CodeChallenge), nullable(s.CodeChallengeMethod), s.CreatedAt)
}

// SignupState returns what is known of the user's sign-ups.
func (tx *Tx) SignupState(ctx context.Context, user uuid.UUID) (state SignupState, err error) {
	err = tx.q.QueryRow(ctx, `SELECT s.first, s.contested FROM reeve.signup_state($1, $2) s`, unnamed, tx.capability, user).
		Scan(&state.First, &state.Contested)
	if err != nil {
		return state, fmt.Errorf("read state of sign-ups: %w", err)
	}
	return state, nil
}

// SignupByToken returns the sign-up of the token with this hash that was issued
// after since; auth.ErrOTPExpired when there is none.
func (tx *Tx) SignupByToken(ctx context.Context, hash string, since time.Time) (auth.Signup, error) {
	s := auth.Signup{TokenHash: hash}
	var password, challenge, method *string
	var data []byte
	err := tx.q.QueryRow(ctx, `SELECT s.id, s.user_id, s.email, s.password, s.data, s.code_challenge, s.code_challenge_method, s.created_at
		FROM reeve.signup_find($1, $2) s`, unnamed, tx.capability, hash).
		Scan(&s.ID, &s.UserID, &s.Email, &password, &data, &challenge, &method, &s.CreatedAt)
	if err != nil {
		return s, notFound(fmt.Errorf("read sign-up: %w", err), auth.ErrOTPExpired)
	}
	if !s.CreatedAt.After(since) {
		return s, auth.ErrOTPExpired
	}
	s.Password, s.CodeChallenge, s.CodeChallengeMethod = orBlank(password), orBlank(challenge), orBlank(method)
	s.Data = auth.DecodeObject(data)
	return s, nil
}

// ConsumeSignup deletes the sign-up; auth.ErrOTPExpired when another request was
// first.
func (tx *Tx) ConsumeSignup(ctx context.Context, id uuid.UUID) error {
	var taken bool
	if err := tx.q.QueryRow(ctx, `SELECT reeve.signup_take($1, $2)`, unnamed, tx.capability, id).Scan(&taken); err != nil {
		return fmt.Errorf("consume sign-up: %w", err)
	}
	if !taken {
		return auth.ErrOTPExpired
	}
	return nil
}

// EndSignups deletes all sign-ups of a user and what is known of them.
func (tx *Tx) EndSignups(ctx context.Context, users ...uuid.UUID) error {
	return tx.signup(ctx, `SELECT reeve.signup_end($1, $2)`, tx.capability, users)
}

// TidySignups removes up to max tokens that were issued before a time, and
// returns how many. It also removes what is known of users who were confirmed by SQL,
// or deleted, of up to max users that it has not looked at since. A user whose number
// is confirmed, and who also has an address that is not, stays known: whoever signed
// up with the address may not own it. No user is removed.
func (tx *Tx) TidySignups(ctx context.Context, before, now time.Time, max int) (removed int64, err error) {
	if err := tx.q.QueryRow(ctx, `SELECT reeve.signup_tidy($1, $2, $3)`, unnamed, tx.capability, before, max).Scan(&removed); err != nil {
		return 0, fmt.Errorf("tidy sign-ups: %w", err)
	}
	users, err := tx.ids(ctx, `SELECT c FROM reeve.signup_check($1, $2, $3, $4) c`, unnamed, tx.capability, before, now, max)
	if err != nil || len(users) == 0 {
		return removed, err
	}
	pending, err := tx.ids(ctx, `SELECT u.id FROM auth.users u WHERE u.id = ANY ($1) AND u.deleted_at IS NULL
		AND u.email_confirmed_at IS NULL AND (u.phone_confirmed_at IS NULL OR pg_catalog.length(u.email::pg_catalog.text) > 0)`, users)
	if err != nil {
		return removed, err
	}
	keep := make(map[uuid.UUID]bool, len(pending))
	for _, id := range pending {
		keep[id] = true
	}
	users = slices.DeleteFunc(users, func(id uuid.UUID) bool { return keep[id] })
	return removed + int64(len(users)), tx.EndSignups(ctx, users...)
}

func (tx *Tx) ids(ctx context.Context, sql string, args ...any) ([]uuid.UUID, error) {
	rows, err := tx.q.Query(ctx, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("tidy sign-ups: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil {
		return nil, fmt.Errorf("tidy sign-ups: %w", err)
	}
	return list, nil
}

// signup runs a statement that carries the capability, as Tx.outbox does.
func (tx *Tx) signup(ctx context.Context, sql string, args ...any) error {
	return tx.q.Later(ctx, "sign-ups", sql, append([]any{unnamed}, args...)...)
}

func nullable(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
