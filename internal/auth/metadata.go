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

// MaxMetadata bounds each half of a user's metadata, in bytes of JSON. Both
// halves are in every access token, which must fit into a request's headers. A
// user whose token did not fit could not undo the change.
const MaxMetadata = 20 << 10

// MergeMetadata merges changes into raw, a JSON object; a null removes its key.
// Numbers keep their digits if changes holds them as json.Number. Values that
// jsonb cannot hold, or would expand too much, are ErrValidation, and so is a
// result larger than MaxMetadata. A database that was moved in, or a trigger, may
// exceed that: then the result must not be larger than raw.
func MergeMetadata(raw json.RawMessage, changes map[string]any) (json.RawMessage, error) {
	written := 0
	for _, v := range changes {
		n, err := writtenOut(v, 1)
		if err != nil {
			return nil, err
		}
		written += n
	}
	merged := DecodeObject(raw)
	before, err := json.Marshal(merged)
	if err != nil {
		return nil, fmt.Errorf("encode metadata: %w", err)
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
	if len(out)+written > max(MaxMetadata, len(before)) {
		return nil, ErrValidation.Saying("The metadata is larger than 20 KiB")
	}
	return out, nil
}

// DecodeObject reads a JSON object and keeps the digits of its numbers. A value
// that SQL wrote and that is not an object counts as empty.
func DecodeObject(raw json.RawMessage) map[string]any {
	var object map[string]any
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	if dec.Decode(&object) != nil || object == nil {
		return map[string]any{}
	}
	return object
}

const (
	// maxNesting is the greatest depth of metadata; Postgres fails at some
	// thousands.
	maxNesting = 100
	// maxNumber is the greatest length of a number: enough for every float64.
	maxNumber = 400
)

var errNumber = ErrValidation.Saying("The metadata holds a number that cannot be stored")

// writtenOut checks a value and returns how much longer it gets in jsonb, which
// writes numbers in full: 1e300 has 301 digits there.
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

// NewUser returns a user without an address or identity.
func NewUser(now time.Time) *User {
	return &User{
		ID: uuid.New(), Aud: Audience, Role: RoleAuthenticated,
		AppMetadata: json.RawMessage(`{}`), UserMetadata: json.RawMessage(`{}`),
		Identities: []Identity{}, CreatedAt: now, UpdatedAt: now,
	}
}

// WithProvider returns the members of app_metadata that name a provider in
// addition to those in raw. The first provider is also the main one.
func WithProvider(raw json.RawMessage, provider string) map[string]any {
	var meta struct {
		Provider  string   `json:"provider"`
		Providers []string `json:"providers"`
	}
	_ = json.Unmarshal(raw, &meta) // any other form counts as empty
	if !slices.Contains(meta.Providers, provider) {
		meta.Providers = append(meta.Providers, provider)
	}
	if meta.Provider == "" {
		meta.Provider = provider
	}
	return map[string]any{"provider": meta.Provider, "providers": meta.Providers}
}

// ProvidersOf returns the members of app_metadata that name the providers of
// identities, the oldest first.
func ProvidersOf(identities []Identity) map[string]any {
	names := []string{}
	for i := range identities {
		if !slices.Contains(names, identities[i].Provider) {
			names = append(names, identities[i].Provider)
		}
	}
	if len(names) == 0 {
		return map[string]any{"provider": nil, "providers": names}
	}
	return map[string]any{"provider": names[0], "providers": names}
}

// EmailVerified reports whether the provider of the identity has verified its
// address.
func (i *Identity) EmailVerified() bool {
	var data struct {
		Verified any `json:"email_verified"`
	}
	_ = json.Unmarshal(i.Data, &data) // any other form counts as not verified
	return data.Verified == true
}

// IdentityOf is the user's first identity of a provider, or nil.
func (u *User) IdentityOf(provider string) *Identity {
	for i := range u.Identities {
		if u.Identities[i].Provider == provider {
			return &u.Identities[i]
		}
	}
	return nil
}

// HasVerifiedFactor reports whether a second factor protects the user.
func (u *User) HasVerifiedFactor() bool {
	return slices.ContainsFunc(u.Factors, func(f Factor) bool { return f.Verified() })
}
