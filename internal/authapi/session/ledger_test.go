package session_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/audit"
	"github.com/reevehq/reeve/internal/authapi/session"
	"github.com/reevehq/reeve/internal/billing"
	"github.com/reevehq/reeve/internal/testkit/flowtest"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// An entry says how the user came by the first sign-in or refresh of the period.
func TestLedgerSaysHowTheyCame(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, func(c *tenants.Config) {
		c.AnonymousUsers, c.ExternalPhoneEnabled = true, true
		if err := c.UnmarshalJSON([]byte(`{"sms_test_otp":"15550000001=123456"}`)); err != nil {
			t.Fatal(err)
		}
	})
	come := func(u *auth.User, method auth.Method) *session.Tokens {
		tokens, err := f.Sessions.SignIn(context.Background(), f.A.Scope(), func(tx *tenantdb.Tx) (*session.Proof, error) {
			return &session.Proof{User: u, New: true, Method: method, Action: auth.ActionLogin, Traits: audit.ByProvider(auth.ProviderEmail), Refusals: session.Refusals{Gone: errGone}}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return tokens
	}
	anonymous := auth.NewUser(f.Clock.Now())
	anonymous.IsAnonymous = true
	phone, tester := auth.NewUser(f.Clock.Now()), auth.NewUser(f.Clock.Now())
	phone.Phone, tester.Phone = "15550000002", "15550000001"
	for _, c := range []struct {
		user   *auth.User
		method auth.Method
		want   billing.Kind
	}{
		{newUser(f, "ann@example.com"), auth.MethodPassword, billing.FirstParty},
		{newUser(f, "bob@corp.example"), auth.MethodSAML, billing.SSO},
		{newUser(f, "cid@corp.example"), auth.MethodOIDC, billing.SSO},
		{anonymous, auth.MethodAnonymous, billing.Anonymous},
		{phone, auth.MethodOTP, billing.FirstParty},
		{tester, auth.MethodOTP, billing.Test},
	} {
		tokens := come(c.user, c.method)
		id, _ := sessionOf(t, f.A.Scope(), tokens)
		got := flowtest.One[string](t, f.A, `SELECT concat_ws(' ', kind, method, session_id, first_at = $2, since = first_at, returned_at IS NULL)
			FROM reeve.activity WHERE user_id = $1`, c.user.ID, f.Clock.Now())
		if want := fmt.Sprintf("%s %s %s t t t", c.want, c.method, id); got != want {
			t.Errorf("%s: %s, want %s", c.method, got, want)
		}
	}
}

// returned_at is the first time in the period that is a day after the user's first
// entry; after that nothing is left to ask for.
func TestLedgerKnowsWhoReturned(t *testing.T) {
	t.Parallel()
	f, ctx := flowtest.New(t), context.Background()
	f.Clock.Advance(time.Until(time.Date(2027, 1, 10, 12, 0, 0, 0, time.UTC)))
	start, sc, u := f.Clock.Now(), f.A.Scope(), newUser(f, "ann@example.com")
	tokens := signIn(t, f, sc, u, false)
	after := func(d time.Duration, want string) {
		t.Helper()
		f.Clock.Advance(start.Add(d).Sub(f.Clock.Now()))
		next, err := f.Sessions.Rotate(ctx, sc, tokens.RefreshToken)
		if err != nil {
			t.Fatal(err)
		}
		tokens = next
		got := flowtest.One[string](t, f.A, `SELECT coalesce(string_agg(period || ' ' || coalesce(extract(epoch FROM returned_at - $1) / 3600, -1)::int, ', ' ORDER BY period), 'none')
			FROM reeve.activity`, start)
		if got != want {
			t.Errorf("after %s: %s, want %s", d, got, want)
		}
	}
	after(23*time.Hour, "2027-01-01 -1")
	after(25*time.Hour, "2027-01-01 25")
	after(30*time.Hour, "2027-01-01 25")
	f.A.Exec(t, `UPDATE reeve.activity SET returned_at = NULL`)
	after(31*time.Hour, "2027-01-01 -1") // not asked again
	f.A.Exec(t, `UPDATE reeve.activity SET returned_at = $1`, start.Add(25*time.Hour))
	after(30*24*time.Hour, "2027-01-01 25, 2027-02-01 720") // known since January
	f.A.Exec(t, `DELETE FROM reeve.activity`)
	after(30*24*time.Hour+time.Hour, "none")
	after(31*24*time.Hour+time.Hour, "2027-02-01 -1") // once more, a day after the period's first time
	after(32*24*time.Hour+2*time.Hour, "2027-02-01 -1")
	after(50*24*time.Hour, "2027-02-01 -1, 2027-03-01 1200") // 1 March: a day after the last entry's first time
}

// The developer can write how a session was proved, and change nothing of what it was
// entered as.
func TestLedgerKeepsSSO(t *testing.T) {
	t.Parallel()
	f, ctx := flowtest.New(t), context.Background()
	u := newUser(f, "bob@corp.example")
	tokens, err := f.Sessions.SignIn(ctx, f.A.Scope(), func(tx *tenantdb.Tx) (*session.Proof, error) {
		return &session.Proof{User: u, New: true, Method: auth.MethodSAML, Action: auth.ActionLogin, Traits: audit.ByProvider(auth.ProviderEmail), Refusals: session.Refusals{Gone: errGone}}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	f.A.ExecAsOwner(t, `UPDATE auth.mfa_amr_claims SET authentication_method = 'password'`)
	for range 2 {
		f.Clock.Advance(32 * 24 * time.Hour)
		if tokens, err = f.Sessions.Rotate(ctx, f.A.Scope(), tokens.RefreshToken); err != nil {
			t.Fatal(err)
		}
	}
	if got := flowtest.One[string](t, f.A, `SELECT string_agg(kind, ' ') FROM reeve.activity`); got != "sso sso sso" {
		t.Errorf("entered as %s", got)
	}
}

// A project's periods begin on the day of its organization.
func TestLedgerFollowsTheAnchor(t *testing.T) {
	t.Parallel()
	f, ctx := flowtest.New(t), context.Background()
	f.Clock.Advance(time.Until(time.Date(2027, 2, 27, 23, 59, 0, 0, time.UTC)))
	f.A.Change(func(t *tenants.Tenant) { t.Anchor = 31 })
	tokens := signIn(t, f, f.A.Scope(), newUser(f, "ann@example.com"), false)
	f.Clock.Advance(2 * time.Minute)
	if _, err := f.Sessions.Rotate(ctx, f.A.Scope(), tokens.RefreshToken); err != nil {
		t.Fatal(err)
	}
	if got := flowtest.One[string](t, f.A, `SELECT string_agg(period::text, ' ' ORDER BY period) FROM reeve.activity`); got != "2027-01-31 2027-02-28" {
		t.Errorf("counted in %s", got)
	}
}

// Who is erased stays counted, by an id that nothing else has.
func TestLedgerOutlivesTheUser(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, func(c *tenants.Config) { c.MailerAutoconfirm = true })
	who := f.A.SignUp(t, "ann@example.com", "a long passphrase")
	f.A.Admin(t, "DELETE", "/admin/users/"+who.UserID, nil).Want(200)
	f.A.ExecAsOwner(t, `DELETE FROM auth.audit_log_entries`)
	if n := f.A.Count(t, `SELECT count(*) FROM reeve.activity WHERE user_id = $1`, who.UserID); n != 1 {
		t.Fatalf("%d entries, want 1", n)
	}
	rows := flowtest.One[string](t, f.A, `SELECT coalesce(string_agg(table_schema || '.' || table_name || '.' || column_name, ' '), '') FROM information_schema.columns
		WHERE table_schema = 'reeve' AND table_name = 'activity' AND column_name IN ('email', 'phone', 'ip', 'user_agent')`)
	if rows != "" {
		t.Errorf("the ledger has %s", rows)
	}
	for _, table := range []string{"auth.users WHERE id", "auth.sessions WHERE user_id", "auth.identities WHERE user_id"} {
		if n := f.A.Count(t, `SELECT count(*) FROM `+table+` = $1`, who.UserID); n != 0 {
			t.Errorf("%d rows in %s", n, table)
		}
	}
}

// Whatever comes at once, is cancelled or killed, and however often processes restart,
// the ledger has each user once in each period in which a request of theirs was answered,
// and nobody who was not there.
func TestLedgerIsWhatWasAnswered(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	f.Clock.Advance(time.Until(time.Date(2027, 1, 25, 0, 0, 0, 0, time.UTC)))
	anchor := billing.Anchor(29)
	f.A.Change(func(t *tenants.Tenant) { t.Anchor = anchor })
	random := rand.New(rand.NewPCG(7, 11))
	type person struct {
		user   *auth.User
		tokens *session.Tokens
	}
	people := make([]*person, 12)
	for i := range people {
		people[i] = &person{user: newUser(f, fmt.Sprintf("u%d@example.com", i))}
	}
	var mu sync.Mutex
	sure, perhaps := map[string]time.Time{}, map[string]bool{} // by period and user
	processes := []session.Sessions{f.Sessions, f.Sessions}
	for step := range 40 {
		if step%5 == 0 { // both are killed
			for i := range processes {
				processes[i].Active = session.NewActivity(1 + random.IntN(8))
			}
		}
		now := f.Clock.Now()
		var wait sync.WaitGroup
		for _, p := range people {
			if random.IntN(3) == 0 {
				continue
			}
			process, cut := processes[random.IntN(2)], time.Duration(0)
			if random.IntN(3) == 0 {
				cut = time.Duration(random.IntN(4_000)) * time.Microsecond
			}
			wait.Go(func() {
				ctx := context.Background()
				if cut > 0 {
					var cancel func()
					ctx, cancel = context.WithTimeout(ctx, cut)
					defer cancel()
				}
				// One at once, or twice the same.
				for range 2 {
					tokens, err := come(ctx, process, f.A.Scope(), p.user, p.tokens)
					mu.Lock()
					key := anchor.At(now).Start.Format(time.DateOnly) + " " + p.user.ID.String()
					switch {
					case err == nil:
						p.tokens = tokens
						if first, ok := sure[key]; !ok || now.Before(first) {
							sure[key] = now
						}
					case errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) || ctx.Err() != nil:
						perhaps[key] = true
					default:
						t.Errorf("step %d: %v", step, err)
					}
					mu.Unlock()
				}
			})
		}
		wait.Wait()
		f.Clock.Advance(time.Duration(random.IntN(120)) * time.Hour)
	}
	got := map[string]bool{}
	for entry := range strings.FieldsFuncSeq(flowtest.One[string](t, f.A, `SELECT string_agg(period || ' ' || user_id, ',') FROM reeve.activity`), func(r rune) bool { return r == ',' }) {
		if got[entry] {
			t.Errorf("%s is there twice", entry)
		}
		got[entry] = true
		if _, ok := sure[entry]; !ok && !perhaps[entry] {
			t.Errorf("%s was not there", entry)
		}
	}
	for entry := range sure {
		if !got[entry] {
			t.Errorf("%s is missing", entry)
		}
	}
	if len(sure) < 40 || len(perhaps) == 0 {
		t.Errorf("only %d entries and %d that were cut off: the test has no force", len(sure), len(perhaps))
	}
	// First times: an entry is never later than the first answer.
	for entry, first := range sure {
		period, id, _ := strings.Cut(entry, " ")
		if late := flowtest.One[bool](t, f.A, `SELECT first_at > $3 FROM reeve.activity WHERE period = $1::text::date AND user_id = $2`, period, uuid.MustParse(id), first); late {
			t.Errorf("%s is entered later than %s", entry, first)
		}
	}
}

// come signs a user in, or refreshes their session if they have one.
func come(ctx context.Context, s session.Sessions, sc *tenants.Scope, u *auth.User, have *session.Tokens) (*session.Tokens, error) {
	if have != nil {
		tokens, err := s.Rotate(ctx, sc, have.RefreshToken)
		if err == nil || ctx.Err() != nil || !errors.Is(err, auth.ErrRefreshUsed) && !errors.Is(err, auth.ErrRefreshNotFound) {
			return tokens, err
		}
	}
	return s.SignIn(ctx, sc, func(tx *tenantdb.Tx) (*session.Proof, error) {
		known, err := tx.UserByID(ctx, u.ID, true)
		proof := &session.Proof{User: &known, Method: auth.MethodPassword, Action: auth.ActionLogin, Traits: audit.ByProvider(auth.ProviderEmail), Refusals: session.Refusals{Gone: errGone}}
		if errors.Is(err, auth.ErrUserNotFound) {
			fresh := *u
			proof.User, proof.New, err = &fresh, true, nil
		}
		return proof, err
	})
}
