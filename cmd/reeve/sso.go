package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/reevehq/reeve/internal/manage"
)

type ssoCommand struct {
	List     ssoList     `cmd:"" help:"List the enterprise connections of a project."`
	Show     ssoShow     `cmd:"" help:"Show a connection, or without an id what is entered at identity providers."`
	Add      ssoAdd      `cmd:"" help:"Create a connection: by the metadata of an identity provider that speaks SAML, or by a registration at one that speaks OpenID Connect."`
	Update   ssoUpdate   `cmd:"" help:"Change a connection."`
	Remove   ssoRemove   `cmd:"" help:"Delete a connection; its users stay, their sessions end."`
	Attempts ssoAttempts `cmd:"" help:"List the attempts to sign in by a connection, and why they were refused."`
	Keys     ssoKeys     `cmd:"" help:"The keys of the project's service provider, to rotate them."`
}

// connectionMembers are members of a connection, as typed.
type connectionMembers struct {
	MetadataFile string   `placeholder:"FILE" help:"The metadata of the identity provider."`
	MetadataURL  string   `placeholder:"URL" help:"Its address, from which it is fetched again."`
	Domains      []string `placeholder:"DOMAIN,…" help:"People with an address in one of these sign in by the connection."`
	Name         *string  `help:"As people are shown it."`
	Mapping      string   `placeholder:"FILE" help:"A JSON file with the attribute mapping: {\"keys\":{\"name\":{\"name\":\"displayName\"}}}."`
	Issuer       string   `placeholder:"URL" help:"The issuer of an OpenID provider."`
	ClientID     string   `help:"The project's client id at the OpenID provider."`
	ClientSecret string   `env:"REEVE_CLIENT_SECRET" help:"The client secret; other users of this machine see a flag, so prefer the variable."`
	Scopes       []string `placeholder:"SCOPE,…" help:"What an OpenID provider is asked for, beside openid, email and profile."`
	Rules        string   `placeholder:"JSON" help:"Rules to change, such as {\"create_users\":false}."`
}

type (
	ssoList struct{ ofProject }
	ssoShow struct {
		ofProject
		Connection string `arg:"" optional:"" help:"The connection's id."`
	}
	ssoAdd struct {
		ofProject
		Type string `enum:"saml,oidc" default:"saml" help:"saml or oidc."`
		connectionMembers
	}
	ofConnection struct {
		ofProject
		Connection string `arg:"" help:"The connection's id."`
	}
	ssoUpdate struct {
		ofConnection
		connectionMembers
		Type    string `enum:",saml,oidc" default:"" help:"As it was created with; another one is another connection."`
		Enabled *bool  `negatable:"" help:"Switch it on or, with --no-enabled, off; then its sessions end."`
	}
	ssoRemove   struct{ ofConnection }
	ssoAttempts struct {
		ofConnection
		Limit int `default:"20" help:"How many, up to 200."`
	}
	ssoKeys struct {
		List   ssoKeysList   `cmd:"" help:"List them; the first one signs."`
		Add    ssoKeysAdd    `cmd:"" help:"Add a second key, which is published and does not sign yet."`
		Remove ssoKeysRemove `cmd:"" help:"Remove one of two; the other one signs then."`
	}
	ssoKeysList   struct{ ofProject }
	ssoKeysAdd    struct{ ofProject }
	ssoKeysRemove struct {
		ofProject
		Key string `arg:"" help:"The key's id."`
	}
)

func connectionColumns() []column {
	return []column{
		{"ID", "id"}, {"NAME", "label"}, {"TYPE", "type"}, {"ENABLED", "enabled"}, {"DOMAINS", "domains"}, {"USERS", "users"},
		{"LAST SIGN-IN", "last_sign_in_at"}, {"CERTIFICATE UNTIL", "certificate_expires_at"},
	}
}

func samlKeyColumns() []column {
	return []column{{"ID", "id"}, {"SIGNS", "signs"}, {"CREATED", "created_at"}, {"EXPIRES", "expires_at"}}
}

// ssoPath is the path of a project's connections and keys.
func ssoPath(ref string, below ...string) string {
	return manage.Path(append([]string{"projects", ref, "sso"}, below...)...)
}

