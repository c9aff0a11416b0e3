package front

import (
	"context"
	"net/http"
	"slices"
	"strconv"

	"github.com/reevehq/reeve/internal/manage"
	"github.com/reevehq/reeve/internal/snippet"
)

const (
	// perPage is how many projects a page shows: each costs two requests.
	perPage = 10
	// recent is how many mails of a project the home page shows.
	recent = 3
)

// view is the data of the home page.
type view struct {
	*Pages
	Problem  string // what went wrong with signing in
	Services []service
	SignedIn bool
	Projects []project
	Total    int
	Page     int // from 1
	Earlier  int // page numbers, 0 for none
	Later    int
}

// service is a part of the server.
type service struct {
	Name, State string
	Down        bool
}

type project struct {
	snippet.Project
	Name, Status string
	Mails        []mail
	First        bool // of the page
}

// Ready reports whether apps can use the project.
func (p project) Ready() bool { return p.Key != "" }

func (p *Pages) home(w http.ResponseWriter, r *http.Request) { p.showHome(w, r, http.StatusOK, view{}) }

// showHome shows the server and, to a visitor, the projects.
func (p *Pages) showHome(w http.ResponseWriter, r *http.Request, status int, v view) {
	v.Pages, v.Services = p, p.services(r.Context())
	if token, ok := p.visit(r); ok {
		err := v.read(r.Context(), p.client(token), r.URL.Query().Get("page"))
		if refused(err, http.StatusUnauthorized) && p.resume(w, r, status) {
			return
		}
		v.SignedIn = err == nil
		if err != nil && !refused(err, http.StatusUnauthorized) {
			v.Problem = "The projects could not be read: " + err.Error()
		}
	}
	homePage.Write(w, status, v)
}

// resume answers a browser whose session has to be continued with a page that does
// so and opens the address again; false if it has no session.
func (p *Pages) resume(w http.ResponseWriter, r *http.Request, status int) bool {
	if p.Session.Access(r) == "" || r.Method != http.MethodGet {
		return false
	}
	resumePage.Write(w, status, nil)
	return true
}

func (p *Pages) services(ctx context.Context) []service {
	postgres := service{Name: "Postgres", State: "reachable"}
	if err := p.Ping(ctx); err != nil {
		postgres.State, postgres.Down = "cannot be reached", true
	}
	return []service{
		{Name: "Auth API", State: "running"},
		{Name: "Management API", State: "running"},
		postgres,
		{Name: "Mail", State: p.Mail},
	}
}

// read reads a page of the projects.
func (v *view) read(ctx context.Context, c *manage.Client, page string) error {
	all, err := c.Projects(ctx)
	if err != nil {
		return err
	}
	slices.Reverse(all) // the newest first
	v.Total = len(all)
	last := max(1, (len(all)+perPage-1)/perPage)
	n, err := strconv.Atoi(page)
	if err != nil {
		n = 1
	}
	v.Page = min(max(n, 1), last)
	v.Earlier = v.Page - 1
	if v.Page < last {
		v.Later = v.Page + 1
	}
	for _, found := range all[(v.Page-1)*perPage : min(v.Page*perPage, len(all))] {
		one, err := v.project(ctx, c, found)
		if err != nil {
			return err
		}
		one.First = len(v.Projects) == 0
		v.Projects = append(v.Projects, one)
	}
	return nil
}

// project reads what the page shows of a project. A key or mails that the
// visitor may not see, and a project that is deleted meanwhile, are no error.
func (p *Pages) project(ctx context.Context, c *manage.Client, found manage.Project) (project, error) {
	out := project{Project: snippet.Project{Ref: found.Ref, URL: p.ProjectURL(found.Ref)}, Name: found.Name, Status: found.Status}
	key, err := c.PublishableKey(ctx, found.Ref)
	if err != nil && !hidden(err) {
		return out, err
	}
	out.Key = key
	mails, err := c.Inbox(ctx, found.Ref, recent)
	if err != nil && !hidden(err) {
		return out, err
	}
	out.Mails = p.mails(mails)
	return out, nil
}

func hidden(err error) bool {
	return refused(err, http.StatusForbidden) || refused(err, http.StatusNotFound)
}
