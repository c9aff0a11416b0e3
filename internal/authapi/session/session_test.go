package session_test

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/audit"
	"github.com/reevehq/reeve/internal/authapi/session"
	"github.com/reevehq/reeve/internal/testkit/flowtest"
	"github.com/reevehq/reeve/internal/token"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// signIn begins a session of a user, and creates the user first unless known.
func signIn(t *testing.T, f *flowtest.Fixture, sc *tenants.Scope, u *auth.User, known bool) *session.Tokens {
	t.Helper()
	tokens, err := try(f, sc, u, known)
	if err != nil {
		t.Fatal(err)
	}
	return tokens
}

func try(f *flowtest.Fixture, sc *tenants.Scope, u *auth.User, known bool) (*session.Tokens, error) {
	ctx := context.Background()
	return f.Sessions.SignIn(ctx, sc, func(tx *tenantdb.Tx) (*session.Proof, error) {
		if !known {
			if err := tx.CreateUser(ctx, u); err != nil {
				return nil, err
			}
		}
		return &session.Proof{
			User: u, Method: auth.MethodPassword, Action: auth.ActionLogin, Traits: audit.ByProvider(auth.ProviderEmail),
			Refusals: session.Refusals{Gone: errGone, Banned: errBanned},
		}, nil
	})
}

var errGone, errBanned = errors.New("gone"), errors.New("banned")

func newUser(f *flowtest.Fixture, email string) *auth.User {
	u := auth.NewUser(f.Clock.Now())
	u.Email = email
	return u
}

func sessionOf(t *testing.T, sc *tenants.Scope, tokens *session.Tokens) (id uuid.UUID, counter int64) {
	t.Helper()
	id, counter, err := token.ParseRefresh(sc.Tenant.Secrets.RefreshKey, tokens.RefreshToken)
	if err != nil {
		t.Fatal(err)
	}
	return id, counter
}

func TestSignIn(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, func(c *tenants.Config) { c.JWTExp = 600 })
	sc := f.A.Scope()
	sc.ClientIP, sc.UserAgent = netip.MustParseAddr("fe80::1%eth0"), "a browser"
	u := newUser(f, "ann@example.com")
	f.Clock.Advance(time.Minute)
	got := signIn(t, f, sc, u, false)
	now := f.Clock.Now()
	if got.TokenType != "bearer" || got.ExpiresIn != 600 || got.ExpiresAt != now.Add(10*time.Minute).Unix() || got.User.ID != u.ID ||
		got.User.LastSignInAt == nil || !got.User.LastSignInAt.Equal(now) {
		t.Errorf("%+v", got)
	}
	if got := flowtest.One[string](t, f.A, `SELECT concat_ws(' ', s.user_id, s.aal, host(s.ip), s.user_agent, c.authentication_method, u.last_sign_in_at = s.created_at)
		FROM auth.sessions s JOIN auth.users u ON u.id = s.user_id JOIN auth.mfa_amr_claims c ON c.session_id = s.id`); got != u.ID.String()+" aal1 fe80::1 a browser password t" {
		t.Errorf("the rows tell %s", got)
	}
	if got := flowtest.One[string](t, f.A, `SELECT concat_ws(' ', payload->>'action', payload->>'log_type', payload->>'actor_username', payload->'traits'->>'provider', ip_address)
		FROM auth.audit_log_entries`); got != "login account ann@example.com email fe80::1" {
		t.Errorf("the audit log tells %s", got)
	}
	if n := f.A.Count(t, `SELECT count(*) FROM reeve.activity WHERE user_id = $1`, u.ID); n != 1 {
		t.Errorf("%d entries of activity", n)
	}
	id, counter := sessionOf(t, sc, got)
	said, err := f.Verifier.Verify(sc.Tenant, got.AccessToken)
	if err != nil || said.UserID != u.ID || said.SessionID != id || counter != 0 {
		t.Errorf("the access token says %+v, %v", said, err)
	}
	if _, _, err := token.ParseRefresh(f.B.Tenant().Secrets.RefreshKey, got.RefreshToken); err == nil {
		t.Error("the other project reads the refresh token")
	}
	signIn(t, f, sc, u, true)
	if n := f.A.Count(t, `SELECT count(*) FROM auth.sessions`); n != 2 {
		t.Errorf("%d sessions, want both", n)
	}
}

func TestValues(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	got := signIn(t, f, f.A.Scope(), newUser(f, "ann@example.com"), false)
	values := got.Values()
	for name, want := range map[string]string{
		"access_token": got.AccessToken, "refresh_token": got.RefreshToken, "token_type": "bearer", "expires_in": "3600", "sb": "",
	} {
		if !values.Has(name) || values.Get(name) != want {
			t.Errorf("%s = %q in the fragment", name, values.Get(name))
		}
	}
	if values.Has("user") || len(values) != 6 {
		t.Errorf("fragment %v", values)
	}
}

