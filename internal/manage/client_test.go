package manage

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// sent is one request that the fake server got.
type sent struct{ method, path, key, body string }

// fake is a server that gives the prepared answers in order, and then repeats
// the last one.
type fake struct {
	mu      sync.Mutex
	answers []answer
	got     []sent
}

type answer struct {
	status int
	body   string
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	f.got = append(f.got, sent{r.Method, r.URL.RequestURI(), r.Header.Get("Idempotency-Key"), string(body)})
	a := f.answers[0]
	if len(f.answers) > 1 {
		f.answers = f.answers[1:]
	}
	if a.status >= 300 && a.status < 400 {
		w.Header().Set("Location", a.body)
	}
	w.WriteHeader(a.status)
	_, _ = io.WriteString(w, a.body)
}

func serve(t *testing.T, answers ...answer) (*Client, *fake) {
	t.Helper()
	f := &fake{answers: answers}
	srv := httptest.NewServer(f)
	t.Cleanup(srv.Close)
	c := New(srv.URL+"/", "sbp_token")
	c.Pause = time.Millisecond
	return c, f
}

func TestCreateRepeatsTheSameRequest(t *testing.T) {
	t.Parallel()
	c, f := serve(t, answer{503, `{"message":"busy"}`}, answer{409, `{"code":"idempotency_under_way","message":"wait"}`}, answer{201, `{"ref":"x"}`})
	if _, err := c.Create(t.Context(), Path("projects"), map[string]string{"name": "n"}); err != nil {
		t.Fatal(err)
	}
	if len(f.got) != 3 || f.got[0].key == "" || f.got[0] != f.got[1] || f.got[1] != f.got[2] {
		t.Errorf("got %+v", f.got)
	}
	if _, err := c.Create(t.Context(), Path("projects"), nil); err != nil || f.got[3].key == f.got[0].key {
		t.Errorf("another create has the same key: %+v, %v", f.got, err)
	}
}

func TestRefusal(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		answer answer
		tries  int
		want   string
	}{
		"of the API":         {answer{400, `{"message":"name: is required","code":"validation_failed"}`}, 1, "name: is required (validation_failed)"},
		"conflict":           {answer{409, `{"message":"limit","code":"project_limit_reached"}`}, 1, "limit (project_limit_reached)"},
		"of a proxy":         {answer{502, `<html>`}, 3, "the server answered Bad Gateway (HTTP 502)"},
		"other JSON":         {answer{404, `[1]`}, 1, "the server answered Not Found (HTTP 404)"},
		"elsewhere":          {answer{302, `http://192.0.2.1/`}, 1, "the server answered Found (HTTP 302)"},
		"not a Reeve":        {answer{200, `<html>hello`}, 1, "answered something else than JSON"},
		"a truncated answer": {answer{200, `{"ref":`}, 1, "answered something else than JSON"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, f := serve(t, tc.answer)
			_, err := c.Get(t.Context(), Path("projects"))
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v", err)
			}
			if len(f.got) != tc.tries {
				t.Errorf("%d tries", len(f.got))
			}
		})
	}
}

func TestUnreachable(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(nil)
	srv.Close()
	c := New(srv.URL, "sbp_token")
	c.Pause = time.Millisecond
	_, err := c.Get(t.Context(), Path("projects"))
	var u *Unreachable
	if !errors.As(err, &u) || err.Error() != "no server at "+srv.URL || u.Cause() != "connection refused" {
		t.Errorf("got %v", err)
	}
}

func TestPath(t *testing.T) {
	t.Parallel()
	if got := Path("projects", "../x?y", "api-keys"); got != "/v1/projects/..%2Fx%3Fy/api-keys" {
		t.Errorf("got %s", got)
	}
}

