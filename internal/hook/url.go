package hook

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/outbound"
	"github.com/reevehq/reeve/internal/setting"
	"github.com/reevehq/reeve/tenants"
)

const (
	tries   = 3
	backoff = 2 * time.Second // after a try without a response, as in the reference
)

// post sends the event to a URL, signed by Standard Webhooks
// (https://www.standardwebhooks.com). All tries have the same webhook-id.
func (h *Hooks) post(ctx context.Context, sc *tenants.Scope, url, secrets string, event []byte) result {
	keys, err := setting.ParseHookSecrets(sc.Tenant.Secrets.Settings[secrets])
	if err != nil {
		return result{failure: failedBecause(secrets+" is not valid", err)}
	}
	release, err := h.slots.take(ctx, sc.Tenant.Ref)
	if err != nil {
		// The URL was not asked: its silence is not counted.
		return result{transaction: err}
	}
	defer release()
	bounded, cancel := context.WithTimeout(ctx, urlTimeout) // of the URL alone
	defer cancel()
	late := func(err error) result {
		if ctx.Err() != nil { // the client left
			return result{transaction: ctx.Err()}
		}
		return result{failure: &failure{outcome: OutcomeTimeout, fault: auth.ErrHookTimeout, reason: "the URL did not answer within 5 s", err: err, unanswered: true}}
	}
	id := uuid.NewString()
	for try := 1; ; try++ {
		got, wait := h.try(bounded, url, id, keys, event)
		if bounded.Err() != nil {
			return late(got.failed())
		}
		if wait < 0 {
			return got
		}
		if try == tries {
			got.failure = &failure{outcome: OutcomeTimeout, fault: auth.ErrHookRetries, reason: "the URL did not answer after 3 tries", err: got.failed(), unanswered: true}
			return got
		}
		if end, _ := bounded.Deadline(); time.Until(end) <= wait { // it would be the URL's time that runs out
			return late(got.failed())
		}
		select {
		case <-bounded.Done():
			return late(got.failed())
		case <-time.After(wait):
		}
	}
}

// final is the wait after a try that is the last one.
const final = -1

// try sends the event once. wait is the time after which to try again.
func (h *Hooks) try(ctx context.Context, url, id string, keys [][]byte, event []byte) (got result, wait time.Duration) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(event))
	if err != nil {
		return result{failure: failedBecause("the URL is not valid", err)}, final
	}
	at := strconv.FormatInt(h.now().Unix(), 10)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "Reeve-Hooks/1")
	req.Header.Set("webhook-id", id)
	req.Header.Set("webhook-timestamp", at)
	req.Header.Set("webhook-signature", sign(keys, id, at, event))
	resp, err := h.client.Do(req)
	if err != nil {
		f := failedBecause("the URL cannot be reached", err)
		if errors.Is(err, outbound.ErrRefusedAddress) || errors.Is(err, outbound.ErrRefusedURL) {
			return result{failure: f}, final
		}
		return result{failure: f}, backoff
	}
	defer func() { _ = resp.Body.Close() }()
	return read(resp)
}

// read reads a response.
func read(resp *http.Response) (got result, wait time.Duration) {
	got.status = resp.StatusCode
	fail := func(reason string, err error) (result, time.Duration) {
		got.failure = failedBecause(reason, err)
		return got, final
	}
	switch code := resp.StatusCode; {
	case code == http.StatusNoContent:
		return got, final
	case code == http.StatusOK, code == http.StatusAccepted:
	case code == http.StatusTooManyRequests, code == http.StatusServiceUnavailable:
		got, _ = fail(fmt.Sprintf("the URL answered %d", code), nil)
		got.failure.unanswered = true
		if wait, ok := retryAfter(resp.Header.Get("Retry-After")); ok {
			return got, wait
		}
		return got, final
	case code >= 400 && code < 500:
		// Many receivers put the status of the refusal into the response too.
		if raw, f := readBody(resp); f == nil && refusalIn(raw) != nil && wellFormed(raw) == nil {
			got.raw = raw
			return got, final
		}
		return fail(fmt.Sprintf("the URL answered %d", code), nil)
	default:
		got, _ = fail(fmt.Sprintf("the URL answered %d", code), nil)
		got.failure.unanswered = code >= 500
		return got, final
	}
	got.raw, got.failure = readBody(resp)
	return got, final
}

func readBody(resp *http.Response) ([]byte, *failure) {
	kind, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" {
		return nil, &failure{
			outcome: OutcomeFailed, fault: auth.ErrHookContentType,
			reason: fmt.Sprintf("the Content-Type of the answer is %.100q, not application/json", resp.Header.Get("Content-Type")),
		}
	}
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case errors.Is(err, outbound.ErrBodyTooLarge), len(raw) > maxAnswer:
		return nil, tooLarge()
	case err != nil:
		return nil, &failure{outcome: OutcomeFailed, fault: auth.ErrHookFailed, reason: "the answer broke off", err: err, unanswered: true}
	}
	return raw, nil
}

// retryAfter reads the header Retry-After in seconds. A date, and a longer wait than
// a call may take, are shortened to that.
func retryAfter(header string) (time.Duration, bool) {
	if header == "" {
		return 0, false
	}
	n, err := strconv.Atoi(strings.TrimSpace(header))
	if err != nil || n < 0 || n > int(urlTimeout/time.Second) {
		return urlTimeout, true
	}
	return time.Duration(n) * time.Second, true
}

// sign returns the header webhook-signature: one signature a key.
func sign(keys [][]byte, id, at string, body []byte) string {
	list := make([]string, len(keys))
	for i, key := range keys {
		mac := hmac.New(sha256.New, key)
		_, _ = fmt.Fprintf(mac, "%s.%s.", id, at)
		_, _ = mac.Write(body)
		list[i] = "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	}
	return strings.Join(list, " ")
}
