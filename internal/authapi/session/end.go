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
	keep  int
	ids   []uuid.UUID
}

type scope uint8

const (
	scopeAll scope = iota
	scopeOnly
	scopeAllBut
	scopeOldest
	scopeThese
)

// All is every session of the user.
var All = Which{}

// Only is this session.
func Only(id uuid.UUID) Which { return Which{scope: scopeOnly, id: id} }

// AllBut is every session but this one.
func AllBut(id uuid.UUID) Which { return Which{scope: scopeAllBut, id: id} }

// These are the sessions of the ids.
func These(ids []uuid.UUID) Which { return Which{scope: scopeThese, ids: ids} }

// Names returns the session that Only or AllBut was made of.
func (w Which) Names() (uuid.UUID, bool) { return w.id, w.scope == scopeOnly || w.scope == scopeAllBut }

// Oldest is every session but the keep ones that began last.
func Oldest(keep int) Which { return Which{scope: scopeOldest, keep: keep} }

// Cause is the reason why sessions end.
type Cause = auth.EndCause

// The causes. Those without an audit entry from their own request get one; for
// the others the request's entry is enough.
const (
	CauseLogout    = auth.EndSignedOut
	CauseReuse     = auth.EndReuse
	CauseReplaced  = auth.EndReplaced
	CauseTakenOver = auth.EndTakenOver
	CauseBanned    = auth.EndBanned
	CausePassword  = auth.EndPassword
	CauseFactor    = auth.EndFactor
	CauseAdmin     = auth.EndAdmin
	CauseReported  = auth.EndReported
	CauseDeleted   = auth.EndDeleted
	CauseSLO       = auth.EndSLO
	CauseSCIM      = auth.EndSCIM
)

var causeActions = map[Cause]auth.Action{
	CauseLogout:   auth.ActionLogout,
	CauseReported: auth.ActionLogout,
	CauseReuse:    auth.ActionTokenRevoked,
}

// End ends sessions of a user and records the cause. It is no error if there are
// none. Where all or all others end, pending links of identities end too, because a
// session that ends may have begun them.
func (s Sessions) End(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, u *auth.User, which Which, cause Cause) error {
	var err error
	switch which.scope {
	case scopeOnly:
		err = tx.DeleteSession(ctx, which.id)
	case scopeAllBut:
		err = tx.DeleteOtherSessions(ctx, u.ID, which.id)
	case scopeThese:
		err = tx.DeleteTheseSessions(ctx, u.ID, which.ids)
	case scopeOldest:
		err = tx.DeleteOldestSessions(ctx, u.ID, which.keep)
	default:
		err = tx.DeleteSessions(ctx, u.ID)
	}
	if err == nil {
		err = tx.ExplainEnd(ctx, u.ID, cause, s.Now(), cause == CauseDeleted)
	}
	if err == nil && (which.scope == scopeAll || which.scope == scopeAllBut) {
		err = tx.EndLinks(ctx, u.ID)
	}
	action, audited := causeActions[cause]
	if err != nil || !audited {
		return err
	}
	return audit.Self(ctx, tx, sc, u, action, s.Now())
}
