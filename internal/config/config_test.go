package config

import (
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/reevehq/reeve/internal/message"
	"github.com/reevehq/reeve/internal/secret"
)

// env is a Lookup over a map.
func env(vars map[string]string) Lookup {
	return func(name string) (string, bool) {
		v, ok := vars[name]
		return v, ok
	}
}

// enough are the variables that a start needs at least.
func enough(more map[string]string) map[string]string {
	vars := map[string]string{
		"REEVE_PUBLIC_URL":   "https://reeve.example.com",
		"REEVE_DATABASE_URL": "postgres://reeve:secret@db:5432/control",
		"REEVE_MASTER_KEY":   secret.NewMasterKey(),
	}
	for k, v := range more {
		vars[k] = v
	}
	return vars
}

func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "reeve.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// problems returns the lines of an error of Load.
func problems(t *testing.T, err error) []string {
	t.Helper()
	if err == nil {
		return nil
	}
	var p Problems
	if !errors.As(err, &p) {
		t.Fatalf("not Problems: %v", err)
	}
	return strings.Split(p.Error(), "\n")
}

func TestLoad(t *testing.T) {
	t.Parallel()
	t.Run("least", func(t *testing.T) {
		t.Parallel()
		c, err := Load("", env(enough(nil)))
		if err != nil {
			t.Fatal(err)
		}
		want := Default()
		want.HTTP.PublicURL = "https://reeve.example.com"
		want.Database.ControlURL = "postgres://reeve:secret@db:5432/control"
		want.Database.AdminURL = "postgres://reeve:secret@db:5432/postgres"
		want.Secrets = c.Secrets
		if diff := cmp.Diff(want, c); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("file and variables", func(t *testing.T) {
		t.Parallel()
		path := file(t, `
http:
  listen: 127.0.0.1:9000
  public_url: https://file.example.com
  trusted_proxies: [10.0.0.0/8, "::1"]
  access_log: true
database:
  idle_ttl: 30s
  warm_databases: 0
mail:
limits:
  max_projects_per_organization: 7
`)
		c, err := Load(path, env(enough(map[string]string{"REEVE_ACCESS_LOG": "false", "REEVE_LISTEN": "  "})))
		if err != nil {
			t.Fatal(err)
		}
		got := []any{
			c.HTTP.Listen, c.HTTP.PublicURL, c.HTTP.AccessLog, c.HTTP.TrustedProxies,
			c.Database.IdleTTL, c.Database.WarmDatabases, c.Limits.MaxProjectsPerOrganization,
		}
		want := []any{
			"127.0.0.1:9000", "https://reeve.example.com", false,
			[]string{"10.0.0.0/8", "::1"},
			30 * time.Second, 0, 7,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("no file", func(t *testing.T) {
		t.Parallel()
		if _, err := Load(filepath.Join(t.TempDir(), "none.yaml"), env(enough(nil))); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("got %v", err)
		}
	})
}

func TestLoadReportsEverythingAtOnce(t *testing.T) {
	t.Parallel()
	path := file(t, `
http:
  listen: 9000
  base_domain: "*.example.com"
  colour: blue
  listen: twice
database:
  url: [a, b]
  warm_databases: many
storage: {}
hash: 4
`)
	_, err := Load(path, env(map[string]string{
		"REEVE_TENANT_CONNECTIONS": "lots",
		"REEVE_MASTER_KEY":         "c2hvcnQ=," + NewDevelopmentKey(),
		"REEVE_SMTP_URL":           "http://mail",
		"REEVE_LOG_LEVEL":          "loud",
		"REEVE_TRUSTED_PROXIES":    "10.0.0.0/40",
		"REEVE_TEMPLATE_STRATEGY":  "magic",
		"REEVE_CACHE_TENANTS":      "0",
	}))
	want := []string{
		`http.colour: line 5: unknown key`,
		`http.listen (REEVE_LISTEN): line 6: stands there twice`,
		`database.url (REEVE_DATABASE_URL): line 8: must be a single value`,
		`database.warm_databases (REEVE_WARM_DATABASES): line 9: must be a whole number`,
		`storage: line 10: unknown key`,
		`hash: line 11: must be a mapping of keys`,
		`database.tenant_connections (REEVE_TENANT_CONNECTIONS): must be a whole number`,
		`http.public_url (REEVE_PUBLIC_URL): is required: how clients reach this server, such as https://reeve.example.com`,
		`http.base_domain (REEVE_BASE_DOMAIN): must be a lower-case domain name without port, such as reeve.example.com`,
		`http.trusted_proxies (REEVE_TRUSTED_PROXIES): must be addresses or networks such as 10.0.0.0/8`,
		`http.log_level (REEVE_LOG_LEVEL): must be debug, info, warn or error`,
		`database.template_strategy (REEVE_TEMPLATE_STRATEGY): must be file_copy or wal_log`,
		"secrets.master_keys (REEVE_MASTER_KEY): key 1 must be 32 bytes in base64",
		"secrets.master_keys (REEVE_MASTER_KEY): key 2 was made by `reeve dev`; make one with `openssl rand -base64 32`",
		`mail.smtp_url (REEVE_SMTP_URL): must be a URL such as smtp://user:password@host:587 or smtps://host:465`,
		`mail.from (REEVE_MAIL_FROM): is required with mail.smtp_url: the address that mails come from`,
		`cache.tenants (REEVE_CACHE_TENANTS): must be between 10 and 10000000`,
	}
	if diff := cmp.Diff(want, problems(t, err)); diff != "" {
		t.Error(diff)
	}
}

func TestProblem(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		variable, value, want string // want "" is no problem
	}{
		"listen without port":     {"REEVE_LISTEN", "localhost", "http.listen"},
		"listen port too high":    {"REEVE_LISTEN", ":70000", "http.listen"},
		"metrics apart":           {"REEVE_METRICS_LISTEN", "127.0.0.1:9090", ""},
		"public URL with path":    {"REEVE_PUBLIC_URL", "https://example.com/reeve", "http.public_url"},
		"public URL with slash":   {"REEVE_PUBLIC_URL", "https://example.com/", ""},
		"public URL with user":    {"REEVE_PUBLIC_URL", "https://a:b@example.com", "http.public_url"},
		"public URL scheme":       {"REEVE_PUBLIC_URL", "ftp://example.com", "http.public_url"},
		"public URL without host": {"REEVE_PUBLIC_URL", "https://:443", "http.public_url"},
		"base domain with port":   {"REEVE_BASE_DOMAIN", "example.com:443", "http.base_domain"},
		"base domain upper case":  {"REEVE_BASE_DOMAIN", "Example.com", "http.base_domain"},
		"base domain":             {"REEVE_BASE_DOMAIN", "auth.example.com", ""},
		"hosts without domain":    {"REEVE_PROJECT_URLS", "host", "http.project_urls"},
		"unknown form of URLs":    {"REEVE_PROJECT_URLS", "query", "http.project_urls"},
		"one trusted proxy":       {"REEVE_TRUSTED_PROXIES", "192.0.2.7", ""},
		"database of MySQL":       {"REEVE_DATABASE_URL", "mysql://db/control", "database.url"},
		"database as DSN":         {"REEVE_DATABASE_URL", "host=db dbname=control", "database.url"},
		"database bad port":       {"REEVE_DATABASE_URL", "postgres://db:port/control", "database.url"},
		"admin URL":               {"REEVE_DATABASE_ADMIN_URL", "nowhere", "database.admin_url"},
		"public host":             {"REEVE_DATABASE_PUBLIC_HOST", "db.example.com", "database.public_host"},
		"control in maintenance":  {"REEVE_DATABASE_CONTROL_NAME", "postgres", "database.control_name"},
		"idle forever":            {"REEVE_TENANT_IDLE_TTL", "48h", "database.idle_ttl"},
		"idle without unit":       {"REEVE_TENANT_IDLE_TTL", "10", "database.idle_ttl"},
		"no connection":           {"REEVE_TENANT_CONNECTIONS", "0", "database.tenant_connections"},
		"migrate":                 {"REEVE_MIGRATE", "perhaps", "migrate"},
		"no hashing":              {"REEVE_HASH_SLOTS", "-1", "hash.slots"},
		"from with name":          {"REEVE_MAIL_FROM", "Reeve <reeve@example.com>", "mail.from"},
		"sender name of lines":    {"REEVE_MAIL_SENDER_NAME", "a\nb", "mail.sender_name"},
		"key of zeros":            {"REEVE_MASTER_KEY", base64.StdEncoding.EncodeToString(make([]byte, 32)), "secrets.master_keys"},
		"key of text":             {"REEVE_MASTER_KEY", base64.StdEncoding.EncodeToString([]byte("abcdefghijklmnopqrstuvwxyz012345")), "secrets.master_keys"},
		"key of a sequence":       {"REEVE_MASTER_KEY", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "secrets.master_keys"},
		"two keys":                {"REEVE_MASTER_KEY", secret.NewMasterKey() + ", " + secret.NewMasterKey(), ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Load("", env(enough(map[string]string{tc.variable: tc.value})))
			got := problems(t, err)
			if tc.want == "" && len(got) == 0 {
				return
			}
			if len(got) != 1 || !strings.HasPrefix(got[0], tc.want+" ("+tc.variable+"): ") {
				t.Errorf("got %q, want one about %q", got, tc.want)
			}
		})
	}
}

func TestProblemsKeepSecrets(t *testing.T) {
	t.Parallel()
	const hidden = "hunter2hunter2"
	path := file(t, "secrets:\n  master_keys: {k: "+hidden+"}\nmail:\n  smtp_url: ["+hidden+"]\ndatabase: "+hidden+"\n")
	_, err := Load(path, env(map[string]string{
		"REEVE_MASTER_KEY":         hidden,
		"REEVE_DATABASE_URL":       "postgres://u:" + hidden + "%zz@db/x",
		"REEVE_DATABASE_ADMIN_URL": "postgres://u:" + hidden + "@db:port/x",
		"REEVE_SMTP_URL":           "smtp://u:" + hidden + "@:1:1",
		"REEVE_MIGRATE":            hidden,
		"REEVE_PUBLIC_URL":         "https://u:" + hidden + "@x",
	}))
	if err == nil || strings.Contains(err.Error(), hidden) {
		t.Errorf("got %v", err)
	}
	_, err = Load(file(t, "secrets:\n  master_keys: ["+hidden+"\n a: *"+hidden), env(nil))
	if err == nil || strings.Contains(err.Error(), hidden) {
		t.Errorf("broken YAML: got %v", err)
	}
}

func TestDevelopmentKey(t *testing.T) {
	t.Parallel()
	key := NewDevelopmentKey()
	bare := strings.TrimPrefix(key, DevelopmentPrefix)
	if bare == key {
		t.Fatal("no prefix")
	}
	if _, err := secret.NewKeyring(bare); err != nil {
		t.Errorf("not a master key: %v", err)
	}
	for _, k := range []string{key, bare} {
		if (Secrets{MasterKeys: []string{k}}).Validate() == nil {
			t.Error("production takes it")
		}
		if err := (Secrets{MasterKeys: []string{k}}).validate(true); err != nil {
			t.Errorf("development refuses it: %v", err)
		}
	}
	if (Secrets{}).validate(true) == nil {
		t.Error("development does without a key")
	}
}

func TestDevelopment(t *testing.T) {
	t.Parallel()
	c, err := Over(Development(), "", env(map[string]string{"REEVE_WARM_DATABASES": "3"}))
	if err != nil {
		t.Fatal(err)
	}
	c.HTTP.PublicURL = "http://localhost:8000"
	c.Database.ControlURL = "postgres:///postgres?host=/tmp"
	c.Secrets.MasterKeys = []string{strings.TrimPrefix(NewDevelopmentKey(), DevelopmentPrefix)}
	if err := c.ValidateDevelopment(); err != nil {
		t.Error(err)
	}
	if c.Validate() == nil {
		t.Error("a development key passes for production")
	}
	if !c.Mail.Capture || c.Database.WarmDatabases != 3 {
		t.Errorf("got %+v", c)
	}
}

func TestProjectURL(t *testing.T) {
	t.Parallel()
	const ref = "abcdefghijklmnopqrst"
	cases := map[string]struct {
		http HTTP
		want string
	}{
		"path":            {HTTP{PublicURL: "https://example.com/"}, "https://example.com/p/" + ref},
		"host":            {HTTP{PublicURL: "https://example.com", BaseDomain: "a.example.com"}, "https://" + ref + ".a.example.com"},
		"host and port":   {HTTP{PublicURL: "http://localhost:8000", BaseDomain: "localhost"}, "http://" + ref + ".localhost:8000"},
		"host, but path":  {HTTP{PublicURL: "http://localhost:8000", BaseDomain: "localhost", ProjectURLs: ByPath}, "http://localhost:8000/p/" + ref},
		"host, as wanted": {HTTP{PublicURL: "https://x.de", BaseDomain: "y.de", ProjectURLs: ByHost}, "https://" + ref + ".y.de"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := tc.http.ProjectURL(ref); got != tc.want {
				t.Errorf("got %s", got)
			}
		})
	}
}

func TestResolve(t *testing.T) {
	t.Parallel()
	cases := map[string]struct{ url, admin, control, wantAdmin string }{
		"named":       {"postgres://u:p%40@h/c?sslmode=require", "", "postgres://u:p%40@h/c?sslmode=require", "postgres://u:p%40@h/postgres?sslmode=require"},
		"none":        {"postgres://h", "", "postgres://h/reeve_control", "postgres://h/postgres"},
		"maintenance": {"postgres://h/postgres", "", "postgres://h/reeve_control", "postgres://h/postgres"},
		"socket":      {"postgres://u@/postgres?host=%2Ftmp", "", "postgres://u@/reeve_control?host=%2Ftmp", "postgres://u@/postgres?host=%2Ftmp"},
		"two servers": {"postgres://h/c", "postgres://other/postgres", "postgres://h/c", "postgres://other/postgres"},
		"nothing":     {"", "", "", ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := defaultDatabase()
			d.ControlURL, d.AdminURL = tc.url, tc.admin
			got := d.Resolve()
			if got.ControlURL != tc.control || got.AdminURL != tc.wantAdmin {
				t.Errorf("got %s and %s", got.ControlURL, got.AdminURL)
			}
			if again := got.Resolve(); again != got {
				t.Errorf("again: %+v", again)
			}
		})
	}
}

func TestMailSettings(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		url  string
		want message.SMTPSettings
	}{
		"submission":   {"smtp://u:p%2F@mail", message.SMTPSettings{Host: "mail", Port: 587, User: "u", Pass: "p/"}},
		"implicit TLS": {"smtps://mail", message.SMTPSettings{Host: "mail", Port: 465, TLS: message.TLSImplicit}},
		"port":         {"smtp://mail:25", message.SMTPSettings{Host: "mail", Port: 25}},
		"port zero":    {"smtp://mail:0", message.SMTPSettings{}},
		"path":         {"smtp://mail/x", message.SMTPSettings{}},
		"none":         {"", message.SMTPSettings{}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tc.want, Mail{SMTPURL: tc.url}.Settings()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestVariables checks that every setting has a unique key and variable.
func TestVariables(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for key, variable := range variables() {
		if !strings.HasPrefix(variable, "REEVE_") || strings.HasSuffix(key, ".") {
			t.Errorf("%s has %q", key, variable)
		}
		if other := seen[variable]; other != "" {
			t.Errorf("%s and %s share %s", key, other, variable)
		}
		seen[variable] = key
	}
}

// FuzzYAML checks that reading any file fails only with Problems.
func FuzzYAML(f *testing.F) {
	f.Add("http:\n  listen: :8000\n")
	f.Add("http: {trusted_proxies: [a, [b]], listen: *x}\n")
	f.Add("? [a]\n: b\n<<: {c: d}")
	f.Add("database:\n  idle_ttl: !!binary aGk=\n  url: null\n")
	f.Add("http: {trusted_proxies: []}")
	f.Fuzz(func(t *testing.T, text string) {
		c := Default()
		for _, p := range decodeYAML(&c, []byte(text)) {
			if p.Text == "" {
				t.Error("a problem without words")
			}
		}
		_ = c.Validate()
	})
}
