package users_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/users"
	"github.com/reevehq/reeve/internal/testkit/flowtest"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// resolve runs Users.Resolve in a transaction of its own.
func resolve(f *flowtest.Fixture, p *flowtest.Project, c users.ProviderUser) (u *auth.User, err error) {
	ctx := context.Background()
	service := users.Users{Sessions: f.Sessions, Now: f.Clock.Now}
	err = p.DB.Tx(ctx, func(tx *tenantdb.Tx) error {
		found, _, err := service.Resolve(ctx, tx, p.Scope(), c)
		if err != nil {
			return err
		}
		settled, err := tx.Settle(ctx, found.ID)
		u = &settled
		return err
	})
	return u, err
}

func providerUser(id, email string, verified bool) users.ProviderUser {
	return users.ProviderUser{
		Identity: users.Identity{Provider: "github", ProviderID: id, Data: map[string]any{"email": email, "name": "Ann"}},
		Email:    email, Verified: verified,
	}
}

func TestResolve(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, autoconfirm)
	must := func(p *flowtest.Project, c users.ProviderUser) *auth.User {
		t.Helper()
		u, err := resolve(f, p, c)
		if err != nil {
			t.Fatal(err)
		}
		return u
	}
	made := must(f.A, providerUser("1", "ann@example.com", true))
	if made.Email != "ann@example.com" || !made.EmailConfirmed() || len(made.Identities) != 1 || made.Identities[0].ProviderID != "1" ||
		string(made.AppMetadata) != `{"provider": "github", "providers": ["github"]}` {
		t.Errorf("made %+v", made)
	}
	again := providerUser("1", "moved@example.com", true)
	again.Data["name"] = "Ann Two"
	if same := must(f.A, again); same.ID != made.ID || same.Email != "ann@example.com" {
		t.Errorf("the identity found %+v", same)
	}
	if got := flowtest.One[string](t, f.A, `SELECT identity_data->>'name' FROM auth.identities`); got != "Ann Two" {
		t.Errorf("the identity says %s", got)
	}
	if other := must(f.B, providerUser("1", "ann@example.com", true)); other.ID == made.ID {
		t.Error("found in the other project")
	}

	bob := f.A.SignUp(t, "bob@example.com", "password123")
	linked := must(f.A, providerUser("2", "bob@example.com", true))
	if linked.ID.String() != bob.UserID || len(linked.Identities) != 2 {
		t.Errorf("linked %+v", linked)
	}
	f.A.SignIn(t, "bob@example.com", "password123")
	f.A.Refresh(t, bob.Refresh).Want(200)

	// An address that the provider has not verified links to nobody, and is not
	// taken from its owner.
	stranger := must(f.A, providerUser("3", "bob@example.com", false))
	if stranger.ID.String() == bob.UserID || stranger.Email != "" || stranger.EmailConfirmed() {
		t.Errorf("an unverified address gave %+v", stranger)
	}
	if unverified := must(f.A, providerUser("4", "cid@example.com", false)); unverified.Email != "cid@example.com" || unverified.EmailConfirmed() {
		t.Errorf("an unverified, free address gave %+v", unverified)
	}
	if nameless := must(f.A, providerUser("5", "", false)); nameless.Email != "" {
		t.Errorf("without an address %+v", nameless)
	}
}

// An account that was made with somebody's address before they came is theirs
// alone afterwards.
func TestResolveTakesOverUnconfirmed(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, func(c *tenants.Config) { c.MailerAllowUnverifiedEmailSignIn = true })
	f.A.Do(t, "POST", "/signup", m{"email": "ann@example.com", "password": "attacker's", "data": m{"evil": true}}).Want(200)
	attacker := f.A.SignIn(t, "ann@example.com", "attacker's")
	link := f.A.LinkQuery(t, f.A.Mail(t, "ann@example.com")).Get("token")
	u, err := resolve(f, f.A, providerUser("1", "ann@example.com", true))
	if err != nil {
		t.Fatal(err)
	}
	if u.ID.String() != attacker.UserID || !u.EmailConfirmed() || u.HasPassword() || len(u.Identities) != 1 || u.Identities[0].Provider != "github" ||
		string(u.UserMetadata) != `{"email_verified": true}` || string(u.AppMetadata) != `{"provider": "github", "providers": ["github"]}` {
		t.Errorf("%+v", u)
	}
	f.A.Refresh(t, attacker.Refresh).WantError(400, "refresh_token_not_found")
	f.A.Do(t, "POST", "/verify", m{"type": "signup", "token_hash": link}).WantError(403, "otp_expired")
	f.A.Do(t, "POST", "/token?grant_type=password", m{"email": "ann@example.com", "password": "attacker's"}).WantError(400, "invalid_credentials")
}

