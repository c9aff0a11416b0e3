package server_test

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // RFC 6238
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/server/servertest"
)

// codeOf is the code of an authenticator app now (RFC 6238).
func codeOf(t *testing.T, secret string) string {
	t.Helper()
	key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(secret)
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha1.New, key)
	_ = binary.Write(mac, binary.BigEndian, time.Now().Unix()/30)
	sum := mac.Sum(nil)
	return fmt.Sprintf("%06d", binary.BigEndian.Uint32(sum[sum[19]&15:])&0x7fffffff%1_000_000)
}

// TestOrganizationRequiresMFA: an organization that requires a second factor is closed
// to a session and to an access token of a member without one, who adds an
// authenticator app in their account and is let in, in the same session.
func TestOrganizationRequiresMFA(t *testing.T) {
	t.Parallel()
	reeve := servertest.Start(t)
	p := platform(t, reeve)
	ada, _ := developer(t, p, "ada@example.com")
	eve, _ := developer(t, p, "eve@example.com")
	session := p.SignIn(t, "ada@example.com", "correct horse battery")
	access, _ := browserOf(t, reeve, session)
	mine := page(t, reeve, access)
	slug := mine(http.MethodPost, "/v1/organizations", map[string]any{"name": "Acme"}).Expect(t, 201).JSON(t)["slug"].(string)
	org, err := reeve.Control(t).OrganizationBySlug(t.Context(), slug)
	if err != nil {
		t.Fatal(err)
	}
	err = reeve.Control(t).Tx(t.Context(), func(tx *controldb.Tx) error {
		return tx.AddMember(t.Context(), org.ID, uuid.MustParse(eve), controldb.Developer)
	})
	if err != nil {
		t.Fatal(err)
	}
	evesCookie, _ := browserOf(t, reeve, p.SignIn(t, "eve@example.com", "correct horse battery"))
	eves := page(t, reeve, evesCookie)
	at := "/v1/organizations/" + slug

	// Nobody locks themselves out.
	wantCode(t, mine(http.MethodPatch, at, map[string]any{"mfa_required": true}), "403 insufficient_aal")
	// enroll adds an app in a session, whose new cookies it returns.
	enroll := func(cookie string) (one, access, both string) {
		t.Helper()
		app := page(t, reeve, cookie)(http.MethodPost, "/v1/profile/factors", map[string]any{"friendly_name": "Phone"}).Expect(t, 201).JSON(t)
		prove := func(code string, headers ...string) *servertest.Answer {
			return reeve.Do(t, http.MethodPost, "/dashboard/session/factor", map[string]any{"factor_id": app["id"], "code": code}, fromPage(headers...)...)
		}
		code := codeOf(t, app["secret"].(string))
		wantCode(t, prove("abcdef", "Cookie", cookie), "422 mfa_verification_failed")
		wantCode(t, prove(code), "401 unauthorized")
		wantCode(t, prove(code, "Cookie", cookie, "Sec-Fetch-Site", "cross-site"), "403 cross_origin_request")
		access, both = cookiesOf(t, prove(code, "Cookie", cookie).Expect(t, 200))
		return "/v1/profile/factors/" + app["id"].(string), access, both
	}
	adasFactor, access, cookies := enroll(access)
	mine = page(t, reeve, access)
	mine(http.MethodPatch, at, map[string]any{"mfa_required": true}).Expect(t, 200)

	token := eves(http.MethodPost, "/v1/profile/access-tokens", map[string]any{"name": "CI"}).Expect(t, 201).JSON(t)["token"].(string)
	byToken := func(method, path string) *servertest.Answer {
		return reeve.Do(t, method, path, nil, "Authorization", "Bearer "+token)
	}
	for _, path := range []string{at, at + "/members", at + "/projects", at + "/permissions"} {
		wantCode(t, eves(http.MethodGet, path, nil), "403 organization_mfa_required")
		wantCode(t, byToken(http.MethodGet, path), "403 organization_mfa_required")
	}
	// A factor of somebody else is none that she has.
	wantCode(t, eves(http.MethodDelete, adasFactor, nil), "404 mfa_factor_not_found")
	wantCode(t, byToken(http.MethodGet, "/v1/profile/factors"), "403 session_required")

	held := func() map[string]bool {
		var members []struct {
			UserID     string `json:"user_id"`
			MFAEnabled bool   `json:"mfa_enabled"`
		}
		mine(http.MethodGet, at+"/members", nil).Expect(t, 200).Into(t, &members)
		out := map[string]bool{}
		for _, m := range members {
			out[m.UserID] = m.MFAEnabled
		}
		return out
	}
	if got := held(); !got[ada] || got[eve] {
		t.Errorf("members with a second factor: %v", got)
	}
	_, evesCookie, _ = enroll(evesCookie)
	eves = page(t, reeve, evesCookie)
	eves(http.MethodGet, at, nil).Expect(t, 200)
	// A token that a password alone made gains nothing by it; a new one does.
	wantCode(t, byToken(http.MethodGet, at), "403 organization_mfa_required")
	token = eves(http.MethodPost, "/v1/profile/access-tokens", map[string]any{"name": "CI, again"}).Expect(t, 201).JSON(t)["token"].(string)
	byToken(http.MethodGet, at).Expect(t, 200)
	if got := held(); !got[ada] || !got[eve] {
		t.Errorf("members with a second factor: %v", got)
	}
	// The new cookies go on.
	reeve.Do(t, http.MethodPost, "/dashboard/session/refresh", nil, fromPage("Cookie", cookies)...).Expect(t, 200)

	// A session that proved the password alone does nothing, and says why.
	low := p.SignIn(t, "ada@example.com", "correct horse battery")
	wantCode(t, reeve.Do(t, http.MethodGet, at, nil, "Authorization", "Bearer "+low.AccessToken), "401 insufficient_aal")

	// Recovery codes, once, and passkeys, which are on from the start.
	first := mine(http.MethodPost, "/v1/profile/recovery-codes", nil).Expect(t, 201).JSON(t)["codes"].([]any)
	second := mine(http.MethodPost, "/v1/profile/recovery-codes", nil).Expect(t, 201).JSON(t)["codes"].([]any)
	if len(first) != 10 || len(second) != 10 || first[0] == second[0] {
		t.Errorf("codes %v, then %v", first, second)
	}
	got := mine(http.MethodGet, "/v1/profile/factors", nil).Expect(t, 200).JSON(t)
	if codes := got["recovery_codes"].(map[string]any); codes["remaining"] != 10.0 || got["aal"] != "aal2" || len(got["factors"].([]any)) != 1 {
		t.Errorf("factors: %v", got)
	}
	mine(http.MethodDelete, "/v1/profile/recovery-codes", nil).Expect(t, 200)
	if options := mine(http.MethodPost, "/v1/profile/passkeys/options", nil).Expect(t, 200).JSON(t)["options"].(map[string]any); options["challenge"] == "" {
		t.Errorf("passkey: %v", options)
	}
	wantCode(t, mine(http.MethodPost, "/v1/profile/passkeys", map[string]any{"challenge_id": uuid.NewString(), "credential": map[string]any{}}), "400 webauthn_challenge_not_found")
	wantCode(t, mine(http.MethodDelete, "/v1/profile/passkeys/"+uuid.NewString(), nil), "404 validation_failed")

	// Who removes the last factor is out until they add another one.
	mine(http.MethodDelete, adasFactor, nil).Expect(t, 200)
	wantCode(t, mine(http.MethodGet, at, nil), "403 organization_mfa_required")
}
