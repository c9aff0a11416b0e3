package server_test

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/server/servertest"
)

// usersOf is the path of a project's users.
func usersOf(p *servertest.Project, below string) string {
	return "/v1/projects/" + p.Ref + "/auth/users" + below
}

// pageOf returns the addresses of a page, the cursor of the next and the total.
func pageOf(t *testing.T, p *servertest.Project, query string) (emails []string, next string, total float64) {
	t.Helper()
	var page struct {
		Users []struct{ Email string }
		Next  *string
		Total float64
	}
	p.Reeve.Manage(t, http.MethodGet, usersOf(p, query), nil).Expect(t, 200).Into(t, &page)
	for _, u := range page.Users {
		emails = append(emails, u.Email)
	}
	if page.Next != nil {
		next = *page.Next
	}
	return emails, next, page.Total
}

// seed writes users by SQL: user n is a minute younger than user n-1, and signed in n
// hours ago; every third never did.
func seed(t *testing.T, p *servertest.Project, n int) {
	t.Helper()
	conn := servertest.Connect(t, p.AdminURL(t))
	_, err := conn.Exec(t.Context(), `INSERT INTO auth.users (id, instance_id, aud, role, email, phone, created_at, updated_at, last_sign_in_at,
			email_confirmed_at, banned_until, is_anonymous, is_sso_user, raw_user_meta_data)
		SELECT md5(n::text)::uuid, '00000000-0000-0000-0000-000000000000', 'authenticated', 'authenticated', 'user' || n || '@example.com', '4915100' || n,
			timestamptz '2026-01-01' + n * interval '1 minute', timestamptz '2026-01-01',
			CASE WHEN n % 3 <> 0 THEN timestamptz '2026-06-01' - n * interval '1 hour' END,
			CASE WHEN n % 2 = 0 THEN now() END, CASE WHEN n = 3 THEN now() + interval '1 day' WHEN n = 4 THEN now() - interval '1 day' END,
			n = 5, n = 6, jsonb_build_object('full_name', 'Name ' || n)
		FROM generate_series(1, $1) n`, n)
	if err == nil {
		_, err = conn.Exec(t.Context(), `INSERT INTO auth.identities (provider_id, user_id, identity_data, provider, created_at)
			SELECT u.id::text, u.id, jsonb_build_object('sub', u.id, 'email', u.email), CASE WHEN u.email = 'user7@example.com' THEN 'google' ELSE 'email' END, now() FROM auth.users u`)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestUsersList(t *testing.T) {
	t.Parallel()
	reeve := servertest.Start(t)
	p, other := reeve.Project(t, "users", nil), reeve.Project(t, "other", nil)
	seed(t, p, 12)
	seed(t, other, 3)

	id := uuid.MustParse("c4ca4238-a0b9-2382-0dcc-509a6f75849b") // md5('1')
	for name, c := range map[string]struct{ query, want string }{
		"newest first":       {"?limit=3", "user12 user11 user10"},
		"oldest first":       {"?limit=3&order=asc", "user1 user2 user3"},
		"last sign-in":       {"?sort=last_sign_in_at", "user1 user2 user4 user5 user7 user8 user10 user11 + 4"},
		"last sign-in asc":   {"?sort=last_sign_in_at&order=asc&limit=2", "user11 user10"},
		"email":              {"?sort=email&order=asc&limit=4", "user10 user11 user12 user1"},
		"email desc":         {"?sort=email&limit=2", "user9 user8"},
		"part of an address": {"?q=SER7%40", "user7"},
		"phone":              {"?q=%2B49151009", "user9"},
		"name":               {"?q=name+8", "user8"},
		"whole id":           {"?q=" + id.String(), "user1"},
		"start of an id":     {"?q=" + id.String()[:7], "user1"},
		"upper-case id":      {"?q=" + strings.ToUpper(id.String()[:12]), "user1"},
		"two letters":        {"?q=us&limit=1", "user12"},
		"a wildcard":         {"?q=%25", ""},
		"an underscore":      {"?q=user_", ""},
		"a backslash":        {"?q=%5C", ""},
		"provider":           {"?provider=google", "user7"},
		"confirmed":          {"?confirmed=true&limit=2", "user12 user10"},
		"unconfirmed":        {"?confirmed=false&limit=2", "user11 user9"},
		"banned":             {"?banned=true", "user3"},
		"not banned":         {"?banned=false&created_until=2026-01-01T00:05:00Z", "user4 user2 user1"},
		"anonymous":          {"?anonymous=true", "user5"},
		"sso":                {"?sso=true", "user6"},
		"created":            {"?created_since=2026-01-01T00:03:00Z&created_until=2026-01-01T00:05:00Z", "user4 user3"},
		"signed in":          {"?last_sign_in_since=2026-05-31T22:00:00Z", "user2 user1"},
		"signed in before":   {"?last_sign_in_until=2026-05-31T14:00:00Z", "user11"},
		"deleted":            {"?deleted=true", ""},
		"all of them":        {"?provider=email&confirmed=true&q=user1", "user12 user10"},
		"injection":          {"?q=" + url.QueryEscape(`' OR 1=1; DROP TABLE auth.users; --`), ""},
		"injected provider":  {"?provider=" + url.QueryEscape(`x') OR true --`), ""},
	} {
		t.Run(name, func(t *testing.T) {
			emails, _, _ := pageOf(t, p, c.query)
			got := strings.ReplaceAll(strings.Join(emails, " "), "@example.com", "")
			if head, rest, more := strings.Cut(c.want, " + "); more { // and others, in any order
				want, n := strings.Fields(head), 0
				_, _ = fmt.Sscan(rest, &n)
				if len(emails) != len(want)+n || !strings.HasPrefix(got, head+" ") {
					t.Errorf("got %s, want %s", got, c.want)
				}
				return
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
	if _, _, total := pageOf(t, p, "?limit=3"); total != 12 {
		t.Errorf("total = %v", total)
	}
	if _, _, total := pageOf(t, p, "?limit=2&confirmed=true"); total != 6 {
		t.Errorf("total of the confirmed = %v", total)
	}
	_, cursor, _ := pageOf(t, p, "?limit=3")
	for name, query := range map[string]string{
		"limit":             "?limit=201",
		"no limit":          "?limit=0",
		"sort":              "?sort=" + url.QueryEscape("email; DROP TABLE auth.users"),
		"order":             "?order=up",
		"flag":              "?banned=perhaps",
		"time":              "?created_since=yesterday",
		"cursor":            "?cursor=x",
		"no base64":         "?cursor=%25%25",
		"another sort's":    "?sort=email&cursor=" + cursor,
		"another order's":   "?order=asc&cursor=" + cursor,
		"cursor, injection": "?cursor=" + url.QueryEscape(`' OR 1=1 --`),
		"long text":         "?q=" + strings.Repeat("x", 201),
	} {
		wantCode(t, reeve.Manage(t, http.MethodGet, usersOf(p, query), nil), "400 validation_failed")
		t.Log(name)
	}
}

// A user who signs up while somebody turns the pages shifts no other.
func TestUsersPages(t *testing.T) {
	t.Parallel()
	reeve := servertest.Start(t)
	p := reeve.Project(t, "users", nil)
	seed(t, p, 25)
	conn := servertest.Connect(t, p.AdminURL(t))
	if _, err := conn.Exec(t.Context(), `UPDATE auth.users SET created_at = timestamptz '2026-03-01' WHERE phone::bigint % 2 = 0;
		UPDATE auth.users SET created_at = NULL WHERE email = 'user1@example.com'; UPDATE auth.users SET email = NULL WHERE email = 'user2@example.com';
		UPDATE auth.users SET created_at = 'infinity' WHERE email = 'user9@example.com'; UPDATE auth.users SET last_sign_in_at = '-infinity' WHERE email = 'user5@example.com'`); err != nil {
		t.Fatal(err)
	}
	made := 0
	for _, sort := range []string{"created_at", "last_sign_in_at", "email"} {
		for _, order := range []string{"asc", "desc"} {
			t.Run(sort+" "+order, func(t *testing.T) {
				var all []string
				query := "?limit=4&sort=" + sort + "&order=" + order
				for cursor := ""; ; {
					emails, next, _ := pageOf(t, p, query+cursor)
					all = append(all, emails...)
					if next == "" {
						break
					}
					cursor = "&cursor=" + next
					made++
					p.Admin(t, http.MethodPost, "/admin/users", map[string]any{"email": fmt.Sprintf("new%d@example.com", made)}).Expect(t, 200)
				}
				old := slices.DeleteFunc(all, func(s string) bool { return strings.HasPrefix(s, "new") })
				slices.Sort(old)
				if n := len(old); n != 25 || len(slices.Compact(old)) != 25 {
					t.Errorf("%d users: %v", n, old)
				}
			})
		}
	}
}

func TestUsersWrite(t *testing.T) {
	t.Parallel()
	reeve := servertest.Start(t)
	p, other := reeve.Project(t, "users", nil), reeve.Project(t, "other", map[string]any{"mailer_autoconfirm": true})
	manage := func(method, below string, body any) *servertest.Answer {
		return reeve.Manage(t, method, usersOf(p, below), body)
	}
	ann := manage("POST", "", map[string]any{
		"email": "Ann@Example.com", "password": "correct horse battery", "email_confirm": true, "user_metadata": map[string]any{"name": "Ann"},
	}).Expect(t, 201).JSON(t)
	id := ann["id"].(string)
	if ann["email"] != "ann@example.com" || ann["name"] != "Ann" || ann["has_password"] != true {
		t.Errorf("created %v", ann)
	}
	wantCode(t, manage("POST", "", map[string]any{"email": "ann@example.com"}), "422 email_exists")
	wantCode(t, manage("POST", "", map[string]any{}), "400 validation_failed")
	wantCode(t, manage("POST", "", map[string]any{"email": "x"}), "400 validation_failed")
	session := p.SignIn(t, "ann@example.com", "correct horse battery")

	t.Run("detail", func(t *testing.T) {
		got := manage("GET", "/"+id, nil).Expect(t, 200).JSON(t)
		if len(got["sessions"].([]any)) != 1 || len(got["identities"].([]any)) != 1 || got["standing"].(map[string]any)["can_sign_in"] != true {
			t.Errorf("%v", got)
		}
		if s := got["sessions"].([]any)[0].(map[string]any); s["aal"] != "aal1" || s["methods"].([]any)[0] != "password" {
			t.Errorf("session %v", s)
		}
	})
	t.Run("stale", func(t *testing.T) {
		a := manage("GET", "/"+id, nil).Expect(t, 200)
		tag, updated := a.Header.Get("ETag"), a.JSON(t)["updated_at"]
		patch := func(body map[string]any, headers ...string) *servertest.Answer {
			return reeve.Do(t, "PATCH", usersOf(p, "/"+id), body, append([]string{"Authorization", "Bearer " + reeve.Token}, headers...)...)
		}
		next := patch(map[string]any{"user_metadata": map[string]any{"a": 1}}, "If-Match", tag).Expect(t, 200).Header.Get("ETag")
		if next == tag || next == "" {
			t.Errorf("ETag %q after %q", next, tag)
		}
		wantCode(t, patch(map[string]any{"user_metadata": map[string]any{"a": 2}}, "If-Match", tag), "409 user_changed")
		wantCode(t, patch(map[string]any{"user_metadata": map[string]any{"a": 2}, "updated_at": updated}), "409 user_changed")
		wantCode(t, patch(map[string]any{"user_metadata": map[string]any{"a": 2}}, "If-Match", "x"), "400 validation_failed")
		wantCode(t, reeve.Do(t, "DELETE", usersOf(p, "/"+id), nil, "Authorization", "Bearer "+reeve.Token, "If-Match", tag), "409 user_changed")
	})
	t.Run("ban", func(t *testing.T) {
		wantCode(t, manage("POST", "/"+id+"/ban", map[string]any{"duration": "soon"}), "400 validation_failed")
		manage("POST", "/"+id+"/ban", map[string]any{"duration": "forever"}).Expect(t, 200)
		p.Do(t, "POST", "/token?grant_type=password", map[string]any{"email": "ann@example.com", "password": "correct horse battery"}).Refused(t, 400, "user_banned")
		got := manage("GET", "/"+id, nil).Expect(t, 200).JSON(t)["standing"].(map[string]any)
		if got["can_sign_in"] != false || fmt.Sprint(got["reasons"]) != "[banned]" {
			t.Errorf("standing %v", got)
		}
		wantCode(t, manage("POST", "/"+id+"/link", map[string]any{"type": "magiclink"}), "422 user_banned")
		manage("DELETE", "/"+id+"/ban", nil).Expect(t, 200)
		p.SignIn(t, "ann@example.com", "correct horse battery")
	})
	t.Run("link", func(t *testing.T) {
		a := manage("POST", "/"+id+"/link", map[string]any{"type": "magiclink"}).Expect(t, 200)
		link := a.JSON(t)
		if !strings.Contains(link["action_link"].(string), "/verify?token=") || a.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%v, Cache-Control %q", link, a.Header.Get("Cache-Control"))
		}
		p.Do(t, "POST", "/verify", map[string]any{"type": "email", "token_hash": link["hashed_token"]}).Expect(t, 200)
		wantCode(t, manage("POST", "/"+id+"/link", map[string]any{"type": "confirmation"}), "400 validation_failed")
		wantCode(t, manage("POST", "/"+id+"/link", map[string]any{"type": "invite"}), "422 user_confirmed")
	})
	t.Run("mail", func(t *testing.T) {
		manage("POST", "/"+id+"/mail", map[string]any{"type": "recovery"}).Expect(t, 200)
		p.Inbox(t, "ann@example.com", 1)
		manage("POST", "/invite", map[string]any{"email": "eve@example.com"}).Expect(t, 201)
		p.Inbox(t, "eve@example.com", 1)
		wantCode(t, manage("POST", "/invite", map[string]any{"email": "ann@example.com"}), "422 email_exists")
	})
	t.Run("sessions", func(t *testing.T) {
		sessions := manage("GET", "/"+id, nil).Expect(t, 200).JSON(t)["sessions"].([]any)
		if len(sessions) < 2 {
			t.Fatalf("%d sessions", len(sessions))
		}
		one := sessions[0].(map[string]any)["id"].(string)
		manage("DELETE", "/"+id+"/sessions/"+one, nil).Expect(t, 200)
		wantCode(t, manage("DELETE", "/"+id+"/sessions/"+one, nil), "404 session_not_found")
		wantCode(t, reeve.Manage(t, "DELETE", usersOf(other, "/"+id+"/sessions/"+one), nil), "404 user_not_found")
		manage("DELETE", "/"+id+"/sessions", nil).Expect(t, 200)
		got := manage("GET", "/"+id, nil).Expect(t, 200).JSON(t)
		causes := map[string]any{}
		for _, ended := range got["ended_sessions"].([]any) {
			e := ended.(map[string]any)
			causes[e["id"].(string)] = e["cause"]
			if e["device"].(map[string]any)["kind"] == "" || e["place"] != nil {
				t.Errorf("ended session %v", e)
			}
		}
		if len(got["sessions"].([]any)) != 0 || len(got["refreshes"].([]any)) != 0 || causes[one] != "admin" {
			t.Errorf("sessions %v, causes %v, refreshes %v", got["sessions"], causes, got["refreshes"])
		}
		p.As(t, session.AccessToken, "GET", "/user", nil).Refused(t, 403, "session_not_found")
	})
	t.Run("identities and factors", func(t *testing.T) {
		conn := servertest.Connect(t, p.AdminURL(t))
		identity, factor := uuid.NewString(), uuid.NewString()
		if _, err := conn.Exec(t.Context(), `INSERT INTO auth.identities (id, provider_id, user_id, identity_data, provider) VALUES ($1, '7', $2, '{"sub":"7"}', 'google')`, identity, id); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Exec(t.Context(), `INSERT INTO auth.mfa_factors (id, user_id, factor_type, status, created_at, updated_at) VALUES ($1, $2, 'totp', 'verified', now(), now())`, factor, id); err != nil {
			t.Fatal(err)
		}
		wantCode(t, manage("DELETE", "/"+id+"/identities/"+uuid.NewString(), nil), "422 identity_not_found")
		manage("DELETE", "/"+id+"/identities/"+identity, nil).Expect(t, 200)
		wantCode(t, manage("DELETE", "/"+id+"/factors/x", nil), "404 not_found")
		wantCode(t, manage("PATCH", "/"+id+"/factors/"+factor, map[string]any{"friendly_name": ""}), "400 validation_failed")
		wantCode(t, reeve.Manage(t, "PATCH", usersOf(other, "/"+id+"/factors/"+factor), map[string]any{"friendly_name": "theirs"}), "404 user_not_found")
		manage("PATCH", "/"+id+"/factors/"+factor, map[string]any{"friendly_name": "old phone"}).Expect(t, 200)
		factors := manage("GET", "/"+id, nil).Expect(t, 200).JSON(t)["factors"].([]any)
		if name := factors[0].(map[string]any)["friendly_name"]; len(factors) != 1 || name != "old phone" {
			t.Errorf("the factor is called %v", name)
		}
		manage("DELETE", "/"+id+"/factors/"+factor, nil).Expect(t, 200)
		wantCode(t, manage("DELETE", "/"+id+"/factors/"+factor, nil), "404 factor_not_found")
	})
	t.Run("passkeys", func(t *testing.T) {
		conn := servertest.Connect(t, p.AdminURL(t))
		passkey := uuid.NewString()
		if _, err := conn.Exec(t.Context(), `INSERT INTO auth.webauthn_credentials (id, user_id, credential_id, public_key, aaguid, backup_eligible, backed_up, clone_warning_at)
			VALUES ($1, $2, '\x01', '\x02', 'fbfc3007-154e-4ecc-8c0b-6e020557d7bd', true, true, '2026-01-02T03:04:05Z')`, passkey, id); err != nil {
			t.Fatal(err)
		}
		list := manage("GET", "/"+id, nil).Expect(t, 200).JSON(t)["passkeys"].([]any)
		if len(list) != 1 {
			t.Fatalf("%d passkeys", len(list))
		}
		shown := list[0].(map[string]any)
		if shown["id"] != passkey || shown["model"] != "iCloud Keychain" || shown["backed_up"] != true || shown["last_used_at"] != nil || shown["clone_warning_at"] != "2026-01-02T03:04:05Z" {
			t.Errorf("shown %v", shown)
		}
		wantCode(t, manage("DELETE", "/"+id+"/passkeys/x", nil), "404 not_found")
		wantCode(t, reeve.Manage(t, "DELETE", usersOf(other, "/"+id+"/passkeys/"+passkey), nil), "404 user_not_found")
		manage("DELETE", "/"+id+"/passkeys/"+passkey, nil).Expect(t, 200)
		wantCode(t, manage("DELETE", "/"+id+"/passkeys/"+passkey, nil), "404 passkey_not_found")
	})
	t.Run("foreign", func(t *testing.T) {
		for _, below := range []string{"/" + id, "/" + id + "/timeline"} {
			wantCode(t, reeve.Manage(t, "GET", usersOf(other, below), nil), "404 user_not_found")
		}
		for _, bad := range []string{"x", "c4ca4238a0b923820dcc509a6f75849b", uuid.Nil.String()} {
			wantCode(t, manage("GET", "/"+bad, nil), "404 user_not_found")
		}
	})
	t.Run("delete", func(t *testing.T) {
		conn := servertest.Connect(t, p.AdminURL(t))
		if _, err := conn.Exec(t.Context(), `CREATE FUNCTION public.keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'open invoices' USING HINT = 'pay first'; END $$;
			CREATE TRIGGER keep_users BEFORE DELETE ON auth.users FOR EACH ROW WHEN (OLD.email = 'ann@example.com') EXECUTE FUNCTION public.keep()`); err != nil {
			t.Fatal(err)
		}
		a := manage("DELETE", "/"+id, nil)
		wantCode(t, a, "422 refused_by_database")
		if body := a.JSON(t); !strings.Contains(body["message"].(string), "open invoices") || body["trigger"] != "keep_users" || body["hint"] != "pay first" {
			t.Errorf("%v", body)
		}
		manage("DELETE", "/"+id+"?soft=true", nil).Expect(t, 200)
		got := manage("GET", "/"+id, nil).Expect(t, 200).JSON(t)
		if got["deleted_at"] == nil || strings.Contains(got["email"].(string), "ann@") {
			t.Errorf("%v", got)
		}
		if emails, _, _ := pageOf(t, p, "?deleted=true"); len(emails) != 1 {
			t.Errorf("deleted: %v", emails)
		}
		wantCode(t, manage("PATCH", "/"+id, map[string]any{"role": "x"}), "404 user_not_found")
		manage("DELETE", "/"+id, nil).Expect(t, 200)
		wantCode(t, manage("DELETE", "/"+id, nil), "404 user_not_found")
	})
}

func TestUsersBulk(t *testing.T) {
	t.Parallel()
	reeve := servertest.Start(t)
	p, other := reeve.Project(t, "users", nil), reeve.Project(t, "other", nil)
	bob, eve := p.SignUp(t, "bob@example.com", "correct horse battery"), p.SignUp(t, "eve@example.com", "correct horse battery")
	theirs := other.SignUp(t, "bob@example.com", "correct horse battery")
	before := other.Fingerprint(t)
	conn := servertest.Connect(t, p.AdminURL(t))
	if _, err := conn.Exec(t.Context(), `CREATE FUNCTION public.keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'not her'; END $$;
		CREATE TRIGGER keep_users BEFORE DELETE ON auth.users FOR EACH ROW WHEN (OLD.email = 'eve@example.com') EXECUTE FUNCTION public.keep()`); err != nil {
		t.Fatal(err)
	}
	ids := []string{bob.User.ID, theirs.User.ID, eve.User.ID}
	for _, c := range []struct {
		action string
		more   map[string]any
		want   string
	}{
		{"ban", map[string]any{"duration": "1h"}, "[done failed user_not_found done] 2 1"},
		{"unban", nil, "[done failed user_not_found done] 2 1"},
		{"sign_out", nil, "[done failed user_not_found done] 2 1"},
		{"delete", nil, "[done failed user_not_found failed refused_by_database] 1 2"},
	} {
		body := map[string]any{"action": c.action, "ids": ids}
		for name, value := range c.more {
			body[name] = value
		}
		var got struct {
			Results      []struct{ ID, Result, Code string }
			Done, Failed int
		}
		reeve.Manage(t, "POST", usersOf(p, "/bulk"), body).Expect(t, 200).Into(t, &got)
		var words []string
		for n, r := range got.Results {
			words = append(words, strings.TrimSpace(r.Result+" "+r.Code))
			if r.ID != ids[n] {
				t.Errorf("%s: result %d is of %s", c.action, n, r.ID)
			}
		}
		if s := fmt.Sprint(words, got.Done, got.Failed); s != c.want {
			t.Errorf("%s: %s, want %s", c.action, s, c.want)
		}
	}
	for name, body := range map[string]map[string]any{
		"no ids":      {"action": "ban", "ids": []string{}, "duration": "1h"},
		"no duration": {"action": "ban", "ids": ids},
		"duration":    {"action": "ban", "ids": ids, "duration": "none"},
		"twice":       {"action": "unban", "ids": []string{ids[0], ids[0]}},
		"no id":       {"action": "unban", "ids": []string{"x"}},
		"action":      {"action": "promote", "ids": ids},
		"too many":    {"action": "unban", "ids": slices.Repeat([]string{ids[0]}, 1001)},
		"soft ban":    {"action": "ban", "ids": ids, "duration": "1h", "soft": true},
	} {
		wantCode(t, reeve.Manage(t, "POST", usersOf(p, "/bulk"), body), "400 validation_failed")
		t.Log(name)
	}
	other.Fingerprint(t).Same(t, before, "other project")
}

func TestUsersExport(t *testing.T) {
	t.Parallel()
	reeve := servertest.Start(t)
	p := reeve.Project(t, "users", nil)
	seed(t, p, 2500)
	conn := servertest.Connect(t, p.AdminURL(t))
	if _, err := conn.Exec(t.Context(), `UPDATE auth.users SET raw_user_meta_data = '{"full_name":"=HYPERLINK(\"http://evil.example\",\"a, b\")"}' WHERE email = 'user1@example.com'`); err != nil {
		t.Fatal(err)
	}
	a := reeve.Manage(t, "GET", usersOf(p, "/export"), nil).Expect(t, 200)
	rows, err := csv.NewReader(bytes.NewReader(a.Body)).ReadAll()
	if err != nil || len(rows) != 2501 || rows[0][0] != "id" {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	if !strings.HasPrefix(a.Header.Get("Content-Disposition"), "attachment") || a.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("headers %v", a.Header)
	}
	for _, row := range rows[1:] {
		if row[1] == "user1@example.com" && row[3] != `'=HYPERLINK("http://evil.example","a, b")` {
			t.Errorf("name %q", row[3])
		}
	}
	// It goes on after the last user that was received.
	part := reeve.Manage(t, "GET", usersOf(p, "/export?format=ndjson&limit=2000"), nil).Expect(t, 200)
	lines := strings.Split(strings.TrimSpace(string(part.Body)), "\n")
	rest := reeve.Manage(t, "GET", usersOf(p, "/export?format=ndjson&after="+rows[2000][0]), nil).Expect(t, 200)
	if more := strings.Split(strings.TrimSpace(string(rest.Body)), "\n"); len(lines) != 2000 || len(more) != 500 || !strings.Contains(more[0], rows[2001][0]) {
		t.Errorf("%d and %d lines", len(lines), len(more))
	}
	filtered := reeve.Manage(t, "GET", usersOf(p, "/export?format=ndjson&provider=google"), nil).Expect(t, 200)
	if strings.Count(string(filtered.Body), "\n") != 1 {
		t.Errorf("filtered: %s", filtered.Body)
	}
	wantCode(t, reeve.Manage(t, "GET", usersOf(p, "/export?format=xls"), nil), "400 validation_failed")
	wantCode(t, reeve.Manage(t, "GET", usersOf(p, "/export?after=x"), nil), "400 validation_failed")
	// The audit log has it, although it is a GET.
	var log struct {
		Entries []struct{ Action, Result string }
	}
	reeve.Manage(t, "GET", "/v1/organizations/default/audit-logs?action=export-users", nil).Expect(t, 200).Into(t, &log)
	if len(log.Entries) != 5 {
		t.Errorf("%d entries of exports: %v", len(log.Entries), log.Entries)
	}
}

// timeline are the codes of a user's timeline, the newest first, each with its count
// if it stands for several.
func timeline(t *testing.T, p *servertest.Project, id, query string) (codes []string, next string) {
	t.Helper()
	var page struct {
		Events []struct {
			Code, Source string
			Count        int
			At           time.Time
		}
		Next *string
	}
	p.Reeve.Manage(t, http.MethodGet, usersOf(p, "/"+id+"/timeline"+query), nil).Expect(t, 200).Into(t, &page)
	for n, e := range page.Events {
		if n > 0 && e.At.After(page.Events[n-1].At) {
			t.Errorf("%s at %v follows %v", e.Code, e.At, page.Events[n-1].At)
		}
		if e.Count > 1 {
			e.Code += fmt.Sprint(" ", e.Count)
		}
		codes = append(codes, e.Code)
	}
	if page.Next != nil {
		next = *page.Next
	}
	return codes, next
}

// Why can this user not sign in?
func TestUsersTimeline(t *testing.T) {
	t.Parallel()
	reeve := servertest.Start(t)
	p := reeve.Project(t, "users", map[string]any{"mailer_autoconfirm": false})
	other := reeve.Project(t, "other", nil)
	manage := func(method, below string, body any) *servertest.Answer {
		return reeve.Manage(t, method, usersOf(p, below), body)
	}
	// Each refusal waits for the log, which is written once a second.
	signIn := func(email, password, code string) {
		p.Do(t, "POST", "/token?grant_type=password", map[string]any{"email": email, "password": password}).Refused(t, 400, code)
	}
	const right = "correct horse battery"
	id := manage("POST", "", map[string]any{"email": "ann@example.com", "password": right}).Expect(t, 201).JSON(t)["id"].(string)
	eve := manage("POST", "", map[string]any{"email": "eve@example.com", "email_confirm": true}).Expect(t, 201).JSON(t)["id"].(string)
	signIn("ann@example.com", "wrong", "invalid_credentials")
	signIn("Ann@Example.com", "wrong", "invalid_credentials")
	signIn("ann@example.com", right, "email_not_confirmed")
	p.Do(t, "POST", "/verify", map[string]any{"type": "email", "email": "ann@example.com", "token": "000000"}).Refused(t, 403, "otp_expired")
	manage("PATCH", "/"+id, map[string]any{"email_confirm": true}).Expect(t, 200)
	p.SignIn(t, "ann@example.com", right)
	manage("POST", "/"+id+"/ban", map[string]any{"duration": "1h"}).Expect(t, 200)
	signIn("ann@example.com", right, "user_banned")
	p.Configure(t, map[string]any{"external_email_enabled": false})
	p.Do(t, "POST", "/token?grant_type=password", map[string]any{"email": "ann@example.com", "password": right}).Refused(t, 422, "email_provider_disabled")

	want := []string{
		"email_not_confirmed", "email_provider_disabled", "invalid_credentials", "login", "otp_expired", "user_banned", "user_modified", "user_modified", "user_signedup",
	}
	var codes []string
	for range 500 {
		codes, _ = timeline(t, p, id, "")
		if slices.Contains(codes, "email_provider_disabled") {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	tries := 0
	sorted := slices.Clone(codes)
	for n, code := range sorted {
		name, count, several := strings.Cut(code, " ")
		if name == "invalid_credentials" {
			more := 1
			if several {
				_, _ = fmt.Sscan(count, &more)
			}
			tries += more
		}
		sorted[n] = name
	}
	slices.Sort(sorted)
	if got := slices.Compact(slices.Clone(sorted)); !slices.Equal(got, slices.Compact(slices.Clone(want))) || tries != 2 {
		t.Errorf("timeline %v, %d wrong passwords", codes, tries)
	}
	// Page by page it is the same.
	var paged []string
	for cursor := ""; ; {
		page, next := timeline(t, p, id, "?limit=2"+cursor)
		paged = append(paged, page...)
		if next == "" {
			break
		}
		cursor = "&cursor=" + next
	}
	if !slices.Equal(paged, codes) {
		t.Errorf("by pages %v, at once %v", paged, codes)
	}
	if got, _ := timeline(t, p, id, "?source=audit"); slices.Contains(got, "user_banned") || !slices.Contains(got, "login") {
		t.Errorf("audit log: %v", got)
	}
	if got, _ := timeline(t, p, eve, "?source=log"); len(got) != 0 {
		t.Errorf("another user's log: %v", got)
	}
	standing := manage("GET", "/"+id, nil).Expect(t, 200).JSON(t)["standing"].(map[string]any)
	refused := standing["last_refused"].(map[string]any)
	if refused["code"] != "email_provider_disabled" || refused["count"] != float64(1) || refused["client_ip"] != "127.0.0.1" || fmt.Sprint(standing["reasons"]) != "[banned]" {
		t.Errorf("standing %v", standing)
	}
	// Who did it is named.
	var actor string
	conn := servertest.Connect(t, p.AdminURL(t))
	if err := conn.QueryRow(t.Context(), `SELECT payload->>'actor_username' FROM auth.audit_log_entries WHERE payload->>'action' = 'user_modified' LIMIT 1`).Scan(&actor); err != nil || actor != "operator@reeve.localhost" {
		t.Errorf("actor %q, %v", actor, err)
	}
	for _, bad := range []string{"?cursor=x", "?limit=101", "?source=sql", "?cursor=eyJzIjoieCJ9"} {
		wantCode(t, manage("GET", "/"+id+"/timeline"+bad, nil), "400 validation_failed")
	}
	wantCode(t, reeve.Manage(t, "GET", usersOf(other, "/"+id+"/timeline"), nil), "404 user_not_found")
}
