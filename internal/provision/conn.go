package provision

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/tenants"
)

// MostConnections is how many connections a process may open to the cluster as the
// admin: the pool's, and two or three for each migration under way; and those for
// developers' queries. A branch, a pause and a restore take another one or two for a
// moment.
const MostConnections = adminConns + 2*quickUpgrades + 3*patientUpgrades + queriesAtOnce

const (
	adminConns     = 4
	connectTimeout = 5 * time.Second
	// closeTimeout bounds the work that remains after a context has ended.
	closeTimeout = 5 * time.Second
)

func newAdminPool(adminURL string) (*pgxpool.Pool, error) {
	cfg, err := pgxpool.ParseConfig(adminURL)
	if err != nil {
		return nil, fmt.Errorf("cluster admin URL: %w", err)
	}
	cfg.MaxConns = adminConns
	cfg.MaxConnIdleTime = time.Minute
	cfg.PingTimeout = 3 * time.Second // else Acquire and Close wait for a silent server
	small(cfg.ConnConfig)
	pool, err := pgxpool.NewWithConfig(context.Background(), cfg)
	if err != nil {
		return nil, fmt.Errorf("cluster: %w", err)
	}
	return pool, nil
}

// AdminPool returns the connections to the cluster's maintenance database.
// Close closes them.
func (s *Service) AdminPool() (*pgxpool.Pool, error) {
	err := s.init()
	return s.pool, err
}

// small sets the options that all of Reeve's connections share.
func small(cfg *pgx.ConnConfig) {
	if cfg.ConnectTimeout == 0 || cfg.ConnectTimeout > connectTimeout {
		cfg.ConnectTimeout = connectTimeout
	}
	cfg.RuntimeParams["application_name"] = "reeve"
}

// ConnConfig returns the configuration of a connection to a project's database
// as one of its roles. Statements are prepared once per connection.
func (s *Service) ConnConfig(ref tenants.Ref, role, password string) (*pgx.ConnConfig, error) {
	cfg, err := s.adminConfig(ref.Database())
	if err != nil {
		return nil, err
	}
	cfg.User, cfg.Password = role, password
	if role != ref.OwnerRole() {
		harden(cfg)
	}
	return cfg, nil
}

// The owner of a project's database can write any number of rows of hundreds of
// megabytes. So both a message of its server (a row) and everything between two
// messages that Reeve sends (an answer) are bounded.
const (
	maxMessage = 4 << 20
	maxAnswer  = 16 << 20
)

// answer counts the bytes that a server sends after Reeve's last message.
type answer struct {
	r     io.Reader
	w     io.Writer
	bytes int
}

func (a *answer) Read(p []byte) (int, error) {
	if a.bytes > maxAnswer {
		return 0, auth.ErrAnswerTooLarge
	}
	n, err := a.r.Read(p)
	a.bytes += n
	return n, err
}

func (a *answer) Write(p []byte) (int, error) {
	a.bytes = 0
	return a.w.Write(p)
}

// harden sets the options that must hold on Reeve's own connections whatever a
// developer's trigger does to the role: options in the startup message take
// precedence over those of the role.
func harden(cfg *pgx.ConnConfig) {
	for name, value := range map[string]string{
		"statement_timeout":                   "10s",
		"lock_timeout":                        "2s",
		"idle_in_transaction_session_timeout": "30s",
		"default_transaction_isolation":       "read committed",
		"default_transaction_read_only":       "off",
		"default_transaction_deferrable":      "off",
		"row_security":                        "on",
		"client_encoding":                     "UTF8",
	} {
		cfg.RuntimeParams[name] = value
	}
	// A trigger may LISTEN in Reeve's session; pgx would keep the notifications
	// for ever.
	cfg.OnNotification = func(*pgconn.PgConn, *pgconn.Notification) {}
	build := cfg.BuildFrontend
	cfg.BuildFrontend = func(r io.Reader, w io.Writer) *pgproto3.Frontend {
		a := &answer{r: r, w: w}
		f := build(a, a)
		f.SetMaxBodyLen(maxMessage)
		return f
	}
}

// Dial connects to a project's database as its auth role. With the tenant known
// it is a pool.Dialer. EnsureSchema comes before it.
func (s *Service) Dial(ctx context.Context, t *tenants.Tenant) (*pgx.Conn, error) {
	return s.dial(ctx, t.Ref, t.Ref.AuthRole(), t.Secrets.AuthPassword)
}

func (s *Service) dial(ctx context.Context, ref tenants.Ref, role, password string) (*pgx.Conn, error) {
	cfg, err := s.ConnConfig(ref, role, password)
	if err != nil {
		return nil, err
	}
	conn, err := connectAmongMany(ctx, cfg)
	if err != nil {
		return nil, err
	}
	// Times are sent in UTC, wherever this process runs.
	conn.TypeMap().RegisterType(&pgtype.Type{
		Name: "timestamptz", OID: pgtype.TimestamptzOID, Codec: &pgtype.TimestamptzCodec{ScanLocation: time.UTC},
	})
	return conn, nil
}

const (
	// slotWait is how long connectAmongMany waits for a free connection of the
	// server. The guard frees some within a second.
	slotWait  = 3 * time.Second
	slotPause = 100 * time.Millisecond
)

// connectAmongMany connects, and tries again for a while when all connections of
// the server or of the role are in use, or its lock table is full.
func connectAmongMany(ctx context.Context, cfg *pgx.ConnConfig) (*pgx.Conn, error) {
	for began := time.Now(); ; pause(ctx, slotPause) {
		conn, err := pgx.ConnectConfig(ctx, cfg)
		var pg *pgconn.PgError
		if !errors.As(err, &pg) || pg.Code != "53300" && pg.Code != "53200" || time.Since(began) > slotWait || ctx.Err() != nil {
			return conn, err
		}
	}
}

// adminConfig returns the configuration of a connection to a database of the
// cluster as the admin; "" is the maintenance database.
func (s *Service) adminConfig(database string) (*pgx.ConnConfig, error) {
	if err := s.init(); err != nil {
		return nil, err
	}
	cfg := s.pool.Config().ConnConfig
	if database != "" {
		cfg.Database = database
	}
	return cfg, nil
}

// milliseconds formats a duration as a setting of Postgres.
func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

// asAdmin runs fn on an admin's connection to a database of the cluster.
func (s *Service) asAdmin(ctx context.Context, database string, fn func(conn *pgx.Conn) error) error {
	cfg, err := s.adminConfig(database)
	if err != nil {
		return err
	}
	conn, err := connectAmongMany(ctx, cfg)
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

// DatabaseURL is the URL for developers: a project's database as its owner
// role.
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

// quote quotes an identifier.
func quote(name string) string { return pgx.Identifier{name}.Sanitize() }

// literal quotes a text; only for text that Reeve generated (verifiers, marks).
func literal(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }
