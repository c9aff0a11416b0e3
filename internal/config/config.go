// Package config is the configuration of the process: listen addresses,
// databases, master keys, the default mail server, sizes. It is read from a
// YAML file and REEVE_* variables; variables take precedence. A project's auth
// settings are data in the control database and not here. The package opens no
// connection and starts nothing.
package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// maxFile bounds the configuration file, in bytes.
const maxFile = 1 << 20

// Config is the configuration of the process. One field per section of the
// file.
type Config struct {
	HTTP     HTTP     `yaml:"http"`
	Database Database `yaml:"database"`
	Secrets  Secrets  `yaml:"secrets"`
	Mail     Mail     `yaml:"mail"`
	Limits   Limits   `yaml:"limits"`
	Cache    Cache    `yaml:"cache"`
	Logs     Logs     `yaml:"logs"`
	Hash     Hash     `yaml:"hash"`
	Services Services `yaml:"services"`
	Geo      Geo      `yaml:"geo"`
	// Migrate migrates the control database and the template at the start.
	Migrate bool `yaml:"migrate" env:"REEVE_MIGRATE"`
}

// Lookup finds a variable, as os.LookupEnv does.
type Lookup func(name string) (value string, ok bool)

// Default is the default configuration of `reeve serve`.
func Default() Config {
	return Config{
		HTTP:     defaultHTTP(),
		Database: defaultDatabase(),
		Mail:     Mail{SenderName: "Reeve", MaxPerHour: 100},
		Limits:   Limits{MaxOrganizationsPerUser: 10, MaxProjectsPerOrganization: 100, MaxEphemeralPerOrganization: 100},
		Cache:    Cache{Tenants: 10_000, Tokens: 50_000},
		Logs:     Logs{Keep: 7 * 24 * time.Hour, MaxEntries: 5000},
		Hash:     defaultHash(),
		Migrate:  true,
	}
}

// Development is the default configuration of `reeve dev`: loopback only, mails
// captured, generous quotas. The caller sets PublicURL, the databases and the
// master key.
func Development() Config {
	c := Default()
	c.HTTP.Listen = "127.0.0.1:8000"
	c.HTTP.BaseDomain = "localhost"
	c.HTTP.DrainDelay = 0       // no balancer
	c.HTTP.ProjectURLs = ByPath // not every resolver knows names below localhost
	c.Mail.Capture = true
	c.Limits = Limits{MaxOrganizationsPerUser: 10_000, MaxProjectsPerOrganization: 10_000, MaxEphemeralPerOrganization: 10_000}
	return c
}

// Load reads the YAML file at path ("" for none) and the variables over the
// defaults of `reeve serve`, and validates the result. The error is Problems,
// with all of them, or says why the file could not be read.
func Load(path string, lookup Lookup) (Config, error) {
	c, problems, err := read(Default(), path, lookup)
	if err != nil {
		return c, err
	}
	err = problems.merge(c.Validate()).orNil()
	c.Database = c.Database.Resolve()
	return c, err
}

// Over reads file and variables over base, and reports only what it cannot
// parse: the caller completes the configuration, then calls ValidateDevelopment
// and Database.Resolve.
func Over(base Config, path string, lookup Lookup) (Config, error) {
	c, problems, err := read(base, path, lookup)
	if err != nil {
		return c, err
	}
	return c, problems.orNil()
}

// Validate reports every error, as Problems. It requires what production needs:
// keys made by `reeve dev` are refused.
func (c Config) Validate() error {
	return c.sections(c.Secrets.Validate())
}

// ValidateDevelopment is Validate for `reeve dev`, which has its own keys.
func (c Config) ValidateDevelopment() error {
	return c.sections(c.Secrets.validate(true))
}

func (c Config) sections(secrets error) error {
	var all Problems
	for _, err := range []error{
		c.HTTP.Validate(), c.Database.Validate(), secrets, c.Mail.Validate(),
		c.Limits.Validate(), c.Cache.Validate(), c.Logs.Validate(), c.Hash.Validate(), c.Services.Validate(),
	} {
		all = all.merge(err)
	}
	return all.orNil()
}

func read(c Config, path string, lookup Lookup) (Config, Problems, error) {
	var problems Problems
	if path != "" {
		text, err := readFile(path)
		if err != nil {
			return c, nil, err
		}
		problems = append(problems, decodeYAML(&c, text)...)
	}
	return c, append(problems, decodeVariables(&c, lookup)...), nil
}

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("configuration file: %w", err)
	}
	defer func() { _ = f.Close() }()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("configuration file: %w", err)
	}
	if len(text) > maxFile {
		return nil, errors.New("configuration file: larger than 1 MB")
	}
	return text, nil
}
