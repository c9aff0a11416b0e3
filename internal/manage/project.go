package manage

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
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

// APIKeys lists the keys of a project.
func (c *Client) APIKeys(ctx context.Context, ref string) (out []APIKey, err error) {
	return out, c.into(ctx, &out, Path("projects", ref, "api-keys")+"?reveal=true")
}

// CreateProject creates a project in an organization (when org is empty, the
// first one of the token's owner) and waits until its database is ready.
func (c *Client) CreateProject(ctx context.Context, name, org string) (Created, error) {
	var out struct {
		Created
		Status string `json:"status"`
	}
	if org == "" {
		orgs, err := c.Organizations(ctx)
		if err != nil {
			return out.Created, err
		}
		if len(orgs) == 0 {
			return out.Created, &Refusal{Status: 404, Code: "organization_not_found", Message: "you are in no organization: create one first"}
		}
		org = orgs[0].Slug
	}
	raw, err := c.Create(ctx, Path("projects"), map[string]string{"name": name, "organization_slug": org})
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
		var p Project
		if err := c.into(ctx, &p, Path("projects", ref)); err != nil || p.Status != statusComing {
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
