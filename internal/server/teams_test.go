package server_test

import (
	"bytes"
	"flag"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/internal/authz"
	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/message"
	"github.com/reevehq/reeve/internal/server/servertest"
	"github.com/reevehq/reeve/tenants"
)

var updateDocs = flag.Bool("update-docs", false, "write the table of docs/teams.md")

// platform is the platform project of an installation, with its publishable
// key, whose users are the developers.
func platform(t *testing.T, reeve *servertest.Reeve) *servertest.Project {
	t.Helper()
	p, err := reeve.Control(t).PlatformProject(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var key string
	err = reeve.Control(t).Tx(t.Context(), func(tx *controldb.Tx) error {
		dk, err := reeve.Control(t).DataKey(t.Context(), p.Ref)
		if err != nil {
			return err
		}
		row, text, err := controldb.NewAPIKey(reeve.Control(t).Hasher(), dk, p.Ref, tenants.KeySecret, "test"+uuid.NewString()[:8])
		if err != nil {
			return err
		}
		key = text
		_, err = tx.CreateAPIKey(t.Context(), row)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	out := &servertest.Project{Reeve: reeve, Ref: string(p.Ref), PublishableKey: key, SecretKey: key}
	for range 1000 { // until the server has heard of the key
		if out.Do(t, http.MethodGet, "/settings", nil).Status == 200 {
			return out
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("the key is not known to the server")
	return nil
}

// developer signs a user of the platform project in and returns their session's
// access token.
func developer(t *testing.T, of *servertest.Project, email string) (id, token string) {
	t.Helper()
	made := of.Admin(t, http.MethodPost, "/admin/users", map[string]any{
		"email": email, "password": "correct horse battery", "email_confirm": true,
	}).Expect(t, 200).JSON(t)
	s := of.SignIn(t, email, "correct horse battery")
	return made["id"].(string), s.AccessToken
}

// captured returns the mail to an address, of which there must be one, from the
// control database: nobody is a member of the platform's organization.
func captured(t *testing.T, p *servertest.Project, to string) (found message.Message) {
	t.Helper()
	conn := servertest.Connect(t, p.Reeve.ControlURL)
	for range 1000 {
		rows, _ := conn.Query(t.Context(), "SELECT recipient, subject, html FROM inbox_messages WHERE ref = $1 AND recipient = $2", p.Ref, to)
		mails, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (m message.Message, err error) {
			return m, row.Scan(&m.To, &m.Subject, &m.HTML)
		})
		if err != nil || len(mails) > 1 {
			t.Fatalf("%d mails, %v", len(mails), err)
		}
		if len(mails) == 1 {
			return mails[0]
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("no mail to %s", to)
	return found
}

// TestTeams: a developer signs in to the platform project, is invited by mail,
// accepts with the session, and makes an access token; nothing else makes one.
func TestTeams(t *testing.T) {
	t.Parallel()
	reeve := servertest.Start(t)
	p := platform(t, reeve)
	const email = "new@example.com"
	_, session := developer(t, p, email)
	as := func(token string) []string { return []string{"Authorization", "Bearer " + token} }

	reeve.Do(t, http.MethodGet, "/v1/organizations/default", nil, as(session)...).Expect(t, 404)
	reeve.Manage(t, http.MethodPost, "/v1/organizations/default/invitations", map[string]any{"email": email, "role": "developer"}).Expect(t, 201)
	mail := captured(t, p, email)
	if !strings.Contains(mail.Subject, "Default") || !strings.Contains(mail.HTML, "operator@reeve.localhost") {
		t.Errorf("the mail is %q: %s", mail.Subject, mail.HTML)
	}
	token := regexp.MustCompile(`[A-Za-z0-9_-]{43}`).FindString(mail.HTML[strings.Index(mail.HTML, "accept with this token"):])
	reeve.Do(t, http.MethodPost, "/v1/invitations/accept", map[string]any{"token": token}, as(session)...).Expect(t, 200)
	reeve.Do(t, http.MethodGet, "/v1/organizations/default", nil, as(session)...).Expect(t, 200)
	reeve.Do(t, http.MethodGet, "/v1/profile", nil, as(session)...).Expect(t, 200)

	made := reeve.Do(t, http.MethodPost, "/v1/profile/access-tokens", map[string]any{"name": "CI"}, as(session)...).Expect(t, 201).JSON(t)
	personal := made["token"].(string)
	reeve.Do(t, http.MethodGet, "/v1/organizations/default", nil, as(personal)...).Expect(t, 200)

	// Signing out ends the session at once; the access token stays.
	p.As(t, session, http.MethodPost, "/logout", nil).Expect(t, 204)
	reeve.Do(t, http.MethodGet, "/v1/profile", nil, as(session)...).Expect(t, 401)
	reeve.Do(t, http.MethodGet, "/v1/profile", nil, as(personal)...).Expect(t, 200)
}

// TestNoKeyMakesAKey: neither a key of a project nor an access token, nor a
// session of another project's user, makes an access token or is one.
func TestNoKeyMakesAKey(t *testing.T) {
	t.Parallel()
	reeve := servertest.Start(t)
	p := platform(t, reeve)
	other := reeve.Project(t, "other", map[string]any{"mailer_autoconfirm": true})
	_, ban := developer(t, p, "ban@example.com")
	id := p.As(t, ban, http.MethodGet, "/user", nil).Expect(t, 200).JSON(t)["id"].(string)
	p.Admin(t, http.MethodPut, "/admin/users/"+id, map[string]any{"ban_duration": "1h"}).Expect(t, 200)
	twoFactors, aal1 := developer(t, p, "mfa@example.com")
	inDatabase(t, p, `INSERT INTO auth.mfa_factors (id, user_id, friendly_name, factor_type, status, created_at, updated_at, secret)
		VALUES (gen_random_uuid(), $1, 'f', 'totp', 'verified', now(), now(), 'x')`, twoFactors)
	stranger := other.SignUp(t, "user@example.com", "correct horse battery").AccessToken
	before := controlFingerprint(t, reeve)
	for name, c := range map[string]struct {
		headers []string
		status  int
	}{
		"a secret key of the platform":       {[]string{"apikey", p.SecretKey, "Authorization", "Bearer " + p.SecretKey}, 401},
		"a secret key of a project":          {[]string{"apikey", other.SecretKey, "Authorization", "Bearer " + other.SecretKey}, 401},
		"a session of a project's user":      {[]string{"Authorization", "Bearer " + stranger}, 401},
		"a banned developer's session":       {[]string{"Authorization", "Bearer " + ban}, 401},
		"a session without a second factor":  {[]string{"Authorization", "Bearer " + aal1}, 401},
		"an access token":                    {[]string{"Authorization", "Bearer " + reeve.Token}, 403},
		"a session in the query":             {nil, 401},
		"a forged token of the right form":   {[]string{"Authorization", "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0."}, 401},
		"an access token in another case":    {[]string{"Authorization", "Bearer " + strings.ToUpper(reeve.Token)}, 401},
		"two tokens, separated by a comma":   {[]string{"Authorization", "Bearer " + reeve.Token + "," + ban}, 401},
		"a session of a user without rights": {[]string{"Authorization", "Basic " + ban}, 401},
	} {
		a := reeve.Do(t, http.MethodPost, "/v1/profile/access-tokens", map[string]any{"name": "x"}, c.headers...)
		if a.Status != c.status {
			t.Errorf("%s: %d %s, want %d", name, a.Status, a.Body, c.status)
		}
	}
	controlFingerprint(t, reeve).Same(t, before, "control database")
}

// last are operations after which a project or member is not what it was; they
// run after all others.
var last = []string{"pause-project", "restore-project", "delete-project", "delete-organization"}

// TestRoleMatrix calls every operation with every built-in role. The table is
// docs/teams.md's: -update-docs writes it.
func TestRoleMatrix(t *testing.T) {
	t.Parallel()
	reeve := servertest.Start(t)
	db := reeve.Control(t)
	p := reeve.Project(t, "matrix", nil)
	org, err := db.OrganizationBySlug(t.Context(), "default")
	if err != nil {
		t.Fatal(err)
	}
	// The lowest first, so that nobody removes what the next one needs.
	roles := authz.BuiltIn()
	slices.Reverse(roles)
	tokens := map[controldb.Role]string{}
	of := platform(t, reeve)
	for _, role := range roles {
		id, _ := developer(t, of, string(role)+"@example.com")
		user := uuid.MustParse(id)
		if err := db.Tx(t.Context(), func(tx *controldb.Tx) error { return tx.AddMember(t.Context(), org.ID, user, role) }); err != nil {
			t.Fatal(err)
		}
		if tokens[role], err = db.CreateAccessToken(t.Context(), user, "test"); err != nil {
			t.Fatal(err)
		}
	}
	ops := operations(t, reeve)
	slices.SortStableFunc(ops, func(a, b operation) int { return slices.Index(last, a.id) - slices.Index(last, b.id) })
	rows := map[string]string{}
	for _, op := range ops {
		if slices.Contains(own, op.id) || strings.HasPrefix(op.path, "/v1/operator") { // TestOperator
			continue
		}
		row := fmt.Sprintf("| `%s %s` |", op.method, op.path)
		var allowed []controldb.Role
		for _, role := range roles {
			a := reeve.Do(t, op.method, op.at("default", p.Ref, uuid.NewString()), sound[op.id].body, "Authorization", "Bearer "+tokens[role])
			if a.Status != 403 || refusedAs(a) == "403 session_required" { // the role may, a token may not
				allowed = append(allowed, role)
			}
			if a.Status == 401 || a.Status >= 500 {
				t.Errorf("%s as %s: %d %s", op.id, role, a.Status, a.Body)
			}
		}
		for _, role := range authz.BuiltIn() {
			if slices.Contains(allowed, role) {
				row += " yes |"
			} else {
				row += " |"
			}
		}
		rows[op.path+" "+op.method] = row
		if !slices.Contains(allowed, controldb.Owner) {
			t.Errorf("%s: an owner may not do it", op.id)
		}
	}
	var table strings.Builder
	table.WriteString("| | owner | administrator | developer | read_only | billing |\n|---|---|---|---|---|---|\n")
	for _, key := range slices.Sorted(mapsKeys(rows)) {
		table.WriteString(rows[key] + "\n")
	}
	compareDocs(t, "../../docs/teams.md", table.String())
}

func mapsKeys(m map[string]string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// compareDocs compares a table with the one between two marks of a page.
func compareDocs(t *testing.T, file, table string) {
	t.Helper()
	const begin, end = "<!-- roles: written by TestRoleMatrix -->\n", "<!-- end of roles -->\n"
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := bytes.Cut(page, []byte(begin))
	have, tail, ok2 := bytes.Cut(rest, []byte(end))
	if !ok || !ok2 {
		t.Fatalf("%s lacks its marks", file)
	}
	if *updateDocs {
		if err := os.WriteFile(file, slices.Concat(head, []byte(begin), []byte(table), []byte(end), tail), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if string(have) != table {
		t.Errorf("%s has another table of roles; run this test with -update-docs.\nhave:\n%s\nwant:\n%s", file, have, table)
	}
}

// TestInvitations_survive_a_kill: an invitation whose mail was not handed over
// is mailed by the next process, once.
func TestInvitations_survive_a_kill(t *testing.T) {
	t.Parallel()
	reeve := servertest.Start(t)
	p := platform(t, reeve)
	db := reeve.Control(t)
	org, err := db.OrganizationBySlug(t.Context(), "default")
	if err != nil {
		t.Fatal(err)
	}
	operator := uuid.MustParse(reeve.Manage(t, http.MethodGet, "/v1/profile", nil).JSON(t)["gotrue_id"].(string))
	reeve.Stop()
	// What a killed process leaves behind: the row, and no mail.
	err = db.Tx(t.Context(), func(tx *controldb.Tx) error {
		_, err := tx.Invite(t.Context(), db, controldb.Invitation{
			OrganizationID: org.ID, Email: "late@example.com", Role: controldb.Developer, InvitedBy: operator,
			CreatedAt: time.Now(), ExpiresAt: time.Now().Add(time.Hour),
		})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	again := servertest.StartOn(t, reeve.ControlURL, reeve.MasterKey)
	p.Reeve = again
	captured(t, p, "late@example.com")
}
