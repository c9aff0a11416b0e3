// Package pkce is proof key for code exchange (RFC 7636) as the SDKs use it for
// links in mails: the app that requested the link is the one that redeems it.
package pkce

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/session"
	"github.com/reevehq/reeve/internal/secret"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// TTL is the lifetime of a code from its issue. The lifetime of the link that
// issues it is separate.
const TTL = 5 * time.Minute

// Challenge are the two members that start an exchange in a request's body.
type Challenge struct {
	CodeChallenge       string `json:"code_challenge"`
	CodeChallengeMethod string `json:"code_challenge_method"`
}

var challengeForm = regexp.MustCompile(`^[A-Za-z0-9\-._~]{43,128}$`)

// Given reports whether the request asks for PKCE.
func (c Challenge) Given() bool { return c.CodeChallenge != "" }

// Check refuses incomplete and malformed challenges (RFC 7636, section 4.2).
func (c Challenge) Check() error {
	if (c.CodeChallenge == "") != (c.CodeChallengeMethod == "") {
		return auth.ErrValidation.Saying("PKCE flow requires code_challenge_method and code_challenge")
	}
	if !c.Given() {
		return nil
	}
	if !challengeForm.MatchString(c.CodeChallenge) {
		return auth.ErrValidation.Saying("code_challenge: must be 43 to 128 unreserved characters")
	}
	if m := strings.ToLower(c.CodeChallengeMethod); m != "s256" && m != "plain" {
		return auth.ErrValidation.Saying("code_challenge_method: must be s256 or plain")
	}
	return nil
}

// Keep returns the sign-up with the challenge, whose exchange begins when its
// link is opened: see Resume.
func (c Challenge) Keep(s auth.Signup) *auth.Signup {
	s.CodeChallenge, s.CodeChallengeMethod = c.CodeChallenge, strings.ToLower(c.CodeChallengeMethod)
	return &s
}

// Resume returns the challenge of a sign-up.
func Resume(s *auth.Signup) Challenge {
	return Challenge{CodeChallenge: s.CodeChallenge, CodeChallengeMethod: s.CodeChallengeMethod}
}

// Begin writes the exchange of a link that is being sent to the user.
func (c Challenge) Begin(ctx context.Context, tx *tenantdb.Tx, user uuid.UUID, method auth.Method, now time.Time) error {
	if !c.Given() {
		return nil
	}
	return tx.CreateFlowState(ctx, &auth.FlowState{
		ID: uuid.New(), UserID: &user, CodeChallenge: c.CodeChallenge,
		CodeChallengeMethod: strings.ToLower(c.CodeChallengeMethod), ProviderType: providerType(method),
		AuthenticationMethod: method, CreatedAt: now,
	})
}

// providerType is the name of an exchange that began with a mail, in rows and
// in the audit log, in the reference's words: the provider for a sign-up, the
// method for all others.
func providerType(method auth.Method) string {
	if method == auth.MethodEmailSignup {
		return auth.ProviderEmail
	}
	return string(method)
}

// IssueCode issues the authorization code of the user's open exchange that began
// with method, and returns it; auth.ErrFlowNotFound. The code expires after TTL.
func IssueCode(ctx context.Context, tx *tenantdb.Tx, user uuid.UUID, method auth.Method, now time.Time) (string, error) {
	f, err := tx.OpenFlowState(ctx, user, method)
	if err != nil {
		return "", err
	}
	code := uuid.NewString()
	return code, tx.IssueCode(ctx, f.ID, code, now)
}

// Verify checks a code verifier; auth.ErrBadVerifier.
func Verify(f *auth.FlowState, verifier string) error {
	got := verifier
	if f.CodeChallengeMethod == "s256" {
		sum := sha256.Sum256([]byte(verifier))
		got = base64.RawURLEncoding.EncodeToString(sum[:])
	}
	// An exchange without a challenge cannot be redeemed.
	if f.CodeChallenge == "" || subtle.ConstantTimeCompare([]byte(got), []byte(f.CodeChallenge)) != 1 {
		return auth.ErrBadVerifier
	}
	return nil
}

// SSOKept is what a flow of an enterprise connection keeps until its code is redeemed.
type SSOKept struct {
	NotAfter time.Time       `json:"session_not_after,omitzero"` // of the session
	Origin   *auth.SSOOrigin `json:"origin,omitempty"`
	AAL      auth.AAL        `json:"aal,omitempty"`
}

// SealTokens seals a provider's tokens for the time between the callback and the
// exchange of the flow's code.
func SealTokens(t *tenants.Tenant, flow uuid.UUID, tokens session.ProviderTokens) (string, error) {
	return Seal(t, flow, tokens)
}

// OpenTokens opens the sealed tokens of a flow; none if it has none.
func OpenTokens(t *tenants.Tenant, f *auth.FlowState) (tokens session.ProviderTokens, err error) {
	return tokens, Open(t, f, &tokens)
}

// Seal seals what a flow keeps in ProviderTokens.
func Seal(t *tenants.Tenant, flow uuid.UUID, kept any) (string, error) {
	raw, err := json.Marshal(kept)
	if err != nil {
		return "", fmt.Errorf("encode what a flow keeps: %w", err)
	}
	sealed, err := secret.SealWith(t.Secrets.OutboxKey, "provider tokens/"+flow.String(), raw)
	return base64.StdEncoding.EncodeToString(sealed), err
}

// Open is the inverse of Seal. It leaves kept unchanged if the flow keeps nothing.
func Open(t *tenants.Tenant, f *auth.FlowState, kept any) error {
	if f.ProviderTokens == "" {
		return nil
	}
	sealed, err := base64.StdEncoding.DecodeString(f.ProviderTokens)
	if err != nil {
		return auth.ErrFlowNotFound.Because(err)
	}
	raw, err := secret.OpenWith(t.Secrets.OutboxKey, "provider tokens/"+f.ID.String(), sealed)
	if err != nil { // SQL of the developer may have written it
		return auth.ErrFlowNotFound.Because(err)
	}
	return json.Unmarshal(raw, kept)
}
