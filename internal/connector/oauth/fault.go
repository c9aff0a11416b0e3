package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/oauth2"

	"github.com/reevehq/reeve/internal/connector"
	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/internal/outbound"
)

// maxReason bounds what is kept of a provider's error, in bytes.
const maxReason = 300

var (
	errNotJSON  = errors.New("the answer is not the expected JSON")
	errNotForm  = errors.New("the answer is not the expected form")
	errTooLarge = errors.New("the answer is too large")
	errBadURL   = errors.New("the URL is not valid")
)

// exchangeFault classifies an error of the token endpoint.
func exchangeFault(endpoint string, err error, secrets ...string) error {
	var refusal *oauth2.RetrieveError
	if !errors.As(err, &refusal) {
		if unreachable(err) {
			return connector.ErrUnavailable.Because(reason(endpoint, err, secrets))
		}
		return connector.ErrExchange.Because(reason(endpoint, err, secrets))
	}
	status := refusal.Response.StatusCode
	said := strings.Trim(refusal.ErrorCode+": "+refusal.ErrorDescription, ": ")
	if said == "" {
		said = explanation(refusal.Body)
	}
	as := connector.ErrExchange
	if failing(status) {
		as = connector.ErrUnavailable
	}
	return as.Because(fmt.Errorf("%s: %w", place(endpoint), &StatusError{status, Redact(said, secrets...)}))
}

// explanation reads what an error document says, in the forms that providers
// use; "" for anything but a JSON object with a known member.
func explanation(body []byte) string {
	var said []string
	var read func(raw json.RawMessage, depth int)
	read = func(raw json.RawMessage, depth int) {
		var members map[string]json.RawMessage
		if depth == 0 || json.Unmarshal(raw, &members) != nil {
			return
		}
		for _, name := range []string{"error", "error_code", "code", "type", "error_description", "message", "err", "reason", "detail", "title", "msg"} {
			var text connector.Text
			if value, ok := members[name]; !ok || json.Unmarshal(value, &text) != nil {
				continue
			} else if text != "" {
				said = append(said, string(text))
			} else {
				read(value, depth-1)
			}
		}
		var list []json.RawMessage
		if json.Unmarshal(members["errors"], &list) == nil && len(list) > 0 {
			read(list[0], depth-1)
		}
	}
	read(body, 2)
	return strings.Join(said, ": ")
}

// clientRefused reports whether the provider did not take the client's
// authentication (RFC 6749, section 5.2), which is checked before the code.
func clientRefused(err error) bool {
	var refusal *oauth2.RetrieveError
	return errors.As(err, &refusal) &&
		(refusal.ErrorCode == "invalid_client" || refusal.Response.StatusCode == http.StatusUnauthorized)
}

// profileFault classifies an error of a JSON document.
func profileFault(address string, err error, secrets ...string) error {
	as := connector.ErrProfile
	var status *StatusError
	if errors.As(err, &status) {
		if failing(status.Status) {
			as = connector.ErrUnavailable
		}
		status = &StatusError{status.Status, Redact(status.Reason, secrets...)}
		return as.Because(fmt.Errorf("%s: %w", place(address), status))
	}
	if unreachable(err) {
		as = connector.ErrUnavailable
	}
	return as.Because(reason(address, err, secrets))
}

// failing reports whether a status says that the provider cannot answer at the
// moment.
func failing(status int) bool {
	return status >= 500 || status == http.StatusTooManyRequests || status == http.StatusRequestTimeout
}

// unreachable reports whether the provider did not answer in time, or at an
// address that is not allowed.
func unreachable(err error) bool {
	if errors.Is(err, outbound.ErrBodyTooLarge) {
		return false
	}
	var network net.Error
	var request *url.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) ||
		errors.As(err, &network) || errors.As(err, &request)
}

// reason returns an error for the log, without secrets. The text of a url.Error
// has the whole URL, with its query.
func reason(address string, err error, secrets []string) error {
	var request *url.Error
	if errors.As(err, &request) {
		err = request.Err
	}
	return errors.New(place(address) + ": " + Redact(err.Error(), secrets...))
}

// place names an address without its query.
func place(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "address"
	}
	return fault.Clip(u.Host+u.Path, maxReason)
}

// Redact returns the text on one line of bounded length, without the secrets,
// which a provider may quote.
func Redact(text string, secrets ...string) string {
	for _, secret := range secrets {
		if len(secret) < 4 {
			continue
		}
		text = strings.ReplaceAll(text, secret, "[redacted]")
		text = strings.ReplaceAll(text, url.QueryEscape(secret), "[redacted]")
	}
	return fault.Clip(strings.Join(strings.Fields(text), " "), maxReason)
}
