package provision

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/reevehq/reeve/tenants"
)

const (
	adminConns     = 4
	connectTimeout = 5 * time.Second
	// closeTimeout bounds what must still be done when a context has ended.
	closeTimeout = 5 * time.Second
)

func newAdminPool(adminURL string) (*pgxpool.Pool, error) {
	cfg, err := pgxpool.ParseConfig(adminURL)
	if err != nil {
		return nil, fmt.Errorf("cluster admin URL: %w", err)
	}
	cfg.MaxConns = adminConns
	cfg.MaxConnIdleTime = time.Minute
	small(cfg.ConnConfig)
	pool, err := pgxpool.NewWithConfig(context.Background(), cfg)
	if err != nil {
		return nil, fmt.Errorf("cluster: %w", err)
	}
	return pool, nil
}

// small sets what all of Reeve's connections have in common.
func small(cfg *pgx.ConnConfig) {
	if cfg.ConnectTimeout == 0 || cfg.ConnectTimeout > connectTimeout {
		cfg.ConnectTimeout = connectTimeout
	}
	cfg.RuntimeParams["application_name"] = "reeve"
}

// ConnConfig says how to connect to a project's database as one of its roles.
// Statements are prepared once per connection.
func (s *Service) ConnConfig(ref tenants.Ref, role, password string) (*pgx.ConnConfig, error) {
	cfg, err := s.adminConfig(ref.Database())
	if err != nil {
		return nil, err
	}
	cfg.User, cfg.Password = role, password
	return cfg, nil
}

// Dial connects to a project's database as its auth role. A database whose
// schema is behind is brought up first. It is what a tenants.Dialer needs, once
// the tenant is known.
func (s *Service) Dial(ctx context.Context, t *tenants.Tenant) (*pgx.Conn, error) {
	if err := s.EnsureSchema(ctx, t); err != nil {
		return nil, err
	}
	return s.dial(ctx, t.Ref, t.Ref.AuthRole(), t.Secrets.AuthPassword)
}

// DialAPI connects to a project's database as its api role.
func (s *Service) DialAPI(ctx context.Context, t *tenants.Tenant) (*pgx.Conn, error) {
	if err := s.EnsureSchema(ctx, t); err != nil {
		return nil, err
	}
	return s.dial(ctx, t.Ref, t.Ref.APIRole(), t.Secrets.APIPassword)
}

func (s *Service) dial(ctx context.Context, ref tenants.Ref, role, password string) (*pgx.Conn, error) {
	cfg, err := s.ConnConfig(ref, role, password)
	if err != nil {
		return nil, err
	}
	conn, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return nil, err
	}
	// Times go onto the wire as they are read: in UTC, wherever this process runs.
	conn.TypeMap().RegisterType(&pgtype.Type{
		Name: "timestamptz", OID: pgtype.TimestamptzOID, Codec: &pgtype.TimestamptzCodec{ScanLocation: time.UTC},
	})
	return conn, nil
}

// adminConfig says how to connect to a database of the cluster as the admin.
func (s *Service) adminConfig(database string) (*pgx.ConnConfig, error) {
	if err := s.init(); err != nil {
		return nil, err
	}
	cfg := s.pool.Config().ConnConfig
	cfg.Database = database
	return cfg, nil
}

// asAdmin runs fn on a connection of the admin to a database of the cluster.
func (s *Service) asAdmin(ctx context.Context, database string, fn func(conn *pgx.Conn) error) error {
	cfg, err := s.adminConfig(database)
	if err != nil {
		return err
	}
	conn, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return fmt.Errorf("connect to %s as admin: %w", database, err)
	}
	defer closeConn(conn)
	return fn(conn)
}

func closeConn(conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	_ = conn.Close(ctx)
}

// DatabaseURL is what a developer connects with: a project's database as its
// owner role.
func (s *Service) DatabaseURL(ref tenants.Ref, password string) (string, error) {
	cfg, err := s.adminConfig(ref.Database())
	if err != nil {
		return "", err
	}
	u := url.URL{Scheme: "postgresql", User: url.UserPassword(ref.OwnerRole(), password), Path: "/" + ref.Database()}
	port, query := strconv.Itoa(int(cfg.Port)), url.Values{}
	switch {
	case s.Cluster.PublicHost != "":
		u.Host = s.Cluster.PublicHost
	case strings.HasPrefix(cfg.Host, "/"): // a Unix socket's folder
		query.Set("host", cfg.Host)
		query.Set("port", port)
	default:
		u.Host = net.JoinHostPort(cfg.Host, port)
	}
	if admin, err := url.Parse(s.Cluster.AdminURL); err == nil {
		if mode := admin.Query().Get("sslmode"); mode != "" {
			query.Set("sslmode", mode)
		}
	}
	u.RawQuery = query.Encode()
	return u.String(), nil
}

// OwnerURL is DatabaseURL with the password that is sealed in the control
// database; controldb.ErrNoDatabase.
func (s *Service) OwnerURL(ctx context.Context, ref tenants.Ref) (string, error) {
	d, err := s.Control.DatabaseByRef(ctx, ref)
	if err != nil {
		return "", err
	}
	passwords, _, err := s.open(d)
	if err != nil {
		return "", err
	}
	return s.DatabaseURL(ref, passwords.Owner)
}

// quote quotes an identifier.
func quote(name string) string { return pgx.Identifier{name}.Sanitize() }

// literal quotes a text; only for what Reeve made itself (verifiers, marks).
func literal(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }
