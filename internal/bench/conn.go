//go:build linux || darwin

package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"
)

// conn is a minimal keep-alive HTTP/1.1 connection (RFC 9112): net/http's
// client would need as much processor time as the server, which shares the
// processors with it.
type conn struct {
	net  net.Conn
	buf  []byte // received bytes; the answer's body is a part of it
	have int
}

const maxAnswer = 1 << 20

var errAnswer = errors.New("answer that is no HTTP/1.1, or too long")

func dial(addr string, until time.Time) (*conn, error) {
	c, err := net.DialTimeout("tcp", addr, 5*time.Second)
	if err != nil {
		return nil, err
	}
	return &conn{net: c, buf: make([]byte, 16<<10)}, c.SetDeadline(until)
}

// do sends a request and reads the whole answer. body is valid until the next
// call.
func (c *conn) do(request []byte) (status int, body []byte, err error) {
	if _, err := c.net.Write(request); err != nil {
		return 0, nil, err
	}
	c.have = 0
	head := -1
	for from := 0; head < 0; {
		if err := c.more(); err != nil {
			return 0, nil, err
		}
		if i := bytes.Index(c.buf[from:c.have], []byte("\r\n\r\n")); i >= 0 {
			head = from + i + 4
		}
		from = max(0, c.have-3)
	}
	if head < 16 || string(c.buf[:9]) != "HTTP/1.1 " {
		return 0, nil, errAnswer
	}
	status = int(c.buf[9]-'0')*100 + int(c.buf[10]-'0')*10 + int(c.buf[11]-'0')
	if status == 204 || status == 304 {
		return status, nil, nil
	}
	body, err = c.body(head)
	return status, body, err
}

// more receives once.
func (c *conn) more() error {
	if c.have == len(c.buf) {
		if len(c.buf) >= maxAnswer {
			return errAnswer
		}
		c.buf = append(c.buf, make([]byte, len(c.buf))...)
	}
	n, err := c.net.Read(c.buf[c.have:])
	c.have += n
	return err
}

func (c *conn) body(head int) ([]byte, error) {
	if text, ok := header(c.buf[:head], "Content-Length"); ok {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 || n > maxAnswer {
			return nil, errAnswer
		}
		for c.have < head+n {
			if err := c.more(); err != nil {
				return nil, err
			}
		}
		return c.buf[head : head+n], nil
	}
	if text, _ := header(c.buf[:head], "Transfer-Encoding"); text == "chunked" {
		return c.chunks(head)
	}
	return nil, errAnswer
}

// chunks joins the chunks (RFC 9112 section 7.1) in place.
func (c *conn) chunks(at int) ([]byte, error) {
	begin, end := at, at
	for {
		line, err := c.line(at)
		if err != nil {
			return nil, err
		}
		size, err := strconv.ParseUint(strings.TrimSpace(string(c.buf[at:line])), 16, 32)
		if err != nil || size > maxAnswer {
			return nil, errAnswer
		}
		at = line + 2
		for c.have < at+int(size)+2 {
			if err := c.more(); err != nil {
				return nil, err
			}
		}
		if size == 0 {
			return c.buf[begin:end], nil
		}
		copy(c.buf[end:], c.buf[at:at+int(size)])
		end, at = end+int(size), at+int(size)+2
	}
}

// line returns the end of the line that begins at from.
func (c *conn) line(from int) (int, error) {
	for {
		if i := bytes.Index(c.buf[from:c.have], []byte("\r\n")); i >= 0 {
			return from + i, nil
		}
		if err := c.more(); err != nil {
			return 0, err
		}
	}
}

// header finds a field in the form that Go's server writes it.
func header(head []byte, name string) (string, bool) {
	_, rest, ok := bytes.Cut(head, []byte("\r\n"+name+": "))
	if !ok {
		return "", false
	}
	value, _, _ := bytes.Cut(rest, []byte("\r\n"))
	return string(value), true
}

// request builds the bytes of a request; headers are name, value, name, value.
func request(method, host, path, body string, headers ...string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: reeve-bench\r\n", method, path, host)
	for i := 0; i+1 < len(headers); i += 2 {
		fmt.Fprintf(&b, "%s: %s\r\n", headers[i], headers[i+1])
	}
	if body != "" {
		fmt.Fprintf(&b, "Content-Type: application/json\r\nContent-Length: %d\r\n", len(body))
	}
	b.WriteString("\r\n" + body)
	return b.Bytes()
}
