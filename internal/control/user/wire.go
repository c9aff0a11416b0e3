package user

import (
	"encoding/json"
	"time"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/device"
	"github.com/reevehq/reeve/internal/geo"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// Summary is a user in a list.
type Summary struct {
	ID               string     `json:"id"`
	Email            string     `json:"email"`
	Phone            string     `json:"phone"`
	Name             string     `json:"name" doc:"full_name or name of the user's metadata."`
	Role             string     `json:"role"`
	Providers        []string   `json:"providers" doc:"Of the user's identities."`
	EmailConfirmedAt *time.Time `json:"email_confirmed_at"`
	PhoneConfirmedAt *time.Time `json:"phone_confirmed_at"`
	InvitedAt        *time.Time `json:"invited_at"`
	LastSignInAt     *time.Time `json:"last_sign_in_at"`
	CreatedAt        time.Time  `json:"created_at"`
	UpdatedAt        time.Time  `json:"updated_at"`
	BannedUntil      *time.Time `json:"banned_until" doc:"A time that has passed is a ban that is over."`
	DeletedAt        *time.Time `json:"deleted_at" doc:"Of a soft-deleted user."`
	IsAnonymous      bool       `json:"is_anonymous"`
	IsSSO            bool       `json:"is_sso_user"`
}

// User is a user with metadata.
type User struct {
	Summary
	NewEmail     string          `json:"new_email" doc:"The address that the user wants to change to."`
	NewPhone     string          `json:"new_phone"`
	HasPassword  bool            `json:"has_password"`
	AppMetadata  json.RawMessage `json:"app_metadata"`
	UserMetadata json.RawMessage `json:"user_metadata"`
}

// Page is a part of a list.
type Page struct {
	Users           []Summary `json:"users"`
	Next            *string   `json:"next" doc:"The cursor of the next page; null on the last one."`
	Total           int64     `json:"total" doc:"Of all users that the filters select."`
	TotalIsEstimate bool      `json:"total_is_estimate"`
	Search          string    `json:"search" enum:"anywhere,beginning,address" doc:"What q finds at present: a text anywhere in an address, number or name; at the beginning of one; or the beginning of an e-mail address and a whole number."`
	Indexing        bool      `json:"indexing" doc:"Indexes that make such lists faster, and q find more, are being made."`
}

// Detail is a user with all that belongs to them.
type Detail struct {
	User
	Standing   Standing   `json:"standing"`
	Identities []Identity `json:"identities"`
	Factors    []Factor   `json:"factors"`
	Passkeys   []Passkey  `json:"passkeys"`
	Sessions   []Session  `json:"sessions" doc:"The 100 used last."`
	// What the sessions of the last 30 days came to.
	EndedSessions []EndedSession `json:"ended_sessions" doc:"The 50 that ended last, of the last 30 days."`
	Refreshes     []Refresh      `json:"refreshes" doc:"The last 50 refreshes by tokens that had been used before, of the last 30 days."`
	Rotations     []Rotated      `json:"rotations" doc:"The ordinary refreshes of these sessions, ended ones included, the newest first: the last 50 of each, and 500 in all."`
	Messages      []Message      `json:"messages" doc:"The last message of each kind, the newest first."`
}

// Standing says whether a user can sign in.
type Standing struct {
	CanSignIn   bool       `json:"can_sign_in"`
	Reasons     []string   `json:"reasons" doc:"Why not: deleted, banned, unconfirmed, no_way_in."`
	Confirmed   bool       `json:"confirmed"`
	BannedUntil *time.Time `json:"banned_until" doc:"null unless banned now."`
	LastRefused *Refusal   `json:"last_refused" doc:"The last refused try in the project's log, which is bounded; null for none."`
}

// Refusal is what the project's log says about refused tries of a user.
type Refusal struct {
	At       time.Time `json:"at"`
	Code     string    `json:"code"`
	Message  string    `json:"message"`
	ClientIP string    `json:"client_ip"`
	Route    string    `json:"route"`
	Count    int       `json:"count" doc:"Of tries refused with this code within the last 24 hours."`
}

// Identity is a user's account at a provider.
type Identity struct {
	ID           string          `json:"id"`
	Provider     string          `json:"provider"`
	ProviderID   string          `json:"provider_id" doc:"The user's id at the provider."`
	Email        string          `json:"email"`
	Data         json.RawMessage `json:"data"`
	LastSignInAt *time.Time      `json:"last_sign_in_at"`
	CreatedAt    *time.Time      `json:"created_at"`
	UpdatedAt    *time.Time      `json:"updated_at"`
}

// Factor is a second factor.
type Factor struct {
	ID               string     `json:"id"`
	Type             string     `json:"factor_type"`
	Name             string     `json:"friendly_name"`
	Status           string     `json:"status" enum:"verified,unverified"`
	Phone            string     `json:"phone"`
	CreatedAt        time.Time  `json:"created_at"`
	LastChallengedAt *time.Time `json:"last_challenged_at"`
}

// Passkey is a key of a device that signs a user in.
type Passkey struct {
	ID             string     `json:"id"`
	Name           string     `json:"friendly_name"`
	Model          string     `json:"model" doc:"What the device says that it is; empty for an unknown one."`
	CreatedAt      time.Time  `json:"created_at"`
	LastUsedAt     *time.Time `json:"last_used_at"`
	BackupEligible bool       `json:"backup_eligible" doc:"The device may copy it to the user's other devices."`
	BackedUp       bool       `json:"backed_up" doc:"It has."`
	CloneWarningAt *time.Time `json:"clone_warning_at" doc:"When its counter last did not go up: somebody may have copied it. null for never."`
}

// Session is a session of a user.
type Session struct {
	ID          string     `json:"id"`
	IP          string     `json:"ip"`
	UserAgent   string     `json:"user_agent"`
	AAL         string     `json:"aal"`
	Methods     []string   `json:"methods" doc:"How the user was proved, the newest first."`
	CreatedAt   time.Time  `json:"created_at"`
	RefreshedAt *time.Time `json:"refreshed_at"`
	NotAfter    *time.Time `json:"not_after"`
	ExpiresAt   *time.Time `json:"expires_at" doc:"By the project's limits, unless it is refreshed; null for no limit."`
	Method      string     `json:"method" doc:"How it began."`
	Provider    string     `json:"provider" doc:"The external provider that it began at; empty for none, and when the user has several."`
	Refreshes   int64      `json:"refreshes" doc:"How often it was refreshed."`
	Client
}

// Client is the client of a session.
type Client struct {
	Device device.Device `json:"device" doc:"As the user agent says."`
	Place  *geo.Place    `json:"place" doc:"null where the operator has no database of places."`
}

// EndedSession is a session that ended.
type EndedSession struct {
	ID          string     `json:"id"`
	IP          string     `json:"ip"`
	UserAgent   string     `json:"user_agent"`
	CreatedAt   time.Time  `json:"created_at"`
	RefreshedAt *time.Time `json:"refreshed_at"`
	EndedAt     time.Time  `json:"ended_at"`
	Cause       string     `json:"cause" enum:"signed_out,reuse_detected,timebox,inactivity,expired,replaced,taken_over,banned,password_changed,factor_removed,admin,reported,user_deleted,slo,scim,unknown" doc:"unknown when SQL deleted its row."`
	Client
}

// Refresh is a refresh by a token that had been used before.
type Refresh struct {
	SessionID string    `json:"session_id"`
	At        time.Time `json:"at"`
	Decision  string    `json:"decision" enum:"repeated,within_interval,reuse_detected" doc:"Answered with the newest token again, because it was the one before it or within the reuse interval; or the session ended."`
	Behind    int64     `json:"behind" doc:"How many rotations the token was behind."`
	IP        string    `json:"ip"`
	UserAgent string    `json:"user_agent"`
	Client
	LastRotation *Rotation `json:"last_rotation" doc:"The rotation before it; null for none."`
}

// Rotation is an ordinary refresh.
type Rotation struct {
	At        time.Time `json:"at"`
	IP        string    `json:"ip"`
	UserAgent string    `json:"user_agent"`
	Client
}

// Rotated is an ordinary refresh of a session.
type Rotated struct {
	SessionID string `json:"session_id"`
	Decision  string `json:"decision" enum:"rotated" doc:"The next token was issued."`
	Rotation
}

// Message is the last message of a kind that a user was sent.
type Message struct {
	Kind   string    `json:"kind" enum:"confirmation,invite,recovery,email_change,phone_change,reauthentication"`
	SentAt time.Time `json:"sent_at"`
	To     string    `json:"to" doc:"\"\" when it is not known any more."`
	Open   bool      `json:"open" doc:"Its link or code was not used yet."`
}

// Link signs a user in once.
type Link struct {
	ActionLink string `json:"action_link"`
	Code       string `json:"email_otp" doc:"Can be typed in instead."`
	Token      string `json:"hashed_token"`
	Type       string `json:"verification_type"`
	RedirectTo string `json:"redirect_to"`
}

// Done is the answer of an operation that has nothing to show.
type Done struct {
	OK bool `json:"ok"`
}

func done(err error) (*Done, error) { return &Done{OK: err == nil}, err }

func summaryOf(u tenantdb.UserSummary) Summary {
	s := Summary{
		ID: u.ID.String(), Email: u.Email, Phone: u.Phone, Name: u.Name, Role: u.Role, Providers: u.Providers,
		EmailConfirmedAt: u.EmailConfirmedAt, PhoneConfirmedAt: u.PhoneConfirmedAt, InvitedAt: u.InvitedAt, LastSignInAt: u.LastSignInAt,
		CreatedAt: u.CreatedAt, UpdatedAt: u.UpdatedAt, BannedUntil: u.BannedUntil, DeletedAt: u.DeletedAt,
		IsAnonymous: u.IsAnonymous, IsSSO: u.IsSSOUser,
	}
	if s.Providers == nil {
		s.Providers = []string{}
	}
	return s
}

func userOf(u *auth.User) User {
	providers := []string{}
	for _, i := range u.Identities {
		providers = append(providers, i.Provider)
	}
	return User{
		Summary: summaryOf(tenantdb.UserSummary{
			ID: u.ID, Email: u.Email, Phone: u.Phone, Name: u.Name(), Role: u.Role, Providers: providers,
			EmailConfirmedAt: u.EmailConfirmedAt, PhoneConfirmedAt: u.PhoneConfirmedAt, InvitedAt: u.InvitedAt, LastSignInAt: u.LastSignInAt,
			CreatedAt: u.CreatedAt, UpdatedAt: u.UpdatedAt, BannedUntil: u.BannedUntil, DeletedAt: u.DeletedAt,
			IsAnonymous: u.IsAnonymous, IsSSOUser: u.IsSSOUser,
		}),
		NewEmail: u.NewEmail, NewPhone: u.NewPhone, HasPassword: u.HasPassword(), AppMetadata: u.AppMetadata, UserMetadata: u.UserMetadata,
	}
}
