package scim

import (
	"context"
	"errors"
	"net/http"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	protocol "github.com/reevehq/reeve/internal/scim"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// maxRelated bounds the members, or the groups of users, in one answer.
const maxRelated = 20_000

// people answers requests for users.
type people struct{ resources }

func (p people) do(ctx context.Context) (*Answer, error) {
	switch {
	case p.request.Search, p.request.ID == "" && p.request.Method == http.MethodGet:
		return p.list(ctx)
	case p.request.ID == "":
		return p.create(ctx)
	case p.request.Method == http.MethodGet:
		return p.get(ctx)
	case p.request.Method == http.MethodDelete:
		return p.remove(ctx)
	}
	return p.change(ctx)
}

func (p people) list(ctx context.Context) (*Answer, error) {
	q, err := p.query()
	if err != nil {
		return nil, err
	}
	p.projection = q.Projection
	var rows []auth.SCIMUser
	var total int
	var in map[uuid.UUID][]any
	err = p.sc.DB.Do(ctx, func(tx *tenantdb.Tx) error {
		if rows, total, err = tx.SCIMUsers(ctx, p.connection.ID, q); err != nil {
			return err
		}
		in, err = p.groups(ctx, tx, rows)
		return err
	})
	if err != nil {
		return nil, err
	}
	page := make([]protocol.Resource, len(rows))
	for i := range rows {
		page[i] = p.projection.Apply(protocol.User, p.shown(&rows[i], in))
	}
	return &Answer{Status: http.StatusOK, Body: protocol.NewList(total, q.Start, page)}, nil
}

// groups are the groups of users, if they are wanted.
func (p people) groups(ctx context.Context, tx *tenantdb.Tx, rows []auth.SCIMUser) (map[uuid.UUID][]any, error) {
	if !p.projection.Wants("groups") || len(rows) == 0 {
		return nil, nil
	}
	ids := make([]uuid.UUID, len(rows))
	for i := range rows {
		ids[i] = rows[i].ID
	}
	list, err := tx.SCIMGroupsOfUsers(ctx, ids, maxRelated+1)
	if err != nil {
		return nil, err
	}
	if len(list) > maxRelated {
		return nil, protocol.ErrTooMany.Saying("The users are in too many groups: ask for fewer, or with excludedAttributes=groups")
	}
	out := map[uuid.UUID][]any{}
	for _, m := range list {
		out[m.User] = append(out[m.User], map[string]any{
			"value": m.Group.String(), "display": m.Name, "type": "direct",
			"$ref": p.connection.Base + protocol.Group.Endpoint + "/" + m.Group.String(),
		})
	}
	return out, nil
}

func document(row *auth.SCIMUser) protocol.Resource {
	return protocol.Resource(auth.DecodeObject(row.Resource))
}

func userTag(row *auth.SCIMUser) string {
	raw, _ := encode(document(row)) // what was read as JSON
	return tagOf(row.ID.String(), string(raw))
}

func (p people) shown(row *auth.SCIMUser, in map[uuid.UUID][]any) protocol.Resource {
	out := p.show(document(row), row.ID, row.CreatedAt, row.UpdatedAt, userTag(row))
	if list := in[row.ID]; list != nil {
		out["groups"] = list
	}
	return out
}

// one is the answer with a user.
func (p people) one(ctx context.Context, tx *tenantdb.Tx, status int, row *auth.SCIMUser) (*Answer, error) {
	in, err := p.groups(ctx, tx, []auth.SCIMUser{*row})
	if err != nil {
		return nil, err
	}
	return p.answer(status, p.shown(row, in), row.ID, userTag(row)), nil
}

func (p people) get(ctx context.Context) (a *Answer, err error) {
	id, err := p.id()
	if err != nil {
		return nil, err
	}
	err = p.sc.DB.Do(ctx, func(tx *tenantdb.Tx) error {
		row, err := tx.SCIMUser(ctx, p.connection.ID, id, false)
		if err != nil {
			return err
		}
		a, err = p.one(ctx, tx, http.StatusOK, &row)
		return err
	})
	return a, err
}

func (p people) create(ctx context.Context) (a *Answer, err error) {
	in, err := p.body()
	if err != nil {
		return nil, err
	}
	doc, err := protocol.Read(protocol.User, in)
	if err != nil {
		return nil, err
	}
	doc["active"] = doc.Active()
	raw, err := encode(doc)
	if err != nil {
		return nil, err
	}
	err = p.sc.DB.Tx(ctx, func(tx *tenantdb.Tx) error {
		now := p.Now()
		if err := tx.LockSSOConnection(ctx, p.connection.ID); err != nil {
			return err
		}
		row := auth.SCIMUser{ID: uuid.New(), Provider: p.connection.ID, Resource: raw, CreatedAt: now, UpdatedAt: now}
		if err := tx.CreateSCIMUser(ctx, &row); err != nil {
			return err
		}
		if err := p.provision(ctx, tx, &row, doc); err != nil {
			return err
		}
		a, err = p.one(ctx, tx, http.StatusCreated, &row)
		return err
	})
	return a, asSCIM(err)
}

// change is PUT and PATCH.
func (p people) change(ctx context.Context) (a *Answer, err error) {
	id, err := p.id()
	if err != nil {
		return nil, err
	}
	next, err := p.changed()
	if err != nil {
		return nil, err
	}
	err = p.sc.DB.Tx(ctx, func(tx *tenantdb.Tx) error {
		row, err := tx.SCIMUser(ctx, p.connection.ID, id, true)
		if err != nil {
			return err
		}
		if err := p.check(userTag(&row)); err != nil {
			return err
		}
		before := document(&row)
		after, err := next(before)
		if err != nil {
			return err
		}
		gone, err := p.gone(ctx, tx, &row)
		if err != nil {
			return err
		}
		if !after.Equal(before) || gone {
			if row.Resource, err = encode(after); err != nil {
				return err
			}
			row.UpdatedAt = p.Now()
			if err := p.apply(ctx, tx, &row, before, after, gone); err != nil {
				return err
			}
			if gone || before.Active() != after.Active() {
				if err := p.regroup(ctx, tx, id); err != nil {
					return err
				}
			}
		}
		a, err = p.one(ctx, tx, http.StatusOK, &row)
		return err
	})
	return a, asSCIM(err)
}

// changed reads the request and returns what becomes of a document by it.
func (p people) changed() (func(protocol.Resource) (protocol.Resource, error), error) {
	if p.request.Method == http.MethodPatch {
		ops, err := p.operations()
		return func(before protocol.Resource) (protocol.Resource, error) {
			return protocol.Patch(protocol.User, before, ops)
		}, err
	}
	in, err := p.body()
	if err != nil {
		return nil, err
	}
	doc, err := protocol.Read(protocol.User, in)
	if err != nil {
		return nil, err
	}
	return func(before protocol.Resource) (protocol.Resource, error) {
		after := doc.Clone()
		if _, given := after["active"]; !given { // silence must not let anybody in
			after["active"] = before.Active()
		}
		return after, nil
	}, nil
}

// gone reports whether the project's user was deleted.
func (p people) gone(ctx context.Context, tx *tenantdb.Tx, row *auth.SCIMUser) (bool, error) {
	if row.UserID == nil {
		return true, nil
	}
	u, err := tx.UserByID(ctx, *row.UserID, true)
	if errors.Is(err, auth.ErrUserNotFound) {
		return true, nil
	}
	return u.Gone(), err
}

func (p people) remove(ctx context.Context) (*Answer, error) {
	id, err := p.id()
	if err != nil {
		return nil, err
	}
	err = p.sc.DB.Tx(ctx, func(tx *tenantdb.Tx) error {
		row, err := tx.SCIMUser(ctx, p.connection.ID, id, true)
		if err != nil {
			return err
		}
		if err := p.check(userTag(&row)); err != nil {
			return err
		}
		if err := tx.DeleteSCIMUser(ctx, id, p.Now()); err != nil {
			return err
		}
		if err := p.withdraw(ctx, tx, &row, "removed"); err != nil {
			return err
		}
		return p.regroup(ctx, tx, id)
	})
	if err != nil {
		return nil, err
	}
	return &Answer{Status: http.StatusNoContent}, nil
}
