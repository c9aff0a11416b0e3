package admin

import (
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
)

// providerPhone is the identity provider of a phone number.
const providerPhone = "phone"

func phoneIdentity(u *auth.User) *auth.Identity {
	for i := range u.Identities {
		if u.Identities[i].Provider == providerPhone {
			return &u.Identities[i]
		}
	}
	return nil
}

func phoneData(u *auth.User) map[string]any {
	return map[string]any{
		"sub": u.ID.String(), "phone": u.Phone,
		"email_verified": u.EmailConfirmed(), "phone_verified": u.PhoneConfirmedAt != nil,
	}
}

// addPhone gives a user the identity of the phone number.
func addPhone(u *auth.User, now time.Time) error {
	meta, err := auth.MergeMetadata(u.UserMetadata, map[string]any{"phone_verified": u.PhoneConfirmedAt != nil})
	if err != nil {
		return err
	}
	data, err := auth.MergeMetadata(nil, phoneData(u))
	if err != nil {
		return err
	}
	u.UserMetadata = meta
	u.Identities = append(u.Identities, auth.Identity{
		ID: uuid.New(), ProviderID: u.ID.String(), UserID: u.ID, Data: data, Provider: providerPhone,
		LastSignInAt: &now, CreatedAt: &now, UpdatedAt: &now,
	})
	return u.AddProvider(providerPhone)
}
