package mail_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/mail"
	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/internal/message"
	"github.com/reevehq/reeve/internal/outbox"
	"github.com/reevehq/reeve/internal/secret"
	"github.com/reevehq/reeve/internal/testkit/flowtest"
	"github.com/reevehq/reeve/internal/token"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// A message opens only in its own project and its own row.
func TestSeal(t *testing.T) {
	t.Parallel()
	key := func(b string) *tenants.Tenant {
		return &tenants.Tenant{Secrets: tenants.Secrets{OutboxKey: []byte(strings.Repeat(b, secret.KeySize))}}
	}
	a, b := key("a"), key("b")
	m := message.Message{ID: uuid.New(), To: "ann@example.com", Subject: "Héllo", Text: "code 123456", HTML: "<b>", Code: "123456", Links: []string{"https://a.test/?x&y"}}
	sealed, err := mail.Seal(a, m)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(sealed), "123456") || strings.Contains(string(sealed), "example.com") {
		t.Error("the sealed message can be read")
	}
	got, err := mail.Open(a, m.ID, sealed)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(m, got); diff != "" {
		t.Error(diff)
	}
	damaged := append([]byte(nil), sealed...)
	damaged[len(damaged)/2] ^= 1
	for name, open := range map[string]func() (message.Message, error){
		"another project": func() (message.Message, error) { return mail.Open(b, m.ID, sealed) },
		"another row":     func() (message.Message, error) { return mail.Open(a, uuid.New(), sealed) },
		"damaged":         func() (message.Message, error) { return mail.Open(a, m.ID, damaged) },
		"empty":           func() (message.Message, error) { return mail.Open(a, m.ID, nil) },
	} {
		if got, err := open(); !errors.Is(err, secret.ErrSealed) || got.To != "" {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	for _, broken := range []*tenants.Tenant{{}, {Secrets: tenants.Secrets{OutboxKey: []byte("short")}}} {
		if _, err := mail.Seal(broken, m); err == nil {
			t.Error("sealed without a key")
		}
		if _, err := mail.Open(broken, m.ID, sealed); err == nil {
			t.Error("opened without a key")
		}
	}
}

// put mails a letter to a new user, in one transaction; fn may make it fail.
func put(f *flowtest.Fixture, p *flowtest.Project, l mail.Letter, fn func() error) error {
	ctx := context.Background()
	return f.Mailer.Post(ctx, p.Scope(), mail.Request{}, func(tx *tenantdb.Tx, out *mail.Outgoing) error {
		if err := tx.CreateUser(ctx, l.User); err != nil {
			return err
		}
		if err := out.Put(ctx, l); err != nil {
			return err
		}
		return fn()
	})
}

// post requests mails and puts none.
func post(ctx context.Context, f *flowtest.Fixture, p *flowtest.Project, r mail.Request) error {
	return f.Mailer.Post(ctx, p.Scope(), r, func(*tenantdb.Tx, *mail.Outgoing) error { return nil })
}

func letter(to string) mail.Letter {
	u := auth.NewUser(time.Now())
	u.Email = to
	return mail.Letter{Kind: message.Confirmation, User: u, RedirectTo: "https://app.test/a?b=c&d"}
}

func done() error { return nil }

func TestPut(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	for _, pkce := range []bool{false, true} {
		l := letter("ann@example.com")
		if l.PKCE = pkce; pkce {
			l.User.Email = "bob@example.com"
		}
		if err := put(f, f.A, l, done); err != nil {
			t.Fatal(err)
		}
		m := f.A.Mail(t, l.User.Email)
		q := f.A.LinkQuery(t, m)
		if q.Get("type") != "signup" || q.Get("redirect_to") != l.RedirectTo || strings.HasPrefix(q.Get("token"), token.PKCEPrefix) != pkce {
			t.Errorf("link %v", q)
		}
		stored := flowtest.One[string](t, f.A, `SELECT token_hash FROM auth.one_time_tokens WHERE relates_to = $1`, l.User.Email)
		byCode := token.OneTimeOf(f.A.Tenant().Secrets.OTPKey, l.User.Email, m.Code).Hash
		if token.HashLink(q.Get("token")) != stored || byCode != stored {
			t.Errorf("link and code do not find the stored token")
		}
	}
	refused := errors.New("no")
	if err := put(f, f.A, letter("cid@example.com"), func() error { return refused }); !errors.Is(err, refused) {
		t.Error(err)
	}
	if n := len(f.A.Mails(t)); n != 2 {
		t.Errorf("%d mails, want none of the flow that failed", n)
	}
	if n := len(f.B.Mails(t)); n != 0 {
		t.Errorf("%d mails in the other project", n)
	}
}

// A link without a mail carries the same token as one in a mail.
func TestLink(t *testing.T) {
	t.Parallel()
	f, ctx := flowtest.New(t), context.Background()
	l := letter("Ann@example.com")
	l.Kind, l.RedirectTo = message.MagicLink, "https://a.test/?x=1&token=forged#f"
	var link mail.Link
	err := f.A.DB.Tx(ctx, func(tx *tenantdb.Tx) (err error) {
		if err := tx.CreateUser(ctx, l.User); err != nil {
			return err
		}
		link, err = f.Mailer.Link(ctx, tx, f.A.Scope(), l)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	q := f.A.VerifyQuery(t, link.URL)
	if len(q["token"]) != 1 || q.Get("token") != link.Token || q.Get("type") != "magiclink" || q.Get("redirect_to") != l.RedirectTo {
		t.Errorf("link %s", link.URL)
	}
	stored := flowtest.One[string](t, f.A, `SELECT token_hash FROM auth.one_time_tokens WHERE token_type = 'recovery_token'`)
	if token.HashLink(link.Token) != stored || token.OneTimeOf(f.A.Tenant().Secrets.OTPKey, "ann@example.com", link.Code).Hash != stored {
		t.Error("link and code do not find the stored token")
	}
	if n := len(f.A.Mails(t)); n != 0 {
		t.Errorf("%d mails", n)
	}
}

// The limit of mails is per project. Once it is used up, every request is
// refused alike.
func TestMailLimit(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, func(c *tenants.Config) { c.RateLimitEmailSent = 2 })
	ctx := context.Background()
	for _, to := range []string{"a@example.com", "b@example.com"} {
		if err := put(f, f.A, letter(to), done); err != nil {
			t.Fatal(err)
		}
	}
	for name, err := range map[string]error{"before": post(ctx, f, f.A, mail.Request{}), "Put": put(f, f.A, letter("c@example.com"), done)} {
		if !errors.Is(err, auth.ErrEmailRate) || fault.From(err).RetryAfter <= 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := post(ctx, f, f.B, mail.Request{}); err != nil {
		t.Errorf("the other project: %v", err)
	}
	if n := f.A.Count(t, `SELECT count(*) FROM auth.users`); n != 2 {
		t.Errorf("%d users, want none without a mail", n)
	}
	f.Clock.Advance(time.Hour)
	if err := post(ctx, f, f.A, mail.Request{}); err != nil {
		t.Errorf("an hour later: %v", err)
	}
}

// TestExpiry: the default mail of every kind names how long its link lives. A
// project's own template says what its author wrote.
func TestExpiry(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, func(c *tenants.Config) { c.MailerOTPExp = 900 })
	for _, kind := range message.Letters() {
		to := strings.ReplaceAll(string(kind), "_", "-") + "@example.com"
		l := letter(to)
		l.Kind = kind
		if err := put(f, f.A, l, done); err != nil {
			t.Fatal(err)
		}
		if m := f.A.Mail(t, to); !strings.Contains(m.Text, "valid for 15 minutes and work") || !strings.Contains(m.HTML, "valid for 15 minutes and work") {
			t.Errorf("%s: %s", kind, m.Text)
		}
	}
	f.A.Configure(func(c *tenants.Config) { c.ConfirmationMail.Content = "<p>{{ .Token }}</p>" })
	if err := put(f, f.A, letter("own@example.com"), done); err != nil {
		t.Fatal(err)
	}
	if m := f.A.Mail(t, "own@example.com"); m.Code == "" || strings.TrimSpace(m.Text) != m.Code {
		t.Errorf("own template: %s", m.Text)
	}
}

// A failing template of a project is logged, and the default is used instead.
func TestBrokenTemplate(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	if err := put(f, f.A, letter("ann@example.com"), done); err != nil {
		t.Fatal(err)
	}
	if log := f.Log.Take(); log != "" {
		t.Errorf("logged: %s", log)
	}
	f.A.Configure(func(c *tenants.Config) { c.ConfirmationMail.Content = "{{ .Nobody }}" })
	if err := put(f, f.A, letter("bob@example.com"), done); err != nil {
		t.Fatal(err)
	}
	m, log := f.A.Mail(t, "bob@example.com"), f.Log.Take()
	if m.Code == "" || len(m.Links) == 0 {
		t.Error("the default did not stand in")
	}
	for _, want := range []string{"level=WARN", "project=" + string(f.A.Tenant().Ref), "kind=confirmation", "Nobody"} {
		if !strings.Contains(log, want) {
			t.Errorf("%q is not in the log: %s", want, log)
		}
	}
	for _, secret := range []string{m.Code, m.Links[0], "bob@example.com"} {
		if strings.Contains(log, secret) {
			t.Errorf("the log tells %q", secret)
		}
	}
}

func TestThrottle(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	ask := func(p *flowtest.Project, purpose, address string, ok bool) {
		t.Helper()
		err := post(t.Context(), f, p, mail.Request{Purpose: purpose, Address: address})
		if (err == nil) != ok || err != nil && (!errors.Is(err, auth.ErrEmailRate) || fault.From(err).RetryAfter <= 0 || fault.From(err).RetryAfter > time.Minute) {
			t.Errorf("%s %s: %v", purpose, address, err)
		}
	}
	ask(f.A, "recovery", "ann@example.com", true)
	ask(f.A, "recovery", "ann@example.com", false)
	ask(f.A, "recovery", "bob@example.com", true)
	ask(f.A, "signup", "ann@example.com", true)
	ask(f.B, "recovery", "ann@example.com", true)
	f.Clock.Advance(time.Minute)
	ask(f.A, "recovery", "ann@example.com", true)

	// The flow decides whether to report the refusal; a failed request is not
	// counted.
	for range 2 {
		later := mail.Request{Purpose: "signup", Address: "cid@example.com", ReportLater: true}
		refused := errors.New("no")
		err := f.Mailer.Post(t.Context(), f.A.Scope(), later, func(_ *tenantdb.Tx, out *mail.Outgoing) error {
			if out.Throttled != nil {
				t.Errorf("throttled after a request that failed: %v", out.Throttled)
			}
			return refused
		})
		if !errors.Is(err, refused) {
			t.Error(err)
		}
	}
	ask(f.A, "signup", "cid@example.com", true)
	throttled := f.Mailer.Post(t.Context(), f.A.Scope(), mail.Request{Purpose: "signup", Address: "cid@example.com", ReportLater: true},
		func(_ *tenantdb.Tx, out *mail.Outgoing) error { return out.Throttled })
	if !errors.Is(throttled, auth.ErrEmailRate) {
		t.Errorf("throttled: %v", throttled)
	}

	last := f.Clock.Now()
	for name, c := range map[string]struct {
		sent *time.Time
		ago  time.Duration
		ok   bool
	}{"never": {nil, 0, true}, "now": {&last, 0, false}, "just now": {&last, time.Minute - 1, false}, "long ago": {&last, time.Minute, true}} {
		sent := c.sent
		if sent != nil {
			at := sent.Add(-c.ago)
			sent = &at
		}
		if err := f.Mailer.TooSoon(f.A.Scope(), sent); (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
	f.A.Configure(func(c *tenants.Config) { c.SMTPMaxFrequency = 0 })
	ask(f.A, "recovery", "ann@example.com", true)
	if err := f.Mailer.TooSoon(f.A.Scope(), &last); err != nil {
		t.Errorf("without a limit: %v", err)
	}
}

func TestOutbox(t *testing.T) {
	t.Parallel()
	f, ctx := flowtest.New(t), context.Background()
	projects := map[tenants.Ref]*flowtest.Project{f.A.Tenant().Ref: f.A, f.B.Tenant().Ref: f.B}
	unknown := errors.New("unknown project")
	box := outbox.Projects{
		Tenant: func(_ context.Context, ref tenants.Ref) (*tenants.Tenant, error) {
			if p, ok := projects[ref]; ok {
				return p.Tenant(), nil
			}
			return nil, unknown
		},
		Database: func(t *tenants.Tenant) *tenantdb.DB { return projects[t.Ref].DB },
	}
	ref := f.A.Tenant().Ref
	for _, to := range []string{"a@example.com", "b@example.com", "broken@example.com", "retried@example.com"} {
		if err := put(f, f.A, letter(to), done); err != nil {
			t.Fatal(err)
		}
	}
	// Two swapped payloads do not open, so neither reaches the wrong person.
	byAddress := map[string]uuid.UUID{}
	for _, m := range f.A.Mails(t) {
		byAddress[m.To] = m.ID
	}
	f.A.Exec(t, `UPDATE reeve.outbox SET payload = (SELECT payload FROM reeve.outbox WHERE id = $2) WHERE id = $1`, byAddress["broken@example.com"], byAddress["a@example.com"])

	pending := func(want int) {
		t.Helper()
		if n, _, err := box.Pending(ctx, ref, message.Mails); err != nil || n != want {
			t.Errorf("%d pending, %v, want %d", n, err, want)
		}
	}
	address := func(r outbox.Row) string {
		var m message.Message
		if err := json.Unmarshal(r.Payload, &m); err != nil {
			t.Error(err)
		}
		return m.To
	}
	pending(4)
	rows, err := box.Claim(ctx, ref, message.Mails, 10, time.Hour)
	if err != nil || len(rows) != 3 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for _, r := range rows {
		if to := address(r); r.ID != byAddress[to] || r.Attempts != 0 || to == "broken@example.com" {
			t.Errorf("claimed %s for %s, attempt %d", r.ID, to, r.Attempts)
		}
	}
	if n := f.A.Count(t, `SELECT count(*) FROM reeve.outbox WHERE id = $1 AND dead_at IS NOT NULL`, byAddress["broken@example.com"]); n != 1 {
		t.Error("what does not open is not given up")
	}
	if again, err := box.Claim(ctx, ref, message.Mails, 10, time.Hour); err != nil || len(again) != 0 {
		t.Errorf("claimed twice: %d, %v", len(again), err)
	}
	if others, err := box.Claim(ctx, f.B.Tenant().Ref, message.Mails, 10, time.Hour); err != nil || len(others) != 0 {
		t.Errorf("the other project's outbox: %d, %v", len(others), err)
	}
	if err := errors.Join(box.Done(ctx, ref, byAddress["a@example.com"]), box.Dead(ctx, ref, byAddress["b@example.com"], "no such mailbox"),
		box.Retry(ctx, ref, byAddress["retried@example.com"], "busy", 0)); err != nil {
		t.Fatal(err)
	}
	pending(1)
	rows, err = box.Claim(ctx, ref, message.Mails, 10, time.Hour)
	if err != nil || len(rows) != 1 || address(rows[0]) != "retried@example.com" || rows[0].Attempts != 1 {
		t.Errorf("after a retry %+v, %v", rows, err)
	}
	if err := box.Release(ctx, ref, byAddress["retried@example.com"], 0); err != nil {
		t.Fatal(err)
	}
	rows, err = box.Claim(ctx, ref, message.Mails, 10, time.Hour)
	if err != nil || len(rows) != 1 || rows[0].Attempts != 1 {
		t.Errorf("after a release %+v, %v", rows, err)
	}
	if _, err := box.Claim(ctx, "nowhere", message.Mails, 1, time.Hour); !errors.Is(err, unknown) {
		t.Error(err)
	}
	if err := box.Done(ctx, "nowhere", uuid.New()); !errors.Is(err, unknown) {
		t.Error(err)
	}
}
