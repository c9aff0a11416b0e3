package tenantdb_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/testkit/flowtest"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// TestBeginSession: the one statement writes and reads what the steps do, and
// leaves everything to them where a trigger would run.
func TestBeginSession(t *testing.T) {
	t.Parallel()
	const function = `CREATE FUNCTION public.fire() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';`
	for name, c := range map[string]struct {
		sql string
		ok  bool
	}{
		"no trigger":           {"", true},
		"on users":             {`CREATE TRIGGER t AFTER UPDATE ON auth.users FOR EACH ROW EXECUTE FUNCTION public.fire()`, false},
		"on sessions":          {`CREATE TRIGGER t BEFORE INSERT ON auth.sessions FOR EACH ROW EXECUTE FUNCTION public.fire()`, false},
		"on amr entries":       {`CREATE TRIGGER t AFTER INSERT ON auth.mfa_amr_claims FOR EACH ROW EXECUTE FUNCTION public.fire()`, false},
		"on the audit log":     {`CREATE TRIGGER t AFTER INSERT ON auth.audit_log_entries FOR EACH ROW EXECUTE FUNCTION public.fire()`, false},
		"on identities":        {`CREATE TRIGGER t AFTER INSERT ON auth.identities FOR EACH ROW EXECUTE FUNCTION public.fire()`, true},
		"deferred, of a table": {`CREATE TABLE public.t (); CREATE CONSTRAINT TRIGGER t AFTER INSERT ON public.t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.fire()`, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, ctx := flowtest.New(t), context.Background()
			known, _ := newSession(t, f)
			if c.sql != "" {
				for _, sql := range []string{function, c.sql} {
					f.A.Exec(t, sql, pgx.QueryExecModeSimpleProtocol)
				}
			}
			now := f.Clock.Now().Add(time.Minute)
			for _, first := range []bool{false, true} {
				u := known
				if first {
					created := auth.NewUser(now)
					created.IsAnonymous, created.UserMetadata = true, []byte(`{"a": 1}`)
					u = created
				}
				s := &auth.Session{
					ID: uuid.New(), UserID: u.ID, AAL: auth.AAL1, CreatedAt: now, IP: "192.0.2.1", UserAgent: "agent",
					AMR: []auth.AMR{{Method: auth.MethodMagicLink, Timestamp: now.Unix()}},
				}
				var p auth.Principal
				var ok bool
				var entry uuid.UUID
				err := f.A.DB.Tx(ctx, func(tx *tenantdb.Tx) (err error) {
					entered := tenantdb.Audit{Action: auth.ActionLogin, ActorID: u.ID.String()}
					if first {
						p, entry, ok, err = tx.BeginFirstSession(ctx, u, s, entered)
					} else {
						p, entry, ok, err = tx.BeginSession(ctx, s, entered)
					}
					return err
				})
				if err != nil || ok != c.ok {
					t.Fatalf("first %v: ok %v, %v", first, ok, err)
				}
				written := f.A.Count(t, `SELECT count(*) FROM auth.sessions s JOIN auth.mfa_amr_claims c ON c.session_id = s.id
					JOIN auth.users u ON u.id = s.user_id AND u.last_sign_in_at = s.created_at
					JOIN auth.audit_log_entries e ON e.id = $2 AND e.payload->>'action' = 'login'
					WHERE s.id = $1`, s.ID, entry)
				if want := map[bool]int{true: 1}[c.ok]; written != want {
					t.Errorf("first %v: %d sessions with their rows", first, written)
				}
				if !c.ok {
					continue
				}
				if p.User.ID != u.ID || p.User.IsAnonymous != first || p.User.LastSignInAt == nil || len(p.User.Identities) != len(u.Identities) {
					t.Errorf("first %v: user %+v", first, p.User)
				}
				if p.Session.ID != s.ID || p.Session.AAL != auth.AAL1 || p.Session.IP != s.IP || len(p.Session.AMR) != 1 {
					t.Errorf("first %v: session %+v", first, p.Session)
				}
			}
		})
	}
}
