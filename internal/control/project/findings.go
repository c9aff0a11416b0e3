package project

import (
	"context"
	"encoding/json"
	"time"

	"github.com/reevehq/reeve/internal/connector/social"
	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/projectlog"
	"github.com/reevehq/reeve/tenants"
)

// Finding is something in a project's configuration or in its recent log that a
// developer probably wants to change. The reference has none; clients that do not
// know them ignore them.
type Finding struct {
	Code    string          `json:"code"`
	Level   string          `json:"level" enum:"info,warning,error"`
	Message string          `json:"message"`
	Since   *time.Time      `json:"since,omitempty" doc:"When it was first seen in the last 24 hours."`
	LastAt  *time.Time      `json:"last_at,omitempty"`
	Count   int             `json:"count,omitempty" doc:"How often, in the last 24 hours."`
	Detail  json.RawMessage `json:"detail,omitempty" doc:"Of the last entry in the log."`
}

// Mail is what an installation does with the mails of projects without a mail
// server of their own.
type Mail int

// What it does.
const (
	MailSent     Mail = iota
	MailCaptured      // in the inbox
	MailWaits         // there is no server
)

// recent is the part of the log that findings are made of.
const recent = 24 * time.Hour

// findings returns those of the configuration, and those of the log, the newest
// first.
func (s *Service) findings(ctx context.Context, p controldb.Project) ([]Finding, error) {
	stored, err := s.DB.AuthConfigVersion(ctx, p.Ref, p.ConfigVersion)
	if err != nil {
		return nil, err
	}
	keys, err := s.DB.SigningKeys(ctx, p.Ref)
	if err != nil {
		return nil, err
	}
	logged, err := s.DB.LogSummary(ctx, p.Ref, recent)
	if err != nil {
		return nil, err
	}
	out := append(ofKeys(keys), s.ofConfig(stored.Config)...)
	apple, err := s.ofApple(ctx, p, stored)
	if err != nil {
		return nil, err
	}
	out = append(out, apple...)
	for _, l := range logged {
		out = append(out, Finding{
			Code: l.Code, Level: string(l.Level), Message: l.Message, Since: &l.Since, LastAt: &l.At, Count: l.Count, Detail: l.Detail,
		})
	}
	return out, nil
}

// ofKeys warns about signing keys that supabase-js cannot use. Its getClaims
// verifies RS256 and ES256; for HS256, and for a token whose key is not published,
// it asks GET /user; for any other algorithm it throws "Invalid alg claim".
func ofKeys(keys []controldb.SigningKey) (out []Finding) {
	for _, k := range keys {
		switch {
		case k.Status != tenants.KeyInUse:
		case k.Algorithm == "EdDSA":
			out = append(out, Finding{
				Code: "signing_key_unsupported", Level: string(projectlog.Warning),
				Message: "Access tokens are signed with EdDSA. getClaims() of supabase-js verifies ES256 and RS256 only and fails with \"Invalid alg claim\"; use an ES256 key.",
			})
		case k.Algorithm == "HS256":
			out = append(out, Finding{
				Code: "signing_key_shared", Level: string(projectlog.Info),
				Message: "Access tokens are signed with HS256, whose key is not published: getClaims() of supabase-js sends a request to /user for each token, and others need the secret to verify one.",
			})
		}
	}
	return out
}

func (s *Service) ofConfig(c tenants.Config) (out []Finding) {
	if c.SiteURL == tenants.DefaultConfig().SiteURL {
		out = append(out, Finding{
			Code: "site_url_default", Level: string(projectlog.Warning),
			Message: "site_url has its default, " + c.SiteURL + ": links in mails lead there unless a request names a redirect that is allowed.",
		})
	}
	if c.SMTPHost != "" {
		return out
	}
	switch s.Mail {
	case MailCaptured:
		out = append(out, Finding{
			Code: "mail_captured", Level: string(projectlog.Info),
			Message: "Mails are kept in the inbox and not sent, because the project has no mail server of its own (smtp_host).",
		})
	case MailWaits:
		out = append(out, Finding{
			Code: "mail_server_none", Level: string(projectlog.Warning),
			Message: "Neither the project nor this installation has a mail server. Mails wait for a day and are then given up; set smtp_host.",
		})
	}
	return out
}

// appleNotice is how long before its expiry a client secret for Apple is worth a
// warning.
const appleNotice = 30 * 24 * time.Hour

// ofApple warns of a client secret that expires: Apple accepts one for six months
// at most.
func (s *Service) ofApple(ctx context.Context, p controldb.Project, stored controldb.AuthConfig) ([]Finding, error) {
	apple, _ := stored.Config.Provider("apple")
	if !apple.Enabled || stored.Sealed == nil {
		return nil, nil
	}
	dk, err := s.DB.DataKey(ctx, p.Ref)
	if err != nil {
		return nil, err
	}
	secrets, err := stored.OpenSecrets(dk)
	if err != nil {
		return nil, err
	}
	at, ok := social.AppleSecretExpiry(secrets[apple.Secret])
	left := time.Until(at)
	switch {
	case !ok || left > appleNotice:
		return nil, nil
	case left > 0:
		return []Finding{{
			Code: "apple_secret_expires", Level: string(projectlog.Warning),
			Message: "The client secret for Apple expires at " + at.UTC().Format(time.RFC3339) + ": set a new external_apple_secret, or the key that signs it.",
		}}, nil
	}
	return []Finding{{
		Code: "apple_secret_expired", Level: string(projectlog.Error),
		Message: "The client secret for Apple expired at " + at.UTC().Format(time.RFC3339) + ": nobody can sign in with Apple in a browser until external_apple_secret is a new one, or the key that signs it.",
	}}, nil
}
