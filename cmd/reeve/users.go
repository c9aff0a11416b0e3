package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/reevehq/reeve/internal/manage"
)

type usersCommand struct {
	List     usersList     `cmd:"" help:"List users, the newest first."`
	Show     usersShow     `cmd:"" help:"Show a user, and whether they can sign in."`
	Timeline usersTimeline `cmd:"" help:"What a user did, what was done to them, and why they were refused."`
	Create   usersCreate   `cmd:"" help:"Create a user."`
	Invite   usersInvite   `cmd:"" help:"Create a user and mail them an invitation."`
	Ban      usersBan      `cmd:"" help:"Ban a user."`
	Unban    usersUnban    `cmd:"" help:"Lift the ban of a user."`
	SignOut  usersSignOut  `cmd:"" help:"End all sessions of a user."`
	Sessions usersSessions `cmd:"" help:"Sessions of a user."`
	Link     usersLink     `cmd:"" help:"Print a link that signs a user in."`
	Delete   usersDelete   `cmd:"" help:"Delete a user."`
}

// ofUser is the user that a command works on.
type ofUser struct {
	ofProject
	User string `arg:"" help:"The user's id or e-mail address."`
}

type (
	usersList struct {
		ofProject
		Query    string       `arg:"" optional:"" help:"Part of an e-mail address, a number or a name, or the beginning of an id."`
		Sort     string       `enum:"created_at,last_sign_in_at,email" default:"created_at" help:"created_at, last_sign_in_at or email."`
		Asc      bool         `help:"The least first."`
		Banned   bool         `help:"Only banned ones."`
		Pending  bool         `help:"Only unconfirmed ones."`
		Provider string       `placeholder:"NAME" help:"Only those with an identity of a provider."`
		Limit    messageLimit `default:"50" placeholder:"N" help:"How many at most, up to 200 (${default})."`
		Cursor   string       `placeholder:"TEXT" help:"Go on where an earlier list ended."`
	}
	usersShow     struct{ ofUser }
	usersTimeline struct {
		ofUser
		Limit messageLimit `default:"50" placeholder:"N" help:"How many at most, up to 100 (${default})."`
	}
	usersCreate struct {
		ofProject
		Email    string `arg:"" help:"The user's e-mail address."`
		Password string `env:"REEVE_USER_PASSWORD" help:"Their password; other users of this machine see a flag, so prefer the variable."`
		Confirm  bool   `help:"Take the address for confirmed."`
	}
	usersInvite struct {
		ofProject
		Email string `arg:"" help:"The user's e-mail address."`
	}
	usersBan struct {
		ofUser
		For string `default:"forever" placeholder:"TIME" help:"How long, such as 24h (${default})."`
	}
	usersUnban   struct{ ofUser }
	usersSignOut struct{ ofUser }
	usersLink    struct {
		ofUser
		Type string `enum:"magiclink,recovery,invite" default:"magiclink" help:"magiclink, recovery or invite."`
	}
	usersDelete struct {
		ofUser
		Soft bool `help:"Clear the user but keep the row and its id."`
	}
)

func userColumns() []column {
	return []column{
		{"ID", "id"}, {"EMAIL", "email"}, {"PHONE", "phone"}, {"NAME", "name"}, {"CREATED", "created_at"}, {"LAST SIGN-IN", "last_sign_in_at"},
		{"CONFIRMED", "email_confirmed_at"}, {"BANNED", "banned_until"},
	}
}

// usersPath is the path of a project's users.
func usersPath(ref string, parts ...string) string {
	return manage.Path(append([]string{"projects", ref, "auth", "users"}, parts...)...)
}

