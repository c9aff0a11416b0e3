package outbound

import (
	"compress/gzip"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// local allows the test servers' addresses, and no other of loopback.
func local() Options {
	return Options{AllowNetworks: prefixes("127.0.0.1/32"), AllowPlainHTTP: true}
}

// serve starts a server on an address of loopback and counts its connections.
func serve(t *testing.T, ip string, h http.HandlerFunc) (url string, connections *atomic.Int32) {
	t.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort(ip, "0"))
	if err != nil {
		t.Skipf("cannot listen on %s: %v", ip, err)
	}
	connections = new(atomic.Int32)
	s := httptest.NewUnstartedServer(h)
	_ = s.Listener.Close()
	s.Listener = l
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	return s.URL, connections
}

func get(t *testing.T, o Options, target string) (*http.Response, error) {
	t.Helper()
	c := New(o)
	t.Cleanup(c.Close)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, target, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.HTTP(0).Do(r)
	if err == nil {
		t.Cleanup(func() { _ = resp.Body.Close() })
	}
	return resp, err
}

// names is a DNS server in memory that answers every A query with addr.
func names(addr string) *net.Resolver {
	ip := netip.MustParseAddr(addr).As4()
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go answer(theirs, ip)
		return ours, nil
	}}
}

// answer speaks DNS over TCP (RFC 1035, section 4.2.2) for one question.
func answer(conn net.Conn, ip [4]byte) {
	defer func() { _ = conn.Close() }()
	var size [2]byte
	if _, err := io.ReadFull(conn, size[:]); err != nil {
		return
	}
	q := make([]byte, binary.BigEndian.Uint16(size[:]))
	if _, err := io.ReadFull(conn, q); err != nil || len(q) < 12 {
		return
	}
	end := 12
	for end < len(q) && q[end] != 0 {
		end += int(q[end]) + 1
	}
	end += 5 // the root label, type and class
	isA := q[end-3] == 1
	reply := append([]byte{}, q[:end]...)
	reply[2], reply[3] = 0x81, 0x80 // response, recursion, no error
	clear(reply[6:12])
	if isA {
		reply[7] = 1
		reply = append(reply, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4)
		reply = append(reply, ip[:]...)
	}
	binary.BigEndian.PutUint16(size[:], uint16(len(reply)))
	_, _ = conn.Write(append(size[:], reply...))
}

func TestLoopback_is_refused(t *testing.T) {
	t.Parallel()
	server, connections := serve(t, "127.0.0.1", func(http.ResponseWriter, *http.Request) {})
	_, err := get(t, Options{AllowPlainHTTP: true}, server)
	if !errors.Is(err, ErrRefusedAddress) {
		t.Errorf("error = %v, want ErrRefusedAddress", err)
	}
	if n := connections.Load(); n != 0 {
		t.Errorf("%d connections were made", n)
	}
}

func TestAllowed_network_passes(t *testing.T) {
	t.Parallel()
	server, _ := serve(t, "127.0.0.1", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "hello") })
	for name, o := range map[string]Options{"network": local(), "private": {AllowPrivate: true, AllowPlainHTTP: true}} {
		resp, err := get(t, o, server)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if body, err := io.ReadAll(resp.Body); err != nil || string(body) != "hello" {
			t.Errorf("%s: body = %q, %v", name, body, err)
		}
	}
}

// A name is checked by its addresses, at the moment of connecting.
func TestName_that_resolves_to_loopback(t *testing.T) {
	t.Parallel()
	server, connections := serve(t, "127.0.0.1", func(http.ResponseWriter, *http.Request) {})
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	target := "http://innocent.example:" + u.Port()

	o := Options{AllowPlainHTTP: true, Resolver: names("127.0.0.1")}
	if _, err := get(t, o, target); !errors.Is(err, ErrRefusedAddress) {
		t.Errorf("error = %v, want ErrRefusedAddress", err)
	}
	if n := connections.Load(); n != 0 {
		t.Errorf("%d connections were made", n)
	}
	// The same name passes where the network is allowed: the resolver is real.
	o = local()
	o.Resolver = names("127.0.0.1")
	if _, err := get(t, o, target); err != nil {
		t.Errorf("allowed: %v", err)
	}
}

func TestRedirect_to_a_refused_address(t *testing.T) {
	t.Parallel()
	inside, connections := serve(t, "127.0.0.2", func(http.ResponseWriter, *http.Request) {})
	server, _ := serve(t, "127.0.0.1", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, inside, http.StatusFound)
	})
	if _, err := get(t, local(), server); !errors.Is(err, ErrRefusedAddress) {
		t.Errorf("error = %v, want ErrRefusedAddress", err)
	}
	if n := connections.Load(); n != 0 {
		t.Errorf("%d connections were made", n)
	}
}

