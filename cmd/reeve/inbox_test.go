package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const inboxProject = "rrrrrrrrrrrrrrrrrrrr"

// inboxVars are the variables for a server with a few captured messages.
func inboxVars(t *testing.T) map[string]string {
	t.Helper()
	return map[string]string{"REEVE_ACCESS_TOKEN": goodToken, "REEVE_URL": fakeAPI(t, map[string]string{
		"GET /v1/projects/" + inboxProject + "/inbox": `[
			{"id":"mail","to":"a@b.c","subject":"Hi\u001b[31m","html":"<p>","text":"Hello\u001b[2J\n\n  Ada\n","links":["http://l/?a=1&b=2","http://m"],"code":"123456","created_at":"now"},
			{"id":"sms","to":"+1","subject":"","text":"654321","links":[],"code":"654321","created_at":"now"},
			{"id":"flag","links":["--version"]},{"id":"script","links":["javascript:alert(1)"]},{"id":"file","links":["file:///etc/passwd"]}]`,
	})}
}

func TestInboxShow(t *testing.T) {
	t.Parallel()
	vars := inboxVars(t)
	for id, want := range map[string]string{
		"mail": "At        now\nTo        a@b.c\nSubject   Hi [31m\nCode      123456\nLink      http://l/?a=1&b=2\nLink      http://m\n\nHello [2J\n\n  Ada\n",
		"sms":  "At        now\nTo        +1\nCode      654321\n\n654321\n",
	} {
		code, out, errOut := call(t, vars, "inbox", "show", id, "--project", inboxProject)
		if diff := cmp.Diff(want, out); code != exitOK || diff != "" {
			t.Errorf("%s: exit %d: %s%s", id, code, errOut, diff)
		}
	}
	_, out, _ := call(t, vars, "inbox", "show", "mail", "--project", inboxProject, "-o", "json")
	var object map[string]any
	if err := json.Unmarshal([]byte(out), &object); err != nil || object["html"] != "<p>" {
		t.Errorf("as JSON: %v, %s", err, out)
	}
}

func TestInboxOpen(t *testing.T) {
	t.Parallel()
	vars := inboxVars(t)
	const link = "http://l/?a=1&b=2"
	cases := map[string]struct {
		id, flag string
		broken   bool // the browser
		code     int
		out      string
		opened   string
	}{
		"a link":             {id: "mail", out: link + "\n", opened: link},
		"as JSON":            {id: "mail", flag: "--output=json", out: "{\n  \"link\": \"" + link + "\"\n}\n"},
		"without a browser":  {id: "mail", broken: true, code: exitFailure, out: link + "\n", opened: link},
		"no link":            {id: "sms", code: exitFailure},
		"a flag":             {id: "flag", code: exitFailure},
		"a script":           {id: "script", code: exitFailure},
		"a file":             {id: "file", code: exitFailure},
		"an unknown message": {id: "none", code: exitFailure},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var o, e bytes.Buffer
			opened := ""
			p := program{out: &o, err: &e, lookup: func(name string) (string, bool) { v, ok := vars[name]; return v, ok }}
			p.browse = func(address string) error {
				opened = address
				if tc.broken {
					return errors.New("not found")
				}
				return nil
			}
			args := []string{"inbox", "open", tc.id, "--project", inboxProject}
			if tc.flag != "" {
				args = append(args, tc.flag)
			}
			if code := p.run(t.Context(), args); code != tc.code || o.String() != tc.out || opened != tc.opened {
				t.Errorf("exit %d, out %q, opened %q: %s", code, o.String(), opened, e.String())
			}
		})
	}
	if code, out, errOut := call(t, vars, "inbox", "open", "mail", "--project", inboxProject); code != exitOK || out != link+"\n" {
		t.Errorf("without a terminal: exit %d: %s%s", code, out, errOut)
	}
}

func TestInboxLimit(t *testing.T) {
	t.Parallel()
	asked := make(chan string, 1)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.URL.RawQuery
		_, _ = io.WriteString(w, "[]")
	}))
	t.Cleanup(srv.Close)
	vars := map[string]string{"REEVE_URL": srv.URL, "REEVE_ACCESS_TOKEN": goodToken}
	for line, want := range map[string]string{"": "limit=100", "--limit 5": "limit=5", "--limit 1000": "limit=1000"} {
		code, _, errOut := call(t, vars, append([]string{"inbox", "list", "--project", inboxProject}, strings.Fields(line)...)...)
		if got := <-asked; code != exitOK || got != want {
			t.Errorf("%q: exit %d, asked %q: %s", line, code, got, errOut)
		}
	}
}
