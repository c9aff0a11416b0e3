package config

import (
	"runtime"
	"time"
)

// Limits are quotas.
type Limits struct {
	MaxOrganizationsPerUser    int `yaml:"max_organizations_per_user" env:"REEVE_MAX_ORGANIZATIONS_PER_USER"`
	MaxProjectsPerOrganization int `yaml:"max_projects_per_organization" env:"REEVE_MAX_PROJECTS_PER_ORGANIZATION"`
	// MaxEphemeralPerOrganization counts the projects with a time to live.
	MaxEphemeralPerOrganization int `yaml:"max_ephemeral_projects_per_organization" env:"REEVE_MAX_EPHEMERAL_PROJECTS_PER_ORGANIZATION"`
}

// Validate reports every error, as Problems.
func (l Limits) Validate() error {
	var p Problems
	p.within("limits.max_organizations_per_user", l.MaxOrganizationsPerUser, 1, 1_000_000)
	p.within("limits.max_projects_per_organization", l.MaxProjectsPerOrganization, 1, 1_000_000)
	p.within("limits.max_ephemeral_projects_per_organization", l.MaxEphemeralPerOrganization, 1, 1_000_000)
	return p.orNil()
}

// Cache is the number of entries cached in memory.
type Cache struct {
	Tenants int `yaml:"tenants" env:"REEVE_CACHE_TENANTS"`
	Tokens  int `yaml:"tokens" env:"REEVE_CACHE_TOKENS"`
}

// Validate reports every error, as Problems.
func (c Cache) Validate() error {
	var p Problems
	p.within("cache.tenants", c.Tenants, 10, 10_000_000)
	p.within("cache.tokens", c.Tokens, 10, 10_000_000)
	return p.orNil()
}

// Logs bounds the projects' logs in the control database.
type Logs struct {
	Keep       time.Duration `yaml:"keep" env:"REEVE_LOGS_KEEP"`
	MaxEntries int           `yaml:"max_entries" env:"REEVE_LOGS_MAX_ENTRIES"` // of one project
}

// Validate reports every error, as Problems.
func (l Logs) Validate() error {
	var p Problems
	if l.Keep < time.Hour || l.Keep > 90*24*time.Hour {
		p.add("logs.keep", "must be from 1h to 2160h")
	}
	p.within("logs.max_entries", l.MaxEntries, 100, 100_000)
	return p.orNil()
}

// Hash is the number of passwords hashed concurrently.
type Hash struct {
	Slots int `yaml:"slots" env:"REEVE_HASH_SLOTS"`
}

func defaultHash() Hash { return Hash{Slots: runtime.GOMAXPROCS(0)} }

// Validate reports every error, as Problems.
func (h Hash) Validate() error {
	var p Problems
	p.within("hash.slots", h.Slots, 1, 1024)
	return p.orNil()
}
