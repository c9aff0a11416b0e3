//go:build linux || darwin

package main

import (
	"context"
	"runtime"
	"time"

	"golang.org/x/crypto/bcrypt"
	"golang.org/x/sync/errgroup"
)

// bcryptCost is that of the server's new hashes, as in the reference.
const bcryptCost = 10

// limits measures the upper bound of sign-ins by password on this machine:
// bcrypt alone, on every core.
func (b *bench) limits(ctx context.Context) error {
	const name = "bcrypt"
	if !b.wants(name) {
		return nil
	}
	progress("%s", name)
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcryptCost)
	if err != nil {
		return err
	}
	parts := make([]sent, runtime.GOMAXPROCS(0))
	begun, before := time.Now(), b.use()
	group, ctx := errgroup.WithContext(ctx)
	for w := range parts {
		group.Go(func() error {
			for now := time.Now(); now.Sub(begun) < b.duration && ctx.Err() == nil; {
				if err := bcrypt.CompareHashAndPassword(hash, []byte(password)); err != nil {
					return err
				}
				after := time.Now()
				parts[w].times = append(parts[w].times, after.Sub(now))
				now = after
			}
			return ctx.Err()
		})
	}
	err = group.Wait()
	all := sent{took: time.Since(begun)}
	for _, p := range parts {
		all.times = append(all.times, p.times...)
	}
	all.sum()
	l := loadOf(name, all, b.use().since(before))
	l.Limit, l.Connections = true, len(parts)
	b.report.Loads = append(b.report.Loads, l)
	return err
}
