package passkey_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/reevehq/reeve/internal/authapi/passkey"
	"github.com/reevehq/reeve/internal/testkit/authenticator"
	"github.com/reevehq/reeve/internal/testkit/flowtest"
	"github.com/reevehq/reeve/tenants"
)

// TestPasskey: a passkey is added, signs in, is named and removed.
func TestPasskey(t *testing.T) {
	t.Parallel()
	for name, with := range map[string]*authenticator.Device{
		"EC":  authenticator.New(authenticator.EC, authenticator.Options{BackupEligible: true}),
		"RSA": authenticator.New(authenticator.RSA, authenticator.Options{BackupEligible: true}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := flowtest.New(t, enabled)
			ann := f.A.SignUp(t, "ann@example.com", "password123")
			d := &device{Device: with}
			created := d.add(t, f.A, ann.Access).Want(200)
			if created.Get("friendly_name") != "" || created.Get("created_at") == "" || created.Get("backup_eligible") != "true" {
				t.Errorf("created %s", created.Raw)
			}
			f.Clock.Advance(time.Minute)
			d.Options.BackupState = true // synchronised since
			s := d.signIn(t, f.A).Session()
			claims := flowtest.Claims(t, s.Access)
			amr, _ := json.Marshal(claims["amr"])
			if s.UserID != ann.UserID || claims["aal"] != "aal1" || !strings.Contains(string(amr), `"method":"passkey"`) {
				t.Errorf("claims %v", claims)
			}
			f.A.Refresh(t, s.Refresh).Want(200)
			var list []passkey.Item
			f.A.Do(t, "GET", "/passkeys", nil, flowtest.User(s.Access)).Want(200).Decode(&list)
			if len(list) != 1 || list[0].ID.String() != d.id || list[0].LastUsedAt == nil || !list[0].LastUsedAt.Equal(f.Clock.Now()) ||
				!list[0].BackupEligible || !list[0].BackedUp || list[0].CloneWarningAt != nil {
				t.Errorf("list %+v", list)
			}
			renamed := f.A.Do(t, "PATCH", "/passkeys/"+d.id, m{"friendly_name": "Phone"}, flowtest.User(s.Access)).Want(200)
			if renamed.Get("friendly_name") != "Phone" || renamed.Get("last_used_at") == "" {
				t.Errorf("renamed %s", renamed.Raw)
			}
			f.A.Do(t, "DELETE", "/passkeys/"+d.id, nil, flowtest.User(s.Access)).Want(204)
			f.A.Do(t, "DELETE", "/passkeys/"+d.id, nil, flowtest.User(s.Access)).WantError(404, "validation_failed")
			d.signIn(t, f.A).WantError(400, "webauthn_verification_failed")
			for action, want := range map[string]int{"passkey_created": 1, "passkey_updated": 1, "passkey_deleted": 1} {
				if n := f.A.Count(t, `SELECT count(*) FROM auth.audit_log_entries WHERE payload->>'action' = $1 AND payload->'traits'->>'passkey_id' = $2`, action, d.id); n != want {
					t.Errorf("%d entries %s", n, action)
				}
			}
			if n := f.A.Count(t, `SELECT count(*) FROM auth.audit_log_entries WHERE payload->>'action' = 'login' AND payload->'traits'->>'passkey_id' = $1`, d.id); n != 1 {
				t.Errorf("%d sign-ins in the audit log", n)
			}
			if n := f.A.Count(t, `SELECT count(*) FROM auth.webauthn_challenges`); n != 0 {
				t.Errorf("%d challenges are left", n)
			}
		})
	}
}

