package billing

// Kind is how an active user came, by their first sign-in or refresh in a period. It
// decides the price.
type Kind string

// The kinds.
const (
	FirstParty Kind = "first_party" // by a way of the project's own: password, link, social provider, passkey
	SSO        Kind = "sso"         // by a company's connection
	ThirdParty Kind = "third_party" // by an access token of another issuer
	Anonymous  Kind = "anonymous"   // without credentials
	Test       Kind = "test"        // by a number with a fixed code: counted, and never billed
)

// Kinds are all kinds.
func Kinds() []Kind { return []Kind{FirstParty, SSO, ThirdParty, Anonymous, Test} }
