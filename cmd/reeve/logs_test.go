package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const logsEntry = `{"id":"e2","at":"2026-05-04T12:00:01.5Z","level":"error","code":"trigger_failed","message":"It failed\u001b[2J","request_id":"R1",
	"request_ids":["R1"],"user_id":null,"route":"POST /auth/v1/signup","client_ip":"","detail":{"sqlstate":"P0001"},"count":1}`

func TestLogs(t *testing.T) {
	t.Parallel()
	asked := make(chan url.Values, 1)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.URL.Query()
		_, _ = io.WriteString(w, `{"logs":[`+logsEntry+`],"next":null}`)
	}))
	t.Cleanup(srv.Close)
	vars := map[string]string{"REEVE_URL": srv.URL, "REEVE_ACCESS_TOKEN": goodToken}
	for line, want := range map[string]string{
		"":                "level=info&limit=100",
		"--request-id R1": "level=info&limit=100&request_id=R1",
		"--user u --code c --level error --limit 5 --text x":             "code=c&level=error&limit=5&text=x&user_id=u",
		"--since 2026-05-04T14:00:00+02:00 --until 2026-05-05T00:00:00Z": "level=info&limit=100&since=2026-05-04T12%3A00%3A00Z&until=2026-05-05T00%3A00%3A00Z",
	} {
		code, out, errOut := call(t, vars, append([]string{"logs", "--project", inboxProject}, strings.Fields(line)...)...)
		if got := (<-asked).Encode(); code != exitOK || got != want {
			t.Errorf("%q: exit %d, asked %q, want %q: %s", line, code, got, want, errOut)
		}
		if !strings.Contains(out, "2026-05-04T12:00:01Z") || !strings.Contains(out, "It failed [2J") || !strings.Contains(out, `{"sqlstate":"P0001"}`) {
			t.Errorf("%q prints %s", line, out)
		}
	}
	code, _, errOut := call(t, vars, "logs", "--project", inboxProject, "--since", "90m")
	since, err := time.Parse(time.RFC3339Nano, (<-asked).Get("since"))
	if ago := time.Since(since); code != exitOK || err != nil || ago < 90*time.Minute || ago > 91*time.Minute {
		t.Errorf("exit %d, since %v ago, %v: %s", code, ago, err, errOut)
	}
	if code, out, _ := call(t, vars, "logs", "--project", inboxProject, "-o", "json"); code != exitOK || !strings.HasPrefix(out, "[\n") {
		t.Errorf("as JSON: exit %d: %s", code, out)
	}
	<-asked
	for _, wrong := range []string{"--since yesterday", "--level debug", "--limit 0"} {
		if code, _, _ := call(t, vars, append([]string{"logs", "--project", inboxProject}, strings.Fields(wrong)...)...); code != exitUsage {
			t.Errorf("%s: exit %d", wrong, code)
		}
	}
}

func TestNoLogs(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"logs":[],"next":null}`) }))
	t.Cleanup(srv.Close)
	vars := map[string]string{"REEVE_URL": srv.URL, "REEVE_ACCESS_TOKEN": goodToken}
	for output, want := range map[string]string{"table": "no entries\n", "json": "[]\n"} {
		if code, out, errOut := call(t, vars, "logs", "--project", inboxProject, "-o", output); code != exitOK || out != want {
			t.Errorf("%s: exit %d, %q: %s", output, code, out, errOut)
		}
	}
}

// TestLogsFollow: the newest entry is printed last; then what came after it is
// asked for and printed, until the command is interrupted.
func TestLogsFollow(t *testing.T) {
	t.Parallel()
	ctx, interrupt := context.WithCancel(t.Context())
	var asked []string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Query().Get("after"))
		switch len(asked) {
		case 1:
			_, _ = io.WriteString(w, `{"logs":[{"id":"e2","code":"two"},{"id":"e1","code":"one"}]}`)
		case 2:
			_, _ = io.WriteString(w, `{"logs":[{"id":"e3","code":"three"}]}`)
		default:
			_, _ = io.WriteString(w, `{"logs":[]}`)
			interrupt()
		}
	}))
	t.Cleanup(srv.Close)
	vars := map[string]string{"REEVE_URL": srv.URL, "REEVE_ACCESS_TOKEN": goodToken}
	var out, errOut bytes.Buffer
	p := program{out: &out, err: &errOut, lookup: func(name string) (string, bool) { v, ok := vars[name]; return v, ok }}
	code := p.run(ctx, []string{"logs", "--project", inboxProject, "--follow"})
	if diff := cmp.Diff("one\ntwo\nthree\n", out.String()); code != exitOK || diff != "" {
		t.Errorf("exit %d: %s\n%s", code, errOut.String(), diff)
	}
	if diff := cmp.Diff([]string{"", "e2", "e3"}, asked); diff != "" {
		t.Errorf("asked: %s", diff)
	}
}

func TestHealthCommand(t *testing.T) {
	t.Parallel()
	vars := map[string]string{"REEVE_ACCESS_TOKEN": goodToken, "REEVE_URL": fakeAPI(t, map[string]string{
		"GET /v1/projects/" + inboxProject + "/health": `[{"name":"auth","healthy":true,"status":"ACTIVE_HEALTHY",
			"findings":[{"code":"site_url_default","level":"warning","message":"Set it"}]},{"name":"db","healthy":true,"status":"ACTIVE_HEALTHY"}]`,
	})}
	code, out, errOut := call(t, vars, "health", "--project", inboxProject)
	want := "SERVICE   STATUS           ERROR\nauth      ACTIVE_HEALTHY\ndb        ACTIVE_HEALTHY\n\n" +
		"LEVEL     FINDING            COUNT   LAST   MESSAGE   DETAIL\nwarning   site_url_default                  Set it\n"
	if diff := cmp.Diff(want, out); code != exitOK || diff != "" {
		t.Errorf("exit %d: %s\n%s", code, errOut, diff)
	}
}
