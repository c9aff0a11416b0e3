package migrations_test

import (
	"slices"
	"strings"
	"testing"
)

// The columns that SQL for Supabase relies on: name and type, in order.
var expectedColumns = map[string]string{
	"users": `instance_id uuid, id uuid, aud character varying(255), role character varying(255), email character varying(255),
		encrypted_password character varying(255), email_confirmed_at timestamp with time zone, invited_at timestamp with time zone,
		confirmation_token character varying(255), confirmation_sent_at timestamp with time zone,
		recovery_token character varying(255), recovery_sent_at timestamp with time zone,
		email_change_token_new character varying(255), email_change character varying(255), email_change_sent_at timestamp with time zone,
		last_sign_in_at timestamp with time zone, raw_app_meta_data jsonb, raw_user_meta_data jsonb, is_super_admin boolean,
		created_at timestamp with time zone, updated_at timestamp with time zone, phone text, phone_confirmed_at timestamp with time zone,
		phone_change text, phone_change_token character varying(255), phone_change_sent_at timestamp with time zone,
		confirmed_at timestamp with time zone, email_change_token_current character varying(255), email_change_confirm_status smallint,
		banned_until timestamp with time zone, reauthentication_token character varying(255),
		reauthentication_sent_at timestamp with time zone, is_sso_user boolean, deleted_at timestamp with time zone, is_anonymous boolean`,
	"identities": `provider_id text, user_id uuid, identity_data jsonb, provider text, last_sign_in_at timestamp with time zone,
		created_at timestamp with time zone, updated_at timestamp with time zone, email text, id uuid`,
	"sessions": `id uuid, user_id uuid, created_at timestamp with time zone, updated_at timestamp with time zone, factor_id uuid,
		aal auth.aal_level, not_after timestamp with time zone, refreshed_at timestamp without time zone, user_agent text, ip inet,
		tag text, oauth_client_id uuid, refresh_token_hmac_key text, refresh_token_counter bigint, scopes text`,
	"refresh_tokens": `instance_id uuid, id bigint, token character varying(255), user_id character varying(255), revoked boolean,
		created_at timestamp with time zone, updated_at timestamp with time zone, parent character varying(255), session_id uuid`,
	"mfa_factors": `id uuid, user_id uuid, friendly_name text, factor_type auth.factor_type, status auth.factor_status,
		created_at timestamp with time zone, updated_at timestamp with time zone, secret text, phone text,
		last_challenged_at timestamp with time zone, web_authn_credential jsonb, web_authn_aaguid uuid, last_webauthn_challenge_data jsonb`,
	"mfa_challenges": `id uuid, factor_id uuid, created_at timestamp with time zone, verified_at timestamp with time zone,
		ip_address inet, otp_code text, web_authn_session_data jsonb`,
	"mfa_amr_claims": `session_id uuid, created_at timestamp with time zone, updated_at timestamp with time zone,
		authentication_method text, id uuid`,
	"one_time_tokens": `id uuid, user_id uuid, token_type auth.one_time_token_type, token_hash text, relates_to text,
		created_at timestamp without time zone, updated_at timestamp without time zone, expires_at timestamp with time zone`,
	"mfa_recovery_code_sets": `id uuid, user_id uuid, mfa_factor_id uuid, failed_verification_count integer,
		verification_locked_until timestamp with time zone, created_at timestamp with time zone, updated_at timestamp with time zone`,
	"mfa_recovery_codes": `id uuid, mfa_recovery_code_set_id uuid, code_hash text, consumed_at timestamp with time zone,
		created_at timestamp with time zone`,
	"scim_users": `id uuid, sso_provider_id uuid, user_id uuid, resource jsonb, user_name text, external_id text, active boolean,
		created_at timestamp with time zone, updated_at timestamp with time zone, deleted_at timestamp with time zone`,
	"scim_tokens": `id uuid, sso_provider_id uuid, token_hash text, prefix text, created_at timestamp with time zone,
		expires_at timestamp with time zone, revoked_at timestamp with time zone, last_used_at timestamp with time zone`,
	"flow_state": `id uuid, user_id uuid, auth_code text, code_challenge_method auth.code_challenge_method, code_challenge text,
		provider_type text, provider_access_token text, provider_refresh_token text, created_at timestamp with time zone,
		updated_at timestamp with time zone, authentication_method text, auth_code_issued_at timestamp with time zone,
		invite_token text, referrer text, oauth_client_state_id uuid, linking_target_id uuid, email_optional boolean`,
	"audit_log_entries":   `instance_id uuid, id uuid, payload json, created_at timestamp with time zone, ip_address character varying(64)`,
	"sso_providers":       `id uuid, resource_id text, created_at timestamp with time zone, updated_at timestamp with time zone, disabled boolean`,
	"sso_domains":         `id uuid, sso_provider_id uuid, domain text, created_at timestamp with time zone, updated_at timestamp with time zone`,
	"oauth_client_states": `id uuid, provider_type text, code_verifier text, created_at timestamp with time zone`,
	"saml_providers": `id uuid, sso_provider_id uuid, entity_id text, metadata_xml text, metadata_url text, attribute_mapping jsonb,
		created_at timestamp with time zone, updated_at timestamp with time zone, name_id_format text`,
	"saml_relay_states": `id uuid, sso_provider_id uuid, request_id text, for_email text, redirect_to text,
		created_at timestamp with time zone, updated_at timestamp with time zone, flow_state_id uuid`,
}

func TestAuthColumns(t *testing.T) {
	t.Parallel()
	admin := newProject(t).admin(t)
	for table, want := range expectedColumns {
		got := admin.lines(`SELECT a.attname || ' ' || format_type(a.atttypid, a.atttypmod) FROM pg_attribute a
			WHERE a.attrelid = ('auth.' || $1)::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`, table)
		if want := strings.Join(strings.Fields(want), " "); strings.Join(got, ", ") != want {
			t.Errorf("auth.%s has\n%s, want\n%s", table, strings.Join(got, ", "), want)
		}
	}
}

