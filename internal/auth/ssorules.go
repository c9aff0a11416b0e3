package auth

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
)

// Who asks the users of a connection for a second factor.
const (
	SSOMFAProject        = "project"         // the project's policy, as for all users
	SSOMFAProvider       = "provider"        // the identity provider: each sign-in by it reaches aal2
	SSOMFAProviderStated = "provider_stated" // the identity provider: a sign-in reaches aal2 if it says that a second factor was used
)

// SSOGroupsSCIM is the GroupsAttribute of a connection whose directory says which groups
// its users are in, and no statement.
const SSOGroupsSCIM = "scim"

// Bounds of SSORules.
const (
	maxSSOGroups    = 100
	maxSSOGroup     = 200       // bytes
	maxSSOMetadata  = 16 * 1024 // bytes
	maxSSOAttribute = 512       // bytes
)

// SSORules are what a connection may do, in the form of the wire.
type SSORules struct {
	// AllowUnsolicited accepts sign-ins that begin in the portal of the provider.
	AllowUnsolicited bool `json:"allow_unsolicited"`
	// AllowSHA1 accepts signatures with SHA-1.
	AllowSHA1 bool `json:"allow_sha1"`
	// AllowOtherDomains accepts addresses outside of the connection's domains. It means
	// nothing for a connection without domains.
	AllowOtherDomains bool `json:"allow_other_domains"`
	// CreateUsers makes a user at the first sign-in.
	CreateUsers bool `json:"create_users"`
	// LinkUsers gives a user whose confirmed address is in a domain that the company has
	// proved the connection's identity, rather than making another user.
	LinkUsers bool `json:"link_users"`
	// RefusePasswords refuses passwords and mails that sign in for addresses in the
	// connection's domains.
	RefusePasswords bool `json:"refuse_passwords"`
	// MFA is who asks for a second factor: SSOMFAProject, SSOMFAProvider or
	// SSOMFAProviderStated.
	MFA string `json:"mfa"`
	// GroupsAttribute is the statement or claim with the user's groups, which are kept in
	// app_metadata.groups. "" keeps none; SSOGroupsSCIM keeps those of the directory.
	GroupsAttribute string `json:"groups_attribute"`
	// AllowedGroups are the groups of which a user must be in one; empty for everybody.
	AllowedGroups []string `json:"allowed_groups"`
	// DefaultUserMetadata and DefaultAppMetadata are given to users whom the connection
	// creates.
	DefaultUserMetadata map[string]any `json:"default_user_metadata"`
	DefaultAppMetadata  map[string]any `json:"default_app_metadata"`
}

// DefaultSSORules are the rules of a connection that nobody gave any.
func DefaultSSORules() SSORules {
	return SSORules{
		AllowUnsolicited: true, CreateUsers: true, MFA: SSOMFAProject,
		AllowedGroups: []string{}, DefaultUserMetadata: map[string]any{}, DefaultAppMetadata: map[string]any{},
	}
}

// ReadSSORules reads stored rules. What cannot be read is as by default.
func ReadSSORules(raw []byte) SSORules {
	r := DefaultSSORules()
	if len(raw) > 0 && json.Unmarshal(raw, &r) != nil {
		return DefaultSSORules()
	}
	r.fill()
	return r
}

// fill makes null what is empty.
func (r *SSORules) fill() {
	if r.AllowedGroups == nil {
		r.AllowedGroups = []string{}
	}
	if r.DefaultUserMetadata == nil {
		r.DefaultUserMetadata = map[string]any{}
	}
	if r.DefaultAppMetadata == nil {
		r.DefaultAppMetadata = map[string]any{}
	}
}

// Merge sets the members that a request has. ErrValidation.
func (r *SSORules) Merge(raw json.RawMessage) error {
	next := *r
	next.DefaultUserMetadata, next.DefaultAppMetadata = nil, nil // a map would be merged into
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	err := dec.Decode(&next)
	if err == nil {
		if _, end := dec.Token(); !errors.Is(end, io.EOF) {
			err = errors.New("more than one value")
		}
	}
	if err != nil {
		return ErrValidation.Because(err).Saying("rules: not an object with the rules of a connection")
	}
	if next.DefaultUserMetadata == nil {
		next.DefaultUserMetadata = r.DefaultUserMetadata
	}
	if next.DefaultAppMetadata == nil {
		next.DefaultAppMetadata = r.DefaultAppMetadata
	}
	next.fill()
	if err := next.check(); err != nil {
		return err
	}
	*r = next
	return nil
}

func (r *SSORules) check() error {
	refuse := func(format string, args ...any) error {
		return ErrValidation.Saying("rules: " + fmt.Sprintf(format, args...))
	}
	if !slices.Contains([]string{SSOMFAProject, SSOMFAProvider, SSOMFAProviderStated}, r.MFA) {
		return refuse("mfa must be project, provider or provider_stated")
	}
	if len(r.GroupsAttribute) > maxSSOAttribute {
		return refuse("groups_attribute can have at most %d bytes", maxSSOAttribute)
	}
	if len(r.AllowedGroups) > maxSSOGroups || slices.ContainsFunc(r.AllowedGroups, func(g string) bool { return g == "" || len(g) > maxSSOGroup }) {
		return refuse("allowed_groups can have at most %d names of 1 to %d bytes", maxSSOGroups, maxSSOGroup)
	}
	if len(r.AllowedGroups) > 0 && r.GroupsAttribute == "" {
		return refuse("allowed_groups needs groups_attribute")
	}
	for name, m := range map[string]map[string]any{"default_user_metadata": r.DefaultUserMetadata, "default_app_metadata": r.DefaultAppMetadata} {
		raw, err := json.Marshal(m)
		if err != nil || len(raw) > maxSSOMetadata {
			return refuse("%s can have at most %d bytes", name, maxSSOMetadata)
		}
		if _, err := MergeMetadata(nil, m); err != nil { // values that jsonb cannot hold
			return err
		}
	}
	for _, reserved := range []string{"provider", "providers", "groups"} {
		if _, ok := r.DefaultAppMetadata[reserved]; ok {
			return refuse("default_app_metadata cannot have %q", reserved)
		}
	}
	return nil
}