// body returns the members that were given. The server checks them.
func (m connectionMembers) body() (map[string]any, error) {
	body := map[string]any{}
	if m.MetadataFile != "" && m.MetadataURL != "" {
		return nil, usage{errors.New("give --metadata-file or --metadata-url, not both")}
	}
	if m.MetadataFile != "" {
		text, err := os.ReadFile(m.MetadataFile)
		if err != nil {
			return nil, usage{err}
		}
		body["metadata_xml"] = string(text)
	}
	if m.MetadataURL != "" {
		body["metadata_url"] = m.MetadataURL
	}
	if m.Domains != nil {
		body["domains"] = m.Domains
	}
	if m.Name != nil {
		body["name"] = *m.Name
	}
	if m.Mapping != "" {
		text, err := os.ReadFile(m.Mapping)
		if err != nil {
			return nil, usage{err}
		}
		if body["attribute_mapping"], err = objectOf("--mapping", text); err != nil {
			return nil, err
		}
	}
	if oidc := m.oidc(); len(oidc) > 0 {
		body["oidc"] = oidc
	}
	if m.Rules != "" {
		var err error
		if body["rules"], err = objectOf("--rules", []byte(m.Rules)); err != nil {
			return nil, err
		}
	}
	return body, nil
}

// oidc returns the members of the registration at an OpenID provider.
func (m connectionMembers) oidc() map[string]any {
	out := map[string]any{}
	for name, value := range map[string]string{"issuer": m.Issuer, "client_id": m.ClientID, "client_secret": m.ClientSecret} {
		if value != "" {
			out[name] = value
		}
	}
	if m.Scopes != nil {
		out["scopes"] = m.Scopes
	}
	return out
}

// fits refuses members of the other protocol. A secret in the environment is no member
// that somebody typed.
func fits(kind string, body map[string]any) error {
	metadata := body["metadata_xml"] != nil || body["metadata_url"] != nil
	oidc, _ := body["oidc"].(map[string]any)
	_, secret := oidc["client_secret"]
	switch {
	case kind == "oidc" && metadata:
		return usage{errors.New("metadata is of SAML: give --issuer, --client-id and --client-secret")}
	case kind == "saml" && secret && len(oidc) == 1:
		delete(body, "oidc")
	case kind == "saml" && len(oidc) > 0:
		return usage{errors.New("--issuer, --client-id and --scopes are of OpenID Connect: add --type oidc")}
	}
	return nil
}

func objectOf(name string, text []byte) (object map[string]any, err error) {
	if err := json.Unmarshal(text, &object); err != nil {
		return nil, usage{fmt.Errorf("%s: is no JSON object: %w", name, err)}
	}
	return object, nil
}

// itemsOf are the items of a list.
func itemsOf(answer json.RawMessage) (json.RawMessage, error) {
	var list struct{ Items json.RawMessage }
	if err := json.Unmarshal(answer, &list); err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	return list.Items, nil
}

// printConnections prints connections with the members of their parts that a table has.
func (r *remote) printConnections(p program, answer json.RawMessage) error {
	if r.Output == "json" {
		return printJSON(p.out, answer)
	}
	rows, err := rowsOf(answer)
	if err != nil {
		return err
	}
	for _, row := range rows {
		if saml, ok := row["saml"].(map[string]any); ok {
			row["certificate_expires_at"] = saml["certificate_expires_at"]
		}
		if domains, ok := row["domains"].([]any); ok {
			names := make([]string, len(domains))
			for i, d := range domains {
				names[i] = fmt.Sprint(d)
			}
			row["domains"] = strings.Join(names, ",")
		}
	}
	return printTable(p.out, rows, connectionColumns())
}

// Run lists.
func (o *ssoList) Run(ctx context.Context, p program, r *remote) error {
	c, ref, err := r.project(ctx, p, o.Project)
	if err != nil {
		return err
	}
	answer, err := c.Get(ctx, ssoPath(ref, "connections"))
	if err != nil {
		return err
	}
	items, err := itemsOf(answer)
	if err != nil {
		return err
	}
	return r.printConnections(p, items)
}

// Run shows.
func (o *ssoShow) Run(ctx context.Context, p program, r *remote) error {
	c, ref, err := r.project(ctx, p, o.Project)
	if err != nil {
		return err
	}
	path := ssoPath(ref)
	if o.Connection != "" {
		path = ssoPath(ref, "connections", o.Connection)
	}
	answer, err := c.Get(ctx, path)
	if err != nil {
		return err
	}
	return printJSON(p.out, answer)
}

