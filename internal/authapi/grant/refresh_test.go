package grant_test

import (
	"encoding/base64"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/reevehq/reeve/internal/testkit/flowtest"
	"github.com/reevehq/reeve/tenants"
)

func TestRefresh(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, autoconfirm)
	s := f.A.SignUp(t, "ann@example.com", "password123")
	f.Clock.Advance(time.Minute)
	res := f.A.Do(t, "POST", "/token?grant_type=refresh_token", m{"refresh_token": s.Refresh},
		flowtest.From("2001:db8::7"), flowtest.Header("User-Agent", "another browser")).Want(200)
	next := res.Session()
	if next.Refresh == s.Refresh || next.Access == s.Access || next.UserID != s.UserID {
		t.Errorf("answer %s", res.Raw)
	}
	before, after := flowtest.Claims(t, s.Access), flowtest.Claims(t, next.Access)
	if before["session_id"] != after["session_id"] || before["iat"] == after["iat"] {
		t.Errorf("claims %v, before %v", after, before)
	}
	if got := flowtest.One[string](t, f.A, "SELECT host(ip) || ' ' || user_agent FROM auth.sessions"); got != "2001:db8::7 another browser" {
		t.Errorf("the session has %s", got)
	}
	f.A.Do(t, "GET", "/user", nil, flowtest.User(next.Access)).Want(200)
	if n := f.A.Count(t, "SELECT count(*) FROM auth.audit_log_entries WHERE payload->>'action' = 'token_refreshed'"); n != 1 {
		t.Errorf("%d audit entries", n)
	}
}

// Refresh tokens of another project, and mangled ones, are refused.
func TestRefreshForeign(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, autoconfirm)
	s := f.A.SignUp(t, "ann@example.com", "password123")
	f.B.SignUp(t, "ann@example.com", "password123")
	f.B.Refresh(t, s.Refresh).WantError(400, "refresh_token_not_found")
	raw, err := base64.RawURLEncoding.DecodeString(s.Refresh)
	if err != nil {
		t.Fatal(err)
	}
	for i := range raw {
		mangled := append([]byte(nil), raw...)
		mangled[i] ^= 1
		f.A.Refresh(t, base64.RawURLEncoding.EncodeToString(mangled)).WantError(400, "refresh_token_not_found")
	}
	f.A.Refresh(t, s.Access).WantError(400, "refresh_token_not_found")
	f.A.Refresh(t, s.Refresh).Want(200)
}

// In any order of requests, the session continues exactly as long as the rules
// say, and an ended session stays ended.
func TestRefreshRotation(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, autoconfirm)
	f.A.SignUp(t, "ann@example.com", "password123")
	const grace = 10 * time.Second
	rapid.Check(t, func(rt *rapid.T) {
		tokens := []string{f.A.SignIn(t, "ann@example.com", "password123").Refresh}
		rotated, dead := f.Clock.Now(), false
		for range rapid.IntRange(1, 12).Draw(rt, "steps") {
			f.Clock.Advance(time.Duration(rapid.IntRange(0, 8).Draw(rt, "seconds")) * time.Second)
			k := rapid.IntRange(max(0, len(tokens)-4), len(tokens)-1).Draw(rt, "token")
			newest, res := len(tokens)-1, f.A.Refresh(t, tokens[k])
			switch {
			case dead:
				check(rt, res, 400, "refresh_token_not_found")
			case k == newest:
				check(rt, res, 200, "")
				tokens, rotated = append(tokens, res.Get("refresh_token")), f.Clock.Now()
				if tokens[newest+1] == tokens[newest] {
					rt.Fatal("the newest token did not rotate")
				}
			case k == newest-1, f.Clock.Now().Before(rotated.Add(grace)):
				check(rt, res, 200, "")
				if res.Get("refresh_token") != tokens[newest] {
					rt.Fatal("an earlier token did not answer with the newest one")
				}
			default:
				check(rt, res, 400, "refresh_token_already_used")
				dead = true
			}
		}
	})
}

func check(rt *rapid.T, res *flowtest.Response, status int, code string) {
	if res.Status != status || res.Get("error_code") != code {
		rt.Fatalf("status %d %s, want %d %s", res.Status, res.Raw, status, code)
	}
}

