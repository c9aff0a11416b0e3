package provision

import (
	"context"
	"errors"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/internal/secret"
	"github.com/reevehq/reeve/tenants"
)

const (
	maxName     = 256
	maxPassword = 128
	// defaultKeyName is the name of the API keys that a project starts with.
	defaultKeyName = "default"
	// finishTimeout bounds one run of the steps that follow a commit.
	finishTimeout = time.Minute
	// answerTimeout is how long a caller waits for them: less than an HTTP
	// server's limit for an answer.
	answerTimeout = 20 * time.Second
)

// The bounds of an ephemeral project's time to live.
const (
	MinTTL = time.Minute
	MaxTTL = 30 * 24 * time.Hour
)

// NewProject describes a project to create.
type NewProject struct {
	OrganizationID uuid.UUID
	Name           string // 1 to 256 characters
	Region         string
	// DBPassword is the owner role's, printable ASCII; "" generates one.
	DBPassword string
	Platform   bool
	CreatedBy  *uuid.UUID
	// TTL, unless it is zero, is after what time the project is deleted.
	TTL time.Duration
	// BranchOf, unless it is empty, is the project that this one is a copy of. Only
	// Branch takes it.
	BranchOf tenants.Ref
	// GitBranch is the branch of Git that a branch is for, at most 256 characters.
	GitBranch string
	// Within, when set, runs last in the transaction that creates the project.
	Within func(ctx context.Context, tx *controldb.Tx, created Created) error
}

// Created is a new project with the secrets that are shown once.
type Created struct {
	Project        controldb.Project
	PublishableKey string
	SecretKey      string
	DatabaseURL    string // as the owner role, for developers
}

// Validate checks the caller's values; fault validation_failed names the field.
func (n NewProject) Validate() error {
	bad := fault.New(fault.Invalid, "validation_failed", "")
	if c := utf8.RuneCountInString(n.Name); c < 1 || c > maxName || !utf8.ValidString(n.Name) || hasNUL(n.Name) {
		return bad.Saying("name: must have 1 to 256 characters")
	}
	if len(n.Region) > maxName || !utf8.ValidString(n.Region) || hasNUL(n.Region) {
		return bad.Saying("region: must have at most 256 characters")
	}
	if err := CheckTTL(n.TTL); n.TTL != 0 && err != nil {
		return err
	}
	return checkPassword("db_pass", n.DBPassword)
}

// CheckTTL checks the time to live of an ephemeral project; fault
// validation_failed.
func CheckTTL(ttl time.Duration) error {
	if ttl < MinTTL || ttl > MaxTTL {
		return fault.New(fault.Invalid, "validation_failed", "ttl: must be from 1m to 720h")
	}
	return nil
}

func hasNUL(s string) bool {
	for i := range len(s) {
		if s[i] == 0 {
			return true
		}
	}
	return false
}

// Create creates a project. With a warm database available it is one
// transaction. Otherwise the project is committed as creating and Create waits
// up to 20 seconds (a minute for the platform project) for its database. Once
// committed, the project is finished even if the caller goes away or the
// process dies. If its database is not ready yet, or could not be created for
// now, Created.Project.Status is creating. Faults: validation_failed,
// organization_not_found, project_limit_reached,
// ephemeral_project_limit_reached, database_unavailable.
func (s *Service) Create(ctx context.Context, n NewProject) (Created, error) {
	n.BranchOf = ""
	created, err := s.create(ctx, n)
	if created.Project.Ref != "" {
		return created, nil // the database is made in the background
	}
	return created, err
}

// create is Create. If the project exists and its database could not be made, it
// returns both the project and the error.
func (s *Service) create(ctx context.Context, n NewProject) (Created, error) {
	if err := s.init(); err != nil {
		return Created{}, err
	}
	if err := n.Validate(); err != nil {
		return Created{}, err
	}
	s.creating.Add(1)
	defer s.creating.Add(-1)
	var created Created
	err := s.Control.Tx(ctx, func(tx *controldb.Tx) error {
		d, dk, err := s.reserve(ctx, tx, n)
		if err != nil {
			return err
		}
		if created, err = s.insert(ctx, tx, n, d, dk); err != nil || n.Within == nil {
			return err
		}
		return n.Within(ctx, tx, created)
	})
	if err != nil {
		return Created{}, err
	}
	s.after("create")
	if created.Project.Status == tenants.StatusActive {
		nudge(s.taken)
		return created, nil
	}
	if err := s.await(ctx, n.answerTimeout(), created.Project.Ref, s.build); err != nil {
		s.Logger.ErrorContext(ctx, "project is not ready yet", "project", created.Project.Ref, "error", err)
		return created, err
	}
	project, err := s.Control.ProjectByRef(ctx, created.Project.Ref)
	if err == nil {
		created.Project = project
	}
	return created, nil
}

// answerTimeout is a minute for the platform project, because a first start
// cannot continue without it.
func (n NewProject) answerTimeout() time.Duration {
	if n.Platform {
		return finishTimeout
	}
	return answerTimeout
}

