package projectlog_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/reevehq/reeve/internal/projectlog"
)

func TestRedact(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, want string }{
		"JWT":              {"token eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln is bad", "token [redacted] is bad"},
		"cut JWT":          {"got eyJhbGciOiJFUzI1NiJ9.eyJzd", "got [redacted]"},
		"secret key":       {"key sb_secret_abcdefghijklmnopqrstuv_12345678!", "key [redacted]!"},
		"publishable key":  {"sb_publishable_abc_1", "[redacted]"},
		"access token":     {"sbp_0123456789abcdef0123456789abcdef01234567", "[redacted]"},
		"bcrypt":           {"row ($2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy, x)", "row ([redacted], x)"},
		"argon2":           {"$argon2id$v=19$m=65536,t=3", "[redacted],t=3"},
		"URL with user":    {"dial postgres://reeve:hunter2@db.example.com/x", "dial postgres://[redacted]@db.example.com/x"},
		"bearer":           {"Authorization: Bearer abcdef.123", "Authorization: Bearer [redacted]"},
		"link token":       {"pkce_0123abcdef", "[redacted]"},
		"token hash":       {"hash 5d41402abc4b2a76b9719d911017c592aaaa", "hash [redacted]"},
		"end of a path":    {`Post "https://github.com/login/oauth/access_token": dial tcp: lookup github.com`, `Post "https://github.com/login/oauth/access_token": dial tcp: lookup github.com`},
		"path and value":   {`/oauth/access_token?access_token=x1`, `/oauth/access_token?access_token=[redacted]`},
		"named password":   {`password=hunter2 "access_token": "x1"`, `password=[redacted] "access_token": "[redacted]"`},
		"base64":           {"AGFubkBleGFtcGxlLmNvbQBodW50ZXIy was sent", "[redacted] was sent"},
		"function name":    {"function public.handle_new_user_created_by_admin_2024() failed", "function public.handle_new_user_created_by_admin_2024() failed"},
		"UUID":             {"user 11111111-2222-4333-8444-555555555555", "user 11111111-2222-4333-8444-555555555555"},
		"ref":              {"reeve_abcdefghijklmnopqrst_owner", "reeve_abcdefghijklmnopqrst_owner"},
		"SMTP reply":       {"550 5.1.1 <ann@example.com>: Recipient address rejected: User unknown", "550 5.1.1 <ann@example.com>: Recipient address rejected: User unknown"},
		"Postgres message": {`duplicate key value violates unique constraint "profiles_pkey"`, `duplicate key value violates unique constraint "profiles_pkey"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := projectlog.Redact(c.text); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
	if got := projectlog.Redact("your code is 123456 again 123456", "", "123456"); got != "your code is [redacted] again [redacted]" {
		t.Errorf("a known secret: %q", got)
	}
}

// TestBounds: an entry of hostile texts is stored within its bounds, and as JSON
// that Postgres takes.
func TestBounds(t *testing.T) {
	t.Parallel()
	hostile := "a\x00b\x1b[31m\u202e\xff" + strings.Repeat("long ", 10_000)
	f := newFixture()
	detail := map[string]any{"list": []string{hostile, hostile}, "number": 5, "odd": struct{}{}, "none": ""}
	for _, name := range strings.Fields("a b c d e f g h i j k l m n o p q r s t u v w") {
		detail[name] = hostile
	}
	f.Add(t.Context(), projectlog.Entry{Project: "a", Code: hostile, Message: hostile, RequestID: hostile, Route: hostile, ClientIP: hostile, Detail: detail})
	f.Add(t.Context(), projectlog.Entry{Project: "a", Code: "c", Detail: map[string]any{"one": hostile, "list": []string{"x\ny"}}})
	f.flush(t)
	for _, r := range f.store.records {
		raw, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		if len(raw) > 8000 || strings.ContainsAny(string(raw), "\x00\x1b\u202e") || strings.Contains(string(raw), `\u0000`) {
			t.Errorf("%d bytes: %s", len(raw), raw)
		}
	}
	if got := string(f.store.records[1].Detail); !strings.Contains(got, `"x\ny"`) {
		t.Errorf("detail: %s", got)
	}
}

func FuzzRedact(f *testing.F) {
	f.Add("password=hunter2", "hunter2")
	f.Add("eyJhbGciOiJFUzI1NiJ9.e30.c2ln", "x")
	f.Fuzz(func(t *testing.T, text, secret string) {
		got := projectlog.Redact(text, secret)
		if len(secret) > 10 && strings.Contains(got, secret) && !strings.Contains("[redacted]", secret) {
			t.Errorf("Redact(%q, %q) = %q", text, secret, got)
		}
	})
}
