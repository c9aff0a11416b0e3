package logs_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/control/controltest"
	"github.com/reevehq/reeve/internal/control/logs"
	"github.com/reevehq/reeve/internal/projectlog"
	"github.com/reevehq/reeve/tenants"
)

// tailWorld has a server whose time limits a tail outlives.
func tailWorld(t *testing.T, stopping <-chan struct{}) (*controltest.World, string) {
	t.Helper()
	w := controltest.New(t, func(w *controltest.World) []controltest.Mounter {
		return []controltest.Mounter{&logs.Handler{Service: &logs.Service{DB: w.DB, Authz: w.Authz, Stopping: stopping, Heartbeat: 300 * time.Millisecond}}}
	})
	server := httptest.NewUnstartedServer(w.Handler)
	server.Config.ReadTimeout, server.Config.WriteTimeout = 500*time.Millisecond, 500*time.Millisecond
	server.Start()
	t.Cleanup(server.Close)
	return w, server.URL
}

func record(t *testing.T, w *controltest.World, ref tenants.Ref, level projectlog.Level, message string) string {
	t.Helper()
	r := projectlog.Record{ID: uuid.New(), Project: string(ref), At: time.Now(), Level: level, Code: "code", Message: message, Detail: json.RawMessage("{}"), Count: 1}
	if err := w.DB.AppendLog(t.Context(), []projectlog.Record{r}); err != nil {
		t.Fatal(err)
	}
	return r.ID.String()
}

// stream reads server-sent events.
type stream struct {
	t     *testing.T
	lines chan string
	close func()
}

func open(t *testing.T, url, token string, headers ...string) *stream {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if answer.StatusCode != 200 || answer.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("%d %v", answer.StatusCode, answer.Header)
	}
	s := &stream{t: t, lines: make(chan string, 1000), close: cancel}
	go func() {
		defer close(s.lines)
		defer func() { _ = answer.Body.Close() }()
		for in := bufio.NewScanner(answer.Body); in.Scan(); {
			s.lines <- in.Text()
		}
	}()
	return s
}

// next returns the next event: its id, name and data; "" for all at the end.
func (s *stream) next() (id, name, data string) {
	s.t.Helper()
	for line := range s.lines {
		field, value, _ := strings.Cut(line, ": ")
		switch {
		case field == "id":
			id = value
		case field == "event":
			name = value
		case field == "data":
			data = value
		case line == "" && data != "":
			return id, name, data
		}
	}
	return "", "", ""
}

func TestTail(t *testing.T) {
	t.Parallel()
	w, server := tailWorld(t, nil)
	ours, theirs := w.Project(t, w.Acme, "Shop").Project.Ref, w.Project(t, w.Rival, "Shop").Project.Ref
	path := server + "/v1/projects/" + string(ours) + "/logs/tail"
	old := record(t, w, ours, projectlog.Error, "before")

	tail, errors := open(t, path, w.ReadOnly), open(t, path+"?level=error", w.ReadOnly)
	backlog := open(t, path+"?backlog=5", w.ReadOnly)
	if id, _, data := backlog.next(); id != old || !strings.Contains(data, `"before"`) {
		t.Errorf("backlog: %s %s", id, data)
	}
	// After the server's time limits.
	time.Sleep(1200 * time.Millisecond)
	record(t, w, theirs, projectlog.Error, "of others")
	var ids []string
	for n := range 3 {
		ids = append(ids, record(t, w, ours, []projectlog.Level{projectlog.Info, projectlog.Warning, projectlog.Error}[n], fmt.Sprintf("entry %d", n)))
	}
	for n, want := range ids {
		id, name, data := tail.next()
		var e logs.Entry
		if err := json.Unmarshal([]byte(data), &e); err != nil || id != want || e.ID != want || name != "" || e.Message != fmt.Sprintf("entry %d", n) {
			t.Errorf("%s %s %s, want %s", id, name, data, want)
		}
	}
	if id, _, _ := errors.next(); id != ids[2] {
		t.Errorf("the filter lets %s pass", id)
	}
	// A client that comes back gets what it missed.
	if id, _, _ := open(t, path, w.ReadOnly, "Last-Event-ID", ids[1]).next(); id != ids[2] {
		t.Errorf("resumed at %s", id)
	}
	// It ends by itself.
	ended := open(t, path+"?seconds=1&after="+ids[2], w.ReadOnly)
	if id, _, _ := ended.next(); id != "" {
		t.Errorf("got %s", id)
	}

	w.Do(t, w.Stranger, "GET", "/v1/projects/"+string(ours)+"/logs/tail", "").Refused(t, 404, "project_not_found", "")
	for _, bad := range []string{"?seconds=0", "?seconds=3601", "?backlog=201", "?after=x", "?level=x", "?user_id=x"} {
		w.Do(t, w.Owner, "GET", "/v1/projects/"+string(ours)+"/logs/tail"+bad, "").Refused(t, 400, "validation_failed", "")
	}
	w.Do(t, w.Owner, "GET", "/v1/projects/"+string(ours)+"/logs/tail", "", "Last-Event-ID", "x").Refused(t, 400, "validation_failed", "")
}

// TestTailEnds: with the token or the membership of its reader, and with the process.
func TestTailEnds(t *testing.T) {
	t.Parallel()
	stopping := make(chan struct{})
	w, server := tailWorld(t, stopping)
	ref := w.Project(t, w.Acme, "Shop").Project.Ref
	path := server + "/v1/projects/" + string(ref) + "/logs/tail"
	member, token := w.Member(t, w.Acme, "read_only")
	revoked, another := w.Member(t, w.Acme, "read_only")
	removed, cut, stays := open(t, path, token), open(t, path, another), open(t, path, w.Owner)
	w.Exec(t, "DELETE FROM members WHERE user_id = $1", member)
	w.Exec(t, "DELETE FROM access_tokens WHERE user_id = $1", revoked)
	if _, name, data := removed.next(); name != "end" || !strings.Contains(data, `"project_not_found"`) {
		t.Errorf("%s %s", name, data)
	}
	if _, name, data := cut.next(); name != "end" || !strings.Contains(data, `"unauthorized"`) {
		t.Errorf("%s %s", name, data)
	}
	want := record(t, w, ref, projectlog.Info, "still here")
	if id, _, _ := stays.next(); id != want {
		t.Errorf("got %s", id)
	}
	close(stopping)
	if id, name, _ := stays.next(); id != "" || name != "" {
		t.Errorf("%s %s after the end", id, name)
	}
}

func TestTailsAreBounded(t *testing.T) {
	t.Parallel()
	w, server := tailWorld(t, nil)
	a, b, c := w.Project(t, w.Acme, "A").Project.Ref, w.Project(t, w.Acme, "B").Project.Ref, w.Project(t, w.Acme, "C").Project.Ref
	path := func(ref tenants.Ref) string { return "/v1/projects/" + string(ref) + "/logs/tail" }
	var tails []*stream
	for _, ref := range []tenants.Ref{a, a, a, a, a, b, b, b, b, b} {
		if ref == b && len(tails) == 5 {
			w.Do(t, w.Owner, "GET", path(a), "").Refused(t, 429, "too_many_tails", "")
		}
		tails = append(tails, open(t, server+path(ref), w.ReadOnly))
	}
	w.Do(t, w.Owner, "GET", path(c), "").Refused(t, 429, "too_many_tails", "")
	// A place is free once a client has gone.
	tails[0].close()
	for range 100 {
		if w.Do(t, w.Owner, "GET", path(c)+"?seconds=1", "").Status == 200 {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Error("the place of a client that went away is not free")
}
