package setting

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// MFAPolicies are which users must use a second factor.
type MFAPolicies struct {
	MFAPolicy      string
	MFAPolicyRoles string // separated by commas
	MFAPolicyGrace int    // days
	MFAPolicySince string // RFC 3339; "" for always
}

// The values of mfa_policy.
const (
	MFAOff        = "off"         // nobody
	MFAOptional   = "optional"    // who has one
	MFARequired   = "required"    // everybody
	MFAByRole     = "by_role"     // who has one of the roles, or a factor
	MFAWithoutSSO = "without_sso" // everybody but users of an identity provider by SSO
)

const (
	maxMFARoles = 50
	maxRoleName = 100 // characters
	maxMFAGrace = 365 // days
)

func mfaPolicySettings() []Setting {
	return []Setting{
		{
			Name: "mfa_policy", Kind: Text, Default: MFAOff, OneOf: []string{MFAOff, MFAOptional, MFARequired, MFAByRole, MFAWithoutSSO},
			Field: func(c *Config) any { return &c.MFAPolicy },
			Effect: "Whose sessions need a second factor: `off` nobody's, `optional` those of users who have one, `required` everybody's, " +
				"`by_role` those of the users with a role of `mfa_policy_roles` and of who has one, `without_sso` everybody's but of users who sign in by SSO only. See [the policy](mfa.md#policy).",
		},
		{
			Name: "mfa_policy_roles", Kind: Text, MaxLength: 2000, Format: optional(roleList),
			Field:  func(c *Config) any { return &c.MFAPolicyRoles },
			Effect: "The roles of `by_role`, separated by commas: values of `role`, or in the list `roles`, of a user's `app_metadata`.",
		},
		{
			Name: "mfa_policy_grace_period", Kind: Integer, Min: 0, Max: maxMFAGrace,
			Field:  func(c *Config) any { return &c.MFAPolicyGrace },
			Effect: "Days in which a user can go on without enrolling a second factor, from the sign-up or from `mfa_policy_since`, whichever is later.",
		},
		{
			Name: "mfa_policy_since", Kind: Text, Null: true, MaxLength: 64, Format: optional(moment),
			Field: func(c *Config) any { return &c.MFAPolicySince },
			Effect: "When the policy began, such as `2027-01-31T00:00:00Z`. It is set by itself when `mfa_policy` or `mfa_policy_roles` come to demand a factor of more users; " +
				"a later time announces the policy.",
		},
	}
}

func mfaPolicyRules() []Rule {
	return []Rule{
		{
			Text: "`mfa_policy_roles` is required with `mfa_policy` `by_role`.",
			Check: func(c *Config, _ Secrets) error {
				if c.MFAPolicy == MFAByRole && c.MFAPolicyRoles == "" {
					return errors.New("mfa_policy_roles: is required with mfa_policy by_role")
				}
				return nil
			},
		},
		{
			Text: "A policy that makes users enroll a second factor needs one that they can enroll and use: `mfa_totp_enroll_enabled` with `mfa_totp_verify_enabled`, " +
				"`mfa_phone_enroll_enabled` with `mfa_phone_verify_enabled` and an `sms_provider`, `mfa_web_authn_enroll_enabled` with `mfa_web_authn_verify_enabled`, or `passkey_enabled` with `passkey_aal2_enabled`.",
			Check: func(c *Config, _ Secrets) error {
				if c.MakesEnroll() && !(c.TOTPEnroll && c.TOTPVerify || c.PhoneEnroll && c.PhoneVerify && c.SMSGateway().Provider != "" || c.WebAuthnEnroll && c.WebAuthnVerify || c.PasskeyCounts()) {
					return errors.New("mfa_policy: needs a second factor that users can enroll and use, such as mfa_totp_enroll_enabled and mfa_totp_verify_enabled")
				}
				return nil
			},
		},
	}
}

// roleList accepts names, separated by commas.
func roleList(s string) error {
	n := 0
	for role := range strings.SplitSeq(s, ",") {
		role = strings.TrimSpace(role)
		switch n++; {
		case role == "":
			return errors.New("must be roles, separated by commas")
		case len([]rune(role)) > maxRoleName:
			return fmt.Errorf("a role must have at most %d characters", maxRoleName)
		case n > maxMFARoles:
			return fmt.Errorf("must have at most %d roles", maxMFARoles)
		}
	}
	return nil
}

// MakesEnroll reports whether the policy demands a second factor of users who have
// none.
func (c *Config) MakesEnroll() bool {
	return c.MFAPolicy == MFARequired || c.MFAPolicy == MFAByRole || c.MFAPolicy == MFAWithoutSSO
}

// PasskeyCounts reports whether a sign-in with a passkey reaches aal2.
func (c *Config) PasskeyCounts() bool { return c.PasskeyEnabled && c.PasskeyAAL2 }

// RolesOfMFA are the roles of by_role.
func (c *Config) RolesOfMFA() []string {
	var out []string
	for role := range strings.SplitSeq(c.MFAPolicyRoles, ",") {
		if role = strings.TrimSpace(role); role != "" {
			out = append(out, role)
		}
	}
	return out
}

// MFAGraceEnd is the time until which a user who signed up at created can go on
// without a second factor.
func (c *Config) MFAGraceEnd(created time.Time) time.Time {
	from := created
	if since, err := time.Parse(time.RFC3339, c.MFAPolicySince); err == nil && since.After(from) {
		from = since
	}
	return from.Add(time.Duration(c.MFAPolicyGrace) * 24 * time.Hour)
}

// BeginMFAPolicy notes that the policy begins now, if it demands a factor of users
// of whom before did not, unless the change itself names another beginning, or one is
// announced.
func (c *Config) BeginMFAPolicy(before *Config, now time.Time) {
	since, err := time.Parse(time.RFC3339, c.MFAPolicySince)
	said := err == nil && (c.MFAPolicySince != before.MFAPolicySince || since.After(now))
	switch {
	case said:
	case c.makesMoreEnroll(before):
		c.MFAPolicySince = now.UTC().Format(time.RFC3339)
	case before.MakesEnroll() && !c.MakesEnroll():
		c.MFAPolicySince = ""
	}
}

// makesMoreEnroll reports whether the policy demands a factor of some user of whom
// before did not.
func (c *Config) makesMoreEnroll(before *Config) bool {
	switch {
	case !c.MakesEnroll() || before.MFAPolicy == MFARequired:
		return false
	case !before.MakesEnroll():
		return true
	case c.MFAPolicy != before.MFAPolicy: // users of SSO, or without the roles
		return true
	case c.MFAPolicy != MFAByRole:
		return false
	}
	had := before.RolesOfMFA()
	return slices.ContainsFunc(c.RolesOfMFA(), func(role string) bool { return !slices.Contains(had, role) })
}
