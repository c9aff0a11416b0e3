package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/reevehq/reeve/internal/config"
	"github.com/reevehq/reeve/internal/server/servertest"
	"github.com/reevehq/reeve/internal/testkit/services"
)

// The contract is the part of an answer that clients of Supabase Auth depend on:
// status, error code, members and their types, headers, the target of a redirect
// and its parameters. Of messages it has only those that clients compare (texts).
//
// # How to read a fact
//
// Each contract_*_test.go file is a table of facts. A fact is one request and its
// answer:
//
//	{
//		name: "signup, confirmation", status: 200,
//		body: `{id uuid, aud =authenticated, phone =, user_metadata {}, identities [{id uuid}], confirmed_at? time}`,
//		ask: func(c *call) *servertest.Answer {
//			return c.do(c.mail, http.MethodPost, "/signup", jsonObject{"email": c.email(), "password": goodPassword})
//		},
//	},
//
// ask sends the requests and returns the answer to the last one. The call c has two
// projects, c.auto (autoconfirm) and c.mail (confirmation by mail), and helpers: do
// sends the publishable key, as a user's token, admin the secret key, and bare no
// key. email, user, somebody and waiting provide addresses and users. Facts run in
// parallel in the same projects, so a fact must not change what it did not create.
// A fact that needs other settings runs in a separate project: see with.
//
// body is a shape, which describes the JSON of the answer. The one above says:
//
//	id uuid              the member id is a UUID; other kinds are time, jwt, text (a
//	                     string that is not empty), string, digits, number, bool,
//	                     true, false, null and object
//	aud =authenticated   aud is this string
//	phone =              phone is the empty string
//	user_metadata {}     an object without members
//	identities [{...}]   a list of one or more elements of this shape; [] is the
//	                     empty list
//	confirmed_at? time   the member may be absent
//
// expires_in #3600 would be this number. An object must have exactly the members
// listed, so a member that is new or missing fails the test. Common shapes are
// functions and constants (userShape, sessionShape). An answer with an empty body
// has no shape.
//
// With code set the fact is an error. ask then runs twice, once for each shape
// of errors (without and with X-Supabase-Api-Version); body lists the members
// beside code and message, without braces: `weak_password {reasons [=length]}`. The
// message must match texts if it lists the code.
//
// header holds regular expressions by name. to describes a redirect: its URL, and
// the shapes of its query and fragment.
//
// # Golden files
//
// The answer of each fact that is not an error is also compared with
// testdata/contract/<name>.json, where values are replaced by their kinds, so that
// every change of the contract shows in the diff. To write them:
//
//	go run ./internal/testkit/withpg -- go test ./internal/server -run TestContract -update
//
// # How to add a fact
//
// Audit entries have a separate table, in contract_audit_test.go.
//
// Find out what the reference answers. Add the fact to the table of its route, run
// the command above, and review the new golden file. A new table is added to
// the list in TestContract. If Reeve answers differently from the reference on
// purpose, name the reason in deviates, and explain it in deviations.
//
// For example, to add that a sign-up keeps the member nick of data: name the fact
// "signup, data", set body to userShape(newMeta+", nick text", newMeta+", nick
// text", "confirmation_sent_at time") and ask to signUp(onMail, jsonObject{"data":
// jsonObject{"nick": "n"}}).

// fact is one exchange of the contract.
type fact struct {
	name string
	// ask sends the fact's request, after those that it depends on, by the methods
	// of the call. For an error it runs once for each shape.
	ask    func(c *call) *servertest.Answer
	status int
	code   string            // of an error
	body   string            // a shape; for an error the members beside code and message
	header map[string]string // regular expressions
	to     redirectTo
	// deviates names the entry of deviations that explains the difference.
	deviates string
}

// redirectTo is a redirect's target without its parameters, and the parameters'
// shapes.
type redirectTo struct{ url, query, fragment string }

