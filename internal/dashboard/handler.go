package dashboard

import (
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/factor"
	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/tenants"
)

// maxBody bounds a body, in bytes: an access token can hold the user's metadata.
const maxBody = 128 << 10

var (
	errHost   = fault.New(fault.NotFound, "not_found", "There is no such path")
	errBearer = fault.New(fault.Invalid, "validation_failed", "A browser's session has no Authorization header")
	errMedia  = fault.New(fault.UnsupportedMedia, "unsupported_media_type", "The body must be application/json")
	errBody   = fault.New(fault.Invalid, "bad_json", `The body must be {"access_token":"...","refresh_token":"..."}`)
	errForm   = fault.New(fault.Invalid, "bad_json", "The body must be a JSON object with the fields of the form")
	errLarge  = fault.New(fault.TooLarge, "body_too_large", "The body is larger than 128 KB")
)

// Handler serves the sessions of browsers on the main host.
type Handler struct {
	Service Service
	Cookies Cookies
	Guard   Guard
	// Main reports whether a Host is the main host's.
	Main func(host string) bool
	// Scope returns the scope of a request in the platform project.
	Scope func(*http.Request) (*tenants.Scope, error)
	// Configure returns what a page needs to know before anybody signs in.
	Configure Configurer
	Setup     Setup
	// Factors proves second factors.
	Factors     factor.Service
	Invitations Invitations
}

// Session is the answer: what a page may know of its session.
type Session struct {
	User User `json:"user"`
	// ExpiresAt is when the page has to refresh the session.
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
}

// User is who is signed in.
type User struct {
	ID    string `json:"id"`
	Email string `json:"email"`
}

func onWire(u *auth.User) Session { return Session{User: User{ID: u.ID.String(), Email: u.Email}} }

// Credential returns the access token of a request's cookie: "" for requests to
// another host, with an Authorization header, or without the cookie.
// ErrCrossOrigin when another page may have caused the request.
func (h Handler) Credential(r *http.Request) (string, error) {
	if !h.Main(r.Host) || len(r.Header.Values("Authorization")) > 0 {
		return "", nil
	}
	access := h.Cookies.Access(r)
	if access == "" {
		return "", nil
	}
	return access, h.Guard.Check(r)
}

// Show answers who is signed in. It is for GET.
func (h Handler) Show(w http.ResponseWriter, r *http.Request) error {
	sc, err := h.scope(r)
	if err != nil {
		return err
	}
	access := h.Cookies.Access(r)
	if access == "" {
		return ErrNoSession
	}
	who, err := h.Service.Who(r.Context(), sc, access)
	if err != nil {
		return refused(err)
	}
	return write(w, onWire(&who.User))
}

// Begin exchanges the tokens in the body for cookies. It is for POST.
func (h Handler) Begin(w http.ResponseWriter, r *http.Request) error {
	sc, err := h.scope(r)
	if err != nil {
		return err
	}
	var body struct {
		AccessToken  string `json:"access_token"`
		RefreshToken string `json:"refresh_token"`
	}
	if err := decode(w, r, &body, errBody); err != nil {
		return err
	}
	t, err := h.Service.Begin(r.Context(), sc, body.AccessToken, body.RefreshToken)
	if err != nil {
		return err
	}
	return h.answer(w, t)
}

// Refresh continues the session of the cookies. It is for POST.
func (h Handler) Refresh(w http.ResponseWriter, r *http.Request) error {
	sc, err := h.scope(r)
	if err != nil {
		return err
	}
	access := h.Cookies.Access(r)
	if access == "" {
		return ErrNoSession
	}
	t, err := h.Service.Refresh(r.Context(), sc, access, h.Cookies.refreshes(r))
	if fault.From(err).Kind == fault.Unauthorized && err != nil {
		h.Cookies.clear(w) // nothing will make them good again
	}
	if err != nil {
		return err
	}
	return h.answer(w, t)
}

// End signs out. It is for DELETE.
func (h Handler) End(w http.ResponseWriter, r *http.Request) error {
	if err := h.SignOut(w, r); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// SignIn gives the browser a session of a user, for `reeve dev`. Who calls it has
// checked that the request may have one.
func (h Handler) SignIn(w http.ResponseWriter, r *http.Request, user uuid.UUID) error {
	sc, err := h.scope(r)
	if err != nil {
		return err
	}
	t, err := h.Service.SignIn(r.Context(), sc, user)
	if err != nil {
		return err
	}
	h.Cookies.set(w, t)
	return nil
}

// SignOut is End for pages with answers of their own.
func (h Handler) SignOut(w http.ResponseWriter, r *http.Request) error {
	sc, err := h.scope(r)
	if err != nil {
		return err
	}
	if access := h.Cookies.Access(r); access != "" {
		if err := h.Service.End(r.Context(), sc, access); err != nil {
			return err
		}
	}
	h.Cookies.clear(w)
	return nil
}

// scope checks that a page of the main host sent the request.
func (h Handler) scope(r *http.Request) (*tenants.Scope, error) {
	switch {
	case !h.Main(r.Host):
		return nil, errHost
	case len(r.Header.Values("Authorization")) > 0:
		return nil, errBearer
	}
	if err := h.Guard.Check(r); err != nil {
		return nil, err
	}
	return h.Scope(r)
}

func (h Handler) answer(w http.ResponseWriter, t Tokens) error {
	h.Cookies.set(w, t)
	s := onWire(&t.User)
	s.ExpiresAt = &t.ExpiresAt
	return write(w, s)
}

// decode reads a body; bad is the refusal of one that is not as v.
func decode(w http.ResponseWriter, r *http.Request, v any, bad *fault.Error) error {
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/json" {
		return errMedia
	}
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return errLarge
	}
	if err := json.Unmarshal(raw, v); err != nil {
		return bad // without its cause, which may quote a secret
	}
	return nil
}
