package pkce_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/pkce"
	"github.com/reevehq/reeve/internal/testkit/flowtest"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

func s256(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func TestCheck(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 43)
	for name, c := range map[string]struct {
		challenge, method string
		ok, given         bool
	}{
		"none":                 {"", "", true, false},
		"s256":                 {s256("v"), "s256", true, true},
		"S256":                 {s256("v"), "S256", true, true},
		"plain":                {long + "-._~", "plain", true, true},
		"longest":              {strings.Repeat("a", 128), "plain", true, true},
		"no method":            {long, "", false, true},
		"no challenge":         {"", "s256", false, false},
		"unknown method":       {long, "s512", false, true},
		"short":                {long[1:], "s256", false, true},
		"too long":             {strings.Repeat("a", 129), "s256", false, true},
		"padded":               {long + "=", "s256", false, true},
		"standard alphabet":    {long + "+/", "s256", false, true},
		"a line end behind it": {long + "\n", "s256", false, true},
		"not ASCII":            {long + "é", "s256", false, true},
	} {
		challenge := pkce.Challenge{CodeChallenge: c.challenge, CodeChallengeMethod: c.method}
		err := challenge.Check()
		if (err == nil) != c.ok || err != nil && !errors.Is(err, auth.ErrValidation) || challenge.Given() != c.given {
			t.Errorf("%s: %v, given %v", name, err, challenge.Given())
		}
	}
}

func TestVerify(t *testing.T) {
	t.Parallel()
	// The example of RFC 7636, appendix B.
	const verifier, challenge = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
	for name, c := range map[string]struct {
		method, challenge, verifier string
		ok                          bool
	}{
		"s256":                     {"s256", challenge, verifier, true},
		"plain":                    {"plain", challenge, challenge, true},
		"another verifier":         {"s256", challenge, verifier + "x", false},
		"challenge as verifier":    {"s256", challenge, challenge, false},
		"no verifier":              {"s256", challenge, "", false},
		"verifier of s256 as text": {"plain", challenge, verifier, false},
		"plain, none":              {"plain", challenge, "", false},
		"plain, part":              {"plain", challenge, challenge[1:], false},
		"plain, other case":        {"plain", challenge, strings.ToLower(challenge), false},
		"no challenge":             {"plain", "", "", false},
		"no challenge, no method":  {"", "", "", false},
	} {
		err := pkce.Verify(&auth.FlowState{CodeChallenge: c.challenge, CodeChallengeMethod: c.method}, c.verifier)
		if (err == nil) != c.ok || err != nil && !errors.Is(err, auth.ErrBadVerifier) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestBegin(t *testing.T) {
	t.Parallel()
	f, ctx := flowtest.New(t), context.Background()
	u := auth.NewUser(f.Clock.Now())
	u.Email = "ann@example.com"
	err := f.A.DB.Tx(ctx, func(tx *tenantdb.Tx) error {
		if err := tx.CreateUser(ctx, u); err != nil {
			return err
		}
		return errors.Join(
			pkce.Challenge{}.Begin(ctx, tx, u.ID, auth.MethodRecovery, f.Clock.Now()),
			pkce.Challenge{CodeChallenge: s256("v"), CodeChallengeMethod: "S256"}.Begin(ctx, tx, u.ID, auth.MethodRecovery, f.Clock.Now()))
	})
	if err != nil {
		t.Fatal(err)
	}
	got := flowtest.One[string](t, f.A, `SELECT string_agg(concat_ws(' ', user_id, code_challenge, code_challenge_method, authentication_method,
		auth_code_issued_at IS NULL, auth_code IS NULL), '; ') FROM auth.flow_state`)
	if want := u.ID.String() + " " + s256("v") + " s256 recovery t t"; got != want {
		t.Errorf("flow states %s, want %s: none without a challenge", got, want)
	}
}

func TestIssueCode(t *testing.T) {
	t.Parallel()
	f, ctx := flowtest.New(t), context.Background()
	began := f.Clock.Now()
	issuedAt := began.Add(time.Hour)
	u := auth.NewUser(began)
	u.Email = "ann@example.com"
	older, newer := pkce.Challenge{CodeChallenge: s256("older"), CodeChallengeMethod: "s256"}, pkce.Challenge{CodeChallenge: s256("newer"), CodeChallengeMethod: "s256"}
	codes := make([]string, 2)
	err := f.A.DB.Tx(ctx, func(tx *tenantdb.Tx) (err error) {
		if err := errors.Join(
			tx.CreateUser(ctx, u),
			older.Begin(ctx, tx, u.ID, auth.MethodRecovery, began),
			newer.Begin(ctx, tx, u.ID, auth.MethodRecovery, began.Add(time.Second)),
		); err != nil {
			return err
		}
		for _, other := range []struct {
			user   uuid.UUID
			method auth.Method
		}{{u.ID, auth.MethodEmailSignup}, {uuid.New(), auth.MethodRecovery}} {
			if code, err := pkce.IssueCode(ctx, tx, other.user, other.method, issuedAt); !errors.Is(err, auth.ErrFlowNotFound) || code != "" {
				t.Errorf("%+v has no exchange: code %q, %v", other, code, err)
			}
		}
		for i := range codes {
			if codes[i], err = pkce.IssueCode(ctx, tx, u.ID, auth.MethodRecovery, issuedAt); err != nil {
				return err
			}
		}
		if _, err := pkce.IssueCode(ctx, tx, u.ID, auth.MethodRecovery, issuedAt); !errors.Is(err, auth.ErrFlowNotFound) {
			t.Errorf("a third code of two exchanges: %v", err)
		}
		for i, challenge := range []pkce.Challenge{newer, older} {
			state, _, err := tx.FlowStateByCode(ctx, codes[i])
			if err != nil {
				return err
			}
			if state.CodeChallenge != challenge.CodeChallenge || state.AuthCodeIssuedAt == nil || !state.AuthCodeIssuedAt.Equal(issuedAt) {
				t.Errorf("code %d belongs to %+v, want challenge %s issued at %v", i, state, challenge.CodeChallenge, issuedAt)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
