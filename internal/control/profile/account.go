package profile

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authz"
	"github.com/reevehq/reeve/internal/control/text"
	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/internal/web/control"
)

// Account is the account of a person who is signed in: a user of the platform
// project. Each method is for a session of theirs, and follows the rules of that
// project, as its own auth endpoint does.
type Account interface {
	// Rename sets the name in the user's metadata.
	Rename(ctx context.Context, who Person, name string) (auth.User, error)
	// Sessions lists the person's sessions that have not ended, the last used first.
	Sessions(ctx context.Context, who Person) ([]auth.Session, error)
	// EndSession ends one; ErrNoSession.
	EndSession(ctx context.Context, who Person, id uuid.UUID) error
	// EndOthers ends all but the one of the request.
	EndOthers(ctx context.Context, who Person) error
	// ChangePassword sets a new password and ends all other sessions. The current one
	// and the nonce that Reauthenticate mails are needed where the project asks for
	// them.
	ChangePassword(ctx context.Context, who Person, c PasswordChange) error
	// ChangeEmail mails a link to the new address, and to the current one where the
	// project asks for both. auth.ErrEmailExists.
	ChangeEmail(ctx context.Context, who Person, email string) error
	// Reauthenticate mails a nonce.
	Reauthenticate(ctx context.Context, who Person) error
}

// Person is who is signed in.
type Person struct {
	UserID, SessionID uuid.UUID
}

// ErrNoSession is returned for an id that is not a session of the person's.
var ErrNoSession = fault.New(fault.NotFound, "session_not_found", "Session not found")

// PasswordChange is the body of a change of the password.
type PasswordChange struct {
	Password        string  `json:"password" maxLength:"72"`
	CurrentPassword *string `json:"current_password,omitempty" maxLength:"72" doc:"Where the platform project asks for it."`
	Nonce           string  `json:"nonce,omitempty" maxLength:"128" doc:"That was mailed, where the platform project asks for it."`
}

// Session is a session on the wire.
type Session struct {
	ID          string     `json:"id"`
	Current     bool       `json:"current" doc:"The one of this request."`
	IP          string     `json:"ip" doc:"Of the last sign-in or refresh; empty when unknown."`
	UserAgent   string     `json:"user_agent"`
	CreatedAt   time.Time  `json:"created_at"`
	RefreshedAt *time.Time `json:"refreshed_at"`
	// AAL says how the person proved who they are.
	AAL string `json:"aal" enum:"aal1,aal2,aal3"`
}

// Done is the answer to what has no object.
type Done struct {
	Message string `json:"message"`
}

type renameInput struct {
	Body struct {
		Name string `json:"name" maxLength:"256"`
	}
}

type byID struct {
	ID string `path:"id" maxLength:"36"`
}

type passwordInput struct {
	Body PasswordChange
}

type emailInput struct {
	Body struct {
		Email string `json:"email" maxLength:"255"`
	}
}

func (h *Handler) mountAccount(api control.API) {
	control.Register(api, control.Operation{
		ID: "update-profile", Method: http.MethodPatch, Path: "/v1/profile",
		Summary: "Change your name", Tag: "Profile",
	}, h.rename)
	control.Register(api, control.Operation{
		ID: "list-sessions", Method: http.MethodGet, Path: "/v1/profile/sessions",
		Summary: "List your sessions", Tag: "Profile",
	}, h.sessions)
	control.Register(api, control.Operation{
		ID: "end-other-sessions", Method: http.MethodDelete, Path: "/v1/profile/sessions",
		Summary: "End all your sessions but this one", Tag: "Profile",
	}, h.endOthers)
	control.Register(api, control.Operation{
		ID: "end-session", Method: http.MethodDelete, Path: "/v1/profile/sessions/{id}",
		Summary: "End a session of yours", Tag: "Profile",
	}, h.end)
	nothing := func(map[string]any) map[string]any { return map[string]any{} }
	control.Register(api, control.Operation{
		ID: "change-password", Method: http.MethodPost, Path: "/v1/profile/password",
		Summary: "Change your password, and end your other sessions", Tag: "Profile", Recorded: nothing,
	}, h.password)
	control.Register(api, control.Operation{
		ID: "change-email", Method: http.MethodPost, Path: "/v1/profile/email",
		Summary: "Change your address: mails a link to confirm it", Tag: "Profile",
	}, h.email)
	control.Register(api, control.Operation{
		ID: "reauthenticate", Method: http.MethodPost, Path: "/v1/profile/reauthenticate",
		Summary: "Mail yourself a nonce for a change of the password", Tag: "Profile",
	}, h.reauthenticate)
}

// person returns who is signed in. An access token changes no account: it could
// take it over.
func person(actor control.Actor) (Person, error) {
	if err := actor.RequireSession(); err != nil {
		return Person{}, err
	}
	if actor.SessionID == uuid.Nil {
		return Person{}, authz.ErrSession
	}
	return Person{UserID: actor.UserID, SessionID: actor.SessionID}, nil
}

func (h *Handler) rename(ctx context.Context, actor control.Actor, in *renameInput) (*Profile, error) {
	who, err := person(actor)
	if err != nil {
		return nil, err
	}
	name, err := text.Name("name", in.Body.Name, 0, 256)
	if err != nil {
		return nil, err
	}
	u, err := h.Account.Rename(ctx, who, name)
	if err != nil {
		return nil, err
	}
	return onWire(u), nil
}

func (h *Handler) sessions(ctx context.Context, actor control.Actor, _ *struct{}) (*[]Session, error) {
	who, err := person(actor)
	if err != nil {
		return nil, err
	}
	found, err := h.Account.Sessions(ctx, who)
	out := make([]Session, len(found))
	for i, s := range found {
		out[i] = Session{
			ID: s.ID.String(), Current: s.ID == who.SessionID, IP: s.IP, UserAgent: s.UserAgent,
			CreatedAt: s.CreatedAt.UTC(), RefreshedAt: s.RefreshedAt, AAL: string(s.AAL),
		}
	}
	return &out, err
}

func (h *Handler) endOthers(ctx context.Context, actor control.Actor, _ *struct{}) (*Done, error) {
	who, err := person(actor)
	if err != nil {
		return nil, err
	}
	return &Done{"Your other sessions have ended"}, h.Account.EndOthers(ctx, who)
}

func (h *Handler) end(ctx context.Context, actor control.Actor, in *byID) (*Done, error) {
	who, err := person(actor)
	if err != nil {
		return nil, err
	}
	id, err := uuid.Parse(in.ID)
	if err != nil {
		return nil, ErrNoSession
	}
	return &Done{"The session has ended"}, h.Account.EndSession(ctx, who, id)
}

func (h *Handler) password(ctx context.Context, actor control.Actor, in *passwordInput) (*Done, error) {
	who, err := person(actor)
	if err != nil {
		return nil, err
	}
	return &Done{"The password is changed, and your other sessions have ended"}, h.Account.ChangePassword(ctx, who, in.Body)
}

func (h *Handler) email(ctx context.Context, actor control.Actor, in *emailInput) (*Done, error) {
	who, err := person(actor)
	if err != nil {
		return nil, err
	}
	return &Done{"Open the link that was mailed to confirm the address"}, h.Account.ChangeEmail(ctx, who, in.Body.Email)
}

func (h *Handler) reauthenticate(ctx context.Context, actor control.Actor, _ *struct{}) (*Done, error) {
	who, err := person(actor)
	if err != nil {
		return nil, err
	}
	return &Done{"A code was mailed"}, h.Account.Reauthenticate(ctx, who)
}
