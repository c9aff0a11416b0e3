package outbound

import (
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

// boundedBody fails with ErrBodyTooLarge when the body is longer than its
// limit. Unlike io.LimitReader it never makes a truncated body look complete.
type boundedBody struct {
	io.ReadCloser
	left int64
}

func (b *boundedBody) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, ErrBodyTooLarge
	}
	// One byte more than the limit shows whether a body ends there or is too
	// long.
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
