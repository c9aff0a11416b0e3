package front

import (
	"net/http"
	"net/url"

	"github.com/reevehq/reeve/tenants"
)

// Landing is the address that links in a project's mails lead to until the
// project has a site of its own.
func Landing(origin string, ref tenants.Ref) string { return origin + landingPath + string(ref) }

// IsLanding reports whether a project's site is that page, at any origin.
func IsLanding(site string, ref tenants.Ref) bool {
	u, err := url.Parse(site)
	return err == nil && u.Path == landingPath+string(ref)
}

// landing says what became of a link. The outcome is in the fragment of the
// address, which no server gets: the page's script reads it.
func (p *Pages) landing(w http.ResponseWriter, r *http.Request) {
	ref, err := tenants.ParseRef(r.PathValue("ref"))
	if err != nil {
		p.nothing(w, r)
		return
	}
	landingPage.Write(w, http.StatusOK, struct{ CLI, Ref string }{p.CLI, string(ref)})
}
