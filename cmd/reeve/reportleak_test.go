package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

// TestReportLeak: keys are reported without a token, as many at a time as a report
// may have.
func TestReportLeak(t *testing.T) {
	t.Parallel()
	var reports [][]leakedKey
	refuse := false
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var keys []leakedKey
		if err := json.NewDecoder(r.Body).Decode(&keys); err != nil || r.Header.Get("Authorization") != "" || r.URL.Path != "/v1/leaked-keys" {
			t.Errorf("%s %v: %v", r.URL, r.Header, err)
		}
		if refuse && len(reports) == 1 {
			w.WriteHeader(http.StatusTooManyRequests)
			_, _ = io.WriteString(w, `{"message":"Slow down","code":"over_request_rate_limit"}`)
			return
		}
		reports = append(reports, keys)
		_, _ = io.WriteString(w, `{"message":"Thank you."}`)
	}))
	t.Cleanup(srv.Close)
	var typed strings.Builder
	for i := range 250 {
		fmt.Fprintf(&typed, " key%d \n\n", i)
	}
	run := func(args ...string) (int, string, string) {
		var out, errOut bytes.Buffer
		p := program{in: strings.NewReader(typed.String()), out: &out, err: &errOut, lookup: func(name string) (string, bool) {
			if name != fromVariable {
				return "", false
			}
			return srv.URL, true
		}}
		return p.run(t.Context(), args), out.String(), errOut.String()
	}
	if code, out, errOut := run("keys", "report-leak", "--found-at", "http://a"); code != exitOK || out != "REPORTED\nThank you.\n" {
		t.Errorf("exit %d: %s%s", code, out, errOut)
	}
	all := slices.Concat(reports...)
	if len(reports) != 3 || len(reports[0]) != 100 || len(all) != 250 || all[249] != (leakedKey{"key249", "http://a"}) {
		t.Errorf("%d reports with %d keys", len(reports), len(all))
	}
	reports, refuse = nil, true
	if code, out, errOut := run("keys", "report-leak"); code != exitFailure || out != "" || !strings.Contains(errOut, "100 of 250 keys are reported: Slow down") {
		t.Errorf("exit %d: %s%s", code, out, errOut)
	}
}
