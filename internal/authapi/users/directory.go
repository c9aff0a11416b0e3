package users

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/scim"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// Provisioned is the member of the data of an identity that a directory made before its
// user signed in: its id is not the one by which the identity provider names the user.
const Provisioned = "provisioned"

// IsProvisioned reports whether an identity was made by a directory and not by a sign-in.
func IsProvisioned(i *auth.Identity) bool {
	var data struct {
		Provisioned any `json:"provisioned"`
	}
	_ = json.Unmarshal(i.Data, &data) // any other form counts as not
	return data.Provisioned == true
}

// withdrawn returns auth.ErrSSODeprovisioned if the connection's directory had the user
// and does not let them in any more.
func withdrawn(ctx context.Context, tx *tenantdb.Tx, c ProviderUser, u *auth.User) error {
	connection, ok := c.connection()
	if !ok {
		return nil
	}
	out, err := tx.SCIMWithdrawn(ctx, connection, u.ID)
	if err == nil && out {
		err = auth.ErrSSODeprovisioned
	}
	return err
}

// connection is the connection of the identity.
func (c ProviderUser) connection() (uuid.UUID, bool) {
	text, ok := strings.CutPrefix(c.Provider, auth.SSOPrefix)
	id, err := uuid.Parse(text)
	return id, ok && err == nil
}

// fromDirectory finds the user whom the connection's directory provisioned before they
// signed in, and gives them the identity: the one whose externalId is the subject, else
// whose userName is the subject or the address, else whose address it is alone. nil if
// there is none; auth.ErrSSODeprovisioned for somebody whom the directory has deactivated
// or removed. entry is the directory's user of somebody who is none of the project's yet.
func (s Users) fromDirectory(ctx context.Context, tx *tenantdb.Tx, c ProviderUser) (u *auth.User, entry *uuid.UUID, err error) {
	connection, ok := c.connection()
	if !ok {
		return nil, nil, nil
	}
	row, err := tx.SCIMUserAt(ctx, connection, c.ProviderID, c.names())
	switch {
	case errors.Is(err, auth.ErrSCIMNotFound):
		u, err = s.provisionedByEmail(ctx, tx, c)
		if u == nil || err != nil {
			return nil, nil, err
		}
	case err != nil:
		return nil, nil, err
	case row.DeletedAt != nil || !scim.Resource(auth.DecodeObject(row.Resource)).Active():
		return nil, nil, auth.ErrSSODeprovisioned
	case row.UserID == nil:
		return nil, &row.ID, nil
	default:
		if u, err = s.ByID(ctx, tx, *row.UserID); err != nil {
			return nil, nil, err
		}
		if i := u.IdentityOf(c.Provider); !c.isNamedBy(row.Resource) && (i == nil || !IsProvisioned(i)) {
			// Somebody else has signed in as this user. At many providers people can change
			// their address themselves, so it must not get them into an account in use.
			return nil, nil, nil
		}
	}
	if err := withdrawn(ctx, tx, c, u); err != nil { // with the user locked
		return nil, nil, err
	}
	if err := s.prove(ctx, tx, u, c.Identity); err != nil {
		return nil, nil, err
	}
	return u, nil, s.refreshIdentity(ctx, tx, u, c)
}

// waiting returns the user of the connection's directory who has the address of an
// ordinary user whom the connection signs in, and is none of the project's yet; nil if
// there is none, or several. The directory may call them otherwise than the identity
// provider does. auth.ErrSSODeprovisioned for somebody whom it has withdrawn.
func waiting(ctx context.Context, tx *tenantdb.Tx, c ProviderUser) (*uuid.UUID, error) {
	connection, ok := c.connection()
	if !ok || c.Email == "" {
		return nil, nil
	}
	list, err := tx.SCIMUsersWaiting(ctx, connection, c.Email)
	if err != nil {
		return nil, err
	}
	var found []auth.SCIMUser
	for _, row := range list {
		main, _ := scim.Resource(auth.DecodeObject(row.Resource)).Primary("emails")["value"].(string)
		if email, err := auth.NormalizeEmail(main); err == nil && email == c.Email && (row.DeletedAt == nil || len(found) == 0) {
			found = append(found, row)
		}
	}
	if len(found) != 1 {
		return nil, nil
	}
	if row := &found[0]; row.DeletedAt != nil || !scim.Resource(auth.DecodeObject(row.Resource)).Active() {
		return nil, auth.ErrSSODeprovisioned
	}
	return &found[0].ID, nil
}

// tie makes an ordinary user whom the connection signs in the one of its directory, if it
// has them and does not know it yet: withdrawing them must end their sessions.
func (s Users) tie(ctx context.Context, tx *tenantdb.Tx, c ProviderUser, u *auth.User) error {
	connection, ok := c.connection()
	if !ok || u.IsSSOUser || c.Email != u.Email {
		return nil
	}
	if linked, err := tx.SCIMLinked(ctx, connection, u.ID, uuid.Nil); linked || err != nil {
		return err
	}
	entry, err := waiting(ctx, tx, c)
	if entry == nil || err != nil {
		return err
	}
	return tx.LinkSCIMUser(ctx, *entry, u.ID)
}

// isNamedBy reports whether a user of a directory has the subject as externalId or as
// userName.
func (c ProviderUser) isNamedBy(resource json.RawMessage) bool {
	r := scim.Resource(auth.DecodeObject(resource))
	return r.Text("externalId") == c.ProviderID || strings.EqualFold(r.Text("userName"), c.ProviderID)
}

// names are what a directory may call the user, in lower case.
func (c ProviderUser) names() []string {
	return slices.DeleteFunc(slices.Compact([]string{strings.ToLower(c.ProviderID), c.Email}), func(s string) bool { return s == "" })
}

func (s Users) provisionedByEmail(ctx context.Context, tx *tenantdb.Tx, c ProviderUser) (*auth.User, error) {
	if c.Email == "" {
		return nil, nil
	}
	u, err := tx.SSOUserByEmail(ctx, c.Provider, c.Email)
	if errors.Is(err, auth.ErrUserNotFound) {
		return nil, nil
	}
	if i := u.IdentityOf(c.Provider); err != nil || u.Gone() || !u.IsSSOUser || i == nil || !IsProvisioned(i) {
		return nil, err
	}
	return &u, nil
}

// prove notes that a user whom the directory made has signed in by an identity, and gives
// them the identity if they do not have it.
func (s Users) prove(ctx context.Context, tx *tenantdb.Tx, u *auth.User, i Identity) error {
	for n := range u.Identities {
		switch row := &u.Identities[n]; {
		case row.Provider != i.Provider:
		case IsProvisioned(row):
			return tx.RenameIdentity(ctx, row, i.ProviderID, true, s.Now())
		case row.ProviderID == i.ProviderID:
			return nil
		}
	}
	return s.Link(ctx, tx, u, i)
}
