package auth

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

// MaxMetadata bounds each half of a user's metadata, in bytes of JSON. Both halves
// travel in every access token, which must fit into a request's headers: a user
// whose token did not could not take the change back.
const MaxMetadata = 20 << 10

// MergeMetadata puts changes over raw, a JSON object; a null removes its key.
// Numbers keep their digits where changes holds them as json.Number. What jsonb
// cannot hold, or would blow up, is ErrValidation.
func MergeMetadata(raw json.RawMessage, changes map[string]any) (json.RawMessage, error) {
	written := 0
	for _, v := range changes {
		n, err := writtenOut(v, 1)
		if err != nil {
			return nil, err
		}
		written += n
	}
	merged := decodeObject(raw)
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
	if len(out)+written > MaxMetadata {
		return nil, ErrValidation.Saying("The metadata is larger than 20 KiB")
	}
	return out, nil
}

// decodeObject reads a JSON object, with the digits of its numbers; what SQL put
// there and is none counts as empty.
func decodeObject(raw json.RawMessage) map[string]any {
	var object map[string]any
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	if dec.Decode(&object) != nil || object == nil {
		return map[string]any{}
	}
	return object
}

const (
	// maxNesting is how deep metadata may be; Postgres gives up at some thousands.
	maxNesting = 100
	// maxNumber is the longest literal of a number: enough for every float64.
	maxNumber = 400
)

var errNumber = ErrValidation.Saying("The metadata holds a number that cannot be stored")

// writtenOut checks a value and tells how much longer it gets in jsonb, which
// writes numbers out: 1e300 has 301 digits there.
func writtenOut(v any, depth int) (int, error) {
	if depth > maxNesting {
		return 0, ErrValidation.Saying("The metadata is nested too deeply")
	}
	sum := 0
	add := func(v any) error {
		n, err := writtenOut(v, depth+1)
		sum += n
		return err
	}
	switch v := v.(type) {
	case json.Number:
		return digits(v)
	case []any:
		for _, e := range v {
			if err := add(e); err != nil {
				return 0, err
			}
		}
	case map[string]any:
		for _, e := range v {
			if err := add(e); err != nil {
				return 0, err
			}
		}
	}
	return sum, nil
}

func digits(n json.Number) (int, error) {
	if len(n) > maxNumber {
		return 0, errNumber
	}
	if !strings.ContainsAny(string(n), "eE") {
		return 0, nil
	}
	f, err := n.Float64()
	mantissa, _, _ := strings.Cut(strings.ToLower(string(n)), "e")
	if err != nil || f == 0 && strings.Trim(mantissa, "-0.") != "" { // too large, too small
		return 0, errNumber
	}
	return max(0, len(strconv.FormatFloat(f, 'f', -1, 64))-len(n)), nil
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

// SetEmail makes email, which must be normalized, the user's address: in the
// identity of provider email, which is made where there is none, and in the
// metadata, as after a sign-up. A change that was pending is over. Whether the
// address is proved stays as it was. tenantdb.Tx.ChangeEmail writes it.
func (u *User) SetEmail(email string, now time.Time) error {
	u.Email, u.NewEmail, u.EmailChangeConfirmStatus, u.UpdatedAt = email, "", 0, now
	meta, err := MergeMetadata(u.UserMetadata, map[string]any{"email": email})
	if err != nil {
		return err
	}
	u.UserMetadata = meta
	i := u.EmailIdentity()
	if i == nil {
		if err := u.AddProvider(ProviderEmail); err != nil {
			return err
		}
		_, err := u.AddEmailIdentity(nil, now)
		return err
	}
	data, err := MergeMetadata(i.Data, map[string]any{"email": email, "email_verified": u.EmailConfirmed()})
	if err != nil {
		return err
	}
	i.Data, i.Email, i.UpdatedAt = data, email, &now
	return nil
}

// ForgetFlows forgets what was asked for by mail and not finished, as is due when
// the password changes: whoever began it may be who is to be kept out.
// tenantdb.Tx.EndFlows ends the links.
func (u *User) ForgetFlows() {
	u.ConfirmationSentAt, u.RecoverySentAt, u.ReauthenticationSentAt = nil, nil, nil
	// email_change_sent_at stays: it spaces out mails to addresses that are not the
	// user's, which a new password must not allow again.
	u.NewEmail, u.EmailChangeConfirmStatus = "", 0
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
