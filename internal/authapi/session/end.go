package session

import (
	"context"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/audit"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// Which selects sessions of a user.
type Which struct {
	scope scope
	id    uuid.UUID
}

type scope uint8

const (
	scopeAll scope = iota
	scopeOnly
	scopeAllBut
)

// All is every session of the user.
var All = Which{}

// Only is this session.
func Only(id uuid.UUID) Which { return Which{scopeOnly, id} }

// AllBut is every session but this one.
func AllBut(id uuid.UUID) Which { return Which{scopeAllBut, id} }

// Cause is the reason why sessions end.
type Cause uint8

// The causes. Those without an audit entry from their own request get one; for
// the others the request's entry is enough.
const (
	CauseLogout   Cause = iota // the user signs out
	CauseReuse                 // a refresh token was used twice
	CauseReplaced              // a newer session takes the place of all
	CausePassword              // the password changed
	CauseAdmin                 // an admin changed or removed the account
)

var causeActions = map[Cause]auth.Action{
	CauseLogout: auth.ActionLogout,
	CauseReuse:  auth.ActionTokenRevoked,
}

// End ends sessions of a user. It is no error if there are none. Unless only one
// ends, pending links of identities end too, because a session that ends may have
// begun them.
func (s Sessions) End(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, u *auth.User, which Which, cause Cause) error {
	var err error
	switch which.scope {
	case scopeOnly:
		err = tx.DeleteSession(ctx, which.id)
	case scopeAllBut:
		err = tx.DeleteOtherSessions(ctx, u.ID, which.id)
	default:
		err = tx.DeleteSessions(ctx, u.ID)
	}
	if err == nil && which.scope != scopeOnly {
		err = tx.EndLinks(ctx, u.ID)
	}
	action, audited := causeActions[cause]
	if err != nil || !audited {
		return err
	}
	return audit.Self(ctx, tx, sc, u, action, s.Now())
}
