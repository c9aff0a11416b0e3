package server_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/connector/connectortest"
	"github.com/reevehq/reeve/internal/server/servertest"
)

// issuer is an OpenID provider on loopback, whose users sign in at once. The code
// of a callback is the person's ID token without its nonce, as JSON.
type issuer struct {
	url    string
	signer *connectortest.Signer
}

func newIssuer(tb testing.TB) *issuer {
	tb.Helper()
	i := &issuer{signer: connectortest.NewSigner(tb, "k1", jose.ES256)}
	mux := http.NewServeMux()
	answer := func(w http.ResponseWriter, body any) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(body)
	}
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, jsonObject{
			"issuer": i.url, "authorization_endpoint": i.url + "/authorize", "token_endpoint": i.url + "/token", "jwks_uri": i.url + "/keys",
			"id_token_signing_alg_values_supported": []string{"ES256"},
		})
	})
	mux.HandleFunc("/keys", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, jsonObject{"keys": []any{i.signer.JWK(nil)}})
	})
	mux.HandleFunc("/token", func(w http.ResponseWriter, r *http.Request) {
		claims := jsonObject{}
		if err := json.Unmarshal([]byte(r.FormValue("code")), &claims); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			answer(w, jsonObject{"error": "invalid_grant"})
			return
		}
		answer(w, jsonObject{
			"access_token": "of-the-provider", "refresh_token": "of-the-provider-too", "token_type": "Bearer", "id_token": i.signer.Sign(tb, claims),
		})
	})
	server := httptest.NewServer(mux)
	tb.Cleanup(server.Close)
	i.url = server.URL
	return i
}

// claims are an ID token's of a new person.
func (i *issuer) claims(c *call) jsonObject {
	now := time.Now().Unix()
	return jsonObject{
		"iss": i.url, "aud": "client", "sub": uuid.NewString(), "email": c.email(), "email_verified": true, "name": "Ann", "iat": now, "exp": now + 600,
	}
}

func (i *issuer) definition(identifier string) jsonObject {
	return jsonObject{
		"provider_type": "oidc", "identifier": identifier, "name": "Acme", "client_id": "client", "client_secret": "secret", "issuer": i.url,
	}
}

// openWorld is a project with every way in, and a provider of its own.
type openWorld struct {
	*testProject
	issuer *issuer
}

const ownProvider = "custom:acme"

// inOpen runs ask in the project of an openWorld, which the facts share.
func inOpen(ask func(c *call, p openWorld) *servertest.Answer) func(c *call) *servertest.Answer {
	return func(c *call) *servertest.Answer {
		return ask(c, shared(c.world, "open", func() openWorld {
			p := c.reeve.Project(c.world.tb, "open", jsonObject{
				"external_anonymous_users_enabled": true, "rate_limit_anonymous_users": 100000, "security_manual_linking_enabled": true,
				"external_github_enabled": true, "external_github_client_id": "github-client", "external_github_secret": "secret",
			})
			w := openWorld{p, newIssuer(c.world.tb)}
			p.Admin(c.T, http.MethodPost, "/admin/custom-providers", w.issuer.definition(ownProvider)).Expect(c.T, http.StatusCreated)
			return w
		}))
	}
}

// back is where the browser goes from the provider, as a path: of a person who
// signed in there with these claims.
func (w openWorld) back(c *call, authorize string, claims jsonObject) string {
	c.Helper()
	u, err := url.Parse(authorize)
	if err != nil {
		c.Fatal(err)
	}
	if nonce := u.Query().Get("nonce"); nonce != "" {
		claims["nonce"] = nonce
	}
	code, err := json.Marshal(claims)
	if err != nil {
		c.Fatal(err)
	}
	return "/callback?" + url.Values{"state": {u.Query().Get("state")}, "code": {string(code)}}.Encode()
}

// returned signs somebody in at the provider and opens the callback.
func returned(query string, claims func(jsonObject)) func(c *call) *servertest.Answer {
	return inOpen(func(c *call, p openWorld) *servertest.Answer {
		begun := c.bare(p.testProject, http.MethodGet, "/authorize?provider="+ownProvider+"&redirect_to="+url.QueryEscape(site+"/cb")+query, nil).Expect(c.T, http.StatusSeeOther)
		who := p.issuer.claims(c)
		claims(who)
		cookie, _, _ := strings.Cut(begun.Header.Get("Set-Cookie"), ";")
		return c.bare(p.testProject, http.MethodGet, p.back(c, begun.Header.Get("Location"), who), nil, "Cookie", cookie)
	})
}

func unchanged(jsonObject) {}

