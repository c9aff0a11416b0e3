package hook_test

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/reevehq/reeve/internal/setting"
	"github.com/reevehq/reeve/internal/testkit/flowtest"
)

const tokenFunction = "pg-functions://postgres/public/custom_access_token_hook"

// recipe returns the SQL of docs/hooks.md, whose text is Supabase's own recipe where
// it is about grants.
func recipe(t *testing.T) []string {
	t.Helper()
	raw, err := os.ReadFile("../../docs/hooks.md")
	if err != nil {
		t.Fatal(err)
	}
	var blocks []string
	for _, found := range regexp.MustCompile("(?s)```sql\n(.*?)```").FindAllStringSubmatch(string(raw), -1) {
		blocks = append(blocks, found[1])
	}
	return blocks
}

// claims are the claims of an access token, without a check of its signature.
func claims(t *testing.T, access string) (all map[string]any) {
	t.Helper()
	parts := strings.Split(access, ".")
	if len(parts) != 3 {
		t.Fatalf("no token: %q", access)
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err == nil {
		err = json.Unmarshal(raw, &all)
	}
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// user makes a user with a password.
func user(t *testing.T, p *flowtest.Project, email string) (id string) {
	t.Helper()
	return p.Admin(t, "POST", "/admin/users", flowtest.M{"email": email, "password": "password123", "email_confirm": true}).Want(200).Get("id")
}

func signIn(t *testing.T, p *flowtest.Project, email string) *flowtest.Response {
	t.Helper()
	return p.Do(t, "POST", "/token?grant_type=password", flowtest.M{"email": email, "password": "password123"})
}

func refresh(t *testing.T, p *flowtest.Project, token string) *flowtest.Response {
	t.Helper()
	return p.Do(t, "POST", "/token?grant_type=refresh_token", flowtest.M{"refresh_token": token})
}

// TestRecipe: the documentation's roles in the token, as the developer's own role runs
// it: with grants to supabase_auth_admin, row level security, a policy on the claim,
// and a role that expires.
func TestRecipe(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	for _, sql := range recipe(t) {
		f.A.ExecAsOwner(t, sql)
	}
	ann := user(t, f.A, "ann@example.com")
	user(t, f.A, "bob@example.com")
	f.A.ExecAsOwner(t, `INSERT INTO public.user_roles VALUES ($1, 'admin', now() + interval '1 hour')`, ann)
	f.A.ExecAsOwner(t, `INSERT INTO public.notes (body) VALUES ('secret')`)
	f.A.Hook(t, setting.HookCustomAccessToken, tokenFunction, setting.HookFailClosed, "")

	first := signIn(t, f.A, "ann@example.com").Want(200)
	if got := claims(t, first.Get("access_token")); got["user_role"] != "admin" || got["sub"] != ann || got["role"] != "authenticated" {
		t.Errorf("the claims are %v", got)
	}
	if got := claims(t, signIn(t, f.A, "bob@example.com").Want(200).Get("access_token")); got["user_role"] != nil {
		t.Errorf("bob's role is %v", got["user_role"])
	}
	f.A.Do(t, "GET", "/user", nil, flowtest.User(first.Get("access_token"))).Want(200)
	reads := func(access string) int {
		raw, _ := json.Marshal(claims(t, access))
		return f.A.CountAs(t, "authenticated", string(raw), `SELECT count(*) FROM public.notes`)
	}
	if n := reads(first.Get("access_token")); n != 1 {
		t.Errorf("an admin reads %d notes", n)
	}

	// The subscription expires: the next refresh has no role.
	second := refresh(t, f.A, first.Get("refresh_token")).Want(200)
	if got := claims(t, second.Get("access_token")); got["user_role"] != "admin" {
		t.Errorf("after a refresh %v", got["user_role"])
	}
	f.A.ExecAsOwner(t, `UPDATE public.user_roles SET expires_at = now() - interval '1 second'`)
	third := refresh(t, f.A, second.Get("refresh_token")).Want(200)
	if got := claims(t, third.Get("access_token")); got["user_role"] != nil {
		t.Errorf("after the end of the subscription %v", got["user_role"])
	}
	if n := reads(third.Get("access_token")); n != 0 {
		t.Errorf("a former admin reads %d notes", n)
	}

	// Nobody else may call the function or read the roles.
	for _, role := range []string{"anon", "authenticated"} {
		for _, sql := range []string{`SELECT public.custom_access_token_hook('{}')`, `SELECT * FROM public.user_roles`} {
			if err := f.A.TryAs(t, role, sql); err == nil {
				t.Errorf("%s may: %s", role, sql)
			}
		}
	}
	// The other project has no hook, and the grants of this one are nothing there.
	user(t, f.B, "ann@example.com")
	if got := claims(t, signIn(t, f.B, "ann@example.com").Want(200).Get("access_token")); len(got) == 0 || got["user_role"] != nil {
		t.Errorf("the other project's claims are %v", got)
	}
}

// TestRoleInAppMetadata: a hook may write the role where policies for Supabase look for
// it, in app_metadata of the token; the user's own app_metadata stays as it is.
func TestRoleInAppMetadata(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	for _, sql := range []string{
		`CREATE TABLE public.user_roles (user_id uuid PRIMARY KEY REFERENCES auth.users ON DELETE CASCADE, role text NOT NULL)`,
		`CREATE FUNCTION public.custom_access_token_hook(event jsonb) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
		DECLARE found_role text;
		BEGIN
			SELECT role INTO found_role FROM public.user_roles WHERE user_id = (event->>'user_id')::uuid;
			IF found_role IS NULL THEN
				RETURN event;
			END IF;
			RETURN jsonb_set(event, '{claims,app_metadata,role}', to_jsonb(found_role));
		END $$`,
		`GRANT USAGE ON SCHEMA public TO supabase_auth_admin; GRANT EXECUTE ON FUNCTION public.custom_access_token_hook TO supabase_auth_admin`,
		`GRANT SELECT ON public.user_roles TO supabase_auth_admin; REVOKE EXECUTE ON FUNCTION public.custom_access_token_hook FROM authenticated, anon, public`,
		`CREATE TABLE public.invoices (id int); INSERT INTO public.invoices VALUES (1), (2); ALTER TABLE public.invoices ENABLE ROW LEVEL SECURITY`,
		`GRANT SELECT ON public.invoices TO authenticated`,
		`CREATE POLICY "accountants read" ON public.invoices FOR SELECT TO authenticated USING ((SELECT auth.jwt()) -> 'app_metadata' ->> 'role' = 'accountant')`,
	} {
		f.A.ExecAsOwner(t, sql)
	}
	ann := user(t, f.A, "ann@example.com")
	user(t, f.A, "bob@example.com")
	f.A.ExecAsOwner(t, `INSERT INTO public.user_roles VALUES ($1, 'accountant')`, ann)
	f.A.Hook(t, setting.HookCustomAccessToken, tokenFunction, setting.HookFailClosed, "")
	reads := func(access string) int {
		raw, _ := json.Marshal(claims(t, access))
		return f.A.CountAs(t, "authenticated", string(raw), `SELECT count(*) FROM public.invoices`)
	}
	anns := signIn(t, f.A, "ann@example.com").Want(200)
	if n := reads(anns.Get("access_token")); n != 2 {
		t.Errorf("an accountant reads %d invoices", n)
	}
	if n := reads(signIn(t, f.A, "bob@example.com").Want(200).Get("access_token")); n != 0 {
		t.Errorf("another user reads %d invoices", n)
	}
	if got := anns.Get("user.app_metadata.role"); got != "" {
		t.Errorf("the user's app_metadata has the role %q", got)
	}
	if got := claims(t, anns.Get("access_token"))["app_metadata"].(map[string]any); got["provider"] != "email" || got["role"] != "accountant" {
		t.Errorf("app_metadata of the token is %v", got)
	}
	f.A.ExecAsOwner(t, `DELETE FROM public.user_roles`)
	if n := reads(refresh(t, f.A, anns.Get("refresh_token")).Want(200).Get("access_token")); n != 0 {
		t.Errorf("a former accountant reads %d invoices after a refresh", n)
	}
}
