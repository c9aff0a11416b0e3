package server_test

import (
	"bytes"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/server/servertest"
)

// operation is a route of the Management API, from its OpenAPI document.
type operation struct {
	id, method, path string
	schema           map[string]any // of the body; nil without one
}

// operations reads the OpenAPI document.
func operations(t *testing.T, reeve *servertest.Reeve) []operation {
	t.Helper()
	var doc struct {
		Paths      map[string]map[string]map[string]any
		Components struct{ Schemas map[string]map[string]any }
	}
	reeve.Do(t, http.MethodGet, "/v1/openapi.json", nil).Expect(t, 200).Into(t, &doc)
	var out []operation
	for path, item := range doc.Paths {
		if strings.HasPrefix(path, "/dashboard/") || strings.HasPrefix(path, "/v1/sso-setup/") {
			continue // for browsers; see TestDashboardSession and TestSetupLinkIsolation
		}
		for method, described := range item {
			op := operation{id: described["operationId"].(string), method: strings.ToUpper(method), path: path}
			if body, ok := described["requestBody"].(map[string]any); ok {
				op.schema = body["content"].(map[string]any)["application/json"].(map[string]any)["schema"].(map[string]any)
				if ref, ok := op.schema["$ref"].(string); ok {
					op.schema = doc.Components.Schemas[strings.TrimPrefix(ref, "#/components/schemas/")]
				}
			}
			out = append(out, op)
		}
	}
	if len(out) < 20 {
		t.Fatalf("the document has %d operations only", len(out))
	}
	slices.SortFunc(out, func(a, b operation) int { return strings.Compare(a.id, b.id) })
	return out
}

// sound are bodies and queries that pass every check except permissions, by
// operation. A missing one that is needed fails the tests.
var sound = map[string]struct {
	query string
	body  any
}{
	"create-api-key":               {body: map[string]any{"type": "secret", "name": "stolen"}},
	"update-api-key":               {body: map[string]any{"name": "stolen"}},
	"rotate-api-key":               {body: map[string]any{}},
	"set-legacy-api-keys":          {query: "?enabled=true"},
	"create-project":               {body: map[string]any{"name": "x", "organization_slug": "default"}},
	"branch-project":               {body: map[string]any{"name": "stolen"}},
	"update-branch":                {body: map[string]any{"branch_name": "stolen"}},
	"create-branch":                {body: map[string]any{"branch_name": "stolen"}},
	"update-project":               {body: map[string]any{"name": "stolen"}},
	"run-query":                    {body: map[string]any{"query": "select 1"}},
	"run-detailed-query":           {body: map[string]any{"query": "select 1"}},
	"tail-project-logs":            {query: "?seconds=1"},
	"run-read-only-query":          {body: map[string]any{"query": "select 1"}},
	"apply-migration":              {body: map[string]any{"query": "select 1"}},
	"upsert-migration":             {body: map[string]any{"query": "select 1"}},
	"rollback-migrations":          {query: "?gte=1"},
	"patch-migration":              {body: map[string]any{"name": "stolen"}},
	"update-auth-config":           {body: map[string]any{"disable_signup": true}},
	"test-redirect":                {body: map[string]any{"redirect_to": "https://x.example.com"}},
	"preview-mail-template":        {body: map[string]any{"subject": "x"}},
	"send-test-mail":               {body: map[string]any{"subject": "x"}},
	"test-provider":                {body: map[string]any{}},
	"test-smtp":                    {body: map[string]any{"send": false}},
	"create-third-party-auth":      {body: map[string]any{"custom_jwks": map[string]any{"keys": []any{map[string]any{"kty": "EC", "x": "n3q7VGSjLDUqbYWrQ2SwoOsLmgcVXlRmaAAzWIJMHDk", "y": "0u0-cwue_FLQO9fvSLijFUFSTnV7x5QEq8_GmY24Z9o", "crv": "P-256"}}}}},
	"create-signing-key":           {body: map[string]any{"algorithm": "ES256", "status": "in_use"}},
	"update-signing-key":           {body: map[string]any{"status": "revoked"}},
	"update-signing-key-rotation":  {body: map[string]any{"held": true}},
	"advance-signing-key-rotation": {body: map[string]any{"step": "publish"}},
	"create-passkey":               {body: map[string]any{"challenge_id": uuid.NewString(), "credential": map[string]any{}}},
	"enroll-factor":                {body: map[string]any{}},
	"update-profile":               {body: map[string]any{"name": "stolen"}},
	"change-password":              {body: map[string]any{"password": "stolen password"}},
	"change-email":                 {body: map[string]any{"email": "thief@example.com"}},
	"update-organization":          {body: map[string]any{"name": "stolen"}},
	"create-organization":          {body: map[string]any{"name": "mine"}},
	"update-database-password":     {body: map[string]any{"password": "stolen password"}},
	"get-project-health":           {query: "?services=auth,db"},
	"list-organization-projects":   {query: "?limit=10"},
	"update-organization-member":   {body: map[string]any{"role": "read_only"}},
	"transfer-organization":        {body: map[string]any{"user_id": uuid.NewString()}},
	"set-project-member":           {body: map[string]any{"role": "read_only"}},
	"create-role":                  {body: map[string]any{"name": "stolen", "permissions": []string{"project:read"}}},
	"update-role":                  {body: map[string]any{"permissions": []string{"project:read"}}},
	"create-invitation":            {body: map[string]any{"email": "thief@example.com", "role": "read_only"}},
	"accept-invitation":            {body: map[string]any{"token": "x"}},
	"create-service-token":         {body: map[string]any{"name": "stolen", "expires_in": 3600}},
	"create-user":                  {body: map[string]any{"email": "mallory@example.com"}},
	"invite-user":                  {body: map[string]any{"email": "mallory@example.com"}},
	"update-user":                  {body: map[string]any{"role": "authenticated"}},
	"ban-user":                     {body: map[string]any{"duration": "24h"}},
	"rename-user-factor":           {body: map[string]any{"friendly_name": "phone"}},
	"send-user-mail":               {body: map[string]any{"type": "recovery"}},
	"create-user-link":             {body: map[string]any{"type": "recovery"}},
	"change-users":                 {body: map[string]any{"action": "sign_out", "ids": []string{uuid.NewString()}}},
	"create-custom-provider": {body: map[string]any{
		"provider_type": "oidc", "identifier": "stolen", "name": "Stolen", "issuer": "https://id.example.com", "client_id": "x", "client_secret": "x",
	}},
	"update-custom-provider": {body: map[string]any{"name": "stolen"}},
	"create-sso-provider":    {body: map[string]any{"type": "saml", "metadata_url": "https://idp.example.com"}},
	"update-sso-provider":    {body: map[string]any{"domains": []string{"stolen.example"}}},
	"create-sso-connection":  {body: map[string]any{"metadata_url": "https://idp.example.com"}},
	"update-sso-connection":  {body: map[string]any{"name": "stolen"}},
	"claim-sso-domain":       {body: map[string]any{"domain": "stolen.example"}},
	"mail-sso-domain":        {body: map[string]any{"mailbox": "admin"}},
	"consent-sso-domain":     {body: map[string]any{"connection_id": uuid.NewString()}},
	"create-scim-token":      {body: map[string]any{}},
	"create-access-token":    {body: map[string]any{"name": "mine"}},
	"create-sso-setup-link":  {body: map[string]any{"name": "Stolen", "intents": []string{"sso"}}},
}

