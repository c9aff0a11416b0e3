package message

import (
	"encoding/json"
	"net/url"
	"time"
)

// Template is a project's own texts for a kind of mail; an empty one means the
// default.
type Template struct{ Subject, Content string }

// Data are the values that a template can show. Except for ProjectName and
// ExpiresIn the names are the reference's template variables, such as
// {{ .ConfirmationURL }}.
type Data struct {
	ProjectName     string
	SiteURL         string
	ConfirmationURL string
	Email           string
	NewEmail        string
	Token           string
	TokenHash       string
	RedirectTo      string
	SendingTo       string
	OldEmail        string
	// FactorType is the kind of the second factor that a notice is about, such as
	// totp.
	FactorType string
	// Provider is who can sign the user in, such as the name of a company.
	Provider string
	SignIn   SignIn
	// ExpiresIn is how long link and code are valid. A template gets it in
	// words, such as "1 hour".
	ExpiresIn time.Duration
	// Data is the user's metadata. A template only gets its JSON form.
	Data map[string]any
}

// SignIn describes a sign-in to the user whose it was; what is not known is "". A
// template gets the parts as .Device, .Place, .IPAddress and .SignedInAt.
type SignIn struct {
	Device    string // such as "Firefox on Linux"
	Place     string // such as "Graz, Austria"
	IPAddress string
	At        string
}

// maxUserData bounds the JSON of Data.Data; larger metadata is shown to a
// template as empty.
const maxUserData = 256 << 10

// variables is the root object of a template. It repeats Data so that a
// template only gets plain JSON values, which have no methods.
type variables struct {
	ProjectName, SiteURL, ConfirmationURL, Email, NewEmail, Token, TokenHash, RedirectTo, SendingTo, OldEmail, ExpiresIn, FactorType, Provider string
	Device, Place, IPAddress, SignedInAt                                                                                                       string

	Data map[string]any
}

func (d Data) variables(to string) variables {
	v := variables{
		ProjectName: d.ProjectName, SiteURL: d.SiteURL, ConfirmationURL: d.ConfirmationURL,
		Email: d.Email, NewEmail: d.NewEmail, Token: d.Token, TokenHash: d.TokenHash,
		RedirectTo: d.RedirectTo, SendingTo: d.SendingTo, OldEmail: d.OldEmail,
		ExpiresIn: words(d.ExpiresIn), FactorType: d.FactorType, Provider: d.Provider, Data: plain(d.Data),
		Device: d.SignIn.Device, Place: d.SignIn.Place, IPAddress: d.SignIn.IPAddress, SignedInAt: d.SignIn.At,
	}
	if v.SendingTo == "" {
		v.SendingTo = to
	}
	if v.ProjectName == "" {
		v.ProjectName = siteName(d.SiteURL)
	}
	return v
}

// plain converts in to JSON values.
func plain(in map[string]any) map[string]any {
	out := map[string]any{}
	if len(in) == 0 {
		return out
	}
	raw, err := json.Marshal(in)
	if err != nil || len(raw) > maxUserData {
		return out
	}
	if json.Unmarshal(raw, &out) != nil || out == nil {
		return map[string]any{}
	}
	return out
}

// siteName is the name of a nameless project in its mails.
func siteName(site string) string {
	if u, err := url.Parse(site); err == nil && u.Hostname() != "" {
		return u.Hostname()
	}
	return "the app"
}
