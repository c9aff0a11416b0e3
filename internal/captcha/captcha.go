// Package captcha asks hCaptcha or Turnstile whether a token is that of a captcha
// which a person solved. It owns the requests to both and what their answers
// mean. It does not decide which routes need a captcha.
package captcha

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/internal/projectlog"
	"github.com/reevehq/reeve/internal/setting"
	"github.com/reevehq/reeve/tenants"
)

// Timeout limits a request to the provider, as in the reference.
const Timeout = 10 * time.Second

// The addresses of the providers.
const (
	HCaptchaURL  = "https://hcaptcha.com/siteverify"
	TurnstileURL = "https://challenges.cloudflare.com/turnstile/v0/siteverify"
)

const (
	// maxToken bounds a token, in bytes. Turnstile's have at most 2,048.
	maxToken = 8 << 10
	// maxAnswer bounds the provider's answer, in bytes.
	maxAnswer = 16 << 10
	// maxCodes bounds the error codes that are shown and logged.
	maxCodes = 8
)

// The errors.
var (
	// ErrFailed refuses a request without a solved captcha.
	ErrFailed = fault.New(fault.Invalid, "captcha_failed", "captcha protection: request disallowed")
	// ErrUnavailable refuses a request while the provider cannot be asked.
	ErrUnavailable = fault.New(fault.Unavailable, "captcha_failed", "captcha verification process failed")
)

// Verifier asks the providers.
type Verifier struct {
	// HTTP should have Timeout.
	HTTP *http.Client
	// URLs are the addresses of the providers, by their names in
	// security_captcha_provider.
	URLs map[string]string
}

// URLs returns the addresses of the providers; an empty one is the provider's
// own.
func URLs(hCaptcha, turnstile string) map[string]string {
	if hCaptcha == "" {
		hCaptcha = HCaptchaURL
	}
	if turnstile == "" {
		turnstile = TurnstileURL
	}
	return map[string]string{"hcaptcha": hCaptcha, "turnstile": turnstile}
}

// verdict is the answer of both providers.
type verdict struct {
	Success bool     `json:"success"`
	Codes   []string `json:"error-codes"`
}

// Verify returns nil if the token belongs to a captcha that was solved for the
// project: ErrFailed, ErrUnavailable. A token works once.
func (v *Verifier) Verify(ctx context.Context, sc *tenants.Scope, token string) error {
	token = strings.TrimSpace(token)
	switch {
	case token == "":
		return v.unsolved(ctx, sc, "no captcha_token found")
	case len(token) > maxToken:
		return v.unsolved(ctx, sc, "captcha_token is too long")
	}
	got, err := v.ask(ctx, sc, token)
	if err != nil {
		sc.Log.Add(ctx, projectlog.Entry{
			Level: projectlog.Error, Code: "captcha_unavailable",
			Message: "The captcha's provider could not be asked. Requests that need a captcha are refused until it can.",
			Detail:  map[string]any{"provider": sc.Tenant.Config.CaptchaProvider, "error": err.Error()},
			Secrets: []string{sc.Tenant.Secrets.Settings[setting.CaptchaSecret], token},
		})
		return ErrUnavailable.Because(err)
	}
	if got.Success {
		return nil
	}
	codes := got.codes()
	sc.Log.Add(ctx, entry(sc, codes))
	return failed(strings.Join(codes, ", "))
}

// unsolved refuses a request that the provider need not be asked about.
func (v *Verifier) unsolved(ctx context.Context, sc *tenants.Scope, why string) error {
	e := entry(sc, nil)
	e.Detail["error_codes"] = []string{why}
	sc.Log.Add(ctx, e)
	return failed(why)
}

func failed(why string) error {
	if why == "" {
		return ErrFailed
	}
	return ErrFailed.Saying(ErrFailed.Message + " (" + why + ")")
}

// ask sends the token to the provider.
func (v *Verifier) ask(ctx context.Context, sc *tenants.Scope, token string) (got verdict, err error) {
	cfg := &sc.Tenant.Config
	address, ok := v.URLs[cfg.CaptchaProvider]
	if !ok {
		return got, errors.New("security_captcha_provider is not set")
	}
	form := url.Values{"secret": {strings.TrimSpace(sc.Tenant.Secrets.Settings[setting.CaptchaSecret])}, "response": {token}}
	if ip := sc.ClientAddress(); ip != "" {
		form.Set("remoteip", ip)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		return got, fmt.Errorf("captcha: %w", err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	resp, err := v.HTTP.Do(req)
	if err != nil {
		return got, fmt.Errorf("captcha: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return got, fmt.Errorf("captcha: read answer: %w", err)
	case len(body) > maxAnswer:
		return got, errors.New("captcha: the answer is too long")
	}
	// A refusal may have a status of 4xx; its body says why.
	if err := json.Unmarshal(body, &got); err != nil || (resp.StatusCode != http.StatusOK && len(got.Codes) == 0) {
		return verdict{}, fmt.Errorf("captcha: status %d without a verdict", resp.StatusCode)
	}
	got.Success = got.Success && resp.StatusCode == http.StatusOK
	return got, nil
}

// code is the form of an error code.
var code = regexp.MustCompile(`^[a-z0-9-]{1,64}$`)

// codes are the error codes, without texts of any other form.
func (v verdict) codes() []string {
	out := slices.DeleteFunc(slices.Clone(v.Codes), func(c string) bool { return !code.MatchString(c) })
	return out[:min(len(out), maxCodes)]
}

// wrongSettings are the codes that the project's settings cause.
var wrongSettings = []string{"missing-input-secret", "invalid-input-secret", "sitekey-secret-mismatch", "not-using-dummy-passcode"}

// entry is what the developer should know of a refusal.
func entry(sc *tenants.Scope, codes []string) projectlog.Entry {
	e := projectlog.Entry{
		Level: projectlog.Info, Code: ErrFailed.Code, Message: "A request had no solved captcha.",
		Detail: map[string]any{"provider": sc.Tenant.Config.CaptchaProvider, "error_codes": codes},
	}
	if slices.ContainsFunc(codes, func(c string) bool { return slices.Contains(wrongSettings, c) }) {
		e.Level, e.Code = projectlog.Error, "captcha_misconfigured"
		e.Message = "The captcha's provider does not accept the secret key (setting security_captcha_secret). Requests that need a captcha are refused."
	}
	return e
}
