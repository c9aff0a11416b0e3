package authconfig

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/reevehq/reeve/internal/authz"
	"github.com/reevehq/reeve/internal/control/text"
	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/internal/setting"
	"github.com/reevehq/reeve/internal/web/control"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// ErrStale is returned for a change of another version than the one in force.
var ErrStale = fault.New(fault.Conflict, "auth_config_changed",
	"The configuration was changed in the meantime: read it again")

// Version describes a version of the configuration.
type Version struct {
	Version   int      `json:"version"`
	Author    string   `json:"author,omitempty" doc:"Id of the user who made it; empty for the server itself."`
	CreatedAt string   `json:"created_at"`
	Reason    string   `json:"reason,omitempty"`
	InForce   bool     `json:"in_force"`
	Changed   []string `json:"changed" doc:"Names of the settings in which it differs from the version before it, if that is kept."`
}

// Difference is a comparison of two versions.
type Difference struct {
	From    int      `json:"from" doc:"0 when there is none."`
	To      int      `json:"to"`
	Changes []Change `json:"changes"`
}

// Change is a setting that differs. Secrets are shown as fingerprints.
type Change struct {
	Name   string `json:"name"`
	Before any    `json:"before"`
	After  any    `json:"after"`
	Secret bool   `json:"secret,omitempty" doc:"Before and after are fingerprints."`
}

// Preview is the answer to a change with dry_run.
type Preview struct {
	DryRun   bool     `json:"dry_run"`
	Version  int      `json:"version" doc:"The version in force."`
	Changes  []Change `json:"changes"`
	Warnings []string `json:"warnings"`
}

// Terms are the circumstances of a change.
type Terms struct {
	Reason  string // at most 500 characters
	Version string // If-Match: the version that must be in force; "" for any
	DryRun  bool   // change nothing
}

func (t *Terms) check() (version int, err error) {
	if t.Reason != "" {
		if t.Reason, err = text.Name("reason", t.Reason, 0, 500); err != nil {
			return 0, err
		}
	}
	if t.Version == "" || t.Version == "*" {
		return 0, nil
	}
	n, err := fmt.Sscanf(strings.Trim(t.Version, `"`), "%d", &version)
	if err != nil || n != 1 || version < 1 || t.Version != control.ETag(version) && t.Version != strings.Trim(control.ETag(version), `"`) {
		return 0, text.Invalid("If-Match: must be a version of the configuration, such as %s", control.ETag(7))
	}
	return version, nil
}