const (
	anonymousUser = `{id uuid, aud =authenticated, role =authenticated, email =, phone =, last_sign_in_at time, app_metadata {}, user_metadata {},
		identities [], created_at time, updated_at time, is_anonymous true}`
	providerMeta = `iss text, sub uuid, name =Ann, email text, email_verified true, phone_verified false, provider_id uuid`
	customShape  = `{id uuid, provider_type =oidc, identifier text, name =Acme, client_id =client, acceptable_client_ids [], scopes [],
		pkce_enabled true, attribute_mapping {}, authorization_params {}, custom_claims_allowlist [], enabled true, email_optional false, issuer text,
		skip_nonce_check false, created_at time, updated_at time}`
	aChallenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
)

// providerUser is a user who came by the own provider.
const providerUser = `{id uuid, aud =authenticated, role =authenticated, email text, phone =, email_confirmed_at time, confirmed_at time, last_sign_in_at time,
	app_metadata {provider =custom:acme, providers [=custom:acme]}, user_metadata {` + providerMeta + `},
	identities [{identity_id uuid, id text, user_id uuid, provider =custom:acme, email text, identity_data {` + providerMeta + `},
	last_sign_in_at time, created_at time, updated_at time}], created_at time, updated_at time, is_anonymous false}`

// idTokenGrant presents an ID token; as somebody if they are signed in.
func idTokenGrant(change func(body, claims jsonObject)) func(c *call) *servertest.Answer {
	return inOpen(func(c *call, p openWorld) *servertest.Answer {
		claims, body := p.issuer.claims(c), jsonObject{"provider": ownProvider}
		change(body, claims)
		if body["id_token"] == nil {
			body["id_token"] = p.issuer.signer.Sign(c.T, claims)
		}
		return c.do(p.testProject, http.MethodPost, "/token?grant_type=id_token", body)
	})
}

// linked is a user of the project with a second identity, and its id.
func linked(c *call, p openWorld) (s servertest.Session, identity string) {
	c.Helper()
	s = c.user(p.testProject)
	body := jsonObject{"provider": ownProvider, "id_token": p.issuer.signer.Sign(c.T, p.issuer.claims(c)), "link_identity": true}
	a := p.As(c.T, s.AccessToken, http.MethodPost, "/token?grant_type=id_token", body).Expect(c.T, http.StatusOK)
	for _, i := range a.JSON(c.T)["user"].(jsonObject)["identities"].([]any) {
		if i := i.(jsonObject); i["provider"] == ownProvider {
			identity, _ = i["identity_id"].(string)
		}
	}
	return s, identity
}

func unlink(c *call, p openWorld, as servertest.Session, identity string) *servertest.Answer {
	c.Helper()
	return c.as(p.testProject, as.AccessToken, http.MethodDelete, "/user/identities/"+identity, nil)
}

