package project

import (
	"strings"
	"time"

	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/tenants"
)

// Project is a project on the wire. ID is the ref and OrganizationID the slug:
// the names are kept for clients that still read them.
type Project struct {
	ID               string `json:"id" deprecated:"true"`
	Ref              string `json:"ref"`
	OrganizationID   string `json:"organization_id" deprecated:"true"`
	OrganizationSlug string `json:"organization_slug"`
	Name             string `json:"name"`
	Region           string `json:"region"`
	CreatedAt        string `json:"created_at"`
	Status           string `json:"status"`
	ExpiresAt        string `json:"expires_at,omitempty" doc:"When the project deletes itself; only of one that was created with a ttl."`
	BranchOf         string `json:"branch_of,omitempty" doc:"Ref of the project that this one is a branch of."`
	GitBranch        string `json:"git_branch,omitempty" doc:"The branch of Git that the branch is for."`
}

// Database describes where a project's data is stored.
type Database struct {
	Host           string `json:"host"`
	Version        string `json:"version" doc:"Always empty: the supabase CLI would take it for the tag of an image."`
	ServerVersion  string `json:"server_version"`
	PostgresEngine string `json:"postgres_engine" doc:"Major version of Postgres."`
	ReleaseChannel string `json:"release_channel"`
}

// WithDatabase is a project with its URL and its database.
type WithDatabase struct {
	Project
	URL      string   `json:"url" doc:"Where the project's API is."`
	Database Database `json:"database"`
}

// Created is the answer to create, the only one with the secrets. It has them
// only when the request asks for them: whatever a language model drives must not
// be handed them unasked.
type Created struct {
	Project
	URL            string `json:"url" doc:"Where the project's API is."`
	PublishableKey string `json:"publishable_key"`
	SecretKey      string `json:"secret_key,omitempty" doc:"Only with reveal=true, and this once."`
	DatabaseURL    string `json:"db_url,omitempty" doc:"Connection string of the owner role. Only with reveal=true, and this once."`
}

// Reference names a project.
type Reference struct {
	ID   int64  `json:"id"`
	Ref  string `json:"ref"`
	Name string `json:"name"`
	// ExpiresAt is in the answer to an extension.
	ExpiresAt string `json:"expires_at,omitempty"`
}

// ServiceHealth is the state of one service of a project.
type ServiceHealth struct {
	Name     string    `json:"name"`
	Healthy  bool      `json:"healthy" deprecated:"true"`
	Status   string    `json:"status" enum:"COMING_UP,ACTIVE_HEALTHY,UNHEALTHY"`
	Error    string    `json:"error,omitempty"`
	Findings []Finding `json:"findings,omitempty" doc:"What a developer should look at; of the service auth only. They do not make it unhealthy."`
}

// Page is a part of an organization's projects.
type Page struct {
	Projects   []PageItem `json:"projects"`
	Pagination Pagination `json:"pagination"`
}

// Pagination says which part.
type Pagination struct {
	Count  int `json:"count" doc:"Of all that match."`
	Limit  int `json:"limit"`
	Offset int `json:"offset"`
}

// PageItem is a project in a Page.
type PageItem struct {
	Ref           string         `json:"ref"`
	Name          string         `json:"name"`
	CloudProvider string         `json:"cloud_provider"`
	Region        string         `json:"region"`
	IsBranch      bool           `json:"is_branch"`
	Status        string         `json:"status"`
	InsertedAt    string         `json:"inserted_at"`
	Databases     []PageDatabase `json:"databases"`
}

// PageDatabase is the database of a PageItem.
type PageDatabase struct {
	Region        string `json:"region"`
	Status        string `json:"status"`
	CloudProvider string `json:"cloud_provider"`
	Identifier    string `json:"identifier"`
	Type          string `json:"type"`
}

type refInput struct {
	Ref string `path:"ref"`
}

type createInput struct {
	Reveal bool `query:"reveal" doc:"Answer secret_key and db_url."`
	Body   CreateBody
}

// CreateBody is the body of create. Plan, size, template and the like belong to
// the hosted reference; they are accepted and have no effect here.
type CreateBody struct {
	Name                string           `json:"name" minLength:"1" maxLength:"256"`
	OrganizationSlug    string           `json:"organization_slug,omitempty" pattern:"^[\\w-]+$" maxLength:"64"`
	OrganizationID      string           `json:"organization_id,omitempty" deprecated:"true" maxLength:"64" doc:"The organization's slug."`
	DBPass              string           `json:"db_pass,omitempty" minLength:"8" maxLength:"128" doc:"Password of the owner role. Left out, one is drawn."`
	TTL                 string           `json:"ttl,omitempty" maxLength:"32" doc:"After what time the project deletes itself, such as 90s, 30m or 24h; from 1m to 720h. Left out, it stays."`
	Region              string           `json:"region,omitempty" pattern:"^[a-z0-9-]+$" maxLength:"64"`
	RegionSelection     *RegionSelection `json:"region_selection,omitempty"`
	Plan                string           `json:"plan,omitempty" enum:"free,pro" deprecated:"true"`
	KPSEnabled          *bool            `json:"kps_enabled,omitempty" deprecated:"true"`
	DesiredInstanceSize string           `json:"desired_instance_size,omitempty" maxLength:"64"`
	TemplateURL         string           `json:"template_url,omitempty" maxLength:"2048"`
	PostgresEngine      string           `json:"postgres_engine,omitempty" maxLength:"64"`
	ReleaseChannel      string           `json:"release_channel,omitempty" maxLength:"64"`
	HighAvailability    bool             `json:"high_availability,omitempty" doc:"true is refused: whether Postgres has a standby is the operator's matter, for all projects."`
}

