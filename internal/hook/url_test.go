package hook_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/reevehq/reeve/internal/hook"
	"github.com/reevehq/reeve/internal/outbound"
	"github.com/reevehq/reeve/internal/setting"
	"github.com/reevehq/reeve/internal/testkit/flowtest"
)

var (
	current = []byte("the current secret, 24 b")
	former  = []byte("the former secret, 24 by")
	secrets = "v1,whsec_" + base64.StdEncoding.EncodeToString(current) + "|v1,whsec_" + base64.StdEncoding.EncodeToString(former)
)

// receiver is a URL's server.
func receiver(t *testing.T, handle http.HandlerFunc) (url string) {
	t.Helper()
	s := httptest.NewServer(handle)
	t.Cleanup(s.Close)
	return s.URL
}

func answerJSON(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

// verified checks a request by Standard Webhooks with one secret.
func verified(r *http.Request, body, secret []byte) bool {
	mac := hmac.New(sha256.New, secret)
	_, _ = io.WriteString(mac, r.Header.Get("webhook-id")+"."+r.Header.Get("webhook-timestamp")+".")
	_, _ = mac.Write(body)
	want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	for _, got := range strings.Fields(r.Header.Get("webhook-signature")) {
		if got == want {
			return true
		}
	}
	return false
}

// TestURL: a receiver gets a signed event, and its claims are in the token. Either
// secret verifies it.
func TestURL(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	ann := user(t, f.A, "ann@example.com")
	var seen atomic.Pointer[map[string]any]
	url := receiver(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var event map[string]any
		if json.Unmarshal(body, &event) != nil || !verified(r, body, current) || !verified(r, body, former) || verified(r, body, []byte("another secret")) {
			answerJSON(w, 401, `{}`)
			return
		}
		seen.Store(&event)
		event["claims"].(map[string]any)["plan"] = "pro"
		raw, _ := json.Marshal(event)
		answerJSON(w, 200, string(raw))
	})
	f.A.Hook(t, setting.HookCustomAccessToken, url, setting.HookFailClosed, secrets)
	tokens := signIn(t, f.A, "ann@example.com").Want(200)
	if got := claims(t, tokens.Get("access_token")); got["plan"] != "pro" || got["sub"] != ann {
		t.Errorf("the claims are %v", got)
	}
	event := *seen.Load()
	if event["user_id"] != ann || event["authentication_method"] != "password" || event["metadata"].(map[string]any)["name"] != "customize-access-token" {
		t.Errorf("the event is %v", event)
	}
	refresh(t, f.A, tokens.Get("refresh_token")).Want(200)
	if got := (*seen.Load())["authentication_method"]; got != "token_refresh" {
		t.Errorf("the method of a refresh is %v", got)
	}
	if call := f.Calls.Take()[0]; call.Outcome != hook.OutcomeOK || call.Status != 200 {
		t.Errorf("recorded %+v", call)
	}
}

