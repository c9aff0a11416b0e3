package hook

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/internal/token"
)

const (
	sub  = "8ccaa7af-909f-44e7-84cb-67cdccb56be6"
	sess = "4b938a09-5372-4177-a314-cfa292099ea2"
)

var now = time.Unix(1_800_000_000, 0)

func offered() *token.Claims {
	return &token.Claims{
		Issuer: "https://a.test/auth/v1", Subject: sub, Audience: "authenticated", ExpiresAt: now.Unix() + 3600, IssuedAt: now.Unix(),
		Email: "ann@example.com", AppMetadata: json.RawMessage(`{}`), UserMetadata: json.RawMessage(`{}`), Role: "authenticated",
		AAL: auth.AAL1, SessionID: sess,
	}
}

// claimsWith is the JSON of the offered claims with changes; nil removes a claim.
func claimsWith(t testing.TB, changes map[string]any) json.RawMessage {
	t.Helper()
	all := map[string]any{}
	raw, err := json.Marshal(offered())
	if err == nil {
		err = json.Unmarshal(raw, &all)
	}
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range changes {
		all[name] = value
		if value == nil {
			delete(all, name)
		}
	}
	raw, err = json.Marshal(map[string]any{"claims": all})
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func applied(raw json.RawMessage, end *time.Time) (*token.Claims, error) {
	to := offered()
	b := claimBounds{now: now, offered: offered(), end: end}
	err := interpret(raw, func(raw json.RawMessage) error { return b.apply(raw, to) })
	return to, err
}

type changes = map[string]any

func TestClaims(t *testing.T) {
	t.Parallel()
	soon := now.Add(2 * time.Hour)
	for name, c := range map[string]struct {
		changes changes
		end     *time.Time
		want    string // a part of the error; "" for none
	}{
		"unchanged":              {changes{}, nil, ""},
		"more claims":            {changes{"user_role": "admin", "n": 1.5, "deep": map[string]any{"a": []int{1}}}, nil, ""},
		"fewer optional claims":  {changes{"app_metadata": nil, "user_metadata": nil, "amr": nil}, nil, ""},
		"without iss":            {changes{"iss": nil}, nil, ""},
		"another role":           {changes{"role": "moderator"}, nil, ""},
		"another audience":       {changes{"aud": []string{"authenticated", "mcp"}}, nil, ""},
		"no address":             {changes{"email": ""}, nil, ""},
		"shorter":                {changes{"exp": now.Unix() + 60}, nil, ""},
		"a week":                 {changes{"exp": now.Unix() + 7*24*3600}, nil, ""},
		"until the session ends": {changes{"exp": now.Unix() + 2*3600}, &soon, ""},
		"issued earlier":         {changes{"iat": now.Unix() - 60}, nil, ""},
		"exp in another form":    {changes{"exp": json.Number("1.8000036e9")}, nil, ""},
		"role missing":           {changes{"role": nil}, nil, "role is missing"},
		"is_anonymous missing":   {changes{"is_anonymous": nil}, nil, "is_anonymous is missing"},
		"sub missing":            {changes{"sub": nil}, nil, "sub is missing"},
		"exp missing":            {changes{"exp": nil}, nil, "exp is missing"},
		"phone is null":          {changes{"phone": json.RawMessage("null")}, nil, "phone has another type"},
		"exp is text":            {changes{"exp": "tomorrow"}, nil, "exp has another type"},
		"exp is no integer":      {changes{"exp": 1800000000.5}, nil, "must be an integer"},
		"exp is enormous":        {changes{"exp": json.Number("1e300")}, nil, "must be an integer"},
		"app_metadata is a list": {changes{"app_metadata": []int{}}, nil, "app_metadata has another type"},
		"another user":           {changes{"sub": sess}, nil, "sub must not change"},
		"another session":        {changes{"session_id": sub}, nil, "session_id must not change"},
		"another project":        {changes{"iss": "https://b.test/auth/v1"}, nil, "iss must not change"},
		"sub in other letters":   {changes{"SUB": sess}, nil, "in other letters"},
		"aal in other letters":   {changes{"AaL": "aal2"}, nil, "in other letters"},
		"folded letters":         {changes{"ſub": sess}, nil, "in other letters"},
		"service_role":           {changes{"role": "service_role"}, nil, "role must not be"},
		"aal2 without a factor":  {changes{"aal": "aal2"}, nil, "aal must be a level"},
		"an unknown level":       {changes{"aal": "aal9"}, nil, "aal must be a level"},
		"expired":                {changes{"exp": now.Unix()}, nil, "exp is over"},
		"beyond a week":          {changes{"exp": now.Unix() + 7*24*3600 + 1}, nil, "exp is too late"},
		"beyond the session":     {changes{"exp": now.Unix() + 2*3600 + 1}, &soon, "exp is too late"},
		"issued in the future":   {changes{"iat": now.Unix() + 1}, nil, "iat must not be later"},
		"too large":              {changes{"x": strings.Repeat("x", maxClaims)}, nil, "more than"},
	} {
		to, err := applied(claimsWith(t, c.changes), c.end)
		if c.want == "" {
			if err != nil || to.Custom == nil || to.ExpiresAt <= now.Unix() {
				t.Errorf("%s: %s, %v", name, to.Custom, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), c.want) || to.Custom != nil {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// TestGarbage: what is not an answer is a failure, never an answer.
func TestGarbage(t *testing.T) {
	t.Parallel()
	good := string(claimsWith(t, nil))
	for name, raw := range map[string]string{
		"nothing": "", "null": "null", "text": `"ok"`, "number": "1", "list": "[]", "empty": "{}", "half": good[:len(good)/2],
		"two": good + good, "claims is null": `{"claims":null}`, "claims is text": `{"claims":"x"}`, "html": "<html>",
		"claims twice": `{"claims":{},` + good[1:], "deep": strings.Repeat(`{"claims":`, 1000) + "1" + strings.Repeat("}", 1000),
		"a refusal in another form": `{"error":"no",` + good[1:], "a refusal without words": `{"error":{"http_code":403},` + good[1:],
		"not UTF-8": "{\"claims\":\xff}", "NUL": "{\"claims\":\x00}",
	} {
		to, err := applied(json.RawMessage(raw), nil)
		if f := failureOf(err); f == nil || f.outcome != OutcomeFailed || to.Custom != nil {
			t.Errorf("%s: %v, %s", name, err, to.Custom)
		}
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]struct {
		status  int
		code    string
		message string
	}{
		`{"error":{"http_code":403,"message":"No entry"}}`:                          {403, "unknown", "No entry"},
		`{"error":{"http_code":418,"message":"Tea"},"claims":{}}`:                   {418, "unknown", "Tea"},
		`{"error":{"message":"Broken"}}`:                                            {500, "unexpected_failure", "Broken"},
		`{"error":{"http_code":200,"message":"Odd"}}`:                               {500, "unexpected_failure", "Odd"},
		`{"error":{"http_code":-1,"message":"Odd"}}`:                                {500, "unexpected_failure", "Odd"},
		`{"error":{"http_code":429,"message":"` + strings.Repeat("x", 2000) + `"}}`: {429, "unknown", strings.Repeat("x", maxMessage) + " ..."},
	} {
		_, err := applied(json.RawMessage(raw), nil)
		f := failureOf(err)
		if f == nil || f.outcome != OutcomeRefused {
			t.Fatalf("%s: %v", raw, err)
		}
		if got := fault.From(f.wire()); got.Status != want.status || got.Code != want.code || got.Message != want.message {
			t.Errorf("%s: %d %s %q", raw, got.Status, got.Code, got.Message)
		}
	}
}

func TestDecisions(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]Outcome{
		"": OutcomeOK, "null": OutcomeOK, "{}": OutcomeOK, `{"decision":"continue"}`: OutcomeOK, `{"decision":"reject"}`: OutcomeRefused,
		`{"decision":"reject","message":"m","should_logout_user":true}`: OutcomeRefused,
		`{"decision":"rejected"}`: OutcomeFailed, `{"decision":1}`: OutcomeFailed, `{"decision":"reject","should_logout_user":"yes"}`: OutcomeFailed, `[]`: OutcomeFailed,
	} {
		err := interpret(json.RawMessage(raw), func(raw json.RawMessage) error {
			_, err := readDecision(raw, auth.ErrCredentials)
			return err
		})
		got := OutcomeOK
		if f := failureOf(err); f != nil {
			got = f.outcome
		}
		if got != want {
			t.Errorf("%s: %s, want %s", raw, got, want)
		}
	}
}

// FuzzAnswer: no answer makes the reading panic, changes what must not change, or
// yields a token that cannot be sent.
func FuzzAnswer(f *testing.F) {
	f.Add([]byte(claimsWith(f, nil)))
	f.Add([]byte(claimsWith(f, changes{"x": 1, "iss": nil})))
	for _, seed := range []string{`{"error":{"message":"x"}}`, `{"decision":"reject"}`, `{"claims":{"sub":1}}`, `{"a":{"a":1,"a":2}}`, "null", "[[", `{"claims":{}}{}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		to, err := applied(raw, nil)
		_ = interpret(raw, func(raw json.RawMessage) error {
			_, err := readDecision(raw, auth.ErrCredentials)
			return err
		})
		if err != nil {
			if to.Custom != nil || failureOf(err).wire() == nil {
				t.Errorf("failed, and has %s", to.Custom)
			}
			return
		}
		var got token.Claims
		var aud struct{ Aud any }
		if json.Unmarshal(to.Custom, &aud) != nil || !json.Valid(to.Custom) || len(to.Custom) > maxClaims {
			t.Fatalf("signed %s", to.Custom)
		}
		if _, list := aud.Aud.([]any); list {
			return
		}
		if err := json.Unmarshal(to.Custom, &got); err == nil && (got.Subject != sub || got.SessionID != sess || got.Issuer != offered().Issuer || got.AAL != auth.AAL1) {
			t.Errorf("signed %s", to.Custom)
		}
	})
}
