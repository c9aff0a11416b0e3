// Package outbound is the only path from the process to addresses that a
// project or its identity providers chose: hooks, webhooks, metadata, key sets,
// mail servers. It owns which addresses may be reached and how large answers
// may be. It does not retry, sign, or interpret contents.
package outbound

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
	"time"

	"github.com/reevehq/reeve/internal/fault"
)

// Defaults of Options and HTTP.
const (
	DefaultDialTimeout = 5 * time.Second
	DefaultTimeout     = 10 * time.Second
	DefaultMaxBody     = 4 << 20
	DefaultRedirects   = 5

	maxHeaderBytes = 64 << 10
)

// The errors. net and net/http wrap them; use errors.Is.
var (
	// ErrRefusedAddress is returned for an address in a network that is not
	// public.
	ErrRefusedAddress = fault.New(fault.Unprocessable, "outbound_address_refused", "The address is not allowed")
	// ErrRefusedURL is returned for a scheme other than https (or http, where
	// allowed), a URL without host, and a redirect from https to http.
	ErrRefusedURL = fault.New(fault.Unprocessable, "outbound_url_refused", "The URL is not allowed")
	// ErrRedirects is returned for more redirects than allowed.
	ErrRedirects = fault.New(fault.Unprocessable, "outbound_too_many_redirects", "Too many redirects")
	// ErrBodyTooLarge is returned by a response's body once it exceeds its
	// limit.
	ErrBodyTooLarge = fault.New(fault.Unprocessable, "outbound_body_too_large", "The response is too large")
)

// Options restrict what a Client may reach. The zero value allows public
// addresses by https only.
type Options struct {
	// AllowPrivate also allows loopback, private (RFC 1918, RFC 4193) and
	// shared (RFC 6598) addresses, for development. Link-local addresses, at
	// which clouds serve credentials, stay refused.
	AllowPrivate bool
	// AllowNetworks are always allowed.
	AllowNetworks []netip.Prefix
	// AllowPlainHTTP allows http beside https.
	AllowPlainHTTP bool
	// DialTimeout bounds resolving and connecting; DefaultDialTimeout when zero.
	DialTimeout time.Duration
	// MaxBody bounds a response's body after decompression, in bytes;
	// DefaultMaxBody when zero.
	MaxBody int64
	// MaxRedirects is DefaultRedirects when zero; negative allows none.
	MaxRedirects int
	// Resolver resolves names; net.DefaultResolver when nil.
	Resolver *net.Resolver
	// RootCAs are the trusted certificate authorities; the system's when nil.
	RootCAs *x509.CertPool
}

// Client creates connections and HTTP clients that obey its Options. It ignores
// proxies in the environment, because they would connect to refused addresses.
type Client struct {
	options   Options
	dialer    *net.Dialer
	transport *http.Transport
}

// New returns a Client.
func New(o Options) *Client {
	if o.DialTimeout == 0 {
		o.DialTimeout = DefaultDialTimeout
	}
	if o.MaxBody == 0 {
		o.MaxBody = DefaultMaxBody
	}
	if o.MaxRedirects == 0 {
		o.MaxRedirects = DefaultRedirects
	}
	c := &Client{options: o}
	c.dialer = &net.Dialer{Timeout: o.DialTimeout, Resolver: o.Resolver, ControlContext: c.control}
	c.transport = &http.Transport{
		Proxy:                  nil,
		DialContext:            c.DialContext,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: o.RootCAs},
		TLSHandshakeTimeout:    o.DialTimeout,
		ForceAttemptHTTP2:      true,
		MaxResponseHeaderBytes: maxHeaderBytes,
		MaxIdleConns:           100,
		MaxIdleConnsPerHost:    4,
		IdleConnTimeout:        30 * time.Second,
	}
	return c
}

// DialContext connects by tcp, tcp4 or tcp6. Every address of a name is checked
// right before it is connected to, after resolving, so a DNS answer that
// changes between check and use has no effect. It returns ErrRefusedAddress, or
// the error of net.
func (c *Client) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	switch network {
	case "tcp", "tcp4", "tcp6":
	default:
		return nil, ErrRefusedAddress.Because(fmt.Errorf("network %q", network))
	}
	return c.dialer.DialContext(ctx, network, address)
}

// Resolve returns those addresses of a host, a name or an address, that may be
// reached. It returns ErrRefusedAddress if it has others only, or the error of net.
func (c *Client) Resolve(ctx context.Context, host string) ([]netip.Addr, error) {
	resolver := c.options.Resolver
	if resolver == nil {
		resolver = net.DefaultResolver
	}
	ctx, cancel := context.WithTimeout(ctx, c.options.DialTimeout)
	defer cancel()
	found, err := resolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, err
	}
	var allowed []netip.Addr
	for _, a := range found {
		if c.CheckAddress(a) == nil {
			allowed = append(allowed, a.Unmap())
		}
	}
	if len(allowed) == 0 {
		return nil, ErrRefusedAddress
	}
	return allowed, nil
}

// control is called by net for each resolved address before it connects.
func (c *Client) control(_ context.Context, _, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return ErrRefusedAddress.Because(err)
	}
	return c.CheckAddress(to.Addr())
}

// HTTP returns an http.Client whose requests take at most timeout in all, body
// included (DefaultTimeout when zero). Clients of one Client share connections.
// A caller that sends secrets in its own headers, which net/http repeats to the
// target of a redirect, should set CheckRedirect to refuse redirects.
func (c *Client) HTTP(timeout time.Duration) *http.Client {
	if timeout <= 0 {
		timeout = DefaultTimeout
	}
	return &http.Client{
		Transport:     roundTripper{c},
		CheckRedirect: c.checkRedirect,
		Timeout:       timeout,
	}
}

// Close closes idle connections.
func (c *Client) Close() { c.transport.CloseIdleConnections() }

// checkURL checks whether a request may go to a URL; the address is checked
// when it is connected to. It returns ErrRefusedURL.
func (c *Client) checkURL(u *url.URL) error {
	if u.Scheme != "https" && (u.Scheme != "http" || !c.options.AllowPlainHTTP) {
		return ErrRefusedURL.Because(fmt.Errorf("scheme %q", u.Scheme))
	}
	if u.Hostname() == "" {
		return ErrRefusedURL.Because(errors.New("no host"))
	}
	return nil
}

func (c *Client) checkRedirect(next *http.Request, via []*http.Request) error {
	if len(via) > c.options.MaxRedirects {
		return ErrRedirects
	}
	if via[len(via)-1].URL.Scheme == "https" && next.URL.Scheme != "https" {
		return ErrRefusedURL.Because(fmt.Errorf("redirect from https to %q", next.URL.Scheme))
	}
	return nil
}
