package dashboard

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/audit"
	"github.com/reevehq/reeve/internal/authapi/session"
	"github.com/reevehq/reeve/internal/authapi/strength"
	"github.com/reevehq/reeve/internal/authapi/users"
	"github.com/reevehq/reeve/internal/control/text"
	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/internal/password"
	"github.com/reevehq/reeve/internal/ratelimit"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

const (
	// FirstRunPath is the address that a setup link's page sends its form to.
	FirstRunPath = "/dashboard/first-run"
	// SetupPage is the page of the setup link.
	SetupPage = "/setup"
	// SetupLinkTTL is how long a setup link is good.
	SetupLinkTTL = 24 * time.Hour
)

// setupAttempts limits the use of setup links, for each client.
var setupAttempts = ratelimit.Rule{Name: "first_run", Events: 20, Per: 5 * time.Minute, Burst: 20}

// errOtherAccount refuses an address that somebody has proved to be theirs.
var errOtherAccount = fault.New(fault.Conflict, "email_exists",
	"Somebody has an account with this address. Choose another one, or make that account an operator: reeve operator add")

// FirstRun is the body of the setup page's form.
type FirstRun struct {
	Code         string `json:"code" maxLength:"100" doc:"Of the setup link."`
	Email        string `json:"email" maxLength:"255"`
	Password     string `json:"password" maxLength:"72"`
	Name         string `json:"name" minLength:"1" maxLength:"256" doc:"Of the person."`
	Organization string `json:"organization" minLength:"1" maxLength:"256" doc:"Name of the first organization."`
}

// Setup gives the first operator an account. Until then the operator is a user
// without a password, whom only access tokens of the command line stand for.
type Setup struct {
	DB       *controldb.DB
	Users    users.Users
	Strength strength.Checker
	Hasher   *password.Hasher
	Limiter  *ratelimit.Limiter
	// Seeded is the address of the user that the first start creates, and
	// Organization the slug of their organization.
	Seeded, Organization string
	Now                  func() time.Time
}

// Pending reports whether no operator has a way to sign in: all are the user that
// the first start created, with neither a password nor another identity.
func (s Setup) Pending(ctx context.Context, sc *tenants.Scope) (pending bool, err error) {
	operators, err := s.DB.Operators(ctx)
	if err != nil {
		return false, err
	}
	err = sc.DB.Do(ctx, func(tx *tenantdb.Tx) error {
		pending, err = s.pending(ctx, tx, operators)
		return err
	})
	return pending, err
}

func (s Setup) pending(ctx context.Context, tx *tenantdb.Tx, operators []controldb.Operator) (bool, error) {
	for _, o := range operators {
		u, err := tx.UserByID(ctx, o.UserID, false)
		switch {
		case errors.Is(err, auth.ErrUserNotFound):
			continue
		case err != nil:
			return false, err
		case !s.untouched(&u):
			return false, nil
		}
	}
	return true, nil
}

// untouched reports whether a user is as the first start created them.
func (s Setup) untouched(u *auth.User) bool {
	return u.Email == s.Seeded && !u.HasPassword() && u.Phone == "" && len(u.Identities) <= 1 &&
		(len(u.Identities) == 0 || u.Identities[0].Provider == auth.ProviderEmail)
}

// checked is a form whose fields are as they are stored.
func (f FirstRun) checked() (FirstRun, error) {
	var err error
	if f.Email, err = auth.NormalizeEmail(f.Email); err != nil {
		return f, err
	}
	if f.Name, err = text.Name("name", f.Name, 1, 256); err != nil {
		return f, err
	}
	f.Organization, err = text.Name("organization", f.Organization, 1, 256)
	return f, err
}

