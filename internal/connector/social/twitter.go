package social

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"

	"github.com/reevehq/reeve/internal/connector"
	"github.com/reevehq/reeve/internal/connector/oauth"
)

const (
	twitterAPI     = "https://api.x.com"
	twitterProfile = "/1.1/account/verify_credentials.json"
	twitterIssuer  = "https://api.twitter.com" + twitterProfile
)

// twitter is X's older interface, OAuth 1.0a, with the consumer key and secret
// of an app. New apps use x. It documents that it gives no address that is not
// verified.
type twitter struct{ *parts }

func (p *parts) twitter() connector.Connector { return &twitter{p} }

// requestToken is what Begin keeps.
type requestToken struct {
	Token  string `json:"t"`
	Secret string `json:"s"`
}

// AuthorizeURL implements connector.Connector: Begin takes its place.
func (*twitter) AuthorizeURL(context.Context, connector.Client, connector.Start) (string, error) {
	return "", connector.ErrMisconfigured.Because(errors.New("twitter needs what connector.Beginner keeps"))
}

// Begin implements connector.Beginner.
func (t *twitter) Begin(ctx context.Context, c connector.Client, s connector.Start) (address, kept string, err error) {
	if c.ID == "" || c.Secret == "" {
		return "", "", connector.ErrMisconfigured.Saying("Unsupported provider: missing consumer key or secret")
	}
	back := s.RedirectURI + "?" + url.Values{"state": {s.State}}.Encode()
	keys := oauth.Credentials{ConsumerKey: c.ID, ConsumerSecret: c.Secret}
	answer, err := t.post(ctx, "/oauth/request_token", keys, map[string]string{"oauth_callback": back})
	if err != nil {
		// Nobody has signed in yet.
		if errors.Is(err, connector.ErrExchange) {
			err = connector.ErrUnavailable.Because(err)
		}
		return "", "", err
	}
	// Without the confirmation, anybody could complete the sign-in of another
	// (RFC 5849, section 2.1).
	token := requestToken{Token: answer.Get("oauth_token"), Secret: answer.Get("oauth_token_secret")}
	if token.Token == "" || answer.Get("oauth_callback_confirmed") != "true" {
		return "", "", connector.ErrUnavailable.Because(errors.New("the provider sent no request token"))
	}
	raw, err := json.Marshal(token) //nolint:gosec // the caller keeps it sealed
	if err != nil {
		return "", "", err
	}
	return twitterAPI + "/oauth/authenticate?" + url.Values{"oauth_token": {token.Token}}.Encode(), string(raw), nil
}

// Exchange implements connector.Connector.
func (t *twitter) Exchange(ctx context.Context, c connector.Client, cb connector.Callback) (*connector.Login, error) {
	var token requestToken
	if err := json.Unmarshal([]byte(cb.Kept), &token); err != nil || token.Token == "" {
		return nil, connector.ErrExchange.Because(errors.New("the request token was not kept"))
	}
	keys := oauth.Credentials{ConsumerKey: c.ID, ConsumerSecret: c.Secret, Token: token.Token, TokenSecret: token.Secret}
	answer, err := t.post(ctx, "/oauth/access_token", keys, map[string]string{"oauth_verifier": cb.Code})
	if err != nil {
		return nil, err
	}
	keys.Token, keys.TokenSecret = answer.Get("oauth_token"), answer.Get("oauth_token_secret")
	if keys.Token == "" {
		return nil, connector.ErrExchange.Because(errors.New("the provider sent no access token"))
	}
	var u struct {
		ID    string `json:"id_str"`
		Name  string `json:"name"`
		Login string `json:"screen_name"`
		Image string `json:"profile_image_url_https"`
		Email string `json:"email"`
	}
	const profile = twitterAPI + twitterProfile + "?include_email=true&include_entities=false&skip_status=true"
	if err := t.oauth.GetJSON(ctx, t.request(http.MethodGet, profile, keys, nil), &u); err != nil {
		return nil, err
	}
	described, err := connector.Claims{
		Issuer: twitterIssuer, Subject: u.ID, Name: u.Name, FullName: u.Name, Picture: u.Image, AvatarURL: u.Image,
		PreferredUsername: u.Login, UserName: u.Login, Email: u.Email, EmailVerified: true,
	}.ToProfile()
	if err != nil {
		return nil, err
	}
	return &connector.Login{Profile: *described, AccessToken: keys.Token}, nil
}

func (t *twitter) post(ctx context.Context, path string, keys oauth.Credentials, params map[string]string) (url.Values, error) {
	r := t.request(http.MethodPost, twitterAPI+path, keys, params)
	for _, value := range params {
		r.Secrets = append(r.Secrets, value)
	}
	return t.oauth.PostForm(ctx, r)
}

func (t *twitter) request(method, address string, keys oauth.Credentials, params map[string]string) oauth.Request {
	return oauth.Request{
		URL: address, Header: http.Header{"Authorization": {keys.Authorization(method, address, params, t.now())}},
		Secrets: []string{keys.ConsumerSecret, keys.Token, keys.TokenSecret},
	}
}
