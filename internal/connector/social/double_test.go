package social_test

import (
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/reevehq/reeve/internal/connector"
	"github.com/reevehq/reeve/internal/connector/connectortest"
	"github.com/reevehq/reeve/internal/connector/social"
)

const redirect = "https://project.example/auth/v1/callback"

func now() time.Time { return connectortest.Now }

// registration is a project's at any provider.
func registration() connector.Client {
	return connector.Client{Project: "project", ID: "client-id", Secret: "client-secret"}
}

func callback() connector.Callback {
	return connector.Callback{RedirectURI: redirect, Code: "the-code", Nonce: "the-nonce", Verifier: "the-verifier"}
}

// idTokens makes a signer whose keys are at an address.
func idTokens(tb testing.TB, d *connectortest.Double, keysURL string, more map[string]any) *connectortest.Signer {
	tb.Helper()
	s := connectortest.NewSigner(tb, "key-1", jose.ES256)
	d.JSON(keysURL, connectortest.KeySet(s.JWK(more)))
	return s
}

func connectors(d *connectortest.Double) map[string]connector.Connector {
	return social.Connectors(d.Client(), now)
}

// data are the members of identity_data that all have, and more.
func data(subject, email string, verified bool, more map[string]any) map[string]any {
	out := map[string]any{"sub": subject, "provider_id": subject, "email_verified": verified, "phone_verified": false}
	if email != "" {
		out["email"] = email
	}
	for name, value := range more {
		out[name] = value
	}
	return out
}
