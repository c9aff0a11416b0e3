package admin

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/password"
	"github.com/reevehq/reeve/tenants"
)

// maxRole is the width of the column.
const maxRole = 255

// Attributes is the body of POST and PUT. Absent members do not change.
type Attributes struct {
	ID           string         `json:"id"` // of a new user only
	Email        string         `json:"email"`
	Phone        string         `json:"phone"`
	Password     *string        `json:"password"`
	PasswordHash string         `json:"password_hash"`
	EmailConfirm bool           `json:"email_confirm"`
	PhoneConfirm bool           `json:"phone_confirm"`
	UserMetadata map[string]any `json:"user_metadata"`
	AppMetadata  map[string]any `json:"app_metadata"`
	Role         string         `json:"role"`
	BanDuration  string         `json:"ban_duration"` // none, or a Go duration
	// Unchanged, when set, is the updated_at that the user must still have:
	// ErrChanged otherwise. Callers of the wire cannot set it.
	Unchanged *time.Time `json:"-"`
}

// change is Attributes after validation.
type change struct {
	id           uuid.UUID // generated when zero
	email, phone string    // normalized; unchanged when ""
	emailConfirm bool
	phoneConfirm bool
	hash         string // of the password; unchanged when ""
	user, app    map[string]any
	role         string        // unchanged when ""
	ban          time.Duration // 0 with setsBan lifts the ban
	setsBan      bool
}

// check validates the attributes and hashes the password, so it is called
// outside of transactions.
func (s Service) check(ctx context.Context, sc *tenants.Scope, a *Attributes) (*change, error) {
	c := &change{emailConfirm: a.EmailConfirm, phoneConfirm: a.PhoneConfirm, user: a.UserMetadata, app: a.AppMetadata}
	var err error
	if a.Email != "" {
		if c.email, err = auth.NormalizeEmail(a.Email); err != nil {
			return nil, err
		}
	}
	if a.Phone != "" {
		if c.phone, err = auth.NormalizePhone(a.Phone); err != nil {
			return nil, err
		}
	}
	if c.role = a.Role; len(c.role) > maxRole {
		return nil, auth.ErrValidation.Saying("role: must have at most 255 characters")
	}
	if a.BanDuration != "" {
		if c.ban, err = banDuration(a.BanDuration); err != nil {
			return nil, err
		}
		c.setsBan = true
	}
	c.hash, err = s.hash(ctx, sc, a)
	return c, err
}

// banDuration reads a Go duration; none and 0 lift a ban.
func banDuration(text string) (time.Duration, error) {
	if text == "none" {
		return 0, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return 0, auth.ErrValidation.Saying(`ban_duration: must be "none" or a duration such as "24h"`)
	}
	return d, nil
}

// hash returns the hash to store, "" when no password is given. It does not
// check the password's strength: see Update.
func (s Service) hash(ctx context.Context, sc *tenants.Scope, a *Attributes) (string, error) {
	given := a.Password != nil && *a.Password != ""
	switch {
	case given && a.PasswordHash != "":
		return "", auth.ErrValidation.Saying("Only a password or a password hash should be provided")
	case a.PasswordHash != "":
		return a.PasswordHash, password.CheckImport(a.PasswordHash)
	case !given:
		return "", nil
	}
	return s.Hasher.Hash(ctx, sc.Tenant.Ref, *a.Password)
}
