package users

import (
	"context"
	"errors"
	"maps"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/usage"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// New describes a user to create.
type New struct {
	ID             uuid.UUID // generated when Nil
	Email, Phone   string    // normalized
	EmailConfirmed bool
	PhoneConfirmed bool
	Anonymous      bool   // without any credentials
	SSO            bool   // of an enterprise connection; other users may have the address
	ByAdmin        bool   // for the project's usage
	Password       string // its hash
	Role           string // auth.RoleAuthenticated when ""
	BannedUntil    *time.Time
	AppMetadata    map[string]any
	UserMetadata   map[string]any
	Identities     []Identity
	// SoughtFirst says that the transaction looked for the user and found none.
	// Then a taken address means that another request was first, and the
	// transaction is run again.
	SoughtFirst bool
}

// Identity is a user's account at a provider.
type Identity struct {
	Provider   string
	ProviderID string // the user's id in the project when ""
	Data       map[string]any
	// Kind is the kind of identifier that ProviderID is, at providers that have several;
	// "" for the only one. It is kept in the data of the identity, not of the user.
	Kind string
}

// subjectKind is the member of the data of an identity that is Identity.Kind.
const subjectKind = "subject_kind"

// data is what is stored of an identity.
func (i Identity) data() map[string]any {
	if i.Kind == "" {
		return i.Data
	}
	return over(i.Data, map[string]any{subjectKind: i.Kind})
}

// sameKind reports whether an identity that is stored is not one of another kind of
// identifier, which has the same value by chance, or because somebody chose it. One of
// which the kind is not known is of any.
func (i Identity) sameKind(row *auth.Identity) bool {
	kind, _ := auth.DecodeObject(row.Data)[subjectKind].(string)
	return i.Kind == "" || kind == "" || kind == i.Kind
}

// EmailIdentity is the identity of an e-mail address whose ownership is not
// proved yet. data holds further members beside the address.
func EmailIdentity(email string, data map[string]any) Identity {
	all := map[string]any{}
	for name, value := range data {
		all[name] = value
	}
	all["email"], all["email_verified"], all["phone_verified"] = email, false, false
	return Identity{Provider: auth.ProviderEmail, Data: all}
}

// PhoneIdentity is the identity of a phone number.
func PhoneIdentity(phone string) Identity {
	return Identity{Provider: auth.ProviderPhone, Data: map[string]any{"phone": phone, "email_verified": false, "phone_verified": false}}
}

// Create writes a user with their identities. auth.ErrEmailExists,
// auth.ErrPhoneExists, auth.ErrUserExists for a taken id; auth.ErrValidation for
// metadata that is too large.
func (s Users) Create(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, n New) (*auth.User, error) {
	n = n.same(tx)
	u, err := n.user(s.Now())
	if err != nil {
		return nil, err
	}
	if s.Hooked(sc) {
		if err := s.Hooks.BeforeCreate(ctx, tx, sc, u); err != nil {
			return nil, err
		}
	}
	if err := s.free(ctx, tx, n); err != nil {
		return nil, err
	}
	if err := s.write(ctx, tx, u, n.Identities); err != nil {
		if n.SoughtFirst {
			err = tenantdb.Raced(err)
		}
		return nil, err
	}
	if sc != nil { // not the platform's operator
		tx.AfterCommit(func() { sc.Usage.Count(usage.SignUps, n.method()) })
	}
	if s.Hooked(sc) {
		return u, s.Hooks.AfterCreate(ctx, tx, sc, u)
	}
	return u, nil
}

// same is the user with the id that each run of the transaction gives them, in their
// metadata too.
func (n New) same(tx *tenantdb.Tx) New {
	given := n.ID
	if n.ID == uuid.Nil {
		n.ID = uuid.New()
	}
	n.ID = tx.SameID("user "+n.Email+" "+n.Phone, n.ID)
	if given != uuid.Nil && n.UserMetadata["sub"] == given.String() {
		n.UserMetadata = maps.Clone(n.UserMetadata)
		n.UserMetadata["sub"] = n.ID.String()
	}
	return n
}

// AskBefore has a hook at a URL decide about a user who would be created if there were
// none, whether there is one or not: neither the answer, nor its time, nor the number of
// calls tells then whether an address has a user. A Create of the same user in this
// transaction asks no more. A function's hook is not called: it may write.
func (s Users) AskBefore(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, n New) error {
	if !s.Hooked(sc) || !s.Hooks.Remote(sc) {
		return nil
	}
	n = n.same(tx)
	u, err := n.user(s.Now())
	if err != nil {
		return err
	}
	return s.Hooks.BeforeCreate(ctx, tx, sc, u)
}

// method is how the user signed up, for the project's usage.
func (n New) method() string {
	switch {
	case n.ByAdmin:
		return "admin"
	case n.Anonymous:
		return string(auth.MethodAnonymous)
	case len(n.Identities) > 0 && n.Identities[0].Provider != "email" && n.Identities[0].Provider != "phone":
		return string(auth.MethodOAuth)
	case n.Email != "":
		return "email"
	}
	return "phone"
}

func (s Users) write(ctx context.Context, tx *tenantdb.Tx, u *auth.User, identities []Identity) error {
	if err := tx.CreateUser(ctx, u); err != nil {
		return err
	}
	for _, i := range identities {
		if err := s.addIdentity(ctx, tx, u, i); err != nil {
			return err
		}
	}
	return nil
}

// free refuses an address that exists in another spelling, which no constraint
// covers.
func (s Users) free(ctx context.Context, tx *tenantdb.Tx, n New) error {
	if n.Email != "" && !n.SoughtFirst {
		if err := EmailFree(ctx, tx, n.Email, n.ID); err != nil {
			return err
		}
	}
	if n.Phone != "" && !n.SoughtFirst {
		return PhoneFree(ctx, tx, n.Phone, n.ID)
	}
	return nil
}

// EmailFree returns auth.ErrEmailExists when a user other than id has the
// address.
func EmailFree(ctx context.Context, tx *tenantdb.Tx, email string, id uuid.UUID) error {
	u, err := tx.UserByEmail(ctx, email, false)
	return another(u, err, id, auth.ErrEmailExists)
}

// PhoneFree returns auth.ErrPhoneExists when a user other than id has the
// number.
func PhoneFree(ctx context.Context, tx *tenantdb.Tx, phone string, id uuid.UUID) error {
	u, err := tx.UserByPhone(ctx, phone, false)
	return another(u, err, id, auth.ErrPhoneExists)
}

func another(u auth.User, err error, id uuid.UUID, exists error) error {
	switch {
	case errors.Is(err, auth.ErrUserNotFound):
		return nil
	case err == nil && u.ID != id:
		return exists
	}
	return err
}

// user returns the row, without identities.
func (n New) user(now time.Time) (*auth.User, error) {
	u := auth.NewUser(now)
	u.Email, u.Phone, u.EncryptedPassword, u.BannedUntil, u.IsAnonymous = n.Email, n.Phone, n.Password, n.BannedUntil, n.Anonymous
	u.IsSSOUser = n.SSO
	if n.ID != uuid.Nil {
		u.ID = n.ID
	}
	if n.Role != "" {
		u.Role = n.Role
	}
	if n.Email != "" && n.EmailConfirmed {
		u.EmailConfirmedAt = &now
	}
	if n.Phone != "" && n.PhoneConfirmed {
		u.PhoneConfirmedAt = &now
	}
	var err error
	if u.UserMetadata, err = auth.MergeMetadata(nil, n.UserMetadata); err != nil {
		return nil, err
	}
	if u.AppMetadata, err = auth.MergeMetadata(nil, n.AppMetadata); err != nil {
		return nil, err
	}
	for _, i := range n.Identities {
		if u.AppMetadata, err = auth.MergeMetadata(u.AppMetadata, auth.WithProvider(u.AppMetadata, i.Provider)); err != nil {
			return nil, err
		}
	}
	return u, nil
}

// addIdentity writes an identity of u and appends it to u.
func (s Users) addIdentity(ctx context.Context, tx *tenantdb.Tx, u *auth.User, i Identity) error {
	row, err := i.row(u.ID, s.Now())
	if err != nil {
		return err
	}
	row.ID = tx.SameID("identity "+u.ID.String()+row.Provider, row.ID)
	if err := tx.CreateIdentity(ctx, &row); err != nil {
		return err
	}
	u.Identities = append(u.Identities, row)
	return nil
}

// row returns the row of an identity.
func (i Identity) row(user uuid.UUID, now time.Time) (auth.Identity, error) {
	row := auth.Identity{
		ID: uuid.New(), ProviderID: i.ProviderID, UserID: user, Provider: i.Provider,
		LastSignInAt: &now, CreatedAt: &now, UpdatedAt: &now,
	}
	if row.ProviderID == "" {
		row.ProviderID = user.String()
	}
	if email, ok := i.Data["email"].(string); ok {
		row.Email = email
	}
	data := map[string]any{}
	for name, value := range i.data() {
		data[name] = value
	}
	data["sub"] = row.ProviderID
	var err error
	row.Data, err = auth.MergeMetadata(nil, data)
	return row, err
}

// Preview returns the user that Create would create, without writing anything.
func (s Users) Preview(n New) (*auth.User, error) {
	now := s.Now()
	u, err := n.user(now)
	if err != nil {
		return nil, err
	}
	for _, i := range n.Identities {
		row, err := i.row(u.ID, now)
		if err != nil {
			return nil, err
		}
		u.Identities = append(u.Identities, row)
	}
	return u, nil
}

// Link gives a user another identity, and names its provider in their
// app_metadata. An identity that another user has is auth.ErrIdentityExists.
func (s Users) Link(ctx context.Context, tx *tenantdb.Tx, u *auth.User, i Identity) error {
	if i.ProviderID != "" {
		other, err := tx.UserByIdentity(ctx, i.Provider, i.ProviderID, false)
		if err := another(other, err, u.ID, auth.ErrIdentityExists); err != nil {
			return err
		}
		if err == nil {
			return nil // already linked
		}
	}
	if err := s.addIdentity(ctx, tx, u, i); err != nil {
		return err
	}
	app, err := tenantdb.AppMetadata(auth.WithProvider(u.AppMetadata, i.Provider))
	if err != nil {
		return err
	}
	return tx.UpdateUser(ctx, u, s.Now(), app)
}