// Run creates. The request is not repeated: the second one would be refused.
func (o *ssoAdd) Run(ctx context.Context, p program, r *remote) error {
	body, err := o.body()
	if err != nil {
		return err
	}
	if err := fits(o.Type, body); err != nil {
		return err
	}
	switch {
	case o.Type == "oidc" && (o.Issuer == "" || o.ClientID == "" || o.ClientSecret == ""):
		return usage{errors.New("give --issuer, --client-id and --client-secret, or the secret as REEVE_CLIENT_SECRET")}
	case o.Type == "saml" && body["metadata_xml"] == nil && body["metadata_url"] == nil:
		return usage{errors.New("give --metadata-file or --metadata-url")}
	}
	body["type"] = o.Type
	c, ref, err := r.project(ctx, p, o.Project)
	if err != nil {
		return err
	}
	answer, err := c.Post(ctx, ssoPath(ref, "connections"), body)
	if err != nil {
		return err
	}
	if err := r.printConnections(p, answer); err != nil || r.Output == "json" {
		return err
	}
	return printAddresses(p, answer)
}

// printAddresses prints what is entered at an OpenID provider, of a connection to one.
func printAddresses(p program, answer json.RawMessage) error {
	var made struct {
		OIDC *struct {
			RedirectURI           string `json:"redirect_uri"`
			BackchannelLogoutURI  string `json:"backchannel_logout_uri"`
			PostLogoutRedirectURI string `json:"post_logout_redirect_uri"`
		} `json:"oidc"`
	}
	if err := json.Unmarshal(answer, &made); err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	if made.OIDC == nil {
		return nil
	}
	_, err := fmt.Fprintf(p.out, "\nEnter at the provider:\nredirect address             %s\nback-channel logout address  %s\naddress after signing out    %s\n",
		made.OIDC.RedirectURI, made.OIDC.BackchannelLogoutURI, made.OIDC.PostLogoutRedirectURI)
	return err
}

// Run changes.
func (o *ssoUpdate) Run(ctx context.Context, p program, r *remote) error {
	body, err := o.body()
	if err == nil {
		err = fits(o.Type, body)
	}
	if err != nil {
		return err
	}
	if o.Enabled != nil {
		body["enabled"] = *o.Enabled
	}
	if len(body) == 0 {
		return usage{errors.New("name what to change")}
	}
	c, ref, err := r.project(ctx, p, o.Project)
	if err != nil {
		return err
	}
	answer, err := c.Change(ctx, ssoPath(ref, "connections", o.Connection), body)
	if err != nil {
		return err
	}
	return r.printConnections(p, answer)
}

// Run deletes.
func (o *ssoRemove) Run(ctx context.Context, p program, r *remote) error {
	c, ref, err := r.project(ctx, p, o.Project)
	if err != nil {
		return err
	}
	answer, err := c.Delete(ctx, ssoPath(ref, "connections", o.Connection))
	if err != nil {
		return err
	}
	return r.done(p, answer, "deleted")
}

// Run lists attempts.
func (o *ssoAttempts) Run(ctx context.Context, p program, r *remote) error {
	c, ref, err := r.project(ctx, p, o.Project)
	if err != nil {
		return err
	}
	answer, err := c.Get(ctx, ssoPath(ref, "connections", o.Connection, "attempts")+fmt.Sprintf("?limit=%d", o.Limit))
	if err != nil {
		return err
	}
	items, err := itemsOf(answer)
	if err != nil {
		return err
	}
	return r.print(p, items, column{"AT", "at"}, column{"KIND", "kind"}, column{"OUTCOME", "outcome"}, column{"ADDRESS", "email"}, column{"REASON", "reason"})
}

// Run lists keys.
func (o *ssoKeysList) Run(ctx context.Context, p program, r *remote) error {
	return o.keys(ctx, p, r, func(c *manage.Client, ref string) (json.RawMessage, error) { return c.Get(ctx, ssoPath(ref, "keys")) })
}

// Run adds.
func (o *ssoKeysAdd) Run(ctx context.Context, p program, r *remote) error {
	return o.keys(ctx, p, r, func(c *manage.Client, ref string) (json.RawMessage, error) {
		return c.Post(ctx, ssoPath(ref, "keys"), nil)
	})
}

// Run removes.
func (o *ssoKeysRemove) Run(ctx context.Context, p program, r *remote) error {
	return o.keys(ctx, p, r, func(c *manage.Client, ref string) (json.RawMessage, error) {
		return c.Delete(ctx, ssoPath(ref, "keys", o.Key))
	})
}

// keys prints the keys that a request answers with.
func (o *ofProject) keys(ctx context.Context, p program, r *remote, ask func(*manage.Client, string) (json.RawMessage, error)) error {
	c, ref, err := r.project(ctx, p, o.Project)
	if err != nil {
		return err
	}
	answer, err := ask(c, ref)
	if err != nil {
		return err
	}
	items, err := itemsOf(answer)
	if err != nil {
		return err
	}
	return r.print(p, items, samlKeyColumns()...)
}
