package apikey

import (
	"context"
	"errors"
	"time"

	"github.com/reevehq/reeve/internal/authz"
	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/tenants"
)

// useDays is how many days of a key's use are answered.
const useDays = 30

// Use is the use of a key: requests that it admitted.
type Use struct {
	ID          string     `json:"id" doc:"Of the key; anon or service_role for a legacy one."`
	Name        string     `json:"name"`
	Type        string     `json:"type" enum:"legacy,publishable,secret"`
	LastUsedAt  *time.Time `json:"last_used_at" nullable:"true" doc:"null if it was never used."`
	LastIP      *string    `json:"last_ip" nullable:"true" doc:"Address of the client that used it last. This and what follows is null after 30 days, and for members who may not read the project's log."`
	LastAgent   *string    `json:"last_user_agent" nullable:"true"`
	LastSDK     *string    `json:"last_sdk" nullable:"true" doc:"Name that the client sent in X-Client-Info."`
	LastVersion *string    `json:"last_sdk_version" nullable:"true"`
	Days        []UseDay   `json:"days" doc:"Days (UTC) of the last 30 on which it was used, in ascending order."`
}

// UseDay is the number of requests on a day.
type UseDay struct {
	Day   string `json:"day" format:"date"`
	Count int64  `json:"count"`
}

type refInput struct {
	Ref string `path:"ref"`
}

type useInput struct {
	Ref string `path:"ref"`
	ID  string `path:"id" doc:"Id of a key, or anon or service_role."`
}

// Uses returns the use of all keys of a project, legacy ones included if they are
// enabled or were used.
func (s *Service) Uses(ctx context.Context, actor authz.Actor, ref string) ([]Use, error) {
	p, err := s.Authz.Project(ctx, actor, authz.ReadAPIKeys, ref)
	if err != nil {
		return nil, err
	}
	// The addresses of a publishable key are those of users.
	_, err = s.Authz.Project(ctx, actor, authz.ReadLogs, ref)
	if err != nil && !errors.Is(err, authz.ErrForbidden) && !errors.Is(err, authz.ErrTokenScope) {
		return nil, err
	}
	who := err == nil
	found, err := s.DB.KeyUses(ctx, p.Ref, s.Now().AddDate(0, 0, 1-useDays))
	if err != nil {
		return nil, err
	}
	keys, err := s.DB.APIKeys(ctx, p.Ref)
	if err != nil {
		return nil, err
	}
	out := []Use{}
	for _, role := range []tenants.Role{tenants.RoleAnon, tenants.RoleService} {
		if u, used := found[string(role)]; used || p.LegacyKeys {
			out = append(out, useOf(string(role), string(role), "legacy", u, who))
		}
	}
	for _, k := range keys {
		out = append(out, useOf(k.ID.String(), k.Name, string(k.Type), found[k.ID.String()], who))
	}
	return out, nil
}

// Use returns the use of a key; controldb.ErrNoAPIKey.
func (s *Service) Use(ctx context.Context, actor authz.Actor, ref, id string) (*Use, error) {
	all, err := s.Uses(ctx, actor, ref)
	if err != nil {
		return nil, err
	}
	for i := range all {
		if all[i].ID == id {
			return &all[i], nil
		}
	}
	return nil, controldb.ErrNoAPIKey
}

// useOf converts the use of a key; who says whether the client is shown.
func useOf(id, name, typ string, u controldb.KeyUse, who bool) Use {
	out := Use{ID: id, Name: name, Type: typ, Days: []UseDay{}}
	if !u.At.IsZero() {
		at := u.At.UTC()
		out.LastUsedAt = &at
	}
	if who {
		for to, text := range map[**string]string{&out.LastIP: u.IP, &out.LastAgent: u.Agent, &out.LastSDK: u.SDK, &out.LastVersion: u.Version} {
			if text != "" {
				*to = &text
			}
		}
	}
	for _, d := range u.Days {
		out.Days = append(out.Days, UseDay{Day: d.Day.UTC().Format(time.DateOnly), Count: d.Count})
	}
	return out
}
