package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/reevehq/reeve/internal/manage"
)

type providersCommand struct {
	List   providersList   `cmd:"" help:"List the identity providers that a project defines itself."`
	Add    providersAdd    `cmd:"" help:"Define one."`
	Set    providersSet    `cmd:"" help:"Change one."`
	Test   providersTest   `cmd:"" help:"Ask a provider, of any kind, whether the project's registration there can work."`
	Delete providersDelete `cmd:"" help:"Delete one; its users stay."`
}

// attributes are members of a provider, as typed.
type attributes struct {
	Secret string   `env:"REEVE_CLIENT_SECRET" help:"The client secret; other users of this machine see a flag, so prefer the variable."`
	Fields []string `arg:"" optional:"" name:"key=value" help:"Such as client_id=reeve, scopes=email,profile, enabled=false or attribute_mapping='{\"sub\":\"data.id\"}'."`
}

type (
	providersList struct{ ofProject }
	providersAdd  struct {
		ofProject
		Type       string `enum:"oidc,oauth2" default:"oidc" help:"oidc or oauth2."`
		Identifier string `arg:"" help:"What apps pass as provider; custom: is added."`
		attributes
	}
	providersSet struct {
		ofProject
		Identifier string `arg:"" help:"Such as custom:acme."`
		attributes
	}
	providersTest struct {
		ofProject
		Name string `arg:"" help:"Such as google or custom:acme."`
	}
	providersDelete struct {
		ofProject
		Identifier string `arg:"" help:"Such as custom:acme."`
	}
)

func providerColumns() []column {
	return []column{
		{"IDENTIFIER", "identifier"}, {"NAME", "name"}, {"TYPE", "provider_type"}, {"ENABLED", "enabled"}, {"CLIENT", "client_id"}, {"ISSUER", "issuer"},
	}
}

// providersPath is the path of a project's custom providers.
func providersPath(ref string, identifier ...string) string {
	return manage.Path(append([]string{"projects", ref, "auth", "custom-providers"}, identifier...)...)
}

// providerLists are the members that are lists: their entries have commas between
// them.
var providerLists = map[string]bool{"scopes": true, "acceptable_client_ids": true, "custom_claims_allowlist": true}

// body returns the members in the types that the API has. The server checks them.
func (a attributes) body() (map[string]any, error) {
	fields, err := manage.ParseFields(a.Fields)
	if err != nil {
		return nil, usage{err}
	}
	body := map[string]any{}
	for _, name := range fields.Names() {
		value := fields[name]
		switch {
		case providerLists[name]:
			body[name] = strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == ' ' })
		case value == "true" || value == "false":
			body[name] = value == "true"
		case strings.HasPrefix(value, "{"):
			var object map[string]any
			if err := json.Unmarshal([]byte(value), &object); err != nil {
				return nil, usage{fmt.Errorf("%s: is no JSON object: %w", name, err)}
			}
			body[name] = object
		default:
			body[name] = value
		}
	}
	if a.Secret != "" {
		body["client_secret"] = a.Secret
	}
	return body, nil
}

// Run lists.
func (o *providersList) Run(ctx context.Context, p program, r *remote) error {
	c, ref, err := r.project(ctx, p, o.Project)
	if err != nil {
		return err
	}
	answer, err := c.Get(ctx, providersPath(ref))
	if err != nil {
		return err
	}
	var list struct{ Providers json.RawMessage }
	if err := json.Unmarshal(answer, &list); err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	return r.print(p, list.Providers, providerColumns()...)
}

// Run defines. The request is not repeated: the second one would be refused.
func (o *providersAdd) Run(ctx context.Context, p program, r *remote) error {
	body, err := o.body()
	if err != nil {
		return err
	}
	c, ref, err := r.project(ctx, p, o.Project)
	if err != nil {
		return err
	}
	body["provider_type"], body["identifier"] = o.Type, o.Identifier
	if body["name"] == nil {
		body["name"] = strings.TrimPrefix(o.Identifier, "custom:")
	}
	answer, err := c.Post(ctx, providersPath(ref), body)
	if err != nil {
		return err
	}
	return r.print(p, answer, providerColumns()...)
}

// Run changes.
func (o *providersSet) Run(ctx context.Context, p program, r *remote) error {
	body, err := o.body()
	if err != nil {
		return err
	}
	c, ref, err := r.project(ctx, p, o.Project)
	if err != nil {
		return err
	}
	answer, err := c.Change(ctx, providersPath(ref, o.Identifier), body)
	if err != nil {
		return err
	}
	return r.print(p, answer, providerColumns()...)
}

// errNotRegistered makes the exit code tell.
var errNotRegistered = errors.New("sign-ins at the provider would fail")

// Run asks the server, which asks the provider.
func (o *providersTest) Run(ctx context.Context, p program, r *remote) error {
	c, ref, err := r.project(ctx, p, o.Project)
	if err != nil {
		return err
	}
	answer, err := c.Post(ctx, manage.Path("projects", ref, "config", "auth", "providers", o.Name, "test"), map[string]any{})
	if err != nil {
		return err
	}
	var test struct {
		OK      bool
		Missing []string
		Checks  json.RawMessage
		At      string `json:"callback_url"`
	}
	if err := json.Unmarshal(answer, &test); err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	if r.Output == "json" {
		err = printJSON(p.out, answer)
	} else if err = r.print(p, test.Checks, column{"CHECK", "name"}, column{"STATUS", "status"}, column{"DETAIL", "detail"}); err == nil {
		if len(test.Missing) > 0 {
			fmt.Fprintln(p.out, "Missing:", text(strings.Join(test.Missing, ", ")))
		}
		fmt.Fprintln(p.out, "Callback address:", text(test.At))
	}
	if err == nil && !test.OK {
		return errNotRegistered
	}
	return err
}

// Run deletes.
func (o *providersDelete) Run(ctx context.Context, p program, r *remote) error {
	c, ref, err := r.project(ctx, p, o.Project)
	if err != nil {
		return err
	}
	answer, err := c.Delete(ctx, providersPath(ref, o.Identifier))
	if err != nil {
		return err
	}
	return r.done(p, answer, "deleted")
}
