// Package smsgateway owns the HTTP APIs of the gateways that deliver text
// messages: Twilio, Twilio Verify, MessageBird, Textlocal and Vonage. It does not
// own the text, the limits or the retries. Requests go through an HTTP client of
// package outbound.
package smsgateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/internal/setting"
)

// Text is a message to be delivered.
type Text struct {
	To       string // the number's digits, without a plus sign
	Body     string
	Code     string // the code in Body
	WhatsApp bool
}

// Gateway delivers text messages.
type Gateway interface {
	// Send returns nil when the gateway has accepted the message, else an *Error.
	Send(ctx context.Context, t Text) error
}

// Verifier is a Gateway that makes the codes itself, and compares them.
type Verifier interface {
	Gateway
	// Check reports whether the gateway sent this code to the number and has not
	// accepted it before. The error is an *Error.
	Check(ctx context.Context, to, code string) (bool, error)
}

// Error is why a gateway did not take a message. It holds no secret of the
// project.
type Error struct {
	Gateway string
	Status  int    // of HTTP; 0 if there was no answer
	Code    string // the gateway's
	Text    string // what the gateway says, shortened
	// Permanent says that the same request would be refused again: the number, the
	// sender or the account is wrong.
	Permanent bool

	cause error
}

// Error describes the failure for developers.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Gateway)
	if e.Status != 0 {
		fmt.Fprintf(&b, " answered %d", e.Status)
	}
	if e.Code != "" {
		b.WriteString(", code " + e.Code)
	}
	if e.Text != "" {
		b.WriteString(": " + e.Text)
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.cause }

// MakesCodes reports whether the project's gateway makes the codes itself.
func MakesCodes(g setting.SMSGateway) bool { return g.Provider == setting.TwilioVerify }

// SendsWhatsApp reports whether the gateway can send by WhatsApp.
func SendsWhatsApp(g setting.SMSGateway) bool {
	return g.Provider == setting.Twilio || g.Provider == setting.TwilioVerify
}

// New returns the gateway of a project; nil if the project has chosen none. The
// client's timeout bounds a request.
func New(g setting.SMSGateway, secrets setting.Secrets, client *http.Client) Gateway {
	a := api{name: g.Provider, base: g.URL, http: client, secret: secrets[g.Secret]}
	switch g.Provider {
	case setting.Twilio:
		return twilio{a.at("https://api.twilio.com"), g}
	case setting.TwilioVerify:
		return twilioVerify{a.at("https://verify.twilio.com"), g}
	case setting.MessageBird:
		return messageBird{a.at("https://rest.messagebird.com"), g}
	case setting.Textlocal:
		return textlocal{a.at("https://api.textlocal.in"), g}
	case setting.Vonage:
		return vonage{a.at("https://rest.nexmo.com"), g}
	}
	return nil
}

// NewVerifier returns the project's gateway if it makes the codes itself, else nil.
func NewVerifier(g setting.SMSGateway, secrets setting.Secrets, client *http.Client) Verifier {
	v, _ := New(g, secrets, client).(Verifier)
	return v
}

// api is the HTTP side that the gateways have in common.
type api struct {
	name, base, secret string
	http               *http.Client
}

// at returns the api with a default base address.
func (a api) at(base string) api {
	if a.base == "" {
		a.base = base
	}
	return a
}

const (
	// maxAnswer bounds an answer, which takes less than a kilobyte.
	maxAnswer = 64 << 10
	maxText   = 300
)

// post sends a form and decodes the answer's JSON into out, whatever the status
// is. authorize, which may be nil, adds credentials to the header. The error is
// an *Error: for a request without an answer, and for an answer that is not JSON,
// such as the HTML page of a proxy.
func (a api) post(ctx context.Context, path string, form url.Values, authorize func(*http.Request), out any) (status int, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, a.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		return 0, a.failed(0, "the request could not be made", true, nil) // the error may quote the account
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	if authorize != nil {
		authorize(req)
	}
	client := *a.http
	// A redirect would repeat the credentials to another address.
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := client.Do(req)
	if err != nil {
		var wrapped *url.Error
		if errors.As(err, &wrapped) { // which repeats the address
			err = wrapped.Err
		}
		return 0, a.failed(0, a.clean(err.Error()), false, err)
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return resp.StatusCode, a.failed(resp.StatusCode, "the answer could not be read: "+a.clean(err.Error()), false, err)
	}
	if json.Unmarshal(raw, out) != nil {
		return resp.StatusCode, a.failed(resp.StatusCode, "the answer is not the JSON of this API", permanentStatus(resp.StatusCode), nil)
	}
	return resp.StatusCode, nil
}

// permanentStatus reports whether a status means that the same request would be
// refused again.
func permanentStatus(status int) bool {
	return status >= 300 && status < 500 && status != http.StatusRequestTimeout && status != http.StatusTooManyRequests && status != http.StatusConflict
}

func ok(status int) bool { return status >= 200 && status < 300 }

func (a api) failed(status int, text string, permanent bool, cause error) *Error {
	return &Error{Gateway: a.name, Status: status, Text: text, Permanent: permanent, cause: cause}
}

// refused is the error of an answer in the gateway's own form.
func (a api) refused(status int, code, text string, permanent bool) *Error {
	return &Error{Gateway: a.name, Status: status, Code: a.clean(code), Text: a.clean(text), Permanent: permanent}
}

// clean shortens a text of the gateway and removes the secret from it.
func (a api) clean(text string) string {
	if a.secret != "" {
		text = strings.ReplaceAll(text, a.secret, "[removed]")
	}
	text = strings.ToValidUTF8(text, "\uFFFD")
	return fault.Clip(strings.Join(strings.Fields(text), " "), maxText)
}

// plainASCII reports whether a text fits the alphabet that every network takes.
func plainASCII(text string) bool {
	for _, r := range text {
		if r >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
