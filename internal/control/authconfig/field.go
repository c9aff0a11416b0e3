package authconfig

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/reevehq/reeve/internal/message"
)

// field is what a member of the configuration may be.
type field struct {
	check    func(value any) error // says what is wrong, without the name
	template message.Kind          // of a mail; "" for other fields
	subject  bool                  // of the mail, not its content
}

// The bounds of numbers are those of the reference where it has some, else where
// a value stops to make sense.
const (
	maxInt32   = math.MaxInt32
	maxSeconds = 7 * 24 * 3600 // of tokens and links
	maxHours   = 100 * 365 * 24
)

// fields names every member that can be changed.
func fields() map[string]field {
	out := map[string]field{
		"site_url":       {check: siteURL},
		"uri_allow_list": {check: allowList},
		"jwt_exp":        {check: integer(1, maxSeconds)},

		"mailer_otp_exp":    {check: integer(1, maxSeconds)},
		"mailer_otp_length": {check: integer(6, 10)},

		"smtp_host":          {check: optional(host)},
		"smtp_port":          {check: optional(port)},
		"smtp_user":          {check: line(320)},
		"smtp_admin_email":   {check: optional(address)},
		"smtp_sender_name":   {check: line(256)},
		"smtp_max_frequency": {check: integer(0, math.MaxInt16)},

		"password_min_length":          {check: integer(6, 72)},
		"password_required_characters": {check: requiredCharacters},

		"security_refresh_token_reuse_interval": {check: integer(0, maxInt32)},

		"sessions_timebox":            {check: number(0, maxHours)},
		"sessions_inactivity_timeout": {check: number(0, maxHours)},

		"rate_limit_email_sent":    {check: integer(1, maxInt32)},
		"rate_limit_verify":        {check: integer(1, maxInt32)},
		"rate_limit_token_refresh": {check: integer(1, maxInt32)},
		"rate_limit_otp":           {check: integer(1, maxInt32)},
	}
	for _, name := range []string{
		"disable_signup", "external_email_enabled", "mailer_autoconfirm", "mailer_allow_unverified_email_sign_ins",
		"mailer_secure_email_change_enabled", "refresh_token_rotation_enabled", "sessions_single_per_user",
		"security_sb_forwarded_for_enabled",
	} {
		out[name] = field{check: boolean}
	}
	for _, kind := range []message.Kind{message.Confirmation, message.Invite, message.Recovery, message.EmailChange} {
		out["mailer_subjects_"+string(kind)] = field{check: line(998), template: kind, subject: true}
		out["mailer_templates_"+string(kind)+"_content"] = field{check: anyText, template: kind}
	}
	return out
}

func boolean(value any) error {
	if _, ok := value.(bool); !ok {
		return errors.New("must be true or false")
	}
	return nil
}

// integer accepts whole numbers from least to most. A bound is told alone where
// it is the one that was crossed.
func integer(least, most float64) func(any) error {
	return func(value any) error {
		n, ok := value.(float64)
		if !ok || n != math.Trunc(n) {
			return errors.New("must be an integer")
		}
		return within(n, least, most)
	}
}

func number(least, most float64) func(any) error {
	return func(value any) error {
		n, ok := value.(float64)
		if !ok {
			return errors.New("must be a number")
		}
		return within(n, least, most)
	}
}

func within(n, least, most float64) error {
	switch {
	case n < least:
		return fmt.Errorf("must be at least %.0f", least)
	case n > most:
		return fmt.Errorf("must be at most %.0f", most)
	}
	return nil
}

func anyText(value any) error {
	if _, ok := value.(string); !ok {
		return errors.New("must be a string")
	}
	return nil
}

// line accepts one line of text: what goes into a mail's header must not be able
// to begin another one.
func line(longest int) func(any) error {
	return func(value any) error {
		s, ok := value.(string)
		switch {
		case !ok:
			return errors.New("must be a string")
		case utf8.RuneCountInString(s) > longest:
			return fmt.Errorf("must have at most %d characters", longest)
		case strings.ContainsFunc(s, unicode.IsControl):
			return errors.New("must not hold control characters")
		}
		return nil
	}
}

// optional accepts the empty text and what check accepts.
func optional(check func(string) error) func(any) error {
	return func(value any) error {
		s, ok := value.(string)
		switch {
		case !ok:
			return errors.New("must be a string")
		case s == "":
			return nil
		}
		return check(s)
	}
}
