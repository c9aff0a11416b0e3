// Package auth defines the terms of authentication: user, identity, session,
// factor, one-time token, assurance level, and the errors that flows share.
// JSON tags are the wire's names. It knows neither HTTP nor SQL.
package auth

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"
)

// AAL is an authenticator assurance level.
type AAL string

// The assurance levels: one factor, two factors.
const (
	AAL1 AAL = "aal1"
	AAL2 AAL = "aal2"
)

// Audience is the aud of every user and access token.
const Audience = "authenticated"

// RoleAuthenticated is the role of a user unless an admin sets another.
const RoleAuthenticated = "authenticated"

// The built-in identity providers: e-mail address and phone number.
const (
	ProviderEmail = "email"
	ProviderPhone = "phone"
)

// Method is how a session was authenticated (an amr entry of the access token).
type Method string

// The methods of the flows, as the access token's amr spells them.
const (
	MethodPassword    Method = "password"
	MethodOTP         Method = "otp"
	MethodEmailSignup Method = "email/signup"
	MethodRecovery    Method = "recovery"
	MethodEmailChange Method = "email_change"
	MethodOAuth       Method = "oauth"
	MethodMagicLink   Method = "magiclink"
	MethodAnonymous   Method = "anonymous"
	MethodTOTP        Method = "totp"

	// MethodFactorPhone is a code sent to a number as a second factor.
	MethodFactorPhone Method = "mfa/phone"
	// MethodRecoveryCode is a recovery code as a second factor.
	MethodRecoveryCode Method = "mfa/recovery_code"

	// MethodRefresh is in no amr: it is how hooks learn of a refresh.
	MethodRefresh Method = "token_refresh"
)

// User is a row of auth.users with its identities and factors. Its JSON form is
// the wire's user object.
type User struct {
	ID                       uuid.UUID       `json:"id"`
	Aud                      string          `json:"aud"`
	Role                     string          `json:"role"`
	Email                    string          `json:"email"`
	EncryptedPassword        string          `json:"-"`
	EmailConfirmedAt         *time.Time      `json:"email_confirmed_at,omitempty"`
	InvitedAt                *time.Time      `json:"invited_at,omitempty"`
	Phone                    string          `json:"phone"`
	PhoneConfirmedAt         *time.Time      `json:"phone_confirmed_at,omitempty"`
	ConfirmationSentAt       *time.Time      `json:"confirmation_sent_at,omitempty"`
	ConfirmedAt              *time.Time      `json:"confirmed_at,omitempty"`
	RecoverySentAt           *time.Time      `json:"recovery_sent_at,omitempty"`
	NewEmail                 string          `json:"new_email,omitempty"`
	EmailChangeSentAt        *time.Time      `json:"email_change_sent_at,omitempty"`
	EmailChangeConfirmStatus int             `json:"-"`
	NewPhone                 string          `json:"new_phone,omitempty"`
	PhoneChangeSentAt        *time.Time      `json:"phone_change_sent_at,omitempty"`
	ReauthenticationSentAt   *time.Time      `json:"reauthentication_sent_at,omitempty"`
	LastSignInAt             *time.Time      `json:"last_sign_in_at,omitempty"`
	AppMetadata              json.RawMessage `json:"app_metadata"`
	UserMetadata             json.RawMessage `json:"user_metadata"`
	Factors                  []Factor        `json:"factors,omitempty"`
	Identities               []Identity      `json:"identities"`
	CreatedAt                time.Time       `json:"created_at"`
	UpdatedAt                time.Time       `json:"updated_at"`
	BannedUntil              *time.Time      `json:"banned_until,omitempty"`
	DeletedAt                *time.Time      `json:"deleted_at,omitempty"`
	IsAnonymous              bool            `json:"is_anonymous"`
	IsSSOUser                bool            `json:"-"`
}

// EmailConfirmed reports whether the user has proved ownership of the address.
func (u *User) EmailConfirmed() bool { return u.EmailConfirmedAt != nil }

// PhoneConfirmed reports whether the user has proved ownership of the number.
func (u *User) PhoneConfirmed() bool { return u.PhoneConfirmedAt != nil }

// Banned reports whether the user is banned at now.
func (u *User) Banned(now time.Time) bool {
	return u.BannedUntil != nil && u.BannedUntil.After(now)
}

// Gone reports whether the account is unusable: soft-deleted, or of another
// audience. SQL may write both.
func (u *User) Gone() bool { return u.DeletedAt != nil || u.Aud != Audience }

// HasPassword reports whether the user can sign in with a password.
func (u *User) HasPassword() bool { return u.EncryptedPassword != "" }

// Identity is a user's account at a provider (auth.identities).
type Identity struct {
	ID           uuid.UUID       `json:"identity_id"`
	ProviderID   string          `json:"id"` // the user's id at the provider
	UserID       uuid.UUID       `json:"user_id"`
	Data         json.RawMessage `json:"identity_data"`
	Provider     string          `json:"provider"`
	LastSignInAt *time.Time      `json:"last_sign_in_at,omitempty"`
	CreatedAt    *time.Time      `json:"created_at,omitempty"`
	UpdatedAt    *time.Time      `json:"updated_at,omitempty"`
	Email        string          `json:"email,omitempty"`
}

