package authz

import (
	"context"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/fault"
)

// ErrNotOperator answers like a path that does not exist.
var ErrNotOperator = fault.New(fault.NotFound, "not_found", "There is no such path")

// ofOperators are the actions that an operator who is signed in has in the platform
// project: what decides how people sign in to the installation, and why somebody was
// refused. Its users, keys and data stay closed: by them an operator would be
// anybody at once, without a trace in the settings.
var ofOperators = []Action{ReadProject, ReadAuthConfig, WriteAuthConfig, ReadLogs}

// SignedIn reports whether the actor is a person in a session of theirs.
func (a Actor) SignedIn() bool {
	return a.Service == nil && a.TokenID == uuid.Nil && a.UserID != uuid.Nil
}

// Operator returns ErrNotOperator unless the actor is a person who runs the
// installation and is signed in: an access token is for the projects of its person.
func (a *Authorizer) Operator(ctx context.Context, actor Actor) error {
	if !actor.SignedIn() {
		return ErrNotOperator
	}
	is, err := a.DB.IsOperator(ctx, actor.UserID)
	if err == nil && !is {
		err = ErrNotOperator
	}
	return err
}
