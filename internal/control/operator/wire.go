package operator

import (
	"strconv"
	"time"

	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/job"
	"github.com/reevehq/reeve/internal/provision"
)

// Overview is the installation on the wire.
type Overview struct {
	Version       string         `json:"version"`
	Platform      string         `json:"platform_ref" doc:"The project at which people sign in to this installation; operators read and change its settings in a session."`
	SchemaVersion int64          `json:"schema_version" doc:"Of projects' databases, in this release."`
	Organizations int            `json:"organizations"`
	Projects      map[string]int `json:"projects" doc:"By status."`
	Warm          int            `json:"warm_databases" doc:"Complete databases that wait for a project."`
	Behind        int            `json:"behind" doc:"Projects with an older schema; each is migrated at its next use."`
	Failing       int            `json:"failing" doc:"Databases whose last step of creating, migrating or dropping failed."`
	ShutOut       int            `json:"shut_out" doc:"Projects whose logins are suspended, because they disturbed others."`
	Server        Server         `json:"server"`
}

// Server is the Postgres server of projects.
type Server struct {
	Problem           string  `json:"problem,omitempty" doc:"Why there are no figures."`
	Version           string  `json:"version"`
	Connections       int     `json:"connections" doc:"Sessions now."`
	OwnerConnections  int     `json:"owner_connections" doc:"Those of developers."`
	MaxConnections    int     `json:"max_connections"`
	OldestTransaction float64 `json:"oldest_transaction" doc:"Its age in seconds."`
}

// Organization is an organization on the wire.
type Organization struct {
	Slug      string    `json:"slug"`
	Name      string    `json:"name"`
	Plan      string    `json:"plan"`
	CreatedAt time.Time `json:"created_at"`
	Members   int       `json:"members"`
	Projects  int       `json:"projects"`
}

// Organizations is a page of organizations.
type Organizations struct {
	Organizations []Organization `json:"organizations"`
	Next          *string        `json:"next" doc:"The after of the next page; null on the last one."`
}

// Project is a project on the wire.
type Project struct {
	Ref           string     `json:"ref"`
	Name          string     `json:"name"`
	Organization  string     `json:"organization_slug"`
	Status        string     `json:"status"`
	CreatedAt     time.Time  `json:"created_at"`
	ExpiresAt     *time.Time `json:"expires_at" doc:"Of an ephemeral project."`
	BranchOf      *string    `json:"branch_of"`
	Platform      bool       `json:"platform" doc:"Its users are those of the dashboard."`
	SchemaVersion int64      `json:"schema_version"`
	Attempts      int        `json:"attempts" doc:"Failed ones of its last step; 0 when it succeeded."`
	LastError     string     `json:"last_error" doc:"Of them."`
	ShutOutUntil  *time.Time `json:"shut_out_until" doc:"Until when its logins are suspended."`
	Errors        int64      `json:"errors" doc:"In its log, in the last hour."`
	SignIns       int64      `json:"sign_ins" doc:"Today and yesterday (UTC)."`
	Refusals      int64      `json:"refusals" doc:"Today and yesterday (UTC)."`
}

// Projects is a page of projects.
type Projects struct {
	Projects []Project `json:"projects"`
	Next     *string   `json:"next" doc:"The after of the next page; null on the last one."`
}

// Jobs is the scheduled work.
type Jobs struct {
	Tasks    []Task    `json:"tasks"`
	Failures []Failure `json:"failures" doc:"Runs that are retried or were given up, the newest first."`
}

// Task is a scheduled task.
type Task struct {
	Name     string     `json:"name"`
	Waiting  int        `json:"waiting"`
	Running  int        `json:"running"`
	Retrying int        `json:"retrying"`
	Failed   int        `json:"failed" doc:"Given up."`
	LastDone *time.Time `json:"last_done"`
}

// Failure is a run that failed.
type Failure struct {
	ID      string    `json:"id"`
	Name    string    `json:"name"`
	Ref     string    `json:"ref,omitempty" doc:"The project that it was for."`
	GivenUp bool      `json:"given_up"`
	Attempt int       `json:"attempt"`
	At      time.Time `json:"at" doc:"Of the last attempt."`
	NextAt  time.Time `json:"next_at" doc:"Of the next one, unless it was given up."`
	Error   string    `json:"error"`
}

func overviewOnWire(f controldb.Fleet) Overview {
	return Overview{
		Organizations: f.Organizations, Projects: f.Projects, Warm: f.Warm, Behind: f.Behind, Failing: f.Failing, ShutOut: f.ShutOut,
	}
}

func serverOnWire(s provision.ServerState) Server {
	return Server{
		Version: s.Version, Connections: s.Connections, OwnerConnections: s.Owners, MaxConnections: s.MaxConnections, OldestTransaction: s.Oldest,
	}
}

func projectOnWire(p controldb.FleetProject) Project {
	out := Project{
		Ref: p.Ref, Name: p.Name, Organization: p.Organization, Status: p.Status, CreatedAt: p.CreatedAt, ExpiresAt: p.ExpiresAt, BranchOf: p.BranchOf,
		Platform: p.Platform, SchemaVersion: p.SchemaVersion, Attempts: p.Attempts, ShutOutUntil: p.ShutOutUntil,
		Errors: p.Errors, SignIns: p.SignIns, Refusals: p.Refusals,
	}
	if p.LastError != nil && p.Attempts > 0 {
		out.LastError = *p.LastError
	}
	return out
}

func jobsOnWire(states []job.State, failures []job.Failure) *Jobs {
	out := &Jobs{Tasks: make([]Task, len(states)), Failures: make([]Failure, len(failures))}
	for i, s := range states {
		out.Tasks[i] = Task(s)
	}
	for i, f := range failures {
		out.Failures[i] = Failure{
			ID: strconv.FormatInt(f.ID, 10), Name: f.Name, Ref: string(f.Ref), GivenUp: f.GivenUp, Attempt: f.Attempt, At: f.At, NextAt: f.NextAt, Error: f.Problem,
		}
	}
	return out
}
