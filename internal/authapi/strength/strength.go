// Package strength decides whether a password may be set: by the project's rules
// and, where the project wants it, by a list of leaked passwords. It owns no
// route. The list is asked over the network, so nothing of this package is called
// inside a transaction.
package strength

import (
	"context"
	"time"

	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/internal/password"
	"github.com/reevehq/reeve/internal/projectlog"
	"github.com/reevehq/reeve/tenants"
)

// List is a list of leaked passwords.
type List interface {
	Contains(ctx context.Context, password string) (bool, error)
}

// Checker checks passwords.
type Checker struct {
	// Leaked is asked for projects with password_hibp_enabled; nil for none.
	Leaked List
}

// ErrUnchecked refuses a new password while the list of leaked ones cannot be
// asked.
var ErrUnchecked = fault.New(fault.Unavailable, "unexpected_failure", "The password could not be checked at the moment, try again")

// signInTimeout limits the question at a sign-in, which succeeds in any case.
const signInTimeout = 2 * time.Second

// Check returns nil for a password that may be set: password.ErrWeak with its
// reasons, password.ErrTooLong, password.ErrNUL, ErrUnchecked.
func (c Checker) Check(ctx context.Context, sc *tenants.Scope, pass string) error {
	cfg := &sc.Tenant.Config
	if err := password.Hashable(pass); err != nil {
		return err
	}
	weakness := password.PolicyOf(cfg).Weakness(pass)
	if cfg.LeakedPasswords {
		leaked, err := c.contains(ctx, sc, pass)
		if err != nil && cfg.LeakedPasswordsFailClosed {
			return ErrUnchecked.Because(err)
		}
		if leaked {
			weakness = weakness.And(password.Leaked())
		}
	}
	return weakness.Err()
}

// Weakness says for a user who signed in why the password would not be accepted
// as a new one; nil if it would be.
func (c Checker) Weakness(ctx context.Context, sc *tenants.Scope, pass string) *password.Weakness {
	cfg := &sc.Tenant.Config
	weakness := password.PolicyOf(cfg).Weakness(pass)
	if !cfg.LeakedPasswords || !cfg.LeakedPasswordsAtSignIn {
		return weakness
	}
	ctx, cancel := context.WithTimeout(ctx, signInTimeout)
	defer cancel()
	if leaked, _ := c.contains(ctx, sc, pass); leaked {
		weakness = weakness.And(password.Leaked())
	}
	return weakness
}

// contains asks the list, and logs a failure for the developer.
func (c Checker) contains(ctx context.Context, sc *tenants.Scope, pass string) (bool, error) {
	if c.Leaked == nil {
		return false, nil
	}
	leaked, err := c.Leaked.Contains(ctx, pass)
	if err != nil && ctx.Err() != context.Canceled {
		e := projectlog.Entry{
			Level: projectlog.Warning, Code: "leaked_passwords_unavailable",
			Message: "The list of leaked passwords could not be asked. The password was accepted without it.",
			Detail:  map[string]any{"error": err.Error()},
		}
		if sc.Tenant.Config.LeakedPasswordsFailClosed {
			e.Level, e.Message = projectlog.Error, "The list of leaked passwords could not be asked, and new passwords are refused until it can (setting password_hibp_fail_closed)."
		}
		sc.Log.Add(ctx, e)
	}
	return leaked, err
}
