package dev

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"syscall"
	"time"
)

// explainListen adds the address to an error, and a remedy if it is taken.
func explainListen(addr string, err error) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%s is taken by another program: stop that, or choose another address with --listen", addr)
	}
	return fmt.Errorf("listen on %s: %w", addr, err)
}

// explainAddress describes an unusual address, with the port that may have been
// meant.
func explainAddress(addr string) error {
	port := "9000"
	if n, err := strconv.ParseUint(addr, 10, 16); err == nil {
		port = strconv.FormatUint(n, 10)
	}
	return fmt.Errorf("cannot listen on %q: an address is wanted, such as 127.0.0.1:%s", addr, port)
}

// awaitReady polls until the server serves.
func awaitReady(ctx context.Context, addr net.Addr) error {
	client := &http.Client{Timeout: 5 * time.Second}
	url := origin(addr) + "/healthz" // /readyz waits for what comes after
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		res, err := client.Do(req)
		if err == nil {
			_ = res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// origin is how this process reaches its server, whatever its public URL.
func origin(addr net.Addr) string {
	host, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		return "http://" + addr.String()
	}
	if ip := net.ParseIP(host); ip == nil || ip.IsUnspecified() {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, port)
}