// With one session per user, a new one ends that user's earlier ones only.
func TestSinglePerUser(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, func(c *tenants.Config) { c.SessionsSinglePerUser = true })
	ann, bob := newUser(f, "ann@example.com"), newUser(f, "bob@example.com")
	signIn(t, f, f.A.Scope(), ann, false)
	signIn(t, f, f.A.Scope(), bob, false)
	last, _ := sessionOf(t, f.A.Scope(), signIn(t, f, f.A.Scope(), ann, true))
	if n := f.A.Count(t, `SELECT count(*) FROM auth.sessions`); n != 2 {
		t.Errorf("%d sessions, want one of each", n)
	}
	if _, err := f.A.DB.UserOfSession(context.Background(), ann.ID, last); err != nil {
		t.Errorf("the newest one is gone: %v", err)
	}
}

// An account that may have no session gets none, and is neither audited nor
// counted; what prove wrote stays. Each state is tried in each form that SQL
// can write.
func TestRefusedAccounts(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	for name, c := range map[string]struct {
		set  string
		want error
	}{
		"deleted":          {"deleted_at = now()", errGone},
		"other audience":   {"aud = 'elsewhere'", errGone},
		"banned":           {"banned_until = now() + interval '1 hour'", errBanned},
		"banned for ever":  {"banned_until = 'infinity'", errBanned},
		"ban is over":      {"banned_until = now() - interval '1 hour'", nil},
		"ban never was":    {"banned_until = '-infinity'", nil},
		"audience missing": {"aud = NULL", nil},
		"audience empty":   {"aud = ''", nil},
	} {
		u := newUser(f, strings.ReplaceAll(name, " ", ".")+"@example.com")
		ctx := context.Background()
		if err := f.A.DB.Tx(ctx, func(tx *tenantdb.Tx) error { return tx.CreateUser(ctx, u) }); err != nil {
			t.Fatal(err)
		}
		f.A.Exec(t, `UPDATE auth.users SET `+c.set+` WHERE id = $1`, u.ID)
		err := f.A.DB.Do(ctx, func(tx *tenantdb.Tx) (err error) { *u, err = tx.UserByID(ctx, u.ID, false); return err })
		if err != nil {
			t.Fatal(err)
		}
		_, err = try(f, f.A.Scope(), u, true)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		want := 1
		if c.want != nil {
			want = 0
		}
		for _, count := range []string{
			`SELECT count(*) FROM auth.sessions WHERE user_id = $1`, `SELECT count(*) FROM reeve.activity WHERE user_id = $1`,
			`SELECT count(*) FROM auth.audit_log_entries WHERE payload->>'actor_id' = $1::text`,
		} {
			if n := f.A.Count(t, count, u.ID); n != want {
				t.Errorf("%s: %d by %s, want %d", name, n, count, want)
			}
		}
	}
}

// A failed transaction leaves nothing of the sign-in.
func TestSignInRolledBack(t *testing.T) {
	t.Parallel()
	f, ctx := flowtest.New(t), context.Background()
	f.Sessions.Hook = refusing{}
	_, err := try(f, f.A.Scope(), newUser(f, "ann@example.com"), false)
	if !errors.Is(err, errHook) || f.A.Count(t, `SELECT count(*) FROM auth.sessions`)+f.A.Count(t, `SELECT count(*) FROM auth.users`) != 0 {
		t.Errorf("%v, or rows stay", err)
	}
	f.Sessions.Hook = nil
	none, err := f.Sessions.SignIn(ctx, f.A.Scope(), func(tx *tenantdb.Tx) (*session.Proof, error) {
		return nil, tx.CreateUser(ctx, newUser(f, "ann@example.com"))
	})
	if none != nil || err != nil || f.A.Count(t, `SELECT count(*) FROM auth.users`) != 1 {
		t.Errorf("without a proof %v, %v", none, err)
	}
	f.A.Change(func(t *tenants.Tenant) { t.SigningKeys = nil })
	if _, err := try(f, f.A.Scope(), newUser(f, "bob@example.com"), false); err == nil {
		t.Error("answered without a key to sign with")
	}
}

var errHook = errors.New("the hook refuses")

// refusing is a hook that refuses everybody.
type refusing struct{}

func (refusing) Enabled(*tenants.Scope) bool { return true }

func (refusing) Customize(context.Context, *tenantdb.Tx, *tenants.Scope, *auth.Principal, auth.Method, *token.Claims) error {
	return errHook
}

// naming is a hook that puts the plan into the role and counts its calls.
type naming struct{ calls int }

func (*naming) Enabled(*tenants.Scope) bool { return true }

func (h *naming) Customize(_ context.Context, _ *tenantdb.Tx, _ *tenants.Scope, p *auth.Principal, _ auth.Method, c *token.Claims) error {
	h.calls++
	c.Role = "customized_" + p.User.Role
	return nil
}

