package dev

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/reevehq/reeve/internal/front"
	"github.com/reevehq/reeve/internal/manage"
	"github.com/reevehq/reeve/tenants"
)

// moveSites gives projects whose links lead to Reeve's own page its address of
// this start, if that is another one than at the last start. A site that the
// developer set is left alone.
func (d development) moveSites(ctx context.Context, client *manage.Client) error {
	origin := d.Config.HTTP.Origin()
	if d.before.URL == origin {
		return nil
	}
	projects, err := client.Projects(ctx)
	if err != nil {
		return err
	}
	for _, p := range projects {
		path, ref := manage.Path("projects", p.Ref, "config", "auth"), tenants.Ref(p.Ref)
		raw, err := client.Get(ctx, path)
		if err != nil {
			return err
		}
		var config struct {
			SiteURL string `json:"site_url"`
		}
		if err := json.Unmarshal(raw, &config); err != nil {
			return fmt.Errorf("read the settings of %s: %w", p.Ref, err)
		}
		site := front.Landing(origin, ref)
		if config.SiteURL == site || !front.IsLanding(config.SiteURL, ref) {
			continue
		}
		if _, err := client.Change(ctx, path, map[string]string{"site_url": site}); err != nil {
			return err
		}
	}
	return nil
}
