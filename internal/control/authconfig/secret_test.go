package authconfig

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/reevehq/reeve/internal/message"
	"github.com/reevehq/reeve/internal/setting"
	"github.com/reevehq/reeve/internal/web/control"
)

// TestNoSecretIsAnswered: with every secret set, the answer contains none of
// them, and writing it back changes none.
func TestNoSecretIsAnswered(t *testing.T) {
	t.Parallel()
	f := fingerprinter{key: []byte("a key of the project")}
	before := values{config: setting.Default(), secrets: setting.Secrets{}}
	for _, s := range setting.All() {
		if s.Secret {
			before.secrets[s.Name] = "hunter2 of " + s.Name
		}
	}
	if len(before.secrets) < 30 {
		t.Fatalf("%d secrets", len(before.secrets))
	}
	raw, err := json.Marshal(onWire(before, f))
	if err != nil || strings.Contains(string(raw), "hunter2") {
		t.Errorf("%s, %v", raw, err)
	}
	var patch control.Object
	if err := json.Unmarshal(raw, &patch); err != nil {
		t.Fatal(err)
	}
	service := &Service{CheckTemplate: message.NewChecker(1).Check}
	if err := service.check(t.Context(), patch); err != nil {
		t.Errorf("written back: %v", err)
	}
	if after, err := apply(before, f, patch); err != nil || !after.equal(before) {
		t.Errorf("written back, %d of %d secrets are left, %v", len(after.secrets), len(before.secrets), err)
	}
	for name := range before.secrets {
		if fingerprint := f.of(name, "x"); !f.made(name, fingerprint) || f.made("other", fingerprint) ||
			fingerprint == f.of("other", "x") || fingerprint == f.of(name, "y") {
			t.Errorf("the fingerprint of %s is not of its name and value", name)
		}
	}
	for _, text := range []string{"", "x", strings.Repeat("0", 64), strings.Repeat("z", 64)} {
		if f.made(setting.SMTPPass, text) {
			t.Errorf("%q is taken for a fingerprint", text)
		}
	}
}
