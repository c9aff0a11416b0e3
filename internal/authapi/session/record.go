package session

import (
	"context"
	"time"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// Record writes an audit entry about the user in the reference's form: action
// and log type are its words, the actor is the user.
func Record(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, u *auth.User, action, logType string, traits map[string]any, now time.Time) error {
	name := u.Email
	if name == "" {
		name = u.Phone
	}
	return tx.Audit(ctx, tenantdb.Audit{
		Action: action, ActorID: u.ID.String(), ActorUsername: name, ActorViaSSO: u.IsSSOUser, LogType: logType, Traits: traits,
	}, now, Address(sc))
}
