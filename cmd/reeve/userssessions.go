package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/reevehq/reeve/internal/manage"
)

type usersSessions struct {
	List usersSessionsList `cmd:"" help:"List the sessions of a user, the one used last first."`
	End  usersSessionsEnd  `cmd:"" help:"End a session of a user, those of a provider or method, or all."`
}

type (
	usersSessionsList struct {
		ofUser
		Ended bool `help:"Those that ended last, and why."`
	}
	usersSessionsEnd struct {
		ofUser
		Session  string `arg:"" optional:"" help:"The session's id."`
		Provider string `placeholder:"NAME" help:"Those that began at an external provider."`
		Method   string `placeholder:"NAME" help:"Those that began so, such as password, otp or passkey."`
		All      bool   `help:"All sessions of the user."`
	}
)

// listedSession is what is read of a session.
type listedSession struct{ ID, Method, Provider string }

// sessionsOf returns the user's sessions, and those that ended last.
func sessionsOf(ctx context.Context, c *manage.Client, ref, id string) (going, ended json.RawMessage, err error) {
	answer, err := c.Get(ctx, usersPath(ref, id))
	if err != nil {
		return nil, nil, err
	}
	var user struct {
		Sessions json.RawMessage
		Ended    json.RawMessage `json:"ended_sessions"`
	}
	if err := json.Unmarshal(answer, &user); err != nil {
		return nil, nil, fmt.Errorf("read the answer: %w", err)
	}
	return user.Sessions, user.Ended, nil
}

// Run lists.
func (u *usersSessionsList) Run(ctx context.Context, p program, r *remote) error {
	c, ref, id, err := u.find(ctx, p, r)
	if err != nil {
		return err
	}
	going, ended, err := sessionsOf(ctx, c, ref, id)
	if err != nil {
		return err
	}
	columns := []column{{"ID", "id"}, {"ADDRESS", "ip"}, {"BEGAN", "created_at"}, {"REFRESHED", "refreshed_at"}}
	if u.Ended {
		return r.print(p, ended, append(columns, column{"ENDED", "ended_at"}, column{"CAUSE", "cause"}, column{"AGENT", "user_agent"})...)
	}
	return r.print(p, going, append(columns, column{"METHOD", "method"}, column{"PROVIDER", "provider"}, column{"AAL", "aal"}, column{"AGENT", "user_agent"})...)
}

var errWhichSessions = usage{errors.New("name a session, --provider, --method or --all, and only one of them")}

// Run ends.
func (u *usersSessionsEnd) Run(ctx context.Context, p program, r *remote) error {
	named := 0
	for _, given := range []bool{u.Session != "", u.Provider != "", u.Method != "", u.All} {
		if given {
			named++
		}
	}
	if named != 1 {
		return errWhichSessions
	}
	c, ref, id, err := u.find(ctx, p, r)
	if err != nil {
		return err
	}
	if u.All {
		answer, err := c.Delete(ctx, usersPath(ref, id, "sessions"))
		if err != nil {
			return err
		}
		return r.done(p, answer, "all sessions ended")
	}
	list := []string{u.Session}
	if u.Session == "" {
		if list, err = u.matching(ctx, c, ref, id); err != nil {
			return err
		}
	}
	for _, one := range list {
		if _, err := c.Delete(ctx, usersPath(ref, id, "sessions", one)); err != nil {
			return fmt.Errorf("end session %s: %w", one, err)
		}
	}
	answer, err := json.Marshal(map[string]int{"ended": len(list)})
	if err != nil {
		return err
	}
	return r.done(p, answer, fmt.Sprintf("sessions ended: %d", len(list)))
}

// matching returns the sessions of the provider or method.
func (u *usersSessionsEnd) matching(ctx context.Context, c *manage.Client, ref, id string) ([]string, error) {
	going, _, err := sessionsOf(ctx, c, ref, id)
	if err != nil {
		return nil, err
	}
	var sessions []listedSession
	if err := json.Unmarshal(going, &sessions); err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	var list []string
	for _, s := range sessions {
		if u.Provider != "" && s.Provider == u.Provider || u.Method != "" && s.Method == u.Method {
			list = append(list, s.ID)
		}
	}
	return list, nil
}
