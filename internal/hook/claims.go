package hook

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/setting"
	"github.com/reevehq/reeve/internal/token"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// tokenEvent is the payload of custom_access_token.
type tokenEvent struct {
	Metadata metadata      `json:"metadata"`
	UserID   uuid.UUID     `json:"user_id"`
	Claims   *token.Claims `json:"claims"`
	Method   auth.Method   `json:"authentication_method"`
}

// TokenHook implements session.TokenHook.
type TokenHook struct{ *Hooks }

// Enabled implements session.TokenHook.
func (TokenHook) Enabled(sc *tenants.Scope) bool { return Enabled(sc, setting.HookCustomAccessToken) }

// Customize implements session.TokenHook.
func (t TokenHook) Customize(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, p *auth.Principal, method auth.Method, c *token.Claims) error {
	event := tokenEvent{Metadata: t.metadata(sc, setting.HookCustomAccessToken), UserID: p.User.ID, Claims: c, Method: method}
	bounds := claimBounds{now: t.now(), offered: c, end: p.Session.NotAfter}
	custom := *c
	obey, err := t.run(ctx, tx, sc, setting.HookCustomAccessToken, event, func(raw json.RawMessage) error { return bounds.apply(raw, &custom) })
	if err == nil && obey {
		*c = custom
	}
	return err
}

// The bounds of a hook's claims.
const (
	// maxClaims bounds the claims as JSON, in bytes: with the signature, in base64, a
	// token within token.MaxLength.
	maxClaims = 40 << 10
	// maxLife is the longest validity that the setting jwt_exp can have.
	maxLife = 7 * 24 * time.Hour
)

// claimBounds is what a hook may not change. A hook cannot make a token of another
// user, session or issuer, nor raise its assurance level: those are facts that Reeve
// has established. It may shorten the validity, and lengthen it within what any
// setting allows, never beyond the session. What the MFA policy demands stays in the
// token.
type claimBounds struct {
	now     time.Time
	offered *token.Claims
	end     *time.Time // of the session; nil for none
}

// apply replaces the claims by those of an answer. The claims that must be there, and
// the types of the known ones, are those of the reference's schema.
func (b claimBounds) apply(raw json.RawMessage, to *token.Claims) error {
	var answer struct {
		Claims json.RawMessage `json:"claims"`
	}
	if raw == nil {
		return errors.New("there is none: it must be an object with claims")
	}
	if err := json.Unmarshal(raw, &answer); err != nil {
		return err
	}
	var claims map[string]json.RawMessage
	if err := json.Unmarshal(answer.Claims, &claims); err != nil || claims == nil {
		return errors.New("claims is not an object")
	}
	if _, ok := claims["iss"]; !ok { // not among the required ones of the reference
		claims["iss"] = quoted(b.offered.Issuer)
	}
	if err := checkTypes(claims); err != nil {
		return err
	}
	if err := b.check(claims, to); err != nil {
		return err
	}
	b.owe(claims)
	custom, err := json.Marshal(claims)
	if err != nil {
		return err
	}
	if len(custom) > maxClaims {
		return &failure{outcome: OutcomeFailed, fault: auth.ErrHookTooLarge, reason: fmt.Sprintf("the claims have %d bytes, more than %d", len(custom), maxClaims)}
	}
	to.Custom = custom
	return nil
}

// kinds are the JSON types of the known claims, by the first byte.
var kinds = []struct {
	name     string
	first    string // the bytes that the value may begin with
	required bool
}{
	{"aud", `"[`, true}, {"exp", "0123456789-", true}, {"iat", "0123456789-", true}, {"sub", `"`, true},
	{"email", `"`, true}, {"phone", `"`, true}, {"role", `"`, true}, {"aal", `"`, true}, {"session_id", `"`, true},
	{"is_anonymous", "tf", true},
	{"iss", `"`, false}, {"jti", `"`, false}, {"nbf", "0123456789-", false}, {"amr", "[", false},
	{"app_metadata", "{", false}, {"user_metadata", "{", false}, {"client_id", `"`, false}, {"scope", `"`, false},
}

