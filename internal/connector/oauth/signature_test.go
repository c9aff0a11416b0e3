package oauth

import (
	"strings"
	"testing"
	"time"
)

// TestSignature: the example of X's documentation,
// https://docs.x.com/fundamentals/authentication/oauth-1-0a/creating-a-signature
func TestSignature(t *testing.T) {
	t.Parallel()
	c := Credentials{
		ConsumerKey: "xvz1evFS4wEEPTGEFPHBog", ConsumerSecret: "kAcSOqF21Fu85e7zjz7ZN2U4ZRhfV3WpwPAoE3Z7kBw",
		Token: "370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb", TokenSecret: "LswwdoUaIvS8ltyTt5jkRh4J50vUPVVHtR2YPi5kE",
	}
	const nonce = "kYjzVBB8Y0ZFabxSWbWovY3uYSQ2pTgmZeNu2VS4cg"
	at := time.Unix(1318622958, 0)
	for address, want := range map[string]string{
		// The body's parameter stands in the query here, which signs the same.
		"https://api.twitter.com/1.1/statuses/update.json?include_entities=true&status=Hello%20Ladies%20%2B%20Gentlemen%2C%20a%20signed%20OAuth%20request%21": "hCtSmYh%2BiHYCEqBWrE7C7hYmtUk%3D",
		"https://api.twitter.com/1/statuses/update.json?include_entities=true&status=Hello+Ladies+%2b+Gentlemen%2c+a+signed+OAuth+request!":                   "tnnArxj06cWHq44gCs1OSKk%2FjLY%3D",
	} {
		got := c.authorization("POST", address, nil, at, nonce)
		if !strings.Contains(got, `oauth_signature="`+want+`"`) || !strings.HasPrefix(got, `OAuth oauth_consumer_key="xvz1evFS4wEEPTGEFPHBog", oauth_nonce="`) {
			t.Errorf("%s\n%s", address, got)
		}
		if strings.Contains(got, c.ConsumerSecret) || strings.Contains(got, c.TokenSecret) {
			t.Error("the header has a secret")
		}
	}
	// RFC 3986, section 2.3: these and no others stay as they are.
	if got := escape("aZ09-._~ +*'()!é"); got != "aZ09-._~%20%2B%2A%27%28%29%21%C3%A9" {
		t.Error(got)
	}
	a, b := c.Authorization("GET", "https://x.example", nil, at), c.Authorization("GET", "https://x.example", nil, at)
	if a == b {
		t.Error("a nonce is used twice")
	}
}