// find returns the client, the project and the id of the user.
func (u *ofUser) find(ctx context.Context, p program, r *remote) (c *manage.Client, ref, id string, err error) {
	c, ref, err = r.project(ctx, p, u.Project)
	if err != nil || !strings.Contains(u.User, "@") {
		return c, ref, u.User, err
	}
	answer, err := c.Get(ctx, usersPath(ref)+"?"+url.Values{"q": {u.User}, "limit": {"200"}}.Encode())
	if err != nil {
		return nil, "", "", err
	}
	var page struct{ Users []struct{ ID, Email string } }
	if err := json.Unmarshal(answer, &page); err != nil {
		return nil, "", "", fmt.Errorf("read the answer: %w", err)
	}
	for _, found := range page.Users {
		if strings.EqualFold(found.Email, u.User) {
			if id != "" {
				return nil, "", "", usage{fmt.Errorf("several users have the address %s: name one by id", u.User)}
			}
			id = found.ID
		}
	}
	if id == "" {
		return nil, "", "", fmt.Errorf("no user of the project has the address %s", u.User)
	}
	return c, ref, id, nil
}

// Run lists.
func (u *usersList) Run(ctx context.Context, p program, r *remote) error {
	c, ref, err := r.project(ctx, p, u.Project)
	if err != nil {
		return err
	}
	q := url.Values{"limit": {strconv.Itoa(int(u.Limit))}, "sort": {u.Sort}}
	for name, value := range map[string]string{"q": u.Query, "provider": u.Provider, "cursor": u.Cursor} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if u.Asc {
		q.Set("order", "asc")
	}
	if u.Banned {
		q.Set("banned", "true")
	}
	if u.Pending {
		q.Set("confirmed", "false")
	}
	answer, err := c.Get(ctx, usersPath(ref)+"?"+q.Encode())
	if err != nil {
		return err
	}
	if r.Output == "json" {
		return r.print(p, answer)
	}
	var page struct {
		Users    json.RawMessage
		Total    int64
		Estimate bool `json:"total_is_estimate"`
		Next     *string
	}
	if err := json.Unmarshal(answer, &page); err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	if err := r.print(p, page.Users, userColumns()...); err != nil {
		return err
	}
	if page.Next == nil {
		return nil
	}
	about := ""
	if page.Estimate {
		about = "about "
	}
	_, err = fmt.Fprintf(p.err, "of %s%d users; go on with --cursor %s\n", about, page.Total, *page.Next)
	return err
}

// Run shows.
func (u *usersShow) Run(ctx context.Context, p program, r *remote) error {
	c, ref, id, err := u.find(ctx, p, r)
	if err != nil {
		return err
	}
	answer, err := c.Get(ctx, usersPath(ref, id))
	if err != nil {
		return err
	}
	if r.Output == "json" {
		return r.print(p, answer)
	}
	var user struct {
		Standing struct {
			CanSignIn   bool `json:"can_sign_in"`
			Reasons     []string
			LastRefused *struct {
				At, Code, Message string
				ClientIP          string `json:"client_ip"`
				Count             int
			} `json:"last_refused"`
		}
		Sessions json.RawMessage
	}
	if err := json.Unmarshal(answer, &user); err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	if err := r.print(p, answer, userColumns()...); err != nil {
		return err
	}
	s := user.Standing
	said := "can sign in"
	if !s.CanSignIn {
		said = "cannot sign in: " + strings.Join(s.Reasons, ", ")
	}
	if l := s.LastRefused; l != nil {
		said += fmt.Sprintf("\nlast refused at %s from %s: %s (%d within a day): %s", l.At, l.ClientIP, l.Code, l.Count, l.Message)
	}
	if _, err := fmt.Fprintf(p.out, "\n%s\n\n", said); err != nil {
		return err
	}
	return r.print(p, user.Sessions, column{"SESSION", "id"}, column{"ADDRESS", "ip"}, column{"BEGAN", "created_at"}, column{"REFRESHED", "refreshed_at"}, column{"AAL", "aal"}, column{"AGENT", "user_agent"})
}

