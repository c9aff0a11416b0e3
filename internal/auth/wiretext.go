package auth

// The messages below are part of the wire. Apps and the test suites of stock
// clients compare them, in whole or by their prefix, where the reference long
// had no error code or still uses one code for several cases. They are spelled
// as in the reference and must not be reworded. All other messages are Reeve's
// own.
const (
	// TextBadJWT begins the message of every bad_jwt; the reason follows.
	TextBadJWT = "invalid JWT: unable to parse or verify signature, "

	TextUserGone    = "User from sub claim in JWT does not exist"
	TextSessionGone = "Session from session_id claim in JWT does not exist"
	TextNotAdmin    = "User not allowed"
	TextUserBanned  = "User is banned"
	TextNoUser      = "User not found"

	TextCredentials      = "Invalid login credentials"
	TextUnknownGrant     = "unsupported_grant_type"
	TextEmailUnconfirmed = "Email not confirmed"
	TextPhoneUnconfirmed = "Phone not confirmed"
	TextEmailLoginsOff   = "Email logins are disabled"
	TextPhoneLoginsOff   = "Phone logins are disabled"

	TextSignupsOff      = "Signups not allowed for this instance"
	TextEmailSignupsOff = "Email signups are disabled"
	TextPhoneSignupsOff = "Phone signups are disabled"
	TextAnonymousOff    = "Anonymous sign-ins are disabled"
	TextUserExists      = "User already registered"
	TextEmailExists     = "A user with this email address has already been registered"
	TextPhoneExists     = "A user with this phone number has already been registered"

	TextReauthNeeded  = "Password update requires reauthentication"
	TextReauthInvalid = "Nonce has expired or is invalid"
	TextSamePassword  = "New password should be different from the old password."

	TextOTPExpired  = "Token has expired or is invalid"
	TextLinkExpired = "Email link is invalid or has expired"

	TextRefreshNotFound = "Invalid Refresh Token: Refresh Token Not Found"
	TextRefreshUsed     = "Invalid Refresh Token: Already Used"
	TextRefreshExpired  = "Invalid Refresh Token: Session Expired"
	TextRefreshLowAAL   = "Invalid Refresh Token: Session Expired (Low AAL: User Needs MFA Verification)"
	TextRefreshBanned   = "Invalid Refresh Token: User Banned"

	TextFlowNotFound = "invalid flow state, no valid flow state found"
	TextFlowExpired  = "invalid flow state, flow state has expired"
	TextBadVerifier  = "code challenge does not match previously saved code verifier"

	TextProviderOff = "Unsupported provider: provider is not enabled"

	TextRequestRate = "Request rate limit reached"
	TextEmailRate   = "email rate limit exceeded"
	// TextEmailTooSoon is the message of over_email_send_rate_limit when a mail
	// was just sent to the same address; %d is a number of seconds.
	TextEmailTooSoon = "For security purposes, you can only request this after %d seconds."
)
