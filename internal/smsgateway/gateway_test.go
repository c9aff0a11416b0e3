package smsgateway_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/reevehq/reeve/internal/outbound"
	"github.com/reevehq/reeve/internal/setting"
	"github.com/reevehq/reeve/internal/smsgateway"
)

const (
	secret = "s3cret-of-the-account"
	to     = "14155552671"
)

// double is a gateway at the border of the network: it records a request and gives
// the answer that the gateway's documentation shows.
type double struct {
	status int
	answer string

	path string
	auth string
	form url.Values
}

func (d *double) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	raw, _ := io.ReadAll(r.Body)
	d.path, d.auth = r.URL.Path, r.Header.Get("Authorization")
	d.form, _ = url.ParseQuery(string(raw))
	w.Header().Set("Content-Type", "application/json")
	if d.status == http.StatusFound {
		w.Header().Set("Location", "https://elsewhere.example.com/")
	}
	w.WriteHeader(d.status)
	_, _ = io.WriteString(w, d.answer)
}

func client() *http.Client {
	return outbound.New(outbound.Options{AllowPrivate: true, AllowPlainHTTP: true}).HTTP(5 * time.Second)
}

func account(provider, base string) (setting.SMSGateway, setting.Secrets) {
	return setting.SMSGateway{Provider: provider, URL: base, Account: "AC1", Secret: "secret", From: "MG1"}, setting.Secrets{"secret": secret}
}

const html = "<html><body>502 Bad Gateway</body></html>"

func TestSend(t *testing.T) {
	t.Parallel()
	const twilioRefusal = `{"code":21211,"message":"The 'To' number +14155552671 is not a valid phone number.","more_info":"https://www.twilio.com/docs/errors/21211","status":400}`
	for name, c := range map[string]struct {
		provider  string
		status    int
		answer    string
		path      string
		code      string // of the error; "-" for no error
		permanent bool
	}{
		"twilio":                        {setting.Twilio, 201, `{"sid":"SM1","status":"accepted","error_code":null,"error_message":null}`, "/2010-04-01/Accounts/AC1/Messages.json", "-", false},
		"twilio, bad number":            {setting.Twilio, 400, twilioRefusal, "", "21211", true},
		"twilio, bad login":             {setting.Twilio, 401, `{"code":20003,"message":"Authenticate","more_info":"https://www.twilio.com/docs/errors/20003","status":401}`, "", "20003", true},
		"twilio, too many":              {setting.Twilio, 429, `{"code":20429,"message":"Too Many Requests","more_info":"https://www.twilio.com/docs/errors/20429","status":429}`, "", "20429", false},
		"twilio, failed message":        {setting.Twilio, 201, `{"sid":"SM1","status":"failed","error_code":30007,"error_message":"Carrier violation"}`, "", "30007", true},
		"twilio, nothing":               {setting.Twilio, 201, `{}`, "", "", false},
		"twilio verify":                 {setting.TwilioVerify, 201, `{"sid":"VE1","status":"pending","valid":false}`, "/v2/Services/MG1/Verifications", "-", false},
		"twilio verify, too many":       {setting.TwilioVerify, 429, `{"code":60203,"message":"Max send attempts reached","status":429}`, "", "60203", false},
		"messagebird":                   {setting.MessageBird, 201, `{"id":"e8077d80","recipients":{"totalSentCount":1}}`, "/messages", "-", false},
		"messagebird, bad key":          {setting.MessageBird, 401, `{"errors":[{"code":2,"description":"Request not allowed (incorrect access_key)","parameter":"access_key"}]}`, "", "2", true},
		"messagebird, no balance":       {setting.MessageBird, 402, `{"errors":[{"code":25,"description":"Not enough balance","parameter":null}]}`, "", "25", true},
		"textlocal":                     {setting.Textlocal, 200, `{"status":"success","messages":[{"id":"1","recipient":14155552671}]}`, "/send/", "-", false},
		"textlocal, refused":            {setting.Textlocal, 200, `{"errors":[{"code":51,"message":"No valid numbers specified"}],"status":"failure"}`, "", "51", true},
		"vonage":                        {setting.Vonage, 200, `{"message-count":"1","messages":[{"to":"14155552671","message-id":"1","status":"0"}]}`, "/sms/json", "-", false},
		"vonage, refused":               {setting.Vonage, 200, `{"message-count":"1","messages":[{"status":"4","error-text":"Bad Credentials"}]}`, "", "4", true},
		"vonage, throttled":             {setting.Vonage, 200, `{"message-count":"1","messages":[{"status":"1","error-text":"Throughput Rate Exceeded"}]}`, "", "1", false},
		"vonage, one part refused":      {setting.Vonage, 200, `{"message-count":"2","messages":[{"status":"0"},{"status":"9","error-text":"Partner Quota Violation"}]}`, "", "9", true},
		"twilio, HTML":                  {setting.Twilio, 502, html, "", "", false},
		"twilio verify, HTML":           {setting.TwilioVerify, 502, html, "", "", false},
		"messagebird, HTML":             {setting.MessageBird, 502, html, "", "", false},
		"textlocal, HTML with success":  {setting.Textlocal, 200, html, "", "", false},
		"vonage, HTML":                  {setting.Vonage, 403, html, "", "", true},
		"twilio, redirect":              {setting.Twilio, 302, "", "", "", true},
		"messagebird repeats the key":   {setting.MessageBird, 401, `{"errors":[{"code":2,"description":"bad key ` + secret + `"}]}`, "", "2", true},
		"textlocal repeats the key":     {setting.Textlocal, 200, `{"errors":[{"code":3,"message":"bad key ` + secret + `"}]}`, "", "3", true},
		"vonage, error of the platform": {setting.Vonage, 500, `{"type":"x","title":"Internal","detail":"try later"}`, "", "Internal", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := &double{status: c.status, answer: c.answer}
			server := httptest.NewServer(d)
			defer server.Close()
			g, secrets := account(c.provider, server.URL)
			err := smsgateway.New(g, secrets, client()).Send(t.Context(), smsgateway.Text{To: to, Body: "Your code is 123456", Code: "123456"})
			if c.path != "" && d.path != c.path {
				t.Errorf("path %s, want %s", d.path, c.path)
			}
			if c.provider != setting.TwilioVerify && !strings.Contains(d.form.Encode(), "123456") || !strings.Contains(d.form.Encode(), to) {
				t.Errorf("form %v has not the number and the code", d.form)
			}
			if c.code == "-" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			var e *smsgateway.Error
			if !errors.As(err, &e) || e.Code != c.code || e.Permanent != c.permanent || e.Gateway != c.provider || e.Status != c.status {
				t.Errorf("error %#v", err)
			}
			if err != nil && strings.Contains(err.Error(), secret) {
				t.Errorf("the error has the secret: %v", err)
			}
		})
	}
}

