package outbound

import (
	"fmt"
	"io"
	"net/http"
)

// roundTripper checks the URL of each request, those of redirects included, and
// bounds the body of each response.
type roundTripper struct{ c *Client }

// RoundTrip does one request.
func (t roundTripper) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := t.c.checkURL(r.URL); err != nil {
		if r.Body != nil {
			_ = r.Body.Close() // the contract of http.RoundTripper
		}
		return nil, err
	}
	resp, err := t.c.transport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	resp.Body = &boundedBody{ReadCloser: resp.Body, left: t.c.options.MaxBody}
	return resp, nil
}

// boundedBody fails with ErrBodyTooLarge when there is more than was allowed.
// Unlike io.LimitReader it never lets a cut body look whole.
type boundedBody struct {
	io.ReadCloser
	left int64
}

func (b *boundedBody) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, ErrBodyTooLarge
	}
	// One more than allowed tells a body that ends at the limit from one that
	// goes on.
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.ReadCloser.Read(p)
	if int64(n) > b.left {
		n = int(b.left)
		b.left = -1
		return n, ErrBodyTooLarge
	}
	b.left -= int64(n)
	return n, err
}

// ReadBody reads a response's body of at most so many bytes and closes it. It
// returns ErrBodyTooLarge, with no part of the body, when there is more.
func ReadBody(resp *http.Response, most int64) ([]byte, error) {
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(&boundedBody{ReadCloser: resp.Body, left: most})
	if err != nil {
		return nil, fmt.Errorf("read response: %w", err)
	}
	return b, nil
}
