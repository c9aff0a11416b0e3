package web

import (
	"github.com/gin-gonic/gin"

	"github.com/reevehq/reeve/internal/ratelimit"
	"github.com/reevehq/reeve/tenants"
)

// Limit is a rule of a project's configuration that counts requests per client
// address. Routes whose rules have the same name share a bucket.
type Limit func(*tenants.Config) ratelimit.Rule

// LimitOTP is for routes that send codes or links, with a separate bucket each.
func LimitOTP(route string) Limit {
	return func(c *tenants.Config) ratelimit.Rule { return ratelimit.OTP(c.RateLimitOTP).For(route) }
}

// LimitVerify is for routes that redeem codes and links.
func LimitVerify(c *tenants.Config) ratelimit.Rule { return ratelimit.Verify(c.RateLimitVerify) }

// LimitToken is for routes that issue tokens.
func LimitToken(c *tenants.Config) ratelimit.Rule {
	return ratelimit.Token(c.RateLimitTokenRefresh)
}

// LimitFactors is for the routes of second factors.
func LimitFactors(c *tenants.Config) ratelimit.Rule { return ratelimit.Factors(c.RateLimitMFA) }

// LimitPasskey is for the begin of a sign-in with a passkey.
func LimitPasskey(*tenants.Config) ratelimit.Rule { return ratelimit.Passkey() }

// LimitPasskeyRegistration is for the begin of the registration of a passkey.
func LimitPasskeyRegistration(c *tenants.Config) ratelimit.Rule {
	return LimitFactors(c).For("passkey_registration")
}

// LimitSSO is for the begin of a sign-in by an enterprise connection: by default 30 in 5
// minutes, as in the reference.
func LimitSSO(c *tenants.Config) ratelimit.Rule { return LimitOTP("sso")(c) }

// LimitAssertion is for the responses of identity providers. Many people of a company
// have one address, so it is the number of sign-ins, not the reference's 15.
func LimitAssertion(c *tenants.Config) ratelimit.Rule { return LimitToken(c).For("assertion") }

// LimitSCIM is for the directories of companies, which send everybody at once: by
// default 25 requests a second, which is what Entra ID asks for, and 500 at once.
func LimitSCIM(c *tenants.Config) ratelimit.Rule {
	r := LimitToken(c).For("scim")
	r.Events *= 50
	r.Burst = min(r.Events, 500)
	return r
}

// LimitProvider is for the routes of sign-ins at external providers.
func LimitProvider(c *tenants.Config) ratelimit.Rule { return LimitToken(c).For("provider") }

// Limits counts requests of the tenant plane.
type Limits struct{ Limiter *ratelimit.Limiter }

// ByAddress limits each client address by the project's rule; the rule's name
// is its bucket.
func (l Limits) ByAddress(rule Limit) gin.HandlerFunc {
	return func(c *gin.Context) {
		sc := scope(c)
		if err := l.Limiter.Allow(c.Request.Context(), sc.Tenant.Ref, rule(&sc.Tenant.Config), ratelimit.LimitKey(sc.ClientIP)); err != nil {
			writeError(c, err)
		}
	}
}
