package mail

import (
	"net/url"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/message"
	"github.com/reevehq/reeve/internal/token"
	"github.com/reevehq/reeve/tenants"
)

// Letter is a mail, or a link, to be written.
type Letter struct {
	Kind message.Kind
	User *auth.User
	// ToNew sends the letter of a change of address to the new address. Every
	// other letter is sent to the user's address.
	ToNew      bool
	RedirectTo string
	PKCE       bool
	// Signup is the sign-up that the token belongs to, and is stored with; nil
	// for a token of the user.
	Signup *auth.Signup
}

// kind describes the letters of a kind: the type of their token, and the type
// parameter of their link; "" for no link.
type kind struct {
	token  auth.TokenType
	verify string
}

var kinds = map[message.Kind]kind{
	message.Confirmation: {auth.TokenConfirmation, "signup"},
	message.Invite:       {auth.TokenConfirmation, "invite"},
	message.Recovery:     {auth.TokenRecovery, "recovery"},
	message.MagicLink:    {auth.TokenRecovery, "magiclink"},
	message.EmailChange:  {auth.TokenEmailChangeCurrent, "email_change"},
	// A code to type in, without a link.
	message.Reauthentication: {auth.TokenReauthentication, ""},
}

// to is the address that the letter is sent to and its code belongs to.
func (l Letter) to() string {
	if l.ToNew {
		return l.User.NewEmail
	}
	return l.User.Email
}

// token is the stored type of the letter's token.
func (l Letter) token() auth.TokenType {
	if l.ToNew {
		return auth.TokenEmailChangeNew
	}
	return kinds[l.Kind].token
}

// link is the URL of the letter's button. Its parameters are in the reference's
// order, because test suites search mails for them.
func (l Letter) link(t *tenants.Tenant, once token.OneTime) string {
	if kinds[l.Kind].verify == "" {
		return ""
	}
	link := t.Issuer() + "/verify?token=" + url.QueryEscape(l.linkToken(once)) + "&type=" + url.QueryEscape(kinds[l.Kind].verify)
	if l.RedirectTo != "" {
		link += "&redirect_to=" + url.QueryEscape(l.RedirectTo)
	}
	return link
}

func (l Letter) linkToken(once token.OneTime) string {
	if l.PKCE {
		return token.PKCEPrefix + once.Link
	}
	return once.Link
}
