// Package profile serves the actor of a request to the Management API. It does
// not own users: they are the platform project's.
package profile

import (
	"cmp"
	"context"
	"errors"
	"net/http"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/web/control"
)

// Handler serves the profile's route.
type Handler struct {
	// User returns a user of the platform project; auth.ErrUserNotFound.
	User func(ctx context.Context, id uuid.UUID) (auth.User, error)
	// Account changes what a person may change; nil mounts no route for it.
	Account Account
	// Factors changes a person's second factors; nil mounts no route for it.
	Factors Factors
	// Operator reports whether a user runs the installation; nil for nobody.
	Operator func(ctx context.Context, id uuid.UUID) (bool, error)
}

// Mount registers the route.
func (h *Handler) Mount(api control.API) {
	control.Register(api, control.Operation{
		ID: "get-profile", Method: http.MethodGet, Path: "/v1/profile",
		Summary: "Get the user that the access token belongs to", Tag: "Profile",
	}, h.get)
	if h.Account != nil {
		h.mountAccount(api)
	}
	if h.Factors != nil {
		h.mountFactors(api)
	}
}

// Profile is the actor on the wire.
type Profile struct {
	GotrueID     string `json:"gotrue_id" doc:"Id of the user in the platform project; of a service token its own."`
	PrimaryEmail string `json:"primary_email" doc:"Empty when the user has no address."`
	Username     string `json:"username" doc:"The address, or the id of a user without one; the name of a service token."`
	Name         string `json:"name" doc:"Of the person; empty when it is unknown."`
	Operator     bool   `json:"operator" doc:"Whether the user runs the installation."`
}

// onWire is the profile of a user.
func onWire(u auth.User) *Profile {
	return &Profile{GotrueID: u.ID.String(), PrimaryEmail: u.Email, Username: cmp.Or(u.Email, u.ID.String()), Name: u.Name()}
}

// get needs no permission: it shows only the actor. A user who is deleted
// meanwhile still has a profile, with only the id.
func (h *Handler) get(ctx context.Context, actor control.Actor, _ *struct{}) (*Profile, error) {
	id := actor.UserID.String()
	if actor.Service != nil {
		return &Profile{GotrueID: id, Username: actor.Service.Name}, nil
	}
	user, err := h.User(ctx, actor.UserID)
	if errors.Is(err, auth.ErrUserNotFound) {
		return &Profile{GotrueID: id, Username: id}, nil
	}
	if err != nil {
		return nil, err
	}
	out := onWire(user)
	if h.Operator != nil {
		out.Operator, err = h.Operator(ctx, actor.UserID)
	}
	return out, err
}