// TestOptions: the options are the reference's, and those of a sign-in are the same
// whoever asks.
func TestOptions(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, enabled)
	ann := f.A.SignUp(t, "ann@example.com", "password123")
	res := f.A.Do(t, "POST", "/passkeys/registration/options", m{}, flowtest.User(ann.Access)).Want(200)
	for path, want := range map[string]string{
		"options.rp.id": "localhost", "options.rp.name": "localhost", "options.user.name": "ann@example.com", "options.attestation": "none",
		"options.authenticatorSelection.residentKey": "required", "options.authenticatorSelection.userVerification": "preferred",
		"options.timeout": "300000",
	} {
		if got := res.Get(path); got != want {
			t.Errorf("%s is %q, want %q", path, got, want)
		}
	}
	if at, _ := res.JSON["expires_at"].(float64); int64(at) != f.Clock.Now().Add(5*time.Minute).Unix() {
		t.Errorf("expires_at %v", res.JSON["expires_at"])
	}
	d := newDevice(authenticator.Options{})
	d.add(t, f.A, ann.Access).Want(200)
	_, options := begin(t, f.A, "registration", flowtest.User(ann.Access))
	if !d.Excluded(t, options) {
		t.Errorf("the device may make a second passkey: %v", options)
	}
	_, options = begin(t, f.A, "authentication")
	asked := options.(m)
	if asked["rpId"] != "localhost" || asked["userVerification"] != "preferred" || asked["allowCredentials"] != nil || asked["challenge"] == "" {
		t.Errorf("options of a sign-in %v", asked)
	}
	f.A.Configure(func(c *tenants.Config) {
		flowtest.Set(t, c, "webauthn_rp_id", "example.com")
		flowtest.Set(t, c, "webauthn_rp_display_name", "Shop")
	})
	res = f.A.Do(t, "POST", "/passkeys/registration/options", m{}, flowtest.User(ann.Access)).Want(200)
	if res.Get("options.rp.id") != "example.com" || res.Get("options.rp.name") != "Shop" {
		t.Errorf("options %s", res.Raw)
	}
}

// TestOff: without the setting no route works, except an admin's.
func TestOff(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, enabled)
	ann := f.A.SignUp(t, "ann@example.com", "password123")
	d := newDevice(authenticator.Options{})
	d.add(t, f.A, ann.Access).Want(200)
	f.A.Configure(func(c *tenants.Config) { c.PasskeyEnabled = false })
	user := flowtest.User(ann.Access)
	body := m{"challenge_id": d.id, "credential": m{}, "friendly_name": "x"}
	for _, r := range []string{
		"POST /passkeys/authentication/options", "POST /passkeys/authentication/verify", "POST /passkeys/registration/options",
		"POST /passkeys/registration/verify", "GET /passkeys", "PATCH /passkeys/" + d.id, "DELETE /passkeys/" + d.id,
	} {
		method, path, _ := strings.Cut(r, " ")
		f.A.Do(t, method, path, body, user).WantError(404, "passkey_disabled")
	}
	f.A.Admin(t, "DELETE", "/admin/users/"+ann.UserID+"/passkeys/"+d.id, nil).Want(204)
}

// TestWhoMayAdd: a passkey is of a lasting account of the project's own.
func TestWhoMayAdd(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, enabled, func(c *tenants.Config) { c.AnonymousUsers = true })
	guest := f.A.Do(t, "POST", "/signup", m{}).Session()
	f.A.Do(t, "POST", "/passkeys/registration/options", m{}, flowtest.User(guest.Access)).WantError(403, "no_authorization")
	f.A.Do(t, "POST", "/passkeys/registration/options", m{}).WantError(401, "no_authorization")
	f.B.Do(t, "POST", "/passkeys/registration/options", m{}, flowtest.User(guest.Access)).WantError(401, "bad_jwt")
	ann := f.A.SignUp(t, "ann@example.com", "password123")
	user := flowtest.User(ann.Access)
	id, options := begin(t, f.A, "registration", user)
	f.A.Exec(t, "UPDATE auth.users SET is_sso_user = true WHERE id = $1", ann.UserID)
	f.A.Do(t, "POST", "/passkeys/registration/options", m{}, user).WantError(422, "validation_failed")
	f.A.Exec(t, "UPDATE auth.users SET is_sso_user = false WHERE id = $1", ann.UserID)

	// With a verified factor only a session that proved it changes passkeys.
	d := newDevice(authenticator.Options{})
	f.A.Exec(t, `INSERT INTO auth.mfa_factors (id, user_id, factor_type, status, created_at, updated_at)
		VALUES (gen_random_uuid(), $1, 'totp', 'verified', now(), now())`, ann.UserID)
	f.A.Do(t, "POST", "/passkeys/registration/options", m{}, user).WantError(403, "insufficient_aal")
	end(t, f.A, "registration", id, d.Create(t, options), user).WantError(403, "insufficient_aal")
	f.A.Exec(t, "UPDATE auth.sessions SET aal = 'aal2' WHERE user_id = $1", ann.UserID)
	strong := flowtest.User(f.A.Refresh(t, ann.Refresh).Session().Access)
	end(t, f.A, "registration", id, d.Create(t, options), strong).Want(200)
	var list []passkey.Item
	f.A.Do(t, "GET", "/passkeys", nil, user).Want(200).Decode(&list)
	f.A.Do(t, "DELETE", "/passkeys/"+list[0].ID.String(), nil, user).WantError(403, "insufficient_aal")
	f.A.Do(t, "DELETE", "/passkeys/"+list[0].ID.String(), nil, strong).Want(204)
}

