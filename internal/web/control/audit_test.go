package control

import (
	"strings"
	"testing"
)

// A long text does not hide what else a request changes.
func TestDetailOf_long_text(t *testing.T) {
	t.Parallel()
	body := `{"template":"` + strings.Repeat("x", 2*maxAuditDetail) + `","hook_uri":"https://evil.example","secret":"hunter2"}`
	got := string(detailOf(Operation{}, []byte(body), note{before: map[string]any{"role": "owner"}}))
	if !strings.Contains(got, "https://evil.example") || !strings.Contains(got, `"owner"`) || strings.Contains(got, "hunter2") || len(got) > maxAuditDetail {
		t.Errorf("detail is %s", got)
	}
}