func TestRedirects_are_bounded(t *testing.T) {
	t.Parallel()
	server, _ := serve(t, "127.0.0.1", func(w http.ResponseWriter, r *http.Request) {
		var n int
		if _, err := fmt.Sscanf(r.URL.Path, "/%d", &n); err == nil && n > 0 {
			http.Redirect(w, r, fmt.Sprintf("/%d", n-1), http.StatusFound)
		}
	})
	none := local()
	none.MaxRedirects = -1
	for name, c := range map[string]struct {
		o    Options
		path string
		want error
	}{
		"five":           {local(), "/5", nil},
		"six":            {local(), "/6", ErrRedirects},
		"none, direct":   {none, "/0", nil},
		"none, redirect": {none, "/1", ErrRedirects},
	} {
		if _, err := get(t, c.o, server+c.path); !errors.Is(err, c.want) {
			t.Errorf("%s: error = %v, want %v", name, err, c.want)
		}
	}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	plain, _ := serve(t, "127.0.0.1", func(http.ResponseWriter, *http.Request) {})
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/down":
			http.Redirect(w, r, plain, http.StatusFound)
		case "/file":
			http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
		}
	}))
	s.Config.ErrorLog = nil
	t.Cleanup(s.Close)
	trusting := local()
	trusting.RootCAs = s.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	if _, err := get(t, trusting, s.URL); err != nil {
		t.Errorf("trusted: %v", err)
	}
	if _, err := get(t, trusting, s.URL+"/down"); !errors.Is(err, ErrRefusedURL) {
		t.Errorf("redirect to plain HTTP: %v, want ErrRefusedURL", err)
	}
	if _, err := get(t, trusting, s.URL+"/file"); !errors.Is(err, ErrRefusedURL) {
		t.Errorf("redirect to a file: %v, want ErrRefusedURL", err)
	}
	if _, err := get(t, local(), s.URL); err == nil {
		t.Error("a certificate of nobody passes")
	}
}

func TestPlain_HTTP_is_refused(t *testing.T) {
	t.Parallel()
	server, connections := serve(t, "127.0.0.1", func(http.ResponseWriter, *http.Request) {})
	if _, err := get(t, Options{AllowPrivate: true}, server); !errors.Is(err, ErrRefusedURL) {
		t.Errorf("error = %v, want ErrRefusedURL", err)
	}
	if n := connections.Load(); n != 0 {
		t.Errorf("%d connections were made", n)
	}
}

func TestBody_is_bounded(t *testing.T) {
	t.Parallel()
	server, _ := serve(t, "127.0.0.1", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/bomb" {
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			_, _ = io.Copy(z, io.LimitReader(zeros{}, 1<<20))
			_ = z.Close()
			return
		}
		_, _ = io.WriteString(w, strings.Repeat("x", 100))
	})
	o := local()
	for name, c := range map[string]struct {
		path string
		most int64
		want error
	}{
		"at the limit":   {"/", 100, nil},
		"one over":       {"/", 99, ErrBodyTooLarge},
		"below":          {"/", 101, nil},
		"unpacked":       {"/bomb", 1 << 19, ErrBodyTooLarge},
		"unpacked, fits": {"/bomb", 1 << 20, nil},
	} {
		o.MaxBody = c.most
		resp, err := get(t, o, server+c.path)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		body, err := io.ReadAll(resp.Body)
		if !errors.Is(err, c.want) || int64(len(body)) > c.most {
			t.Errorf("%s: %d bytes, %v, want at most %d and %v", name, len(body), err, c.most, c.want)
		}
		if _, err := resp.Body.Read(make([]byte, 1)); c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: reading on: %v", name, err)
		}
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func TestHeaders_are_bounded(t *testing.T) {
	t.Parallel()
	server, _ := serve(t, "127.0.0.1", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Long", strings.Repeat("x", 2*maxHeaderBytes))
	})
	if _, err := get(t, local(), server); err == nil {
		t.Error("a header of 128 KiB passes")
	}
}

func TestTimeout(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	server, _ := serve(t, "127.0.0.1", func(http.ResponseWriter, *http.Request) { <-release })
	defer close(release)
	c := New(local())
	defer c.Close()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.HTTP(50 * time.Millisecond).Do(r)
	if err == nil {
		_ = resp.Body.Close()
	}
	var timeout net.Error
	if !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("error = %v, want a timeout", err)
	}
}

func TestDialContext(t *testing.T) {
	t.Parallel()
	server, _ := serve(t, "127.0.0.1", func(http.ResponseWriter, *http.Request) {})
	address := strings.TrimPrefix(server, "http://")
	c := New(local())
	conn, err := c.DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Close()
	for _, network := range []string{"udp", "unix", "ip", ""} {
		if _, err := c.DialContext(t.Context(), network, address); !errors.Is(err, ErrRefusedAddress) {
			t.Errorf("%s: %v, want ErrRefusedAddress", network, err)
		}
	}
	for _, to := range []string{"127.0.0.2:25", "[::1]:25", "[::ffff:127.0.0.3]:25", "0.0.0.0:25", "169.254.169.254:80"} {
		if _, err := c.DialContext(t.Context(), "tcp", to); !errors.Is(err, ErrRefusedAddress) {
			t.Errorf("%s: %v, want ErrRefusedAddress", to, err)
		}
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.DialContext(canceled, "tcp", address); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
}

// A proxy of the environment would connect to refused addresses.
func TestNo_proxy(t *testing.T) {
	t.Parallel()
	if New(Options{}).transport.Proxy != nil {
		t.Error("the transport asks for a proxy")
	}
}
