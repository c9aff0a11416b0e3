package auth

// Action is the event of an audit entry, in the reference's words.
type Action string

// The actions of the flows.
const (
	ActionLogin                     Action = "login"
	ActionLogout                    Action = "logout"
	ActionInviteAccepted            Action = "invite_accepted"
	ActionUserSignedUp              Action = "user_signedup"
	ActionUserInvited               Action = "user_invited"
	ActionUserDeleted               Action = "user_deleted"
	ActionUserModified              Action = "user_modified"
	ActionUserUpdatedPassword       Action = "user_updated_password"
	ActionUserRecoveryRequested     Action = "user_recovery_requested"
	ActionReauthenticationRequested Action = "user_reauthenticate_requested"
	ActionUserConfirmationRequested Action = "user_confirmation_requested"
	ActionUserRepeatedSignUp        Action = "user_repeated_signup"
	ActionTokenRevoked              Action = "token_revoked"
	ActionTokenRefreshed            Action = "token_refreshed"
	ActionIdentityLinked            Action = "identity_linked"
	ActionIdentityUnlinked          Action = "identity_unlinked"
	ActionFactorEnrolled            Action = "factor_in_progress"
	ActionFactorUnenrolled          Action = "factor_unenrolled"
	ActionFactorUpdated             Action = "factor_updated"
	ActionFactorDeleted             Action = "factor_deleted"
	ActionChallengeCreated          Action = "challenge_created"
	ActionVerificationAttempted     Action = "verification_attempted"
	ActionMFACodeLogin              Action = "mfa_code_login"
	ActionRecoveryCodesGenerated    Action = "recovery_codes_generated"
	ActionRecoveryCodesVerified     Action = "recovery_codes_verified"
	ActionRecoveryCodesRegenerated  Action = "recovery_codes_regenerated"
	ActionRecoveryCodesDeleted      Action = "recovery_codes_deleted"
	ActionPasskeyCreated            Action = "passkey_created"
	ActionPasskeyUpdated            Action = "passkey_updated"
	ActionPasskeyDeleted            Action = "passkey_deleted"
	ActionCustomProviderCreated     Action = "custom_provider_created"
	ActionCustomProviderUpdated     Action = "custom_provider_updated"
	ActionCustomProviderDeleted     Action = "custom_provider_deleted"
	ActionSetupLinkCreated          Action = "sso_setup_link_created"
	ActionSetupLinkRevoked          Action = "sso_setup_link_revoked"
	ActionSetupLinkOpened           Action = "sso_setup_link_opened"
	ActionSetupLinkDone             Action = "sso_setup_link_done"
	ActionSSOProviderCreated        Action = "sso_provider_created"
	ActionSSOProviderUpdated        Action = "sso_provider_updated"
	ActionSSOProviderDeleted        Action = "sso_provider_deleted"
	ActionSSODomainClaimed          Action = "sso_domain_claimed"
	ActionSSODomainMailed           Action = "sso_domain_mailed"
	ActionSSODomainProved           Action = "sso_domain_proved"
	ActionSSODomainShared           Action = "sso_domain_shared"
	ActionSSODomainLost             Action = "sso_domain_lost"
	ActionSSODomainDropped          Action = "sso_domain_dropped"
	ActionSSOKeyAdded               Action = "sso_key_added"
	ActionSSOKeyRemoved             Action = "sso_key_removed"
	ActionSCIMTokenCreated          Action = "scim_token_created"
	ActionSCIMTokenRevoked          Action = "scim_token_revoked"
)

// LogType is the kind of an audit entry, in the reference's words.
type LogType string

// The kinds of entries.
const (
	LogAccount LogType = "account"
	LogTeam    LogType = "team"
	LogToken   LogType = "token"
	LogUser    LogType = "user"
)

var logTypes = map[Action]LogType{
	ActionLogin:                 LogAccount,
	ActionLogout:                LogAccount,
	ActionInviteAccepted:        LogAccount,
	ActionUserSignedUp:          LogTeam,
	ActionUserInvited:           LogTeam,
	ActionUserDeleted:           LogTeam,
	ActionFactorEnrolled:        LogUser,
	ActionFactorUnenrolled:      LogUser,
	ActionChallengeCreated:      LogUser,
	ActionVerificationAttempted: LogUser,
	ActionMFACodeLogin:          LogUser,
	ActionTokenRevoked:          LogToken,
	ActionTokenRefreshed:        LogToken,

	ActionCustomProviderCreated: LogTeam,
	ActionCustomProviderUpdated: LogTeam,
	ActionCustomProviderDeleted: LogTeam,
	ActionSetupLinkCreated:      LogTeam,
	ActionSetupLinkRevoked:      LogTeam,
	ActionSetupLinkOpened:       LogTeam,
	ActionSetupLinkDone:         LogTeam,
	ActionSSOProviderCreated:    LogTeam,
	ActionSSOProviderUpdated:    LogTeam,
	ActionSSOProviderDeleted:    LogTeam,
	ActionSSODomainClaimed:      LogTeam,
	ActionSSODomainMailed:       LogTeam,
	ActionSSODomainProved:       LogTeam,
	ActionSSODomainShared:       LogTeam,
	ActionSSODomainLost:         LogTeam,
	ActionSSODomainDropped:      LogTeam,
	ActionSSOKeyAdded:           LogTeam,
	ActionSSOKeyRemoved:         LogTeam,
	ActionSCIMTokenCreated:      LogTeam,
	ActionSCIMTokenRevoked:      LogTeam,
}

// LogType is the kind of the action's entries.
func (a Action) LogType() LogType {
	if t, ok := logTypes[a]; ok {
		return t
	}
	return LogUser
}
