package passkey

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/session"
	"github.com/reevehq/reeve/internal/web"
	"github.com/reevehq/reeve/tenants"
)

// Handler serves the routes.
type Handler struct{ Service Service }

// Mount adds the routes.
func (h Handler) Mount(r web.Routes) {
	r.Keyed.With(web.LimitPasskey).WithCaptcha().POST("/passkeys/authentication/options", web.Tenant(http.StatusOK, h.beginSignIn))
	r.Keyed.POST("/passkeys/authentication/verify", web.Tenant(http.StatusOK, h.signIn))
	r.OwingPasskey.With(web.LimitPasskeyRegistration).POST("/passkeys/registration/options", web.User(http.StatusOK, h.begin))
	r.OwingPasskey.POST("/passkeys/registration/verify", web.User(http.StatusOK, h.register))
	r.User.GET("/passkeys", web.User(http.StatusOK, h.list))
	r.User.PATCH("/passkeys/:id", web.User(http.StatusOK, h.rename))
	r.User.DELETE("/passkeys/:id", web.User(http.StatusNoContent, h.delete))
	r.Admin(tenants.ScopeUsersRead).GET("/admin/users/:id/passkeys", web.Tenant(http.StatusOK, h.listOf))
	r.Admin(tenants.ScopeUsersWrite).DELETE("/admin/users/:id/passkeys/:passkey_id", web.Tenant(http.StatusNoContent, h.deleteOf))
}

// Item is a passkey on the wire. The reference has the first four members.
type Item struct {
	ID             uuid.UUID  `json:"id"`
	FriendlyName   string     `json:"friendly_name,omitempty"`
	CreatedAt      time.Time  `json:"created_at"`
	LastUsedAt     *time.Time `json:"last_used_at,omitempty"`
	BackupEligible bool       `json:"backup_eligible"`
	BackedUp       bool       `json:"backed_up"`
	CloneWarningAt *time.Time `json:"clone_warning_at,omitempty"`
}

func itemOf(k *auth.Passkey) Item {
	return Item{
		ID: k.ID, FriendlyName: k.FriendlyName, CreatedAt: k.CreatedAt, LastUsedAt: k.LastUsedAt,
		BackupEligible: k.BackupEligible, BackedUp: k.BackedUp, CloneWarningAt: k.CloneWarningAt,
	}
}

func itemsOf(list []auth.Passkey) []Item {
	out := make([]Item, len(list))
	for i := range list {
		out[i] = itemOf(&list[i])
	}
	return out
}

// Options is the answer to the begin of a ceremony.
type Options struct {
	ChallengeID uuid.UUID `json:"challenge_id"`
	Options     any       `json:"options"`
	ExpiresAt   int64     `json:"expires_at"` // seconds since 1970
}

// response is the body that ends a ceremony.
type response struct {
	ChallengeID string          `json:"challenge_id"`
	Credential  json.RawMessage `json:"credential"`
}

func (r *response) challenge() (uuid.UUID, error) {
	if r.ChallengeID == "" {
		return uuid.Nil, auth.ErrValidation.Saying("challenge_id is required")
	}
	id, ok := parseID(r.ChallengeID)
	if !ok {
		return uuid.Nil, auth.ErrValidation.Saying("challenge_id must be a valid UUID")
	}
	return id, nil
}

func parseID(s string) (uuid.UUID, bool) {
	id, err := uuid.Parse(s)
	return id, err == nil && len(s) == 36 // no braces, no urn:
}

func (h Handler) beginSignIn(ctx context.Context, sc *tenants.Scope, _ *web.None) (*Options, error) {
	return h.Service.BeginSignIn(ctx, sc)
}

func (h Handler) signIn(ctx context.Context, sc *tenants.Scope, req *response) (*session.Tokens, error) {
	id, err := req.challenge()
	if err != nil {
		return nil, err
	}
	return h.Service.SignIn(ctx, sc, id, req.Credential)
}

func (h Handler) begin(ctx context.Context, sc *tenants.Scope, p *auth.Principal, _ *web.None) (*Options, error) {
	return h.Service.Begin(ctx, sc, p)
}

func (h Handler) register(ctx context.Context, sc *tenants.Scope, p *auth.Principal, req *response) (*Item, error) {
	id, err := req.challenge()
	if err != nil {
		return nil, err
	}
	k, err := h.Service.Register(ctx, sc, p, id, req.Credential)
	if err != nil {
		return nil, err
	}
	item := itemOf(k)
	return &item, nil
}

func (h Handler) list(ctx context.Context, sc *tenants.Scope, p *auth.Principal, _ *web.None) ([]Item, error) {
	if !sc.Tenant.Config.PasskeyEnabled {
		return nil, auth.ErrPasskeysOff
	}
	list, err := h.Service.List(ctx, sc, p.User.ID)
	return itemsOf(list), err
}

// byID is a request that names a passkey in its path.
type byID struct{ id uuid.UUID }

// BindQuery implements web.QueryBinder.
func (r *byID) BindQuery(_ url.Values, param func(string) string) error {
	id, ok := parseID(param("id"))
	if !ok {
		return auth.ErrPasskeyNotFound
	}
	r.id = id
	return nil
}

// renameRequest is the body and path of PATCH /passkeys/{id}.
type renameRequest struct {
	FriendlyName string `json:"friendly_name"`
	byID
}

// maxName bounds the name of a passkey, in characters.
const maxName = 120

func (h Handler) rename(ctx context.Context, sc *tenants.Scope, p *auth.Principal, req *renameRequest) (*Item, error) {
	switch {
	case req.FriendlyName == "":
		return nil, auth.ErrValidation.Saying("friendly_name is required")
	case utf8.RuneCountInString(req.FriendlyName) > maxName:
		return nil, auth.ErrValidation.Saying(fmt.Sprintf("friendly_name must be %d characters or less", maxName))
	}
	k, err := h.Service.Rename(ctx, sc, p, req.id, req.FriendlyName)
	if err != nil {
		return nil, err
	}
	item := itemOf(&k)
	return &item, nil
}

func (h Handler) delete(ctx context.Context, sc *tenants.Scope, p *auth.Principal, req *byID) (web.NoContent, error) {
	return web.NoContent{}, h.Service.Delete(ctx, sc, p, req.id)
}

// ofUser is a request of an admin that names a user in its path, and for a
// deletion a passkey.
type ofUser struct{ user, id uuid.UUID }

// BindQuery implements web.QueryBinder.
func (r *ofUser) BindQuery(_ url.Values, param func(string) string) error {
	var ok bool
	if r.user, ok = parseID(param("id")); !ok {
		return auth.ErrUserNotFound
	}
	if param("passkey_id") == "" {
		return nil
	}
	if r.id, ok = parseID(param("passkey_id")); !ok {
		return auth.ErrPasskeyNotFound
	}
	return nil
}

func (h Handler) listOf(ctx context.Context, sc *tenants.Scope, req *ofUser) ([]Item, error) {
	list, err := h.Service.ListOf(ctx, sc, req.user)
	return itemsOf(list), err
}

func (h Handler) deleteOf(ctx context.Context, sc *tenants.Scope, req *ofUser) (web.NoContent, error) {
	return web.NoContent{}, h.Service.DeleteOf(ctx, sc, req.user, req.id)
}
