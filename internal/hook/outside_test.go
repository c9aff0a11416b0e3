package hook_test

import (
	"encoding/json"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/reevehq/reeve/internal/setting"
	"github.com/reevehq/reeve/internal/testkit/flowtest"
)

// hanging is a receiver that answers when it is let.
type hanging struct {
	url   string
	came  chan struct{}
	leave chan struct{}
	let   func() // has all calls answered
	calls atomic.Int32
}

func newHanging(t *testing.T, body string) *hanging {
	t.Helper()
	h := &hanging{came: make(chan struct{}, 1000), leave: make(chan struct{})}
	h.url = receiver(t, func(w http.ResponseWriter, _ *http.Request) {
		h.calls.Add(1)
		h.came <- struct{}{}
		<-h.leave
		answerJSON(w, 200, body)
	})
	h.let = sync.OnceFunc(func() { close(h.leave) })
	t.Cleanup(h.let) // before the server waits for its calls
	return h
}

// TestReceiverHoldsNoConnection: while receivers of a project are waited for, at each point
// and by more requests than the project has connections, none is in use and no transaction
// is open; so the project itself still answers, and so does another.
func TestReceiverHoldsNoConnection(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		point, body string
		send        func(t *testing.T, p *flowtest.Project, i int, refreshToken string) int
	}{
		{setting.HookCustomAccessToken, `{}`, func(t *testing.T, p *flowtest.Project, _ int, _ string) int {
			return signIn(t, p, "ann@example.com").Status
		}},
		{setting.HookCustomAccessToken, `{}`, func(t *testing.T, p *flowtest.Project, _ int, token string) int { return refresh(t, p, token).Status }},
		{setting.HookBeforeUserCreated, `{}`, signUp}, {setting.HookAfterUserCreated, `{}`, signUp},
		{setting.HookPasswordVerification, `{}`, func(t *testing.T, p *flowtest.Project, _ int, _ string) int {
			return signIn(t, p, "ann@example.com").Status
		}},
	} {
		t.Run(c.point, func(t *testing.T) {
			t.Parallel()
			f := flowtest.New(t)
			user(t, f.A, "ann@example.com")
			user(t, f.B, "ann@example.com")
			h := newHanging(t, c.body)
			const requests = 8 // all slots, and more than connections
			var tokens []string
			for range requests {
				tokens = append(tokens, signIn(t, f.A, "ann@example.com").Want(200).Get("refresh_token"))
			}
			f.A.Hook(t, c.point, h.url, setting.HookShadow, secrets)
			done := make(chan int, requests)
			for i := range requests {
				go func() { done <- c.send(t, f.A, i, tokens[i]) }()
			}
			for i := range requests {
				select {
				case <-h.came:
				case status := <-done:
					t.Fatalf("%d calls, and an answer %d", i, status)
				}
			}
			if n := f.A.Lent(); n != 0 {
				t.Errorf("%d connections are in use", n)
			}
			open := f.A.Count(t, `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'`)
			if open != 0 {
				t.Errorf("%d transactions are open", open)
			}
			for _, p := range []*flowtest.Project{f.A, f.B} {
				p.Do(t, "POST", "/otp", flowtest.M{"email": "nobody@example.com", "create_user": false}).Want(200)
			}
			signIn(t, f.B, "ann@example.com").Want(200)
			h.let()
			for range requests {
				if status := <-done; status != 200 {
					t.Errorf("status %d", status)
				}
			}
			if n := h.calls.Load(); n != requests {
				t.Errorf("%d calls of %d requests", n, requests)
			}
		})
	}
}

func signUp(t *testing.T, p *flowtest.Project, i int, _ string) int {
	t.Helper()
	return p.Do(t, "POST", "/signup", flowtest.M{"email": string(rune('a'+i)) + "@example.com", "password": "password123"}).Status
}

// TestFactsChange: what a receiver decided about facts that changed meanwhile does not
// count; it is asked again.
func TestFactsChange(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	ann := user(t, f.A, "ann@example.com")
	var calls atomic.Int32
	seen := make(chan string, 10)
	url := receiver(t, func(w http.ResponseWriter, r *http.Request) {
		event := eventOf(t, r)
		claims := event["claims"].(map[string]any)
		role, _ := claims["app_metadata"].(map[string]any)["tier"].(string)
		seen <- role
		if calls.Add(1) == 1 { // while it is asked, an admin takes the tier away
			f.A.Exec(t, `UPDATE auth.users SET raw_app_meta_data = raw_app_meta_data || '{"tier": "free"}' WHERE id = $1`, ann)
		}
		claims["tier"] = role
		answerJSON(w, 200, encode(t, map[string]any{"claims": claims}))
	})
	f.A.Exec(t, `UPDATE auth.users SET raw_app_meta_data = raw_app_meta_data || '{"tier": "gold"}' WHERE id = $1`, ann)
	f.A.Hook(t, setting.HookCustomAccessToken, url, setting.HookFailClosed, secrets)
	tokens := signIn(t, f.A, "ann@example.com").Want(200)
	if first, second := <-seen, <-seen; first != "gold" || second != "free" || calls.Load() != 2 {
		t.Errorf("it was asked about %q and %q, %d times", first, second, calls.Load())
	}
	if got := claims(t, tokens.Get("access_token"))["tier"]; got != "free" {
		t.Errorf("tier = %v", got)
	}
	sessions := f.A.Count(t, `SELECT count(*) FROM auth.sessions`)
	if sessions != 1 {
		t.Errorf("%d sessions", sessions)
	}
}

