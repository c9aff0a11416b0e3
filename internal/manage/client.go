// Package manage is a small client of the Management API, for the command line
// and for `reeve dev`. It transports requests and errors; the server owns the
// meaning of resources and the permissions.
package manage

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

const (
	// timeout bounds one request, from dial to the last byte.
	timeout = 30 * time.Second
	// maxAnswer bounds an answer, in bytes: 1,000 captured mails fit.
	maxAnswer = 64 << 20
	// tries is how often a repeatable request is sent.
	tries = 3
)

// Client talks to one server as the owner of Token.
type Client struct {
	URL   string // origin of the main host
	Token string // personal access token; "" for routes that need none
	HTTP  *http.Client
	// Pause is waited before a request is sent again; 500 ms by default.
	Pause time.Duration
}

// New returns a Client. It does not follow redirects, because the token is for
// this server.
func New(origin, token string) *Client {
	return &Client{URL: strings.TrimRight(origin, "/"), Token: token, HTTP: &http.Client{
		Timeout:       timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Refusal is an answer other than 2xx.
type Refusal struct {
	Status  int
	Code    string
	Message string
}

// Error is the server's message with its code.
func (r *Refusal) Error() string {
	if r.Code == "" {
		return fmt.Sprintf("%s (HTTP %d)", r.Message, r.Status)
	}
	return fmt.Sprintf("%s (%s)", r.Message, r.Code)
}

// Unreachable is the error when no server answers at an address.
type Unreachable struct {
	URL string
	Err error
}

// Error names the address.
func (u *Unreachable) Error() string { return "no server at " + u.URL }

// Unwrap returns the cause.
func (u *Unreachable) Unwrap() error { return u.Err }

// Cause is a short reason: "connection refused", "lookup x: no such host".
func (u *Unreachable) Cause() string {
	var op *net.OpError
	if !errors.As(u.Err, &op) {
		return u.Err.Error()
	}
	var system *os.SyscallError
	if errors.As(op.Err, &system) {
		return system.Err.Error()
	}
	return op.Err.Error()
}

// Path joins the parts of a route and escapes each.
func Path(parts ...string) string {
	var b strings.Builder
	b.WriteString("/v1")
	for _, p := range parts {
		b.WriteString("/" + url.PathEscape(p))
	}
	return b.String()
}

// Get returns the JSON of a route.
func (c *Client) Get(ctx context.Context, path string) (json.RawMessage, error) {
	return c.repeat(ctx, call{method: http.MethodGet, path: path})
}

// Create posts in. It sends an Idempotency-Key and repeats the same request
// while the server cannot be reached or is busy: at most one object is created.
func (c *Client) Create(ctx context.Context, path string, in any) (json.RawMessage, error) {
	return c.repeat(ctx, call{method: http.MethodPost, path: path, in: in, key: rand.Text()})
}

// Post posts in, once: for what must not be repeated.
func (c *Client) Post(ctx context.Context, path string, in any) (json.RawMessage, error) {
	return c.once(ctx, call{method: http.MethodPost, path: path, in: in})
}

// Change patches a resource with in.
func (c *Client) Change(ctx context.Context, path string, in any) (json.RawMessage, error) {
	return c.once(ctx, call{method: http.MethodPatch, path: path, in: in})
}

// Delete removes a resource.
func (c *Client) Delete(ctx context.Context, path string) (json.RawMessage, error) {
	return c.once(ctx, call{method: http.MethodDelete, path: path})
}

// call is one request.
type call struct {
	method, path string
	in           any
	key          string // Idempotency-Key
}

// repeat sends until the answer is final.
func (c *Client) repeat(ctx context.Context, req call) (out json.RawMessage, err error) {
	for try := 1; ; try++ {
		out, err = c.once(ctx, req)
		if err == nil || try == tries || !passing(err) {
			return out, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(c.pause()):
		}
	}
}

func (c *Client) pause() time.Duration {
	if c.Pause > 0 {
		return c.Pause
	}
	return 500 * time.Millisecond
}

// passing reports whether an error may be temporary.
func passing(err error) bool {
	var r *Refusal
	if errors.As(err, &r) {
		return r.Status == http.StatusBadGateway || r.Status == http.StatusServiceUnavailable ||
			r.Status == http.StatusGatewayTimeout || r.Code == "idempotency_under_way"
	}
	var u *url.Error
	return errors.As(err, &u) && !errors.Is(err, context.Canceled)
}

func (c *Client) once(ctx context.Context, req call) (json.RawMessage, error) {
	r, err := c.request(ctx, req)
	if err != nil {
		return nil, err
	}
	res, err := c.HTTP.Do(r)
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" {
		return nil, &Unreachable{URL: c.URL, Err: err}
	}
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", c.URL, err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if err != nil {
		return nil, fmt.Errorf("read the answer of %s: %w", c.URL, err)
	}
	if len(body) > maxAnswer {
		return nil, errors.New("the answer is larger than 64 MB")
	}
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return nil, refusal(res.StatusCode, body)
	}
	if !json.Valid(body) {
		return nil, fmt.Errorf("%s answered something else than JSON: is it a Reeve server?", c.URL)
	}
	return body, nil
}

func (c *Client) request(ctx context.Context, req call) (*http.Request, error) {
	var body io.Reader
	if req.in != nil {
		text, err := json.Marshal(req.in)
		if err != nil {
			return nil, fmt.Errorf("encode request: %w", err)
		}
		body = bytes.NewReader(text)
	}
	r, err := http.NewRequestWithContext(ctx, req.method, c.URL+req.path, body)
	if err != nil {
		return nil, fmt.Errorf("server address: %w", err)
	}
	if c.Token != "" {
		r.Header.Set("Authorization", "Bearer "+c.Token)
	}
	r.Header.Set("User-Agent", "reeve-cli")
	if req.in != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if req.key != "" {
		r.Header.Set("Idempotency-Key", req.key)
	}
	return r, nil
}

func refusal(status int, body []byte) error {
	r := &Refusal{Status: status}
	var said struct{ Message, Code string }
	if json.Unmarshal(body, &said) == nil {
		r.Message, r.Code = said.Message, said.Code
	}
	if r.Message == "" {
		r.Message = "the server answered " + http.StatusText(status)
	}
	return r
}