// What an admin or SQL wrote outlives the proof of an address by a provider.
func TestResolveKeepsMetadata(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, func(c *tenants.Config) { c.SMTPMaxFrequency = 0 })
	signUp := func(email string) {
		f.A.Do(t, "POST", "/signup", m{"email": email, "password": "password123", "data": m{"evil": true}}).Want(200)
	}
	for name, c := range map[string]struct {
		begin func(email string)
		want  string
	}{
		"invited": {
			func(email string) {
				f.A.Admin(t, "POST", "/invite", m{"email": email, "data": m{"team": "red"}}).Want(200)
			},
			`{"team": "red", "tier": "gold", "email_verified": true}`,
		},
		"created": {func(email string) {
			f.A.Admin(t, "POST", "/admin/users", m{"email": email, "password": "password123", "user_metadata": m{"team": "red"}}).Want(200)
		}, `{"team": "red", "tier": "gold", "email_verified": true}`},
		"signed up": {signUp, `{"tier": "gold", "email_verified": true}`},
		"contested": {func(email string) { signUp(email); signUp(email) }, `{"tier": "gold", "email_verified": true}`},
	} {
		email := strings.ReplaceAll(name, " ", "-") + "@example.com"
		c.begin(email)
		f.A.Exec(t, `UPDATE auth.users SET raw_app_meta_data = raw_app_meta_data || '{"role": "approver"}',
			raw_user_meta_data = raw_user_meta_data || '{"tier": "gold"}' WHERE email = $1`, email)
		u, err := resolve(f, f.A, providerUser(name, email, true))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if string(u.UserMetadata) != c.want || string(u.AppMetadata) != `{"role": "approver", "provider": "github", "providers": ["github"]}` || u.HasPassword() {
			t.Errorf("%s: %s, %s, has a password: %t", name, u.UserMetadata, u.AppMetadata, u.HasPassword())
		}
	}
}

func TestResolveRefuses(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, autoconfirm)
	f.A.SignUp(t, "ann@example.com", "password123")
	if _, err := resolve(f, f.A, providerUser("1", "ann@example.com", true)); err != nil {
		t.Fatal(err)
	}
	f.A.SignUp(t, "bob@example.com", "password123")
	f.A.Exec(t, `UPDATE auth.users SET deleted_at = now()`)
	f.A.Configure(func(c *tenants.Config) { c.DisableSignup = true })
	for name, c := range map[string]struct {
		user users.ProviderUser
		want error
	}{
		"identity of a deleted account": {providerUser("1", "ann@example.com", true), auth.ErrUserNotFound},
		"address of a deleted account":  {providerUser("2", "bob@example.com", true), auth.ErrUserNotFound},
		"nobody may sign up":            {providerUser("3", "new@example.com", true), auth.ErrSignupDisabled},
	} {
		if u, err := resolve(f, f.A, c.user); !errors.Is(err, c.want) {
			t.Errorf("%s: %+v, %v", name, u, err)
		}
	}
	ctx := context.Background()
	f.A.Exec(t, `UPDATE auth.users SET deleted_at = NULL`)
	service := users.Users{Sessions: f.Sessions, Now: f.Clock.Now}
	err := f.A.DB.Tx(ctx, func(tx *tenantdb.Tx) error {
		bob, err := service.ByEmail(ctx, tx, "bob@example.com")
		if err != nil {
			return err
		}
		return service.Link(ctx, tx, bob, providerUser("1", "ann@example.com", true).Identity)
	})
	if !errors.Is(err, auth.ErrIdentityExists) {
		t.Errorf("linked another user's identity: %v", err)
	}
}

// The first sign-ins of somebody at once make one user.
func TestResolveAtOnce(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	for _, email := range []string{"ann@example.com", ""} {
		id := "id of " + email
		var wg sync.WaitGroup
		for range 5 {
			wg.Go(func() {
				if _, err := resolve(f, f.A, providerUser(id, email, true)); err != nil {
					t.Errorf("%q: %v", email, err)
				}
			})
		}
		wg.Wait()
		if n := f.A.Count(t, `SELECT count(DISTINCT user_id) FROM auth.identities WHERE provider_id = $1`, id); n != 1 {
			t.Errorf("%q: %d users", email, n)
		}
	}
	if n := f.A.Count(t, `SELECT count(*) FROM auth.users`); n != 2 {
		t.Errorf("%d users", n)
	}
}