// TestRefusingReceiver: a refusal leaves no session, and the link can be used again.
func TestRefusingReceiver(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	user(t, f.A, "ann@example.com")
	var refuse atomic.Bool
	refuse.Store(true)
	url := receiver(t, func(w http.ResponseWriter, r *http.Request) {
		if refuse.Load() {
			answerJSON(w, 200, `{"error":{"http_code":403,"message":"Not today"}}`)
			return
		}
		answerJSON(w, 200, encode(t, map[string]any{"claims": eventOf(t, r)["claims"]}))
	})
	f.A.Hook(t, setting.HookCustomAccessToken, url, setting.HookFailClosed, secrets)
	link := f.A.Admin(t, "POST", "/admin/generate_link", flowtest.M{"type": "magiclink", "email": "ann@example.com"}).Want(200).Get("hashed_token")
	redeem := func() *flowtest.Response {
		return f.A.Do(t, "POST", "/verify", flowtest.M{"type": "magiclink", "token_hash": link})
	}
	redeem().Want(403)
	sessions := f.A.Count(t, `SELECT count(*) FROM auth.sessions`)
	if sessions != 0 {
		t.Errorf("%d sessions", sessions)
	}
	refuse.Store(false)
	redeem().Want(200)
	redeem().Want(403)
}

// TestKnownAddress: a receiver is asked about a sign-up and about a request for a link as
// often, and the answers are alike, whether the address has a user or not.
func TestKnownAddress(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	f.A.Configure(func(c *setting.Config) { c.MailerAutoconfirm = false; c.SMTPMaxFrequency = 0 })
	user(t, f.A, "known@example.com")
	var calls atomic.Int32
	var answer atomic.Pointer[string]
	url := receiver(t, func(w http.ResponseWriter, _ *http.Request) {
		calls.Add(1)
		answerJSON(w, 200, *answer.Load())
	})
	f.A.Hook(t, setting.HookBeforeUserCreated, url, setting.HookFailClosed, secrets)
	for name, c := range map[string]struct {
		answer string
		status int
	}{
		"accepts": {`{}`, 200}, "refuses": {`{"error":{"http_code":403,"message":"Invited people only"}}`, 403}, "fails": {`[]`, 500},
	} {
		answer.Store(&c.answer)
		for _, path := range []string{"/signup", "/otp"} {
			var bodies []string
			for _, email := range []string{"known@example.com", name + path[1:] + "@example.com"} {
				calls.Store(0)
				got := f.A.Do(t, "POST", path, flowtest.M{"email": email, "password": "password123"}).Want(c.status)
				if n := calls.Load(); n != 1 {
					t.Errorf("%s %s %s: %d calls", name, path, email, n)
				}
				bodies = append(bodies, got.Get("msg")+got.Get("error_code"))
			}
			if bodies[0] != bodies[1] {
				t.Errorf("%s %s: %q and %q", name, path, bodies[0], bodies[1])
			}
		}
	}
}

// TestFailingAttempt: a password_verification_attempt that fails closed refuses a wrong
// password as one for an address of nobody, and the right one by its failure.
func TestFailingAttempt(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	user(t, f.A, "ann@example.com")
	url := receiver(t, func(w http.ResponseWriter, _ *http.Request) { answerJSON(w, 200, `[]`) })
	f.A.Hook(t, setting.HookPasswordVerification, url, setting.HookFailClosed, secrets)
	try := func(email, password string) *flowtest.Response {
		return f.A.Do(t, "POST", "/token?grant_type=password", flowtest.M{"email": email, "password": password})
	}
	known, unknown := try("ann@example.com", "wrong password").Want(400), try("nobody@example.com", "wrong password").Want(400)
	if known.Get("error_code") != "invalid_credentials" || known.Get("error_code") != unknown.Get("error_code") || known.Get("msg") != unknown.Get("msg") {
		t.Errorf("%s %s, and %s %s", known.Get("error_code"), known.Get("msg"), unknown.Get("error_code"), unknown.Get("msg"))
	}
	try("ann@example.com", "password123").Want(500)
}

// eventOf is the payload of a call.
func eventOf(t *testing.T, r *http.Request) (event map[string]any) {
	if err := json.NewDecoder(r.Body).Decode(&event); err != nil {
		t.Error(err)
	}
	return event
}

func encode(t *testing.T, v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		t.Error(err)
	}
	return string(raw)
}
