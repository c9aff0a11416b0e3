package server

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// Operator is a person who runs the installation.
type Operator struct {
	UserID    uuid.UUID `json:"user_id"`
	Email     string    `json:"email"` // "" when the user is deleted
	CreatedAt time.Time `json:"created_at"`
}

// errSetUp is returned for a setup link that nobody needs.
var errSetUp = errors.New("an operator has an account already: make others operators with reeve operator add")

// OperatorLink returns a one-time link by which the first operator of an
// installation gets an account. It does not listen.
func OperatorLink(ctx context.Context, o Options) (link string, err error) {
	err = offline(ctx, o, func(s *Server) error {
		if err := s.provision.Bootstrap(ctx); err != nil {
			return err
		}
		if err := s.ensurePlatform(ctx); err != nil {
			return err
		}
		if link, err = s.setupLink(ctx); err == nil && link == "" {
			err = errSetUp
		}
		return err
	})
	return link, err
}

// Operators lists the operators, the first one first.
func Operators(ctx context.Context, o Options) (out []Operator, err error) {
	err = offline(ctx, o, func(s *Server) error {
		rows, err := s.control.Operators(ctx)
		if err != nil {
			return err
		}
		ids := make([]uuid.UUID, len(rows))
		for i, row := range rows {
			ids[i] = row.UserID
		}
		users, err := s.platformUsers(ctx, ids)
		for _, row := range rows {
			out = append(out, Operator{UserID: row.UserID, Email: users[row.UserID].Email, CreatedAt: row.CreatedAt})
		}
		return err
	})
	return out, err
}

// AddOperator makes the user of the platform project with an address an operator.
// They must have confirmed it.
func AddOperator(ctx context.Context, o Options, email string) (Operator, error) {
	return changeOperator(ctx, o, email, func(tx *controldb.Tx, u auth.User) error {
		if !u.EmailConfirmed() || u.Gone() {
			return fmt.Errorf("%s has not confirmed the address", u.Email)
		}
		return tx.AddOperator(ctx, u.ID, nil)
	})
}

// RemoveOperator ends that the user with an address is an operator.
// controldb.ErrNoOperator, controldb.ErrLastOperator.
func RemoveOperator(ctx context.Context, o Options, email string) (Operator, error) {
	return changeOperator(ctx, o, email, func(tx *controldb.Tx, u auth.User) error { return tx.RemoveOperator(ctx, u.ID) })
}

func changeOperator(ctx context.Context, o Options, email string, change func(*controldb.Tx, auth.User) error) (out Operator, err error) {
	email, err = auth.NormalizeEmail(email)
	if err != nil {
		return out, err
	}
	err = offline(ctx, o, func(s *Server) error {
		sc, err := s.platformScope(ctx)
		if err != nil {
			return err
		}
		var u auth.User
		err = sc.DB.Do(ctx, func(tx *tenantdb.Tx) error {
			u, err = tx.UserByEmail(ctx, email, false)
			return err
		})
		if errors.Is(err, auth.ErrUserNotFound) {
			return fmt.Errorf("nobody has an account with %s: they sign up first", email)
		}
		if err != nil {
			return err
		}
		out = Operator{UserID: u.ID, Email: u.Email, CreatedAt: s.now()}
		return s.control.Tx(ctx, func(tx *controldb.Tx) error { return change(tx, u) })
	})
	return out, err
}

// offline runs fn on a server that does not listen.
func offline(ctx context.Context, o Options, fn func(*Server) error) error {
	s, err := connect(ctx, o)
	if err != nil {
		return err
	}
	defer s.close(context.WithoutCancel(ctx))
	return fn(s)
}