// TestMax: a user has at most ten passkeys, also by ceremonies that began before.
func TestMax(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, enabled)
	ann := f.A.SignUp(t, "ann@example.com", "password123")
	user := flowtest.User(ann.Access)
	early := newDevice(authenticator.Options{})
	id, options := begin(t, f.A, "registration", user)
	for range passkey.Max {
		newDevice(authenticator.Options{}).add(t, f.A, ann.Access).Want(200)
	}
	f.A.Do(t, "POST", "/passkeys/registration/options", m{}, user).WantError(422, "too_many_passkeys")
	end(t, f.A, "registration", id, early.Create(t, options), user).WantError(422, "too_many_passkeys")
}

// TestManage: nobody reaches another one's passkeys, and names are bounded.
func TestManage(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, enabled)
	ann, bob := f.A.SignUp(t, "ann@example.com", "password123"), f.A.SignUp(t, "bob@example.com", "password123")
	other := f.B.SignUp(t, "ann@example.com", "password123")
	d := newDevice(authenticator.Options{})
	d.add(t, f.A, ann.Access).Want(200)
	path := "/passkeys/" + d.id
	f.A.Do(t, "PATCH", path, m{"friendly_name": "x"}, flowtest.User(bob.Access)).WantError(404, "validation_failed")
	f.A.Do(t, "DELETE", path, nil, flowtest.User(bob.Access)).WantError(404, "validation_failed")
	f.B.Do(t, "PATCH", path, m{"friendly_name": "x"}, flowtest.User(other.Access)).WantError(404, "validation_failed")
	f.B.Do(t, "DELETE", path, nil, flowtest.User(other.Access)).WantError(404, "validation_failed")
	f.B.Admin(t, "GET", "/admin/users/"+ann.UserID+"/passkeys", nil).WantError(404, "user_not_found")
	f.B.Admin(t, "DELETE", "/admin/users/"+ann.UserID+path, nil).WantError(404, "user_not_found")
	f.A.Admin(t, "DELETE", "/admin/users/"+bob.UserID+path, nil).WantError(404, "validation_failed")
	f.A.Do(t, "GET", "/admin/users/"+ann.UserID+"/passkeys", nil, flowtest.User(ann.Access)).WantError(403, "not_admin")
	var list []passkey.Item
	f.A.Do(t, "GET", "/passkeys", nil, flowtest.User(bob.Access)).Want(200).Decode(&list)
	if list == nil || len(list) != 0 {
		t.Errorf("another user's list: %v", list)
	}
	f.A.Admin(t, "GET", "/admin/users/"+ann.UserID+"/passkeys", nil).Want(200).Decode(&list)
	if len(list) != 1 || list[0].ID.String() != d.id {
		t.Errorf("an admin's list: %v", list)
	}
	user := flowtest.User(ann.Access)
	for _, name := range []any{"", strings.Repeat("ä", 121), 5, nil, "a\x00b"} {
		if res := f.A.Do(t, "PATCH", path, m{"friendly_name": name}, user); res.Status != 400 {
			t.Errorf("the name %q: %d %s", name, res.Status, res.Raw)
		}
	}
	f.A.Do(t, "PATCH", path, m{"friendly_name": strings.Repeat("ä", 120)}, user).Want(200)
	for _, id := range []string{"x", "{" + d.id + "}", strings.ReplaceAll(d.id, "-", "")} {
		f.A.Do(t, "DELETE", "/passkeys/"+id, nil, user).WantError(404, "validation_failed")
	}
	f.A.Admin(t, "DELETE", "/admin/users/"+ann.UserID+path, nil).Want(204)
	if n := f.A.Count(t, `SELECT count(*) FROM auth.audit_log_entries WHERE payload->>'action' = 'passkey_deleted' AND payload->>'actor_username' = 'service_role'`); n != 1 {
		t.Errorf("%d entries of the admin's deletion", n)
	}
}