// Finish uses a setup link up: the operator gets the address, confirmed, the
// password and the name, the first organization its name, and the operator a
// session. Either all of it happens or the link stays good, except that a process
// killed between the commits of both databases leaves the organization's name.
// controldb.ErrSetupLink, weak_password, email_exists.
func (s Setup) Finish(ctx context.Context, sc *tenants.Scope, form FirstRun) (*session.Tokens, error) {
	if err := s.Limiter.Allow(ctx, sc.Tenant.Ref, setupAttempts, ratelimit.LimitKey(sc.ClientIP)); err != nil {
		return nil, err
	}
	form, err := form.checked()
	if err != nil {
		return nil, err
	}
	if err := s.DB.CheckSetupLink(ctx, form.Code, s.Now()); err != nil {
		return nil, err // before the costly work
	}
	if err := s.Strength.Check(ctx, sc, form.Password); err != nil {
		return nil, err
	}
	hash, err := s.Hasher.Hash(ctx, sc.Tenant.Ref, form.Password)
	if err != nil {
		return nil, err
	}
	var begun *session.Tokens
	err = s.DB.Tx(ctx, func(tx *controldb.Tx) error {
		if err := tx.UseSetupLink(ctx, s.DB, form.Code, s.Now()); err != nil {
			return err
		}
		org, err := tx.OrganizationBySlug(ctx, s.Organization)
		if err != nil && fault.From(err).Kind != fault.NotFound { // it may have been deleted
			return err
		}
		operators, err := tx.Operators(ctx)
		if err != nil {
			return err
		}
		// The user's commit comes first: once they have a password, no link is good.
		begun, err = s.Users.Sessions.SignIn(ctx, sc, func(users *tenantdb.Tx) (*session.Proof, error) {
			return s.claim(ctx, users, sc, operators, form, hash)
		})
		if err != nil || org.ID == uuid.Nil {
			return err
		}
		if err := tx.ChangeOrganization(ctx, org.ID, controldb.OrganizationChange{Name: &form.Organization}); err != nil {
			return err
		}
		return tx.AppendAudit(ctx, s.DB, controldb.AuditEntry{
			ID: uuid.New(), OrganizationID: org.ID, At: s.Now(), Actor: begun.User.ID, Action: "first-run", Object: FirstRunPath,
			Result: controldb.AuditDone, IP: sc.ClientAddress(), RequestID: sc.RequestID, Detail: []byte(`{}`),
		})
	})
	return begun, err
}

// claim makes the first operator the person of the form.
func (s Setup) claim(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, operators []controldb.Operator, form FirstRun, hash string) (*session.Proof, error) {
	pending, err := s.pending(ctx, tx, operators)
	switch {
	case err != nil:
		return nil, err
	case !pending:
		return nil, controldb.ErrSetupLink
	}
	u, err := tx.UserByEmail(ctx, s.Seeded, true)
	if err != nil {
		return nil, err
	}
	if !s.untouched(&u) {
		return nil, controldb.ErrSetupLink
	}
	if err := s.vacate(ctx, tx, form.Email, u.ID); err != nil {
		return nil, err
	}
	if err := s.Users.ChangeEmail(ctx, tx, &u, form.Email, true); err != nil {
		return nil, err
	}
	name, err := s.Users.SetUserMetadata(&u, map[string]any{"name": form.Name, "full_name": form.Name})
	if err != nil {
		return nil, err
	}
	if err := tx.UpdateUser(ctx, &u, s.Now(), name); err != nil {
		return nil, err
	}
	if err := s.Users.SetPassword(ctx, tx, sc, &u, hash, session.All, audit.Self); err != nil {
		return nil, err
	}
	return &session.Proof{
		User: &u, Method: auth.MethodPassword, Action: auth.ActionLogin, Refusals: session.Refusals{Gone: controldb.ErrSetupLink},
	}, nil
}

// vacate removes a user who signed up with the address and never confirmed it: they
// must not keep the operator from their own address.
func (s Setup) vacate(ctx context.Context, tx *tenantdb.Tx, email string, operator uuid.UUID) error {
	u, err := tx.UserByEmail(ctx, email, true)
	switch {
	case errors.Is(err, auth.ErrUserNotFound):
		return nil
	case err != nil:
		return err
	case u.ID == operator:
		return nil
	case u.EmailConfirmed() || u.PhoneConfirmedAt != nil || u.LastSignInAt != nil:
		return errOtherAccount
	}
	if err := tx.EndSignups(ctx, u.ID); err != nil {
		return err
	}
	return tx.DeleteUser(ctx, u.ID)
}

// FinishFirstRun gives the first operator an account, and the browser a session of
// theirs. It is for POST.
func (h Handler) FinishFirstRun(w http.ResponseWriter, r *http.Request) error {
	sc, err := h.scope(r)
	if err != nil {
		return err
	}
	var form FirstRun
	if err := decode(w, r, &form, errForm); err != nil {
		return err
	}
	begun, err := h.Setup.Finish(r.Context(), sc, form)
	if err != nil {
		return err
	}
	t, err := h.Service.tokens(r.Context(), sc, begun)
	if err != nil {
		return err
	}
	return h.answer(w, t)
}
