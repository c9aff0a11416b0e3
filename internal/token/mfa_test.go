package token_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/setting"
	"github.com/reevehq/reeve/internal/token"
)

// What a session owes, of every policy and every sort of user, is what the sentences of
// docs/mfa.md say.
func TestOwes(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	const grace = 7 * 24 * time.Hour
	policies := []string{setting.MFAOff, setting.MFAOptional, setting.MFARequired, setting.MFAByRole, setting.MFAWithoutSSO, ""}
	metadata := map[string]bool{ // with one of the roles
		``: false, `{}`: false, `null`: false, `[]`: false, `{"role":"user"}`: false, `{"role":"Admin"}`: false, `{"role":["x"]}`: false, `{"roles":null}`: false,
		`{"roles":[1,null,{"role":"admin"}]}`: false, `{"user":{"role":"admin"}}`: false,
		`{"role":"admin"}`: true, `{"roles":["user","owner"]}`: true, `{"roles":"owner"}`: true, `{"role":"user","roles":["admin"]}`: true, `{"role":1,"roles":[1,"admin"]}`: true,
	}
	identities := map[string]bool{"": false, "email": false, "sso:1": true, "sso:1 sso:2": true, "sso:1 google": false, "sso": false}
	seen := map[string]int{}
	for _, policy := range policies {
		for meta, role := range metadata {
			for providers, sso := range identities {
				for bits := range 64 {
					bit := func(n int) bool { return bits>>n&1 == 1 }
					anonymous, verified, high, password, isNew, began := bit(0), bit(1), bit(2), bit(3), bit(4), bit(5)
					c := setting.Default()
					c.MFAPolicy, c.MFAPolicyRoles, c.MFAPolicyGrace = policy, "admin, owner", 7
					c.MFAPolicySince = now.Add(-time.Hour).Format(time.RFC3339)
					if began {
						c.MFAPolicySince = now.Add(-grace).Format(time.RFC3339)
					}
					p := auth.Principal{User: auth.User{CreatedAt: now.Add(-2 * grace), IsAnonymous: anonymous, AppMetadata: json.RawMessage(meta)}, Session: auth.Session{AAL: auth.AAL1}}
					if isNew {
						p.User.CreatedAt = now.Add(-time.Hour)
					}
					if high {
						p.Session.AAL = auth.AAL2
					}
					if password {
						p.User.EncryptedPassword = "x"
					}
					p.User.Factors = []auth.Factor{{Status: "unverified"}}
					if verified {
						p.User.Factors = append(p.User.Factors, auth.Factor{Status: "verified"})
					}
					for _, provider := range strings.Fields(providers) {
						p.User.Identities = append(p.User.Identities, auth.Identity{Provider: provider})
					}
					exempt := policy == setting.MFAOff || policy == "" || high || anonymous || policy == setting.MFAWithoutSSO && sso && !password
					demanded := policy == setting.MFARequired || policy == setting.MFAWithoutSSO || policy == setting.MFAByRole && role
					over := began && !isNew
					want := token.Owed{}
					switch {
					case exempt:
					case verified:
						want.What = token.OwesVerify
					case demanded && over:
						want.What = token.OwesEnroll
					case demanded:
						want.Until = now.Add(grace - time.Hour)
					}
					got := token.Owes(&c, &p, now)
					if got.What != want.What || !got.Until.Equal(want.Until) {
						t.Fatalf("policy %q, %s, identities %q, %06b: %+v, want %+v", policy, meta, providers, bits, got, want)
					}
					if refused := got.Err() != nil; refused != (want.What != "") {
						t.Fatalf("refused: %v", refused)
					}
					seen[fmt.Sprint(want.What, want.Until.IsZero())]++
				}
			}
		}
	}
	if len(seen) != 4 {
		t.Errorf("only %v", seen)
	}
}
