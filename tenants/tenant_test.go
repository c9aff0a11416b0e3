package tenants_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"testing"

	"github.com/reevehq/reeve/internal/setting"
	"github.com/reevehq/reeve/tenants"
)

func TestParseRef(t *testing.T) {
	t.Parallel()
	good := "abcdefghijklmnopqrst"
	if got, err := tenants.ParseRef(good); err != nil || string(got) != good {
		t.Errorf("ParseRef = %q, %v", got, err)
	}
	for _, wrong := range []string{
		"", good[1:], good + "u", strings.ToUpper(good), good[1:] + "1", good[1:] + "-", good[1:] + "\x00",
		good[1:] + "`", good[1:] + "{", good[2:] + "\u00e9", " " + good[1:],
	} {
		_, err := tenants.ParseRef(wrong)
		wantError(t, err, tenants.ErrUnknownProject)
	}
}

func TestNewRef(t *testing.T) {
	t.Parallel()
	seen := map[tenants.Ref]bool{}
	letters := map[rune]bool{}
	for range 1000 {
		ref := tenants.NewRef()
		if _, err := tenants.ParseRef(string(ref)); err != nil || seen[ref] {
			t.Fatalf("NewRef = %q (seen %v): %v", ref, seen[ref], err)
		}
		seen[ref] = true
		for _, c := range string(ref) {
			letters[c] = true
		}
	}
	if len(letters) != 26 {
		t.Errorf("only %d letters are drawn", len(letters))
	}
}

func TestRefNames(t *testing.T) {
	t.Parallel()
	// Postgres truncates identifiers to 63 bytes, and two truncated ones could
	// be equal.
	plain := regexp.MustCompile(`^[a-z_]{1,63}$`)
	names := map[string]bool{}
	for _, name := range []string{refA.Database(), refA.AuthRole(), refA.APIRole(), refA.OwnerRole()} {
		if !plain.MatchString(name) || names[name] || !strings.Contains(name, string(refA)) {
			t.Errorf("name %q", name)
		}
		names[name] = true
	}
}

func TestSecretsAreHidden(t *testing.T) {
	t.Parallel()
	s := tenants.Secrets{
		AuthPassword: "leak-1", APIPassword: "leak-2", Capability: "leak-3", RefreshKey: []byte("leak-4"),
		OTPKey: []byte("leak-5"), OutboxKey: []byte("leak-6"), Settings: setting.Secrets{setting.SMTPPass: "leak-7"},
	}
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, nil))
	logger.Info("secrets", "value", s, "pointer", &s)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		fmt.Fprintf(&log, verb+verb, s, &s)
	}
	// Neither as text nor as the numbers that bytes are printed as.
	if strings.Contains(log.String(), "leak") || strings.Contains(log.String(), "108 101 97 107") {
		t.Errorf("a secret got out: %s", log.String())
	}
}

func FuzzParseRef(f *testing.F) {
	f.Add(string(refA))
	f.Add("")
	f.Add(strings.Repeat("\u00e9", 10))
	f.Fuzz(func(t *testing.T, s string) {
		ref, err := tenants.ParseRef(s)
		want := regexp.MustCompile(`\A[a-z]{20}\z`).MatchString(s)
		if (err == nil) != want || err == nil && string(ref) != s {
			t.Errorf("ParseRef(%q) = %q, %v", s, ref, err)
		}
	})
}
