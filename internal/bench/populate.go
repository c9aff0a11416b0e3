//go:build linux || darwin

package main

import (
	"context"
	"encoding/json"
	"fmt"

	"golang.org/x/sync/errgroup"
)

const (
	// atOnce is the number of projects created concurrently when that is not
	// measured.
	atOnce = 2
	// batch is the number created before the free space is checked again.
	batch = 50
	// spare is left free on the disk, in bytes.
	spare = 2 << 30
)

// populate creates the missing projects, as far as the disk allows, and signs
// in a user of each.
func (b *bench) populate(ctx context.Context) error {
	if err := b.ensureServer(ctx); err != nil {
		return err
	}
	for n := len(b.made); n < b.projects; n = len(b.made) {
		progress("%d of %d projects", n, b.projects)
		if n > 0 && !b.room(ctx) {
			b.report.Notes = append(b.report.Notes, fmt.Sprintf("There was room for %d projects only.", n))
			break
		}
		group, ctx := errgroup.WithContext(ctx)
		group.SetLimit(atOnce)
		for range min(batch, b.projects-n) {
			group.Go(func() error {
				_, _, err := b.create(ctx)
				return err
			})
		}
		if err := group.Wait(); err != nil {
			return err
		}
	}
	progress("a user in each of %d projects", len(b.made))
	return each(ctx, b.addr, 4, len(b.made), func(c *conn, i int) error {
		if err := b.enter(c, &b.made[i]); err != nil {
			return fmt.Errorf("sign in to project %d: %w", i, err)
		}
		return nil
	})
}

// room reports whether two more batches of databases fit.
func (b *bench) room(ctx context.Context) bool {
	var size uint64
	err := b.pg.query(ctx, maintenance, `select pg_database_size('reeve_`+b.made[0].Ref+`')`, &size)
	free, known := freeBytes(b.pg.dir)
	return err != nil || !known || free > 2*batch*size+spare
}

// enter signs in a new user by a link, which needs no password hash.
func (b *bench) enter(c *conn, p *project) error {
	const who = `{"type":"magiclink","email":"fleet@example.com"}`
	body, err := good(c.do(b.keyed(p, p.SecretKey, "POST", "/admin/generate_link", who)))
	if err != nil {
		return err
	}
	var link struct {
		Token string `json:"hashed_token"`
		Type  string `json:"verification_type"` // signup, as the user is new
	}
	if err := json.Unmarshal(body, &link); err != nil {
		return fmt.Errorf("read a link: %w", err)
	}
	var s session
	err = s.read(c.do(b.request(p, "POST", "/verify", fmt.Sprintf(`{"type":%q,"token_hash":%q}`, link.Type, link.Token))))
	p.token = s.AccessToken
	return err
}
