package message

import (
	"errors"
	"fmt"
	netmail "net/mail"
	"strings"
	"unicode"

	"github.com/wneessen/go-mail"
	"golang.org/x/net/idna"

	"github.com/reevehq/reeve/internal/outbox"
)

// route is the envelope of a mail.
type route struct{ from, to string }

// ascii reports whether the envelope needs no SMTPUTF8 (RFC 6531).
func (r route) ascii() bool {
	return strings.IndexFunc(r.from+r.to, func(c rune) bool { return c > unicode.MaxASCII }) < 0
}

// compose builds the mail as it is sent. The Message-ID is derived from
// Message.ID and the Date from Message.CreatedAt, so a repeated delivery is
// recognisable. An invalid recipient's address is a permanent error.
func compose(m Message, s SMTPSettings) (*mail.Msg, route, error) {
	from, err := address(s.From)
	if err != nil {
		return nil, route{}, fmt.Errorf("sender address: %w", err)
	}
	to, err := address(m.To)
	if err != nil {
		return nil, route{}, outbox.Refused(fmt.Errorf("recipient address: %w", err))
	}
	msg := mail.NewMsg(mail.WithNoDefaultUserAgent())
	msg.FromMailAddress(&netmail.Address{Name: oneLine(s.SenderName), Address: from})
	msg.ToMailAddress(&netmail.Address{Address: to})
	msg.Subject(oneLine(m.Subject))
	msg.SetMessageIDWithValue(m.ID.String() + "@" + domain(from))
	msg.SetDateWithValue(m.CreatedAt)
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: no vacation replies
	msg.SetGenHeader("X-Auto-Response-Suppress", "All")  // the same for Exchange
	if m.Text != "" {
		msg.SetBodyString(mail.TypeTextPlain, m.Text)
	}
	if m.HTML != "" {
		msg.AddAlternativeString(mail.TypeTextHTML, m.HTML)
	}
	return msg, route{from: from, to: to}, nil
}

var errBadAddress = errors.New("not an e-mail address")

// address checks a bare address and writes its domain in ASCII (RFC 5891).
func address(s string) (string, error) {
	a, err := netmail.ParseAddress(s)
	if err != nil || a.Name != "" || len(a.Address) > 320 {
		return "", errBadAddress
	}
	at := strings.LastIndexByte(a.Address, '@')
	local, host := a.Address[:at], a.Address[at+1:]
	// A quoted local part could inject syntax into the envelope; real addresses
	// do not need quotes.
	if strings.ContainsFunc(local, func(r rune) bool {
		return r <= ' ' || r == 0x7f || strings.ContainsRune(`<>()[]\,;:"@`, r)
	}) {
		return "", errBadAddress
	}
	if host, err = idna.Lookup.ToASCII(host); err != nil {
		return "", errBadAddress
	}
	return local + "@" + host, nil
}

func domain(address string) string {
	return address[strings.LastIndexByte(address, '@')+1:]
}