// Run lists.
func (u *usersTimeline) Run(ctx context.Context, p program, r *remote) error {
	c, ref, id, err := u.find(ctx, p, r)
	if err != nil {
		return err
	}
	answer, err := c.Get(ctx, usersPath(ref, id, "timeline")+"?limit="+strconv.Itoa(int(u.Limit)))
	if err != nil {
		return err
	}
	var page struct{ Events json.RawMessage }
	if err := json.Unmarshal(answer, &page); err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	return r.print(p, page.Events, column{"AT", "at"}, column{"WHAT", "code"}, column{"COUNT", "count"}, column{"BY", "actor_name"},
		column{"ADDRESS", "client_ip"}, column{"MESSAGE", "message"})
}

// Run creates.
func (u *usersCreate) Run(ctx context.Context, p program, r *remote) error {
	body := map[string]any{"email": u.Email, "email_confirm": u.Confirm}
	if u.Password != "" {
		body["password"] = u.Password
	}
	return u.newUser(ctx, p, r, body)
}

// Run invites.
func (u *usersInvite) Run(ctx context.Context, p program, r *remote) error {
	return u.newUser(ctx, p, r, map[string]any{"email": u.Email}, "invite")
}

// newUser creates a user. The request is not repeated: the second one would be refused.
func (o *ofProject) newUser(ctx context.Context, p program, r *remote, body map[string]any, below ...string) error {
	c, ref, err := r.project(ctx, p, o.Project)
	if err != nil {
		return err
	}
	answer, err := c.Post(ctx, usersPath(ref, below...), body)
	if err != nil {
		return err
	}
	return r.print(p, answer, userColumns()...)
}

// Run bans.
func (u *usersBan) Run(ctx context.Context, p program, r *remote) error {
	c, ref, id, err := u.find(ctx, p, r)
	if err != nil {
		return err
	}
	answer, err := c.Post(ctx, usersPath(ref, id, "ban"), map[string]string{"duration": u.For})
	if err != nil {
		return err
	}
	return r.print(p, answer, userColumns()...)
}

// Run lifts the ban.
func (u *usersUnban) Run(ctx context.Context, p program, r *remote) error {
	c, ref, id, err := u.find(ctx, p, r)
	if err != nil {
		return err
	}
	answer, err := c.Delete(ctx, usersPath(ref, id, "ban"))
	if err != nil {
		return err
	}
	return r.print(p, answer, userColumns()...)
}

// Run signs out.
func (u *usersSignOut) Run(ctx context.Context, p program, r *remote) error {
	c, ref, id, err := u.find(ctx, p, r)
	if err != nil {
		return err
	}
	answer, err := c.Delete(ctx, usersPath(ref, id, "sessions"))
	if err != nil {
		return err
	}
	return r.done(p, answer, "signed out everywhere")
}

// Run prints the link alone, for a pipe.
func (u *usersLink) Run(ctx context.Context, p program, r *remote) error {
	c, ref, id, err := u.find(ctx, p, r)
	if err != nil {
		return err
	}
	answer, err := c.Post(ctx, usersPath(ref, id, "link"), map[string]string{"type": u.Type})
	if err != nil || r.Output == "json" {
		if err == nil {
			err = r.print(p, answer)
		}
		return err
	}
	var link struct {
		URL string `json:"action_link"`
	}
	if err := json.Unmarshal(answer, &link); err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	_, err = fmt.Fprintln(p.out, link.URL)
	return err
}

// Run deletes.
func (u *usersDelete) Run(ctx context.Context, p program, r *remote) error {
	c, ref, id, err := u.find(ctx, p, r)
	if err != nil {
		return err
	}
	path := usersPath(ref, id)
	if u.Soft {
		path += "?soft=true"
	}
	answer, err := c.Delete(ctx, path)
	if err != nil {
		return err
	}
	return r.done(p, answer, "deleted")
}

// done prints an answer that has nothing to show.
func (r *remote) done(p program, answer json.RawMessage, said string) error {
	if r.Output == "json" {
		return r.print(p, answer)
	}
	_, err := fmt.Fprintln(p.out, said)
	return err
}
