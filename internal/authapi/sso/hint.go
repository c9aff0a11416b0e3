package sso

import (
	"encoding/base64"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/secret"
	"github.com/reevehq/reeve/tenants"
)

// maxHint bounds the ID token that is kept for signing out, in bytes. A longer one makes
// an address that servers may not take.
const maxHint = 6000

// sealHint seals the ID token by which a session began, so that the provider can be told
// who signs out (OpenID Connect RP-Initiated Logout 1.0, section 2); "" for one that is
// too long, without which the provider may ask the user.
func sealHint(sc *tenants.Scope, o *auth.SSOOrigin, token string) (string, error) {
	if len(token) > maxHint {
		return "", nil
	}
	sealed, err := secret.SealWith(sc.Tenant.Secrets.OutboxKey, hintPlace(o), []byte(token))
	return base64.StdEncoding.EncodeToString(sealed), err
}

// openHint returns the ID token of a session; "" if it has none that can be opened: a
// sign-out must not fail for it.
func openHint(sc *tenants.Scope, o *auth.SSOOrigin) string {
	sealed, err := base64.StdEncoding.DecodeString(o.Hint)
	if err != nil || len(sealed) == 0 {
		return ""
	}
	token, err := secret.OpenWith(sc.Tenant.Secrets.OutboxKey, hintPlace(o), sealed)
	if err != nil {
		return ""
	}
	return string(token)
}

func hintPlace(o *auth.SSOOrigin) string {
	return "sso id token/" + o.Provider.String() + "/" + o.Name.Value + "/" + o.SessionIndex
}
