package project

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"

	"github.com/reevehq/reeve/internal/authz"
	"github.com/reevehq/reeve/internal/control/text"
	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/tenants"
)

// Cards is a page of an organization's projects with what an overview shows.
type Cards struct {
	Projects []Card  `json:"projects"`
	Count    int     `json:"count" doc:"Of all that match."`
	Next     *string `json:"next" doc:"The cursor of the next page; null on the last one."`
}

// Card is a project in an overview of many.
type Card struct {
	Ref       string     `json:"ref"`
	Name      string     `json:"name"`
	Status    string     `json:"status"`
	Region    string     `json:"region"`
	URL       string     `json:"url"`
	CreatedAt time.Time  `json:"created_at"`
	ExpiresAt *time.Time `json:"expires_at" doc:"When the project deletes itself; null for never."`
	BranchOf  string     `json:"branch_of,omitempty" doc:"Ref of the project that this one is a branch of."`
	Platform  bool       `json:"platform" doc:"Its users are those of the dashboard."`
	Users     *int64     `json:"users" doc:"An estimate: counted once an hour while the project is used; null before."`
	SignIns   Sparkline  `json:"sign_ins"`
	SignUps   Sparkline  `json:"sign_ups"`
	// ActiveUsersPeak is a lower bound of the week's active users.
	ActiveUsersPeak int64      `json:"active_users_peak" doc:"The most distinct users that were active in an hour or a day of the last seven; an estimate."`
	LastActivityAt  *time.Time `json:"last_activity_at" doc:"The beginning of the last hour with any request that is counted; null for none within 35 days."`
}

// Sparkline is a count of the last seven days.
type Sparkline struct {
	Total int64   `json:"total"`
	Days  []int64 `json:"days" doc:"Seven days (UTC), the current one last."`
}

type cardsInput struct {
	Slug   string `path:"slug"`
	Search string `query:"search" maxLength:"100" doc:"Part of a name, or the beginning of a ref."`
	Cursor string `query:"cursor" maxLength:"2000" doc:"The next of the page before, for the same search."`
	Limit  int    `query:"limit" minimum:"1" maximum:"100" default:"50"`
}

// Cards returns a page of cards of the projects that the actor may read, by name.
func (s *Service) Cards(ctx context.Context, actor authz.Actor, in *cardsInput) (*Cards, error) {
	org, g, err := s.Authz.OrganizationGrants(ctx, actor, in.Slug)
	if err == nil {
		err = g.Require(authz.ReadOrganization)
	}
	if err != nil {
		return nil, err
	}
	q := controldb.CardQuery{Organization: org.ID, Search: strings.TrimSpace(in.Search), Limit: in.Limit + 1}
	if q.After, err = cardPlace(in.Cursor); err != nil {
		return nil, err
	}
	if !g.May(authz.ReadProject) { // in the whole organization
		if q.Refs, err = s.readable(ctx, actor, org); err != nil {
			return nil, err
		}
	}
	out := &Cards{Projects: []Card{}}
	if out.Count, err = s.DB.CountProjectCards(ctx, q); err != nil {
		return nil, err
	}
	found, err := s.DB.ProjectCards(ctx, q, s.Now())
	if err != nil {
		return nil, err
	}
	if len(found) > in.Limit {
		found = found[:in.Limit]
		next := cardCursor(found[in.Limit-1].Place)
		out.Next = &next
	}
	for _, c := range found {
		out.Projects = append(out.Projects, s.card(c))
	}
	return out, nil
}

// readable names the projects of an organization that the actor may read.
func (s *Service) readable(ctx context.Context, actor authz.Actor, org controldb.Organization) ([]tenants.Ref, error) {
	projects, err := s.Authz.Projects(ctx, actor, org)
	refs := []tenants.Ref{}
	for _, p := range projects {
		refs = append(refs, p.Ref)
	}
	return refs, err
}

func (s *Service) card(c controldb.ProjectCard) Card {
	return Card{
		Ref: string(c.Ref), Name: c.Name, Status: statusOnWire(c.Status), Region: c.Region, URL: s.URL(c.Ref),
		CreatedAt: c.CreatedAt.UTC(), ExpiresAt: c.ExpiresAt, BranchOf: string(c.BranchOf), Platform: c.Platform, Users: c.Users,
		SignIns: sparkline(c.SignIns), SignUps: sparkline(c.SignUps), ActiveUsersPeak: c.ActiveUsersPeak, LastActivityAt: c.LastActivity,
	}
}

func sparkline(days [controldb.CardDays]int64) Sparkline {
	out := Sparkline{Days: days[:]}
	for _, n := range days {
		out.Total += n
	}
	return out
}

// cardCursor is a place as it travels.
func cardCursor(at controldb.CardPlace) string {
	raw, _ := json.Marshal([2]string{at.Name, string(at.Ref)}) // texts
	return base64.RawURLEncoding.EncodeToString(raw)
}

var errCursor = text.ErrInvalid.Saying("cursor: is not one of this list")

func cardPlace(cursor string) (at controldb.CardPlace, err error) {
	if cursor == "" {
		return at, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		return at, errCursor
	}
	var parts [2]string
	if err := json.Unmarshal(raw, &parts); err != nil || strings.ContainsRune(parts[0], 0) {
		return at, errCursor
	}
	ref, err := tenants.ParseRef(parts[1])
	if err != nil {
		return at, errCursor
	}
	return controldb.CardPlace{Name: parts[0], Ref: ref}, nil
}
