package smsgateway

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/reevehq/reeve/internal/setting"
)

func asError(err error, target **Error) bool { return errors.As(err, target) }

// messageBird is the SMS API of MessageBird, now Bird.
type messageBird struct {
	api
	account setting.SMSGateway
}

// Send creates a message.
func (g messageBird) Send(ctx context.Context, m Text) error {
	form := url.Values{
		"originator": {g.account.From}, "recipients": {m.To}, "body": {m.Body}, "type": {"sms"}, "datacoding": {"auto"},
	}
	var answer struct {
		ID     string `json:"id"`
		Errors []struct {
			Code        int    `json:"code"`
			Description string `json:"description"`
		} `json:"errors"`
	}
	status, err := g.post(ctx, "/messages", form, func(r *http.Request) {
		r.Header.Set("Authorization", "AccessKey "+g.secret)
	}, &answer)
	switch {
	case err != nil:
		return err
	case len(answer.Errors) > 0:
		return g.refused(status, number(answer.Errors[0].Code), answer.Errors[0].Description, ok(status) || permanentStatus(status))
	case !ok(status):
		return g.failed(status, "", permanentStatus(status), nil)
	case answer.ID == "":
		return g.failed(status, "the answer names no message", false, nil)
	}
	return nil
}

// textlocal is the API of Textlocal, which answers 200 to refused requests too.
type textlocal struct {
	api
	account setting.SMSGateway
}

// Send sends a message. The key is in the body, where no log of addresses has it.
func (g textlocal) Send(ctx context.Context, m Text) error {
	form := url.Values{"apikey": {g.secret}, "sender": {g.account.From}, "numbers": {m.To}, "message": {m.Body}}
	if !plainASCII(m.Body) {
		form.Set("unicode", "true")
	}
	var answer struct {
		Status string `json:"status"`
		Errors []struct {
			Code    int    `json:"code"`
			Message string `json:"message"`
		} `json:"errors"`
	}
	status, err := g.post(ctx, "/send/", form, nil, &answer)
	switch {
	case err != nil:
		return err
	case len(answer.Errors) > 0:
		return g.refused(status, number(answer.Errors[0].Code), answer.Errors[0].Message, ok(status) || permanentStatus(status))
	case !ok(status) || answer.Status != "success":
		return g.failed(status, "the answer reports no success", permanentStatus(status), nil)
	}
	return nil
}

// vonage is the SMS API of Vonage, formerly Nexmo, which answers 200 to refused
// requests too.
type vonage struct {
	api
	account setting.SMSGateway
}

// The codes of Vonage that are about the moment: throttled, an internal error, too
// many connections.
var vonageTemporary = map[string]bool{"1": true, "5": true, "10": true}

// Send sends a message. The secret is in the body.
func (g vonage) Send(ctx context.Context, m Text) error {
	form := url.Values{
		"api_key": {g.account.Account}, "api_secret": {g.secret}, "from": {g.account.From}, "to": {m.To}, "text": {m.Body},
	}
	if !plainASCII(m.Body) {
		form.Set("type", "unicode")
	}
	var answer struct {
		Messages []struct {
			Status    string `json:"status"`
			ErrorText string `json:"error-text"`
		} `json:"messages"`
		Type   string `json:"type"`
		Title  string `json:"title"`
		Detail string `json:"detail"`
	}
	status, err := g.post(ctx, "/sms/json", form, nil, &answer)
	switch {
	case err != nil:
		return err
	case !ok(status):
		return g.refused(status, answer.Title, answer.Detail, permanentStatus(status))
	case len(answer.Messages) == 0:
		return g.failed(status, "the answer names no message", false, nil)
	}
	for _, part := range answer.Messages {
		if part.Status != "0" {
			return g.refused(status, part.Status, part.ErrorText, !vonageTemporary[part.Status])
		}
	}
	return nil
}
