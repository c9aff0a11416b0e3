package authz

import (
	"context"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/fault"
)

// ErrNotOperator answers like a path that does not exist.
var ErrNotOperator = fault.New(fault.NotFound, "not_found", "There is no such path")

// Operator returns ErrNotOperator unless the actor is a person who runs the
// installation and is signed in: an access token is for the projects of its person.
func (a *Authorizer) Operator(ctx context.Context, actor Actor) error {
	if actor.Service != nil || actor.TokenID != uuid.Nil || actor.UserID == uuid.Nil {
		return ErrNotOperator
	}
	is, err := a.DB.IsOperator(ctx, actor.UserID)
	if err == nil && !is {
		err = ErrNotOperator
	}
	return err
}
