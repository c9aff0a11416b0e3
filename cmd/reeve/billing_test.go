package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestBilling(t *testing.T) {
	t.Parallel()
	recount := `{"differences":[]}`
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := map[string]string{
			"/v1/organizations/acme/billing/usage": `{"period":{"start":"2027-01-15","end":"2027-02-15"},"plan":{"id":"pro","name":"Pro"},
				"amount":{"base":2500,"total":2833,"lines":[{"meter":"mau","quantity":101025,"included":100000,"billable":1025,"price":"0.00325","amount":333}]},
				"projected":{"total":3105},"projects":[{"ref":"` + strings.Repeat("a", 20) + `","name":"Shop"},{"ref":"` + strings.Repeat("b", 20) + `","name":"Old","deleted":true}]}`,
			"/v1/organizations/acme/billing/plans":                         `{"billed":false,"current":{"name":"Unlimited"},"plans":[]}`,
			"/v1/projects/" + strings.Repeat("a", 20) + "/billing/recount": recount,
		}[r.URL.Path]
		if answer == "" || r.URL.Path == "/v1/organizations/acme/billing/usage" && r.URL.RawQuery != "" && r.URL.RawQuery != "period=2027-01-15" {
			t.Errorf("asked for %s", r.URL)
		}
		_, _ = w.Write([]byte(answer))
	}))
	t.Cleanup(srv.Close)
	vars := map[string]string{"REEVE_URL": srv.URL, "REEVE_ACCESS_TOKEN": goodToken}
	run := func(line string, want int, texts ...string) {
		t.Helper()
		code, out, errOut := call(t, vars, strings.Fields(line)...)
		if code != want {
			t.Errorf("%s: exit %d: %s%s", line, code, out, errOut)
		}
		for _, text := range texts {
			if !strings.Contains(out, text) {
				t.Errorf("%s: %s\nlacks %s", line, out, text)
			}
		}
	}
	run("billing usage acme --period 2027-01-15", exitOK, "Pro, 2027-01-15 to 2027-02-15", "mau     101025   100000     1025     0.00325   333", "Base 25.00, total 28.33 USD", "end of the period: 31.05 USD")
	run("billing plans acme", exitOK, "Unlimited", "bills nobody")
	run("billing recount acme", exitOK, "agrees", "deleted: its ledger is gone")
	recount = `{"differences":[{"day":"2027-01-20","ledger":2,"counted":1}]}`
	run("billing recount acme", exitFailure, "1 days differ")
}
