//go:build linux || darwin

package main

import (
	"context"
	"fmt"
)

// The figures of sign-up.
const (
	confirmed     = "signup-confirm"
	autoconfirmed = "signup-autoconfirm"
)

// signUps measures e-mail sign-up, with a mail to confirm the address (captured,
// not sent) and without. Each has a project of its own: what mails are still to
// be written is not the next one's load.
func (b *bench) signUps(ctx context.Context) error {
	for _, name := range []string{confirmed, autoconfirmed} {
		if !b.wants(name) {
			continue
		}
		if err := b.ensureServer(ctx); err != nil {
			return err
		}
		p, err := b.configured(ctx, map[string]any{"mailer_autoconfirm": name == autoconfirmed})
		if err != nil {
			return err
		}
		if err := b.figure(ctx, name, func(w int) step { return b.newcomers(&p, name, w) }); err != nil {
			return err
		}
	}
	return nil
}

// newcomers sign up, each with an address of their own, which contains round.
func (b *bench) newcomers(p *project, round string, worker int) step {
	n := 0
	return func(c *conn) (int, []byte, error) {
		n++
		return c.do(b.signUpRequest(p, fmt.Sprintf("%s.%d.%d@example.com", round, worker, n)))
	}
}
