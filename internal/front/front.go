// Package front is what a person sees of `reeve dev` in a browser: a page about
// the server and, for the holder of an access token, the projects with what an
// app needs and the captured mails; and the page that links in mails lead to
// while a project has no site of its own. It reads everything by the Management
// API, with the holder's token, so that it shows nobody more than the API does.
// It is not part of the server and can be replaced as a whole.
package front

import (
	"context"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/reevehq/reeve/internal/dashboard"
	"github.com/reevehq/reeve/internal/manage"
)

// Options configure Pages.
type Options struct {
	// Origin is the main host as people reach it; API is how this process does.
	Origin, API string
	// ProjectURL is the URL of a project.
	ProjectURL func(ref string) string
	// Ping reports whether Postgres can be reached.
	Ping func(ctx context.Context) error
	// Mail says where mails go.
	Mail    string
	Version string
	// CLI is how to call the command line for this server.
	CLI string
	// TokenFile is the file that has the access token.
	TokenFile string
	// Announce shows the person at the terminal a link that signs the operator in.
	Announce func(link string)
	// Session are the sessions of browsers on the main host.
	Session Session
	Now     func() time.Time // time.Now when nil
}

// Session is the session of a browser on the main host, which the Management API
// accepts too.
type Session interface {
	// Access returns the access token of a request's cookie, "" without one.
	Access(r *http.Request) string
	// SignIn begins a session of the operator.
	SignIn(w http.ResponseWriter, r *http.Request) error
	// SignOut ends the request's session, if it has one.
	SignOut(w http.ResponseWriter, r *http.Request) error
}

// Pages serves the pages. Requests must be for the main host.
type Pages struct {
	Options
	name     string // of the cookie
	visitors visitors
	guard    dashboard.Guard
	routes   *http.ServeMux
}

// New returns the pages.
func New(o Options) *Pages {
	if o.Now == nil {
		o.Now = time.Now
	}
	p := &Pages{
		Options: o, name: cookieName(o.Origin), visitors: newVisitors(o.Now), guard: dashboard.NewGuard(o.Origin), routes: http.NewServeMux(),
	}
	p.routes.HandleFunc("GET /{$}", p.home)
	p.routes.HandleFunc("GET "+openPath, p.invitation)
	p.routes.HandleFunc("POST "+openPath, p.redeem)
	p.routes.HandleFunc("POST /dev/link", p.announce)
	p.routes.HandleFunc("POST /dev/sign-in", p.signIn)
	p.routes.HandleFunc("POST /dev/sign-out", p.signOut)
	p.routes.HandleFunc("GET /dev/inbox/{ref}", p.inbox)
	p.routes.HandleFunc("GET /dev/inbox/{ref}/{id}", p.mail)
	p.routes.HandleFunc("GET /dev/inbox/{ref}/{id}/html", p.mailHTML)
	p.routes.HandleFunc("GET "+landingPath+"{ref}", p.landing)
	p.routes.HandleFunc("/", p.nothing)
	return p
}

const (
	openPath    = "/dev/open"
	landingPath = "/landing/"
	// maxForm bounds a form, in bytes.
	maxForm = 4 << 10
)

// ServeHTTP answers only requests that a page of this server can have caused.
// Another name that leads here may belong to a stranger, whose page in the
// browser would then be of the same origin (DNS rebinding).
func (p *Pages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !p.knows(r.Host) {
		p.nothing(w, r)
		return
	}
	// A link may lead here from anywhere.
	if r.Method != http.MethodGet && p.guard.Check(r) != nil {
		notice(w, http.StatusForbidden, "This form was sent by another site", "Open the page of Reeve and send the form there.")
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	p.routes.ServeHTTP(w, r)
}

// knows reports whether a Host is the main host's name, this machine's or an IP
// address.
func (p *Pages) knows(hostport string) bool {
	u := url.URL{Host: hostport}
	name := strings.ToLower(u.Hostname())
	if main, err := url.Parse(p.Origin); err == nil && strings.EqualFold(name, main.Hostname()) {
		return true
	}
	_, err := netip.ParseAddr(name)
	return name == "localhost" || err == nil
}

func (p *Pages) nothing(w http.ResponseWriter, _ *http.Request) {
	notice(w, http.StatusNotFound, "There is nothing here", "Check the address for missing or additional characters.")
}

// client calls the Management API with a token.
func (p *Pages) client(token string) *manage.Client { return manage.New(p.API, token) }
