package dev

import (
	"net/http"

	"github.com/reevehq/reeve/internal/server"
)

// operatorSession is the session of a browser in which the operator is signed in.
type operatorSession struct{ of func() *server.Server }

// Access returns the access token of a request's cookie.
func (s operatorSession) Access(r *http.Request) string { return s.of().Browsers().Cookies.Access(r) }

// SignIn begins a session.
func (s operatorSession) SignIn(w http.ResponseWriter, r *http.Request) error {
	return s.of().SignInOperator(w, r)
}

// SignOut ends it.
func (s operatorSession) SignOut(w http.ResponseWriter, r *http.Request) error {
	return s.of().Browsers().SignOut(w, r)
}
