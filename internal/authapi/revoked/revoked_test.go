package revoked_test

import (
	"slices"
	"testing"
	"time"

	"github.com/reevehq/reeve/internal/setting"
	"github.com/reevehq/reeve/internal/testkit"
	"github.com/reevehq/reeve/internal/testkit/flowtest"
	"github.com/reevehq/reeve/tenants"
)

func TestMain(m *testing.M) { testkit.Main(m) }

type answer struct {
	Sessions []string
	Since    int64
	Complete bool
}

// An ended session is listed as long as an access token of it could be valid; nobody
// without a key is answered, and an unchanged list is not sent again.
func TestRevoked(t *testing.T) {
	t.Parallel()
	const path = "/.well-known/revoked-sessions"
	f := flowtest.New(t, func(c *tenants.Config) { c.MailerAutoconfirm = true })
	s := f.A.SignUp(t, "ann@example.com", "password123")
	list := func() (a answer, tag string) {
		t.Helper()
		res := f.A.Do(t, "GET", path, nil).Want(200)
		res.Decode(&a)
		return a, res.Header.Get("ETag")
	}
	if a, _ := list(); len(a.Sessions) != 0 || !a.Complete {
		t.Errorf("listed %+v", a)
	}
	f.A.Do(t, "POST", "/logout", nil, flowtest.User(s.Access)).Want(204)
	id := flowtest.Claims(t, s.Access)["session_id"].(string)
	a, tag := list()
	if !slices.Equal(a.Sessions, []string{id}) || !a.Complete || a.Since != f.Clock.Now().Add(-time.Hour-time.Minute).Unix() {
		t.Errorf("listed %+v", a)
	}
	if res := f.A.Do(t, "GET", path, nil, flowtest.Header("If-None-Match", tag)).Want(304); len(res.Raw) != 0 || res.Header.Get("Cache-Control") == "" {
		t.Errorf("unchanged: %s", res.Raw)
	}
	f.A.Do(t, "GET", path, nil, flowtest.Key("")).Want(401)
	f.Clock.Advance(time.Hour + time.Minute)
	if a, _ := list(); len(a.Sessions) != 0 {
		t.Errorf("after the life of an access token: %+v", a)
	}
}

// More sessions than a list holds are said to be missing, and from when on it is whole.
func TestRevokedOverflow(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	now := f.Clock.Now()
	f.A.Exec(t, `INSERT INTO reeve.ended_session (session_id, user_id, ended_at, ended_by)
		SELECT gen_random_uuid(), gen_random_uuid(), $1::timestamptz - n * interval '100 milliseconds', pg_current_xact_id() FROM generate_series(1, 5001) n`, now)
	var a answer
	f.A.Do(t, "GET", "/.well-known/revoked-sessions", nil).Want(200).Decode(&a)
	if oldest := now.Add(-5001 * 100 * time.Millisecond); len(a.Sessions) != 5000 || a.Complete || a.Since != oldest.Unix()+1 {
		t.Errorf("%d listed since %d, complete %v", len(a.Sessions), a.Since, a.Complete)
	}
}

// A hook may let tokens live for seven days, so ended sessions are listed as long.
func TestRevokedWithHook(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, func(c *tenants.Config) { c.MailerAutoconfirm = true })
	s := f.A.SignUp(t, "ann@example.com", "password123")
	f.A.Do(t, "POST", "/logout", nil, flowtest.User(s.Access)).Want(204)
	f.A.Hook(t, setting.HookCustomAccessToken, "pg-functions://postgres/public/hook", setting.HookFailClosed, "")
	var a answer
	f.Clock.Advance(7 * 24 * time.Hour)
	if f.A.Do(t, "GET", "/.well-known/revoked-sessions", nil).Want(200).Decode(&a); len(a.Sessions) != 1 {
		t.Errorf("after seven days: %+v", a)
	}
	f.Clock.Advance(2 * time.Minute)
	if f.A.Do(t, "GET", "/.well-known/revoked-sessions", nil).Want(200).Decode(&a); len(a.Sessions) != 0 {
		t.Errorf("afterwards: %+v", a)
	}
}
