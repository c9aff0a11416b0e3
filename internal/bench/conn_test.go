//go:build linux || darwin

package main

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"
)

func TestConnDo(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		answer []string // written one by one
		status int
		body   string
		fails  bool
	}{
		"length":              {answer: []string{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"}, status: 200, body: "hello"},
		"in pieces":           {answer: []string{"HTTP/1.1 20", "1 Created\r\nContent-Length: 5\r\n\r", "\nhe", "llo"}, status: 201, body: "hello"},
		"chunks":              {answer: []string{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n", "2\r\nlo\r\n0\r\n\r\n"}, status: 200, body: "hello"},
		"no content":          {answer: []string{"HTTP/1.1 204 No Content\r\nX-A: b\r\n\r\n"}, status: 204},
		"larger than buffer":  {answer: []string{"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", strings.Repeat("x", 100000)}, status: 200, body: strings.Repeat("x", 100000)},
		"refusal":             {answer: []string{"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 2\r\n\r\n{}"}, status: 429, body: "{}"},
		"no HTTP":             {answer: []string{"SSH-2.0-OpenSSH_9.2p1 something\r\n\r\n"}, fails: true},
		"neither length":      {answer: []string{"HTTP/1.1 200 OK\r\nX-A: b\r\n\r\n"}, fails: true},
		"closed in the midst": {answer: []string{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe"}, fails: true},
		"length out of range": {answer: []string{"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n"}, fails: true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := dial(answering(t, tc.answer), time.Now().Add(time.Minute))
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = c.net.Close() }()
			status, body, err := c.do(request("GET", "reeve.test", "/", ""))
			if (err != nil) != tc.fails {
				t.Fatalf("error %v", err)
			}
			if err == nil && (status != tc.status || string(body) != tc.body) {
				t.Errorf("got %d with %d bytes, want %d with %d", status, len(body), tc.status, len(tc.body))
			}
		})
	}
}

// answering returns the address of a server that gives this answer to one
// client.
func answering(t *testing.T, pieces []string) string {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		defer func() { _ = l.Close() }()
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer func() { _ = c.Close() }()
		if _, err := c.Read(make([]byte, 4096)); err != nil {
			return
		}
		for _, p := range pieces {
			_, _ = fmt.Fprint(c, p)
			time.Sleep(time.Millisecond) // so that they are sent one by one
		}
	}()
	return l.Addr().String()
}

func TestRequest(t *testing.T) {
	t.Parallel()
	got := string(request("POST", "reeve.test", "/a?b=c", `{"d":1}`, "apikey", "k"))
	want := "POST /a?b=c HTTP/1.1\r\nHost: reeve.test\r\nUser-Agent: reeve-bench\r\napikey: k\r\n" +
		"Content-Type: application/json\r\nContent-Length: 7\r\n\r\n{\"d\":1}"
	if got != want {
		t.Errorf("got %q", got)
	}
}