// Many tabs present the same token at once: all succeed, with the same next
// one.
func TestRefreshAtOnce(t *testing.T) {
	t.Parallel()
	for name, config := range map[string]func(*tenants.Config){
		"the fast way": autoconfirm,
		"the slow way": func(c *tenants.Config) { c.MailerAutoconfirm, c.SessionsSinglePerUser = true, true },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := flowtest.New(t, config)
			s := f.A.SignUp(t, "ann@example.com", "password123")
			var mu sync.Mutex
			next := map[string]bool{}
			var wg sync.WaitGroup
			for range 20 {
				wg.Go(func() {
					res := f.A.Refresh(t, s.Refresh)
					mu.Lock()
					defer mu.Unlock()
					if res.Status != 200 {
						t.Errorf("status %d: %s", res.Status, res.Raw)
					}
					next[res.Get("refresh_token")] = true
				})
			}
			wg.Wait()
			if len(next) != 1 {
				t.Errorf("%d next tokens, want one", len(next))
			}
			if n := f.A.Count(t, "SELECT refresh_token_counter FROM auth.sessions"); n != 1 {
				t.Errorf("%d rotations, want one", n)
			}
		})
	}
}

func TestRefreshReuse(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, autoconfirm)
	s := f.A.SignUp(t, "ann@example.com", "password123")
	other := f.A.SignIn(t, "ann@example.com", "password123")
	second := f.A.Refresh(t, s.Refresh).Session()
	third := f.A.Refresh(t, second.Refresh).Session()
	f.Clock.Advance(10 * time.Second)
	f.A.Refresh(t, s.Refresh).WantError(400, "refresh_token_already_used")
	f.A.Refresh(t, third.Refresh).WantError(400, "refresh_token_not_found") // the family is gone
	f.A.Do(t, "GET", "/user", nil, flowtest.User(third.Access)).WantError(403, "session_not_found")
	f.A.Refresh(t, other.Refresh).Want(200) // another session is not
	if n := f.A.Count(t, "SELECT count(*) FROM auth.audit_log_entries WHERE payload->>'action' = 'token_revoked'"); n != 1 {
		t.Errorf("%d audit entries", n)
	}
}

func TestRefreshWithoutRotation(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, autoconfirm, func(c *tenants.Config) { c.RefreshTokenRotation = false })
	s := f.A.SignUp(t, "ann@example.com", "password123")
	for range 3 {
		f.Clock.Advance(time.Minute)
		if next := f.A.Refresh(t, s.Refresh).Session(); next.Refresh != s.Refresh {
			t.Error("the token rotated")
		}
	}
}

func TestSessionLimits(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		config func(*tenants.Config)
		step   time.Duration
		passes int // refreshes before the session expires
	}{
		"timebox":             {func(c *tenants.Config) { c.SessionsTimebox = 1 }, 25 * time.Minute, 2},
		"timebox to the tick": {func(c *tenants.Config) { c.SessionsTimebox = 1 }, time.Hour, 0},
		"inactivity":          {func(c *tenants.Config) { c.SessionsInactivityTimeout = 1 }, time.Hour, 0},
		"inactivity, active":  {func(c *tenants.Config) { c.SessionsInactivityTimeout = 1 }, 59 * time.Minute, 5},
		"none":                {func(*tenants.Config) {}, 1000 * time.Hour, 5},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := flowtest.New(t, autoconfirm, c.config)
			s := f.A.SignUp(t, "ann@example.com", "password123")
			for range c.passes {
				f.Clock.Advance(c.step)
				s = f.A.Refresh(t, s.Refresh).Session()
			}
			f.Clock.Advance(c.step)
			if c.passes == 5 {
				f.A.Refresh(t, s.Refresh).Want(200)
				return
			}
			f.A.Refresh(t, s.Refresh).WantError(400, "session_expired")
		})
	}
}

func TestSingleSessionPerUser(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, autoconfirm)
	first := f.A.SignUp(t, "ann@example.com", "password123")
	f.Clock.Advance(time.Second)
	second := f.A.SignIn(t, "ann@example.com", "password123")
	f.A.Configure(func(c *tenants.Config) { c.SessionsSinglePerUser = true })
	f.A.Refresh(t, first.Refresh).WantError(400, "session_expired")
	second = f.A.Refresh(t, second.Refresh).Session()
	f.Clock.Advance(time.Second)
	f.A.SignIn(t, "ann@example.com", "password123")
	f.A.Do(t, "GET", "/user", nil, flowtest.User(second.Access)).WantError(403, "session_not_found")
	if n := f.A.Count(t, "SELECT count(*) FROM auth.sessions"); n != 1 {
		t.Errorf("%d sessions, want one", n)
	}
}
