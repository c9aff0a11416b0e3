package server_test

import (
	"cmp"
	"net/url"
	"regexp"
	"testing"

	"github.com/reevehq/reeve/internal/server/servertest"
)

// texts are the messages that clients compare, by error code: a regular expression
// of the whole message. They repeat Reeve's constants, because clients do not change
// with them.
var texts = map[string]string{
	"bad_jwt":                     `invalid JWT: unable to parse or verify signature, [a-zA-Z_:. ]{5,120}`,
	"session_not_found":           `Session from session_id claim in JWT does not exist`,
	"user_not_found":              `User not found`,
	"not_admin":                   `User not allowed`,
	"user_banned":                 `User is banned`,
	"invalid_credentials":         `Invalid login credentials`,
	"email_not_confirmed":         `Email not confirmed`,
	"user_already_exists":         `User already registered`,
	"email_exists":                `A user with this email address has already been registered`,
	"signup_disabled":             `Signups not allowed for this instance`,
	"anonymous_provider_disabled": `Anonymous sign-ins are disabled`,
	"same_password":               `New password should be different from the old password\.`,
	"weak_password":               `Password should (be at least \d+ characters|contain at least one character of each: .+)\.|Password is known to be weak and easy to guess, please choose a different one\.`,
	"otp_expired":                 `Token has expired or is invalid`,
	"refresh_token_not_found":     `Invalid Refresh Token: Refresh Token Not Found`,
	"refresh_token_already_used":  `Invalid Refresh Token: Already Used`,
	"session_expired":             `Invalid Refresh Token: Session Expired`,
	"flow_state_not_found":        `invalid flow state, no valid flow state found`,
	"flow_state_expired":          `invalid flow state, flow state has expired`,
	"bad_code_verifier":           `code challenge does not match previously saved code verifier`,
	"over_request_rate_limit":     `Request rate limit reached`,
	"over_email_send_rate_limit":  `For security purposes, you can only request this after \d+ seconds\.`,
}

const linkText = "Email link is invalid or has expired"

// textsOf has the messages of the facts whose code has several messages.
var textsOf = map[string]string{
	"user, bad token":                                              `invalid JWT: unable to parse or verify signature, token is malformed`,
	"user, token is no token":                                      `invalid JWT: unable to parse or verify signature, token is malformed: token contains an invalid number of segments`,
	"user, expired token":                                          `invalid JWT: unable to parse or verify signature, token has invalid claims: token is expired`,
	"user, token of a user that does not exist":                    `User from sub claim in JWT does not exist`,
	"user, token without a session, of a user that does not exist": `User from sub claim in JWT does not exist`,
	"user, deleted":                                                `User from sub claim in JWT does not exist`,
	"update app_metadata":                                          `Only an admin can change app_metadata`,
	"unknown grant":                                                `unsupported_grant_type`,
	"no grant":                                                     `unsupported_grant_type`,
	"signup, password longer than 72 bytes":                        `Password cannot be longer than 72 bytes`,
	"refresh, banned":                                              `Invalid Refresh Token: User Banned`,
	"verify POST, used token":                                      linkText,
	"verify POST, expired token":                                   linkText,
	"signup, email, which is off":                                  `Email signups are disabled`,
	"signup, phone, which is off":                                  `Phone signups are disabled`,
	"password grant, email is off":                                 `Email logins are disabled`,
	"password grant, phone is off":                                 `Phone logins are disabled`,
	"id_token grant, bad token":                                    `The ID token is not valid`,
	"id_token grant, another audience":                             `Unacceptable audience in id_token`,
	"id_token grant, nonce in the token only":                      `Passed nonce and nonce in id_token should either both exist or not\.`,
	"mails of the project over the limit":                          `email rate limit exceeded`,
}

// text checks the message of an error if clients compare it.
func (f fact) text(t *testing.T, a *servertest.Answer) {
	t.Helper()
	want := cmp.Or(textsOf[f.name], texts[f.code])
	body := a.JSON(t)
	got, ok := body["msg"].(string)
	if !ok {
		got, _ = body["message"].(string)
	}
	if want != "" && !regexp.MustCompile(`^(?:`+want+`)$`).MatchString(got) {
		t.Errorf("message %q, want %s", got, want)
	}
}

// redirectText checks the error description in a redirect.
func redirectText(t *testing.T, part string) {
	t.Helper()
	values, err := url.ParseQuery(part)
	if err != nil {
		t.Fatal(err)
	}
	if got := values.Get("error_description"); values.Get("error_code") == "otp_expired" && got != linkText {
		t.Errorf("error_description %q, want %q", got, linkText)
	}
}