// own are the operations that name no object of another owner.
var own = []string{"list-factors", "enroll-factor", "remove-factor", "create-recovery-codes", "remove-recovery-codes", "begin-passkey", "create-passkey", "remove-passkey", "update-profile", "list-sessions", "end-session", "end-other-sessions", "change-password", "change-email", "reauthenticate", "list-permissions", "list-organizations", "create-organization", "list-projects", "get-profile", "list-access-tokens", "create-access-token", "delete-access-token", "accept-invitation"}

// at fills in the object's identifiers.
func (o operation) at(slug, ref, id string) string {
	r := strings.NewReplacer("{version}", "1", "{point}", "custom_access_token", "{slug}", slug, "{ref}", ref, "{id}", id, "/providers/{name}", "/providers/google", "{name}", "support", "{kind}", "invite")
	return r.Replace(o.path) + sound[o.id].query
}

// TestManagementIsolation: to the owner of another organization none of our
// objects exist; without a token every operation is refused.
func TestManagementIsolation(t *testing.T) {
	t.Parallel()
	reeve := servertest.Start(t)
	ours := reeve.Project(t, "ours", nil)
	control := reeve.Control(t)
	who, _ := developer(t, platform(t, reeve), "stranger@example.com")
	token, err := control.CreateAccessToken(t.Context(), uuid.MustParse(who), "stranger")
	if err != nil {
		t.Fatal(err)
	}
	stranger := []string{"Authorization", "Bearer " + token}
	org := reeve.Do(t, http.MethodPost, "/v1/organizations", map[string]any{"name": "Theirs"}, stranger...).Expect(t, 201).JSON(t)
	theirs := reeve.Do(t, http.MethodPost, "/v1/projects", map[string]any{"name": "theirs", "organization_slug": org["slug"]}, stranger...).
		Expect(t, 201).JSON(t)["ref"].(string)
	keys, signing := ids(t, reeve, ours.Ref)
	before := controlFingerprint(t, reeve)

	for _, op := range operations(t, reeve) {
		id := keys
		if strings.Contains(op.path, "signing-keys") {
			id = signing
		}
		send := func(path string, as ...string) *servertest.Answer {
			return reeve.Do(t, op.method, path, sound[op.id].body, as...)
		}
		for _, as := range [][]string{
			nil,
			{"Authorization", "Bearer x"},
			{"Authorization", "Basic " + token},
			{"apikey", ours.SecretKey},
			{"Authorization", "Bearer " + ours.SecretKey},
			{"Authorization", "Bearer sbp_" + strings.Repeat("0", 40)},
		} {
			if a := send(op.at("default", ours.Ref, id), as...); a.Status != 401 {
				t.Errorf("%s as nobody: %d %s", op.id, a.Status, a.Body)
			}
		}
		if slices.Contains(own, op.id) {
			continue
		}
		there, absent := send(op.at("default", ours.Ref, id), stranger...), send(op.at("nosuch", strings.Repeat("z", 20), id), stranger...)
		if op.id == "create-project" {
			absent = reeve.Do(t, op.method, op.path, map[string]any{"name": "x", "organization_slug": "nosuch"}, stranger...)
		}
		if there.Status != 404 || absent.Status != 404 || !bytes.Equal(there.Body, absent.Body) {
			t.Errorf("%s as a stranger: %d %s\nof what does not exist: %d %s", op.id, there.Status, there.Body, absent.Status, absent.Body)
		}
		if strings.Contains(op.path, "{id}") && strings.Contains(op.path, "{ref}") {
			if a := send(op.at("", theirs, id), stranger...); a.Status != 404 {
				t.Errorf("%s of ours through their project: %d %s", op.id, a.Status, a.Body)
			}
		}
	}
	for _, list := range []string{"/v1/organizations", "/v1/projects"} {
		if a := reeve.Do(t, http.MethodGet, list, nil, stranger...).Expect(t, 200); bytes.Contains(a.Body, []byte(ours.Ref)) || bytes.Contains(a.Body, []byte(`"default"`)) {
			t.Errorf("%s shows ours: %s", list, a.Body)
		}
	}
	controlFingerprint(t, reeve).Same(t, before, "control database")
}

