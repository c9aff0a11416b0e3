package main

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/reevehq/reeve/internal/snippet"
)

const (
	goodToken = "sbp_00000000000000000000000000000000000000ff"
	project   = `{"id":"abcdefghijklmnopqrst","ref":"abcdefghijklmnopqrst","organization_slug":"acme","name":"shop\u001b[31m\nnext","status":"ACTIVE_HEALTHY","created_at":"2026-01-02T03:04:05.678901Z"}`
	key       = `{"api_key":null,"id":"k1","type":"secret","prefix":"sb_secret_abcde","name":"default"}`
)

// fakeAPI answers the few routes that the command line uses, some as in other.
func fakeAPI(t *testing.T, other ...map[string]string) string {
	t.Helper()
	const serviceToken = `{"id":"t","name":"CI","projects":null,"permissions":["project:read","logs:read"],"created_at":"now","expires_at":"then","last_used_at":null}`
	const listedUser = `{"id":"u","email":"a@b.c","name":"Ann","created_at":"then"}`
	const invitation = `{"id":"i","email":"a@b.c","role":"developer","expires_at":"then","sent_at":null}`
	answers := map[string]string{
		"GET /v1/organizations":                                        `[{"slug":"acme","name":"Acme"}]`,
		"POST /v1/organizations":                                       `{"slug":"new","name":"New"}`,
		"GET /v1/organizations/acme":                                   `{"id":"acme","name":"Acme","plan":"free"}`,
		"GET /v1/organizations/acme/members":                           `[{"user_id":"u","user_name":"a@b.c","role_name":"owner"}]`,
		"GET /v1/organizations/acme/audit-logs":                        `{"entries":[{"seq":1,"at":"now","actor":"u","action":"create-role","object":"/v1/x","result":"done"}],"next":null}`,
		"GET /v1/organizations/acme/audit-logs/verify":                 `{"valid":true,"entries":1,"broken":null}`,
		"GET /v1/organizations/acme/roles":                             `[{"name":"owner","description":"All."}]`,
		"GET /v1/organizations/acme/service-tokens":                    `[` + serviceToken + `]`,
		"POST /v1/organizations/acme/service-tokens":                   `{"id":"t","token":"sbp_text"}`,
		"DELETE /v1/organizations/acme/service-tokens/t":               `{"id":"t"}`,
		"GET /v1/profile/access-tokens":                                `[` + serviceToken + `]`,
		"POST /v1/profile/access-tokens":                               `{"id":"t","token":"sbp_mine"}`,
		"DELETE /v1/profile/access-tokens/t":                           `{"id":"t"}`,
		"GET /v1/organizations/acme/invitations":                       `[` + invitation + `]`,
		"POST /v1/organizations/acme/invitations":                      invitation,
		"POST /v1/invitations/accept":                                  `{"organization_slug":"acme","organization_name":"Acme","role":"developer"}`,
		"PATCH /v1/organizations/acme/members/u":                       `{"user_id":"u","role_name":"developer"}`,
		"DELETE /v1/organizations/acme/members/u":                      `{"user_id":"u","role_name":"owner"}`,
		"GET /v1/projects":                                             `[` + project + `]`,
		"POST /v1/projects":                                            `{"ref":"r","url":"http://u","publishable_key":"p","secret_key":"s","db_url":"d?a=1&b=2","status":"ACTIVE_HEALTHY","name":"x"}`,
		"GET /v1/projects/rrrrrrrrrrrrrrrrrrrr":                        project,
		"PATCH /v1/projects/rrrrrrrrrrrrrrrrrrrr":                      `{"id":1,"ref":"r","name":"shop","expires_at":"then"}`,
		"DELETE /v1/projects/rrrrrrrrrrrrrrrrrrrr":                     `{"id":1,"ref":"r","name":"shop"}`,
		"GET /v1/projects/ssssssssssssssssssss":                        `{"ref":"abcdefghijklmnopqrst","name":"shop"}`,
		"DELETE /v1/projects/ssssssssssssssssssss":                     `{"id":2,"ref":"s","name":"shop"}`,
		"GET /v1/projects/rrrrrrrrrrrrrrrrrrrr/api-keys":               `[` + key + `]`,
		"POST /v1/projects/rrrrrrrrrrrrrrrrrrrr/api-keys":              `{"api_key":"sb_secret_text","id":"k2","type":"secret","name":"cron"}`,
		"GET /v1/projects/rrrrrrrrrrrrrrrrrrrr/api-keys/k1":            key,
		"DELETE /v1/projects/rrrrrrrrrrrrrrrrrrrr/api-keys/k1":         key,
		"POST /v1/projects/rrrrrrrrrrrrrrrrrrrr/api-keys/k1/rotate":    `{"api_key":"sb_secret_next","id":"k3","type":"secret","name":"cron"}`,
		"GET /v1/projects/rrrrrrrrrrrrrrrrrrrr/config/auth":            `{"site_url":"http://a","jwt_exp":3600}`,
		"PATCH /v1/projects/rrrrrrrrrrrrrrrrrrrr/config/auth":          `{"site_url":"http://a","jwt_exp":900}`,
		"POST /v1/projects/rrrrrrrrrrrrrrrrrrrr/config/auth/smtp/test": `{"ok":true,"to":"a@b","sent":false,"steps":[{"name":"resolve","status":"passed","detail":"1.2.3.4"}]}`,
		"POST /v1/projects/rrrrrrrrrrrrrrrrrrrr/config/auth/test-redirect": `{"allowed":true,"target":"https://a/x","refused":"","warnings":["careful"],
			"patterns":[{"setting":"site_url","pattern":"https://a","matches":true,"reason":"","warnings":[]}]}`,
		"GET /v1/projects/rrrrrrrrrrrrrrrrrrrr/inbox":    `[{"id":"m","to":"a@b.c","channel":"email","subject":"Hi","links":["http://l"],"code":"123456","created_at":"now"}]`,
		"DELETE /v1/projects/rrrrrrrrrrrrrrrrrrrr/inbox": `{"deleted":1}`,
		"GET /v1/projects/rrrrrrrrrrrrrrrrrrrr/usage": `{"interval":"day","points":[{"at":"2026-11-26T00:00:00Z","active_users":3,"sign_ups":1,
			"sign_ins":4,"token_refreshes":9,"requests":40,"refusals":2,"mails_sent":1,"mails_failed":0,"texts_sent":0}]}`,
		"POST /v1/projects/rrrrrrrrrrrrrrrrrrrr/pause":                     `{"ref":"r","name":"shop","status":"INACTIVE"}`,
		"POST /v1/projects/rrrrrrrrrrrrrrrrrrrr/restore":                   `{"ref":"r","name":"shop","status":"ACTIVE_HEALTHY"}`,
		"GET /v1/projects/rrrrrrrrrrrrrrrrrrrr/branch":                     `[{"ref":"b","name":"shop (review)","status":"ACTIVE_HEALTHY"}]`,
		"GET /v1/projects/rrrrrrrrrrrrrrrrrrrr/types/typescript":           `{"types":"export type Json = string\n"}`,
		"POST /v1/projects/rrrrrrrrrrrrrrrrrrrr/database/query":            `[{"b":1,"a":null,"list":["x","y"],"odd\u001b[31m":"new\nline"},{"b":12345678901234567890,"a":{"k":1}}]`,
		"GET /v1/projects/rrrrrrrrrrrrrrrrrrrr/auth/users":                 `{"users":[` + listedUser + `],"next":null,"total":12480,"total_is_estimate":true}`,
		"POST /v1/projects/rrrrrrrrrrrrrrrrrrrr/auth/users":                listedUser,
		"POST /v1/projects/rrrrrrrrrrrrrrrrrrrr/auth/users/invite":         listedUser,
		"POST /v1/projects/rrrrrrrrrrrrrrrrrrrr/auth/users/u/ban":          listedUser,
		"DELETE /v1/projects/rrrrrrrrrrrrrrrrrrrr/auth/users/u/ban":        listedUser,
		"DELETE /v1/projects/rrrrrrrrrrrrrrrrrrrr/auth/users/u/sessions":   `{"ok":true}`,
		"DELETE /v1/projects/rrrrrrrrrrrrrrrrrrrr/auth/users/u":            `{"ok":true}`,
		"DELETE /v1/projects/rrrrrrrrrrrrrrrrrrrr/auth/users/u/sessions/s": `{"ok":true}`,
		"DELETE /v1/projects/rrrrrrrrrrrrrrrrrrrr/auth/users/u/sessions/g": `{"ok":true}`,
		"GET /v1/projects/rrrrrrrrrrrrrrrrrrrr/auth/hooks": `[{"point":"custom_access_token","enabled":true,"uri":"https://h","mode":"fail_open","paused":true,
			"last":{"calls":9,"failed":2,"refused":0,"median_ms":1.5,"error":"late"}},{"point":"after_user_created","enabled":false,"uri":"","mode":"fail_closed","last":null}]`,
		"GET /v1/projects/rrrrrrrrrrrrrrrrrrrr/auth/hooks/custom_access_token/calls": `[{"at":"now","outcome":"failed","mode":"fail_open","duration_ms":2.5,"status":500,"request_id":"q","error":"late"}]`,
		"POST /v1/projects/rrrrrrrrrrrrrrrrrrrr/auth/hooks/custom_access_token/test": `{"outcome":"ok","duration_ms":2,"status":200,"error":"","answer":"{}"}`,
		"POST /v1/projects/rrrrrrrrrrrrrrrrrrrr/auth/hooks/after_user_created/test":  `{"outcome":"failed","duration_ms":2,"status":0,"error":"no such function","answer":""}`,
		"POST /v1/projects/rrrrrrrrrrrrrrrrrrrr/auth/users/u/link":                   `{"action_link":"https://l"}`,
		"GET /v1/projects/rrrrrrrrrrrrrrrrrrrr/auth/users/u/timeline":                `{"events":[{"at":"now","code":"invalid_credentials","count":3,"actor_name":"","client_ip":"192.0.2.1","message":"wrong"}]}`,
		"GET /v1/projects/rrrrrrrrrrrrrrrrrrrr/auth/users/u": strings.TrimSuffix(listedUser, "}") + `,"sessions":[{"id":"s","ip":"192.0.2.1","aal":"aal1","method":"password","provider":""},{"id":"g","aal":"aal1","method":"oauth","provider":"google"}],
			"ended_sessions":[{"id":"e","ip":"192.0.2.2","ended_at":"now","cause":"reported"}],
			"standing":{"can_sign_in":false,"reasons":["banned"],"last_refused":{"at":"now","code":"user_banned","client_ip":"192.0.2.1","count":2,"message":"The user is banned."}}}`,
		"GET /v1/projects/rrrrrrrrrrrrrrrrrrrr/auth/custom-providers":                `{"providers":[{"identifier":"custom:acme","name":"Acme","provider_type":"oidc","enabled":true,"client_id":"x","issuer":"https://i"}]}`,
		"POST /v1/projects/rrrrrrrrrrrrrrrrrrrr/auth/custom-providers":               `{"identifier":"custom:acme","name":"acme"}`,
		"PATCH /v1/projects/rrrrrrrrrrrrrrrrrrrr/auth/custom-providers/custom:acme":  `{"identifier":"custom:acme","enabled":false}`,
		"DELETE /v1/projects/rrrrrrrrrrrrrrrrrrrr/auth/custom-providers/custom:acme": `{"identifier":"custom:acme"}`,
		"POST /v1/projects/rrrrrrrrrrrrrrrrrrrr/config/auth/providers/google/test":   `{"ok":false,"missing":["external_google_secret"],"callback_url":"https://c","checks":[]}`,
		"GET /v1/projects/rrrrrrrrrrrrrrrrrrrr/sso":                                  `{"saml_enabled":true}`,
		"GET /v1/projects/rrrrrrrrrrrrrrrrrrrr/sso/connections":                      `{"items":[{"id":"c","label":"Acme","type":"saml","enabled":true,"domains":["acme.example","acme.test"],"users":2,"last_sign_in_at":"2026-11-26T10:00:00.123Z","saml":{"certificate_expires_at":"2028-01-01T00:00:00Z"}}]}`,
		"GET /v1/projects/rrrrrrrrrrrrrrrrrrrr/sso/connections/c":                    `{"id":"c","label":"Acme","type":"saml","enabled":true,"domains":["acme.example","acme.test"],"users":2,"last_sign_in_at":"2026-11-26T10:00:00.123Z","saml":{"certificate_expires_at":"2028-01-01T00:00:00Z"}}`,
		"POST /v1/projects/rrrrrrrrrrrrrrrrrrrr/sso/connections":                     `{"id":"c","label":"Acme","type":"saml","enabled":true,"domains":["acme.example","acme.test"],"users":2,"last_sign_in_at":"2026-11-26T10:00:00.123Z","saml":{"certificate_expires_at":"2028-01-01T00:00:00Z"}}`,
		"PATCH /v1/projects/rrrrrrrrrrrrrrrrrrrr/sso/connections/c":                  `{"id":"c","label":"Acme","type":"saml","enabled":true,"domains":["acme.example","acme.test"],"users":2,"last_sign_in_at":"2026-11-26T10:00:00.123Z","saml":{"certificate_expires_at":"2028-01-01T00:00:00Z"}}`,
		"DELETE /v1/projects/rrrrrrrrrrrrrrrrrrrr/sso/connections/c":                 `{"id":"c","label":"Acme","type":"saml","enabled":true,"domains":["acme.example","acme.test"],"users":2,"last_sign_in_at":"2026-11-26T10:00:00.123Z","saml":{"certificate_expires_at":"2028-01-01T00:00:00Z"}}`,
		"GET /v1/projects/rrrrrrrrrrrrrrrrrrrr/sso/connections/c/attempts":           `{"items":[{"at":"2026-11-26T10:00:00Z","kind":"login","outcome":"refused","email":"ann@acme.example","reason":"late"}]}`,
		"GET /v1/projects/rrrrrrrrrrrrrrrrrrrr/sso/keys":                             `{"items":[{"id":"k","signs":true,"created_at":"2026-11-26T10:00:00Z","expires_at":"2036-11-26T10:00:00Z"}]}`,
		"POST /v1/projects/rrrrrrrrrrrrrrrrrrrr/sso/keys":                            `{"items":[{"id":"k","signs":true,"created_at":"2026-11-26T10:00:00Z","expires_at":"2036-11-26T10:00:00Z"}]}`,
		"DELETE /v1/projects/rrrrrrrrrrrrrrrrrrrr/sso/keys/k":                        `{"items":[{"id":"k","signs":true,"created_at":"2026-11-26T10:00:00Z","expires_at":"2036-11-26T10:00:00Z"}]}`,
		"POST /v1/leaked-keys": `{"message":"Thank you."}`,
		"GET /v1/projects/rrrrrrrrrrrrrrrrrrrr/api-keys/usage": `[{"id":"k1","name":"default","type":"secret","last_used_at":"then","last_ip":"192.0.2.1",
			"last_sdk":"supabase-js","last_sdk_version":"2.57.4","last_user_agent":"node","days":[{"day":"2026-11-26","count":3},{"day":"2026-11-27","count":4}]}]`,
		"GET /v1/projects/rrrrrrrrrrrrrrrrrrrr/api-keys/anon/usage": `{"id":"anon","name":"anon","type":"legacy","last_used_at":null,"last_ip":null,
			"last_sdk":null,"last_sdk_version":null,"last_user_agent":"curl","days":[]}`,
	}
	for _, o := range other {
		maps.Copy(answers, o)
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer, ok := answers[r.Method+" "+r.URL.Path]
		switch {
		case r.Header.Get("Authorization") != "Bearer "+goodToken && r.URL.Path != "/v1/leaked-keys":
			w.WriteHeader(http.StatusUnauthorized)
			answer = `{"message":"Unauthorized","code":"unauthorized"}`
		case r.Method == http.MethodPost && r.Header.Get("Idempotency-Key") == "" && !strings.HasSuffix(r.URL.Path, "/query") && !strings.Contains(r.URL.Path, "/auth/users") && !strings.HasSuffix(r.URL.Path, "/custom-providers") && !strings.Contains(r.URL.Path, "/sso/") && !strings.Contains(r.URL.Path, "/test"):
			w.WriteHeader(http.StatusBadRequest)
			answer = `{"message":"no Idempotency-Key"}`
		case !ok:
			w.WriteHeader(http.StatusNotFound)
			answer = `{"message":"Project not found","code":"project_not_found"}`
		}
		_, _ = io.WriteString(w, answer+"\n")
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

// call runs a command line with the given variables.
func call(t *testing.T, vars map[string]string, args ...string) (code int, out, errOut string) {
	t.Helper()
	var o, e bytes.Buffer
	p := program{out: &o, err: &e, name: "reeve", lookup: func(name string) (string, bool) {
		v, ok := vars[name]
		return v, ok
	}}
	code = p.run(t.Context(), args)
	return code, o.String(), e.String()
}

func TestTable(t *testing.T) {
	t.Parallel()
	vars := map[string]string{"REEVE_URL": fakeAPI(t), "REEVE_ACCESS_TOKEN": goodToken}
	app := snippet.Project{Ref: "r", URL: "http://u", Key: "p"}.Client()
	projects := "REF                    NAME             ORGANIZATION   STATUS           CREATED\n" +
		"abcdefghijklmnopqrst   shop [31m next   acme           ACTIVE_HEALTHY   2026-01-02T03:04:05Z\n"
	invitations := "ID   ADDRESS   ROLE        PROJECT   EXPIRES   SENT\ni    a@b.c     developer             then\n"
	tokens := "ID   NAME   CREATED   EXPIRES   LAST USED\nt    CI     now       then\n"
	users := "ID   EMAIL   PHONE   NAME   CREATED   LAST SIGN-IN   CONFIRMED   BANNED\nu    a@b.c           Ann    then\n"
	cases := map[string]string{
		"orgs list":                     "SLUG   NAME\nacme   Acme\n",
		"orgs create New":               "SLUG   NAME\nnew    New\n",
		"orgs get acme":                 "SLUG   NAME   PLAN\nacme   Acme   free\n",
		"orgs members acme":             "ID   USER    ROLE\nu    a@b.c   owner\n",
		"audit list acme --result done": "NO   AT    ACTOR   NAME   ACTION        OBJECT   RESULT\n1    now   u              create-role   /v1/x    done\n",
		"audit verify acme":             "VALID   ENTRIES   BROKEN   REASON\ntrue    1\n",
		"tokens list":                   tokens,
		"tokens list --org acme":        tokens,
		"tokens create CI --projects r": "sbp_mine\n",
		"tokens create CI --org acme --expires-in 720h --permissions project:read,logs:read": "sbp_text\n",
		"tokens revoke t":            "",
		"tokens revoke t --org acme": "",
		"orgs roles acme":            "ROLE    DESCRIPTION\nowner   All.\n",
		"orgs invitations acme":      invitations,
		"orgs invite acme a@b.c":     invitations,
		"orgs invite acme a@b.c --role developer --project rrrrrrrrrrrrrrrrrrrr": invitations,
		"orgs accept token":                                               "SLUG   NAME   PROJECT   ROLE\nacme   Acme             developer\n",
		"orgs set-role acme u developer":                                  "ID   ROLE\nu    developer\n",
		"orgs remove acme u":                                              "ID   ROLE\nu    owner\n",
		"projects list":                                                   projects,
		"projects get rrrrrrrrrrrrrrrrrrrr":                               projects,
		"projects create shop":                                            "ref               r\nurl               http://u\npublishable_key   p\nsecret_key        s\ndb_url            d?a=1&b=2\n\n" + app,
		"projects extend rrrrrrrrrrrrrrrrrrrr --ttl 1h":                   "REF   NAME   EXPIRES\nr     shop   then\n",
		"projects delete rrrrrrrrrrrrrrrrrrrr --yes":                      "DELETED   NAME\nr         shop\n",
		"keys list --project rrrrrrrrrrrrrrrrrrrr":                        "ID   NAME      TYPE     PREFIX            KEY\nk1   default   secret   sb_secret_abcde\n",
		"keys create cron --project rrrrrrrrrrrrrrrrrrrr":                 "ID   NAME   TYPE     PREFIX   KEY\nk2   cron   secret            sb_secret_text\n",
		"keys rotate k1 --overlap 1h --project rrrrrrrrrrrrrrrrrrrr":      "ID   NAME   TYPE     PREFIX   KEY\nk3   cron   secret            sb_secret_next\n",
		"keys get k1 --project rrrrrrrrrrrrrrrrrrrr":                      "ID   NAME      TYPE     PREFIX            KEY\nk1   default   secret   sb_secret_abcde\n",
		"keys usage --project rrrrrrrrrrrrrrrrrrrr":                       "ID   NAME      TYPE     LAST USE   ADDRESS     CLIENT               30 DAYS\nk1   default   secret   then       192.0.2.1   supabase-js 2.57.4   7\n",
		"keys report-leak sb_secret_x --found-at http://a":                "REPORTED\nThank you.\n",
		"keys usage anon --project rrrrrrrrrrrrrrrrrrrr":                  "ID     NAME   TYPE     LAST USE   ADDRESS   CLIENT   30 DAYS\nanon   anon   legacy                        curl     0\n",
		"keys delete k1 --project rrrrrrrrrrrrrrrrrrrr":                   "DELETED   NAME\nk1        default\n",
		"config get --project rrrrrrrrrrrrrrrrrrrr":                       "site_url   http://a\njwt_exp    3600\n",
		"config get --project rrrrrrrrrrrrrrrrrrrr jwt_exp":               "jwt_exp   3600\n",
		"config get --project rrrrrrrrrrrrrrrrrrrr jwt_exp -o json":       "{\n  \"jwt_exp\": 3600\n}\n",
		"config set --project rrrrrrrrrrrrrrrrrrrr jwt_exp=900":           "jwt_exp   900\n",
		"config test-smtp --project rrrrrrrrrrrrrrrrrrrr smtp_host=a":     "STEP      STATUS   DETAIL\nresolve   passed   1.2.3.4\n",
		"config test-redirect --project rrrrrrrrrrrrrrrrrrrr https://a/x": "SETTING    PATTERN     MATCHES   REASON   WARNINGS\nsite_url   https://a   true\ncareful\nUsers are sent to https://a/x\n",
		"inbox list --project rrrrrrrrrrrrrrrrrrrr":                       "ID   AT    TO      BY      SUBJECT   CODE     LINK\nm    now   a@b.c   email   Hi        123456   http://l\n",
		"users list --project rrrrrrrrrrrrrrrrrrrr":                       users,
		"users create a@b.c --project rrrrrrrrrrrrrrrrrrrr":               users,
		"users invite a@b.c --project rrrrrrrrrrrrrrrrrrrr":               users,
		"users ban a@b.c --project rrrrrrrrrrrrrrrrrrrr --for 24h":        users,
		"users unban u --project rrrrrrrrrrrrrrrrrrrr":                    users,
		"users sign-out u --project rrrrrrrrrrrrrrrrrrrr":                 "signed out everywhere\n",
		"users delete a@b.c --soft --project rrrrrrrrrrrrrrrrrrrr":        "deleted\n",
		"users link u --project rrrrrrrrrrrrrrrrrrrr":                     "https://l\n",
		"users timeline u --project rrrrrrrrrrrrrrrrrrrr":                 "AT    WHAT                  COUNT   BY   ADDRESS     MESSAGE\nnow   invalid_credentials   3            192.0.2.1   wrong\n",
		"users show a@b.c --project rrrrrrrrrrrrrrrrrrrr": users + "\ncannot sign in: banned\nlast refused at now from 192.0.2.1: user_banned (2 within a day): The user is banned.\n\n" +
			"SESSION   ADDRESS     BEGAN   REFRESHED   AAL    AGENT\ns         192.0.2.1                       aal1\ng                                         aal1\n",
		"users sessions list a@b.c --project rrrrrrrrrrrrrrrrrrrr": "ID   ADDRESS     BEGAN   REFRESHED   METHOD     PROVIDER   AAL    AGENT\ns    192.0.2.1                       password              aal1\n" +
			"g                                    oauth      google     aal1\n",
		"users sessions list u --ended --project rrrrrrrrrrrrrrrrrrrr":          "ID   ADDRESS     BEGAN   REFRESHED   ENDED   CAUSE      AGENT\ne    192.0.2.2                       now     reported\n",
		"users sessions end u s --project rrrrrrrrrrrrrrrrrrrr":                 "sessions ended: 1\n",
		"users sessions end u --provider google --project rrrrrrrrrrrrrrrrrrrr": "sessions ended: 1\n",
		"users sessions end u --method otp --project rrrrrrrrrrrrrrrrrrrr":      "sessions ended: 0\n",
		"users sessions end a@b.c --all --project rrrrrrrrrrrrrrrrrrrr":         "all sessions ended\n",
		"users sessions end u s --project rrrrrrrrrrrrrrrrrrrr -o json":         "{\n  \"ended\": 1\n}\n",
		"hooks list --project rrrrrrrrrrrrrrrrrrrr": "HOOK                  STATE    MODE          CALLS   FAILED   REFUSED   MEDIAN MS   URI         LAST ERROR\n" +
			"custom_access_token   paused   fail_open     9       2        0         1.5         https://h   late\nafter_user_created    off      fail_closed\n",
		"hooks calls custom_access_token --project rrrrrrrrrrrrrrrrrrrr":                                   "AT    OUTCOME   MODE        MS    STATUS   REQUEST   ERROR\nnow   failed    fail_open   2.5   500      q         late\n",
		"hooks test custom_access_token --project rrrrrrrrrrrrrrrrrrrr":                                    "OUTCOME   MS   STATUS   ERROR   ANSWER\nok        2    200              {}\n",
		"providers list --project rrrrrrrrrrrrrrrrrrrr":                                                    "IDENTIFIER    NAME   TYPE   ENABLED   CLIENT   ISSUER\ncustom:acme   Acme   oidc   true      x        https://i\n",
		"providers add acme --project rrrrrrrrrrrrrrrrrrrr --secret s scopes=a,b issuer=https://i":         "IDENTIFIER    NAME   TYPE   ENABLED   CLIENT   ISSUER\ncustom:acme   acme\n",
		"providers set custom:acme --project rrrrrrrrrrrrrrrrrrrr enabled=false":                           "IDENTIFIER    NAME   TYPE   ENABLED   CLIENT   ISSUER\ncustom:acme                 false\n",
		"providers delete custom:acme --project rrrrrrrrrrrrrrrrrrrr":                                      "deleted\n",
		"sso list --project rrrrrrrrrrrrrrrrrrrr":                                                          "ID   NAME   TYPE   ENABLED   DOMAINS                  USERS   LAST SIGN-IN           CERTIFICATE UNTIL\nc    Acme   saml   true      acme.example,acme.test   2       2026-11-26T10:00:00Z   2028-01-01T00:00:00Z\n",
		"sso show --project rrrrrrrrrrrrrrrrrrrr":                                                          "{\n  \"saml_enabled\": true\n}\n",
		"sso add --metadata-url https://i --domains acme.example,acme.test --project rrrrrrrrrrrrrrrrrrrr": "ID   NAME   TYPE   ENABLED   DOMAINS                  USERS   LAST SIGN-IN           CERTIFICATE UNTIL\nc    Acme   saml   true      acme.example,acme.test   2       2026-11-26T10:00:00Z   2028-01-01T00:00:00Z\n",
		"sso update c --no-enabled --project rrrrrrrrrrrrrrrrrrrr":                                         "ID   NAME   TYPE   ENABLED   DOMAINS                  USERS   LAST SIGN-IN           CERTIFICATE UNTIL\nc    Acme   saml   true      acme.example,acme.test   2       2026-11-26T10:00:00Z   2028-01-01T00:00:00Z\n",
		"sso remove c --project rrrrrrrrrrrrrrrrrrrr":                                                      "deleted\n",
		"sso attempts c --project rrrrrrrrrrrrrrrrrrrr":                                                    "AT                     KIND    OUTCOME   ADDRESS            REASON\n2026-11-26T10:00:00Z   login   refused   ann@acme.example   late\n",
		"sso keys list --project rrrrrrrrrrrrrrrrrrrr":                                                     "ID   SIGNS   CREATED                EXPIRES\nk    true    2026-11-26T10:00:00Z   2036-11-26T10:00:00Z\n",
		"sso keys add --project rrrrrrrrrrrrrrrrrrrr":                                                      "ID   SIGNS   CREATED                EXPIRES\nk    true    2026-11-26T10:00:00Z   2036-11-26T10:00:00Z\n",
		"sso keys remove k --project rrrrrrrrrrrrrrrrrrrr":                                                 "ID   SIGNS   CREATED                EXPIRES\nk    true    2026-11-26T10:00:00Z   2036-11-26T10:00:00Z\n",
		"inbox clear --project rrrrrrrrrrrrrrrrrrrr":                                                       "DELETED\n1\n",
		"projects pause rrrrrrrrrrrrrrrrrrrr":                                                              "REF   NAME   ORGANIZATION   STATUS     CREATED\nr     shop                  INACTIVE\n",
		"projects restore rrrrrrrrrrrrrrrrrrrr":                                                            "REF   NAME   ORGANIZATION   STATUS           CREATED\nr     shop                  ACTIVE_HEALTHY\n",
		"projects branches rrrrrrrrrrrrrrrrrrrr":                                                           "REF   NAME            ORGANIZATION   STATUS           CREATED   EXPIRES\nb     shop (review)                  ACTIVE_HEALTHY\n",
		"types rrrrrrrrrrrrrrrrrrrr --schema public,app":                                                   "export type Json = string\n",
		"sql rrrrrrrrrrrrrrrrrrrr select":                                                                  "b                      a         list        odd [31m\n1                                [\"x\",\"y\"]   new line\n12345678901234567890   {\"k\":1}\n",
		"usage --project rrrrrrrrrrrrrrrrrrrr --days 1":                                                    "DAY                    ACTIVE   SIGN-UPS   SIGN-INS   REFRESHES   REQUESTS   REFUSALS   MAILS   FAILED   TEXTS\n2026-11-26T00:00:00Z   3        1          4          9           40         2          1       0        0\n",
		"keys create cron --type secret --project rrrrrrrrrrrrrrrrrrrr -o json":                            "{\n  \"api_key\": \"sb_secret_text\",\n  \"id\": \"k2\",\n  \"type\": \"secret\",\n  \"name\": \"cron\"\n}\n",
	}
	for line, want := range cases {
		t.Run(line, func(t *testing.T) {
			t.Parallel()
			code, out, errOut := call(t, vars, strings.Fields(line)...)
			if code != exitOK || errOut != "" {
				t.Errorf("exit %d: %s", code, errOut)
			}
			if diff := cmp.Diff(want, out); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// namedProjects is a list in which shop is the name of the fake's project, and
// crm of two.
func namedProjects() map[string]string {
	return map[string]string{
		"GET /v1/projects": `[{"ref":"rrrrrrrrrrrrrrrrrrrr","name":"shop","organization_slug":"acme"},
			{"ref":"cccccccccccccccccccc","name":"crm","organization_slug":"acme"},{"ref":"dddddddddddddddddddd","name":"crm","organization_slug":"acme"}]`,
		"POST /v1/projects": `{"ref":"dddddddddddddddddddd","status":"ACTIVE_HEALTHY"}`,
	}
}

func TestProjectByName(t *testing.T) {
	t.Parallel()
	vars := map[string]string{"REEVE_URL": fakeAPI(t, namedProjects()), "REEVE_ACCESS_TOKEN": goodToken}
	for _, line := range []string{
		"projects get NAME", "projects delete NAME --yes", "keys list --project NAME", "keys create cron --project NAME", "keys get k1 --project NAME",
		"keys delete k1 --project NAME", "config get --project NAME", "config set --project NAME jwt_exp=900", "inbox list --project NAME", "inbox show m --project NAME",
		"inbox open m --project NAME", "inbox clear --project NAME",
	} {
		t.Run(line, func(t *testing.T) {
			t.Parallel()
			if code, _, errOut := call(t, vars, strings.Fields(strings.ReplaceAll(line, "NAME", "shop"))...); code != exitOK || errOut != "" {
				t.Errorf("shop: exit %d: %s", code, errOut)
			}
			code, out, errOut := call(t, vars, strings.Fields(strings.ReplaceAll(line, "NAME", "crm"))...)
			if code != exitFailure || out != "" || !strings.Contains(errOut, "cccccccccccccccccccc, dddddddddddddddddddd") {
				t.Errorf("crm: exit %d: %s%s", code, out, errOut)
			}
		})
	}
}

func TestCreateWarnsOfNamesake(t *testing.T) {
	t.Parallel()
	vars := map[string]string{"REEVE_URL": fakeAPI(t, namedProjects()), "REEVE_ACCESS_TOKEN": goodToken}
	code, out, errOut := call(t, vars, "projects", "create", "crm", "-o", "json")
	if code != exitOK || !json.Valid([]byte(out)) || !strings.Contains(errOut, "another project of this name (cccccccccccccccccccc)") {
		t.Errorf("exit %d: %s%s", code, out, errOut)
	}
}

func TestCreatedProjectAsJSON(t *testing.T) {
	t.Parallel()
	vars := map[string]string{"REEVE_URL": fakeAPI(t), "REEVE_ACCESS_TOKEN": goodToken}
	_, out, _ := call(t, vars, "projects", "create", "shop", "--org", "acme", "-o", "json")
	var got map[string]string
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"ref": "r", "url": "http://u", "publishable_key": "p", "secret_key": "s", "db_url": "d?a=1&b=2"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestExitCode(t *testing.T) {
	t.Parallel()
	origin, empty := fakeAPI(t), t.TempDir()
	gone := httptest.NewServer(nil)
	gone.Close()
	nobody := gone.URL
	good := map[string]string{"REEVE_URL": origin, "REEVE_ACCESS_TOKEN": goodToken}
	cases := map[string]struct {
		vars map[string]string
		line string
		code int
		says string
	}{
		"unknown project":    {good, "projects get nope", exitFailure, "Project not found (project_not_found): `reeve projects list` shows refs and names"},
		"wrong token":        {map[string]string{"REEVE_URL": origin, "REEVE_ACCESS_TOKEN": "sbp_x"}, "orgs list", exitFailure, "Unauthorized (unauthorized)"},
		"no command":         {good, "-o json", exitUsage, "expected one of"},
		"unknown command":    {good, "fly", exitUsage, "unexpected argument fly"},
		"unknown flag":       {good, "orgs list --colour", exitUsage, "unknown flag --colour"},
		"missing argument":   {good, "projects create", exitUsage, "<name>"},
		"extend, no ttl":     {good, "projects extend rrrrrrrrrrrrrrrrrrrr", exitUsage, "--ttl"},
		"missing project":    {good, "keys list", exitUsage, "--project"},
		"which sessions":     {good, "users sessions end u --project rrrrrrrrrrrrrrrrrrrr", exitUsage, "name a session"},
		"too many sessions":  {good, "users sessions end u s --all --project rrrrrrrrrrrrrrrrrrrr", exitUsage, "only one of them"},
		"unknown session":    {good, "users sessions end u x --project rrrrrrrrrrrrrrrrrrrr", exitFailure, "end session x"},
		"unknown hook":       {good, "hooks calls nope --project rrrrrrrrrrrrrrrrrrrr", exitUsage, "must be one of"},
		"wrong output":       {good, "orgs list -o xml", exitUsage, "--output"},
		"wrong change":       {good, "config set --project rrrrrrrrrrrrrrrrrrrr jwt_exp", exitUsage, "key=value"},
		"sql as nobody":      {good, "sql rrrrrrrrrrrrrrrrrrrr select --user x", exitUsage, "need --as"},
		"sql as an unknown":  {good, "sql rrrrrrrrrrrrrrrrrrrr select --as postgres", exitUsage, "--as must be one of"},
		"unknown field":      {good, "config get --project rrrrrrrrrrrrrrrrrrrr jwt_exp jwt_ex", exitFailure, "jwt_ex: unknown field"},
		"unknown message":    {good, "inbox show nope --project rrrrrrrrrrrrrrrrrrrr", exitFailure, "no such message"},
		"provider, no JSON":  {good, "providers set custom:x --project rrrrrrrrrrrrrrrrrrrr attribute_mapping={", exitUsage, "attribute_mapping: is no JSON object"},
		"limit too high":     {good, "inbox list --limit 1001 --project rrrrrrrrrrrrrrrrrrrr", exitUsage, "--limit: must be a number from 1 to 1000"},
		"limit zero":         {good, "inbox list --limit 0 --project rrrrrrrrrrrrrrrrrrrr", exitUsage, "--limit: must be a number from 1 to 1000"},
		"no server":          {nil, "orgs list", exitUsage, "REEVE_URL"},
		"no server there":    {good, "orgs list --data " + empty, exitUsage, "no server known in " + empty},
		"no server in DATA":  {map[string]string{"REEVE_DATA": empty}, "orgs list", exitUsage, "no server known in " + empty},
		"nobody there":       {map[string]string{"REEVE_URL": nobody, "REEVE_ACCESS_TOKEN": goodToken}, "projects delete rrrrrrrrrrrrrrrrrrrr --yes", exitFailure, "no server at " + nobody + ": connection refused (address from REEVE_URL)"},
		"no scheme":          {map[string]string{"REEVE_URL": "localhost:8000", "REEVE_ACCESS_TOKEN": goodToken}, "orgs list", exitUsage, "REEVE_URL must begin with http:// or https://"},
		"token alone":        {map[string]string{"REEVE_ACCESS_TOKEN": goodToken}, "orgs list", exitUsage, "REEVE_URL is not"},
		"address alone":      {map[string]string{"REEVE_URL": origin}, "orgs list", exitUsage, "REEVE_ACCESS_TOKEN is not"},
		"serve, unset":       {nil, "serve", exitUsage, "REEVE_MASTER_KEY"},
		"token, unset":       {nil, "token", exitUsage, "REEVE_MASTER_KEY"},
		"token, past":        {nil, "token --ttl=-1h", exitUsage, "--ttl: must not be negative"},
		"token, no duration": {nil, "token --ttl=90", exitUsage, "--ttl: must be in hours, such as 2160h"},
		"token, in days":     {nil, "token --ttl 90d", exitUsage, "--ttl: must be in hours, such as 2160h"},
		"token, no id":       {nil, "token --revoke operator", exitUsage, "--revoke: must be an id"},
		"service, no end":    {good, "tokens create CI --org acme", exitUsage, "--expires-in: a service token needs an end"},
		"service, past":      {good, "tokens create CI --org acme --expires-in=-1h", exitUsage, "--expires-in: must not be negative"},
		"service, elsewhere": {good, "tokens create CI --org acme --expires-in 1h --organizations b", exitUsage, "--organizations"},
		"token, two orders":  {nil, "token --list --revoke x", exitUsage, "can't be used together"},
		"migrate, unset":     {nil, "migrate", exitUsage, "REEVE_DATABASE_URL"},
		"config check":       {nil, "config check", exitUsage, "REEVE_PUBLIC_URL"},
		"config file absent": {nil, "config check --config " + empty + "/none.yaml", exitFailure, "none.yaml"},
		"dev, bad setting":   {map[string]string{"REEVE_HASH_SLOTS": "x"}, "dev --data " + empty, exitUsage, "hash.slots"},
		"dev, no address":    {nil, "dev --listen 9000 --data " + empty, exitFailure, "such as 127.0.0.1:9000"},
		"dev, no port":       {nil, "dev --postgres-port abc --data " + empty, exitUsage, "--postgres-port: must be a port"},
		"dev, port too high": {nil, "dev --postgres-port 70000 --data " + empty, exitUsage, "--postgres-port: must be a port"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, out, errOut := call(t, tc.vars, strings.Fields(tc.line)...)
			if code != tc.code || !strings.Contains(errOut, tc.says) || out != "" {
				t.Errorf("exit %d, out %q, error %q", code, out, errOut)
			}
		})
	}
	t.Run("hook that fails", func(t *testing.T) { // what it answered is printed too
		code, out, errOut := call(t, good, strings.Fields("hooks test after_user_created --project rrrrrrrrrrrrrrrrrrrr")...)
		if code != exitFailure || !strings.Contains(errOut, "the hook does not work") || !strings.Contains(out, "no such function") {
			t.Errorf("exit %d, out %q, error %q", code, out, errOut)
		}
	})
}

func TestServeListsEveryErrorAtOnce(t *testing.T) {
	t.Parallel()
	code, _, errOut := call(t, map[string]string{"REEVE_LISTEN": "x", "REEVE_CACHE_TOKENS": "-1"}, "serve")
	if code != exitUsage {
		t.Errorf("exit %d", code)
	}
	for _, variable := range []string{"REEVE_LISTEN", "REEVE_CACHE_TOKENS", "REEVE_PUBLIC_URL", "REEVE_DATABASE_URL", "REEVE_MASTER_KEY"} {
		if !strings.Contains(errOut, "("+variable+")") {
			t.Errorf("nothing about %s in:\n%s", variable, errOut)
		}
	}
}

func TestHelpAndVersion(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{},
		{"--help"},
		{"help"},
		{"projects", "create", "--help"},
		{"help", "projects", "create"},
		{"version"},
		{"--version"},
		{"version", "-o", "json"},
	} {
		says := "reeve"
		if slices.Contains(args, "create") {
			says = "reeve projects create <name>"
		}
		if slices.Contains(args, "json") {
			says = `"version":`
		}
		code, out, errOut := call(t, nil, args...)
		if code != exitOK || !strings.Contains(out, says) || errOut != "" {
			t.Errorf("%v: exit %d, %q, %q", args, code, out, errOut)
		}
	}
}

func TestFindsDevelopmentServer(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	text := `{"url":"` + fakeAPI(t) + `","access_token":"` + goodToken + `","postgres_url":"x"}`
	if err := os.WriteFile(filepath.Join(dir, "dev.json"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	elsewhere := map[string]string{"REEVE_URL": "http://192.0.2.1", "REEVE_ACCESS_TOKEN": "x"}
	for _, vars := range []map[string]string{nil, elsewhere, {"REEVE_URL": "x"}} {
		if code, out, errOut := call(t, vars, "--data", dir, "orgs", "list"); code != exitOK || !strings.Contains(out, "acme") {
			t.Errorf("%v: exit %d: %s", vars, code, errOut)
		}
	}
	named := map[string]string{"REEVE_DATA": dir, "REEVE_URL": "http://192.0.2.1", "REEVE_ACCESS_TOKEN": "x"}
	if code, out, errOut := call(t, named, "orgs", "list"); code != exitOK || !strings.Contains(out, "acme") {
		t.Errorf("REEVE_DATA: exit %d: %s", code, errOut)
	}
	if code, _, errOut := call(t, named, "orgs", "list", "--data", dir+"/none"); code != exitUsage || !strings.Contains(errOut, dir+"/none") {
		t.Errorf("--data does not win over REEVE_DATA: exit %d: %s", code, errOut)
	}
}

// A stopped development server is recognised by its file.
func TestStoppedDevelopmentServer(t *testing.T) {
	t.Parallel()
	dir, gone := t.TempDir(), httptest.NewServer(nil)
	gone.Close()
	text := `{"url":"` + gone.URL + `","access_token":"x","postgres_url":"x"}`
	if err := os.WriteFile(filepath.Join(dir, "dev.json"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	want := "no server at " + gone.URL + ": is `reeve dev` running? (address from " + filepath.Join(dir, "dev.json") + ")"
	if code, _, errOut := call(t, nil, "--data", dir, "projects", "delete", "rrrrrrrrrrrrrrrrrrrr", "--yes"); code != exitFailure || !strings.Contains(errOut, want) {
		t.Errorf("exit %d: %s", code, errOut)
	}
}

func TestDeleteAsks(t *testing.T) {
	t.Parallel()
	vars := map[string]string{"REEVE_URL": fakeAPI(t), "REEVE_ACCESS_TOKEN": goodToken}
	const ref = "abcdefghijklmnopqrst"
	cases := map[string]struct {
		attended bool
		typed    string
		flags    []string
		deleted  bool
	}{
		"the ref":             {true, ref + "\n", nil, true},
		"the name":            {true, "shop\n", nil, true},
		"other":               {true, "yes\n", nil, false},
		"nothing":             {true, "\n", nil, false},
		"the end":             {true, "", nil, false},
		"--yes":               {true, "", []string{"--yes"}, true},
		"not attended":        {false, "shop\n", nil, false},
		"not attended, --yes": {false, "", []string{"--yes"}, true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var o, e bytes.Buffer
			p := program{in: strings.NewReader(tc.typed), attended: tc.attended, out: &o, err: &e, lookup: func(name string) (string, bool) {
				v, ok := vars[name]
				return v, ok
			}}
			code := p.run(t.Context(), append([]string{"projects", "delete", "ssssssssssssssssssss"}, tc.flags...))
			if deleted := code == exitOK; deleted != tc.deleted || strings.Contains(o.String(), "DELETED") != tc.deleted {
				t.Errorf("exit %d: %s%s", code, o.String(), e.String())
			}
			if refused := strings.Contains(e.String(), "add --yes"); refused != (!tc.attended && tc.flags == nil) {
				t.Errorf("told %q", e.String())
			}
			if asked := strings.Contains(e.String(), "project shop ("+ref+")"); asked != (tc.attended && tc.flags == nil) {
				t.Errorf("told %q", e.String())
			}
		})
	}
}

func TestDoctorAsJSON(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "none")
	code, out, errOut := call(t, map[string]string{"REEVE_DATABASE_URL": "postgres://u:p@127.0.0.1:1/x"}, "doctor", "--data", data, "-o", "json")
	if code != exitFailure || !strings.Contains(errOut, "not everything is well") {
		t.Errorf("exit %d: %s", code, errOut)
	}
	var got []finding
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || got[0].Result != "ok" || got[1].About != "REEVE_DATABASE_URL" || got[1].Result != "bad" || got[1].Text == "" {
		t.Errorf("got %+v", got)
	}
}

// Warnings alone are no failure.
func TestDoctorWarns(t *testing.T) {
	t.Parallel()
	dir, gone := t.TempDir(), httptest.NewServer(nil)
	gone.Close()
	text := `{"url":"` + gone.URL + `","access_token":"x","postgres_url":"x"}`
	if err := os.WriteFile(filepath.Join(dir, "dev.json"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, errOut := call(t, nil, "doctor", "--data", dir)
	if code != exitOK || !strings.Contains(out, "warn development server: does not run at "+gone.URL) || errOut != "" {
		t.Errorf("exit %d: %s%s", code, out, errOut)
	}
}