// RegionSelection is a region, or a group of them to choose from.
type RegionSelection struct {
	Type string `json:"type" enum:"specific,smartGroup"`
	Code string `json:"code" pattern:"^[a-z0-9-]+$" maxLength:"64"`
}

type updateInput struct {
	Ref  string `path:"ref"`
	Body UpdateBody
}

// UpdateBody is the body of update; it must have one of the members.
type UpdateBody struct {
	Name      string `json:"name,omitempty" minLength:"1" maxLength:"256"`
	GitBranch string `json:"git_branch,omitempty" maxLength:"256" doc:"The branch of Git that a branch is for."`
	TTL       string `json:"ttl,omitempty" maxLength:"32" doc:"After what time from now a project with a time to live deletes itself; from 1m to 720h."`
}

type passwordInput struct {
	Ref  string `path:"ref"`
	Body PasswordBody
}

// PasswordBody is the body of a change of the password.
type PasswordBody struct {
	Password string `json:"password" minLength:"8" maxLength:"128" doc:"Printable ASCII characters."`
}

// Message is an answer that only confirms the operation.
type Message struct {
	Message string `json:"message"`
}

type healthInput struct {
	Ref       string   `path:"ref"`
	Services  []string `query:"services,explode" maxItems:"32" doc:"Repeated or separated by commas; auth and db when left out. A service that does not run is not in the answer."`
	TimeoutMS int      `query:"timeout_ms" minimum:"0" maximum:"10000" default:"2000"`
}

type pageInput struct {
	Slug     string `path:"slug"`
	Offset   int    `query:"offset" minimum:"0"`
	Limit    int    `query:"limit" minimum:"1" maximum:"100" default:"100"`
	Search   string `query:"search" maxLength:"256" doc:"Part of the name or ref."`
	Sort     string `query:"sort" enum:"name_asc,name_desc,created_asc,created_desc" default:"name_asc"`
	Statuses string `query:"statuses" maxLength:"512" doc:"Separated by commas."`
}

// cloudProvider is in place of the reference's cloud provider.
const cloudProvider = "REEVE"

func statusOnWire(s tenants.Status) string {
	switch s {
	case tenants.StatusActive:
		return "ACTIVE_HEALTHY"
	case tenants.StatusCreating:
		return "COMING_UP"
	case tenants.StatusPausing:
		return "PAUSING"
	case tenants.StatusPaused:
		return "INACTIVE"
	case tenants.StatusRestoring:
		return "RESTORING"
	case tenants.StatusFailed:
		return "INIT_FAILED"
	case tenants.StatusDeleting:
		return "GOING_DOWN"
	case controldb.StatusDeleted:
		return "REMOVED"
	default:
		return "UNKNOWN"
	}
}

// expiry formats when a project expires; "" for never.
func expiry(at *time.Time) string {
	if at == nil {
		return ""
	}
	return at.UTC().Format(time.RFC3339)
}

func onWire(p controldb.Project, slug string) Project {
	return Project{
		ID: string(p.Ref), Ref: string(p.Ref), OrganizationID: slug, OrganizationSlug: slug,
		Name: p.Name, Region: p.Region, CreatedAt: p.CreatedAt.UTC().Format(time.RFC3339Nano),
		Status: statusOnWire(p.Status), ExpiresAt: expiry(p.ExpiresAt), BranchOf: string(p.BranchOf), GitBranch: p.GitBranch,
	}
}

func (s *Service) withDatabase(p controldb.Project, slug string) WithDatabase {
	db := s.Servers.Describe(p.Ref)
	major, _, _ := strings.Cut(db.Version, ".")
	return WithDatabase{
		Project:  onWire(p, slug),
		URL:      s.URL(p.Ref),
		Database: Database{Host: db.Host, ServerVersion: db.Version, PostgresEngine: major, ReleaseChannel: "ga"},
	}
}

func pageItem(p controldb.Project) PageItem {
	status := statusOnWire(p.Status)
	return PageItem{
		Ref: string(p.Ref), Name: p.Name, CloudProvider: cloudProvider, Region: p.Region, IsBranch: p.BranchOf != "", Status: status,
		InsertedAt: p.CreatedAt.UTC().Format(time.RFC3339Nano),
		Databases: []PageDatabase{{
			Region: p.Region, Status: databaseStatus(status), CloudProvider: cloudProvider,
			Identifier: string(p.Ref), Type: "PRIMARY",
		}},
	}
}

// databaseStatus maps to the smaller set of statuses of databases.
func databaseStatus(status string) string {
	if status == "INACTIVE" || status == "PAUSING" {
		return "UNKNOWN"
	}
	return status
}
