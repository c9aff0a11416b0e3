package dashboard

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/audit"
	"github.com/reevehq/reeve/internal/authapi/session"
	"github.com/reevehq/reeve/internal/authapi/strength"
	"github.com/reevehq/reeve/internal/authapi/users"
	"github.com/reevehq/reeve/internal/control/member"
	"github.com/reevehq/reeve/internal/control/text"
	"github.com/reevehq/reeve/internal/password"
	"github.com/reevehq/reeve/internal/ratelimit"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

const (
	// InvitationPath is the address that shows an invitation, and JoinPath the one by
	// which somebody without an account accepts it. Both take the token in the body:
	// addresses are logged.
	InvitationPath = "/dashboard/invitation"
	JoinPath       = InvitationPath + "/sign-up"
	// InvitationPage is the page that the mailed link leads to.
	InvitationPage = "/invite"
)

// invitationTries limits the requests with invitations' tokens, for each client.
var invitationTries = ratelimit.Rule{Name: "invitation", Events: 60, Per: 5 * time.Minute, Burst: 60}

// Invitation is the body that shows an invitation.
type Invitation struct {
	Token string `json:"token" maxLength:"100" doc:"Of the mailed link."`
}

// Join is the body by which somebody without an account accepts an invitation.
type Join struct {
	Token    string `json:"token" maxLength:"100" doc:"Of the mailed link."`
	Password string `json:"password" maxLength:"72"`
	Name     string `json:"name,omitempty" maxLength:"256" doc:"Of the person."`
}

// Joined is the answer: the browser is signed in.
type Joined struct {
	Session
	Accepted member.Accepted `json:"accepted"`
}

// Invitations lets people who are not signed in see and accept invitations.
type Invitations struct {
	Members  *member.Service
	Users    users.Users
	Strength strength.Checker
	Hasher   *password.Hasher
	Limiter  *ratelimit.Limiter
	Now      func() time.Time
}

func (s Invitations) limit(ctx context.Context, sc *tenants.Scope) error {
	return s.Limiter.Allow(ctx, sc.Tenant.Ref, invitationTries, ratelimit.LimitKey(sc.ClientIP))
}

// Join creates the account of the invited person, makes them a member and begins a
// session. The mailed token proves the address, so neither a confirmation nor open
// sign-up is needed. controldb.ErrInvitationInvalid, weak_password,
// auth.ErrEmailExists for somebody with an account: they sign in.
func (s Invitations) Join(ctx context.Context, sc *tenants.Scope, in Join) (*session.Tokens, *member.Accepted, error) {
	if err := s.limit(ctx, sc); err != nil {
		return nil, nil, err
	}
	name, err := text.Name("name", in.Name, 0, 256)
	if err != nil {
		return nil, nil, err
	}
	inv, err := s.Members.OpenInvitation(ctx, in.Token)
	if err != nil {
		return nil, nil, err // before the costly work
	}
	if !sc.Tenant.Config.ExternalEmailEnabled {
		return nil, nil, auth.ErrEmailOff
	}
	if _, err := auth.NormalizeEmail(inv.Email); err != nil {
		return nil, nil, err
	}
	if err := users.AdmitEmail(ctx, sc, inv.Email); err != nil {
		return nil, nil, err
	}
	if err := s.Strength.Check(ctx, sc, in.Password); err != nil {
		return nil, nil, err
	}
	hash, err := s.Hasher.Hash(ctx, sc.Tenant.Ref, in.Password)
	if err != nil {
		return nil, nil, err
	}
	data := map[string]any{}
	if name != "" {
		data["name"], data["full_name"] = name, name
	}
	var begun *session.Tokens
	accepted, err := s.Members.Join(ctx, in.Token, sc.ClientAddress(), func(ctx context.Context, email string) (*auth.User, error) {
		begun, err = s.register(ctx, sc, email, hash, data)
		if err != nil {
			return nil, err
		}
		return begun.User, nil
	})
	return begun, accepted, err
}

// register creates the confirmed user with an address, or gives them what somebody
// began who never confirmed it, and begins a session.
func (s Invitations) register(ctx context.Context, sc *tenants.Scope, email, hash string, data map[string]any) (*session.Tokens, error) {
	return s.Users.Sessions.SignIn(ctx, sc, func(tx *tenantdb.Tx) (*session.Proof, error) {
		u, err := s.user(ctx, tx, sc, email, hash, data)
		if err != nil {
			return nil, err
		}
		if _, err := audit.User(ctx, tx, sc, u, auth.ActionUserSignedUp, nil, s.Now()); err != nil {
			return nil, err
		}
		return &session.Proof{
			User: u, Method: auth.MethodPassword, Action: auth.ActionLogin, Refusals: session.Refusals{Gone: auth.ErrUserNotFound},
		}, nil
	})
}

func (s Invitations) user(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, email, hash string, data map[string]any) (*auth.User, error) {
	u, err := tx.UserByEmail(ctx, email, true)
	switch {
	case errors.Is(err, auth.ErrUserNotFound):
		created, err := s.Users.Create(ctx, tx, sc, users.SignedUp(uuid.New(), email, data, hash, false))
		if err != nil {
			return nil, err
		}
		return created, s.Users.ConfirmEmail(ctx, tx, created)
	case err != nil:
		return nil, err
	case u.EmailConfirmed() || u.Gone():
		return nil, auth.ErrEmailExists
	}
	origin, err := s.Users.Unproved(ctx, tx, &u)
	if err != nil {
		return nil, err
	}
	if origin.Public || origin.Contested { // whoever signed up did not prove the address
		return &u, s.Users.ConfirmSignup(ctx, tx, sc, &u, auth.Signup{Password: hash, Data: data})
	}
	if err := s.Users.SetPassword(ctx, tx, sc, &u, hash, session.All, audit.Self); err != nil {
		return nil, err
	}
	return &u, s.Users.ConfirmEmail(ctx, tx, &u)
}

// ShowInvitation shows the invitation of the token in the body. It is for POST.
func (h Handler) ShowInvitation(w http.ResponseWriter, r *http.Request) error {
	sc, err := h.scope(r)
	if err != nil {
		return err
	}
	var in Invitation
	if err := decode(w, r, &in, errForm); err != nil {
		return err
	}
	if err := h.Invitations.limit(r.Context(), sc); err != nil {
		return err
	}
	shown, err := h.Invitations.Members.ShowInvitation(r.Context(), in.Token)
	if err != nil {
		return err
	}
	return write(w, shown)
}

// AcceptInvitation accepts an invitation for somebody without an account, and gives
// the browser a session of theirs. It is for POST.
func (h Handler) AcceptInvitation(w http.ResponseWriter, r *http.Request) error {
	sc, err := h.scope(r)
	if err != nil {
		return err
	}
	var in Join
	if err := decode(w, r, &in, errForm); err != nil {
		return err
	}
	begun, accepted, err := h.Invitations.Join(r.Context(), sc, in)
	if err != nil {
		return err
	}
	t, err := h.Service.tokens(r.Context(), sc, begun)
	if err != nil {
		return err
	}
	h.Cookies.set(w, t)
	s := onWire(&t.User)
	s.ExpiresAt = &t.ExpiresAt
	return write(w, Joined{Session: s, Accepted: *accepted})
}

func write(w http.ResponseWriter, v any) error {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	return json.NewEncoder(w).Encode(v)
}
