package web

import (
	"cmp"
	"errors"
	"net/netip"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/connector"
	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/internal/projectlog"
	"github.com/reevehq/reeve/internal/ratelimit"
	"github.com/reevehq/reeve/internal/token"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/pool"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// newProjectLog returns the project's log for a request.
func newProjectLog(c *gin.Context, log *projectlog.Log, ref tenants.Ref, client netip.Addr) *projectlog.Request {
	base := projectlog.Entry{
		Project: string(ref), RequestID: requestID(c),
		Route: c.Request.Method + " " + strings.TrimPrefix(c.FullPath(), "/p/:ref"),
	}
	if client.IsValid() {
		base.ClientIP = client.WithZone("").String()
	}
	return log.Request(base)
}

// projectLog is the log of the request's project; nil if the project is unknown.
func projectLog(c *gin.Context) *projectlog.Request {
	r, _ := c.Keys[projectLogKey].(*projectlog.Request)
	return r
}

// logToProject adds a refusal to the project's log, if developers cause it or can
// remedy it.
func logToProject(c *gin.Context, f *fault.Error) {
	log := projectLog(c)
	if log == nil {
		return
	}
	if p, ok := c.Keys[principalKey].(*auth.Principal); ok {
		log.SetUser(p.User.ID)
	}
	e, ok := entryOf(f, log.Explained())
	try, tried := projectlog.Entry{}, false
	if !ok {
		try, tried = tryOf(f)
	}
	if !ok && !tried {
		return
	}
	nameSubject(c, log)
	switch {
	case ok:
		log.Add(c.Request.Context(), e)
	case log.Known() && !log.Added(): // else a flow has said more
		log.Add(c.Request.Context(), try)
	}
}

// refusals are the refusals that belong into a project's log. The others are the
// user's mistake, and say in the answer all that there is to say.
var refusals = []struct {
	fault   *fault.Error
	level   projectlog.Level
	message string // "": the fault's
	code    string // "": the fault's
	cause   bool   // is shown: it names an identity provider, or says what it answered
}{
	{fault: auth.ErrWebAuthn, level: projectlog.Info, cause: true, message: "A passkey or security key was refused."},
	{fault: auth.ErrPasskeysOff, level: projectlog.Warning, message: "Passkeys are off (setting passkey_enabled)."},
	{fault: tenants.ErrPaused, level: projectlog.Warning, message: "The project is paused and serves no requests until it is restored."},
	{fault: tenants.ErrCreating, level: projectlog.Info},
	{fault: tenants.ErrNoKey, level: projectlog.Warning, message: "The request has no API key. Clients send it in the header apikey."},
	{fault: tenants.ErrUnknownKey, level: projectlog.Warning},
	{fault: tenants.ErrExpiredKey, level: projectlog.Warning},
	{fault: tenants.ErrKeyNetwork, level: projectlog.Warning},
	{fault: tenants.ErrKeyScope, level: projectlog.Warning},
	{fault: tenants.ErrSecretKeyInBrowser, level: projectlog.Error, message: "A secret API key came from a browser, where every visitor can read it. Delete the key, and use a publishable key there."},
	{fault: auth.ErrElsewhere, level: projectlog.Warning},
	{fault: auth.ErrBadJWT, level: projectlog.Info},
	{fault: auth.ErrSignupDisabled, level: projectlog.Info, message: "Sign-ups are switched off (setting disable_signup)."},
	{fault: auth.ErrAnonymousOff, level: projectlog.Info, message: "Anonymous sign-ins are switched off (setting external_anonymous_users_enabled)."},
	{fault: auth.ErrEmailDisabled, level: projectlog.Info, message: "The e-mail provider is switched off (setting external_email_enabled)."},
	{fault: auth.ErrEmailOff, level: projectlog.Info, message: "The e-mail provider is switched off (setting external_email_enabled)."},
	{fault: auth.ErrPhoneDisabled, level: projectlog.Info, message: "The phone provider is switched off (setting external_phone_enabled)."},
	{fault: auth.ErrPhoneOff, level: projectlog.Info, message: "The phone provider is switched off (setting external_phone_enabled)."},
	{fault: auth.ErrRequestRate, level: projectlog.Warning, message: "A client made more requests than a rate limit of the project allows."},
	{fault: auth.ErrEmailRate, level: projectlog.Warning, message: "A limit on mails refused a request."},
	{fault: auth.ErrUserReferenced, level: projectlog.Warning},
	{fault: auth.ErrAnswerTooLarge, level: projectlog.Warning},
	{fault: pool.ErrOverCapacity, level: projectlog.Error, message: "All database connections that the project may use were busy for too long. Slow triggers and functions are the usual cause."},
	{fault: auth.ErrProviderUnknown, level: projectlog.Info, code: "provider_unknown", cause: true},
	{fault: auth.ErrProviderOff, level: projectlog.Info, code: "provider_disabled", message: "The provider is not switched on (its setting external_..._enabled).", cause: true},
	{fault: auth.ErrProviderEmail, level: projectlog.Error, code: "provider_without_email", message: "The provider gave no e-mail address of the user."},
	{fault: auth.ErrOAuthState, level: projectlog.Info, message: "A sign-in came back from a provider with a state that is unknown, used or expired: the address was opened again, or the user took too long."},
	{fault: auth.ErrOAuthCallback, level: projectlog.Info, message: "A sign-in came back from a provider with neither a code nor an error."},
	{fault: auth.ErrFlowNotFound, level: projectlog.Info, message: "An app redeemed a code that is unknown, or redeemed it again."},
	{fault: auth.ErrFlowExpired, level: projectlog.Info, message: "An app redeemed a code too late."},
	{fault: auth.ErrBadVerifier, level: projectlog.Info, message: "An app redeemed a code that another browser began with (PKCE)."},
	{fault: auth.ErrLinkingOff, level: projectlog.Info, message: "Linking of identities by users is switched off (setting security_manual_linking_enabled)."},
	{fault: connector.ErrExchange, level: projectlog.Error, code: "provider_exchange_failed", message: "The provider refused to exchange the code of a sign-in. A wrong client secret or redirect URI is the usual cause.", cause: true},
	{fault: connector.ErrProfile, level: projectlog.Error, code: "provider_profile_failed", message: "The provider did not return a usable profile of the user.", cause: true},
	{fault: connector.ErrIDToken, level: projectlog.Warning, code: "provider_id_token_invalid", message: "An ID token is not valid for this project.", cause: true},
	{fault: connector.ErrUnavailable, level: projectlog.Error, message: "The identity provider cannot be reached.", cause: true},
	{fault: connector.ErrMisconfigured, level: projectlog.Error, code: "provider_misconfigured", message: "The settings of the identity provider do not work.", cause: true},
}

// entryOf returns the entry for a refusal, and whether it belongs into the log. That
// something is not available need not be said where it was explained.
func entryOf(f *fault.Error, explained bool) (projectlog.Entry, bool) {
	if errors.Is(f, auth.ErrBadJWT) && token.Expired(f) {
		return projectlog.Entry{}, false // clients refresh then
	}
	for _, r := range refusals {
		if errors.Is(f, r.fault) {
			e := projectlog.Entry{Level: r.level, Code: cmp.Or(r.code, f.Code), Message: cmp.Or(r.message, f.Message)}
			if r.cause && f.Err != nil {
				e.Detail = map[string]any{"error": f.Err.Error()}
			}
			if over := (*ratelimit.Exceeded)(nil); errors.As(f, &over) {
				e.Detail = map[string]any{"rule": over.Rule.Name, "events": over.Rule.Events, "per": over.Rule.Per.String()}
			}
			return e, true
		}
	}
	switch f.Kind {
	case fault.Internal, fault.Unavailable, fault.Conflict:
	default:
		return projectlog.Entry{}, false
	}
	e, ok := tenantdb.LogEntry(f)
	switch {
	case ok:
		return e, true
	case f.Kind == fault.Internal:
		return projectlog.Entry{
			Level: projectlog.Error, Code: errUnexpected.Code,
			Message: "The server failed. Its operator finds the cause in the server's log under this request id.",
		}, true
	}
	return projectlog.Entry{Level: projectlog.Error, Code: f.Code, Message: f.Message}, f.Kind == fault.Unavailable && !explained
}
