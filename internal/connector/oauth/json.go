package oauth

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

// maxDocument bounds a JSON document, in bytes.
const maxDocument = 1 << 20

// Request asks for a JSON document.
type Request struct {
	URL    string
	Bearer string // the access token; "" for none
	Header http.Header
	// Secrets are further values that no error may show.
	Secrets []string
}

// StatusError is the cause of a fault for an answer that is no success.
type StatusError struct{ Status int }

func (e *StatusError) Error() string { return fmt.Sprintf("status %d", e.Status) }

// GetJSON decodes a document. It returns connector.ErrProfile, with a
// StatusError as its cause if the provider answered with another status, or
// ErrUnavailable.
func (c *Client) GetJSON(ctx context.Context, r Request, into any) error {
	raw, err := c.get(ctx, r)
	if err != nil {
		return profileFault(r.URL, err, append(r.Secrets, r.Bearer)...)
	}
	if err := json.Unmarshal(raw, into); err != nil {
		// The error of encoding/json may quote the document.
		return profileFault(r.URL, errNotJSON)
	}
	return nil
}

func (c *Client) get(ctx context.Context, r Request) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.URL, nil)
	if err != nil {
		return nil, errBadURL
	}
	for name, values := range r.Header {
		req.Header[name] = values
	}
	req.Header.Set("Accept", "application/json")
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
		return nil, &StatusError{resp.StatusCode}
	}
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxDocument+1))
	if err == nil && len(raw) > maxDocument {
		err = errTooLarge
	}
	return raw, err
}
