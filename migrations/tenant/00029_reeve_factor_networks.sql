-- +goose Up
-- +goose StatementBegin
-- Forgets the networks in which sessions of a user proved a factor last.
CREATE OR REPLACE FUNCTION reeve.factor_network_forget(cap text, user_id uuid, sessions uuid[]) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM reeve.require_capability(cap);
    DELETE FROM reeve.factor_network n WHERE n.user_id = factor_network_forget.user_id AND n.session_id = ANY (factor_network_forget.sessions);
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
-- Lets the auth role call the functions for devices, refreshes, networks and enrollments,
-- and add refreshes.
CREATE OR REPLACE FUNCTION reeve.adopt_sessions(auth_role name) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    EXECUTE format('GRANT EXECUTE ON FUNCTION reeve.device_list, reeve.device_seen, reeve.device_tidy, reeve.session_report_add,'
        ' reeve.session_report_find, reeve.session_rotations, reeve.session_rotation_tidy, reeve.factor_network_add,'
        ' reeve.factor_network_known, reeve.factor_network_forget,'
        ' reeve.enrollment_add, reeve.enrollment_take TO %I', auth_role);
    EXECUTE format('GRANT INSERT (session_id, at, client, mac) ON reeve.session_rotation TO %I', auth_role);
END
$$;
-- +goose StatementEnd

REVOKE ALL ON ALL TABLES IN SCHEMA reeve FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA reeve FROM PUBLIC;