// deviations are the intended differences from the reference, each with its
// reason.
var deviations = map[string]string{
	"a stolen session is over": "When reuse of a refresh token is detected, the session ends: its newest token is refused too. " +
		"The reference answers 200 to it, so a thief who was faster stays signed in.",
	"the token one behind": "The refresh token before the newest answers with the newest at any time, as the reference's refresh " +
		"tokens of version 2 do. Those of version 1 do so within the reuse interval only and sign out clients that lost an answer.",
	"confirmed_at at once": "The answer that confirms an address carries confirmed_at. The reference leaves it out until the next " +
		"read, because the column is generated.",
	"answers show what is stored": "The answer to a sign-up that is confirmed at once shows identity_data.email_verified as it is stored: " +
		"false, because nobody has proved to own the address. The reference also stores false, but shows true in this answer.",
	"errors are JSON": "Unknown paths and methods are refused in the shape of all errors. The reference " +
		"answers plain text, or an empty body.",
	"repeated requests reveal nothing": "A second request for a mail is refused whether or not the address is known. The reference refuses " +
		"it for known addresses only, and so reveals that they are known.",
	"one session is one session": "With one session a user, a new sign-in ends the others at once, so their refresh tokens are unknown. " +
		"The reference lets their access tokens live on and answers session_expired to the next refresh.",
	"keys without a gateway": "The refusals of API keys have the shape of all errors. In the reference they are the gateway's and " +
		"look different from server to server.",
	"retry after": "429 carries Retry-After, which the reference does not send.",
	"a current password is checked": "current_password must be right wherever it is given. The reference checks it only where the project " +
		"asks for it, and takes any else.",
	"no headers about sessions": "Answers have no sb-auth-* headers. The reference tells its gateway of user, session and counter in them, " +
		"and no client reads them.",
	"email links with PKCE": "A link of type email that belongs to a PKCE flow redirects with a code. The reference answers 500.",
	"a new password ends a change of address": "A new password removes new_email; email_change_sent_at stays, so that the next mail is " +
		"not sent too soon. The reference removes email_change_sent_at and keeps new_email, whose links are dead.",
	"admins have keys": "The admin API takes a secret key or a legacy service_role key. The reference also takes the access token of a " +
		"user whose role was set to service_role, and tokens of that role that an app signs.",
	"links are encoded": "redirect_to in a link is percent-encoded. The reference does so only where the URL has one of & = #, " +
		"so that a + or % in others arrives as something else.",
	"a target's fragment is replaced": "The session replaces the fragment of a redirect's target. The reference adds a second # behind " +
		"it, which its own client cannot read.",
	"addresses in the audit log": "Entries have the client's address, which the reference mostly leaves empty.",
	"admin in the audit log": "Entries about what an admin did name service_role and the user, for links and passwords too. The reference " +
		"names the user for a link of a recovery, and writes nothing about other links and about passwords.",
	"both addresses confirm": "With mailer_secure_email_change_enabled both addresses confirm a change, with mailer_autoconfirm too. " +
		"There the reference mails both addresses and accepts one.",
	"recovery verifies the identity": "A recovery of an unconfirmed user sets identity_data.email_verified, because the mail proved the " +
		"address. The reference leaves it false.",
	"taken address like a new one": "The answer to a sign-up with a taken address is that to a new one. In the reference " +
		"identities, role and user_metadata differ.",
	"bad ID tokens are the client's error": "An ID token that is malformed, or was not issued for the project, is refused with 400 bad_jwt in the " +
		"shape of all errors. The reference answers 500 unexpected_failure to some of them, and OAuth's error and error_description to others.",
	"codes reveal nobody": "POST /otp with create_user false answers 200 to an address that nobody has. The reference answers 422 " +
		"otp_disabled, and so reveals who has an account.",
	"a sign-in by phone is a login": "A code that signs in a user whose number is confirmed is a login in the audit log. The reference " +
		"writes user_signedup each time.",
	"our parameters stay ours":           "skip_http_redirect and redirect_to are not passed on to the provider. The reference puts them into its address.",
	"bad metadata is the client's error": "Metadata that is none is refused with 400 validation_failed. The reference answers 500 unexpected_failure.",
	"requests are signed with SHA-256": "Requests to SAML identity providers are signed with RSA and SHA-256. The reference uses SHA-1, which many " +
		"providers refuse.",
	"invited users are not replaced": "With mailer_autoconfirm a sign-up does not take over a user that an admin created or invited. " +
		"The reference confirms the user and signs the stranger in.",
}

