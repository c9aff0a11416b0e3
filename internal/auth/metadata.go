package auth

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
)

// MaxMetadata bounds the JSON of a user's metadata: it travels in every access
// token.
const MaxMetadata = 64 << 10

// MergeMetadata puts changes over raw, a JSON object; a null removes its key.
func MergeMetadata(raw json.RawMessage, changes map[string]any) (json.RawMessage, error) {
	merged := map[string]any{}
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &merged); err != nil || merged == nil {
			merged = map[string]any{} // what SQL put there is no object
		}
	}
	for k, v := range changes {
		if v == nil {
			delete(merged, k)
			continue
		}
		merged[k] = v
	}
	out, err := json.Marshal(merged)
	if err != nil {
		return nil, fmt.Errorf("encode metadata: %w", err)
	}
	if len(out) > MaxMetadata {
		return nil, ErrValidation.Saying("The metadata is larger than 64 KiB")
	}
	return out, nil
}

// NewUser makes a user who is known by nothing yet.
func NewUser(now time.Time) *User {
	return &User{
		ID: uuid.New(), Aud: Audience, Role: RoleAuthenticated,
		AppMetadata: json.RawMessage(`{}`), UserMetadata: json.RawMessage(`{}`),
		Identities: []Identity{}, CreatedAt: now, UpdatedAt: now,
	}
}

// AddProvider names a provider in the user's app_metadata, the first one also
// as the main one.
func (u *User) AddProvider(provider string) error {
	var meta struct {
		Provider  string   `json:"provider"`
		Providers []string `json:"providers"`
	}
	_ = json.Unmarshal(u.AppMetadata, &meta) // what is no such form counts as empty
	if !slices.Contains(meta.Providers, provider) {
		meta.Providers = append(meta.Providers, provider)
	}
	if meta.Provider == "" {
		meta.Provider = provider
	}
	merged, err := MergeMetadata(u.AppMetadata, map[string]any{"provider": meta.Provider, "providers": meta.Providers})
	if err != nil {
		return err
	}
	u.AppMetadata = merged
	return nil
}

// AddEmailIdentity makes the identity of the user's e-mail address and puts it
// on the user. data is the further identity data.
func (u *User) AddEmailIdentity(data map[string]any, now time.Time) (*Identity, error) {
	all := map[string]any{}
	for k, v := range data {
		all[k] = v
	}
	all["sub"], all["email"] = u.ID.String(), u.Email
	all["email_verified"], all["phone_verified"] = u.EmailConfirmed(), u.PhoneConfirmedAt != nil
	raw, err := MergeMetadata(nil, all)
	if err != nil {
		return nil, err
	}
	u.Identities = append(u.Identities, Identity{
		ID: uuid.New(), ProviderID: u.ID.String(), UserID: u.ID, Data: raw, Provider: ProviderEmail, Email: u.Email,
		LastSignInAt: &now, CreatedAt: &now, UpdatedAt: &now,
	})
	return &u.Identities[len(u.Identities)-1], nil
}

// EmailIdentity is the user's identity of provider email, or nil.
func (u *User) EmailIdentity() *Identity {
	for i := range u.Identities {
		if u.Identities[i].Provider == ProviderEmail {
			return &u.Identities[i]
		}
	}
	return nil
}

// ConfirmEmail marks the address as proved, in the user and in the identity,
// which the caller saves.
func (u *User) ConfirmEmail(now time.Time) error {
	if u.EmailConfirmedAt == nil {
		u.EmailConfirmedAt, u.UpdatedAt = &now, now
	}
	if u.ConfirmedAt == nil {
		u.ConfirmedAt = u.EmailConfirmedAt // the database generates the same
	}
	meta, err := MergeMetadata(u.UserMetadata, map[string]any{"email_verified": true})
	if err != nil {
		return err
	}
	u.UserMetadata = meta
	if i := u.EmailIdentity(); i != nil {
		data, err := MergeMetadata(i.Data, map[string]any{"email": u.Email, "email_verified": true})
		if err != nil {
			return err
		}
		i.Data, i.Email, i.UpdatedAt = data, u.Email, &now
	}
	return nil
}

// HasVerifiedFactor reports whether a second factor protects the user.
func (u *User) HasVerifiedFactor() bool {
	return slices.ContainsFunc(u.Factors, func(f Factor) bool { return f.Status == "verified" })
}
