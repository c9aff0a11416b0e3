package dev

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"path/filepath"
	"slices"
	"strings"

	"github.com/reevehq/reeve/internal/manage"
)

const demoName = "demo"

// demo is the first project.
type demo struct{ ref, url, key string }

// ensureDemo creates the first project at the first start and finds it at later
// ones. If it was deleted, ensureDemo returns nil.
func ensureDemo(ctx context.Context, o Options, addr net.Addr, token string) (*demo, error) {
	client := manage.New(origin(addr), token)
	path := filepath.Join(o.Data, "demo.ref")
	text, err := readFile(path)
	if err == nil {
		return findDemo(ctx, o, client, strings.TrimSpace(string(text)))
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	projects, err := client.Projects(ctx)
	if err != nil {
		return nil, err
	}
	// A start that was killed before it wrote the file has created the project.
	if i := slices.IndexFunc(projects, func(p manage.Project) bool { return p.Name == demoName }); i >= 0 {
		d, err := findDemo(ctx, o, client, projects[i].Ref)
		return d, errors.Join(err, writeFile(path, []byte(projects[i].Ref+"\n")))
	}
	return newDemo(ctx, client, path)
}

func newDemo(ctx context.Context, client *manage.Client, path string) (*demo, error) {
	created, err := client.CreateProject(ctx, manage.NewProject{Name: demoName})
	if err != nil {
		return nil, err
	}
	if err := writeFile(path, []byte(created.Ref+"\n")); err != nil {
		return nil, err
	}
	return &demo{ref: created.Ref, url: created.URL, key: created.PublishableKey}, nil
}

func findDemo(ctx context.Context, o Options, client *manage.Client, ref string) (*demo, error) {
	key, err := client.PublishableKey(ctx, ref)
	var refused *manage.Refusal
	if errors.As(err, &refused) && refused.Status == 404 {
		return nil, nil
	}
	if err != nil || key == "" {
		return nil, err
	}
	return &demo{ref: ref, url: o.Config.HTTP.ProjectURL(ref), key: key}, nil
}
