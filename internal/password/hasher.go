// Package password owns the rules for passwords, their hashes, and each
// project's fair share of the processor for hashing. It hashes with bcrypt and
// verifies every form that can be imported. It stores nothing, and knows
// neither users nor the list of leaked passwords.
package password

import (
	"context"
	"fmt"

	"golang.org/x/crypto/bcrypt"

	"github.com/reevehq/reeve/tenants"
)

// DefaultCost is the bcrypt cost of new hashes, as in the reference.
const DefaultCost = 10

// Hasher makes and verifies hashes. Each call waits for its turn in Gate.
type Hasher struct {
	// Cost is the bcrypt cost of new hashes, 4 to 12; DefaultCost when zero.
	Cost int
	// Gate bounds concurrent calls; nil means no bound (for tests).
	Gate *Gate
}

// Hash returns a bcrypt hash. It returns ErrTooLong or ErrNUL for a password
// that bcrypt would truncate, ErrBusy when the project's queue is full, or the
// context's error.
func (h *Hasher) Hash(ctx context.Context, project tenants.Ref, password string) (string, error) {
	if err := Hashable(password); err != nil {
		return "", err
	}
	leave, err := h.enter(ctx, project)
	if err != nil {
		return "", err
	}
	defer leave()
	var hash []byte
	onThread(func() { hash, err = bcrypt.GenerateFromPassword([]byte(password), h.cost()) })
	if err != nil {
		return "", fmt.Errorf("hash password: %w", err)
	}
	return string(hash), nil
}

// Verify compares a password with a hash in any form that CheckImport accepts.
// An empty, malformed or too costly hash does not match, after the work of a
// bcrypt comparison. upgrade is true only with ok: the hash is weaker than
// Hash's or of another kind, and the caller should store a new one. The error
// is ErrBusy or the context's; it is independent of the password.
func (h *Hasher) Verify(ctx context.Context, project tenants.Ref, hash, password string) (ok, upgrade bool, err error) {
	leave, err := h.enter(ctx, project)
	if err != nil {
		return false, false, err
	}
	defer leave()
	stored, err := parse(hash)
	if err != nil {
		onThread(func() { h.spend(password) })
		return false, false, nil //nolint:nilerr // an unreadable hash does not match
	}
	onThread(func() { ok = stored.matches(password) })
	if !ok {
		return false, false, nil
	}
	// A password that Hash would refuse keeps its imported hash.
	return true, Hashable(password) == nil && stored.weakerThan(h.cost()), nil
}

// Dummy takes as long as Verify, so that an unknown user takes as long as a
// wrong password. It returns ErrBusy or the context's error where Verify would,
// and the caller must return that too: otherwise load would reveal which users
// exist.
func (h *Hasher) Dummy(ctx context.Context, project tenants.Ref, password string) error {
	_, _, err := h.Verify(ctx, project, "", password)
	return err
}

// spend does a bcrypt comparison at the cost of new hashes and ignores its
// result.
func (h *Hasher) spend(password string) {
	bcryptHash{encoded: h.dummyHash()}.matches(password)
}

// dummyHash is well formed; its salt and digest are arbitrary.
func (h *Hasher) dummyHash() string {
	return fmt.Sprintf("$2a$%02d$Q8fzFYrDUCHzTsvmMx3kz.H9Rn1Qd0vZt4hJbTq7aXyU2oKcWmLe6", h.cost())
}

func (h *Hasher) enter(ctx context.Context, project tenants.Ref) (leave func(), err error) {
	if h.Gate == nil {
		return func() {}, ctx.Err()
	}
	return h.Gate.Enter(ctx, project)
}

func (h *Hasher) cost() int {
	if h.Cost == 0 {
		return DefaultCost
	}
	return h.Cost
}
