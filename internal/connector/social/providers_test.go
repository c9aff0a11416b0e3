package social_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/reevehq/reeve/internal/connector"
	"github.com/reevehq/reeve/internal/connector/connectortest"
	"github.com/reevehq/reeve/internal/connector/oauth"
)

// described is what a provider documents, and what must be made of it.
type described struct {
	provider string
	base     string // BaseURL
	token    string // URL of the token endpoint
	style    oauth.Style
	answer   string // further members of the token endpoint's answer
	// documents are the profile's, by URL.
	documents map[string]string
	// keys and claims are of an ID token that comes with the code; claims
	// replaces those of a valid one.
	keys   string
	issuer string
	claims map[string]any

	email    string
	verified bool
	subject  string
	data     map[string]any
	check    func(t *testing.T, d *connectortest.Double)
}

// The shapes are those of the providers' documentation.
var all = map[string]described{
	// https://developers.google.com/identity/openid-connect/openid-connect#an-id-tokens-payload
	"google": {
		provider: "google", token: "https://oauth2.googleapis.com/token",
		keys: "https://www.googleapis.com/oauth2/v3/certs", issuer: "https://accounts.google.com",
		claims: map[string]any{
			"azp": "client-id", "email": "jsmith@example.com", "email_verified": true, "name": "J Smith", "picture": "https://lh3.example/p",
			"given_name": "J", "hd": "example.com", "nonce": "the-nonce",
		},
		subject: "10769150350006150715113082367", email: "jsmith@example.com", verified: true,
		data: map[string]any{
			"iss": "https://accounts.google.com", "name": "J Smith", "full_name": "J Smith", "picture": "https://lh3.example/p",
			"avatar_url": "https://lh3.example/p", "custom_claims": map[string]any{"hd": "example.com"},
		},
	},
	"google, not verified, no scheme": {
		provider: "google", token: "https://oauth2.googleapis.com/token",
		keys: "https://www.googleapis.com/oauth2/v3/certs", issuer: "accounts.google.com",
		claims:  map[string]any{"email": "j@example.com", "email_verified": false, "nonce": "the-nonce"},
		subject: "1", email: "j@example.com",
		data: map[string]any{"iss": "https://accounts.google.com"},
	},
	// https://docs.github.com/en/rest/users/emails#list-email-addresses-for-the-authenticated-user
	"github, private address": {
		provider: "github", token: "https://github.com/login/oauth/access_token",
		documents: map[string]string{
			"https://api.github.com/user": `{"login":"octocat","id":583231,"avatar_url":"https://avatars.example/u/1","name":"The Octocat","email":null}`,
			"https://api.github.com/user/emails": `[{"email":"1+octocat@users.noreply.github.com","verified":true,"primary":false,"visibility":null},
				{"email":"octocat@example.com","verified":true,"primary":true,"visibility":"private"}]`,
		},
		subject: "583231", email: "octocat@example.com", verified: true,
		data: map[string]any{
			"iss": "https://api.github.com", "name": "The Octocat", "full_name": "The Octocat", "preferred_username": "octocat",
			"user_name": "octocat", "avatar_url": "https://avatars.example/u/1",
		},
	},
	"github, not verified": {
		provider: "github", token: "https://github.com/login/oauth/access_token",
		documents: map[string]string{
			"https://api.github.com/user":        `{"login":"o","id":9007199254740993,"name":null,"email":"octocat@example.com"}`,
			"https://api.github.com/user/emails": `[{"email":"victim@example.com","verified":false,"primary":true},{"email":"o@example.com","verified":true,"primary":false}]`,
		},
		subject: "9007199254740993", email: "victim@example.com",
		data: map[string]any{"iss": "https://api.github.com", "preferred_username": "o", "user_name": "o"},
	},
	"github, no addresses": {
		provider: "github", token: "https://github.com/login/oauth/access_token",
		documents: map[string]string{
			"https://api.github.com/user":        `{"login":"o","id":1,"email":null}`,
			"https://api.github.com/user/emails": `[]`,
		},
		subject: "1",
		data:    map[string]any{"iss": "https://api.github.com", "preferred_username": "o", "user_name": "o"},
	},
	// https://developer.atlassian.com/cloud/bitbucket/rest/api-group-users/
	"bitbucket": {
		provider: "bitbucket", token: "https://bitbucket.org/site/oauth2/access_token", style: oauth.Basic,
		documents: map[string]string{
			"https://api.bitbucket.org/2.0/user":        `{"type":"user","display_name":"Evzijst","uuid":"{735a1f0c-0000}","links":{"avatar":{"href":"https://bitbucket.example/a.png"}}}`,
			"https://api.bitbucket.org/2.0/user/emails": `{"values":[{"type":"email","email":"b@example.com","is_primary":false,"is_confirmed":true},{"email":"a@example.com","is_primary":true,"is_confirmed":true}]}`,
		},
		subject: "{735a1f0c-0000}", email: "a@example.com", verified: true,
		data: map[string]any{
			"iss": "https://api.bitbucket.org/2.0", "name": "Evzijst", "full_name": "Evzijst",
			"picture": "https://bitbucket.example/a.png", "avatar_url": "https://bitbucket.example/a.png",
		},
	},
	// https://discord.com/developers/docs/resources/user#user-object
	"discord": {
		provider: "discord", token: "https://discord.com/api/oauth2/token",
		documents: map[string]string{
			"https://discord.com/api/users/@me": `{"id":"80351110224678912","username":"nelly","discriminator":"1337","avatar":"a_8342729096ea3675442027381ff50dfe","verified":true,"email":"nelly@example.com","global_name":"Nelly"}`,
		},
		subject: "80351110224678912", email: "nelly@example.com", verified: true,
		data: map[string]any{
			"iss": "https://discord.com/api", "name": "nelly#1337", "full_name": "nelly", "custom_claims": map[string]any{"global_name": "Nelly"},
			"picture":    "https://cdn.discordapp.com/avatars/80351110224678912/a_8342729096ea3675442027381ff50dfe.gif",
			"avatar_url": "https://cdn.discordapp.com/avatars/80351110224678912/a_8342729096ea3675442027381ff50dfe.gif",
		},
	},
	"discord, unique name, no picture, not verified": {
		provider: "discord", token: "https://discord.com/api/oauth2/token",
		documents: map[string]string{
			"https://discord.com/api/users/@me": `{"id":"80351110224678912","username":"nelly","discriminator":"0","avatar":null,"verified":false,"email":"nelly@example.com","global_name":null}`,
		},
		subject: "80351110224678912", email: "nelly@example.com",
		data: map[string]any{
			"iss": "https://discord.com/api", "name": "nelly#0", "full_name": "nelly", "custom_claims": map[string]any{"global_name": ""},
			// (80351110224678912 >> 22) % 6
			"picture": "https://cdn.discordapp.com/embed/avatars/5.png", "avatar_url": "https://cdn.discordapp.com/embed/avatars/5.png",
		},
	},
	// https://developers.facebook.com/docs/graph-api/reference/user/
	"facebook": {
		provider: "facebook", token: "https://graph.facebook.com/oauth/access_token",
		documents: map[string]string{
			"https://graph.facebook.com/me": `{"email":"ada@example.com","first_name":"Ada","last_name":"Lovelace","name":"Ada Lovelace","picture":{"data":{"height":50,"url":"https://fb.example/p","width":50}},"id":"10159"}`,
		},
		subject: "10159", email: "ada@example.com", verified: true,
		data: map[string]any{
			"iss": "https://graph.facebook.com/me?fields=email,first_name,last_name,name,picture", "name": "Ada Lovelace", "full_name": "Ada Lovelace",
			"nickname": "Ada Lovelace", "slug": "Ada Lovelace", "picture": "https://fb.example/p", "avatar_url": "https://fb.example/p",
		},
		check: func(t *testing.T, d *connectortest.Double) {
			// printf access-token | openssl dgst -sha256 -hmac client-secret
			const want = "10528addbfc25db8b648d1932a7e764f0ddbbabd4fca8346be949543489625a7"
			if got := d.Last(t, "https://graph.facebook.com/me").Query.Get("appsecret_proof"); got != want {
				t.Errorf("appsecret_proof %q", got)
			}
		},
	},
	"facebook, by telephone": {
		provider: "facebook", token: "https://graph.facebook.com/oauth/access_token",
		documents: map[string]string{"https://graph.facebook.com/me": `{"first_name":"Ada","name":"Ada","id":"1"}`},
		subject:   "1",
		data: map[string]any{
			"iss": "https://graph.facebook.com/me?fields=email,first_name,last_name,name,picture", "name": "Ada", "full_name": "Ada",
			"nickname": "Ada", "slug": "Ada",
		},
	},
	// https://developers.figma.com/docs/rest-api/users-endpoints/
	"figma": {
		provider: "figma", token: "https://api.figma.com/v1/oauth/token", style: oauth.Basic,
		documents: map[string]string{"https://api.figma.com/v1/me": `{"id":"1234567890","email":"john@example.com","handle":"John Designer","img_url":"https://s3.example/p"}`},
		subject:   "1234567890", email: "john@example.com",
		data: map[string]any{"iss": "https://api.figma.com", "name": "John Designer", "full_name": "John Designer", "avatar_url": "https://s3.example/p"},
	},
	// https://fly.io/docs/reference/extensions_api/#single-sign-on-flow
	"fly": {
		provider: "fly", token: "https://api.fly.io/oauth/token", style: oauth.Basic,
		documents: map[string]string{
			"https://api.fly.io/oauth/token/info": `{"resource_owner_id":"lq3ve","scope":["read"],"expires_in":7200,"application":{"uid":"abc"},"created_at":1680000000,"user_id":"lq3ve","user_name":"Dana","email":"n@customer.fly.example","organizations":[{"id":"g9","role":"admin"}]}`,
		},
		subject: "lq3ve", email: "n@customer.fly.example",
		data: map[string]any{
			"iss": "https://api.fly.io", "full_name": "Dana",
			"custom_claims": map[string]any{
				"resource_owner_id": "lq3ve", "scope": []any{"read"}, "application": map[string]any{"uid": "abc"},
				"created_at": 1680000000.0, "organizations": []any{map[string]any{"id": "g9", "role": "admin"}},
			},
		},
	},
	// https://docs.gitlab.com/api/users/#get-the-current-user
	"gitlab": {
		provider: "gitlab", token: "https://gitlab.com/oauth/token",
		documents: map[string]string{"https://gitlab.com/api/v4/user": `{"id":1,"username":"john","email":"john@example.com","name":"John Smith","state":"active","avatar_url":"https://gitlab.example/a","confirmed_at":"2012-05-23T09:05:22Z"}`},
		subject:   "1", email: "john@example.com", verified: true,
		data: map[string]any{"iss": "https://gitlab.com", "name": "John Smith", "full_name": "John Smith", "picture": "https://gitlab.example/a", "avatar_url": "https://gitlab.example/a"},
	},
	"gitlab, own address, not confirmed": {
		provider: "gitlab", base: "https://git.customer.example/gitlab/", token: "https://git.customer.example/gitlab/oauth/token",
		documents: map[string]string{"https://git.customer.example/gitlab/api/v4/user": `{"id":1,"email":"john@example.com","name":"John","confirmed_at":null}`},
		subject:   "1", email: "john@example.com",
		data: map[string]any{"iss": "https://git.customer.example/gitlab", "name": "John", "full_name": "John"},
	},
	// https://developers.kakao.com/docs/latest/en/kakaologin/rest-api#req-user-info
	"kakao": {
		provider: "kakao", token: "https://kauth.kakao.com/oauth/token",
		documents: map[string]string{
			"https://kapi.kakao.com/v2/user/me": `{"id":123456789,"kakao_account":{"profile":{"nickname":"Hong","profile_image_url":"https://k.example/p.jpg"},"is_email_valid":true,"is_email_verified":true,"email":"s@example.com"}}`,
		},
		subject: "123456789", email: "s@example.com", verified: true,
		data: map[string]any{"iss": "https://kapi.kakao.com", "name": "Hong", "full_name": "Hong", "preferred_username": "Hong", "user_name": "Hong", "avatar_url": "https://k.example/p.jpg"},
	},
	"kakao, no longer valid": {
		provider: "kakao", token: "https://kauth.kakao.com/oauth/token",
		documents: map[string]string{"https://kapi.kakao.com/v2/user/me": `{"id":1,"kakao_account":{"is_email_valid":false,"is_email_verified":true,"email":"s@example.com"}}`},
		subject:   "1", email: "s@example.com",
		data: map[string]any{"iss": "https://kapi.kakao.com"},
	},
	// https://www.keycloak.org/securing-apps/oidc-layers#_userinfo_endpoint
	"keycloak": {
		provider: "keycloak", base: "https://id.example/realms/main", token: "https://id.example/realms/main/protocol/openid-connect/token",
		documents: map[string]string{
			"https://id.example/realms/main/protocol/openid-connect/userinfo": `{"sub":"f4b4c4","email_verified":true,"name":"Ada L","preferred_username":"ada","email":"ada@example.com"}`,
		},
		subject: "f4b4c4", email: "ada@example.com", verified: true,
		data: map[string]any{"iss": "https://id.example/realms/main", "name": "Ada L", "full_name": "Ada L"},
	},
	// https://learn.microsoft.com/en-us/linkedin/consumer/integrations/self-serve/sign-in-with-linkedin-v2
	"linkedin_oidc": {
		provider: "linkedin_oidc", token: "https://www.linkedin.com/oauth/v2/accessToken",
		keys: "https://www.linkedin.com/oauth/openid/jwks", issuer: "https://www.linkedin.com",
		claims: map[string]any{
			"name": "John Doe", "given_name": "John", "family_name": "Doe", "picture": "https://media.example/p", "locale": "en-US",
			"email": "doe@example.com", "email_verified": "true",
		},
		subject: "782bbtaQ", email: "doe@example.com", verified: true,
		data: map[string]any{
			"iss": "https://www.linkedin.com", "name": "John Doe", "given_name": "John", "family_name": "Doe", "locale": "en-US", "picture": "https://media.example/p",
		},
	},
	"linkedin_oidc, not verified": {
		provider: "linkedin_oidc", token: "https://www.linkedin.com/oauth/v2/accessToken",
		keys: "https://www.linkedin.com/oauth/openid/jwks", issuer: "https://www.linkedin.com",
		claims: map[string]any{
			"email": "doe@example.com", "email_verified": "false", "locale": map[string]any{"country": "US", "language": "en"}, "nonce": "the-nonce",
		},
		subject: "782bbtaQ", email: "doe@example.com",
		data: map[string]any{"iss": "https://www.linkedin.com"},
	},
	// https://learn.microsoft.com/en-us/linkedin/consumer/integrations/self-serve/sign-in-with-linkedin
	"linkedin": {
		provider: "linkedin", token: "https://www.linkedin.com/oauth/v2/accessToken",
		documents: map[string]string{
			"https://api.linkedin.com/v2/me":           `{"id":"yrZCpj2Z12","firstName":{"localized":{"en_US":"Bob"},"preferredLocale":{"country":"US","language":"en"}},"lastName":{"localized":{"en_US":"Smith"},"preferredLocale":{"country":"US","language":"en"}},"profilePicture":{"displayImage":"urn:x","displayImage~":{"elements":[{"identifiers":[{"identifier":"https://media.example/p"}]}]}}}`,
			"https://api.linkedin.com/v2/emailAddress": `{"elements":[{"handle":"urn:li:emailAddress:3775708763","handle~":{"emailAddress":"bob@example.com"}}]}`,
		},
		subject: "yrZCpj2Z12", email: "bob@example.com",
		data: map[string]any{"iss": "https://api.linkedin.com", "name": "Bob Smith", "full_name": "Bob Smith", "picture": "https://media.example/p", "avatar_url": "https://media.example/p"},
	},
	"linkedin, little": {
		provider: "linkedin", token: "https://www.linkedin.com/oauth/v2/accessToken",
		documents: map[string]string{
			"https://api.linkedin.com/v2/me":           `{"id":"1","profilePicture":{"displayImage~":{"elements":[{"identifiers":[]}]}}}`,
			"https://api.linkedin.com/v2/emailAddress": `{"elements":[]}`,
		},
		subject: "1",
		data:    map[string]any{"iss": "https://api.linkedin.com"},
	},
	// https://developers.notion.com/changelog/retrieve-information-about-your-token
	"notion": {
		provider: "notion", token: "https://api.notion.com/v1/oauth/token", style: oauth.Basic,
		documents: map[string]string{
			"https://api.notion.com/v1/users/me": `{"object":"user","id":"16d84278","name":"pied piper","avatar_url":null,"type":"bot","bot":{"owner":{"type":"user","user":{"object":"user","id":"5389a034","name":"christine","avatar_url":"https://n.example/p","type":"person","person":{"email":"c@example.com"}}}}}`,
		},
		subject: "5389a034", email: "c@example.com",
		data: map[string]any{"iss": "https://api.notion.com", "name": "christine", "full_name": "christine", "picture": "https://n.example/p", "avatar_url": "https://n.example/p"},
		check: func(t *testing.T, d *connectortest.Double) {
			if got := d.Last(t, "https://api.notion.com/v1/users/me").Header.Get("Notion-Version"); got != "2021-08-16" {
				t.Errorf("Notion-Version %q", got)
			}
		},
	},
	// https://docs.slack.dev/reference/methods/openid.connect.userInfo
	"slack_oidc": {
		provider: "slack_oidc", token: "https://slack.com/api/openid.connect.token", answer: `,"ok":true`,
		documents: map[string]string{
			"https://slack.com/api/openid.connect.userInfo": `{"ok":true,"sub":"U0R7JM","https://slack.com/user_id":"U0R7JM","https://slack.com/team_id":"T0R7GR","email":"krane@example.com","email_verified":true,"name":"krane","picture":"https://slack.example/p"}`,
		},
		subject: "U0R7JM", email: "krane@example.com", verified: true,
		data: map[string]any{
			"iss": "https://slack.com/api", "name": "krane", "full_name": "krane", "picture": "https://slack.example/p", "avatar_url": "https://slack.example/p",
			"custom_claims": map[string]any{"https://slack.com/team_id": "T0R7GR"},
		},
	},
	"slack, not verified": {
		provider: "slack", token: "https://slack.com/api/oauth.access", answer: `,"ok":true`,
		documents: map[string]string{
			"https://slack.com/api/openid.connect.userInfo": `{"ok":true,"https://slack.com/user_id":"U0R7JM","https://slack.com/team_id":"T0R7GR","email":"krane@example.com","email_verified":false}`,
		},
		subject: "U0R7JM", email: "krane@example.com",
		data: map[string]any{"iss": "https://slack.com/api", "custom_claims": map[string]any{"https://slack.com/team_id": "T0R7GR"}},
	},
	// https://developers.snap.com/snap-kit/login-kit/Tutorials/web
	"snapchat": {
		provider: "snapchat", token: "https://accounts.snapchat.com/accounts/oauth2/token", style: oauth.Basic,
		documents: map[string]string{
			"https://kit.snapchat.com/v1/me": `{"data":{"me":{"externalId":"CAESIPiR","displayName":"Snap User","bitmoji":{"avatar":"https://sdk.example/b","id":"1"}}},"errors":[]}`,
		},
		subject: "CAESIPiR",
		data: map[string]any{
			"iss": "https://accounts.snapchat.com/accounts/oauth2/token", "name": "Snap User", "full_name": "Snap User", "slug": "Snap User",
			"picture": "https://sdk.example/b", "avatar_url": "https://sdk.example/b",
		},
	},
	// https://developer.spotify.com/documentation/web-api/reference/get-current-users-profile
	"spotify": {
		provider: "spotify", token: "https://accounts.spotify.com/api/token", style: oauth.Basic,
		documents: map[string]string{"https://api.spotify.com/v1/me": `{"display_name":"Wizzler","email":"w@example.com","id":"wizzler","images":[{"url":"https://i.example/p","height":300,"width":300}]}`},
		subject:   "wizzler", email: "w@example.com",
		data: map[string]any{"iss": "https://api.spotify.com/v1", "name": "Wizzler", "full_name": "Wizzler", "picture": "https://i.example/p", "avatar_url": "https://i.example/p"},
	},
	// https://dev.twitch.tv/docs/api/reference/#get-users
	"twitch": {
		provider: "twitch", token: "https://id.twitch.tv/oauth2/token", answer: `,"scope":["user:read:email"]`,
		documents: map[string]string{
			"https://api.twitch.tv/helix/users": `{"data":[{"id":"141981764","login":"twitchdev","display_name":"TwitchDev","type":"","broadcaster_type":"partner","description":"Tools","profile_image_url":"https://t.example/p","offline_image_url":"https://t.example/o","view_count":5980557,"email":"t@example.com","created_at":"2016-12-14T20:32:28Z"}]}`,
		},
		subject: "141981764", email: "t@example.com", verified: true,
		data: map[string]any{
			"iss": "https://api.twitch.tv", "name": "twitchdev", "full_name": "twitchdev", "nickname": "TwitchDev", "slug": "TwitchDev",
			"picture": "https://t.example/p", "avatar_url": "https://t.example/p",
			"custom_claims": map[string]any{
				"broadcaster_type": "partner", "description": "Tools", "type": "", "offline_image_url": "https://t.example/o", "view_count": int64(5980557),
			},
		},
		check: func(t *testing.T, d *connectortest.Double) {
			if got := d.Last(t, "https://api.twitch.tv/helix/users").Header.Get("Client-Id"); got != "client-id" {
				t.Errorf("Client-Id %q", got)
			}
		},
	},
	// https://vercel.com/docs/integrations/create-integration/marketplace-api
	"vercel_marketplace": {
		provider: "vercel_marketplace", token: "https://api.vercel.com/oauth/v2/accessToken",
		keys: "https://marketplace.vercel.com/.well-known/jwks", issuer: "https://marketplace.vercel.com",
		claims: map[string]any{
			"account_id": "acc", "installation_id": "icfg_1", "user_id": "u", "user_role": "ADMIN", "global_user_id": "g1",
			"user_email": "v@example.com", "user_name": "Vee", "user_avatar_url": "https://v.example/p",
		},
		subject: "global_user_id:g1", email: "v@example.com",
		data: map[string]any{"iss": "https://marketplace.vercel.com", "name": "Vee", "picture": "https://v.example/p"},
	},
	// https://workos.com/docs/reference/sso/profile/get-profile-and-token
	"workos": {
		provider: "workos", token: "https://api.workos.com/sso/token",
		answer:  `,"profile":{"object":"profile","id":"prof_01DMC79","organization_id":"org_01EH","connection_id":"conn_01E4","connection_type":"OktaSAML","idp_id":"1","email":"todd@example.com","first_name":"Todd","last_name":"Rundgren","raw_attributes":{}}`,
		subject: "prof_01DMC79", email: "todd@example.com",
		data: map[string]any{
			"iss": "https://api.workos.com", "name": "Todd Rundgren", "full_name": "Todd Rundgren",
			"custom_claims": map[string]any{"connection_id": "conn_01E4", "organization_id": "org_01EH"},
		},
	},
	// https://docs.x.com/x-api/users/get-my-user
	"x": {
		provider: "x", token: "https://api.x.com/2/oauth2/token", style: oauth.Basic,
		documents: map[string]string{
			"https://api.x.com/2/users/me": `{"data":{"id":"2244994945","name":"X Dev","username":"XDevelopers","created_at":"2013-12-14T04:35:55Z","profile_image_url":"https://pbs.example/p","url":"https://t.example/x","confirmed_email":"x@example.com"}}`,
		},
		subject: "2244994945", email: "x@example.com", verified: true,
		data: map[string]any{
			"iss": "https://api.x.com", "name": "X Dev", "full_name": "X Dev", "preferred_username": "XDevelopers", "user_name": "XDevelopers",
			"picture": "https://pbs.example/p", "avatar_url": "https://pbs.example/p", "profile": "https://x.com/XDevelopers", "website": "https://t.example/x",
			"custom_claims": map[string]any{"created_at": "2013-12-14T04:35:55Z"},
		},
	},
	"x, no address": {
		provider: "x", token: "https://api.x.com/2/oauth2/token", style: oauth.Basic,
		documents: map[string]string{"https://api.x.com/2/users/me": `{"data":{"id":"1","name":"A","username":"a"}}`},
		subject:   "1",
		data: map[string]any{
			"iss": "https://api.x.com", "name": "A", "full_name": "A", "preferred_username": "a", "user_name": "a", "profile": "https://x.com/a",
			"custom_claims": map[string]any{"created_at": ""},
		},
	},
	// https://developers.zoom.us/docs/api/users/#tag/users/get/users/{userId}
	"zoom": {
		provider: "zoom", token: "https://zoom.us/oauth/token", style: oauth.Basic,
		documents: map[string]string{"https://api.zoom.us/v2/users/me": `{"id":"z8dsdsdsdsdCfp8uQ","first_name":"Harry","last_name":"Grant","email":"harry@example.com","type":2,"verified":1,"login_types":[100],"pic_url":"https://z.example/p"}`},
		subject:   "z8dsdsdsdsdCfp8uQ", email: "harry@example.com", verified: true,
		data: map[string]any{"iss": "https://api.zoom.us/v2", "name": "Harry Grant", "full_name": "Harry Grant", "picture": "https://z.example/p", "avatar_url": "https://z.example/p"},
	},
	"zoom, by SSO": {
		provider: "zoom", token: "https://zoom.us/oauth/token", style: oauth.Basic,
		documents: map[string]string{"https://api.zoom.us/v2/users/me": `{"id":"z","email":"harry@example.com","verified":0,"login_type":"101"}`},
		subject:   "z", email: "harry@example.com",
		data: map[string]any{"iss": "https://api.zoom.us/v2"},
	},
}

