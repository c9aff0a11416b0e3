package front

import (
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strings"

	"github.com/reevehq/reeve/internal/manage"
)

// Link returns the address at which a browser on this machine, once and soon, is
// signed in as the operator. No token is in an address, which ends up in histories.
func (p *Pages) Link() string {
	return p.Origin + openPath + "?" + url.Values{"code": {p.visitors.code()}}.Encode()
}

// announce shows a new link at the terminal, so that only who sees the terminal can
// use it; for programs of this machine, and now and then.
func (p *Pages) announce(w http.ResponseWriter, r *http.Request) {
	if !local(r) || p.Announce == nil {
		notice(w, http.StatusForbidden, "This works on the server's own machine only", "The terminal of reeve dev shows a link that signs you in.")
		return
	}
	if !p.visitors.mayAnnounce() {
		notice(w, http.StatusTooManyRequests, "A link was just printed", "The terminal of reeve dev shows it.")
		return
	}
	p.Announce(p.Link())
	w.WriteHeader(http.StatusNoContent)
}

// invitation asks the browser to send the code in a form, which a program that
// only looks at addresses does not do.
func (p *Pages) invitation(w http.ResponseWriter, r *http.Request) {
	openPage.Write(w, http.StatusOK, r.URL.Query().Get("code"))
}

// redeem exchanges a code for a session of the operator, for this machine only.
func (p *Pages) redeem(w http.ResponseWriter, r *http.Request) {
	if !local(r) || !p.visitors.redeem(r.PostFormValue("code")) {
		p.showHome(w, r, http.StatusForbidden, view{Problem: "This link was used or has expired. Each start of reeve dev prints a new one; the access token works at any time."})
		return
	}
	if err := p.Session.SignIn(w, r); err != nil {
		p.failed(w, err)
		return
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// local reports whether the request comes from this machine.
func local(r *http.Request) bool {
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && from.Addr().Unmap().IsLoopback()
}

// tokenForm is what can be sent as an access token.
var tokenForm = regexp.MustCompile(`^[A-Za-z0-9_]{1,100}$`)

// signIn begins a visit for an access token.
func (p *Pages) signIn(w http.ResponseWriter, r *http.Request) {
	token := strings.TrimSpace(r.PostFormValue("token"))
	var err error
	well := tokenForm.MatchString(token)
	if well {
		_, err = p.client(token).Get(r.Context(), manage.Path("profile"))
	}
	switch {
	case !well, refused(err, http.StatusUnauthorized):
		p.showHome(w, r, http.StatusUnauthorized, view{Problem: "That is no access token of this server, or it was revoked."})
	case err != nil:
		p.failed(w, err)
	default:
		p.setCookie(w, p.visitors.begin(token), visitTTL)
		http.Redirect(w, r, "/", http.StatusSeeOther)
	}
}

// signOut ends the session and the visit, whichever the browser has.
func (p *Pages) signOut(w http.ResponseWriter, r *http.Request) {
	if err := p.Session.SignOut(w, r); err != nil {
		p.failed(w, err)
		return
	}
	if c, err := r.Cookie(p.name); err == nil {
		p.visitors.end(c.Value)
	}
	p.setCookie(w, "", 0)
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// refused reports whether an error is an answer with a status.
func refused(err error, status int) bool {
	var r *manage.Refusal
	return errors.As(err, &r) && r.Status == status
}

// failed explains an error of the Management API.
func (p *Pages) failed(w http.ResponseWriter, err error) {
	var r *manage.Refusal
	switch {
	case refused(err, http.StatusNotFound):
		notice(w, http.StatusNotFound, "There is no such project", "It was deleted, or the access token does not show it.")
	case refused(err, http.StatusForbidden):
		notice(w, http.StatusForbidden, "The access token does not show this", "Captured messages sign users in, so members who only read do not see them.")
	case errors.As(err, &r):
		notice(w, http.StatusBadGateway, "The server did not answer", r.Message)
	default:
		notice(w, http.StatusBadGateway, "The server did not answer", "Look at what reeve dev printed, then reload the page.")
	}
}
