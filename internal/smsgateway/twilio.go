package smsgateway

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/reevehq/reeve/internal/setting"
)

// twilio is Twilio's Programmable Messaging: a message is a resource of the
// account.
type twilio struct {
	api
	account setting.SMSGateway
}

// twilioMessage is a message resource, or the answer of a refused request.
type twilioMessage struct {
	SID    string          `json:"sid"`
	Status json.RawMessage `json:"status"` // a word of a message, a number of a refusal

	ErrorCode    *int   `json:"error_code"`
	ErrorMessage string `json:"error_message"`

	Code    int    `json:"code"`
	Message string `json:"message"`
}

// Send creates a message.
func (t twilio) Send(ctx context.Context, m Text) error {
	form := url.Values{"To": {"+" + m.To}, "Body": {m.Body}}
	from := t.account.From
	switch {
	case strings.HasPrefix(from, "MG"):
		form.Set("MessagingServiceSid", from)
	case m.WhatsApp && strings.Trim(from, "+0123456789") == "":
		form.Set("From", "whatsapp:+"+strings.TrimPrefix(from, "+"))
	default:
		form.Set("From", from)
	}
	if m.WhatsApp {
		form.Set("To", "whatsapp:+"+m.To)
		if t.account.ContentSID != "" {
			variables, err := json.Marshal(map[string]string{"1": m.Code})
			if err != nil {
				return t.failed(0, "the code could not be encoded", true, err)
			}
			form.Del("Body")
			form.Set("ContentSid", t.account.ContentSID)
			form.Set("ContentVariables", string(variables))
		}
	}
	var answer twilioMessage
	status, err := t.post(ctx, "/2010-04-01/Accounts/"+url.PathEscape(t.account.Account)+"/Messages.json", form, t.basicAuth, &answer)
	if err != nil {
		return err
	}
	state := strings.Trim(string(answer.Status), `"`)
	switch {
	case !ok(status):
		return t.refused(status, number(answer.Code), answer.Message, permanentStatus(status))
	case answer.ErrorCode != nil && *answer.ErrorCode != 0, state == "failed", state == "undelivered":
		code := 0
		if answer.ErrorCode != nil {
			code = *answer.ErrorCode
		}
		return t.refused(status, number(code), answer.ErrorMessage, true)
	case answer.SID == "":
		return t.failed(status, "the answer names no message", false, nil)
	}
	return nil
}

func (t twilio) basicAuth(r *http.Request) { r.SetBasicAuth(t.account.Account, t.secret) }

func number(code int) string {
	if code == 0 {
		return ""
	}
	return strconv.Itoa(code)
}

// twilioVerify is Twilio Verify: the gateway makes the code, keeps it for ten
// minutes and sends the same one again until then.
type twilioVerify struct {
	api
	account setting.SMSGateway
}

// Send starts a verification.
func (t twilioVerify) Send(ctx context.Context, m Text) error {
	channel := "sms"
	if m.WhatsApp {
		channel = "whatsapp"
	}
	_, err := t.call(ctx, "/Verifications", url.Values{"To": {"+" + m.To}, "Channel": {channel}})
	return err
}

// Check compares a code. A verification that is unknown, used up or expired is
// answered like a wrong code.
func (t twilioVerify) Check(ctx context.Context, to, code string) (bool, error) {
	answer, err := t.call(ctx, "/VerificationCheck", url.Values{"To": {"+" + to}, "Code": {code}})
	if e := (*Error)(nil); err != nil && asError(err, &e) {
		switch {
		case e.Status == http.StatusNotFound, e.Code == twilioMaxChecks, e.Code == twilioBadParameter:
			return false, nil
		}
		return false, err
	}
	return answer.Status == "approved", nil
}

// The codes of checks that cannot succeed: too many of them, a code of a wrong
// form.
const (
	twilioMaxChecks    = "60202"
	twilioBadParameter = "60200"
)

type twilioVerification struct {
	Status string
	SID    string
}

func (t twilioVerify) call(ctx context.Context, path string, form url.Values) (twilioVerification, error) {
	var answer struct {
		SID     string          `json:"sid"`
		Status  json.RawMessage `json:"status"`
		Code    int             `json:"code"`
		Message string          `json:"message"`
	}
	status, err := t.post(ctx, "/v2/Services/"+url.PathEscape(t.account.From)+path, form, twilio(t).basicAuth, &answer)
	switch {
	case err != nil:
		return twilioVerification{}, err
	case !ok(status):
		return twilioVerification{}, t.refused(status, number(answer.Code), answer.Message, permanentStatus(status))
	case answer.SID == "":
		return twilioVerification{}, t.failed(status, "the answer names no verification", false, nil)
	}
	return twilioVerification{Status: strings.Trim(string(answer.Status), `"`), SID: answer.SID}, nil
}
