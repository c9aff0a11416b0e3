// Package leaked asks a list of leaked passwords by its range API, which learns
// five hexadecimal digits of the password's digest and not the password
// (k-anonymity). It decides nothing: not what happens with a leaked password, nor
// while the list cannot be asked.
package leaked

import (
	"bufio"
	"context"
	"crypto/sha1" //nolint:gosec // the digest that the list has; nothing is protected by it
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// URL is the address of the list of haveibeenpwned.com.
const URL = "https://api.pwnedpasswords.com"

// Timeout limits a request to the list, as in the reference.
const Timeout = 5 * time.Second

// maxAnswer bounds an answer, in bytes: padded ones have about 60,000.
const maxAnswer = 1 << 20

// prefix is how many digits of the digest the list learns.
const prefix = 5

// List is a list of leaked passwords.
type List struct {
	// HTTP should have Timeout.
	HTTP *http.Client
	// URL is the address before /range/; the constant URL when empty.
	URL string
}

// Contains reports whether the list has the password. It returns an error when
// the list cannot be asked or its answer is no range.
func (l *List) Contains(ctx context.Context, password string) (bool, error) {
	sum := sha1.Sum([]byte(password)) //nolint:gosec // see the import
	digest := strings.ToUpper(hex.EncodeToString(sum[:]))
	base := l.URL
	if base == "" {
		base = URL
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimRight(base, "/")+"/range/"+digest[:prefix], nil)
	if err != nil {
		return false, fmt.Errorf("leaked passwords: %w", err)
	}
	// Padding hides from an observer of the connection which range is answered.
	req.Header.Set("Add-Padding", "true")
	req.Header.Set("User-Agent", "reeve")
	resp, err := l.HTTP.Do(req)
	if err != nil {
		return false, fmt.Errorf("leaked passwords: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return false, fmt.Errorf("leaked passwords: status %d", resp.StatusCode)
	}
	return find(io.LimitReader(resp.Body, maxAnswer+1), digest[prefix:])
}

// errNoRange is an answer that is not a list of suffixes.
var errNoRange = errors.New("leaked passwords: the answer is no range")

// find reads lines of a suffix, a colon and a count. Padding has the count 0. It
// reads to the end, so that a cut-off answer is an error and not a missing
// password.
func find(r io.Reader, suffix string) (found bool, err error) {
	size, suffixes := 0, 0
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		size += len(lines.Bytes()) + 1
		line := strings.TrimSpace(lines.Text())
		if line == "" {
			continue
		}
		got, count, ok := strings.Cut(line, ":")
		if !ok || len(got) != len(suffix) || count == "" || strings.Trim(count, "0123456789") != "" {
			return false, errNoRange
		}
		suffixes++
		if strings.EqualFold(got, suffix) && strings.Trim(count, "0") != "" {
			found = true
		}
	}
	if err := lines.Err(); err != nil {
		return false, fmt.Errorf("leaked passwords: read answer: %w", err)
	}
	if size > maxAnswer {
		return false, errors.New("leaked passwords: the answer is too long")
	}
	if suffixes == 0 { // every range has hundreds, and padding
		return false, errNoRange
	}
	return found, nil
}
