package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/url"

	"github.com/gin-gonic/gin"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/captcha"
	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/internal/password"
	"github.com/reevehq/reeve/internal/projectlog"
	"github.com/reevehq/reeve/tenants"
)

// tries are the refusals that tell why a user cannot sign in. They belong into a
// project's log if it is known whose try it was: the user, or the address that the
// request names. The developers see them in the user's timeline.
var tries = []struct {
	fault   *fault.Error
	message string
}{
	{fault: auth.ErrCredentials, message: "The password is wrong, the user has none, or nobody has the address."},
	{fault: auth.ErrEmailUnconfirmed, message: "The user has not confirmed the e-mail address, and the project requires it (setting mailer_allow_unverified_email_sign_ins)."},
	{fault: auth.ErrPhoneUnconfirmed, message: "The user has not confirmed the phone number."},
	{fault: auth.ErrUserBanned, message: "The user is banned."},
	{fault: auth.ErrTokenUserBanned, message: "The user is banned."},
	{fault: auth.ErrOTPExpired, message: "A code or link is wrong, was used, or has expired."},
	{fault: auth.ErrRefreshUsed, message: "A refresh token was used again, so the session was ended: two copies of it are in use, or an app lost an answer."},
	{fault: auth.ErrRefreshNotFound, message: "A refresh token does not belong to the session any more."},
	{fault: auth.ErrSessionExpired, message: "The session is older than the project allows (settings sessions_...)."},
	{fault: auth.ErrInsufficientAAL, message: "The change needs a session with the second factor."},
	{fault: auth.ErrSMSRate, message: "A limit on text messages refused a request."},
	{fault: auth.ErrSMSFailed, message: "A text message cannot be sent."},
	{fault: auth.ErrUserExists, message: "Somebody signed up with an address that has a user."},
	{fault: auth.ErrEmailExists, message: "The e-mail address is another user's."},
	{fault: auth.ErrPhoneExists, message: "The phone number is another user's."},
	{fault: auth.ErrEmailDomain, message: "E-mail addresses of this domain are refused."},
	{fault: auth.ErrCurrentPassword, message: "The current password was wrong at a change of the password."},
	{fault: auth.ErrReauthInvalid, message: "The code of a reauthentication is wrong or has expired."},
	{fault: password.ErrWeak, message: "The password is weaker than the project requires."},
	{fault: captcha.ErrFailed, message: "The captcha was not solved."},
}

// tryOf returns the entry for a refused try.
func tryOf(f *fault.Error) (projectlog.Entry, bool) {
	for _, t := range tries {
		if errors.Is(f, t.fault) {
			return projectlog.Entry{Level: projectlog.Info, Code: f.Code, Message: t.message}, true
		}
	}
	return projectlog.Entry{}, false
}

// maxUnread is the length of a body, in bytes, that is read for its address after the
// request was refused.
const maxUnread = 8 << 10

// nameSubject tells the request's log which address the request names.
func nameSubject(c *gin.Context, log *projectlog.Request) {
	sc, ok := c.Keys[scopeKey].(*tenants.Scope)
	if !ok {
		return
	}
	body, _ := c.Keys[bodyKey].([]byte)
	if length := c.Request.ContentLength; body == nil && length > 0 && length <= maxUnread {
		body, _ = io.ReadAll(io.LimitReader(c.Request.Body, maxUnread)) // no address otherwise
	}
	log.SetSubject(sc.Tenant.LogSubject(contactIn(body, isForm(c.GetHeader("Content-Type")))))
}

// contactIn is the address or the number that a body names; "" for none.
func contactIn(body []byte, form bool) string {
	var named struct{ Email, Phone any }
	if form {
		values, _ := url.ParseQuery(string(body[:min(len(body), maxUnread)])) // what can be read counts
		named.Email, named.Phone = values.Get("email"), values.Get("phone")
	} else if bytes.HasPrefix(bytes.TrimLeft(body, " \t\r\n"), []byte("{")) {
		_ = json.Unmarshal(body, &named) // no address otherwise
	}
	for _, contact := range []any{named.Email, named.Phone} {
		if text, ok := contact.(string); ok && text != "" && len(text) <= maxContact {
			return text
		}
	}
	return ""
}

// maxContact bounds an address, in bytes.
const maxContact = 320
