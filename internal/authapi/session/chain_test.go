package session_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/testkit/flowtest"
	"github.com/reevehq/reeve/tenants"
)

// link is a refresh in the answer to an admin.
type link struct {
	Session  string `json:"session_id"`
	At       time.Time
	Decision string
	IP       string `json:"ip"`
	Agent    string `json:"user_agent"`
}

// chain returns the ordinary refreshes of a user, as an admin sees them.
func chain(t *testing.T, p *flowtest.Project, user string) []link {
	t.Helper()
	var list struct{ Rotations []link }
	p.Admin(t, "GET", "/admin/users/"+user+"/sessions", nil).Want(200).Decode(&list)
	for i := range list.Rotations {
		list.Rotations[i].At = list.Rotations[i].At.UTC()
	}
	return list.Rotations
}

// Every refresh of a session is kept with its time and client, whether one statement
// made it or a transaction, the last 50; also after the session's end, until its user is
// deleted.
func TestChain(t *testing.T) {
	t.Parallel()
	for name, transaction := range map[string]bool{"statement": false, "transaction": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := flowtest.New(t, func(c *tenants.Config) { c.MailerAutoconfirm, c.SessionsSinglePerUser = true, transaction })
			s := f.A.SignUp(t, "ann@example.com", "password123")
			f.B.SignUp(t, "ann@example.com", "password123")
			id, token := sessionID(t, s), s.Refresh
			var want []link
			for n := range 130 {
				f.Clock.Advance(time.Second)
				ip, agent := "192.0.2.1", "agent of one"
				if n%7 > 3 {
					ip, agent = "2001:db8::1", fmt.Sprint("agent of ", n/40)
				}
				token = f.A.Do(t, "POST", "/token?grant_type=refresh_token", flowtest.M{"refresh_token": token},
					flowtest.From(ip), flowtest.Header("User-Agent", agent)).Want(200).Get("refresh_token")
				want = append(want, link{id, f.Clock.Now().Truncate(time.Microsecond).UTC(), "rotated", ip, agent})
				if kept := slices.Clone(want[max(0, len(want)-50):]); n%13 == 0 {
					slices.Reverse(kept)
					if got := chain(t, f.A, s.UserID); !slices.Equal(got, kept) {
						t.Fatalf("after %d refreshes: %+v\nwant %+v", n+1, got, kept)
					}
				}
			}
			f.A.Do(t, "POST", "/logout", nil, flowtest.User(s.Access)).Want(204)
			if got := chain(t, f.A, s.UserID); len(got) != 50 {
				t.Errorf("%d after the end", len(got))
			}
			if n := f.B.Count(t, `SELECT count(*) FROM reeve.session_rotation`); n != 0 {
				t.Errorf("%d of the other project", n)
			}
			f.A.Admin(t, "DELETE", "/admin/users/"+s.UserID, nil).Want(200)
			if n := f.A.Count(t, `SELECT count(*) FROM reeve.session_rotation`); n != 0 {
				t.Errorf("%d rows of a deleted user", n)
			}
		})
	}
}

// Refreshes are kept for a while.
func TestChainTidied(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, func(c *tenants.Config) { c.MailerAutoconfirm = true })
	s := f.A.SignUp(t, "ann@example.com", "password123")
	f.A.Refresh(t, s.Refresh).Want(200)
	for _, c := range []struct {
		after time.Duration
		kept  int
	}{{13 * 24 * time.Hour, 1}, {15 * 24 * time.Hour, 0}} {
		if _, err := f.A.DB.Tidy(context.Background(), time.Now().Add(c.after)); err != nil {
			t.Fatal(err)
		}
		if got := chain(t, f.A, s.UserID); len(got) != c.kept {
			t.Errorf("%d kept after %v", len(got), c.after)
		}
	}
}

// What SQL of the developer's writes is not taken for a refresh, and hides none.
func TestChainForged(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, func(c *tenants.Config) { c.MailerAutoconfirm = true })
	s := f.A.SignUp(t, "ann@example.com", "password123")
	f.Clock.Advance(time.Second)
	f.A.Refresh(t, s.Refresh).Want(200)
	before := chain(t, f.A, s.UserID)
	if len(before) != 1 {
		t.Fatalf("%+v", before)
	}
	put := func(id string, at time.Time, client string, mac []byte) {
		t.Helper()
		conn, err := f.A.DB.Acquire(t.Context()) // with the rights of a trigger
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Release()
		if _, err := conn.Raw().Exec(t.Context(), `INSERT INTO reeve.session_rotation (session_id, at, client, mac)
			SELECT $1, $2, $3, $4 FROM generate_series(1, 60)`, id, at, client, mac); err != nil {
			t.Fatal(err)
		}
	}
	// The MAC is what the documented formula says.
	id, at, own := sessionID(t, s), before[0].At, before[0].IP+" "+before[0].Agent
	mac := flowtest.One[[]byte](t, f.A, `SELECT sha256(c.hash || sha256('session_rotated'::bytea || uuid_send($1::uuid) || timestamptz_send($2)
		|| convert_to($3, 'UTF8'))) FROM reeve.capability c`, id, at, own)
	put(id, at, own, mac)
	put(id, at.Add(time.Second), own, mac)
	put(id, at.Add(2*time.Second), own, []byte{})
	put(id, at, "192.0.2.66 another", mac)
	put(uuid.NewString(), at, own, mac)
	if after := chain(t, f.A, s.UserID); !slices.Equal(after, before) {
		t.Errorf("%+v, was %+v", after, before)
	}
}
