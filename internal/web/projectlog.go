package web

import (
	"errors"
	"net/netip"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/reevehq/reeve/internal/auth"
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
	if e, ok := entryOf(f); ok {
		log.Add(c.Request.Context(), e)
	}
}

// refusals are the refusals that belong into a project's log. The others are the
// user's mistake, and say in the answer all that there is to say.
var refusals = []struct {
	fault   *fault.Error
	level   projectlog.Level
	message string // "": the fault's
}{
	{tenants.ErrPaused, projectlog.Warning, "The project is paused and serves no requests until it is restored."},
	{tenants.ErrCreating, projectlog.Info, ""},
	{tenants.ErrNoKey, projectlog.Warning, "The request has no API key. Clients send it in the header apikey."},
	{tenants.ErrUnknownKey, projectlog.Warning, ""},
	{tenants.ErrExpiredKey, projectlog.Warning, ""},
	{tenants.ErrSecretKeyInBrowser, projectlog.Error, "A secret API key came from a browser, where every visitor can read it. Delete the key, and use a publishable key there."},
	{auth.ErrElsewhere, projectlog.Warning, ""},
	{auth.ErrBadJWT, projectlog.Info, ""},
	{auth.ErrSignupDisabled, projectlog.Info, "Sign-ups are switched off (setting disable_signup)."},
	{auth.ErrAnonymousOff, projectlog.Info, "Anonymous sign-ins are switched off (setting external_anonymous_users_enabled)."},
	{auth.ErrEmailDisabled, projectlog.Info, "The e-mail provider is switched off (setting external_email_enabled)."},
	{auth.ErrEmailOff, projectlog.Info, "The e-mail provider is switched off (setting external_email_enabled)."},
	{auth.ErrPhoneDisabled, projectlog.Info, "The phone provider is switched off (setting external_phone_enabled)."},
	{auth.ErrPhoneOff, projectlog.Info, "The phone provider is switched off (setting external_phone_enabled)."},
	{auth.ErrRequestRate, projectlog.Warning, "A client made more requests than a rate limit of the project allows."},
	{auth.ErrEmailRate, projectlog.Warning, "A limit on mails refused a request."},
	{auth.ErrUserReferenced, projectlog.Warning, ""},
	{auth.ErrAnswerTooLarge, projectlog.Warning, ""},
	{pool.ErrOverCapacity, projectlog.Error, "All database connections that the project may use were busy for too long. Slow triggers and functions are the usual cause."},
}

// entryOf returns the entry for a refusal, and whether it belongs into the log.
func entryOf(f *fault.Error) (projectlog.Entry, bool) {
	if errors.Is(f, auth.ErrBadJWT) && token.Expired(f) {
		return projectlog.Entry{}, false // clients refresh then
	}
	for _, r := range refusals {
		if errors.Is(f, r.fault) {
			e := projectlog.Entry{Level: r.level, Code: f.Code, Message: r.message}
			if e.Message == "" {
				e.Message = f.Message
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
	return projectlog.Entry{Level: projectlog.Error, Code: f.Code, Message: f.Message}, f.Kind == fault.Unavailable
}
