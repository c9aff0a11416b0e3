package session_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/session"
	"github.com/reevehq/reeve/internal/testkit/flowtest"
	"github.com/reevehq/reeve/internal/token"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// begin writes a user, if need be, and begins a session.
func begin(t *testing.T, f *flowtest.Fixture, sc *tenants.Scope, u *auth.User, known bool) *auth.Principal {
	t.Helper()
	ctx := context.Background()
	var p *auth.Principal
	err := sc.DB.Tx(ctx, func(tx *tenantdb.Tx) (err error) {
		if !known {
			if err := tx.CreateUser(ctx, u); err != nil {
				return err
			}
		}
		p, err = f.Sessions.Begin(ctx, tx, sc, u, auth.MethodPassword)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func newUser(f *flowtest.Fixture, email string) *auth.User {
	u := auth.NewUser(f.Clock.Now())
	u.Email = email
	return u
}

func TestBegin(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	sc := f.A.Scope()
	sc.ClientIP, sc.UserAgent = netip.MustParseAddr("fe80::1%eth0"), "a browser"
	u := newUser(f, "ann@example.com")
	f.Clock.Advance(time.Minute)
	p := begin(t, f, sc, u, false)
	now := f.Clock.Now()
	if u.LastSignInAt == nil || !u.LastSignInAt.Equal(now) || p.User.ID != u.ID || p.Session.AAL != auth.AAL1 {
		t.Errorf("user %+v, session %+v", u, p.Session)
	}
	if got := flowtest.One[string](t, f.A, `SELECT concat_ws(' ', s.user_id, s.aal, host(s.ip), s.user_agent, c.authentication_method, u.last_sign_in_at = s.created_at)
		FROM auth.sessions s JOIN auth.users u ON u.id = s.user_id JOIN auth.mfa_amr_claims c ON c.session_id = s.id`); got != u.ID.String()+" aal1 fe80::1 a browser password t" {
		t.Errorf("the rows tell %s", got)
	}
	stored, err := f.A.DB.UserOfSession(context.Background(), u.ID, p.Session.ID)
	if err != nil || stored.Session.CreatedAt.Unix() != now.Unix() {
		t.Errorf("read back %+v, %v", stored.Session, err)
	}
	begin(t, f, sc, u, true)
	if n := f.A.Count(t, `SELECT count(*) FROM auth.sessions`); n != 2 {
		t.Errorf("%d sessions, want both", n)
	}
}

// One session a user ends those before it, and nobody else's.
func TestBeginSinglePerUser(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, func(c *tenants.Config) { c.SessionsSinglePerUser = true })
	ann, bob := newUser(f, "ann@example.com"), newUser(f, "bob@example.com")
	begin(t, f, f.A.Scope(), ann, false)
	begin(t, f, f.A.Scope(), bob, false)
	last := begin(t, f, f.A.Scope(), ann, true)
	if n := f.A.Count(t, `SELECT count(*) FROM auth.sessions`); n != 2 {
		t.Errorf("%d sessions, want one of each", n)
	}
	if _, err := f.A.DB.UserOfSession(context.Background(), ann.ID, last.Session.ID); err != nil {
		t.Errorf("the newest one is gone: %v", err)
	}
}

// What begins in a transaction that fails has not begun.
func TestBeginRolledBack(t *testing.T) {
	t.Parallel()
	f, ctx := flowtest.New(t), context.Background()
	refused := errors.New("no")
	err := f.A.DB.Tx(ctx, func(tx *tenantdb.Tx) error {
		u := newUser(f, "ann@example.com")
		if err := tx.CreateUser(ctx, u); err != nil {
			return err
		}
		if _, err := f.Sessions.Begin(ctx, tx, f.A.Scope(), u, auth.MethodPassword); err != nil {
			return err
		}
		return refused
	})
	if !errors.Is(err, refused) || f.A.Count(t, `SELECT count(*) FROM auth.sessions`) != 0 {
		t.Errorf("%v, or a session stays", err)
	}
}

func TestAnswer(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, func(c *tenants.Config) { c.JWTExp = 600 })
	sc := f.A.Scope()
	p := begin(t, f, sc, newUser(f, "ann@example.com"), false)
	p.Session.RefreshCounter = 7
	got, err := f.Sessions.Answer(sc, p)
	if err != nil {
		t.Fatal(err)
	}
	end := f.Clock.Now().Add(10 * time.Minute).Unix()
	if got.TokenType != "bearer" || got.ExpiresIn != 600 || got.ExpiresAt != end || got.User.ID != p.User.ID {
		t.Errorf("%+v", got)
	}
	id, err := f.Verifier.Verify(sc.Tenant, got.AccessToken)
	if err != nil || id.UserID != p.User.ID || id.SessionID != p.Session.ID {
		t.Errorf("the access token says %+v, %v", id, err)
	}
	session, counter, err := token.ParseRefresh(sc.Tenant.Secrets.RefreshKey, got.RefreshToken)
	if err != nil || session != p.Session.ID || counter != 7 {
		t.Errorf("the refresh token says %s %d, %v", session, counter, err)
	}
	if _, _, err := token.ParseRefresh(f.B.Tenant().Secrets.RefreshKey, got.RefreshToken); err == nil {
		t.Error("the other project reads the refresh token")
	}

	values := got.Values()
	for name, want := range map[string]string{
		"access_token": got.AccessToken, "refresh_token": got.RefreshToken, "token_type": "bearer", "expires_in": "600", "sb": "",
	} {
		if !values.Has(name) || values.Get(name) != want {
			t.Errorf("%s = %q in the fragment", name, values.Get(name))
		}
	}
	if values.Has("user") || len(values) != 6 {
		t.Errorf("fragment %v", values)
	}
	f.A.Change(func(t *tenants.Tenant) { t.SigningKeys = nil })
	if _, err := f.Sessions.Answer(f.A.Scope(), p); err == nil {
		t.Error("answered without a key to sign with")
	}
}

func TestRecord(t *testing.T) {
	t.Parallel()
	f, ctx := flowtest.New(t), context.Background()
	sc, u := f.A.Scope(), newUser(f, "")
	u.Phone = "4670000001"
	err := sc.DB.Tx(ctx, func(tx *tenantdb.Tx) error {
		return session.Record(ctx, tx, sc, u, "login", "account", map[string]any{"provider": "phone"}, f.Clock.Now())
	})
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal([]byte(flowtest.One[string](t, f.A, `SELECT payload::text FROM auth.audit_log_entries WHERE ip_address = '192.0.2.1'`)), &got); err != nil {
		t.Fatal(err)
	}
	if got["actor_username"] != "4670000001" || got["actor_id"] != u.ID.String() || got["action"] != "login" || got["log_type"] != "account" {
		t.Errorf("entry %v", got)
	}
	if got := session.Address(&tenants.Scope{}); got != "" {
		t.Errorf("an unknown address is %q", got)
	}
}
