package admin_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/reevehq/reeve/internal/testkit/flowtest"
)

func TestList(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	for i := range 5 {
		f.Clock.Advance(time.Second)
		f.A.Admin(t, "POST", "/admin/users", m{"email": fmt.Sprintf("u%d@example.com", i), "user_metadata": m{"full_name": "No. " + fmt.Sprint(i)}}).Want(200)
	}
	f.B.Admin(t, "POST", "/admin/users", m{"email": "u0@example.com"}).Want(200)
	for _, c := range []struct {
		query string
		users []string
		total string
		link  string
	}{
		{"", []string{"u4", "u3", "u2", "u1", "u0"}, "5", `</admin/users?page=1&per_page=50>; rel="last"`},
		{
			"?page=1&per_page=2",
			[]string{"u4", "u3"},
			"5", `</admin/users?page=2&per_page=2>; rel="next", </admin/users?page=3&per_page=2>; rel="last"`,
		},
		{"?page=3&per_page=2", []string{"u0"}, "5", `</admin/users?page=3&per_page=2>; rel="last"`},
		{"?page=9&per_page=2", nil, "5", `</admin/users?page=3&per_page=2>; rel="last"`},
		{"?filter=U3@EX", []string{"u3"}, "1", `</admin/users?page=1&per_page=50&filter=U3%40EX>; rel="last"`},
		{"?filter=no.%201", []string{"u1"}, "1", `</admin/users?page=1&per_page=50&filter=no.+1>; rel="last"`},
		{"?filter=%25", nil, "0", `</admin/users?page=1&per_page=50&filter=%25>; rel="last"`},
		{"?sort=created_at", []string{"u4", "u3", "u2", "u1", "u0"}, "5", `</admin/users?page=1&per_page=50&sort=created_at>; rel="last"`},
		{"?sort=created_at+desc", []string{"u4", "u3", "u2", "u1", "u0"}, "5", `</admin/users?page=1&per_page=50&sort=created_at+desc>; rel="last"`},
		{"?sort=created_at%20ASC", []string{"u0", "u1", "u2", "u3", "u4"}, "5", `</admin/users?page=1&per_page=50&sort=created_at+ASC>; rel="last"`},
		{"?sort=created_at+asc&sort=created_at+desc&per_page=2&page=2", []string{"u2", "u3"}, "5", `</admin/users?page=3&per_page=2&sort=created_at+asc>; rel="next", </admin/users?page=3&per_page=2&sort=created_at+asc>; rel="last"`},
		{"?filter=u&sort=created_at+asc&per_page=4", []string{"u0", "u1", "u2", "u3"}, "5", `</admin/users?page=2&per_page=4&filter=u&sort=created_at+asc>; rel="next", </admin/users?page=2&per_page=4&filter=u&sort=created_at+asc>; rel="last"`},
		{"?page=0&per_page=1000", []string{"u4", "u3", "u2", "u1", "u0"}, "5", `</admin/users?page=1&per_page=1000>; rel="last"`},
		{"?per_page=1000000", []string{"u4", "u3", "u2", "u1", "u0"}, "5", `</admin/users?page=1&per_page=10000>; rel="last"`},
	} {
		res := f.A.Admin(t, "GET", "/admin/users"+c.query, nil).Want(200)
		var body struct {
			Users []struct {
				Email      string
				Identities *[]any
			}
			Aud string
		}
		res.Decode(&body)
		var got []string
		for _, u := range body.Users {
			got = append(got, u.Email[:2])
			if u.Identities != nil {
				t.Errorf("%s: identities are not null", c.query)
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(c.users) || body.Aud != "authenticated" || body.Users == nil {
			t.Errorf("%s: users %v, want %v: %s", c.query, got, c.users, res.Raw)
		}
		if got := res.Header.Get("X-Total-Count"); got != c.total {
			t.Errorf("%s: X-Total-Count %s, want %s", c.query, got, c.total)
		}
		if got := res.Header.Get("Link"); got != c.link {
			t.Errorf("%s: Link %s, want %s", c.query, got, c.link)
		}
	}
	for _, query := range slices.Concat(badSorts, []string{
		"page=-1", "page=x", "page=1e3", "page=99999999999999999999", "per_page=0", "per_page=99999999999999999999",
		"filter=%00", "filter=" + strings.Repeat("x", 256),
	}) {
		f.A.Admin(t, "GET", "/admin/users?"+query, nil).WantError(400, "validation_failed")
	}
}

// badSorts name a column that lists are not sorted by, or no direction.
var badSorts = []string{
	"sort=", "sort=email", "sort=id+asc", "sort=Created_At", "sort=created_at+up", "sort=created_at+", "sort=created_at++asc", "sort=created_at+asc+",
	"sort=created_at,id", "sort=created_at%09asc", "sort=+created_at", "sort=created_at%3Bselect+1", "sort=created_at+asc&sort=email",
	"sort=u.created_at", "sort=%22created_at%22", "sort=(select+1)", "sort=1", "sort=" + strings.Repeat("x", 5000),
}

func TestAudit(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	id := f.A.Admin(t, "POST", "/admin/users", m{"email": "a@example.com", "password": "password123", "email_confirm": true}).Want(200).Get("id")
	f.Clock.Advance(time.Second)
	f.A.SignIn(t, "a@example.com", "password123")
	f.Clock.Advance(time.Second)
	f.A.Admin(t, "DELETE", "/admin/users/"+id, nil).Want(200)

	type entry struct {
		ID      string
		Payload struct {
			Action   string `json:"action"`
			ActorID  string `json:"actor_id"`
			Username string `json:"actor_username"`
			ViaSSO   *bool  `json:"actor_via_sso"`
			LogType  string `json:"log_type"`
			Traits   m      `json:"traits"`
		}
		IP        *string `json:"ip_address"`
		CreatedAt string  `json:"created_at"`
	}
	for _, c := range []struct {
		query   string
		actions []string
		total   string
	}{
		{"", []string{"user_deleted", "login", "user_signedup"}, "3"},
		{"?query=action:login", []string{"login"}, "1"},
		{"?query=author:SERVICE", []string{"user_deleted", "user_signedup"}, "2"},
		{"?query=type:account", []string{"login"}, "1"},
		{"?query=action:nothing", nil, "0"},
		{"?per_page=1&page=2", []string{"login"}, "3"},
		{"?sort=created_at+asc", []string{"user_signedup", "login", "user_deleted"}, "3"},
		{"?sort=created_at+DESC&per_page=2", []string{"user_deleted", "login"}, "3"},
	} {
		res := f.A.Admin(t, "GET", "/admin/audit"+c.query, nil).Want(200)
		var list []entry
		res.Decode(&list)
		var got []string
		for _, e := range list {
			got = append(got, e.Payload.Action)
		}
		if fmt.Sprint(got) != fmt.Sprint(c.actions) || list == nil || res.Header.Get("X-Total-Count") != c.total {
			t.Errorf("%s: %v of %s: %s", c.query, got, res.Header.Get("X-Total-Count"), res.Raw)
		}
		if c.query == "" {
			e := list[0]
			if e.Payload.ActorID != "00000000-0000-0000-0000-000000000000" || e.Payload.Username != "service_role" || e.Payload.ViaSSO == nil ||
				e.Payload.Traits["user_id"] != id || e.Payload.Traits["user_email"] != "a@example.com" || e.Payload.Traits["user_phone"] != "" ||
				e.Payload.LogType != "team" || e.IP == nil || e.CreatedAt == "" {
				t.Errorf("entry %+v", e)
			}
		}
		if c.query == "?per_page=1&page=2" {
			want := `</admin/audit?page=3&per_page=1>; rel="next", </admin/audit?page=3&per_page=1>; rel="last"`
			if got := res.Header.Get("Link"); got != want {
				t.Errorf("Link %s, want %s", got, want)
			}
		}
	}
	for _, query := range slices.Concat(badSorts, []string{"query=foo:bar", "query=login", "query=payload:x", "query=:", "page=-1"}) {
		f.A.Admin(t, "GET", "/admin/audit?"+query, nil).WantError(400, "validation_failed")
	}
	if res := f.B.Admin(t, "GET", "/admin/audit", nil).Want(200); string(res.Raw) != "[]" {
		t.Errorf("project B's audit log: %s", res.Raw)
	}
}

// The actor of an entry goes by phone number before address, and by the name that
// the metadata give; the fast and the slow way of a refresh agree on it.
func TestAuditNamesTheActor(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	for _, c := range []struct {
		email, phone string
		name         any
		username     string
		actor        any
	}{
		{"a@example.com", "", nil, "a@example.com", nil},
		{"b@example.com", "15550001111", "Bea B", "15550001111", "Bea B"},
		{"c@example.com", "", 7, "c@example.com", nil},
		{"d@example.com", "", m{"first": "D"}, "d@example.com", nil},
		{"e@example.com", "", "", "e@example.com", nil},
	} {
		f.A.Admin(t, "POST", "/admin/users", m{
			"email": c.email, "phone": c.phone, "password": "password123", "email_confirm": true, "user_metadata": m{"full_name": c.name},
		}).Want(200)
		f.Clock.Advance(time.Second)
		s := f.A.SignIn(t, c.email, "password123")
		for range 2 {
			f.Clock.Advance(time.Second)
			next := f.A.Refresh(t, s.Refresh).Want(200)
			s.Refresh = next.Get("refresh_token")
		}
		var list []struct{ Payload m }
		f.A.Admin(t, "GET", "/admin/audit?per_page=3", nil).Want(200).Decode(&list)
		for i, action := range []string{"token_refreshed", "token_refreshed", "login"} {
			if got := list[i].Payload; got["action"] != action || got["actor_username"] != c.username || got["actor_name"] != c.actor {
				t.Errorf("%s: entry %v", c.email, got)
			}
		}
	}
	if res := f.A.Admin(t, "GET", "/admin/audit?query=author:bea", nil).Want(200); res.Header.Get("X-Total-Count") != "3" {
		t.Errorf("entries of Bea: %s", res.Raw)
	}
}
