// Package services has doubles of the services that Reeve asks about requests:
// the siteverify of hCaptcha and Turnstile, and the range API of leaked passwords.
// They answer as their documentation says. Only tests import it.
package services

import (
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/reevehq/reeve/internal/outbound"
)

// Services are the doubles, at one address of this machine.
type Services struct {
	URL string

	mu      sync.Mutex
	secrets map[string]bool // the secret keys of sites
	solved  map[string]bool // tokens: true until they are used
	leaked  map[string]bool // digests
	broken  http.HandlerFunc
	asked   []*http.Request // their forms are parsed
}

// Start runs the doubles until the test ends.
func Start(tb testing.TB) *Services {
	tb.Helper()
	s := &Services{secrets: map[string]bool{}, solved: map[string]bool{}, leaked: map[string]bool{}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /hcaptcha/siteverify", s.answer(s.siteverify("expired-input-response")))
	mux.HandleFunc("POST /turnstile/v0/siteverify", s.answer(s.siteverify("timeout-or-duplicate")))
	mux.HandleFunc("GET /range/{prefix}", s.answer(s.ranges))
	server := httptest.NewServer(mux)
	tb.Cleanup(server.Close)
	s.URL = server.URL
	return s
}

// Client is a client that may reach the doubles.
func (s *Services) Client(timeout time.Duration) *http.Client {
	return outbound.New(outbound.Options{AllowPrivate: true, AllowPlainHTTP: true}).HTTP(timeout)
}

// HCaptcha and Turnstile are the addresses of siteverify.
func (s *Services) HCaptcha() string { return s.URL + "/hcaptcha/siteverify" }

// Turnstile is HCaptcha's of Turnstile.
func (s *Services) Turnstile() string { return s.URL + "/turnstile/v0/siteverify" }

// Site makes a secret key known.
func (s *Services) Site(secret string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.secrets[secret] = true
}

// Solve returns the token of a solved captcha.
func (s *Services) Solve() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	token := fmt.Sprintf("token-%d", len(s.solved))
	s.solved[token] = true
	return token
}

// Leak puts passwords on the list.
func (s *Services) Leak(passwords ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range passwords {
		s.leaked[digest(p)] = true
	}
}

// Break makes every service answer so; nil repairs them.
func (s *Services) Break(how http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broken = how
}

// Forms are the forms that were sent to siteverify, oldest first.
func (s *Services) Forms() (out []url.Values) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.asked {
		if r.Method == http.MethodPost {
			out = append(out, r.PostForm)
		}
	}
	return out
}

// Ranges are the paths that the list of leaked passwords was asked for.
func (s *Services) Ranges() (out []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.asked {
		if r.Method == http.MethodGet {
			out = append(out, r.URL.Path)
		}
	}
	return out
}

func (s *Services) answer(as http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		s.mu.Lock()
		s.asked = append(s.asked, r)
		broken := s.broken
		s.mu.Unlock()
		if broken != nil {
			broken(w, r)
			return
		}
		as(w, r)
	}
}

// siteverify answers with the error codes that both providers document; used is
// theirs for a token that was used before.
func (s *Services) siteverify(used string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		secret, token := r.PostForm.Get("secret"), r.PostForm.Get("response")
		fresh, known := s.solved[token]
		code := ""
		switch {
		case secret == "":
			code = "missing-input-secret"
		case !s.secrets[secret]:
			code = "invalid-input-secret"
		case token == "":
			code = "missing-input-response"
		case !known:
			code = "invalid-input-response"
		case !fresh:
			code = used
		}
		out := map[string]any{"success": code == ""}
		if code == "" {
			s.solved[token] = false
			out["hostname"], out["challenge_ts"] = "app.example", time.Now().UTC().Format(time.RFC3339)
		} else {
			out["error-codes"] = []string{code}
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(out)
	}
}

// ranges answers with the leaked suffixes of the range and, if asked to, padding.
func (s *Services) ranges(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	prefix := r.PathValue("prefix")
	if len(prefix) != 5 || strings.Trim(prefix, "0123456789ABCDEF") != "" {
		http.Error(w, "The hash prefix was not in a valid format", http.StatusBadRequest)
		return
	}
	for d := range s.leaked {
		if suffix, ok := strings.CutPrefix(d, prefix); ok {
			_, _ = fmt.Fprintf(w, "%s:%d\r\n", suffix, 42)
		}
	}
	if r.Header.Get("Add-Padding") == "true" {
		for i := range 800 {
			_, _ = fmt.Fprintf(w, "%s:0\r\n", digest(fmt.Sprint("padding", i))[5:])
		}
	}
}

func digest(password string) string {
	sum := sha1.Sum([]byte(password))
	return strings.ToUpper(hex.EncodeToString(sum[:]))
}
