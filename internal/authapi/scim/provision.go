package scim

import (
	"context"
	"errors"
	"maps"
	"reflect"
	"strings"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/audit"
	"github.com/reevehq/reeve/internal/authapi/session"
	"github.com/reevehq/reeve/internal/authapi/users"
	protocol "github.com/reevehq/reeve/internal/scim"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// provision makes a user of the directory a user of the project: the user of the
// connection who has signed in before, or a new one.
func (p people) provision(ctx context.Context, tx *tenantdb.Tx, row *auth.SCIMUser, doc protocol.Resource) error {
	if err := tx.LockSSOConnection(ctx, p.connection.ID); err != nil {
		return err
	}
	u, err := p.known(ctx, tx, row, doc)
	if err != nil {
		return err
	}
	if u == nil {
		if u, err = p.newUser(ctx, tx, row, doc); u == nil || err != nil {
			return err
		}
	} else if err := p.write(ctx, tx, u, protocol.Resource{}, doc); err != nil {
		return err
	}
	row.UserID = &u.ID
	if err := tx.LinkSCIMUser(ctx, row.ID, u.ID); err != nil {
		return err
	}
	if !doc.Active() {
		return p.withdraw(ctx, tx, row, "deactivated")
	}
	return nil
}

// known finds the user of the connection who is this user of the directory, locked; nil
// if there is none. protocol.ErrUniqueness when another user of the directory is that
// user.
func (p people) known(ctx context.Context, tx *tenantdb.Tx, row *auth.SCIMUser, doc protocol.Resource) (*auth.User, error) {
	provider, name, id := p.connection.Provider(), doc.Text("userName"), doc.Text("externalId")
	var seen []string
	for _, subject := range []string{id, name, strings.ToLower(name)} {
		if subject == "" || len(seen) > 0 && seen[len(seen)-1] == subject {
			continue
		}
		seen = append(seen, subject)
		u, err := tx.UserByIdentity(ctx, provider, subject, true)
		if errors.Is(err, auth.ErrUserNotFound) || err == nil && u.Gone() {
			continue
		}
		if err != nil {
			return nil, err
		}
		other, err := tx.SCIMLinked(ctx, p.connection.ID, u.ID, row.ID)
		if err != nil {
			return nil, err
		}
		if !other {
			return &u, nil
		}
		if subject == id {
			return nil, protocol.ErrUniqueness.Saying("Another user of the connection is the one with this externalId")
		}
	}
	email := address(doc)
	if email == "" {
		return nil, nil
	}
	u, err := tx.SSOUserByEmail(ctx, provider, email)
	if errors.Is(err, auth.ErrUserNotFound) || err == nil && u.Gone() {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	other, err := tx.SCIMLinked(ctx, p.connection.ID, u.ID, row.ID)
	if err != nil || other {
		return nil, err
	}
	if !u.IsSSOUser {
		return p.linked(ctx, tx, &u, email)
	}
	return &u, nil
}

// linked returns an ordinary user whom the connection signs in, for the user of the
// directory with the same address. If the connection would not link them today, a second
// user could not sign in either: protocol.ErrUniqueness.
func (p people) linked(ctx context.Context, tx *tenantdb.Tx, u *auth.User, email string) (*auth.User, error) {
	rules, err := p.admit(ctx, tx, email)
	if err != nil {
		return nil, err
	}
	links, err := p.linksTo(ctx, tx, rules, email)
	if err == nil && (!links || u.Email != email) {
		err = protocol.ErrUniqueness.Saying("An account with another address, or one that the connection may not link any more, signs in by the connection with this address: remove its identity first")
	}
	if err != nil {
		return nil, err
	}
	return u, nil
}

// newUser makes a user who has not signed in; nil where the connection links its people
// to users who have their address, and there is one: who that is, and that they learn of
// it, is for the first sign-in (users.ResolveSSO).
func (p people) newUser(ctx context.Context, tx *tenantdb.Tx, row *auth.SCIMUser, doc protocol.Resource) (*auth.User, error) {
	email, data := address(doc), profile(doc)
	rules, err := p.admit(ctx, tx, email)
	if err != nil {
		return nil, err
	}
	if linked, err := p.linksTo(ctx, tx, rules, email); linked || err != nil {
		return nil, err
	}
	subject := doc.Text("externalId")
	if subject == "" {
		subject = row.ID.String()
	}
	identity := users.Identity{Provider: p.connection.Provider(), ProviderID: subject, Data: maps.Clone(data)}
	identity.Data[users.Provisioned] = true
	given := maps.Clone(rules.DefaultUserMetadata)
	if given == nil {
		given = map[string]any{}
	}
	maps.Copy(given, data)
	u, err := p.Create(ctx, tx, p.sc, users.New{
		Email: email, EmailConfirmed: email != "", SSO: true, UserMetadata: given, AppMetadata: rules.DefaultAppMetadata,
		Identities: []users.Identity{identity}, SoughtFirst: true,
	})
	if err != nil {
		return nil, err
	}
	return u, p.audit(ctx, tx, u, auth.ActionUserSignedUp, "provisioned")
}

// linksTo reports whether the connection may take over the user with an address.
func (p people) linksTo(ctx context.Context, tx *tenantdb.Tx, rules *auth.SSORules, email string) (bool, error) {
	if !rules.LinkUsers || email == "" {
		return false, nil
	}
	proved, err := tx.DomainProved(ctx, p.connection.ID, auth.DomainOf(email))
	if err != nil || !proved {
		return false, err
	}
	u, err := tx.UserByEmail(ctx, email, false)
	if errors.Is(err, auth.ErrUserNotFound) {
		return false, nil
	}
	return err == nil && !u.Gone() && !u.IsAnonymous && u.EmailConfirmed(), err
}

// admit checks an address against the rules of project and connection, as at a sign-in,
// and returns those of the connection; protocol.ErrValue. "" is no address.
func (p people) admit(ctx context.Context, tx *tenantdb.Tx, email string) (*auth.SSORules, error) {
	c, err := tx.SSOProvider(ctx, p.connection.ID, false)
	switch {
	case errors.Is(err, auth.ErrSSOProviderNotFound): // one that SQL made
		c.Rules = auth.DefaultSSORules()
	case err != nil:
		return nil, err
	}
	if email == "" {
		return &c.Rules, nil
	}
	if !c.Rules.AllowOtherDomains {
		inside, err := tx.DomainAllowed(ctx, c.ID, auth.DomainOf(email))
		if err != nil {
			return nil, err
		}
		if !inside {
			return nil, protocol.ErrValue.Saying("The address is outside of the connection's domains")
		}
	}
	return &c.Rules, users.AdmitEmail(ctx, p.sc, email)
}

// apply writes a changed document, and changes the project's user by it; gone says that
// there is none any more.
func (p people) apply(ctx context.Context, tx *tenantdb.Tx, row *auth.SCIMUser, before, after protocol.Resource, gone bool) error {
	if gone {
		row.UserID = nil
	}
	if err := tx.UpdateSCIMUser(ctx, row); err != nil {
		return err
	}
	if gone {
		if !after.Active() {
			return nil
		}
		return p.provision(ctx, tx, row, after)
	}
	u, err := tx.UserByID(ctx, *row.UserID, true)
	if err != nil {
		return err
	}
	if err := p.write(ctx, tx, &u, before, after); err != nil {
		return err
	}
	switch {
	case before.Active() && !after.Active():
		return p.withdraw(ctx, tx, row, "deactivated")
	case !before.Active() && after.Active():
		return p.audit(ctx, tx, &u, auth.ActionUserModified, "activated")
	}
	return nil
}

// write changes of a user what has changed in the document, so that what the user or the
// project's code changed otherwise stays.
func (p people) write(ctx context.Context, tx *tenantdb.Tx, u *auth.User, before, after protocol.Resource) error {
	data := changes(profile(before), profile(after))
	email := address(after)
	if email == "" || email == address(before) || !u.IsSSOUser { // others have an address of their own
		email = u.Email
	}
	var columns []tenantdb.UserChange
	if len(data) > 0 {
		change, err := p.SetUserMetadata(u, data)
		if err != nil {
			return err
		}
		columns = append(columns, change)
	}
	if email != u.Email {
		if _, err := p.admit(ctx, tx, email); err != nil {
			return err
		}
		now := p.Now()
		columns = append(columns, tenantdb.Email(email), tenantdb.EmailConfirmedAt(&now))
	}
	if len(columns) > 0 {
		if err := tx.UpdateUser(ctx, u, p.Now(), columns...); err != nil {
			return err
		}
		if err := p.audit(ctx, tx, u, auth.ActionUserModified, "changed"); err != nil {
			return err
		}
	}
	return p.writeIdentity(ctx, tx, u, after, data)
}

// writeIdentity changes the identity. The id of one by which nobody has signed in follows
// the externalId.
func (p people) writeIdentity(ctx context.Context, tx *tenantdb.Tx, u *auth.User, after protocol.Resource, data map[string]any) error {
	i := u.IdentityOf(p.connection.Provider())
	if i == nil {
		return nil
	}
	if len(data) > 0 {
		if err := tx.UpdateIdentity(ctx, i, p.Now(), data); err != nil {
			return err
		}
	}
	if id := after.Text("externalId"); users.IsProvisioned(i) && id != "" && id != i.ProviderID {
		return tx.RenameIdentity(ctx, i, id, false, p.Now())
	}
	return nil
}

// withdraw ends all sessions of a user, and what could become one.
func (p people) withdraw(ctx context.Context, tx *tenantdb.Tx, row *auth.SCIMUser, how string) error {
	if row.UserID == nil {
		return nil
	}
	u, err := tx.UserByID(ctx, *row.UserID, true)
	if errors.Is(err, auth.ErrUserNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := p.Sessions.End(ctx, tx, p.sc, &u, session.All, session.CauseSCIM); err != nil {
		return err
	}
	if err := tx.EndFlows(ctx, u.ID); err != nil {
		return err
	}
	return p.audit(ctx, tx, &u, auth.ActionUserModified, how)
}

func (p people) audit(ctx context.Context, tx *tenantdb.Tx, u *auth.User, action auth.Action, how string) error {
	return audit.AdminWith(ctx, tx, p.sc, u, action, audit.Traits{"provider": p.connection.Provider(), "via": "scim", "change": how}, p.Now())
}

// address is the address of a user of the directory: the main one, else the userName if
// it is one; "" if there is none.
func address(doc protocol.Resource) string {
	main, _ := doc.Primary("emails")["value"].(string)
	for _, s := range []string{main, doc.Text("userName")} {
		if email, err := auth.NormalizeEmail(s); err == nil {
			return email
		}
	}
	return ""
}

// profile is what user_metadata gets of a document.
func profile(doc protocol.Resource) map[string]any {
	out := map[string]any{}
	put := func(name string, values ...string) {
		for _, v := range values {
			if v != "" {
				out[name] = v
				return
			}
		}
	}
	main := func(name string) string { s, _ := doc.Primary(name)["value"].(string); return s }
	given, family := doc.Text("name", "givenName"), doc.Text("name", "familyName")
	full := strings.TrimSpace(given + " " + family)
	put("full_name", doc.Text("displayName"), doc.Text("name", "formatted"), full)
	put("name", doc.Text("displayName"), doc.Text("name", "formatted"), full)
	put("given_name", given)
	put("family_name", family)
	put("middle_name", doc.Text("name", "middleName"))
	put("nickname", doc.Text("nickName"))
	put("preferred_username", doc.Text("userName"))
	put("email", address(doc))
	put("phone_number", main("phoneNumbers"))
	put("picture", main("photos"))
	put("profile", doc.Text("profileUrl"))
	put("title", doc.Text("title"))
	put("user_type", doc.Text("userType"))
	put("locale", doc.Text("locale"), doc.Text("preferredLanguage"))
	put("zoneinfo", doc.Text("timezone"))
	for to, from := range map[string]string{
		"employee_number": "employeeNumber", "cost_center": "costCenter", "organization": "organization", "division": "division", "department": "department",
	} {
		put(to, doc.Text(protocol.URNEnterprise, from))
	}
	return out
}

// changes are the members that differ; those that are gone are nil.
func changes(before, after map[string]any) map[string]any {
	out := map[string]any{}
	for name, v := range after {
		if !reflect.DeepEqual(before[name], v) {
			out[name] = v
		}
	}
	for name := range before {
		if _, ok := after[name]; !ok {
			out[name] = nil
		}
	}
	return out
}
