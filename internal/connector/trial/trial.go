// Package trial asks an identity provider whether a project's registration there
// can work, as far as that can be found out without a user: it requests the page to
// which browsers are sent, and redeems a code that nobody issued. What the provider
// answers to that tells a wrong client from a wrong code.
package trial

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/reevehq/reeve/internal/connector"
	"github.com/reevehq/reeve/internal/connector/oauth"
	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/internal/outbound"
)

// Status is what became of a check.
type Status string

// The statuses. Warning is an answer that does not tell.
const (
	Passed  Status = "passed"
	Warning Status = "warning"
	Failed  Status = "failed"
	Skipped Status = "skipped"
)

// The checks.
const (
	Authorize = "authorize" // the address for browsers, by the discovery document where there is one
	Token     = "token"     // client id and secret
)

// Check is one check, in words.
type Check struct {
	Name   string
	Status Status
	Detail string
}

const (
	// timeout bounds each check.
	timeout = 8 * time.Second
	// maxPage is how much of a page is read, to keep the connection.
	maxPage = 64 << 10
	// code is redeemed. No provider has issued it.
	code = "reeve-configuration-test"
)

// Run runs the checks. h must keep the rules for outbound requests.
func Run(ctx context.Context, h *http.Client, c connector.Connector, reg connector.Client, redirectURI string) []Check {
	if b, ok := c.(connector.Beginner); ok {
		return []Check{begin(ctx, b, reg, redirectURI)}
	}
	checks := []Check{authorize(ctx, h, c, reg, redirectURI)}
	if reg.Secret == "" {
		return append(checks, Check{Token, Skipped, "Without a secret only ID tokens that apps present are accepted."})
	}
	return append(checks, redeem(ctx, c, reg, redirectURI))
}

func start(redirectURI string) connector.Start {
	return connector.Start{RedirectURI: redirectURI, State: rand.Text(), Nonce: rand.Text(), Verifier: rand.Text() + rand.Text()}
}

// begin asks a provider that must be told of each sign-in: the answer depends on
// key and secret.
func begin(ctx context.Context, b connector.Beginner, reg connector.Client, redirectURI string) Check {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if _, _, err := b.Begin(ctx, reg, start(redirectURI)); err != nil {
		return Check{Token, Failed, "The provider does not begin a sign-in. " + said(err)}
	}
	return Check{Token, Passed, "The provider takes the key, the secret and the callback address."}
}

// authorize requests the page that a browser would be sent to.
func authorize(ctx context.Context, h *http.Client, c connector.Connector, reg connector.Client, redirectURI string) Check {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if reg.Secret == "" {
		reg.Secret = "none" // it is no part of the address
	}
	address, err := c.AuthorizeURL(ctx, reg, start(redirectURI))
	if err != nil {
		return Check{Authorize, Failed, "There is no address to send browsers to. " + said(err)}
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return Check{Authorize, Failed, "The address to send browsers to is no URL."}
	}
	client := *h
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	answer, err := client.Do(r)
	if err != nil {
		return Check{Authorize, Failed, place(r.URL) + " does not answer. " + said(err)}
	}
	defer func() { _ = answer.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, maxPage))
	return judge(r.URL, answer)
}

// judge reads the answer of an authorization endpoint (RFC 6749, section 4.1.2.1).
func judge(asked *url.URL, answer *http.Response) Check {
	at := fmt.Sprintf("%s answers %d.", place(asked), answer.StatusCode)
	to, err := answer.Location()
	if err == nil {
		at = fmt.Sprintf("%s answers %d and leads to %s.", place(asked), answer.StatusCode, place(to))
		if e := to.Query().Get("error"); e != "" {
			return Check{Authorize, Failed, at + " The provider said: " + oauth.Redact(e+": "+to.Query().Get("error_description"))}
		}
		if strings.HasSuffix(strings.TrimRight(to.Path, "/"), "/error") {
			return Check{Authorize, Failed, at + " That is its page for errors: compare the client id, and the callback address that is registered."}
		}
	}
	switch answer.StatusCode {
	case http.StatusBadRequest, http.StatusUnauthorized:
		return Check{Authorize, Failed, at + " Compare the client id, and the callback address that is registered."}
	}
	switch {
	case answer.StatusCode >= 500:
		return Check{Authorize, Failed, at}
	case answer.StatusCode >= 400:
		return Check{Authorize, Warning, at + " Some providers answer programs so; open a sign-in in a browser."}
	}
	return Check{Authorize, Passed, at}
}

// The errors of token endpoints (RFC 6749, section 5.2, and what some providers say
// instead).
var (
	clientErrors = []string{
		"invalid_client", "unauthorized_client", "incorrect_client_credentials", "invalid_client_id", "bad_client_secret", "invalid_client_secret",
	}
	codeErrors     = []string{"invalid_grant", "bad_verification_code", "invalid_code", "invalid_authorization_code"}
	callbackErrors = []string{"redirect_uri_mismatch", "bad_redirect_uri", "invalid_redirect_uri"}
)

// redeem redeems a code that nobody issued.
func redeem(ctx context.Context, c connector.Connector, reg connector.Client, redirectURI string) Check {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	_, err := c.Exchange(ctx, reg, connector.Callback{RedirectURI: redirectURI, Code: code, Verifier: rand.Text() + rand.Text(), Nonce: rand.Text()})
	var answer *oauth.StatusError
	switch {
	case err == nil, errors.Is(err, connector.ErrProfile):
		return Check{Token, Failed, "The provider took a code that nobody issued: do not use it."}
	case !errors.As(err, &answer):
		return Check{Token, Failed, "The token endpoint could not be asked. " + said(err)}
	}
	words := " The provider said: " + oauth.Redact(answer.Error(), reg.Secret)
	what, _, _ := strings.Cut(strings.ToLower(answer.Reason), ":")
	switch {
	case slices.Contains(codeErrors, what):
		return Check{Token, Passed, "The provider takes client id and secret, and refuses a made-up code, as it should." + words}
	case slices.Contains(callbackErrors, what):
		return Check{Token, Failed, "The callback address is not registered at the provider." + words}
	case slices.Contains(clientErrors, what), answer.Status == http.StatusUnauthorized:
		return Check{Token, Failed, "The provider does not take client id and secret." + words}
	case answer.Status >= 500:
		return Check{Token, Failed, "The token endpoint does not work at the moment." + words}
	}
	return Check{Token, Warning, "The answer does not tell whether client id and secret are right." + words}
}

// said is what an error says, without addresses that may not be reached.
func said(err error) string {
	var of *url.Error
	if errors.As(err, &of) {
		err = of.Err
	}
	if errors.Is(err, outbound.ErrRefusedAddress) || strings.Contains(err.Error(), outbound.ErrRefusedAddress.Code) {
		return "Its address is not one that Reeve may reach: a private network, or this machine."
	}
	f := fault.From(err)
	text := err.Error()
	if f.Kind != fault.Internal && f.Err != nil {
		text = f.Err.Error()
	} else if f.Kind != fault.Internal {
		text = f.Message
	}
	return oauth.Redact(text)
}

// place names an address without its query.
func place(u *url.URL) string { return oauth.Redact(u.Host + u.Path) }