// Factor is a second factor of a user (auth.mfa_factors), without its secret.
type Factor struct {
	ID               uuid.UUID  `json:"id"`
	CreatedAt        time.Time  `json:"created_at"`
	UpdatedAt        time.Time  `json:"updated_at"`
	Status           string     `json:"status"` // unverified or verified
	FriendlyName     string     `json:"friendly_name,omitempty"`
	Type             string     `json:"factor_type"` // totp, phone, webauthn or recovery_code
	Phone            string     `json:"phone"`
	LastChallengedAt *time.Time `json:"last_challenged_at,omitempty"`
}

// FactorRecoveryCode is the type of the factor that a set of recovery codes is.
const FactorRecoveryCode = "recovery_code"

// StatusVerified is the status of a factor that protects its user.
const StatusVerified = "verified"

// Verified reports whether the factor protects its user.
func (f *Factor) Verified() bool { return f.Status == StatusVerified }

// AMR is one entry of the access token's amr claim (RFC 8176 by name only).
type AMR struct {
	Method    Method `json:"method"`
	Timestamp int64  `json:"timestamp"` // seconds since 1970
	// Provider is the id of the enterprise connection of a sign-in by one.
	Provider string `json:"provider,omitempty"`
}

// Session is a row of auth.sessions.
type Session struct {
	ID             uuid.UUID
	UserID         uuid.UUID
	AAL            AAL
	FactorID       *uuid.UUID
	CreatedAt      time.Time
	RefreshedAt    *time.Time
	NotAfter       *time.Time
	UserAgent      string
	IP             string
	RefreshCounter int64 // of the newest refresh token issued
	AMR            []AMR
}

// LastActive is when the session was created or refreshed last.
func (s *Session) LastActive() time.Time {
	if s.RefreshedAt != nil && s.RefreshedAt.After(s.CreatedAt) {
		return *s.RefreshedAt
	}
	return s.CreatedAt
}

// Principal is the sender of a request: the owner of a valid access token whose
// session exists. A token without a session, as apps sign it that hold the
// project's key, leaves Session without an ID.
type Principal struct {
	User    User
	Session Session
}

// CheckAAL refuses a change of how the user signs in by a session without the
// second factor that the user has: ErrInsufficientAAL.
func (p *Principal) CheckAAL() error {
	if p.Session.Low(&p.User) {
		return ErrInsufficientAAL
	}
	return nil
}

// TokenType is the purpose of a one-time token (auth.one_time_token_type).
type TokenType string

// The kinds of one-time token. A magic link uses the recovery token, as in the
// reference.
const (
	TokenConfirmation       TokenType = "confirmation_token"
	TokenRecovery           TokenType = "recovery_token"
	TokenEmailChangeNew     TokenType = "email_change_token_new"
	TokenEmailChangeCurrent TokenType = "email_change_token_current"
	TokenReauthentication   TokenType = "reauthentication_token"
	TokenPhoneChange        TokenType = "phone_change_token"
)

// OneTimeToken is a row of auth.one_time_tokens. Only Hash is stored; the token
// itself is sent to the user.
type OneTimeToken struct {
	ID        uuid.UUID
	UserID    uuid.UUID
	Type      TokenType
	Hash      string
	RelatesTo string // the address or number that it was sent to
	CreatedAt time.Time
}

// Signup is a sign-up for an address whose user exists and is not confirmed. It
// becomes the user's when its token confirms the address. Without Password and
// Data the token only proves ownership of the address.
type Signup struct {
	ID                  uuid.UUID
	UserID              uuid.UUID
	Email               string // in lower case
	TokenHash           string
	Resent              bool   // the token of a link that was sent again
	Password            string // its hash
	Data                map[string]any
	CodeChallenge       string
	CodeChallengeMethod string // s256 or plain
	CreatedAt           time.Time
}

// FlowState is a row of auth.flow_state: a PKCE exchange (RFC 7636) or a
// sign-in at an external provider that is in progress.
type FlowState struct {
	ID                   uuid.UUID
	UserID               *uuid.UUID
	AuthCode             string // only of a row that is written: its digest is stored
	CodeChallenge        string // "" without PKCE
	CodeChallengeMethod  string // s256 or plain
	ProviderType         string
	AuthenticationMethod Method
	AuthCodeIssuedAt     *time.Time
	CreatedAt            time.Time
	// Of a sign-in at a provider:
	RedirectTo     string     // where the browser goes in the end, already checked
	LinkTo         *uuid.UUID // the user who gets the identity; nil for a sign-in
	ProviderTokens string     // the provider's tokens, sealed
}

// PKCE reports whether the flow ends with a code for the app's verifier.
func (f *FlowState) PKCE() bool { return f.CodeChallenge != "" }
