package auth

import "github.com/reevehq/reeve/internal/fault"

// The errors of the tenant plane. Codes are the wire's, and so are the messages
// that clients compare (wiretext.go); other messages are Reeve's own. A
// disabled provider is ErrEmailDisabled or ErrPhoneDisabled at sign-in, and
// ErrEmailOff or ErrPhoneOff elsewhere: the wire has a status for each.
var (
	ErrBadJSON           = fault.New(fault.Invalid, "bad_json", "The request body is not valid JSON")
	ErrValidation        = fault.New(fault.Invalid, "validation_failed", "The request is not valid")
	ErrBodyTooLarge      = fault.New(fault.TooLarge, "request_entity_too_large", "The request body is larger than 1 MB")
	ErrAnswerTooLarge    = fault.New(fault.Unprocessable, "validation_failed", "The project holds too much data to answer at once: ask for fewer entries")
	ErrNoAuthorization   = fault.New(fault.Unauthorized, "no_authorization", "This endpoint requires a valid Bearer token")
	ErrBadJWT            = fault.New(fault.Forbidden, "bad_jwt", TextBadJWT+"the token is invalid")
	ErrElsewhere         = fault.New(fault.Unauthorized, "bad_jwt", TextBadJWT+"the token belongs to another project")
	ErrNotAdmin          = fault.New(fault.Forbidden, "not_admin", TextNotAdmin)
	ErrSessionNotFound   = fault.New(fault.Forbidden, "session_not_found", TextSessionGone)
	ErrUserNotFound      = fault.New(fault.NotFound, "user_not_found", TextNoUser)
	ErrTokenUserGone     = fault.New(fault.Forbidden, "user_not_found", TextUserGone)
	ErrTokenUserBanned   = fault.New(fault.Forbidden, "user_banned", TextUserBanned)
	ErrUserBanned        = fault.New(fault.Invalid, "user_banned", TextUserBanned)
	ErrCredentials       = fault.New(fault.Invalid, "invalid_credentials", TextCredentials)
	ErrUnknownGrant      = fault.New(fault.Invalid, "invalid_credentials", TextUnknownGrant)
	ErrEmailUnconfirmed  = fault.New(fault.Invalid, "email_not_confirmed", TextEmailUnconfirmed)
	ErrSignupDisabled    = fault.New(fault.Unprocessable, "signup_disabled", TextSignupsOff)
	ErrEmailDisabled     = fault.New(fault.Unprocessable, "email_provider_disabled", TextEmailLoginsOff)
	ErrPhoneDisabled     = fault.New(fault.Unprocessable, "phone_provider_disabled", TextPhoneLoginsOff)
	ErrEmailOff          = fault.New(fault.Invalid, "email_provider_disabled", TextEmailSignupsOff)
	ErrPhoneOff          = fault.New(fault.Invalid, "phone_provider_disabled", TextPhoneSignupsOff)
	ErrAnonymousOff      = fault.New(fault.Unprocessable, "anonymous_provider_disabled", TextAnonymousOff)
	ErrAnonymousPassword = fault.New(fault.Unprocessable, "validation_failed", "Updating password of an anonymous user without an email or phone is not allowed")
	ErrUserExists        = fault.New(fault.Unprocessable, "user_already_exists", TextUserExists)
	ErrEmailExists       = fault.New(fault.Unprocessable, "email_exists", TextEmailExists)
	ErrEmailDomain       = fault.New(fault.Invalid, "email_address_not_authorized", "Email addresses of this domain cannot be used")
	ErrPhoneExists       = fault.New(fault.Unprocessable, "phone_exists", TextPhoneExists)
	ErrProviderUnknown   = fault.New(fault.Invalid, "validation_failed", "Unsupported provider: the provider could not be found")
	ErrProviderOff       = fault.New(fault.Invalid, "validation_failed", TextProviderOff)
	ErrOAuthCallback     = fault.New(fault.Invalid, "bad_oauth_callback", "OAuth callback with missing authorization code")
	ErrOAuthState        = fault.New(fault.Invalid, "bad_oauth_state", "OAuth state not found or expired")
	ErrProviderEmail     = fault.New(fault.Internal, "unexpected_failure", "Error getting user email from external provider")
	ErrEmailUnproved     = fault.New(fault.Forbidden, "provider_email_needs_verification", "Unverified email with the provider. A confirmation email has been sent to your email address")
	ErrLinkingOff        = fault.New(fault.NotFound, "manual_linking_disabled", "Manual linking is disabled")
	ErrIdentityNotFound  = fault.New(fault.Unprocessable, "identity_not_found", "Identity doesn't exist")
	ErrLastIdentity      = fault.New(fault.Unprocessable, "single_identity_not_deletable", "User must have at least 1 identity after unlinking")
	ErrIdentityExists    = fault.New(fault.Unprocessable, "identity_already_exists", "Identity is already linked to another user")
	ErrSamePassword      = fault.New(fault.Unprocessable, "same_password", TextSamePassword)
	ErrCurrentNeeded     = fault.New(fault.Invalid, "current_password_required", "Current password required when setting new password.")
	ErrCurrentPassword   = fault.New(fault.Invalid, "current_password_invalid", "The current password is wrong")
	ErrReauthNeeded      = fault.New(fault.Invalid, "reauthentication_needed", TextReauthNeeded)
	ErrReauthInvalid     = fault.New(fault.Unprocessable, "reauthentication_not_valid", TextReauthInvalid)
	ErrReauthNoAddress   = fault.New(fault.Unprocessable, "validation_failed", "Reauthentication requires the user to have an email or a phone number")
	ErrReauthUnverified  = fault.New(fault.Unprocessable, "email_not_confirmed", "Please verify your email first.")
	ErrReauthPhone       = fault.New(fault.Unprocessable, "phone_not_confirmed", "Please verify your phone first.")
	ErrInsufficientAAL   = fault.New(fault.Unauthorized, "insufficient_aal", "This change requires an aal2 session")
	ErrFactorNotFound    = fault.New(fault.NotFound, "mfa_factor_not_found", "Factor not found")
	ErrFactorName        = fault.New(fault.Unprocessable, "mfa_factor_name_conflict", "A factor with this friendly name exists already for this user")
	ErrTooManyFactors    = fault.New(fault.Unprocessable, "too_many_enrolled_mfa_factors", "Maximum number of enrolled factors reached, unenroll to continue")
	ErrFactorExists      = fault.New(fault.Unprocessable, "mfa_verified_factor_exists", "A verified factor with this phone number exists already, unenroll it to continue")
	ErrChallengeUnknown  = fault.New(fault.Unprocessable, "mfa_factor_not_found", "MFA factor with the provided challenge ID not found")
	ErrChallengeExpired  = fault.New(fault.Unprocessable, "mfa_challenge_expired", "MFA challenge has expired, verify against another challenge or create a new challenge.")
	ErrFactorCode        = fault.New(fault.Unprocessable, "mfa_verification_failed", "Invalid MFA code entered")
	ErrFactorAddress     = fault.New(fault.Unprocessable, "mfa_ip_address_mismatch", "Challenge and verify IP addresses mismatch.")
	ErrTOTPEnrollOff     = fault.New(fault.Unprocessable, "mfa_totp_enroll_not_enabled", "MFA enroll is disabled for TOTP")
	ErrTOTPVerifyOff     = fault.New(fault.Unprocessable, "mfa_totp_verify_not_enabled", "MFA verification is disabled for TOTP")
	ErrFactorPhoneNew    = fault.New(fault.Unprocessable, "mfa_phone_enroll_not_enabled", "MFA enroll is disabled for Phone")
	ErrFactorPhoneOff    = fault.New(fault.Unprocessable, "mfa_phone_verify_not_enabled", "MFA verification is disabled for Phone")
	ErrCodesEnrollOff    = fault.New(fault.Unprocessable, "mfa_recovery_codes_enroll_not_enabled", "MFA enroll is disabled for recovery codes")
	ErrCodesVerifyOff    = fault.New(fault.Unprocessable, "mfa_recovery_codes_verify_not_enabled", "MFA verification is disabled for recovery codes")
	ErrCodesLocked       = fault.New(fault.TooMany, "mfa_recovery_codes_locked", "Too many failed verification attempts, try again later")
	ErrCodesSoleFactor   = fault.New(fault.Unprocessable, "mfa_recovery_codes_sole_factor", "Recovery codes need at least one other verified factor")
	ErrOTPExpired        = fault.New(fault.Forbidden, "otp_expired", TextOTPExpired)
	ErrRefreshNotFound   = fault.New(fault.Invalid, "refresh_token_not_found", TextRefreshNotFound)
	ErrRefreshUsed       = fault.New(fault.Invalid, "refresh_token_already_used", TextRefreshUsed)
	ErrSessionExpired    = fault.New(fault.Invalid, "session_expired", TextRefreshExpired)
	ErrFlowNotFound      = fault.New(fault.NotFound, "flow_state_not_found", TextFlowNotFound)
	ErrFlowExpired       = fault.New(fault.Unprocessable, "flow_state_expired", TextFlowExpired)
	ErrBadVerifier       = fault.New(fault.Invalid, "bad_code_verifier", TextBadVerifier)
	ErrRequestRate       = fault.New(fault.TooMany, "over_request_rate_limit", TextRequestRate)
	ErrEmailRate         = fault.New(fault.TooMany, "over_email_send_rate_limit", TextEmailRate)
	ErrSMSRate           = fault.New(fault.TooMany, "over_sms_send_rate_limit", "SMS rate limit exceeded")
	ErrSMSFailed         = fault.New(fault.Unprocessable, "sms_send_failed", "Text messages cannot be sent at the moment")
	ErrPhoneUnconfirmed  = fault.New(fault.Invalid, "phone_not_confirmed", TextPhoneUnconfirmed)
	ErrConflict          = fault.New(fault.Conflict, "conflict", "Another request changed the same data, try again")
	ErrUserReferenced    = fault.New(fault.Conflict, "conflict", "Rows of another table refer to this user")
	ErrDatabaseAway      = fault.New(fault.Unavailable, "database_unavailable", "The database cannot be reached at the moment")
	ErrTimeout           = fault.New(fault.Unavailable, "request_timeout", "The request took too long")
	ErrHookFailed        = fault.New(fault.Unprocessable, "unexpected_failure", "Error running a hook of the project").Answering(500)
	ErrHookTimeout       = fault.New(fault.Unprocessable, "hook_timeout", "Failed to reach hook within maximum time")
	ErrHookRetries       = fault.New(fault.Unprocessable, "hook_timeout_after_retry", "Failed to reach hook after maximum retries")
	ErrHookTooLarge      = fault.New(fault.Unprocessable, "hook_payload_over_size_limit", "Payload size exceeded size limit")
	ErrHookContentType   = fault.New(fault.Invalid, "hook_payload_invalid_content_type", "Invalid Content-Type of the hook's response")
	ErrHookRefused       = fault.New(fault.Invalid, "unknown", "Refused by a hook of the project")
	ErrMFARejected       = fault.New(fault.Forbidden, "mfa_verification_rejected", "Further MFA verification attempts will be rejected.")
	ErrTriggerFailed     = fault.New(fault.Internal, "unexpected_failure", "A database function of the project failed")
)