// TestURLAnswers: what becomes of a sign-in by the answer of the URL.
func TestURLAnswers(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	user(t, f.A, "ann@example.com")
	const refusal = `{"error":{"http_code":403,"message":"No entry"}}`
	var tries atomic.Int32
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		status int
		code   string
		tries  int32
	}{
		"refusal":             {func(w http.ResponseWriter, _ *http.Request) { answerJSON(w, 200, refusal) }, 403, "unknown", 1},
		"refusal with 403":    {func(w http.ResponseWriter, _ *http.Request) { answerJSON(w, 403, refusal) }, 403, "unknown", 1},
		"404":                 {func(w http.ResponseWriter, _ *http.Request) { answerJSON(w, 404, `{"claims":{}}`) }, 500, "unexpected_failure", 1},
		"500":                 {func(w http.ResponseWriter, _ *http.Request) { answerJSON(w, 500, refusal) }, 500, "unexpected_failure", 1},
		"204":                 {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }, 500, "unexpected_failure", 1},
		"HTML":                {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") }, 400, "hook_payload_invalid_content_type", 1},
		"garbage":             {func(w http.ResponseWriter, _ *http.Request) { answerJSON(w, 200, "{") }, 500, "unexpected_failure", 1},
		"too large":           {func(w http.ResponseWriter, _ *http.Request) { answerJSON(w, 200, strings.Repeat(" ", 300<<10)) }, 422, "hook_payload_over_size_limit", 1},
		"redirect":            {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "http://169.254.169.254/", 307) }, 500, "unexpected_failure", 1},
		"503":                 {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }, 500, "unexpected_failure", 1},
		"429 and Retry-After": {func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Retry-After", "0"); w.WriteHeader(429) }, 422, "hook_timeout_after_retry", 3},
		"503, come tomorrow": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "86400")
			w.WriteHeader(503)
		}, 422, "hook_timeout", 1},
		"never": {func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
		}, 422, "hook_timeout", 1},
	} {
		t.Run(name, func(t *testing.T) {
			tries.Store(0)
			url := receiver(t, func(w http.ResponseWriter, r *http.Request) { tries.Add(1); c.answer(w, r) })
			f.A.Hook(t, setting.HookCustomAccessToken, url, setting.HookFailClosed, secrets)
			f.Clock.Advance(time.Minute) // past what other answers broke
			signIn(t, f.A, "ann@example.com").WantError(c.status, c.code)
			if n := tries.Load(); n != c.tries {
				t.Errorf("%d tries", n)
			}
			if n := f.A.Count(t, `SELECT count(*) FROM auth.sessions`); n != 0 {
				t.Errorf("%d sessions", n)
			}
		})
	}
}

// TestPrivateAddress: with the client of a server in production, a hook reaches no
// private address, whatever the setting was.
func TestPrivateAddress(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	user(t, f.A, "ann@example.com")
	var called atomic.Bool
	url := receiver(t, func(http.ResponseWriter, *http.Request) { called.Store(true) })
	strict := hook.New(hook.Options{Client: outbound.New(outbound.Options{}).HTTP(hook.Timeout), Now: f.Clock.Now, Record: f.Calls.Add})
	f.A.Hook(t, setting.HookPasswordVerification, url, setting.HookFailClosed, secrets)
	for _, to := range []string{url, strings.Replace(url, "http:", "https:", 1)} {
		f.A.Hook(t, setting.HookPasswordVerification, to, setting.HookFailClosed, secrets)
		if err := strict.PasswordAttempt(t.Context(), f.A.Scope(), [16]byte{1}, true, nil); err == nil {
			t.Errorf("%s may be called", to)
		}
	}
	if called.Load() {
		t.Error("it was called")
	}
}

// TestBreaker: a URL that does not answer is not called again for a while, and is
// tried again then. Failures that a user's input could cause do not count.
func TestBreaker(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	user(t, f.A, "ann@example.com")
	user(t, f.B, "ann@example.com")
	var tries atomic.Int32
	var well atomic.Bool
	url := receiver(t, func(w http.ResponseWriter, _ *http.Request) {
		tries.Add(1)
		if well.Load() {
			answerJSON(w, 200, `{"decision":"continue"}`)
			return
		}
		w.WriteHeader(500)
	})
	f.A.Hook(t, setting.HookPasswordVerification, url, setting.HookFailClosed, secrets)
	f.B.Hook(t, setting.HookPasswordVerification, url, setting.HookFailClosed, secrets)
	for range 8 {
		if signIn(t, f.A, "ann@example.com").Status == 200 {
			t.Fatal("went on")
		}
	}
	if n := tries.Load(); n != 5 {
		t.Errorf("%d calls of a hook that does not answer", n)
	}
	calls := f.Calls.Take()
	if last := calls[len(calls)-1]; last.Outcome != hook.OutcomeSkipped || !f.Hooks.Open(f.A.Tenant().Ref, setting.HookPasswordVerification) {
		t.Errorf("recorded %+v", last)
	}
	if signIn(t, f.B, "ann@example.com"); tries.Load() != 6 {
		t.Error("the other project's hook is not called")
	}
	f.Clock.Advance(11 * time.Second)
	well.Store(true)
	signIn(t, f.A, "ann@example.com").Want(200)
	if f.Hooks.Open(f.A.Tenant().Ref, setting.HookPasswordVerification) {
		t.Error("still not called")
	}

	f.A.Hook(t, setting.HookPasswordVerification, receiver(t, func(w http.ResponseWriter, _ *http.Request) { tries.Add(1); answerJSON(w, 200, "{") }), setting.HookFailClosed, secrets)
	tries.Store(0)
	for range 8 {
		signIn(t, f.A, "ann@example.com").Want(500)
	}
	if n := tries.Load(); n != 8 {
		t.Errorf("%d of 8 calls: garbage switched the hook off", n)
	}
}

