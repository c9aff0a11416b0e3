package provision

import (
	"context"

	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/tenants"
)

// MigrationState is the result of a migration of the fleet for a database.
type MigrationState string

// The states. Pending databases are behind and were not tried; unfinished ones
// are being created or dropped, or were given up, and are not migrated.
const (
	MigrationCurrent    MigrationState = "current"
	MigrationDone       MigrationState = "migrated"
	MigrationFailed     MigrationState = "failed"
	MigrationPending    MigrationState = "pending"
	MigrationUnfinished MigrationState = "unfinished"
)

// Outcome is the result of a migration of the fleet for one database.
type Outcome struct {
	Ref      tenants.Ref
	Warm     bool           // not assigned to a project; Status is empty
	Status   tenants.Status // of the project
	State    MigrationState
	From, To int64 // versions of its schema, equal unless it was migrated
	Err      error // why it failed
}

// Report is called for each database, by one goroutine at a time.
type Report func(o Outcome)

// fleet lists the databases of the cluster before a migration, the oldest
// first.
func (s *Service) fleet(ctx context.Context) ([]Outcome, error) {
	known, err := s.schema()
	if err != nil {
		return nil, err
	}
	databases, err := s.Control.Databases(ctx, s.Cluster.ID)
	if err != nil {
		return nil, err
	}
	// Read after the databases: a warm one that is assigned in the meantime is
	// a project.
	projects, err := s.Control.Projects(ctx)
	if err != nil {
		return nil, err
	}
	status := make(map[tenants.Ref]tenants.Status, len(projects))
	for _, p := range projects {
		status[p.Ref] = p.Status
	}
	out := make([]Outcome, len(databases))
	for i, d := range databases {
		o := Outcome{Ref: d.Ref, Status: status[d.Ref], State: MigrationPending, From: d.SchemaVersion, To: d.SchemaVersion}
		o.Warm = o.Status == ""
		switch {
		case d.State != controldb.DatabaseWarm && d.State != controldb.DatabaseAssigned:
			o.State = MigrationUnfinished
		case d.SchemaVersion >= known.version:
			o.State = MigrationCurrent
		}
		out[i] = o
	}
	return out, nil
}
