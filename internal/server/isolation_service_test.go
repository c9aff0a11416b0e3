package server_test

import (
	"bytes"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/server/servertest"
)

// forPeople are the operations that a service token is refused, with the code: they
// concern people, their roles and tokens.
var forPeople = map[string]string{
	"list-access-tokens": "person_required", "create-access-token": "session_required", "delete-access-token": "person_required",
	"update-profile": "session_required", "list-sessions": "session_required", "end-session": "session_required", "end-other-sessions": "session_required",
	"list-factors": "session_required", "enroll-factor": "session_required", "remove-factor": "session_required",
	"create-recovery-codes": "session_required", "remove-recovery-codes": "session_required",
	"begin-passkey": "session_required", "create-passkey": "session_required", "remove-passkey": "session_required",
	"change-password": "session_required", "change-email": "session_required", "reauthenticate": "session_required",
	"delete-organization": "forbidden", "create-organization": "person_required", "accept-invitation": "person_required",
	"create-service-token": "forbidden", "delete-service-token": "forbidden",
	"create-invitation": "forbidden", "revoke-invitation": "forbidden", "resend-invitation": "forbidden",
	"update-organization-member": "forbidden", "remove-organization-member": "forbidden", "transfer-organization": "forbidden",
	"set-project-member": "forbidden", "remove-project-member": "forbidden",
	"create-role": "forbidden", "update-role": "forbidden", "delete-role": "forbidden",
	"send-test-mail": "person_required",
}

// TestServiceTokenIsolation: a service token with all that one can have does
// nothing in another organization, though its maker owns that too, nothing that
// concerns people or tokens, and everything else in its own.
func TestServiceTokenIsolation(t *testing.T) {
	t.Parallel()
	reeve := servertest.Start(t)
	of := platform(t, reeve)
	id, session := developer(t, of, "maker@example.com")
	as := func(token string) []string { return []string{"Authorization", "Bearer " + token} }
	conn := servertest.Connect(t, reeve.ControlURL)
	if _, err := conn.Exec(t.Context(), "INSERT INTO members (organization_id, user_id, role) SELECT id, $1, 'owner' FROM organizations WHERE slug = 'default'", id); err != nil {
		t.Fatal(err)
	}
	org := reeve.Do(t, http.MethodPost, "/v1/organizations", map[string]any{"name": "Own"}, as(session)...).Expect(t, 201).JSON(t)
	slug := org["slug"].(string)
	ours := reeve.Project(t, "ours", nil) // of the other organization
	mine := reeve.Do(t, http.MethodPost, "/v1/projects", map[string]any{"name": "mine", "organization_slug": slug}, as(session)...).Expect(t, 201).JSON(t)["ref"].(string)
	made := reeve.Do(t, http.MethodPost, "/v1/organizations/"+slug+"/service-tokens", map[string]any{"name": "CI", "expires_in": 3600}, as(session)...).Expect(t, 201).JSON(t)
	token := made["token"].(string)
	keys, signing := ids(t, reeve, ours.Ref)

	tried := map[string]bool{}
	ops := operations(t, reeve)
	before := controlFingerprint(t, reeve)
	for _, op := range ops {
		id := keys
		if strings.Contains(op.path, "signing-keys") {
			id = signing
		}
		send := func(path string, as ...string) *servertest.Answer {
			return reeve.Do(t, op.method, path, sound[op.id].body, as...)
		}
		if !slices.Contains(own, op.id) {
			there, absent := send(op.at("default", ours.Ref, id), as(token)...), send(op.at("nosuch", strings.Repeat("z", 20), id), as(token)...)
			if op.id == "create-project" {
				absent = reeve.Do(t, op.method, op.path, map[string]any{"name": "x", "organization_slug": "nosuch"}, as(token)...)
			}
			if there.Status != 404 || !bytes.Equal(there.Body, absent.Body) {
				t.Errorf("%s in another organization: %d %s\nof what does not exist: %d %s", op.id, there.Status, there.Body, absent.Status, absent.Body)
			}
		}
		if code, ok := forPeople[op.id]; ok {
			tried[op.id] = true
			got := send(op.at(slug, mine, uuid.NewString()), as(token)...)
			if refusedAs(got) != "403 "+code {
				t.Errorf("%s: %d %s, want %s", op.id, got.Status, got.Body, code)
			}
		}
		// The token is no key of a project, and none is one.
		if got := reeve.Do(t, op.method, op.at(slug, mine, id), sound[op.id].body, "apikey", token); got.Status != 401 {
			t.Errorf("%s with it as a key: %d %s", op.id, got.Status, got.Body)
		}
	}
	controlFingerprint(t, reeve).Same(t, before, "control database")
	var tokens int
	if err := conn.QueryRow(t.Context(), "SELECT count(*) FROM service_tokens").Scan(&tokens); err != nil || tokens != 1 {
		t.Errorf("%d service tokens, %v", tokens, err)
	}
	for _, id := range slices.Sorted(maps.Keys(forPeople)) {
		if !tried[id] {
			t.Errorf("there is no operation %s", id)
		}
	}

	// The rest is allowed: of each no more is asked than that it is not refused.
	slices.SortStableFunc(ops, func(a, b operation) int { return slices.Index(last, a.id) - slices.Index(last, b.id) })
	for _, op := range ops {
		if _, ok := forPeople[op.id]; ok {
			continue
		}
		body := sound[op.id].body
		if op.id == "create-project" {
			body = map[string]any{"name": "x", "organization_slug": slug}
		}
		got := reeve.Do(t, op.method, op.at(slug, mine, uuid.NewString()), body, as(token)...)
		if got.Status == 401 || got.Status == 403 || got.Status >= 500 {
			t.Errorf("%s: %d %s", op.id, got.Status, got.Body)
		}
	}

	// In the tenant plane it is nothing.
	for _, headers := range [][]string{{"apikey", token}, append([]string{"apikey", ours.PublishableKey}, as(token)...)} {
		if got := reeve.Do(t, http.MethodGet, ours.Auth("/user"), nil, headers...); got.Status != 401 && got.Status != 403 {
			t.Errorf("%v: %d %s", headers, got.Status, got.Body)
		}
	}

	// It outlives its maker, and ends when it is revoked.
	of.Admin(t, http.MethodDelete, "/admin/users/"+made["created_by"].(string), nil).Expect(t, 200)
	reeve.Do(t, http.MethodGet, "/v1/organizations/"+slug, nil, as(token)...).Expect(t, 200)
	reeve.Do(t, http.MethodDelete, "/v1/organizations/"+slug+"/service-tokens/"+made["id"].(string), nil, as(token)...).Expect(t, 200)
	reeve.Do(t, http.MethodGet, "/v1/organizations/"+slug, nil, as(token)...).Expect(t, 401)
}