// TestSlowReceivers: many sign-ins of a project whose receiver hangs take at most the
// project's slots, and the other project's hook goes on meanwhile.
func TestSlowReceivers(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	user(t, f.A, "ann@example.com")
	user(t, f.B, "ann@example.com")
	var at, most atomic.Int32
	enough := make(chan struct{}, 100)
	leave := make(chan struct{})
	hang := receiver(t, func(w http.ResponseWriter, r *http.Request) {
		n := at.Add(1)
		defer at.Add(-1)
		for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
		}
		enough <- struct{}{}
		<-leave
		answerJSON(w, 200, `{"decision":"continue"}`)
	})
	f.A.Hook(t, setting.HookPasswordVerification, hang, setting.HookFailClosed, secrets)
	done := make(chan int, 20)
	for range 20 {
		go func() { done <- signIn(t, f.A, "ann@example.com").Status }()
	}
	for range 8 {
		<-enough
	}
	f.B.Hook(t, setting.HookPasswordVerification, receiver(t, func(w http.ResponseWriter, _ *http.Request) { answerJSON(w, 200, `{}`) }), setting.HookFailClosed, secrets)
	signIn(t, f.B, "ann@example.com").Want(200)
	close(leave)
	for range 20 {
		if status := <-done; status != 200 {
			t.Errorf("status %d", status)
		}
	}
	if n := most.Load(); n > 8 {
		t.Errorf("%d calls at a time", n)
	}
}

// TestRecursion: a receiver that signs in itself ends.
func TestRecursion(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	user(t, f.A, "ann@example.com")
	var depth atomic.Int32
	url := receiver(t, func(w http.ResponseWriter, _ *http.Request) {
		depth.Add(1)
		f.A.Do(t, "POST", "/token?grant_type=password", flowtest.M{"email": "ann@example.com", "password": "password123"})
		answerJSON(w, 200, `{"decision":"continue"}`)
	})
	f.A.Hook(t, setting.HookPasswordVerification, url, setting.HookFailClosed, secrets)
	signIn(t, f.A, "ann@example.com")
	if n := depth.Load(); n > 9 {
		t.Errorf("%d calls within each other", n)
	}
}

// TestOverload: calls that find no slot are refused, and do not count as silence of the
// URL: it is asked again afterwards.
func TestOverload(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	user(t, f.A, "ann@example.com")
	var asked atomic.Int32
	enough, leave := make(chan struct{}, 100), make(chan struct{})
	url := receiver(t, func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		enough <- struct{}{}
		<-leave
		answerJSON(w, 200, `{"decision":"continue"}`)
	})
	f.A.Hook(t, setting.HookPasswordVerification, url, setting.HookFailOpen, secrets)
	done := make(chan int, 20)
	begin := func(n int) {
		for range n {
			go func() { done <- signIn(t, f.A, "ann@example.com").Status }()
		}
	}
	begin(8)
	for range 8 {
		<-enough
	}
	begin(6)
	for range 6 {
		if status := <-done; status == 200 {
			t.Error("a call without a slot is taken for an answer")
		}
	}
	close(leave)
	for range 8 {
		if status := <-done; status != 200 {
			t.Errorf("status %d", status)
		}
	}
	signIn(t, f.A, "ann@example.com").Want(200)
	if n := asked.Load(); n != 9 {
		t.Errorf("the URL was asked %d times, want 9", n)
	}
}
