package member

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authz"
	"github.com/reevehq/reeve/internal/controldb"
)

// standing has the members of an organization, as the platform project knows them.
type standing map[uuid.UUID]seen

// seen is a member when standing was read.
type seen struct {
	user   auth.User
	active bool // neither deleted nor banned
}

// errOtherMembers says that somebody became a member after standing was read.
var errOtherMembers = errors.New("the organization has other members by now")

// maxReads bounds how often the members are read for one change.
const maxReads = 5

// lockedStanding is locked with the members' standing. It is read before, of an
// organization where the actor may do the action: the members must not be locked while
// the platform project's database is asked. If there is another member once they are
// locked, all begins anew.
func (s *Service) lockedStanding(ctx context.Context, actor authz.Actor, action authz.Action, slug string,
	fn func(*controldb.Tx, authz.Grants, controldb.Organization, []controldb.Member, standing) error,
) error {
	for read := 1; ; read++ {
		org, err := s.Authz.Organization(ctx, actor, action, slug)
		if err != nil {
			return err
		}
		active, err := s.standing(ctx, org.ID)
		if err != nil {
			return err
		}
		err = s.locked(ctx, actor, action, slug, func(tx *controldb.Tx, g authz.Grants, org controldb.Organization, members []controldb.Member) error {
			if !active.covers(members) {
				return errOtherMembers
			}
			return fn(tx, g, org, members, active)
		})
		if !errors.Is(err, errOtherMembers) || read == maxReads {
			return err
		}
	}
}

// standing reads the standing of an organization's members.
func (s *Service) standing(ctx context.Context, organization uuid.UUID) (standing, error) {
	members, err := s.DB.MembersOf(ctx, organization)
	if err != nil {
		return nil, err
	}
	people, err := s.people(ctx, members)
	out := make(standing, len(people))
	for _, p := range people {
		out[p.UserID] = seen{p.user, p.user.ID != uuid.Nil && !p.user.Gone() && !p.user.Banned(s.Now())}
	}
	return out, err
}

// covers reports whether the standing of each of the members was read.
func (o standing) covers(members []controldb.Member) bool {
	for _, m := range members {
		if _, ok := o[m.UserID]; !ok {
			return false
		}
	}
	return true
}

// check returns controldb.ErrLastOwner if the organization had an owner who can
// sign in, and has none after a change.
func (o standing) check(before, after []controldb.Member) error {
	if o.owned(before) && !o.owned(after) {
		return controldb.ErrLastOwner
	}
	return nil
}

func (o standing) owned(members []controldb.Member) bool {
	for _, m := range members {
		if m.Role == controldb.Owner && o[m.UserID].active {
			return true
		}
	}
	return false
}
