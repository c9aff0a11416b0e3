package scim

import "strings"

// MemberChange is a change of a group's members.
type MemberChange struct {
	Op  string // add, remove or replace
	All bool   // of remove: every member
	IDs []string
}

// PatchGroup takes the changes of members out of those of a group, in their order, so
// that a group of any size can be changed without its members; ErrPath, ErrFilter,
// ErrValue.
func PatchGroup(ops []Operation) (rest []Operation, members []MemberChange, err error) {
	for _, op := range ops {
		if op.Path == "" {
			in, ok := op.Value.(map[string]any)
			if !ok || op.Op == "remove" {
				rest = append(rest, op)
				continue
			}
			others := map[string]any{}
			for _, name := range names(in) {
				if to, err := parseTarget(Group, name); err != nil || to.Attr == nil || to.Attr.Name != "members" {
					others[name] = in[name]
					continue
				}
				c, err := memberChange(Operation{Op: op.Op, Path: name, Value: in[name]})
				if err != nil {
					return nil, nil, err
				}
				members = append(members, c)
			}
			rest = append(rest, Operation{Op: op.Op, Value: others})
			continue
		}
		if to, err := parseTarget(Group, op.Path); err != nil {
			return nil, nil, err
		} else if to.Attr == nil || to.Attr.Name != "members" {
			rest = append(rest, op)
			continue
		}
		c, err := memberChange(op)
		if err != nil {
			return nil, nil, err
		}
		members = append(members, c)
	}
	return rest, members, nil
}

func memberChange(op Operation) (c MemberChange, err error) {
	to, err := parseTarget(Group, op.Path)
	if err != nil {
		return c, err
	}
	c.Op = op.Op
	switch {
	case to.Sub != nil:
		return c, saying(ErrMutability, "members: the parts of a member cannot be changed; add or remove it")
	case to.filter != nil && op.Op != "remove":
		return c, saying(ErrPath, "members: only remove can have a filter")
	case to.filter != nil:
		ok := false
		if c.IDs, ok = listed(to.filter, nil); !ok {
			return c, saying(ErrFilter, `members: which to remove is said by value eq "<id>"`)
		}
		return c, nil
	case op.Op == "remove" && op.Value == nil:
		c.All = true
		return c, nil
	}
	v, err := to.Attr.read(op.Value)
	if err != nil {
		return c, err
	}
	c.IDs, err = memberIDs(v)
	return c, err
}

// listed are the ids of value eq a or value eq b ....
func listed(e Expr, ids []string) ([]string, bool) {
	switch e := e.(type) {
	case Or:
		ids, ok := listed(e.Left, ids)
		if !ok {
			return nil, false
		}
		return listed(e.Right, ids)
	case Compare:
		id, ok := e.Value.(string)
		if !ok || e.Op != Equal || e.Path.Attr.Name != "value" {
			return nil, false
		}
		return append(ids, strings.ToLower(id)), true
	}
	return nil, false
}