func TestAuthTables(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	admin := p.admin(t)
	want := []string{
		"audit_log_entries", "custom_oauth_providers", "flow_state", "identities", "instances", "mfa_amr_claims", "mfa_challenges",
		"mfa_factors", "mfa_recovery_code_sets", "mfa_recovery_codes", "oauth_authorizations", "oauth_client_states", "oauth_clients", "oauth_consents", "one_time_tokens",
		"refresh_tokens", "saml_providers", "saml_relay_states", "scim_tokens", "scim_users", "sessions", "sso_domains", "sso_providers", "users",
		"webauthn_challenges", "webauthn_credentials",
	}
	got := admin.lines(`SELECT relname FROM pg_class WHERE relnamespace = 'auth'::regnamespace AND relkind = 'r' ORDER BY 1`)
	if !slices.Equal(got, want) {
		t.Errorf("schema auth has tables %v, want %v", got, want)
	}
	if got := admin.lines(`SELECT relname FROM pg_class WHERE relnamespace = 'auth'::regnamespace AND relkind = 'r' AND NOT relrowsecurity`); len(got) > 0 {
		t.Errorf("without row level security: %v", got)
	}
	if got := admin.lines(`SELECT d.oid::text FROM (
			SELECT oid, relowner AS owner FROM pg_class WHERE relnamespace = 'auth'::regnamespace
			UNION ALL SELECT oid, typowner FROM pg_type WHERE typnamespace = 'auth'::regnamespace
			UNION ALL SELECT oid, proowner FROM pg_proc WHERE pronamespace = 'auth'::regnamespace
			UNION ALL SELECT oid, nspowner FROM pg_namespace WHERE nspname = 'auth') d
		WHERE d.owner <> $1::regrole`, p.auth); len(got) > 0 {
		t.Errorf("%d objects of schema auth do not belong to the auth role", len(got))
	}
	// A SCIM user belongs to its provider; the user created from it may be
	// deleted.
	if got := admin.lines(`SELECT conrelid::regclass::text || ' ' || confdeltype::text FROM pg_constraint
		WHERE confrelid IN ('auth.users'::regclass, 'auth.sessions'::regclass) AND confdeltype <> 'c'`); !slices.Equal(got, []string{"auth.scim_users n"}) {
		t.Errorf("references that do not cascade: %v", got)
	}
	if got := admin.text("SELECT string_agg(enumlabel, ' ' ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = 'auth.factor_type'::regtype"); got != "totp webauthn phone recovery_code" {
		t.Errorf("types of factors: %s", got)
	}
	if got := admin.lines(`SELECT c.relname FROM pg_class c, aclexplode(c.relacl) a
		WHERE c.relnamespace = 'reeve'::regnamespace AND a.grantee <> c.relowner
			AND NOT (c.relname = 'session_limits' AND a.privilege_type = 'SELECT') -- no secret: auth.session_active shows them
			AND NOT (c.relname ~ '^(sso|scim)_' AND a.grantee = '` + p.auth + `'::regrole AND NOT a.is_grantable)`); len(got) > 0 { // of connections
		t.Errorf("tables of schema reeve that somebody but the admin may use: %v", got)
	}
	if got := admin.lines(`SELECT p.proname FROM pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
		WHERE p.pronamespace IN ('reeve'::regnamespace, 'auth'::regnamespace) AND a.grantee = 0`); len(got) > 0 {
		t.Errorf("functions that everybody may call: %v", got)
	}
}

func TestUniqueIndexes(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	auth := p.as(t, p.auth)
	const duplicate = "23505"
	auth.newUser("ann@example.com")
	auth.refused(duplicate, "INSERT INTO auth.users (id, email) VALUES (gen_random_uuid(), 'ann@example.com')")
	auth.exec("INSERT INTO auth.users (id, email, is_sso_user) SELECT gen_random_uuid(), 'ann@example.com', true FROM generate_series(1, 2)")
	auth.exec("INSERT INTO auth.users (id, phone) VALUES (gen_random_uuid(), '4912345')")
	auth.refused(duplicate, "INSERT INTO auth.users (id, phone) VALUES (gen_random_uuid(), '4912345')")
	for _, column := range []string{
		"confirmation_token", "recovery_token", "email_change_token_new", "email_change_token_current", "reauthentication_token",
	} {
		auth.exec("INSERT INTO auth.users (id, " + column + ") SELECT gen_random_uuid(), v FROM unnest(ARRAY['', '', '123 456', '123 456', 'abc']) v")
		auth.refused(duplicate, "INSERT INTO auth.users (id, "+column+") VALUES (gen_random_uuid(), 'abc')")
	}
	id := auth.newUser("bob@example.com")
	const identity = `INSERT INTO auth.identities (provider_id, provider, user_id, identity_data) VALUES ('1', 'github', $1, '{"email":"BOB@example.com"}')`
	auth.exec(identity, id)
	auth.refused(duplicate, identity, id)
	if got := auth.text("SELECT email FROM auth.identities"); got != "bob@example.com" {
		t.Errorf("generated e-mail of the identity is %q", got)
	}
	auth.exec("UPDATE auth.users SET email_confirmed_at = '2025-01-02Z', phone_confirmed_at = '2025-01-01Z' WHERE id = $1", id)
	if got := auth.text("SELECT (confirmed_at = phone_confirmed_at)::text FROM auth.users WHERE id = $1", id); got != "true" {
		t.Error("confirmed_at is not the earlier of the two confirmations")
	}
}
