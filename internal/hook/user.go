package hook

import (
	"context"
	"encoding/json"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/setting"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// userEvent is the payload of before_user_created and after_user_created.
type userEvent struct {
	Metadata metadata   `json:"metadata"`
	User     *auth.User `json:"user"`
}

// UserHooks implements users.Hooks. Both hooks are called in the transaction that
// creates the user, or for a URL between two runs of it: one that refuses or fails
// leaves no user.
type UserHooks struct{ *Hooks }

// Enabled implements users.Hooks.
func (UserHooks) Enabled(sc *tenants.Scope) bool {
	return sc != nil && (Enabled(sc, setting.HookBeforeUserCreated) || Enabled(sc, setting.HookAfterUserCreated))
}

// Remote implements users.Hooks.
func (UserHooks) Remote(sc *tenants.Scope) bool {
	cfg := sc.Tenant.Config.Hook(setting.HookBeforeUserCreated)
	_, _, function := cfg.Function()
	return cfg.Enabled && !function
}

// BeforeCreate implements users.Hooks.
func (h UserHooks) BeforeCreate(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, u *auth.User) error {
	return h.user(ctx, tx, sc, setting.HookBeforeUserCreated, u)
}

// AfterCreate implements users.Hooks.
func (h UserHooks) AfterCreate(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, u *auth.User) error {
	return h.user(ctx, tx, sc, setting.HookAfterUserCreated, u)
}

func (h UserHooks) user(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, point string, u *auth.User) error {
	if sc == nil || !Enabled(sc, point) {
		return nil
	}
	_, err := h.run(ctx, tx, sc, point, userEvent{h.metadata(sc, point), u}, func(raw json.RawMessage) error {
		_, err := readDecision(raw, auth.ErrHookRefused.Answering(403))
		return err
	})
	return err
}
