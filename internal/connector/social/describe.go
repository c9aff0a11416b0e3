package social

import (
	"errors"
	"fmt"
	"strings"

	"github.com/reevehq/reeve/internal/connector"
)

// missing is the fault for an answer without something that it must have.
func missing(what string) error {
	return connector.ErrProfile.Because(fmt.Errorf("the provider sent no %s", what))
}

// asProfile turns the fault of an ID token that the provider itself sent into
// one of its description: no client sent a bad token.
func asProfile(err error) error {
	if errors.Is(err, connector.ErrIDToken) {
		return connector.ErrProfile.Because(err)
	}
	return err
}

// fullName joins the parts of a name.
func fullName(parts ...string) string {
	return strings.TrimSpace(strings.Join(strings.Fields(strings.Join(parts, " ")), " "))
}

// email is one of a user's addresses.
type email struct {
	address           string
	verified, primary bool
}

// choose returns the primary address, else the first verified one, else the
// first.
func choose(all []email) email {
	var best email
	for _, e := range all {
		switch {
		case e.address == "":
		case e.primary:
			return e
		case best.address == "", e.verified && !best.verified:
			best = e
		}
	}
	return best
}
