// Package front is the browser's side of `reeve dev` beside the dashboard: the link
// that signs the operator in, once, and the page that links in mails lead to while a
// project has no site of its own.
package front

import (
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/reevehq/reeve/internal/dashboard"
)

// Options configure Pages.
type Options struct {
	// Origin is the main host as people reach it.
	Origin string
	// CLI is how to call the command line for this server.
	CLI string
	// SignIn gives a browser a session of the operator on the main host.
	SignIn func(w http.ResponseWriter, r *http.Request) error
	// Announce shows the person at the terminal a link that signs the operator in.
	Announce func(link string)
	Now      func() time.Time // time.Now when nil
}

// Pages serves the pages. Requests must be for the main host.
type Pages struct {
	Options
	codes  codes
	guard  dashboard.Guard
	routes *http.ServeMux
}

// New returns the pages.
func New(o Options) *Pages {
	if o.Now == nil {
		o.Now = time.Now
	}
	p := &Pages{Options: o, codes: newCodes(o.Now), guard: dashboard.NewGuard(o.Origin), routes: http.NewServeMux()}
	p.routes.HandleFunc("GET "+openPath, p.invitation)
	p.routes.HandleFunc("POST "+openPath, p.redeem)
	p.routes.HandleFunc("POST /dev/link", p.announce)
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
