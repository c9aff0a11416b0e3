package server_test

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"github.com/reevehq/reeve/internal/server/servertest"
)

// TestHooks: a developer writes a function over the API, tries it, switches it on, and
// sees what became of its calls, of this project's alone.
func TestHooks(t *testing.T) {
	t.Parallel()
	reeve := servertest.Start(t)
	a, b := reeve.Project(t, "a", map[string]any{"mailer_autoconfirm": true}), reeve.Project(t, "b", map[string]any{"mailer_autoconfirm": true})
	sql := func(query string) {
		t.Helper()
		reeve.Manage(t, http.MethodPost, "/v1/projects/"+a.Ref+"/database/query", map[string]any{"query": query}).Expect(t, 201)
	}
	hooks := func(p *servertest.Project) map[string]any {
		t.Helper()
		var list []map[string]any
		reeve.Manage(t, http.MethodGet, "/v1/projects/"+p.Ref+"/auth/hooks", nil).Expect(t, 200).Into(t, &list)
		for _, h := range list {
			if h["point"] == "custom_access_token" {
				return h
			}
		}
		t.Fatalf("no hook in %v", list)
		return nil
	}
	try := func() *servertest.Answer {
		t.Helper()
		return reeve.Manage(t, http.MethodPost, "/v1/projects/"+a.Ref+"/auth/hooks/custom_access_token/test", nil)
	}
	if got := try().Expect(t, 200).JSON(t); got["outcome"] != "failed" || !strings.Contains(got["error"].(string), "nothing to call") {
		t.Errorf("without a hook: %v", got)
	}
	a.Configure(t, map[string]any{"hook_custom_access_token_uri": "pg-functions://postgres/public/hook"})
	if got := try().Expect(t, 200).JSON(t); got["outcome"] != "failed" || !strings.Contains(got["error"].(string), "does not exist") {
		t.Errorf("without the function: %v", got)
	}
	sql(`create table public.seen (id text);
		create function public.hook(event jsonb) returns jsonb language plpgsql as $$ begin
			insert into public.seen values (event->>'user_id');
			return jsonb_set(event, '{claims,plan}', '"pro"'); end $$;
		grant execute on function public.hook to supabase_auth_admin;
		revoke execute on function public.hook from authenticated, anon, public;
		grant all on table public.seen to supabase_auth_admin;`)
	if got := try().Expect(t, 200).JSON(t); got["outcome"] != "ok" || !strings.Contains(got["answer"].(string), `"plan"`) || got["payload"] == nil {
		t.Errorf("tried: %v", got)
	}
	a.Configure(t, map[string]any{"hook_custom_access_token_enabled": true})
	session := a.SignUp(t, "ann@example.com", "password123")
	b.SignUp(t, "ann@example.com", "password123")
	signed, err := base64.RawURLEncoding.DecodeString(strings.Split(session.AccessToken, ".")[1])
	if err != nil || !strings.Contains(string(signed), `"plan":"pro"`) {
		t.Errorf("the token has no claim of the hook: %s", session.AccessToken)
	}
	sql(`create or replace function public.hook(event jsonb) returns jsonb language plpgsql as $$ begin raise exception 'out of order'; end $$`)
	a.Do(t, http.MethodPost, "/token?grant_type=password", map[string]any{"email": "ann@example.com", "password": "password123"}).Refused(t, 500, "unexpected_failure")

	var calls []map[string]any
	eventually(t, "the calls are written", func() bool {
		reeve.Manage(t, http.MethodGet, "/v1/projects/"+a.Ref+"/auth/hooks/custom_access_token/calls", nil).Expect(t, 200).Into(t, &calls)
		return len(calls) == 2
	})
	if calls[0]["outcome"] != "failed" || !strings.Contains(calls[0]["error"].(string), "out of order") || calls[0]["request_id"] == "" || calls[1]["outcome"] != "ok" {
		t.Fatalf("calls %v", calls)
	}
	last := hooks(a)["last"].(map[string]any)
	if last["calls"] != 2.0 || last["failed"] != 1.0 || last["error"] != calls[0]["error"] {
		t.Errorf("counted %v", last)
	}
	if got := hooks(b); got["last"] != nil || got["enabled"] != false {
		t.Errorf("the other project has %v", got)
	}
	eventually(t, "the project's log has an entry", func() bool {
		answer := reeve.Manage(t, http.MethodGet, "/v1/projects/"+a.Ref+"/logs?code=hook_failed", nil).Expect(t, 200)
		return strings.Contains(string(answer.Body), "out of order")
	})
}

// TestLargeToken: a sign-in whose token is near the limit of headers is in the
// project's log, and one whose project leaves the cause out of tokens is not.
func TestLargeToken(t *testing.T) {
	t.Parallel()
	reeve := servertest.Start(t)
	a := reeve.Project(t, "a", map[string]any{"mailer_autoconfirm": true})
	large := map[string]any{"email": "ann@example.com", "password": "password123", "data": map[string]any{"bio": strings.Repeat("x", 4000)}}
	if got := a.Do(t, http.MethodPost, "/signup", large).Expect(t, 200).JSON(t); len(got["access_token"].(string)) < 4000 {
		t.Fatal("the token is small")
	}
	eventually(t, "the log has an entry", func() bool {
		answer := reeve.Manage(t, http.MethodGet, "/v1/projects/"+a.Ref+"/logs?code=token_large", nil).Expect(t, 200)
		return strings.Contains(string(answer.Body), "jwt_optional_claims")
	})
	quiet := reeve.Project(t, "quiet", nil)
	for ref, want := range map[string]bool{a.Ref: true, quiet.Ref: false} {
		answer := reeve.Manage(t, http.MethodGet, "/v1/projects/"+ref+"/advisors/performance", nil).Expect(t, 200)
		if strings.Contains(string(answer.Body), "auth_token_large") != want {
			t.Errorf("advisors: %s", answer.Body)
		}
	}
	a.Configure(t, map[string]any{"jwt_optional_claims": "app_metadata"})
	if s := a.SignIn(t, "ann@example.com", "password123"); len(s.AccessToken) > 1000 {
		t.Errorf("the token has %d bytes", len(s.AccessToken))
	}
}
