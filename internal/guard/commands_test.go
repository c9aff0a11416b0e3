package guard

import (
	"strings"
	"testing"
)

// TestCommands: whatever a project's session asks for while another one of it
// holds all weak locks that it can get, others go on.
func TestCommands(t *testing.T) {
	t.Parallel()
	b := newBattle(t)
	v := b.victim.Database()
	for _, sql := range []string{
		"CREATE RULE r AS ON INSERT TO %s DO ALSO NOTHING",
		"CREATE OR REPLACE TRIGGER r AFTER INSERT ON %s EXECUTE FUNCTION suppress_redundant_updates_trigger()",
		"CREATE CONSTRAINT TRIGGER r AFTER INSERT ON mine.t FROM %s EXECUTE FUNCTION suppress_redundant_updates_trigger()",
		"CREATE POLICY p ON %s",
		"ALTER POLICY p ON %s RENAME TO q",
		"DROP POLICY p ON %s",
		"DROP RULE r ON %s",
		"DROP TRIGGER r ON %s",
		"ALTER TRIGGER r ON %s RENAME TO q",
		"ALTER RULE r ON %s RENAME TO q",
		"COMMENT ON TABLE %s IS 'x'",
		"COMMENT ON COLUMN %s.oid IS 'x'",
		"COMMENT ON RULE r ON %s IS 'x'",
		"COMMENT ON CONSTRAINT r ON %s IS 'x'",
		"SECURITY LABEL ON TABLE %s IS 'x'",
		"LOCK TABLE %s IN ACCESS EXCLUSIVE MODE",
		"TRUNCATE %s",
		"VACUUM FULL %s",
		"VACUUM %s",
		"ANALYZE %s",
		"CLUSTER %s",
		"CLUSTER %s USING pg_authid_oid_index",
		"REINDEX TABLE %s",
		"REINDEX TABLE CONCURRENTLY %s",
		"CREATE INDEX ON %s (oid)",
		"CREATE INDEX CONCURRENTLY ON %s (oid)",
		"CREATE STATISTICS mine.s ON oid, oid FROM %s",
		"ALTER TABLE %s ADD COLUMN x int",
		"ALTER TABLE %s RENAME TO x",
		"ALTER TABLE %s RENAME COLUMN oid TO x",
		"ALTER TABLE %s SET SCHEMA mine",
		"ALTER TABLE %s SET (fillfactor = 90)",
		"ALTER TABLE %s ENABLE ROW LEVEL SECURITY",
		"ALTER TABLE %s OWNER TO CURRENT_USER",
		"ALTER TABLE %s INHERIT mine.t",
		"ALTER TABLE mine.t INHERIT %s",
		"ALTER TABLE mine.t ATTACH PARTITION %s DEFAULT",
		"ALTER TABLE mine.t ADD FOREIGN KEY (oid) REFERENCES %s",
		"CREATE TABLE mine.u () INHERITS (%s)",
		"CREATE TABLE mine.u (LIKE %s INCLUDING ALL)",
		"CREATE TABLE mine.u PARTITION OF %s DEFAULT",
		"CREATE VIEW mine.u AS SELECT * FROM %s FOR UPDATE",
		"CREATE MATERIALIZED VIEW mine.u AS SELECT count(*) FROM %s",
		"REFRESH MATERIALIZED VIEW %s",
		"CREATE PUBLICATION p FOR TABLE %s",
		"ALTER SEQUENCE %s RESTART",
		"ALTER SEQUENCE mine.s OWNED BY %s.oid",
		"CREATE SEQUENCE mine.u OWNED BY %s.oid",
		"ALTER INDEX %s RENAME TO x",
		"ALTER INDEX mine.t_i ATTACH PARTITION %s",
		"ALTER VIEW %s RENAME TO x",
		"DROP TABLE %s",
		"DROP INDEX %s",
		"DROP INDEX CONCURRENTLY %s",
		"DROP VIEW %s",
		"DROP SEQUENCE %s",
		"GRANT SELECT ON %s TO PUBLIC",
		"REVOKE ALL ON %s FROM PUBLIC",
		"INSERT INTO %s DEFAULT VALUES",
		"DELETE FROM %s",
		"SELECT 1 FROM %s FOR UPDATE",
		"COPY %s FROM STDIN",
		"ALTER EXTENSION plpgsql ADD TABLE %s",
		"SELECT pg_catalog.pg_relation_size('%s')",
	} {
		b.command(t, strings.ReplaceAll(sql, "%s", "pg_catalog.pg_authid"))
	}
	for _, sql := range []string{
		"CREATE TABLE mine.u PARTITION OF pg_catalog.pg_database_oid_index DEFAULT",
		"DROP DATABASE " + v,
		"DROP DATABASE " + v + " WITH (FORCE)",
		"ALTER DATABASE " + v + " RENAME TO x",
		"ALTER DATABASE " + v + " OWNER TO CURRENT_USER",
		"ALTER DATABASE " + v + " SET TABLESPACE pg_default",
		"ALTER DATABASE " + v + " SET work_mem = '1MB'",
		"ALTER DATABASE " + v + " CONNECTION LIMIT 1",
		"ALTER DATABASE " + v + " REFRESH COLLATION VERSION",
		"COMMENT ON DATABASE " + v + " IS 'x'",
		"SECURITY LABEL ON DATABASE " + v + " IS 'x'",
		"GRANT CONNECT ON DATABASE " + v + " TO PUBLIC",
		"CREATE DATABASE x TEMPLATE " + v,
		"DROP ROLE " + b.victim.OwnerRole(),
		"ALTER ROLE " + b.victim.OwnerRole() + " SET work_mem = '1MB'",
		"ALTER ROLE " + b.victim.OwnerRole() + " RENAME TO x",
		"COMMENT ON ROLE " + b.victim.OwnerRole() + " IS 'x'",
		"SECURITY LABEL ON ROLE " + b.victim.OwnerRole() + " IS 'x'",
		"GRANT " + b.victim.OwnerRole() + " TO CURRENT_USER",
		"REASSIGN OWNED BY CURRENT_USER TO " + b.victim.OwnerRole(),
		"DROP OWNED BY CURRENT_USER",
		"COMMENT ON TABLESPACE pg_default IS 'x'",
		"ALTER TABLESPACE pg_default RENAME TO x",
		"ALTER TABLESPACE pg_default OWNER TO CURRENT_USER",
		"ALTER TABLESPACE pg_default SET (random_page_cost = 1)",
		"DROP TABLESPACE pg_default",
		"ALTER TABLE ALL IN TABLESPACE pg_default SET TABLESPACE pg_global",
		"CREATE SUBSCRIPTION s CONNECTION 'dbname=x' PUBLICATION p",
		"DROP SUBSCRIPTION s",
		"SELECT pg_replication_origin_create('x')",
		"REINDEX SYSTEM " + v,
		"REINDEX DATABASE",
		"VACUUM FULL",
		"VACUUM",
		"ALTER SYSTEM SET work_mem = '1MB'",
		"CHECKPOINT",
	} {
		b.command(t, sql)
	}
}

// command runs a command of an attacker who holds what weak locks there are.
func (b *battle) command(t *testing.T, sql string) {
	t.Run(sql, func(t *testing.T) {
		owner := b.attacker(t)
		holder, waiter := owner(), owner()
		run(t, waiter, "SET statement_timeout = '"+holdFor+"'; CREATE TABLE IF NOT EXISTS pg_temp.t (oid oid)")
		run(t, holder, "BEGIN; ALTER ROLE CURRENT_USER PASSWORD 'secret'; ALTER ROLE CURRENT_USER IN DATABASE "+b.victim.Database()+
			" SET work_mem = '1MB'; SELECT count(*) FROM pg_database, pg_auth_members, pg_tablespace, pg_shdepend, pg_shdescription, pg_roles")
		defer b.end(waiter, holder)
		b.try(t, waiter, sql)
		b.peace(t)
	})
}
