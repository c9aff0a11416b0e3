package project

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/reevehq/reeve/internal/authz"
	"github.com/reevehq/reeve/internal/controldb"
)

// ListOf returns a page of an organization's projects.
func (s *Service) ListOf(ctx context.Context, actor authz.Actor, in *pageInput) (*Page, error) {
	org, err := s.Authz.Organization(ctx, actor, authz.ReadOrganization, in.Slug)
	if err != nil {
		return nil, err
	}
	all, err := s.Authz.Projects(ctx, actor, org)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(p controldb.Project) bool { return !in.matches(p) })
	slices.SortStableFunc(all, in.compare)
	out := &Page{
		Projects:   []PageItem{},
		Pagination: Pagination{Count: len(all), Limit: in.Limit, Offset: in.Offset},
	}
	from := min(in.Offset, len(all))
	for _, p := range all[from:min(from+in.Limit, len(all))] {
		out.Projects = append(out.Projects, pageItem(p))
	}
	return out, nil
}

func (in *pageInput) matches(p controldb.Project) bool {
	search := strings.ToLower(in.Search)
	if !strings.Contains(strings.ToLower(p.Name), search) && !strings.Contains(string(p.Ref), search) {
		return false
	}
	return in.Statuses == "" || slices.Contains(strings.Split(in.Statuses, ","), statusOnWire(p.Status))
}

func (in *pageInput) compare(a, b controldb.Project) int {
	switch in.Sort {
	case "name_desc":
		return cmp.Compare(b.Name, a.Name)
	case "created_asc":
		return cmp.Compare(a.ID, b.ID)
	case "created_desc":
		return cmp.Compare(b.ID, a.ID)
	default:
		return cmp.Compare(a.Name, b.Name)
	}
}