// world is the state that all facts share.
type world struct {
	tb       testing.TB // of the whole table
	reeve    *servertest.Reeve
	services *services.Services  // that Reeve asks
	auto     *servertest.Project // autoconfirm
	mail     *servertest.Project // confirmation by mail
	count    atomic.Int64
	once     sync.Map // values of shared, by key
}

// shared returns the value of a key, which the first call creates.
func shared[T any](w *world, key any, create func() T) T {
	got, _ := w.once.LoadOrStore(key, sync.OnceValue(create))
	return got.(func() T)()
}

// call is one run of a fact.
type call struct {
	*testing.T
	*world
	headers []string // of the fact's request
}

func (c *call) do(p *servertest.Project, method, path string, body any, headers ...string) *servertest.Answer {
	c.Helper()
	return p.Do(c.T, method, path, body, slices.Concat(headers, c.headers)...)
}

func (c *call) as(p *servertest.Project, access, method, path string, body any) *servertest.Answer {
	c.Helper()
	return c.do(p, method, path, body, "Authorization", "Bearer "+access)
}

func (c *call) admin(p *servertest.Project, method, path string, body any) *servertest.Answer {
	c.Helper()
	return c.bare(p, method, path, body, "apikey", p.SecretKey)
}

// bare sends a request without a key.
func (c *call) bare(p *servertest.Project, method, path string, body any, headers ...string) *servertest.Answer {
	c.Helper()
	return c.reeve.Do(c.T, method, p.Auth(path), body, slices.Concat(headers, c.headers)...)
}

// email is a new address.
func (c *call) email() string { return fmt.Sprintf("u%d@example.com", c.count.Add(1)) }

const goodPassword = "password123"

// user is a new confirmed user of the project, signed in.
func (c *call) user(p *servertest.Project) servertest.Session {
	c.Helper()
	return p.SignUp(c.T, c.email(), goodPassword)
}

// somebody is a confirmed user of the project, signed in. Facts share it, and must
// not change it or sign it out.
func (c *call) somebody(p *servertest.Project) servertest.Session {
	c.Helper()
	return shared(c.world, p.Ref, func() servertest.Session { return c.user(p) })
}

// waiting is the address of a new user who has not confirmed it.
func (c *call) waiting(p *servertest.Project) string {
	c.Helper()
	email := c.email()
	p.Do(c.T, http.MethodPost, "/signup", jsonObject{"email": email, "password": goodPassword}).Expect(c.T, http.StatusOK)
	return email
}

type jsonObject = map[string]any

func TestContract(t *testing.T) {
	t.Parallel()
	w := &world{tb: t, services: services.Start(t)}
	w.services.Site(captchaSecret)
	w.services.Leak(leakedPassword)
	w.reeve = servertest.Start(t, func(c *config.Config) {
		c.Services = config.Services{TurnstileURL: w.services.Turnstile(), LeakedPasswordsURL: w.services.URL}
	})
	w.auto = w.reeve.Project(t, "auto", jsonObject{"mailer_autoconfirm": true})
	w.mail = w.reeve.Project(t, "mail", jsonObject{"uri_allow_list": "https://app.example/**"})
	explained, files := map[string]bool{}, map[string]bool{}
	for _, f := range slices.Concat(
		discoveryFacts, keyFacts, signupFacts, tokenFacts, refreshFacts, pkceFacts, verifyFacts, linkFacts,
		accountFacts, abuseFacts, emailChangeFacts, recoveryFacts, externalFacts, providerFacts, otpFacts, phoneFacts, adminFacts, adminLinkFacts, limitFacts, ssoFacts,
	) {
		explained[f.deviates] = true
		if f.code == "" {
			files[fileName(f.name)] = true
		}
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			f.check(t, w)
		})
	}
	for _, f := range auditFlows {
		explained[f.deviates] = true
		if f.deviates != "" && deviations[f.deviates] == "" {
			t.Errorf("deviation %q is not explained", f.deviates)
		}
	}
	t.Run("golden files", func(t *testing.T) { onlyThese(t, files) })
	for name, test := range map[string]func(*testing.T, *world){
		"audit": testAudit, "claims": testClaims, "length of codes": testCodeLength, "api version": testAPIVersion, "lower case": testLowerCase,
		"SAML metadata": testSAMLMetadata,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, w)
		})
	}
	for name := range deviations {
		if !explained[name] {
			t.Errorf("no fact shows the deviation %q", name)
		}
	}
}

