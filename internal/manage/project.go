package manage

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// Organization is an organization as far as this package needs it.
type Organization struct {
	Slug string `json:"slug"`
	Name string `json:"name"`
}

// Project is a project as far as this package needs it.
type Project struct {
	Ref              string `json:"ref"`
	Name             string `json:"name"`
	OrganizationSlug string `json:"organization_slug"`
	Status           string `json:"status"`
}

// Created is what is told once of a new project.
type Created struct {
	Ref            string `json:"ref"`
	URL            string `json:"url"`
	PublishableKey string `json:"publishable_key"`
	SecretKey      string `json:"secret_key"`
	DatabaseURL    string `json:"db_url"`
}

// APIKey is an API key; Text is empty where it is not shown.
type APIKey struct {
	Text string `json:"api_key"`
	ID   string `json:"id"`
	Type string `json:"type"`
	Name string `json:"name"`
}

// statusComing is the status of a project whose database is still being made.
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

// CreateProject makes a project in an organization, or in the first one that the
// token's owner has when org is empty, and waits until its database is there.
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

// await waits for a project's database, a minute at most: what was created is
// told all the same.
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
