package config

import (
	"net/mail"
	"net/url"
	"strconv"
	"strings"

	"github.com/reevehq/reeve/internal/message"
)

// Mail is the mail server of projects without their own.
type Mail struct {
	// SMTPURL is smtp://user:password@host:port, or smtps:// for implicit TLS;
	// empty: projects without their own server send nothing.
	SMTPURL    string `yaml:"smtp_url" env:"REEVE_SMTP_URL"`
	From       string `yaml:"from" env:"REEVE_MAIL_FROM"`
	SenderName string `yaml:"sender_name" env:"REEVE_MAIL_SENDER_NAME"`
	// MaxPerHour limits the mails that this server sends for one project in an
	// hour.
	MaxPerHour int `yaml:"max_per_hour" env:"REEVE_MAIL_MAX_PER_HOUR"`
	// Capture keeps mails in the inbox of the Management API instead of sending
	// them: for development.
	Capture bool `yaml:"capture" env:"REEVE_MAIL_CAPTURE"`
}

// Validate reports every error, as Problems.
func (m Mail) Validate() error {
	var p Problems
	if m.SMTPURL != "" {
		if _, ok := m.server(); !ok {
			p.add("mail.smtp_url", "must be a URL such as smtp://user:password@host:587 or smtps://host:465")
		}
		if m.From == "" {
			p.add("mail.from", "is required with mail.smtp_url: the address that mails come from")
		}
	}
	if m.From != "" {
		if a, err := mail.ParseAddress(m.From); err != nil || a.Address != m.From {
			p.add("mail.from", "must be a bare e-mail address")
		}
	}
	p.within("mail.max_per_hour", m.MaxPerHour, 1, 1_000_000)
	if strings.ContainsAny(m.SenderName, "\r\n\x00") || len(m.SenderName) > 200 {
		p.add("mail.sender_name", "must be one line of at most 200 bytes")
	}
	return p.orNil()
}

// Settings is the mail server as package message's settings; Host is empty if
// there is none.
func (m Mail) Settings() message.SMTPSettings {
	s, _ := m.server()
	s.From, s.SenderName = m.From, m.SenderName
	return s
}

// server parses SMTPURL; ok is false when it is empty or invalid.
func (m Mail) server() (s message.SMTPSettings, ok bool) {
	u, err := url.Parse(m.SMTPURL)
	if err != nil || u.Hostname() == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return s, false
	}
	port := 0
	switch u.Scheme {
	case "smtp":
		port = 587
	case "smtps":
		port, s.TLS = 465, message.TLSImplicit
	default:
		return s, false
	}
	if text := u.Port(); text != "" {
		if port, err = strconv.Atoi(text); err != nil || port < 1 || port > 65535 {
			return message.SMTPSettings{}, false
		}
	}
	s.Host, s.Port, s.User = u.Hostname(), port, u.User.Username()
	s.Pass, _ = u.User.Password()
	return s, true
}