func TestCreateProject(t *testing.T) {
	t.Parallel()
	const created = `{"ref":"r","url":"u","publishable_key":"p","secret_key":"s","db_url":"d","status":`
	want := Created{Ref: "r", URL: "u", PublishableKey: "p", SecretKey: "s", DatabaseURL: "d"}
	t.Run("in the first organization", func(t *testing.T) {
		t.Parallel()
		c, f := serve(t, answer{200, `[{"slug":"first"},{"slug":"second"}]`}, answer{201, created + `"ACTIVE_HEALTHY"}`})
		got, err := c.CreateProject(t.Context(), NewProject{Name: "shop"})
		if err != nil || got != want {
			t.Errorf("got %+v, %v", got, err)
		}
		if f.got[1].body != `{"name":"shop","organization_slug":"first"}` {
			t.Errorf("sent %s", f.got[1].body)
		}
	})
	t.Run("waits for the database", func(t *testing.T) {
		t.Parallel()
		c, f := serve(t, answer{201, created + `"COMING_UP"}`}, answer{200, `{"status":"COMING_UP"}`}, answer{200, `{"status":"ACTIVE_HEALTHY"}`})
		got, err := c.CreateProject(t.Context(), NewProject{Name: "shop", Organization: "acme"})
		if err != nil || got != want || len(f.got) != 3 || f.got[2].path != "/v1/projects/r" {
			t.Errorf("got %+v, %v, %+v", got, err, f.got)
		}
	})
	t.Run("keeps the secrets when waiting fails", func(t *testing.T) {
		t.Parallel()
		c, _ := serve(t, answer{201, created + `"COMING_UP"}`}, answer{401, `{}`})
		got, err := c.CreateProject(t.Context(), NewProject{Name: "shop", Organization: "acme"})
		if err == nil || got != want {
			t.Errorf("got %+v, %v", got, err)
		}
	})
	t.Run("without organization", func(t *testing.T) {
		t.Parallel()
		c, _ := serve(t, answer{200, `[]`})
		_, err := c.CreateProject(t.Context(), NewProject{Name: "shop"})
		var r *Refusal
		if !errors.As(err, &r) || r.Code != "organization_not_found" {
			t.Errorf("got %v", err)
		}
	})
}

func TestRef(t *testing.T) {
	t.Parallel()
	const a, b, c = "aaaaaaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbbbbbb", "cccccccccccccccccccc"
	projects := `[{"ref":"` + a + `","name":"shop"},{"ref":"` + b + `","name":"crm"},{"ref":"` + c + `","name":"crm"},{"ref":"` + b + `","name":"` + a + `"}`
	for range maxListed + 1 {
		projects += `,{"ref":"` + a + `","name":"many"}`
	}
	cases := map[string]struct{ word, want, fails string }{
		"ref":                   {c, c, ""},
		"name":                  {"shop", a, ""},
		"name in a ref's form":  {a, a, ""},
		"several":               {"crm", "", b + ", " + c},
		"very many":             {"many", "", a + " and 1 more"},
		"unknown":               {"blog", "", "project_not_found"},
		"other case":            {"Shop", "", "project_not_found"},
		"empty":                 {"", "", "project_not_found"},
		"part of another route": {"../shop", "", "project_not_found"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, _ := serve(t, answer{200, projects + `]`})
			got, err := client.Ref(t.Context(), tc.word)
			if got != tc.want || (err == nil) != (tc.fails == "") || err != nil && !strings.Contains(err.Error(), tc.fails) {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

func TestNamesakes(t *testing.T) {
	t.Parallel()
	client, _ := serve(t, answer{200, `[{"ref":"a","name":"shop","organization_slug":"x"},{"ref":"b","name":"shop","organization_slug":"x"},
		{"ref":"c","name":"shop","organization_slug":"y"},{"ref":"d","name":"crm","organization_slug":"x"}]`})
	for ref, want := range map[string][]string{"a": {"b"}, "c": nil, "d": nil, "e": nil} {
		got, err := client.Namesakes(t.Context(), ref)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v %s", ref, err, diff)
		}
	}
}

func TestChangeAuthConfig(t *testing.T) {
	t.Parallel()
	f, err := ParseFields([]string{"smtp_port=587", "jwt_exp=900", "site_url=", "mailer_autoconfirm=true", "smtp_host=null", "uri_allow_list=a=b", "new=x", "huge=5", "smtp_user=5"})
	if err != nil {
		t.Fatal(err)
	}
	c, server := serve(t, answer{200, `{"smtp_port":"25","jwt_exp":3600,"site_url":"x","mailer_autoconfirm":false,"smtp_host":"h","uri_allow_list":"","smtp_user":null}`}, answer{200, `{}`})
	if _, err := c.ChangeAuthConfig(t.Context(), "r", f); err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal([]byte(server.got[1].body), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"smtp_port": "587", "jwt_exp": 900.0, "site_url": "", "mailer_autoconfirm": true, "smtp_host": nil,
		"uri_allow_list": "a=b", "new": "x", "huge": 5.0, "smtp_user": "5",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestParseFieldsRefuses(t *testing.T) {
	t.Parallel()
	for _, words := range [][]string{{"jwt_exp"}, {"=1"}, {"a=1", "a=2"}} {
		if _, err := ParseFields(words); err == nil {
			t.Errorf("%q passes", words)
		}
	}
}
