package scim

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	protocol "github.com/reevehq/reeve/internal/scim"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// maxStated bounds the users whose app_metadata one request changes. Those beyond get
// their groups when they sign in.
const maxStated = 20_000

// states reports whether the connection's users have the groups of the directory in
// app_metadata.
func (r *resources) states(ctx context.Context, tx *tenantdb.Tx) (bool, error) {
	c, err := tx.SSOProvider(ctx, r.connection.ID, false)
	if errors.Is(err, auth.ErrSSOProviderNotFound) { // one that SQL made
		return false, nil
	}
	return err == nil && c.Rules.GroupsAttribute == auth.SSOGroupsSCIM, err
}

// regroup writes the groups of users of the directory, if the connection states them.
func (r *resources) regroup(ctx context.Context, tx *tenantdb.Tx, ids ...uuid.UUID) error {
	if len(ids) == 0 {
		return nil
	}
	if on, err := r.states(ctx, tx); !on || err != nil {
		return err
	}
	return tx.StateSCIMGroups(ctx, ids[:min(len(ids), maxStated)], r.Now())
}

// affected are the users whom changes of a group are about, before they are made. whole
// says that the group itself changes.
func (g groups) affected(ctx context.Context, tx *tenantdb.Tx, group uuid.UUID, changes []protocol.MemberChange, whole bool) ([]uuid.UUID, error) {
	on, err := g.states(ctx, tx)
	if !on || err != nil {
		return nil, err
	}
	var ids []uuid.UUID
	for _, c := range changes {
		whole = whole || c.All || c.Op == "replace"
		for _, text := range c.IDs {
			if id, err := uuid.Parse(text); err == nil {
				ids = append(ids, id)
			}
		}
	}
	if !whole {
		return ids, nil
	}
	members, err := tx.SCIMMemberIDs(ctx, group, maxStated)
	return append(ids, members...), err
}
