package external_test

import (
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/reevehq/reeve/internal/testkit/flowtest"
	"github.com/reevehq/reeve/tenants"
)

// hijacker is somebody who prepares an account with the victim's address, and
// tries to get into it later.
type hijacker struct {
	f     *flowtest.Fixture
	email string // the victim's
}

const attackersPassword = "attacker-password"

// account signs up with the victim's address.
func (h hijacker) account(t *testing.T) flowtest.Session {
	t.Helper()
	h.f.A.Do(t, "POST", "/signup", m{"email": h.email, "password": attackersPassword}).Want(200)
	h.f.Clock.Advance(time.Minute)
	return h.f.A.SignIn(t, h.email, attackersPassword)
}

// as returns whom an access token signs in; "" if it is refused.
func (h hijacker) as(t *testing.T, access string) string {
	t.Helper()
	if access == "" {
		return ""
	}
	me := h.f.A.Do(t, "GET", "/user", nil, flowtest.User(access))
	if me.Status != 200 {
		return ""
	}
	return me.Get("id")
}

// atProvider signs in with the attacker's account at the provider.
func (h hijacker) atProvider(t *testing.T, email string) string {
	t.Helper()
	u := newBrowser().signIn(t, h.f, h.f.A, "", ann("attacker of "+h.email, email, false))
	return h.as(t, fragment(t, u).Get("access_token"))
}

// TestPreHijackingClasses are the five classes of attack of Sudhodanan and
// Paverd, "Pre-hijacked accounts" (USENIX Security 2022), against each way in
// which the victim may prove the address.
func TestPreHijackingClasses(t *testing.T) {
	t.Parallel()
	// Each class prepares, and returns the attack: whom the attacker is signed in as
	// after it, or "".
	classes := map[string]func(t *testing.T, h hijacker) func(t *testing.T) string{
		"classic-federated merge": func(t *testing.T, h hijacker) func(*testing.T) string {
			h.account(t)
			return func(t *testing.T) string {
				res := h.f.A.Do(t, "POST", "/token?grant_type=password", m{"email": h.email, "password": attackersPassword})
				return h.as(t, res.Get("access_token"))
			}
		},
		"unexpired session": func(t *testing.T, h hijacker) func(*testing.T) string {
			held := h.account(t)
			return func(t *testing.T) string {
				if res := h.f.A.Do(t, "POST", "/token?grant_type=refresh_token", m{"refresh_token": held.Refresh}); res.Status == 200 {
					return h.as(t, res.Get("access_token"))
				}
				return h.as(t, held.Access)
			}
		},
		"trojan identifier": func(t *testing.T, h hijacker) func(*testing.T) string {
			held := h.account(t)
			raw := h.f.IDP.Issue(h.f.A, "", ann("attacker of "+h.email, "attacker-"+h.email, true))
			h.f.A.Do(t, "POST", "/token?grant_type=id_token", m{"provider": "idp", "id_token": raw, "link_identity": true}, flowtest.User(held.Access)).Want(200)
			return func(t *testing.T) string { return h.atProvider(t, "attacker-"+h.email) }
		},
		"unexpired email change": func(t *testing.T, h hijacker) func(*testing.T) string {
			held := h.account(t)
			own := "attacker-" + h.email
			h.f.A.Do(t, "PUT", "/user", m{"email": own}, flowtest.User(held.Access)).Want(200)
			h.f.Clock.Advance(time.Minute)
			link := h.f.A.LinkQuery(t, h.f.A.Mail(t, own))
			return func(t *testing.T) string {
				res := h.f.A.Do(t, "POST", "/verify", m{"type": "email_change", "token_hash": link.Get("token")})
				if n := h.f.A.Count(t, "SELECT count(*) FROM auth.users WHERE email = $1", h.email); n != 1 {
					t.Error("the victim's address is gone")
				}
				return h.as(t, res.Get("access_token"))
			}
		},
		"non-verifying provider": func(t *testing.T, h hijacker) func(*testing.T) string {
			if h.atProvider(t, h.email) == "" {
				t.Fatal("the attack could not be prepared")
			}
			h.f.Clock.Advance(time.Minute)
			return func(t *testing.T) string { return h.atProvider(t, h.email) }
		},
	}
	// Each proof signs the victim in and returns the access token.
	proofs := map[string]func(t *testing.T, h hijacker) string{
		"a provider that verified the address": func(t *testing.T, h hijacker) string {
			return fragment(t, newBrowser().signIn(t, h.f, h.f.A, "", ann("victim of "+h.email, h.email, true))).Get("access_token")
		},
		"a recovery": func(t *testing.T, h hijacker) string {
			h.f.A.Do(t, "POST", "/recover", m{"email": h.email}).Want(200)
			return h.opened(t, "recovery")
		},
		"a mailed link": func(t *testing.T, h hijacker) string {
			h.f.A.Do(t, "POST", "/otp", m{"email": h.email}).Want(200)
			return h.opened(t, "email")
		},
		"a sign-up": func(t *testing.T, h hijacker) string {
			h.f.A.Do(t, "POST", "/signup", m{"email": h.email, "password": "victims-password"}).Want(200)
			return h.opened(t, "signup")
		},
	}
	f := flowtest.New(t, settings, func(c *tenants.Config) { c.MailerAllowUnverifiedEmailSignIn = true })
	for class, prepare := range classes {
		for proof, prove := range proofs {
			t.Run(class+", then "+proof, func(t *testing.T) {
				h := hijacker{f, strings.ReplaceAll(class, " ", "-") + strconv.Itoa(len(proof)) + "@example.com"}
				attack := prepare(t, h)
				victim := h.as(t, prove(t, h))
				if victim == "" {
					t.Fatal("the victim did not get in")
				}
				if got := attack(t); got == victim {
					t.Error("the attacker is in the victim's account")
				}
			})
		}
	}
}

