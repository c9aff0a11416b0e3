package provision

import (
	"context"
	"fmt"
)

// ServerState is what a Postgres server of projects says of itself.
type ServerState struct {
	Version        string
	MaxConnections int
	// Connections are all sessions of clients; Owners those of developers.
	Connections, Owners int
	// Oldest is the age of the oldest transaction in seconds; 0 for none.
	Oldest float64
}

// KnownSchema returns the version of projects' schema that this release brings.
func (s *Service) KnownSchema() (int64, error) {
	known, err := s.schema()
	return known.version, err
}

// State asks the server.
func (s *Service) State(ctx context.Context) (ServerState, error) {
	var st ServerState
	pool, err := s.AdminPool()
	if err != nil {
		return st, err
	}
	err = pool.QueryRow(ctx, `SELECT pg_catalog.current_setting('server_version'), pg_catalog.current_setting('max_connections')::int,
			count(*) FILTER (WHERE backend_type = 'client backend'),
			count(*) FILTER (WHERE usename ~ '^reeve_[a-z]{20}_owner$'),
			coalesce(extract(epoch FROM pg_catalog.now() - min(xact_start) FILTER (WHERE backend_type = 'client backend' AND pid <> pg_catalog.pg_backend_pid())), 0)::float8
		FROM pg_catalog.pg_stat_activity`).Scan(&st.Version, &st.MaxConnections, &st.Connections, &st.Owners, &st.Oldest)
	if err != nil {
		return st, fmt.Errorf("state of the projects' server: %w", err)
	}
	return st, nil
}
