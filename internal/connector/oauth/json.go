package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/reevehq/reeve/internal/connector"
)

// Bounds of a JSON document, and of an error's, in bytes.
const (
	maxDocument      = 1 << 20
	maxErrorDocument = 16 << 10
)

// Request asks for a JSON document.
type Request struct {
	URL    string
	Bearer string // the access token; "" for none
	Header http.Header
	// Secrets are further values that no error may show.
	Secrets []string
}

// StatusError is the cause of a fault for an answer that is no success, with
// what the provider said of it.
type StatusError struct {
	Status int
	Reason string
}

func (e *StatusError) Error() string {
	if e.Reason == "" {
		return fmt.Sprintf("status %d", e.Status)
	}
	return fmt.Sprintf("status %d: %s", e.Status, e.Reason)
}

// GetJSON decodes a document. It returns connector.ErrProfile, with a
// StatusError as its cause if the provider answered with another status, or
// ErrUnavailable.
func (c *Client) GetJSON(ctx context.Context, r Request, into any) error {
	raw, err := c.do(ctx, http.MethodGet, r)
	if err != nil {
		return profileFault(r.URL, err, append(r.Secrets, r.Bearer)...)
	}
	if err := json.Unmarshal(raw, into); err != nil {
		// The error of encoding/json may quote the document.
		return profileFault(r.URL, errNotJSON)
	}
	return nil
}

// PostForm posts an empty body and decodes an answer in the form of a query. It
// returns connector.ErrExchange or ErrUnavailable.
func (c *Client) PostForm(ctx context.Context, r Request) (url.Values, error) {
	raw, err := c.do(ctx, http.MethodPost, r)
	if err == nil {
		var answer url.Values
		if answer, err = url.ParseQuery(string(raw)); err == nil {
			return answer, nil
		}
		err = errNotForm
	}
	err = profileFault(r.URL, err, append(r.Secrets, r.Bearer)...)
	if errors.Is(err, connector.ErrProfile) {
		err = connector.ErrExchange.Because(errors.Unwrap(err))
	}
	return nil, err
}

func (c *Client) do(ctx context.Context, method string, r Request) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, r.URL, nil)
	if err != nil {
		return nil, errBadURL
	}
	for name, values := range r.Header {
		req.Header[name] = values
	}
	if req.Header.Get("Accept") == "" {
		req.Header.Set("Accept", "application/json")
	}
	req.Header.Set("User-Agent", "Reeve")
	if r.Bearer != "" {
		req.Header.Set("Authorization", "Bearer "+r.Bearer)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		body, _ := io.ReadAll(io.LimitReader(resp.Body, maxErrorDocument))
		return nil, &StatusError{resp.StatusCode, explanation(body)}
	}
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxDocument+1))
	if err == nil && len(raw) > maxDocument {
		err = errTooLarge
	}
	return raw, err
}