// The errors that differ from another one only in their message.
var (
	// ErrEnrollAAL is ErrInsufficientAAL for a further factor, and ErrUnenrollAAL for
	// the removal of a verified one: the wire has a status for each.
	ErrEnrollAAL   = fault.New(fault.Forbidden, "insufficient_aal", "AAL2 required to enroll a new factor")
	ErrUnenrollAAL = fault.New(fault.Unprocessable, "insufficient_aal", "AAL2 required to unenroll verified factor")
	// ErrCodesAAL is ErrEnrollAAL for recovery codes.
	ErrCodesAAL = ErrEnrollAAL.Saying("AAL2 required to generate or delete recovery codes")
	// ErrCodesNotFound is ErrFactorNotFound for a user without recovery codes.
	ErrCodesNotFound = ErrFactorNotFound.Saying("The user has not enrolled recovery codes")
	// ErrMFAEnroll and ErrMFAVerify refuse a session that owes the second factor of the
	// project's MFA policy.
	ErrMFAEnroll = fault.New(fault.Forbidden, "insufficient_aal", "A second factor is required: enroll one first")
	ErrMFAVerify = fault.New(fault.Forbidden, "insufficient_aal", "The second factor is required: answer a challenge of it first")
	// ErrSessionLowAAL is ErrSessionExpired for a session without the second factor that
	// its user has.
	ErrSessionLowAAL = ErrSessionExpired.Saying(TextRefreshLowAAL)
	// ErrAnonymousFactor is for factors of anonymous users.
	ErrAnonymousFactor = fault.New(fault.Forbidden, "no_authorization", "Anonymous user not allowed to perform these actions")
	// ErrBadPhone is ErrValidation for something that is no phone number.
	ErrBadPhone = ErrValidation.Saying("Invalid phone number format (E.164 required)")
	// ErrLinkExpired is ErrOTPExpired for a link, or for the hash in a link.
	ErrLinkExpired = ErrOTPExpired.Saying(TextLinkExpired)
	// ErrRefreshBanned is ErrUserBanned for a refresh.
	ErrRefreshBanned = ErrUserBanned.Saying(TextRefreshBanned)
)