// reserve checks the organization's limit and returns a database for the
// project: an assigned warm one, or a new row in state creating.
func (s *Service) reserve(ctx context.Context, tx *controldb.Tx, n NewProject) (controldb.Database, *secret.DataKey, error) {
	if err := tx.CheckProjectLimit(ctx, n.OrganizationID, n.TTL != 0); err != nil {
		return controldb.Database{}, nil, err
	}
	known, err := s.schema()
	if err != nil {
		return controldb.Database{}, nil, err
	}
	d, err := controldb.Database{}, error(controldb.ErrNoDatabase)
	if n.BranchOf == "" {
		d, err = tx.TakeWarm(ctx, s.Cluster.ID, known.version)
	}
	if errors.Is(err, controldb.ErrNoDatabase) {
		d, dk, err := s.newDatabase(n.DBPassword)
		if err != nil {
			return d, nil, err
		}
		return d, dk, tx.CreateDatabase(ctx, d)
	}
	if err != nil {
		return d, nil, err
	}
	p, dk, err := s.open(d)
	if err != nil {
		return d, nil, err
	}
	d.State = controldb.DatabaseAssigned
	if n.DBPassword == "" {
		return d, dk, tx.AssignDatabase(ctx, d.Ref)
	}
	// A given password is set on the cluster after the commit, by the steps
	// that create the role. Until then the project is creating.
	d.State, p.Owner = controldb.DatabaseCreating, n.DBPassword
	if d.Sealed, err = p.Seal(dk); err != nil {
		return d, nil, err
	}
	return d, dk, tx.ReopenDatabase(ctx, d.Ref, stepAdopt, d.Sealed)
}

// insert writes the project's rows: project, configuration, keys.
func (s *Service) insert(ctx context.Context, tx *controldb.Tx, n NewProject, d controldb.Database, dk *secret.DataKey) (Created, error) {
	var created Created
	status := tenants.StatusActive
	if d.State == controldb.DatabaseCreating {
		status = tenants.StatusCreating
	}
	p, err := controldb.OpenPasswords(dk, d.Sealed)
	if err != nil {
		return created, err
	}
	if created.DatabaseURL, err = s.DatabaseURL(d.Ref, p.Owner); err != nil {
		return created, err
	}
	project := controldb.Project{
		Ref: d.Ref, OrganizationID: n.OrganizationID, Name: n.Name, Region: n.Region,
		Status: status, Platform: n.Platform, CreatedBy: n.CreatedBy, BranchOf: n.BranchOf, GitBranch: n.GitBranch,
	}
	if n.TTL != 0 {
		at := s.Now().UTC().Add(n.TTL).Truncate(time.Second)
		project.ExpiresAt = &at
	}
	created.Project, err = tx.CreateProject(ctx, project)
	if err != nil {
		return created, err
	}
	config := controldb.AuthConfig{Ref: d.Ref, Version: 1, Config: s.Settings(d.Ref), Author: n.CreatedBy}
	if n.BranchOf != "" {
		if config.Config, err = s.settingsOf(ctx, tx, n.BranchOf); err != nil {
			return created, err
		}
	}
	if err := tx.CreateAuthConfig(ctx, config); err != nil {
		return created, err
	}
	err = s.insertKeys(ctx, tx, dk, &created)
	return created, err
}

// settingsOf returns the settings of a branch of a project: the project's, without
// its secrets.
func (s *Service) settingsOf(ctx context.Context, tx *controldb.Tx, ref tenants.Ref) (tenants.Config, error) {
	p, err := tx.ProjectByRef(ctx, ref)
	if errors.Is(err, controldb.ErrNoProject) {
		return tenants.Config{}, ErrBranchSourceGone
	}
	if err != nil {
		return tenants.Config{}, err
	}
	stored, err := tx.AuthConfigVersion(ctx, ref, p.ConfigVersion)
	if err != nil {
		return tenants.Config{}, err
	}
	d, err := tx.DatabaseByRef(ctx, ref)
	if err != nil {
		return tenants.Config{}, err
	}
	_, dk, err := s.open(d)
	if err != nil {
		return tenants.Config{}, err
	}
	secrets, err := stored.OpenSecrets(dk)
	return stored.Config.WithoutSecrets(secrets), err
}

// insertKeys generates the project's keys and writes them: API keys named
// default, and an ES256 key that signs from the start.
func (s *Service) insertKeys(ctx context.Context, tx *controldb.Tx, dk *secret.DataKey, created *Created) error {
	ref := created.Project.Ref
	for t, text := range map[tenants.KeyType]*string{
		tenants.KeyPublishable: &created.PublishableKey,
		tenants.KeySecret:      &created.SecretKey,
	} {
		key, drawn, err := controldb.NewAPIKey(s.Control.Hasher(), dk, ref, t, defaultKeyName)
		if err != nil {
			return err
		}
		if _, err := tx.CreateAPIKey(ctx, key); err != nil {
			return err
		}
		*text = drawn
	}
	key, _, err := tenants.NewSigningKey("ES256")
	if err != nil {
		return err
	}
	key.Status = tenants.KeyInUse
	row, err := controldb.SealSigningKey(dk, ref, key)
	if err != nil {
		return err
	}
	_, err = tx.CreateSigningKey(ctx, row)
	return err
}