// TestObjectsOfAnotherProject: an owner of two projects cannot reach a key of
// one through the other.
func TestObjectsOfAnotherProject(t *testing.T) {
	t.Parallel()
	reeve := servertest.Start(t)
	a, b := reeve.Project(t, "a", nil), reeve.Project(t, "b", nil)
	key, signing := ids(t, reeve, a.Ref)
	before := controlFingerprint(t, reeve)
	for _, op := range operations(t, reeve) {
		if !strings.Contains(op.path, "{id}") || !strings.Contains(op.path, "{ref}") || slices.Contains(own, op.id) {
			continue
		}
		for _, id := range []string{key, signing} {
			if got := reeve.Manage(t, op.method, op.at("", b.Ref, id), sound[op.id].body); got.Status != 404 {
				t.Errorf("%s: %d %s", op.id, got.Status, got.Body)
			}
		}
	}
	controlFingerprint(t, reeve).Same(t, before, "control database")
}

// ids returns an API key and a signing key of a project.
func ids(t *testing.T, reeve *servertest.Reeve, ref string) (key, signing string) {
	t.Helper()
	var keys []struct{ ID string }
	reeve.Manage(t, http.MethodGet, "/v1/projects/"+ref+"/api-keys", nil).Expect(t, 200).Into(t, &keys)
	var list struct{ Keys []struct{ ID string } }
	reeve.Manage(t, http.MethodGet, "/v1/projects/"+ref+"/config/auth/signing-keys", nil).Expect(t, 200).Into(t, &list)
	return keys[0].ID, list.Keys[0].ID
}

// controlFingerprint leaves out what changes by use or by time.
func controlFingerprint(t *testing.T, reeve *servertest.Reeve) servertest.Fingerprint {
	t.Helper()
	conn := servertest.Connect(t, reeve.ControlURL)
	return servertest.FingerprintOf(t, conn, "access_tokens", "service_tokens", "idempotency_keys", "outbox_marks", "databases", "project_logs", "hook_calls", "usage_counts", "usage_active", "usage_writers",
		"audit_log", "audit_heads", "audit_begun")
}