// checkTypes also refuses the name of a known claim in other letters, which readers
// that ignore case would take for it.
func checkTypes(claims map[string]json.RawMessage) error {
	for name := range claims {
		for _, k := range kinds {
			if name != k.name && strings.EqualFold(name, k.name) {
				return fmt.Errorf("the claim %.20q is %s in other letters", name, k.name)
			}
		}
	}
	for _, k := range kinds {
		value, ok := claims[k.name]
		if !ok && k.required {
			return fmt.Errorf("the claim %s is missing", k.name)
		}
		if ok && !bytes.ContainsRune([]byte(k.first), rune(value[0])) {
			return fmt.Errorf("the claim %s has another type", k.name)
		}
	}
	return nil
}

// levels are the assurance levels, in ascending order.
var levels = map[string]int{string(auth.AAL1): 1, string(auth.AAL2): 2}

// check checks what must not change, and takes over what Reeve itself reads.
func (b claimBounds) check(claims map[string]json.RawMessage, to *token.Claims) error {
	for name, want := range map[string]string{"iss": b.offered.Issuer, "sub": b.offered.Subject, "session_id": b.offered.SessionID} {
		if text(claims[name]) != want {
			return fmt.Errorf("the claim %s must not change", name)
		}
	}
	if levels[text(claims["aal"])] > levels[string(b.offered.AAL)] || levels[text(claims["aal"])] == 0 {
		return errors.New("the claim aal must be a level that the session has reached")
	}
	if role := text(claims["role"]); role != b.offered.Role && adminRole(role) {
		return fmt.Errorf("the claim role must not be %q", role)
	}
	exp, err := whole(claims["exp"])
	if err != nil {
		return fmt.Errorf("the claim exp: %w", err)
	}
	iat, err := whole(claims["iat"])
	if err != nil {
		return fmt.Errorf("the claim iat: %w", err)
	}
	latest := max(b.now.Add(maxLife).Unix(), b.offered.ExpiresAt)
	if b.end != nil {
		latest = min(latest, max(b.end.Unix(), b.offered.ExpiresAt))
	}
	switch {
	case exp <= b.now.Unix():
		return errors.New("the claim exp is over")
	case exp > latest:
		return fmt.Errorf("the claim exp is too late: at most %d days, and not after the session", int(maxLife.Hours()/24))
	case iat > b.offered.IssuedAt:
		return errors.New("the claim iat must not be later than offered")
	}
	if raw, ok := claims["nbf"]; ok {
		if _, err := whole(raw); err != nil {
			return fmt.Errorf("the claim nbf: %w", err)
		}
	}
	// What follows is in the answer to the client beside the token.
	to.ExpiresAt, to.IssuedAt = exp, b.offered.IssuedAt
	return nil
}

// owe puts back what the project's MFA policy demands. It is no error to leave it out: a
// hook that makes a token of few claims must not shut everybody out when a policy begins.
func (b claimBounds) owe(claims map[string]json.RawMessage) {
	if b.offered.MFARequired != "" {
		claims["mfa_required"] = quoted(b.offered.MFARequired)
	}
	if b.offered.MFAGraceUntil != 0 {
		claims["mfa_grace_until"] = json.RawMessage(strconv.FormatInt(b.offered.MFAGraceUntil, 10))
	}
}

// adminRole reports whether a role is one of API keys and not of users.
func adminRole(role string) bool { return role == "service_role" || role == "supabase_admin" }

// whole reads an integer, which may be written as 1.7e9 or 5.0.
func whole(raw json.RawMessage) (int64, error) {
	f, err := strconv.ParseFloat(string(raw), 64)
	if err != nil || f != math.Trunc(f) || math.Abs(f) > 1<<53 {
		return 0, errors.New("must be an integer")
	}
	return int64(f), nil
}

func text(raw json.RawMessage) (s string) {
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}

func quoted(s string) json.RawMessage {
	raw, _ := json.Marshal(s) // a string always encodes
	return raw
}