// opened opens the victim's newest mail.
func (h hijacker) opened(t *testing.T, typ string) string {
	t.Helper()
	link := h.f.A.LinkQuery(t, h.f.A.Mail(t, h.email))
	return h.f.A.Do(t, "POST", "/verify", m{"type": typ, "token_hash": link.Get("token")}).Session().Access
}

// TestMixUp: the callback of one provider does not complete the sign-in at
// another, whoever swaps code or state.
func TestMixUp(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, settings)
	b := newBrowser()
	begin := func(provider string) string {
		return b.open(t, f.A, "GET", "/authorize?provider="+provider+"&redirect_to="+url.QueryEscape(app), nil).Want(303).Header.Get("Location")
	}
	first, firstCode := f.IDP.SignIn(begin(flowtest.Known), ann("1", "ann@example.com", true))
	second, secondCode := f.IDP.SignIn(begin(flowtest.Older), ann("2", "eve@example.com", true))
	for name, path := range map[string]string{
		"the second's code with the first's state": callback(first, secondCode),
		"the first's code with the second's state": callback(second, firstCode),
	} {
		if u := target(t, b.open(t, f.A, "GET", path, nil).Want(303)); u.Query().Get("error_code") == "" || fragment(t, u).Get("access_token") != "" {
			t.Errorf("%s: %s", name, u)
		}
	}
	if n := f.A.Count(t, "SELECT count(*) FROM auth.users"); n != 0 {
		t.Errorf("%d users", n)
	}
}

// TestAddressChangesAtProvider: the identity decides who signs in, not the address
// that the provider has for it by now.
func TestAddressChangesAtProvider(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, settings)
	h := hijacker{f: f}
	in := func(subject, email string) string {
		return h.as(t, fragment(t, newBrowser().signIn(t, f, f.A, "", ann(subject, email, true))).Get("access_token"))
	}
	ann, bob := in("1", "ann@example.com"), in("2", "bob@example.com")
	if got := in("1", "bob@example.com"); got != ann {
		t.Errorf("with Bob's address Ann is %s, not %s", got, ann)
	}
	if got := in("2", "bob@example.com"); got != bob {
		t.Errorf("Bob is %s, not %s", got, bob)
	}
	me := f.A.Count(t, "SELECT count(*) FROM auth.users WHERE id = $1 AND email = 'ann@example.com'", ann)
	if me != 1 {
		t.Error("Ann's address changed")
	}
}

