package server_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/reevehq/reeve/internal/server/servertest"
)

// loot is everything that an app and the users of one project may hold.
type loot struct {
	*servertest.Project
	anon, service  string // legacy keys
	ann            servertest.Session
	links          []link
	code, verifier string // PKCE
}

// link is a one-time token that somebody was sent, or an admin made.
type link struct {
	verify, email, token, code string
}

// neighbours are one Reeve with two projects that have the same users, down to their
// ids, and a full set of tokens each.
type neighbours struct {
	reeve *servertest.Reeve
	a, b  *loot
}

func newNeighbours(t *testing.T) *neighbours {
	t.Helper()
	reeve := servertest.Start(t)
	return &neighbours{reeve: reeve, a: newLoot(t, reeve, "a"), b: newLoot(t, reeve, "b")}
}

func newLoot(t *testing.T, reeve *servertest.Reeve, name string) *loot {
	t.Helper()
	l := &loot{Project: reeve.Project(t, name, map[string]any{"site_url": "http://app.test"}), verifier: strings.Repeat(name, 43)}
	secret := annPassword + name // the same user has another password in each project
	l.Admin(t, http.MethodPost, "/admin/users", map[string]any{"id": annID, "email": annEmail, "password": secret, "email_confirm": true}).
		Expect(t, http.StatusOK)
	l.ann = l.SignIn(t, annEmail, secret)
	if l.ann.User.ID != annID {
		t.Fatalf("ann is %s, want %s", l.ann.User.ID, annID)
	}
	l.legacyKeys(t)

	l.Do(t, http.MethodPost, "/signup", map[string]any{"email": "new@example.com", "password": secret}).Expect(t, http.StatusOK)
	l.sent(t, "signup", "new@example.com")
	l.SignUp(t, "forgetful@example.com", secret)
	l.Do(t, http.MethodPost, "/recover", map[string]any{"email": "forgetful@example.com"}).Expect(t, http.StatusOK)
	l.sent(t, "recovery", "forgetful@example.com")
	mover := l.SignUp(t, "mover@example.com", secret)
	l.As(t, mover.AccessToken, http.MethodPut, "/user", map[string]any{"email": "moved@example.com"}).Expect(t, http.StatusOK)
	l.sent(t, "email_change", "mover@example.com")
	l.sent(t, "email_change", "moved@example.com")
	l.Admin(t, http.MethodPost, "/invite", map[string]any{"email": "guest@example.com"}).Expect(t, http.StatusOK)
	l.sent(t, "invite", "guest@example.com")
	l.made(t, "magiclink", annEmail)
	l.exchange(t)
	return l
}

// sent keeps the token of the newest mail to an address.
func (l *loot) sent(t *testing.T, verify, email string) {
	t.Helper()
	mail := l.Inbox(t, email, 1)[0]
	l.links = append(l.links, link{verify: verify, email: email, token: mail.LinkToken(t), code: mail.Code})
}

// made keeps the token of a link that an admin made.
func (l *loot) made(t *testing.T, typ, email string) {
	t.Helper()
	var made struct {
		Token string `json:"hashed_token"`
		Code  string `json:"email_otp"`
	}
	l.Admin(t, http.MethodPost, "/admin/generate_link", map[string]any{"type": typ, "email": email}).Expect(t, http.StatusOK).Into(t, &made)
	l.links = append(l.links, link{verify: typ, email: email, token: made.Token, code: made.Code})
}

// exchange begins a PKCE exchange and opens its link, so that only the code is
// to be redeemed.
func (l *loot) exchange(t *testing.T) {
	t.Helper()
	const email = "coder@example.com"
	l.SignUp(t, email, annPassword)
	l.Do(t, http.MethodPost, "/recover", map[string]any{
		"email": email, "code_challenge": l.verifier, "code_challenge_method": "plain",
	}).Expect(t, http.StatusOK)
	token := l.Inbox(t, email, 1)[0].LinkToken(t)
	to := l.Reeve.Do(t, http.MethodGet, l.Auth("/verify?type=recovery&token="+token), nil).Expect(t, http.StatusSeeOther).Header.Get("Location")
	u, err := url.Parse(to)
	if err != nil || u.Query().Get("code") == "" {
		t.Fatalf("no code in %q: %v", to, err)
	}
	l.code = u.Query().Get("code")
}

// legacyKeys switches the legacy JWT keys on and waits until they act.
func (l *loot) legacyKeys(t *testing.T) {
	t.Helper()
	base := "/v1/projects/" + l.Ref
	l.Reeve.Manage(t, http.MethodPost, base+"/config/auth/signing-keys/legacy", nil).Expect(t, http.StatusCreated)
	l.Reeve.Manage(t, http.MethodPut, base+"/api-keys/legacy?enabled=true", nil).Expect(t, http.StatusOK)
	var keys []struct {
		Type, Name string
		APIKey     string `json:"api_key"`
	}
	l.Reeve.Manage(t, http.MethodGet, base+"/api-keys", nil).Expect(t, http.StatusOK).Into(t, &keys)
	for _, k := range keys {
		switch {
		case k.Type != "legacy":
		case k.Name == "anon":
			l.anon = k.APIKey
		default:
			l.service = k.APIKey
		}
	}
	for _, key := range []string{l.anon, l.service} {
		eventually(t, "a legacy key works", func() bool {
			return l.Reeve.Do(t, http.MethodGet, l.Auth("/settings"), nil, "apikey", key).Status == http.StatusOK
		})
	}
}

// keys are all API keys of the project, by name.
func (l *loot) keys() map[string]string {
	return map[string]string{"publishable": l.PublishableKey, "secret": l.SecretKey, "anon": l.anon, "service_role": l.service}
}

// address is one of the ways to name a project in a request.
type address struct {
	name string
	path string   // before the route
	host []string // headers
}

// named returns the addresses that name the project without its key.
func (l *loot) named() []address {
	return []address{
		{name: "path", path: "/p/" + l.Ref + "/auth/v1"},
		{name: "host", path: "/auth/v1", host: []string{"Host", l.Ref + ".localhost"}},
		{name: "host and path", path: "/p/" + l.Ref + "/auth/v1", host: []string{"Host", l.Ref + ".localhost"}},
	}
}

// addresses returns all kinds of address; the bare one needs the project's key.
func (l *loot) addresses() []address {
	return append(l.named(), address{name: "bare", path: "/auth/v1"})
}

// at sends a request to an address.
func (w *neighbours) at(t *testing.T, a address, method, path string, body any, headers ...string) *servertest.Answer {
	t.Helper()
	return w.reeve.Do(t, method, a.path+path, body, append(append([]string{}, a.host...), headers...)...)
}

// eventually asks again and again, a bounded number of times.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for range 2400 { // a minute: the machine may be busy
		if ok() {
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	t.Fatalf("never: %s", what)
}
