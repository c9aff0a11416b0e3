package manage

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/reevehq/reeve/tenants"
)

// Organization has the members of an organization that this package needs.
type Organization struct {
	Slug string `json:"slug"`
	Name string `json:"name"`
}

// Project has the members of a project that this package needs.
type Project struct {
	Ref              string `json:"ref"`
	Name             string `json:"name"`
	OrganizationSlug string `json:"organization_slug"`
	Status           string `json:"status"`
}

// Created is a new project with the secrets that are shown once.
type Created struct {
	Ref            string `json:"ref"`
	URL            string `json:"url"`
	PublishableKey string `json:"publishable_key"`
	SecretKey      string `json:"secret_key"`
	DatabaseURL    string `json:"db_url"`
	ExpiresAt      string `json:"expires_at,omitempty"` // of a project with a time to live
	BranchOf       string `json:"branch_of,omitempty"`  // of a branch
}

// NewProject describes a project to create.
type NewProject struct {
	Name         string `json:"name"`
	Organization string `json:"organization_slug"` // "" for the first one of the token's owner
	TTL          string `json:"ttl,omitempty"`     // after what time it deletes itself; "" for never
}

// APIKey is an API key; Text is empty if it is not shown.
type APIKey struct {
	Text string `json:"api_key"`
	ID   string `json:"id"`
	Type string `json:"type"`
	Name string `json:"name"`
}

// statusComing is the status of a project whose database is still being
// created.
const statusComing = "COMING_UP"

// Organizations lists the organizations of the token's owner.
func (c *Client) Organizations(ctx context.Context) (out []Organization, err error) {
	return out, c.into(ctx, &out, Path("organizations"))
}

// Projects lists the projects that the token's owner sees.
func (c *Client) Projects(ctx context.Context) (out []Project, err error) {
	return out, c.into(ctx, &out, Path("projects"))
}

// Project returns a project.
func (c *Client) Project(ctx context.Context, ref string) (out Project, err error) {
	return out, c.into(ctx, &out, Path("projects", ref))
}

// maxListed is how many refs an error lists.
const maxListed = 10

// Ref returns the ref of the project with a ref or a name. A word in the form
// of a ref is not looked up as a name, so that nobody redirects a command by a
// project that is named like another one's ref.
func (c *Client) Ref(ctx context.Context, word string) (string, error) {
	if _, err := tenants.ParseRef(word); err == nil {
		return word, nil
	}
	all, err := c.Projects(ctx)
	if err != nil {
		return "", err
	}
	refs := refsNamed(all, word)
	switch len(refs) {
	case 0:
		return "", &Refusal{Status: http.StatusNotFound, Code: "project_not_found", Message: "Project not found"}
	case 1:
		return refs[0], nil
	}
	more := ""
	if n := len(refs) - maxListed; n > 0 {
		refs, more = refs[:maxListed], fmt.Sprintf(" and %d more", n)
	}
	return "", fmt.Errorf("several projects have this name, give a ref: %s%s", strings.Join(refs, ", "), more)
}

// Namesakes returns the refs of the other projects of a project's organization
// that have its name.
func (c *Client) Namesakes(ctx context.Context, ref string) ([]string, error) {
	all, err := c.Projects(ctx)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(all, func(p Project) bool { return p.Ref == ref })
	if i < 0 {
		return nil, nil
	}
	own := all[i]
	all = slices.DeleteFunc(all, func(p Project) bool { return p.Ref == ref || p.OrganizationSlug != own.OrganizationSlug })
	return refsNamed(all, own.Name), nil
}

func refsNamed(projects []Project, name string) (refs []string) {
	for _, p := range projects {
		if p.Name == name {
			refs = append(refs, p.Ref)
		}
	}
	return refs
}

// APIKeys lists the keys of a project.
func (c *Client) APIKeys(ctx context.Context, ref string) (out []APIKey, err error) {
	return out, c.into(ctx, &out, Path("projects", ref, "api-keys")+"?reveal=true")
}

// PublishableKey returns a publishable key of a project; "" if it has none.
func (c *Client) PublishableKey(ctx context.Context, ref string) (string, error) {
	keys, err := c.APIKeys(ctx, ref)
	for _, k := range keys {
		if k.Type == "publishable" && k.Text != "" {
			return k.Text, err
		}
	}
	return "", err
}

// CreateProject creates a project and waits until its database is ready.
func (c *Client) CreateProject(ctx context.Context, n NewProject) (Created, error) {
	if n.Organization == "" {
		orgs, err := c.Organizations(ctx)
		if err != nil {
			return Created{}, err
		}
		if len(orgs) == 0 {
			return Created{}, &Refusal{Status: 404, Code: "organization_not_found", Message: "you are in no organization: create one first"}
		}
		n.Organization = orgs[0].Slug
	}
	return c.created(ctx, Path("projects"), n)
}

// Branch copies a project, and waits until the copy is ready.
func (c *Client) Branch(ctx context.Context, ref, name, ttl string) (Created, error) {
	return c.created(ctx, Path("projects", ref, "branch"), struct {
		Name string `json:"name"`
		TTL  string `json:"ttl,omitempty"`
	}{name, ttl})
}

func (c *Client) created(ctx context.Context, path string, in any) (Created, error) {
	var out struct {
		Created
		Status string `json:"status"`
	}
	raw, err := c.Create(ctx, path+"?reveal=true", in)
	if err != nil {
		return out.Created, err
	}
	if err := json.Unmarshal(raw, &out); err != nil {
		return out.Created, fmt.Errorf("read the new project: %w", err)
	}
	if out.Status == statusComing {
		return out.Created, c.await(ctx, out.Ref)
	}
	return out.Created, nil
}

// await waits for a project's database, a minute at most. On failure the
// created project is still returned.
func (c *Client) await(ctx context.Context, ref string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		if p, err := c.Project(ctx, ref); err != nil || p.Status != statusComing {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("project %s exists, but its database is still being made", ref)
		case <-time.After(200 * time.Millisecond):
		}
	}
}

func (c *Client) into(ctx context.Context, out any, path string) error {
	raw, err := c.Get(ctx, path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(raw, out); err != nil {
		return fmt.Errorf("read the answer to %s: %w", path, err)
	}
	return nil
}