// TestTwoProvidersWithOneAddress: a second provider leads to the same user if it
// has verified the address too, and to another one if it has not.
func TestTwoProvidersWithOneAddress(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, settings, func(c *tenants.Config) { c.MailerAllowUnverifiedEmailSignIn = true })
	h := hijacker{f: f}
	in := func(provider string, verified bool, subject string) string {
		b := newBrowser()
		to := b.open(t, f.A, "GET", "/authorize?provider="+provider+"&redirect_to="+url.QueryEscape(app), nil).Want(303).Header.Get("Location")
		state, code := f.IDP.SignIn(to, ann(subject, "ann@example.com", verified))
		return h.as(t, fragment(t, target(t, b.open(t, f.A, "GET", callback(state, code), nil).Want(303))).Get("access_token"))
	}
	first := in(flowtest.Known, true, "1")
	if got := in(flowtest.Older, false, "not hers"); got == first || got == "" {
		t.Errorf("an unverified address led to %q", got)
	}
	if got := in(flowtest.Older, true, "1"); got != first {
		t.Errorf("a verified address led to %s, not %s", got, first)
	}
	if n := f.A.Count(t, "SELECT count(*) FROM auth.identities WHERE user_id = $1", first); n != 2 {
		t.Errorf("%d identities", n)
	}
}

// TestTwoProjectsWithOneProvider: the same provider, person, address and state in
// two projects.
func TestTwoProjectsWithOneProvider(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, settings)
	b := newBrowser()
	ofA, codeA := f.IDP.SignIn(b.begin(t, f.A, ""), ann("1", "ann@example.com", true))
	ofB, codeB := f.IDP.SignIn(b.begin(t, f.B, ""), ann("1", "ann@example.com", true))
	// B's row with A's state, as SQL could write it: everything that is derived from
	// the state is of another key, so the browser's cookie is worth nothing.
	f.B.Exec(t, `UPDATE auth.flow_state SET id = $1 WHERE id = $2`, ofA, ofB)
	page := b.open(t, f.B, "GET", callback(ofA, codeA), nil).Want(200)
	form := url.Values{"state": {ofA}, "code": {codeA}, "proceed": {proceed(t, page)}}.Encode()
	u := target(t, b.open(t, f.B, "POST", "/callback", form, flowtest.Header("Content-Type", "application/x-www-form-urlencoded")).Want(303))
	if fragment(t, u).Get("access_token") != "" || u.Query().Get("error_code") == "" {
		t.Errorf("A's callback at B: %s", u)
	}
	if u := target(t, b.open(t, f.A, "GET", callback(ofB, codeB), nil).Want(303)); u.Query().Get("error_code") != "bad_oauth_state" {
		t.Errorf("B's callback at A: %s", u)
	}
	if n := f.A.Count(t, "SELECT count(*) FROM auth.users") + f.B.Count(t, "SELECT count(*) FROM auth.users"); n != 0 {
		t.Errorf("%d users", n)
	}
	ofA, codeA = f.IDP.SignIn(b.begin(t, f.A, ""), ann("1", "ann@example.com", true))
	u = target(t, b.open(t, f.A, "GET", callback(ofA, codeA), nil).Want(303))
	access := fragment(t, u).Get("access_token")
	f.A.Do(t, "GET", "/user", nil, flowtest.User(access)).Want(200)
	if res := f.B.Do(t, "GET", "/user", nil, flowtest.User(access)); res.Status < 400 {
		t.Errorf("A's session at B: %s", res.Raw)
	}
	in := fragment(t, newBrowser().signIn(t, f, f.B, "", ann("1", "ann@example.com", true))).Get("access_token")
	a := f.A.Do(t, "GET", "/user", nil, flowtest.User(access)).Get("id")
	if other := f.B.Do(t, "GET", "/user", nil, flowtest.User(in)).Want(200).Get("id"); other == a {
		t.Error("both projects have the same user")
	}
}
