package admin

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/session"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// Record writes an audit entry about what the service role did to a user, in the
// reference's form.
func Record(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, u *auth.User, action, logType string, now time.Time) error {
	return tx.Audit(ctx, tenantdb.Audit{
		Action: action, ActorID: uuid.Nil.String(), ActorUsername: string(tenants.RoleService), LogType: logType,
		Traits: map[string]any{"user_id": u.ID.String(), "user_email": u.Email, "user_phone": u.Phone},
	}, now, session.Address(sc))
}
