package front

import (
	"net/http"
	"net/netip"
	"net/url"
)

// Link returns the address at which a browser on this machine, once and soon, is
// signed in as the operator. No token is in an address, which ends up in histories.
func (p *Pages) Link() string {
	return p.Origin + openPath + "?" + url.Values{"code": {p.codes.add()}}.Encode()
}

// announce shows a new link at the terminal, so that only who sees the terminal can
// use it; for programs of this machine, and now and then.
func (p *Pages) announce(w http.ResponseWriter, r *http.Request) {
	switch {
	case !local(r) || p.Announce == nil:
		notice(w, http.StatusForbidden, "This works on the server's own machine only", "The terminal of reeve dev shows a link that signs you in.")
	case !p.codes.mayAnnounce():
		notice(w, http.StatusTooManyRequests, "A link was just printed", "The terminal of reeve dev shows it.")
	default:
		p.Announce(p.Link())
		w.WriteHeader(http.StatusNoContent)
	}
}

// invitation asks the browser to send the code in a form, which a program that
// only looks at addresses does not do.
func (p *Pages) invitation(w http.ResponseWriter, r *http.Request) {
	openPage.Write(w, http.StatusOK, r.URL.Query().Get("code"))
}

// redeem exchanges a code for a session of the operator, for this machine only.
func (p *Pages) redeem(w http.ResponseWriter, r *http.Request) {
	if !local(r) || !p.codes.redeem(r.PostFormValue("code")) {
		notice(w, http.StatusForbidden, "This link was used or has expired", "The sign-in page has the terminal of reeve dev print a new one.")
		return
	}
	if err := p.SignIn(w, r); err != nil {
		notice(w, http.StatusBadGateway, "The server did not answer", "Look at what reeve dev printed, then open the link of its sign-in page.")
		return
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// local reports whether the request comes from this machine.
func local(r *http.Request) bool {
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && from.Addr().Unmap().IsLoopback()
}
