package tenantdb

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/internal/auth"
)

// principalColumns is what scanPrincipal reads: one row per identity.
const principalColumns = userColumns + `, ` + hasFactorsColumn + `, ` + identityColumns + `, ` + sessionColumns

// UserOfSession is the hot query of every request with an access token, in one
// round trip (two for users with a second factor): the user with identities and
// factors, and the session without its amr entries. A user that is gone, or of
// another audience, is auth.ErrTokenUserGone, a session that is gone
// auth.ErrSessionNotFound. It does not check whether the user is banned.
func (db *DB) UserOfSession(ctx context.Context, userID, sessionID uuid.UUID) (auth.Principal, error) {
	var p auth.Principal
	err := db.Do(ctx, func(tx *Tx) error {
		rows, err := tx.q.Query(ctx, `SELECT `+principalColumns+`
			FROM auth.users u
			LEFT JOIN auth.sessions s ON s.id = $2
			LEFT JOIN auth.identities i ON i.user_id = u.id
			WHERE u.id = $1 AND u.deleted_at IS NULL`, binaryID(userID), binaryID(sessionID))
		if err != nil {
			return fmt.Errorf("read user of session: %w", err)
		}
		p, err = tx.scanPrincipal(ctx, rows, false)
		return err
	})
	return p, err
}

// scanPrincipal reads rows of principalColumns, followed by amrColumn where amr
// is true.
func (tx *Tx) scanPrincipal(ctx context.Context, rows pgx.Rows, amr bool) (auth.Principal, error) {
	user, session, identities, err := scanPrincipalRows(rows, amr)
	switch {
	case err != nil:
		return auth.Principal{}, err
	case user.u.ID == uuid.Nil, user.u.Gone():
		return auth.Principal{}, auth.ErrTokenUserGone
	case !session.id.Valid || session.userID.Bytes != user.u.ID:
		return auth.Principal{User: user.user()}, auth.ErrSessionNotFound
	}
	u := user.user()
	u.Identities = identities
	if user.hasFactors {
		if u.Factors, err = tx.Factors(ctx, u.ID); err != nil {
			return auth.Principal{}, err
		}
	}
	return auth.Principal{User: u, Session: session.session()}, nil
}

func scanPrincipalRows(rows pgx.Rows, amr bool) (user userRow, session sessionRow, identities []auth.Identity, err error) {
	defer rows.Close()
	var identity identityRow
	targets := append(append(user.targets(), identity.targets()...), session.targets()...)
	if amr {
		targets = append(targets, &session.amr)
	}
	identities = make([]auth.Identity, 0, 1)
	for rows.Next() {
		identity = identityRow{}
		if err := rows.Scan(targets...); err != nil {
			return user, session, nil, fmt.Errorf("scan user: %w", err)
		}
		if identity.id.Valid {
			identities = append(identities, identity.identity(user.u.ID))
		}
	}
	if err := rows.Err(); err != nil {
		return user, session, nil, fmt.Errorf("read user: %w", err)
	}
	sortIdentities(identities)
	return user, session, identities, nil
}