func (f fact) check(t *testing.T, w *world) {
	if f.deviates != "" && deviations[f.deviates] == "" {
		t.Fatalf("deviation %q is not explained", f.deviates)
	}
	if f.code != "" {
		f.refusal(t, w)
		return
	}
	a := f.ask(&call{T: t, world: w}).Expect(t, f.status)
	f.headers(t, a)
	switch {
	case f.to.url != "":
		f.redirect(t, a)
	case f.body == "":
		if len(a.Body) > 0 {
			t.Errorf("body %q, want none", a.Body)
		}
	default:
		mustHave(t, "answer", f.body, decoded(t, a))
		contentType(t, a)
	}
	golden(t, f.name, a)
}

// refusal checks an error in both of its shapes.
func (f fact) refusal(t *testing.T, w *world) {
	const version = "X-Supabase-Api-Version"
	extra := ""
	if f.body != "" {
		extra = ", " + f.body
	}
	plain := f.ask(&call{T: t, world: w}).Expect(t, f.status)
	mustHave(t, "error", fmt.Sprintf("{code #%d, error_code =%s, msg text%s}", f.status, f.code, extra), decoded(t, plain))
	if echo := plain.Header.Get(version); echo != "" {
		t.Errorf("%s: %s, which was not requested", version, echo)
	}
	dated := f.ask(&call{T: t, world: w, headers: []string{version, "2024-01-01"}}).Expect(t, f.status)
	mustHave(t, "dated error", fmt.Sprintf("{code =%s, message text%s}", f.code, extra), decoded(t, dated))
	if echo := dated.Header.Get(version); echo != "2024-01-01" {
		t.Errorf("%s: %q", version, echo)
	}
	for _, a := range []*servertest.Answer{plain, dated} {
		f.text(t, a)
		f.headers(t, a)
		contentType(t, a)
	}
}

func (f fact) headers(t *testing.T, a *servertest.Answer) {
	t.Helper()
	for name, form := range f.header {
		if got := a.Header.Get(name); !regexp.MustCompile(form).MatchString(got) {
			t.Errorf("header %s: %q, want %s", name, got, form)
		}
	}
}

func (f fact) redirect(t *testing.T, a *servertest.Answer) {
	t.Helper()
	target, query, fragment := location(t, a)
	if target != f.to.url {
		t.Errorf("redirects to %s, want %s", target, f.to.url)
	}
	for _, part := range []struct{ name, want, got string }{{"query", f.to.query, query}, {"fragment", f.to.fragment, fragment}} {
		want := part.want
		if want == "" {
			want = "{}"
		}
		mustHave(t, part.name, want, asObject(t, part.got))
		redirectText(t, part.got)
	}
}

// location splits a redirect's target.
func location(t *testing.T, a *servertest.Answer) (target, query, fragment string) {
	t.Helper()
	u, err := url.Parse(a.Header.Get("Location"))
	if err != nil || u.Host == "" {
		t.Fatalf("Location %q: %v", a.Header.Get("Location"), err)
	}
	query, fragment = u.RawQuery, u.EscapedFragment()
	u.RawQuery, u.Fragment, u.RawFragment = "", "", ""
	return u.String(), query, fragment
}

func decoded(t *testing.T, a *servertest.Answer) (v any) {
	t.Helper()
	if err := json.Unmarshal(a.Body, &v); err != nil {
		t.Fatalf("%s: %v in %q", a.Request, err, a.Body)
	}
	return v
}

func contentType(t *testing.T, a *servertest.Answer) {
	t.Helper()
	if ct := a.Header.Get("Content-Type"); !strings.HasPrefix(ct, "application/json") {
		t.Errorf("Content-Type: %s", ct)
	}
}