// serve sets up the double for a provider.
func (p described) serve(t *testing.T, d *connectortest.Double) (connector.Connector, connector.Client) {
	t.Helper()
	answer := p.answer + `,"refresh_token":"refresh"`
	if p.keys != "" {
		raw := idTokens(t, d, p.keys, nil).Sign(t, connectortest.Claims(p.issuer, "client-id", p.subject, p.claims))
		answer += `,"id_token":"` + raw + `"`
	}
	d.Token(p.token, "access-token", answer)
	for address, document := range p.documents {
		d.JSON(address, document)
	}
	c := registration()
	c.BaseURL = p.base
	return connectors(d)[p.provider], c
}

// TestProviders: each provider's documented answers become a login.
func TestProviders(t *testing.T) {
	t.Parallel()
	tested := map[string]bool{}
	for _, p := range all {
		tested[p.provider] = true
	}
	for name := range connectors(connectortest.New(t)) {
		// These have tests of their own.
		if !tested[name] && name != "apple" && name != "azure" && name != "twitter" {
			t.Errorf("%s has no test", name)
		}
	}
	for name, p := range all {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := connectortest.New(t)
			c, reg := p.serve(t, d)
			got, err := c.Exchange(t.Context(), reg, callback())
			if err != nil {
				t.Fatal(err)
			}
			want := &connector.Login{
				Profile: connector.Profile{
					Subject: p.subject, Email: p.email, EmailVerified: p.verified, Data: data(p.subject, p.email, p.verified, p.data),
				},
				AccessToken: "access-token", RefreshToken: "refresh",
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			r := d.Last(t, p.token)
			if r.Form.Get("code") != "the-code" || r.Form.Get("redirect_uri") != redirect {
				t.Errorf("exchanged %v", r.Form)
			}
			if _, _, basic := (&http.Request{Header: r.Header}).BasicAuth(); basic != (p.style == oauth.Basic) {
				t.Errorf("authenticated by Basic: %v", basic)
			}
			for address := range p.documents {
				if got := d.Last(t, address).Header.Get("Authorization"); got != "Bearer access-token" {
					t.Errorf("%s: Authorization %q", address, got)
				}
			}
			if p.check != nil {
				p.check(t, d)
			}
		})
	}
}