// TestCredentials: where each gateway wants its secret, and how WhatsApp is asked for.
func TestCredentials(t *testing.T) {
	t.Parallel()
	d := &double{status: 201, answer: `{"sid":"SM1","id":"1","status":"success","messages":[{"status":"0"}]}`}
	server := httptest.NewServer(d)
	defer server.Close()
	send := func(provider string, m smsgateway.Text) {
		t.Helper()
		g, secrets := account(provider, server.URL)
		g.ContentSID = "HX1"
		_ = smsgateway.New(g, secrets, client()).Send(t.Context(), m) // the answer is not every gateway's
	}
	send(setting.Twilio, smsgateway.Text{To: to, Code: "123456", WhatsApp: true})
	if d.form.Get("To") != "whatsapp:+"+to || d.form.Get("ContentSid") != "HX1" || d.form.Get("ContentVariables") != `{"1":"123456"}` || !strings.HasPrefix(d.auth, "Basic ") {
		t.Errorf("twilio: %v, %q", d.form, d.auth)
	}
	send(setting.TwilioVerify, smsgateway.Text{To: to, WhatsApp: true})
	if d.form.Get("Channel") != "whatsapp" || d.form.Get("To") != "+"+to {
		t.Errorf("twilio verify: %v", d.form)
	}
	send(setting.MessageBird, smsgateway.Text{To: to})
	if d.auth != "AccessKey "+secret {
		t.Errorf("messagebird: %q", d.auth)
	}
	send(setting.Textlocal, smsgateway.Text{To: to, Body: "Código"})
	if d.form.Get("apikey") != secret || d.form.Get("unicode") != "true" {
		t.Errorf("textlocal: %v", d.form)
	}
	send(setting.Vonage, smsgateway.Text{To: to, Body: "Código"})
	if d.form.Get("api_secret") != secret || d.form.Get("type") != "unicode" {
		t.Errorf("vonage: %v", d.form)
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status int
		answer string
		right  bool
		fails  bool
	}{
		"right":         {200, `{"sid":"VE1","status":"approved","valid":true}`, true, false},
		"wrong":         {200, `{"sid":"VE1","status":"pending","valid":false}`, false, false},
		"used or ended": {404, `{"code":20404,"message":"The requested resource was not found","status":404}`, false, false},
		"too many":      {429, `{"code":60202,"message":"Max check attempts reached","status":429}`, false, false},
		"bad login":     {401, `{"code":20003,"message":"Authenticate","status":401}`, false, true},
		"HTML":          {502, html, false, true},
	} {
		d := &double{status: c.status, answer: c.answer}
		server := httptest.NewServer(d)
		g, secrets := account(setting.TwilioVerify, server.URL)
		right, err := smsgateway.NewVerifier(g, secrets, client()).Check(context.Background(), to, "123456")
		server.Close()
		if right != c.right || (err != nil) != c.fails || d.path != "/v2/Services/MG1/VerificationCheck" || d.form.Get("Code") != "123456" {
			t.Errorf("%s: %v, %v; asked %s %v", name, right, err, d.path, d.form)
		}
	}
}

// TestSlow: a gateway that does not answer costs the client's timeout, and the
// message may be tried again.
func TestSlow(t *testing.T) {
	t.Parallel()
	stop := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-stop }))
	defer server.Close()
	defer close(stop)
	g, secrets := account(setting.Twilio, server.URL)
	slow := outbound.New(outbound.Options{AllowPrivate: true, AllowPlainHTTP: true}).HTTP(50 * time.Millisecond)
	err := smsgateway.New(g, secrets, slow).Send(t.Context(), smsgateway.Text{To: to, Body: "x"})
	var e *smsgateway.Error
	if !errors.As(err, &e) || e.Permanent || e.Status != 0 {
		t.Errorf("error %#v", err)
	}
}

// TestPrivateAddress: a project cannot make the server call an address inside.
func TestPrivateAddress(t *testing.T) {
	t.Parallel()
	d := &double{status: 201, answer: `{"sid":"SM1"}`}
	server := httptest.NewServer(d)
	defer server.Close()
	g, secrets := account(setting.Twilio, server.URL)
	strict := outbound.New(outbound.Options{}).HTTP(time.Second)
	if err := smsgateway.New(g, secrets, strict).Send(t.Context(), smsgateway.Text{To: to, Body: "x"}); err == nil || d.path != "" {
		t.Errorf("error %v, the double was asked for %q", err, d.path)
	}
}