// differences lists the settings in which two versions differ, by name.
func differences(before, after values, f fingerprinter) []Change {
	out := []Change{}
	old, now := onWire(before, f), onWire(after, f)
	for _, s := range setting.All() {
		if old[s.Name] != now[s.Name] {
			out = append(out, Change{Name: s.Name, Before: old[s.Name], After: now[s.Name], Secret: s.Secret})
		}
	}
	slices.SortFunc(out, func(a, b Change) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// History lists up to limit versions below before, the newest first; 0 begins with
// the newest.
func (s *Service) History(ctx context.Context, actor authz.Actor, ref string, before, limit int) ([]Version, error) {
	p, err := s.Authz.Project(ctx, actor, authz.ReadAuthConfig, ref)
	if err != nil {
		return nil, err
	}
	rows, err := s.DB.AuthConfigVersions(ctx, p.Ref, before, limit+1)
	if err != nil {
		return nil, err
	}
	dk, f, err := s.keys(ctx, p.Ref)
	if err != nil {
		return nil, err
	}
	out := []Version{}
	for i, row := range rows[:min(limit, len(rows))] {
		v := Version{
			Version: row.Version, Reason: row.Reason, InForce: row.Version == p.ConfigVersion,
			CreatedAt: row.CreatedAt.UTC().Format(time.RFC3339Nano), Changed: []string{},
		}
		if row.Author != nil {
			v.Author = row.Author.String()
		}
		if i+1 < len(rows) {
			before, err := open(rows[i+1], dk)
			if err != nil {
				return nil, err
			}
			after, err := open(row, dk)
			if err != nil {
				return nil, err
			}
			for _, c := range differences(before, after, f) {
				v.Changed = append(v.Changed, c.Name)
			}
		}
		out = append(out, v)
	}
	return out, nil
}

// Compare compares a version with another one, by default the one before it.
// ErrNoAuthConfig for a version that is not kept.
func (s *Service) Compare(ctx context.Context, actor authz.Actor, ref string, from, to int) (*Difference, error) {
	p, err := s.Authz.Project(ctx, actor, authz.ReadAuthConfig, ref)
	if err != nil {
		return nil, err
	}
	dk, f, err := s.keys(ctx, p.Ref)
	if err != nil {
		return nil, err
	}
	stored, err := s.DB.AuthConfigVersion(ctx, p.Ref, to)
	if err != nil {
		return nil, err
	}
	after, err := open(stored, dk)
	if err != nil {
		return nil, err
	}
	var other controldb.AuthConfig
	if from != 0 {
		other, err = s.DB.AuthConfigVersion(ctx, p.Ref, from)
	} else {
		var earlier []controldb.AuthConfig
		earlier, err = s.DB.AuthConfigVersions(ctx, p.Ref, to, 1)
		if err == nil && len(earlier) == 0 {
			return &Difference{To: to, Changes: []Change{}}, nil
		}
		if err == nil {
			other = earlier[0]
		}
	}
	if err != nil {
		return nil, err
	}
	before, err := open(other, dk)
	if err != nil {
		return nil, err
	}
	return &Difference{From: other.Version, To: to, Changes: differences(before, after, f)}, nil
}

// Rollback makes the values of an earlier version, secrets included, a new version
// that is in force.
func (s *Service) Rollback(ctx context.Context, actor authz.Actor, ref string, version int, terms Terms) (any, error) {
	p, err := s.Authz.Project(ctx, actor, authz.WriteAuthConfig, ref)
	if err != nil {
		return nil, err
	}
	return s.change(ctx, actor, p.Ref, terms, func(tx *controldb.Tx, k keys, before values) (values, map[string]any, error) {
		stored, err := tx.AuthConfigVersion(ctx, p.Ref, version)
		if err != nil {
			return values{}, nil, err
		}
		after, err := open(stored, k.data)
		if err != nil {
			return values{}, nil, err
		}
		// A policy that was off meanwhile begins anew.
		after.config.MFAPolicySince = before.config.MFAPolicySince
		after.config.BeginMFAPolicy(&before.config, s.Now())
		// Rules may have been added since.
		if err := after.config.CheckTogether(after.secrets); err != nil {
			return values{}, nil, text.Invalid("%s", err)
		}
		changed := map[string]any{}
		for _, c := range differences(before, after, k.fingerprints) {
			if !c.Secret {
				changed[c.Name] = c.Before
			}
		}
		return after, changed, nil
	})
}

// enabled reports whether users can sign in in a way. What the settings do not
// decide, such as a custom provider, is.
func enabled(c *setting.Config, way string) bool {
	switch way {
	case "email":
		return c.ExternalEmailEnabled
	case "phone":
		return c.ExternalPhoneEnabled
	}
	p, known := c.Provider(way)
	return !known || p.Enabled
}

// waysInTimeout bounds the count of the users that a change would shut out.
const waysInTimeout = 3 * time.Second

// warnings says what a change takes from users.
func (s *Service) warnings(ctx context.Context, ref tenants.Ref, before, after values) []string {
	out := []string{}
	if before.config.DisableSignup != after.config.DisableSignup && after.config.DisableSignup {
		out = append(out, "New users cannot sign up.")
	}
	if before.config.SMTPHost != "" && after.config.SMTPHost == "" {
		out = append(out, "The project has no mail server of its own any more.")
	}
	if s.WaysIn == nil {
		return out
	}
	ctx, cancel := context.WithTimeout(ctx, waysInTimeout)
	defer cancel()
	all, err := s.WaysIn(ctx, ref)
	if err != nil {
		return append(out, "The users that this shuts out could not be counted.")
	}
	var lost int64
	for _, w := range all {
		could := slices.ContainsFunc(w.Ways, func(way string) bool { return enabled(&before.config, way) })
		can := slices.ContainsFunc(w.Ways, func(way string) bool { return enabled(&after.config, way) })
		if could && !can {
			lost += w.Users
		}
	}
	if lost == 1 {
		out = append(out, "This disables the only way in of 1 user.")
	} else if lost > 1 {
		out = append(out, fmt.Sprintf("This disables the only way in of %d users.", lost))
	}
	return out
}

// WaysIn counts the users of a project by their ways to sign in.
type WaysIn func(ctx context.Context, ref tenants.Ref) ([]tenantdb.WaysIn, error)
