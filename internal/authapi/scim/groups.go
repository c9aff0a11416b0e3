package scim

import (
	"context"
	"fmt"
	"net/http"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	protocol "github.com/reevehq/reeve/internal/scim"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// groups answers requests for groups. Their members are never read as a whole to change
// them: a group may have a million.
type groups struct{ resources }

func (g groups) do(ctx context.Context) (*Answer, error) {
	switch {
	case g.request.Search, g.request.ID == "" && g.request.Method == http.MethodGet:
		return g.list(ctx)
	case g.request.ID == "":
		return g.create(ctx)
	case g.request.Method == http.MethodGet:
		return g.get(ctx)
	case g.request.Method == http.MethodDelete:
		return g.remove(ctx)
	}
	return g.change(ctx)
}

func (g groups) list(ctx context.Context) (*Answer, error) {
	q, err := g.query()
	if err != nil {
		return nil, err
	}
	g.projection = q.Projection
	var rows []auth.SCIMGroup
	var total int
	var of map[uuid.UUID][]any
	err = g.sc.DB.Do(ctx, func(tx *tenantdb.Tx) error {
		if rows, total, err = tx.SCIMGroups(ctx, g.connection.ID, q); err != nil {
			return err
		}
		of, err = g.members(ctx, tx, rows)
		return err
	})
	if err != nil {
		return nil, err
	}
	page := make([]protocol.Resource, len(rows))
	for i := range rows {
		page[i] = g.projection.Apply(protocol.Group, g.shown(&rows[i], of))
	}
	return &Answer{Status: http.StatusOK, Body: protocol.NewList(total, q.Start, page)}, nil
}

// members are the members of groups, if they are wanted.
func (g groups) members(ctx context.Context, tx *tenantdb.Tx, rows []auth.SCIMGroup) (map[uuid.UUID][]any, error) {
	if !g.projection.Wants("members") || len(rows) == 0 {
		return nil, nil
	}
	ids := make([]uuid.UUID, len(rows))
	for i := range rows {
		ids[i] = rows[i].ID
	}
	list, err := tx.SCIMMembers(ctx, ids, maxRelated+1)
	if err != nil {
		return nil, err
	}
	if len(list) > maxRelated {
		return nil, protocol.ErrTooMany.Saying(fmt.Sprintf(`There are more than %d members: ask with excludedAttributes=members, and page through `+
			`the members with GET /Users?filter=groups.value eq "<id of the group>"`, maxRelated))
	}
	out := map[uuid.UUID][]any{}
	for _, m := range list {
		out[m.Group] = append(out[m.Group], map[string]any{
			"value": m.User.String(), "display": m.Name, "type": "User", "$ref": g.connection.Base + protocol.User.Endpoint + "/" + m.User.String(),
		})
	}
	return out, nil
}

func (g groups) shown(row *auth.SCIMGroup, of map[uuid.UUID][]any) protocol.Resource {
	out := g.show(protocol.Resource(auth.DecodeObject(row.Resource)), row.ID, row.CreatedAt, row.UpdatedAt, versionTag(row.Version))
	if list := of[row.ID]; list != nil {
		out["members"] = list
	}
	return out
}

func (g groups) one(ctx context.Context, tx *tenantdb.Tx, status int, row *auth.SCIMGroup) (*Answer, error) {
	of, err := g.members(ctx, tx, []auth.SCIMGroup{*row})
	if err != nil {
		return nil, err
	}
	return g.answer(status, g.shown(row, of), row.ID, versionTag(row.Version)), nil
}

func (g groups) get(ctx context.Context) (a *Answer, err error) {
	id, err := g.id()
	if err != nil {
		return nil, err
	}
	err = g.sc.DB.Do(ctx, func(tx *tenantdb.Tx) error {
		row, err := tx.SCIMGroup(ctx, g.connection.ID, id, false)
		if err != nil {
			return err
		}
		a, err = g.one(ctx, tx, http.StatusOK, &row)
		return err
	})
	return a, err
}

func (g groups) create(ctx context.Context) (a *Answer, err error) {
	doc, ids, _, err := g.read()
	if err != nil {
		return nil, err
	}
	raw, err := encode(doc)
	if err != nil {
		return nil, err
	}
	err = g.sc.DB.Tx(ctx, func(tx *tenantdb.Tx) error {
		now := g.Now()
		row := auth.SCIMGroup{ID: uuid.New(), Provider: g.connection.ID, Resource: raw, Version: 1, CreatedAt: now, UpdatedAt: now}
		if err := tx.CreateSCIMGroup(ctx, &row); err != nil {
			return err
		}
		if _, err := g.add(ctx, tx, row.ID, ids); err != nil {
			return err
		}
		members, err := g.affected(ctx, tx, row.ID, nil, true)
		if err != nil {
			return err
		}
		if err := g.regroup(ctx, tx, members...); err != nil {
			return err
		}
		a, err = g.one(ctx, tx, http.StatusCreated, &row)
		return err
	})
	return a, err
}

// read reads a whole group; given is false if it does not say who its members are.
func (g groups) read() (doc protocol.Resource, ids []string, given bool, err error) {
	in, err := g.body()
	if err != nil {
		return nil, nil, false, err
	}
	if doc, err = protocol.Read(protocol.Group, in); err != nil {
		return nil, nil, false, err
	}
	ids, given, err = doc.Members()
	return doc, ids, given, err
}

// change is PUT and PATCH. The answer to PATCH has no body unless attributes are asked
// for: it would have all members.
func (g groups) change(ctx context.Context) (a *Answer, err error) {
	id, err := g.id()
	if err != nil {
		return nil, err
	}
	next, members, err := g.changed()
	if err != nil {
		return nil, err
	}
	err = g.sc.DB.Tx(ctx, func(tx *tenantdb.Tx) error {
		row, err := tx.SCIMGroup(ctx, g.connection.ID, id, true)
		if err != nil {
			return err
		}
		if err := g.check(versionTag(row.Version)); err != nil {
			return err
		}
		before := protocol.Resource(auth.DecodeObject(row.Resource))
		after, err := next(before)
		if err != nil {
			return err
		}
		changed := !after.Equal(before)
		affected, err := g.affected(ctx, tx, id, members, before.Text("displayName") != after.Text("displayName"))
		if err != nil {
			return err
		}
		for _, c := range members {
			n, err := g.apply(ctx, tx, id, c)
			if err != nil {
				return err
			}
			changed = changed || n > 0
		}
		if changed {
			if row.Resource, err = encode(after); err != nil {
				return err
			}
			row.Version, row.UpdatedAt = row.Version+1, g.Now()
			if err := tx.UpdateSCIMGroup(ctx, &row); err != nil {
				return err
			}
			if err := g.regroup(ctx, tx, affected...); err != nil {
				return err
			}
		}
		if g.request.Method == http.MethodPatch && g.request.Query.Get("attributes") == "" {
			a = &Answer{Status: http.StatusNoContent, Tag: versionTag(row.Version)}
			return nil
		}
		a, err = g.one(ctx, tx, http.StatusOK, &row)
		return err
	})
	return a, err
}

// changed reads the request and returns what becomes of a document by it, and of the
// members.
func (g groups) changed() (func(protocol.Resource) (protocol.Resource, error), []protocol.MemberChange, error) {
	if g.request.Method == http.MethodPatch {
		ops, err := g.operations()
		if err != nil {
			return nil, nil, err
		}
		rest, members, err := protocol.PatchGroup(ops)
		return func(before protocol.Resource) (protocol.Resource, error) {
			return protocol.Patch(protocol.Group, before, rest)
		}, members, err
	}
	doc, ids, _, err := g.read()
	if err != nil {
		return nil, nil, err
	}
	return func(protocol.Resource) (protocol.Resource, error) { return doc, nil }, []protocol.MemberChange{{Op: "replace", IDs: ids}}, nil
}

// apply changes the members, and returns how many it changed.
func (g groups) apply(ctx context.Context, tx *tenantdb.Tx, group uuid.UUID, c protocol.MemberChange) (int64, error) {
	if c.Op == "remove" && !c.All {
		var ids []uuid.UUID
		for _, text := range c.IDs { // what can be no member is none
			if id, err := uuid.Parse(text); err == nil {
				ids = append(ids, id)
			}
		}
		return tx.RemoveSCIMMembers(ctx, group, ids)
	}
	ids, err := g.existing(ctx, tx, c.IDs)
	if err != nil {
		return 0, err
	}
	var removed int64
	if c.Op != "add" {
		if removed, err = tx.KeepSCIMMembers(ctx, group, ids); err != nil {
			return 0, err
		}
	}
	added, err := tx.AddSCIMMembers(ctx, group, ids)
	return removed + added, err
}

func (g groups) add(ctx context.Context, tx *tenantdb.Tx, group uuid.UUID, ids []string) (int64, error) {
	if len(ids) == 0 {
		return 0, nil
	}
	return g.apply(ctx, tx, group, protocol.MemberChange{Op: "add", IDs: ids})
}

// existing are the ids of users of the directory; protocol.ErrValue if one is not.
func (g groups) existing(ctx context.Context, tx *tenantdb.Tx, list []string) ([]uuid.UUID, error) {
	ids := make([]uuid.UUID, len(list))
	for i, text := range list {
		id, err := uuid.Parse(text)
		if err != nil || len(text) != len(id.String()) {
			return nil, noMember(text)
		}
		ids[i] = id
	}
	if len(ids) == 0 {
		return ids, nil
	}
	found, err := tx.SCIMUsersExist(ctx, g.connection.ID, ids)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		if !found[id] {
			return nil, noMember(id.String())
		}
	}
	return ids, nil
}

func noMember(id string) error {
	return protocol.ErrValue.Saying(fmt.Sprintf("members: %.100q is no user of this connection", id))
}

func (g groups) remove(ctx context.Context) (*Answer, error) {
	id, err := g.id()
	if err != nil {
		return nil, err
	}
	err = g.sc.DB.Tx(ctx, func(tx *tenantdb.Tx) error {
		row, err := tx.SCIMGroup(ctx, g.connection.ID, id, true)
		if err != nil {
			return err
		}
		if err := g.check(versionTag(row.Version)); err != nil {
			return err
		}
		members, err := g.affected(ctx, tx, id, nil, true)
		if err != nil {
			return err
		}
		if err := tx.DeleteSCIMGroup(ctx, id); err != nil {
			return err
		}
		return g.regroup(ctx, tx, members...)
	})
	if err != nil {
		return nil, err
	}
	return &Answer{Status: http.StatusNoContent}, nil
}