var providerFacts = []fact{
	{
		name: "signup, anonymous", status: 200, body: sessionShape(anonymousUser),
		ask: inOpen(func(c *call, p openWorld) *servertest.Answer {
			return c.do(p.testProject, http.MethodPost, "/signup", jsonObject{"data": jsonObject{}})
		}),
	},
	{
		name: "authorize", status: 303,
		to: redirectTo{url: "https://github.com/login/oauth/authorize", query: `{client_id =github-client, code_challenge text, code_challenge_method =S256,
			redirect_uri text, response_type =code, scope =user:email, state uuid}`},
		ask: inOpen(func(c *call, p openWorld) *servertest.Answer {
			return c.bare(p.testProject, http.MethodGet, "/authorize?provider=github", nil)
		}),
	},
	{
		name: "authorize, scopes and parameters, opened by an app", status: 303,
		to: redirectTo{url: "https://github.com/login/oauth/authorize", query: `{client_id =github-client, code_challenge text, code_challenge_method =S256,
			redirect_uri text, response_type =code, scope text, state uuid, login =ann}`},
		ask: inOpen(func(c *call, p openWorld) *servertest.Answer {
			return c.bare(p.testProject, http.MethodGet, "/authorize?provider=github&scopes=repo+gist&login=ann&skip_http_redirect=true", nil)
		}),
	},
	{
		name: "authorize, half of PKCE", status: 400, code: "validation_failed",
		ask: inOpen(func(c *call, p openWorld) *servertest.Answer {
			return c.bare(p.testProject, http.MethodGet, "/authorize?provider=github&code_challenge="+aChallenge, nil)
		}),
	},
	{
		name: "link identity", status: 200, body: `{url text}`, deviates: "our parameters stay ours",
		ask: inOpen(func(c *call, p openWorld) *servertest.Answer {
			a := c.as(p.testProject, c.somebody(p.testProject).AccessToken, http.MethodGet, "/user/identities/authorize?provider=github&skip_http_redirect=true", nil)
			if strings.Contains(string(a.Body), "skip_http_redirect") {
				c.Errorf("the provider gets our parameter: %s", a.Body)
			}
			return a
		}),
	},
	{
		name: "link identity, no token", status: 401, code: "no_authorization",
		ask: inOpen(func(c *call, p openWorld) *servertest.Answer {
			return c.do(p.testProject, http.MethodGet, "/user/identities/authorize?provider=github", nil)
		}),
	},
	{
		name: "callback", status: 303, ask: returned("", unchanged),
		to: redirectTo{url: site + "/cb", fragment: `{access_token jwt, expires_at digits, expires_in =3600, provider_refresh_token text, provider_token text,
			refresh_token text, sb =, token_type =bearer}`},
	},
	{
		name: "callback with PKCE", status: 303, ask: returned("&code_challenge_method=s256&code_challenge="+aChallenge, unchanged),
		to: redirectTo{url: site + "/cb", query: "{code uuid}"},
	},
	{
		name: "callback, address not verified", status: 303, ask: returned("", func(claims jsonObject) { claims["email_verified"] = false }),
		to: redirectTo{
			url: site + "/cb", query: "{error =access_denied, error_code =provider_email_needs_verification, error_description text}",
			fragment: "{error =access_denied, error_code =provider_email_needs_verification, error_description text, sb? =}",
		},
	},
	{
		name: "callback, token for another client", status: 303, ask: returned("", func(claims jsonObject) { claims["aud"] = "another" }),
		to: redirectTo{
			url: site + "/cb", query: "{error =server_error, error_code =unexpected_failure, error_description text}",
			fragment: "{error =server_error, error_code =unexpected_failure, error_description text, sb? =}",
		},
	},
	{name: "id_token grant", status: 200, body: sessionShape(providerUser), ask: idTokenGrant(func(_, _ jsonObject) {})},
	{
		name: "id_token grant, bad token", status: 400, code: "bad_jwt", deviates: "bad ID tokens are the client's error",
		ask: idTokenGrant(func(body, _ jsonObject) { body["id_token"] = "abc" }),
	},
	{
		name: "id_token grant, another audience", status: 400, code: "bad_jwt", deviates: "bad ID tokens are the client's error",
		ask: idTokenGrant(func(_, claims jsonObject) { claims["aud"] = "another" }),
	},
	{
		name: "id_token grant, nonce in the token only", status: 400, code: "bad_jwt", deviates: "bad ID tokens are the client's error",
		ask: idTokenGrant(func(_, claims jsonObject) { claims["nonce"] = "n" }),
	},
	{
		name: "id_token grant, no token", status: 400, code: "validation_failed",
		ask: idTokenGrant(func(body, _ jsonObject) { body["id_token"] = "" }),
	},
	{
		name: "id_token grant, unknown provider", status: 400, code: "validation_failed",
		ask: idTokenGrant(func(body, _ jsonObject) { body["provider"] = "custom:nobody" }),
	},
	{
		name: "unlink identity", status: 200, body: "{}",
		ask: inOpen(func(c *call, p openWorld) *servertest.Answer {
			s, identity := linked(c, p)
			return unlink(c, p, s, identity)
		}),
	},
	{
		name: "unlink identity, the last one", status: 422, code: "single_identity_not_deletable",
		ask: inOpen(func(c *call, p openWorld) *servertest.Answer {
			s, identity := linked(c, p)
			p.As(c.T, s.AccessToken, http.MethodDelete, "/user/identities/"+identity, nil).Expect(c.T, http.StatusOK)
			left := p.As(c.T, s.AccessToken, http.MethodGet, "/user", nil).JSON(c.T)["identities"].([]any)[0].(jsonObject)
			return unlink(c, p, s, left["identity_id"].(string))
		}),
	},
	{
		name: "unlink identity, of somebody else", status: 422, code: "identity_not_found",
		ask: inOpen(func(c *call, p openWorld) *servertest.Answer {
			_, identity := linked(c, p)
			s, _ := linked(c, p)
			return unlink(c, p, s, identity)
		}),
	},
	{
		name: "otp email, nobody may be created", status: 200, body: "{}", deviates: "codes reveal nobody",
		ask: func(c *call) *servertest.Answer {
			return c.do(c.mail, http.MethodPost, "/otp", jsonObject{"email": c.email(), "create_user": false})
		},
	},
	{
		name: "otp email, email is off", status: 422, code: "email_provider_disabled",
		ask: with(jsonObject{"external_email_enabled": false}, func(c *call, p *testProject) *servertest.Answer {
			return sendOTP(c, p, "/otp", c.email())
		}),
	},
	{
		name: "otp, no address", status: 400, code: "validation_failed",
		ask: func(c *call) *servertest.Answer { return c.do(c.mail, http.MethodPost, "/otp", jsonObject{}) },
	},
	{
		name: "otp email with PKCE", status: 200, body: "{}",
		ask: func(c *call) *servertest.Answer { return otpWithPKCE(c, c.email()) },
	},
	{
		name: "verify GET with PKCE, of an otp", status: 303, to: redirectTo{url: site + "/cb", query: "{code uuid}"},
		ask: func(c *call) *servertest.Answer {
			email := c.email()
			otpWithPKCE(c, email).Expect(c.T, http.StatusOK)
			return follow(c, "signup", mailed(c, email, 1).LinkToken(c.T), site+"/cb")
		},
	},
	{
		name: "admin create custom provider", status: 201, body: customShape,
		ask: inOpen(func(c *call, p openWorld) *servertest.Answer {
			return c.admin(p.testProject, http.MethodPost, "/admin/custom-providers", p.issuer.definition("custom:"+uuid.NewString()[:8]))
		}),
	},
	{
		name: "admin get custom provider", status: 200, body: customShape,
		ask: inOpen(func(c *call, p openWorld) *servertest.Answer {
			return c.admin(p.testProject, http.MethodGet, "/admin/custom-providers/"+ownProvider, nil)
		}),
	},
	{
		name: "admin list custom providers", status: 200, body: `{providers [` + customShape + `]}`,
		ask: with(nil, func(c *call, p *testProject) *servertest.Answer {
			body := (&issuer{url: "https://id.example"}).definition("custom:" + uuid.NewString()[:8])
			p.Admin(c.T, http.MethodPost, "/admin/custom-providers", body).Expect(c.T, http.StatusCreated)
			return c.admin(p, http.MethodGet, "/admin/custom-providers?type=oidc", nil)
		}),
	},
	{
		name: "admin update custom provider", status: 200, body: strings.Replace(customShape, "=Acme", "text", 1),
		ask: inOpen(func(c *call, p openWorld) *servertest.Answer {
			body := p.issuer.definition("custom:" + uuid.NewString()[:8])
			c.admin(p.testProject, http.MethodPost, "/admin/custom-providers", body).Expect(c.T, http.StatusCreated)
			return c.admin(p.testProject, http.MethodPut, "/admin/custom-providers/"+body["identifier"].(string), jsonObject{"name": "Another name"})
		}),
	},
	{
		name: "admin update custom provider, unknown", status: 404, code: "custom_provider_not_found",
		ask: inOpen(func(c *call, p openWorld) *servertest.Answer {
			return c.admin(p.testProject, http.MethodPut, "/admin/custom-providers/custom:nobody", jsonObject{"name": "Another name"})
		}),
	},
	{
		name: "admin delete custom provider", status: 204,
		ask: inOpen(func(c *call, p openWorld) *servertest.Answer {
			identifier := "custom:" + uuid.NewString()[:8]
			p.Admin(c.T, http.MethodPost, "/admin/custom-providers", p.issuer.definition(identifier)).Expect(c.T, http.StatusCreated)
			return c.admin(p.testProject, http.MethodDelete, "/admin/custom-providers/"+identifier, nil)
		}),
	},
	{
		name: "admin get custom provider, unknown", status: 404, code: "custom_provider_not_found",
		ask: inOpen(func(c *call, p openWorld) *servertest.Answer {
			return c.admin(p.testProject, http.MethodGet, "/admin/custom-providers/custom:nobody", nil)
		}),
	},
	{
		name: "admin create custom provider, taken", status: 400, code: "conflict",
		ask: inOpen(func(c *call, p openWorld) *servertest.Answer {
			return c.admin(p.testProject, http.MethodPost, "/admin/custom-providers", p.issuer.definition(ownProvider))
		}),
	},
	{
		name: "admin custom providers as user", status: 403, code: "not_admin",
		ask: inOpen(func(c *call, p openWorld) *servertest.Answer {
			return c.as(p.testProject, c.somebody(p.testProject).AccessToken, http.MethodGet, "/admin/custom-providers", nil)
		}),
	},
}

func otpWithPKCE(c *call, email string) *servertest.Answer {
	c.Helper()
	return c.do(c.mail, http.MethodPost, "/otp?redirect_to="+url.QueryEscape(site+"/cb"), jsonObject{
		"email": email, "create_user": true, "code_challenge": aChallenge, "code_challenge_method": "s256",
	})
}
