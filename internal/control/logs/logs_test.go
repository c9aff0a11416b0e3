package logs_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/control/controltest"
	"github.com/reevehq/reeve/internal/control/logs"
	"github.com/reevehq/reeve/internal/projectlog"
	"github.com/reevehq/reeve/internal/testkit"
	"github.com/reevehq/reeve/tenants"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func TestLogs(t *testing.T) {
	t.Parallel()
	w := controltest.New(t, func(w *controltest.World) []controltest.Mounter {
		return []controltest.Mounter{&logs.Handler{Service: &logs.Service{DB: w.DB, Authz: w.Authz}}}
	})
	ours, theirs := w.Project(t, w.Acme, "Shop").Project.Ref, w.Project(t, w.Rival, "Shop").Project.Ref
	path := func(ref tenants.Ref, query ...string) string {
		q := url.Values{}
		for i := 0; i+1 < len(query); i += 2 {
			q.Set(query[i], query[i+1])
		}
		return "/v1/projects/" + string(ref) + "/logs?" + q.Encode()
	}
	w.Do(t, w.ReadOnly, "GET", path(ours), "").Want(t, 200).Golden(t, "empty")
	ann := uuid.New()
	var ids, others []string
	for _, ref := range []tenants.Ref{ours, theirs} {
		for n := range 5 {
			r := projectlog.Record{
				ID: uuid.New(), Project: string(ref), At: controltest.Now().Add(time.Duration(n) * time.Minute), Level: projectlog.Info,
				Code: "signup_disabled", Message: fmt.Sprintf("Entry %d", n), Detail: json.RawMessage("{}"), Count: 1,
			}
			if n == 3 {
				r.Level, r.Code, r.RequestIDs, r.UserID, r.Count = projectlog.Error, "trigger_failed", []string{"R1", "R2"}, &ann, 2
				r.Route, r.ClientIP, r.Detail = "POST /auth/v1/signup", "192.0.2.1", json.RawMessage(`{"sqlstate":"P0001"}`)
			}
			if ref == ours {
				ids = append(ids, r.ID.String())
			} else {
				others = append(others, r.ID.String())
			}
			if err := w.DB.AppendLog(t.Context(), []projectlog.Record{r}); err != nil {
				t.Fatal(err)
			}
		}
	}
	w.Do(t, w.ReadOnly, "GET", path(ours, "limit", "2"), "").Want(t, 200).Golden(t, "page")

	minute := func(n int) string { return controltest.Now().Add(time.Duration(n) * time.Minute).Format(time.RFC3339) }
	for name, c := range map[string]struct {
		query []string
		want  string
	}{
		"all":             {nil, "[Entry 4 Entry 3 Entry 2 Entry 1 Entry 0] false"},
		"first page":      {[]string{"limit", "2"}, "[Entry 4 Entry 3] true"},
		"last page":       {[]string{"limit", "3", "before", ids[3]}, "[Entry 2 Entry 1 Entry 0] false"},
		"newer":           {[]string{"after", ids[2]}, "[Entry 4 Entry 3] false"},
		"request":         {[]string{"request_id", "R2"}, "[Entry 3] false"},
		"id":              {[]string{"id", ids[1]}, "[Entry 1] false"},
		"id of another":   {[]string{"id", others[1]}, "[] false"},
		"user":            {[]string{"user_id", ann.String()}, "[Entry 3] false"},
		"level":           {[]string{"level", "warning"}, "[Entry 3] false"},
		"least level":     {[]string{"level", "info", "limit", "1"}, "[Entry 4] true"},
		"code":            {[]string{"code", "trigger_failed"}, "[Entry 3] false"},
		"text":            {[]string{"text", "p0001"}, "[Entry 3] false"},
		"time":            {[]string{"since", minute(1), "until", minute(3)}, "[Entry 2 Entry 1] false"},
		"unknown request": {[]string{"request_id", "R3"}, "[] false"},
	} {
		var page logs.Page
		w.Do(t, w.ReadOnly, "GET", path(ours, c.query...), "").Want(t, 200).Into(t, &page)
		messages := []string{}
		for _, e := range page.Logs {
			messages = append(messages, e.Message)
		}
		if got := fmt.Sprint(messages, page.Next != nil); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
		if page.Next != nil && !slices.Contains(ids, *page.Next) {
			t.Errorf("%s: next is %s", name, *page.Next)
		}
	}
	for name, query := range map[string][]string{
		"limit":      {"limit", "1001"},
		"level":      {"level", "debug"},
		"id":         {"id", "x"},
		"before":     {"before", "x"},
		"user_id":    {"user_id", "x"},
		"since":      {"since", "yesterday"},
		"request_id": {"request_id", strings.Repeat("R", 201)},
	} {
		w.Do(t, w.ReadOnly, "GET", path(ours, query...), "").Want(t, 400, name)
	}
	w.Do(t, w.Stranger, "GET", path(ours), "").Refused(t, 404, "project_not_found", "")
	w.Do(t, w.ReadOnly, "GET", path(theirs), "").Refused(t, 404, "project_not_found", "")
}
