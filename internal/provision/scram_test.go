package provision

import (
	"encoding/base64"
	"strings"
	"testing"
)

// The example of RFC 7677, section 3: user "user", password "pencil". Its proof
// and server signature verify with this StoredKey and ServerKey.
func TestScramVerifier(t *testing.T) {
	t.Parallel()
	salt, err := base64.StdEncoding.DecodeString("W22ZaJ0SNY7soEsUEjb6gQ==")
	if err != nil {
		t.Fatal(err)
	}
	got, err := scramVerifierWith("pencil", salt, 4096)
	const want = "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
	if err != nil || got != want {
		t.Errorf("verifier = %s, %v", got, err)
	}
	a, _ := scramVerifier("pencil", 64)
	b, _ := scramVerifier("pencil", 64)
	if a == b || !strings.HasPrefix(a, "SCRAM-SHA-256$64:") {
		t.Errorf("two verifiers: %s, %s", a, b)
	}
}