// A hook sees and changes the claims of every token, refreshes included.
func TestTokenHook(t *testing.T) {
	t.Parallel()
	f, hook := flowtest.New(t), &naming{}
	f.Sessions.Hook = hook
	tokens := signIn(t, f, f.A.Scope(), newUser(f, "ann@example.com"), false)
	next, err := f.Sessions.Rotate(context.Background(), f.A.Scope(), tokens.RefreshToken)
	if err != nil {
		t.Fatal(err)
	}
	for _, raw := range []string{tokens.AccessToken, next.AccessToken} {
		if said, err := f.Verifier.Verify(f.A.Tenant(), raw); err != nil || said.Role != "customized_authenticated" {
			t.Errorf("the token says %+v, %v", said, err)
		}
	}
	if hook.calls != 2 {
		t.Errorf("called %d times", hook.calls)
	}
	f.Sessions.Hook = refusing{}
	if _, err := f.Sessions.Rotate(context.Background(), f.A.Scope(), next.RefreshToken); !errors.Is(err, errHook) {
		t.Error(err)
	}
	f.Sessions.Hook = hook
	if _, err := f.Sessions.Rotate(context.Background(), f.A.Scope(), next.RefreshToken); err != nil {
		t.Errorf("what the hook refused has rotated all the same: %v", err)
	}
}

// A second factor raises the session's level; the earlier refresh token counts
// as old.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	f, ctx := flowtest.New(t), context.Background()
	sc, u := f.A.Scope(), newUser(f, "ann@example.com")
	first := signIn(t, f, sc, u, false)
	id, _ := sessionOf(t, sc, first)
	f.Clock.Advance(time.Minute)
	up := &session.Upgrade{AAL: auth.AAL2, Method: "totp", Action: auth.ActionLogin}
	upgrade := func(err error) (*session.Tokens, error) {
		return f.Sessions.Upgrade(ctx, sc, u.ID, id, func(_ *tenantdb.Tx, p *auth.Principal) (*session.Upgrade, error) {
			if p.User.ID != u.ID {
				t.Errorf("the principal is %s", p.User.ID)
			}
			return up, err
		})
	}
	wrong := errors.New("wrong code")
	if _, err := upgrade(wrong); !errors.Is(err, wrong) {
		t.Error(err)
	}
	second, err := upgrade(nil)
	if err != nil {
		t.Fatal(err)
	}
	said, err := f.Verifier.Verify(sc.Tenant, second.AccessToken)
	if _, counter := sessionOf(t, sc, second); err != nil || said.AAL != auth.AAL2 || said.SessionID != id || counter != 2 {
		t.Errorf("%+v, counter %d, %v", said, counter, err)
	}
	if got := flowtest.One[string](t, f.A, `SELECT string_agg(authentication_method, ' ' ORDER BY updated_at) FROM auth.mfa_amr_claims`); got != "password totp" {
		t.Errorf("amr %s", got)
	}
	next, err := f.Sessions.Rotate(ctx, sc, second.RefreshToken)
	if err != nil {
		t.Fatal(err)
	}
	if said, err := f.Verifier.Verify(sc.Tenant, next.AccessToken); err != nil || said.AAL != auth.AAL2 {
		t.Errorf("after a refresh %+v, %v", said, err)
	}
	f.Clock.Advance(time.Minute)
	if _, err := f.Sessions.Rotate(ctx, sc, first.RefreshToken); !errors.Is(err, auth.ErrRefreshUsed) {
		t.Errorf("the token from before: %v", err)
	}
	if _, err := upgrade(nil); !errors.Is(err, auth.ErrSessionNotFound) {
		t.Errorf("a session that ended: %v", err)
	}
}

func TestEnd(t *testing.T) {
	t.Parallel()
	f, ctx := flowtest.New(t), context.Background()
	sc, ann, bob := f.A.Scope(), newUser(f, "ann@example.com"), newUser(f, "bob@example.com")
	signIn(t, f, sc, bob, false)
	for name, c := range map[string]struct {
		which  func(first uuid.UUID) session.Which
		cause  session.Cause
		left   int // of Ann's three
		action string
	}{
		"all":         {func(uuid.UUID) session.Which { return session.All }, session.CauseLogout, 0, "logout"},
		"one":         {session.Only, session.CauseReuse, 2, "token_revoked"},
		"all but one": {session.AllBut, session.CausePassword, 1, ""},
	} {
		f.A.Exec(t, `DELETE FROM auth.users WHERE email = 'ann@example.com'`)
		first, _ := sessionOf(t, sc, signIn(t, f, sc, ann, false))
		signIn(t, f, sc, ann, true)
		signIn(t, f, sc, ann, true)
		f.A.Exec(t, `DELETE FROM auth.audit_log_entries`)
		err := f.A.DB.Tx(ctx, func(tx *tenantdb.Tx) error { return f.Sessions.End(ctx, tx, sc, ann, c.which(first), c.cause) })
		if err != nil {
			t.Fatal(err)
		}
		if n := f.A.Count(t, `SELECT count(*) FROM auth.sessions WHERE user_id = $1`, ann.ID); n != c.left {
			t.Errorf("%s: %d sessions, want %d", name, n, c.left)
		}
		if got := flowtest.One[string](t, f.A, `SELECT coalesce(string_agg(payload->>'action', ' '), '') FROM auth.audit_log_entries`); got != c.action {
			t.Errorf("%s: the audit log tells %q", name, got)
		}
	}
	if n := f.A.Count(t, `SELECT count(*) FROM auth.sessions WHERE user_id = $1`, bob.ID); n != 1 {
		t.Errorf("Bob has %d sessions", n)
	}
}
