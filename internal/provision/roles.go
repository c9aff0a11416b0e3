package provision

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/tenants"
)

// role is one of a project's login roles.
type role struct {
	name     string
	password string
	rounds   int    // of the password's verifier
	inherit  string // INHERIT or NOINHERIT
	conns    int
	settings []string
	grants   []string // roles that it becomes a member of
}

// tempFileLimit bounds the disk space of one statement's temporary files. Only
// a superuser may set it.
const tempFileLimit = "temp_file_limit = '1GB'"

// Connection limits of roles, where the Service does not set them. A developer
// can log in as the auth role after changing its password in a trigger; these
// limits then bound what one project can take of the server. The guard lowers them
// for projects that take too many.
const (
	roleConns  = 8
	ownerConns = 10
	// QueryConns is the limit of the query role, over all replicas.
	QueryConns = 6
)

func (s *Service) rolesOf(ref tenants.Ref, p controldb.Passwords) []role {
	const idle = "idle_in_transaction_session_timeout = '30s'"
	return []role{
		{
			name: ref.AuthRole(), password: p.Auth, rounds: randomRounds, inherit: "INHERIT", conns: s.RoleConns,
			settings: []string{"statement_timeout = '10s'", idle},
		},
		{
			// It has no rights until SET ROLE, so a forgotten SET ROLE gives
			// none.
			name: ref.APIRole(), password: p.API, rounds: randomRounds, inherit: "NOINHERIT", conns: s.RoleConns,
			settings: []string{"statement_timeout = '15s'", idle},
			grants:   []string{"anon", "authenticated", "service_role"},
		},
		{
			// For a person at a prompt, or a migration tool: longer, but
			// bounded. The developer may test policies as an end user, by SET
			// ROLE.
			name: ref.OwnerRole(), password: p.Owner, rounds: chosenRounds, inherit: "NOINHERIT", conns: s.OwnerConns,
			settings: []string{"statement_timeout = '2min'", "idle_in_transaction_session_timeout = '10min'"},
			grants:   []string{"anon", "authenticated", "service_role"},
		},
		s.queryRole(ref, p),
	}
}

// queryRole is the role for the developer's SQL that Reeve runs. Reeve does not know
// the owner's password after the developer has changed it, and SET ROLE in an admin's
// session could be undone by that SQL. This role has nothing that could be undone: no
// rights but to become the owner.
func (s *Service) queryRole(ref tenants.Ref, p controldb.Passwords) role {
	return role{
		name: ref.QueryRole(), password: p.Query, rounds: randomRounds, inherit: "NOINHERIT", conns: QueryConns,
		settings: []string{"statement_timeout = '20s'", "idle_in_transaction_session_timeout = '30s'"},
		grants:   []string{ref.OwnerRole()},
	}
}

// makeRoles creates the project's roles, or resets the existing ones, passwords
// included, in one transaction.
func (s *Service) makeRoles(ctx context.Context, conn *pgx.Conn, ref tenants.Ref, p controldb.Passwords) error {
	roles := s.rolesOf(ref, p)
	names := make([]string, len(roles))
	for i, r := range roles {
		names[i] = r.name
	}
	var existing []string
	var superuser bool
	err := conn.QueryRow(ctx, `SELECT ARRAY(SELECT rolname::text FROM pg_roles WHERE rolname = ANY($1)),
		(SELECT rolsuper FROM pg_roles WHERE rolname = current_user)`, names).Scan(&existing, &superuser)
	if err != nil {
		return fmt.Errorf("look for roles: %w", err)
	}
	var sql strings.Builder
	sql.WriteString("BEGIN;")
	for _, r := range roles {
		if err := r.write(&sql, slices.Contains(existing, r.name), superuser, s.Mark()); err != nil {
			return err
		}
	}
	sql.WriteString("COMMIT;")
	if _, err := conn.Exec(ctx, sql.String()); err != nil {
		_, _ = conn.Exec(ctx, "ROLLBACK")
		return fmt.Errorf("make roles: %w", err)
	}
	return join(ctx, conn, []string{ref.QueryRole()})
}

func (r role) write(sql *strings.Builder, exists, superuser bool, mark string) error {
	verifier, err := scramVerifier(r.password, r.rounds)
	if err != nil {
		return err
	}
	name, verb := quote(r.name), "CREATE"
	if exists {
		verb = "ALTER"
	}
	fmt.Fprintf(sql, "%s ROLE %s LOGIN %s NOCREATEDB NOCREATEROLE CONNECTION LIMIT %d PASSWORD %s;",
		verb, name, r.inherit, r.conns, literal(verifier))
	settings := r.settings
	if superuser {
		settings = append(slices.Clip(settings), tempFileLimit)
	}
	for _, setting := range settings {
		fmt.Fprintf(sql, "ALTER ROLE %s SET %s;", name, setting)
	}
	for _, g := range r.grants {
		fmt.Fprintf(sql, "GRANT %s TO %s;", quote(g), name)
	}
	fmt.Fprintf(sql, "COMMENT ON ROLE %s IS %s;", name, literal(mark))
	return nil
}

// Mark is the comment on every database and role of this installation, so that
// two installations on one cluster do not touch each other's.
func (s *Service) Mark() string { return "reeve " + s.Control.Installation() }
