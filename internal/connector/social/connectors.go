package social

import (
	"net/http"
	"time"

	"github.com/reevehq/reeve/internal/connector"
)

// Connectors returns the connectors of all social providers by the provider's
// name. Their requests go through h, which must bound them in time and in size.
func Connectors(h *http.Client, now func() time.Time) map[string]connector.Connector {
	p := newParts(h, now)
	return map[string]connector.Connector{
		"apple":              p.apple(),
		"azure":              p.azure(),
		"bitbucket":          p.bitbucket(),
		"discord":            p.discord(),
		"facebook":           p.facebook(),
		"figma":              p.figma(),
		"fly":                p.fly(),
		"github":             p.github(),
		"gitlab":             p.gitlab(),
		"google":             p.google(),
		"kakao":              p.kakao(),
		"keycloak":           p.keycloak(),
		"linkedin":           p.linkedin(),
		"linkedin_oidc":      p.linkedinOIDC(),
		"notion":             p.notion(),
		"slack":              p.slack(),
		"slack_oidc":         p.slackOIDC(),
		"snapchat":           p.snapchat(),
		"spotify":            p.spotify(),
		"twitch":             p.twitch(),
		"twitter":            p.twitter(),
		"vercel_marketplace": p.vercelMarketplace(),
		"workos":             p.workos(),
		"x":                  p.x(),
		"zoom":               p.zoom(),
	}
}