// checkFault checks an error that a broken provider caused.
func checkFault(t *testing.T, err error, allowed ...error) {
	t.Helper()
	found := false
	for _, a := range allowed {
		found = found || errors.Is(err, a)
	}
	if !found {
		t.Errorf("got %v, want one of %v", err, allowed)
		return
	}
	for _, secret := range []string{"client-secret", "the-code", "the-verifier", "the-nonce", "access-token", "appsecret_proof=", "eyJ"} {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("the error shows %s: %v", secret, err)
		}
	}
}

// TestBrokenProviders: whatever a document or the token endpoint of a provider
// answers, the sign-in fails with the right fault, which shows no secret.
func TestBrokenProviders(t *testing.T) {
	t.Parallel()
	for name, p := range all {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for broken, answer := range connectortest.Broken() {
				d := connectortest.New(t)
				c, reg := p.serve(t, d)
				d.Handle(p.token, answer)
				if _, err := c.Exchange(t.Context(), reg, callback()); err == nil {
					t.Errorf("%s token: signed in", broken)
				} else {
					checkFault(t, err, connector.ErrExchange, connector.ErrUnavailable)
				}
				for address := range p.documents {
					d := connectortest.New(t)
					c, reg := p.serve(t, d)
					d.Handle(address, answer)
					_, err := c.Exchange(t.Context(), reg, callback())
					switch {
					case err != nil:
						checkFault(t, err, connector.ErrProfile, connector.ErrUnavailable)
					case !strings.HasSuffix(address, "/emails") && !strings.HasSuffix(address, "/emailAddress"):
						t.Errorf("%s %s: signed in", broken, address) // who the user is, is said nowhere else
					}
				}
				if p.keys != "" {
					d := connectortest.New(t)
					c, reg := p.serve(t, d)
					d.Handle(p.keys, answer)
					_, err := c.Exchange(t.Context(), reg, callback())
					checkFault(t, err, connector.ErrUnavailable)
				}
			}
		})
	}
}
