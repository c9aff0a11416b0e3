package main

import (
	"context"
	"time"

	"github.com/reevehq/reeve/internal/manage"
)

type keysCommand struct {
	List       keysList       `cmd:"" help:"List the keys."`
	Create     keysCreate     `cmd:"" help:"Create a key; the text of a secret one is shown this once."`
	Get        keysGet        `cmd:"" help:"Show a key."`
	Usage      keysUsage      `cmd:"" help:"Tell who used the keys, or one of them, last, and how often they are used."`
	Rotate     keysRotate     `cmd:"" help:"Replace a key by a new one, whose text is shown this once."`
	ReportLeak keysReportLeak `cmd:"" help:"Report keys and access tokens that you found somewhere: what is valid is revoked, or its owners are told."`
	Delete     keysDelete     `cmd:"" help:"Delete a key; it stops working within a second."`
}

// ofProject is the project that a command works on: its ref or its name.
type ofProject struct {
	Project string `required:"" placeholder:"REF" help:"The project's ref, or its name if no other has it."`
}

type (
	keysList struct {
		ofProject
	}
	keysCreate struct {
		ofProject
		Name string `arg:"" help:"Its name: 4 to 64 lower-case letters, digits and underscores."`
		Type string `enum:"publishable,secret" default:"secret" help:"publishable or secret."`

		Scopes    []string      `help:"All that a secret key may do, as auth.users.read; everything if left out."`
		Networks  []string      `help:"The only networks that it may be used from, as 203.0.113.0/24."`
		ExpiresIn time.Duration `help:"How long it works, as 720h; without end if left out."`
	}
	keysGet struct {
		ofProject
		ID string `arg:"" help:"Its id."`
	}
	keysUsage struct {
		ofProject
		ID string `arg:"" optional:"" help:"Id of a key, anon or service_role; all keys if left out."`
	}
	keysRotate struct {
		ofProject
		ID      string        `arg:"" help:"Its id."`
		Overlap time.Duration `default:"24h" help:"How long the old key goes on working."`
	}
	keysDelete struct {
		ofProject
		ID string `arg:"" help:"Its id."`
	}
)

func keyColumns() []column {
	return []column{{"ID", "id"}, {"NAME", "name"}, {"TYPE", "type"}, {"PREFIX", "prefix"}, {"KEY", "api_key"}}
}

// Run lists.
func (k *keysList) Run(ctx context.Context, p program, r *remote) error {
	c, ref, err := r.project(ctx, p, k.Project)
	if err != nil {
		return err
	}
	answer, err := c.Get(ctx, manage.Path("projects", ref, "api-keys"))
	if err != nil {
		return err
	}
	return r.print(p, answer, keyColumns()...)
}

// Run creates.
func (k *keysCreate) Run(ctx context.Context, p program, r *remote) error {
	c, ref, err := r.project(ctx, p, k.Project)
	if err != nil {
		return err
	}
	answer, err := c.Create(ctx, manage.Path("projects", ref, "api-keys")+"?reveal=true",
		k.body(time.Now()))
	if err != nil {
		return err
	}
	return r.print(p, answer, keyColumns()...)
}

func (k *keysCreate) body(now time.Time) map[string]any {
	body := map[string]any{"name": k.Name, "type": k.Type}
	if k.Scopes != nil {
		body["scopes"] = k.Scopes
	}
	if k.Networks != nil {
		body["allowed_networks"] = k.Networks
	}
	if k.ExpiresIn != 0 {
		body["expires_at"] = now.Add(k.ExpiresIn).UTC().Format(time.RFC3339)
	}
	return body
}

// Run rotates.
func (k *keysRotate) Run(ctx context.Context, p program, r *remote) error {
	c, ref, err := r.project(ctx, p, k.Project)
	if err != nil {
		return err
	}
	answer, err := c.Create(ctx, manage.Path("projects", ref, "api-keys", k.ID, "rotate")+"?reveal=true",
		map[string]any{"overlap_seconds": int(k.Overlap.Seconds())})
	if err != nil {
		return err
	}
	return r.print(p, answer, keyColumns()...)
}

// Run shows.
func (k *keysGet) Run(ctx context.Context, p program, r *remote) error {
	c, ref, err := r.project(ctx, p, k.Project)
	if err != nil {
		return err
	}
	answer, err := c.Get(ctx, manage.Path("projects", ref, "api-keys", k.ID))
	if err != nil {
		return err
	}
	return r.print(p, answer, keyColumns()...)
}

// Run deletes.
func (k *keysDelete) Run(ctx context.Context, p program, r *remote) error {
	c, ref, err := r.project(ctx, p, k.Project)
	if err != nil {
		return err
	}
	answer, err := c.Delete(ctx, manage.Path("projects", ref, "api-keys", k.ID))
	if err != nil {
		return err
	}
	return r.print(p, answer, column{"DELETED", "id"}, column{"NAME", "name"})
}
