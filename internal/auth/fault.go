package auth

import "github.com/reevehq/reeve/internal/fault"

// The errors of the tenant plane. Codes are the wire's, and so are the messages
// that clients compare (wiretext.go); other messages are Reeve's own. A
// disabled provider is ErrEmailDisabled or ErrPhoneDisabled at sign-in, and
// ErrEmailOff or ErrPhoneOff elsewhere: the wire has a status for each.
var (
	ErrBadJSON          = fault.New(fault.Invalid, "bad_json", "The request body is not valid JSON")
	ErrValidation       = fault.New(fault.Invalid, "validation_failed", "The request is not valid")
	ErrBodyTooLarge     = fault.New(fault.TooLarge, "request_entity_too_large", "The request body is larger than 1 MB")
	ErrAnswerTooLarge   = fault.New(fault.Unprocessable, "validation_failed", "The project holds too much data to answer at once: ask for fewer entries")
	ErrNoAuthorization  = fault.New(fault.Unauthorized, "no_authorization", "This endpoint requires a valid Bearer token")
	ErrBadJWT           = fault.New(fault.Forbidden, "bad_jwt", TextBadJWT+"the token is invalid")
	ErrElsewhere        = fault.New(fault.Unauthorized, "bad_jwt", TextBadJWT+"the token belongs to another project")
	ErrNotAdmin         = fault.New(fault.Forbidden, "not_admin", TextNotAdmin)
	ErrSessionNotFound  = fault.New(fault.Forbidden, "session_not_found", TextSessionGone)
	ErrUserNotFound     = fault.New(fault.NotFound, "user_not_found", TextNoUser)
	ErrTokenUserGone    = fault.New(fault.Forbidden, "user_not_found", TextUserGone)
	ErrTokenUserBanned  = fault.New(fault.Forbidden, "user_banned", TextUserBanned)
	ErrUserBanned       = fault.New(fault.Invalid, "user_banned", TextUserBanned)
	ErrCredentials      = fault.New(fault.Invalid, "invalid_credentials", TextCredentials)
	ErrUnknownGrant     = fault.New(fault.Invalid, "invalid_credentials", TextUnknownGrant)
	ErrEmailUnconfirmed = fault.New(fault.Invalid, "email_not_confirmed", TextEmailUnconfirmed)
	ErrSignupDisabled   = fault.New(fault.Unprocessable, "signup_disabled", TextSignupsOff)
	ErrEmailDisabled    = fault.New(fault.Unprocessable, "email_provider_disabled", TextEmailLoginsOff)
	ErrPhoneDisabled    = fault.New(fault.Unprocessable, "phone_provider_disabled", TextPhoneLoginsOff)
	ErrEmailOff         = fault.New(fault.Invalid, "email_provider_disabled", TextEmailSignupsOff)
	ErrPhoneOff         = fault.New(fault.Invalid, "phone_provider_disabled", TextPhoneSignupsOff)
	ErrAnonymousOff     = fault.New(fault.Unprocessable, "anonymous_provider_disabled", TextAnonymousOff)
	ErrUserExists       = fault.New(fault.Unprocessable, "user_already_exists", TextUserExists)
	ErrEmailExists      = fault.New(fault.Unprocessable, "email_exists", TextEmailExists)
	ErrPhoneExists      = fault.New(fault.Unprocessable, "phone_exists", TextPhoneExists)
	ErrProviderUnknown  = fault.New(fault.Invalid, "validation_failed", "Unsupported provider: the provider could not be found")
	ErrProviderOff      = fault.New(fault.Invalid, "validation_failed", TextProviderOff)
	ErrOAuthCallback    = fault.New(fault.Invalid, "bad_oauth_callback", "OAuth callback with missing authorization code")
	ErrOAuthState       = fault.New(fault.Invalid, "bad_oauth_state", "OAuth state not found or expired")
	ErrProviderEmail    = fault.New(fault.Internal, "unexpected_failure", "Error getting user email from external provider")
	ErrEmailUnproved    = fault.New(fault.Forbidden, "provider_email_needs_verification", "Unverified email with the provider. A confirmation email has been sent to your email address")
	ErrLinkingOff       = fault.New(fault.NotFound, "manual_linking_disabled", "Manual linking is disabled")
	ErrIdentityNotFound = fault.New(fault.Unprocessable, "identity_not_found", "Identity doesn't exist")
	ErrLastIdentity     = fault.New(fault.Unprocessable, "single_identity_not_deletable", "User must have at least 1 identity after unlinking")
	ErrIdentityExists   = fault.New(fault.Unprocessable, "identity_already_exists", "Identity is already linked to another user")
	ErrSamePassword     = fault.New(fault.Unprocessable, "same_password", TextSamePassword)
	ErrCurrentPassword  = fault.New(fault.Invalid, "current_password_invalid", "The current password is wrong")
	ErrReauthNeeded     = fault.New(fault.Invalid, "reauthentication_needed", TextReauthNeeded)
	ErrReauthInvalid    = fault.New(fault.Unprocessable, "reauthentication_not_valid", TextReauthInvalid)
	ErrReauthNoAddress  = fault.New(fault.Unprocessable, "validation_failed", "Reauthentication requires the user to have an email address")
	ErrReauthUnverified = fault.New(fault.Unprocessable, "email_not_confirmed", "Please verify your email first.")
	ErrInsufficientAAL  = fault.New(fault.Unauthorized, "insufficient_aal", "This change requires an aal2 session")
	ErrOTPExpired       = fault.New(fault.Forbidden, "otp_expired", TextOTPExpired)
	ErrRefreshNotFound  = fault.New(fault.Invalid, "refresh_token_not_found", TextRefreshNotFound)
	ErrRefreshUsed      = fault.New(fault.Invalid, "refresh_token_already_used", TextRefreshUsed)
	ErrSessionExpired   = fault.New(fault.Invalid, "session_expired", TextRefreshExpired)
	ErrFlowNotFound     = fault.New(fault.NotFound, "flow_state_not_found", TextFlowNotFound)
	ErrFlowExpired      = fault.New(fault.Unprocessable, "flow_state_expired", TextFlowExpired)
	ErrBadVerifier      = fault.New(fault.Invalid, "bad_code_verifier", TextBadVerifier)
	ErrRequestRate      = fault.New(fault.TooMany, "over_request_rate_limit", TextRequestRate)
	ErrEmailRate        = fault.New(fault.TooMany, "over_email_send_rate_limit", TextEmailRate)
	ErrConflict         = fault.New(fault.Conflict, "conflict", "Another request changed the same data, try again")
	ErrUserReferenced   = fault.New(fault.Conflict, "conflict", "Rows of another table refer to this user")
	ErrDatabaseAway     = fault.New(fault.Unavailable, "database_unavailable", "The database cannot be reached at the moment")
	ErrTimeout          = fault.New(fault.Unavailable, "request_timeout", "The request took too long")
	ErrTriggerFailed    = fault.New(fault.Internal, "unexpected_failure", "A database function of the project failed")
)

// The errors that differ from another one only in their message.
var (
	// ErrLinkExpired is ErrOTPExpired for a link, or for the hash in a link.
	ErrLinkExpired = ErrOTPExpired.Saying(TextLinkExpired)
	// ErrRefreshBanned is ErrUserBanned for a refresh.
	ErrRefreshBanned = ErrUserBanned.Saying(TextRefreshBanned)
)
