package user

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authz"
	"github.com/reevehq/reeve/internal/control/text"
	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/internal/web/control"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// Attributes are what is written of a user. Absent ones do not change.
type Attributes struct {
	ID           string         `json:"id,omitempty" format:"uuid" doc:"Of a new user only."`
	Email        string         `json:"email,omitempty" maxLength:"255"`
	Phone        string         `json:"phone,omitempty" maxLength:"50"`
	Password     *string        `json:"password,omitempty" maxLength:"1000"`
	EmailConfirm bool           `json:"email_confirm,omitempty" doc:"Take the address for confirmed."`
	PhoneConfirm bool           `json:"phone_confirm,omitempty"`
	UserMetadata map[string]any `json:"user_metadata,omitempty" doc:"Merged with what there is; null removes a member."`
	AppMetadata  map[string]any `json:"app_metadata,omitempty"`
	Role         string         `json:"role,omitempty" maxLength:"255"`
	BanDuration  string         `json:"ban_duration,omitempty" maxLength:"50" doc:"none, or a duration such as 24h."`
}

type createInput struct {
	Ref  string `path:"ref"`
	Body Attributes
}

// InviteBody is an invitation.
type InviteBody struct {
	Email      string         `json:"email" minLength:"1" maxLength:"255"`
	Data       map[string]any `json:"data,omitempty" doc:"The user's metadata."`
	RedirectTo string         `json:"redirect_to,omitempty" maxLength:"2000"`
}

type inviteInput struct {
	Ref  string `path:"ref"`
	Body InviteBody
}

type updateInput struct {
	ChangeInput
	Body struct {
		Attributes
		UpdatedAt *time.Time `json:"updated_at,omitempty" doc:"As If-Match: the updated_at that the user must still have; otherwise 409."`
	}
}

type banInput struct {
	ChangeInput
	Body struct {
		Duration string `json:"duration" minLength:"1" maxLength:"50" doc:"Such as 24h; forever is a hundred years."`
	}
}

type deleteInput struct {
	ChangeInput
	Soft bool `query:"soft" doc:"Clear the user but keep the row and its id."`
}

type mailInput struct {
	Ref  string `path:"ref"`
	ID   string `path:"id"`
	Body struct {
		Type       string `json:"type" enum:"recovery,magiclink,invite,confirmation"`
		RedirectTo string `json:"redirect_to,omitempty" maxLength:"2000"`
	}
}

type sessionInput struct {
	Ref       string `path:"ref"`
	ID        string `path:"id"`
	SessionID string `path:"session_id"`
}

type identityInput struct {
	Ref        string `path:"ref"`
	ID         string `path:"id"`
	IdentityID string `path:"identity_id"`
}

type factorInput struct {
	Ref      string `path:"ref"`
	ID       string `path:"id"`
	FactorID string `path:"factor_id"`
}

type renameFactorInput struct {
	Ref      string `path:"ref"`
	ID       string `path:"id"`
	FactorID string `path:"factor_id"`
	Body     struct {
		FriendlyName string `json:"friendly_name" minLength:"1" maxLength:"255"`
	}
}

type passkeyInput struct {
	Ref       string `path:"ref"`
	ID        string `path:"id"`
	PasskeyID string `path:"passkey_id"`
}

// Durations of bans with a name.
const (
	unbanned = "none"
	forever  = "forever"
	century  = "876000h"
)

// Create creates a user.
func (s *Service) Create(ctx context.Context, actor authz.Actor, ref string, a Attributes) (*User, error) {
	sc, err := s.open(ctx, actor, authz.WriteUsers, ref)
	if err != nil {
		return nil, err
	}
	return s.answer(ctx, sc)(s.Accounts.Create(ctx, sc, a))
}

// Invite creates a user and mails them.
func (s *Service) Invite(ctx context.Context, actor authz.Actor, ref string, b InviteBody) (*User, error) {
	sc, err := s.open(ctx, actor, authz.WriteUsers, ref)
	if err != nil {
		return nil, err
	}
	return s.answer(ctx, sc)(s.Accounts.Invite(ctx, sc, b.Email, b.RedirectTo, b.Data))
}

// Update changes a user.
func (s *Service) Update(ctx context.Context, actor authz.Actor, in *updateInput) (*User, error) {
	sc, id, err := s.openUser(ctx, actor, authz.WriteUsers, in.Ref, in.ID)
	if err != nil {
		return nil, err
	}
	since, err := in.since()
	if err != nil {
		return nil, err
	}
	if in.Body.UpdatedAt != nil {
		since = in.Body.UpdatedAt
	}
	if in.Body.ID != "" {
		return nil, text.Invalid("id: cannot be changed")
	}
	return s.change(ctx, sc, id, in.Body.Attributes, since)
}

// change updates a user, and records what was there before.
func (s *Service) change(ctx context.Context, sc *tenants.Scope, id uuid.UUID, a Attributes, since *time.Time) (*User, error) {
	before, err := load(ctx, sc, id)
	if err != nil {
		return nil, err
	}
	control.Before(ctx, stateOf(before))
	return s.answer(ctx, sc)(s.Accounts.Update(ctx, sc, id, a, since))
}

// stateOf is what the control plane's audit log keeps of a user: no personal data but
// the addresses, by which a deleted user can be told.
func stateOf(u *auth.User) map[string]any {
	return map[string]any{
		"id": u.ID.String(), "email": u.Email, "phone": u.Phone, "role": u.Role, "banned_until": u.BannedUntil,
		"confirmed_at": u.ConfirmedAt, "updated_at": u.UpdatedAt,
	}
}

// answer is the answer of a write.
func (s *Service) answer(ctx context.Context, sc *tenants.Scope) func(*auth.User, error) (*User, error) {
	return func(u *auth.User, err error) (*User, error) {
		if err != nil {
			return nil, explain(ctx, sc, err)
		}
		control.Outcome(ctx, map[string]any{"id": u.ID.String()})
		tag(ctx, u)
		out := userOf(u)
		return &out, nil
	}
}

// Ban bans a user for a duration; unbanned lifts the ban.
func (s *Service) Ban(ctx context.Context, actor authz.Actor, in ChangeInput, duration string) (*User, error) {
	sc, id, err := s.openUser(ctx, actor, authz.WriteUsers, in.Ref, in.ID)
	if err != nil {
		return nil, err
	}
	since, err := in.since()
	if err != nil {
		return nil, err
	}
	return s.change(ctx, sc, id, Attributes{BanDuration: banDuration(duration)}, since)
}

func banDuration(given string) string {
	if given == forever {
		return century
	}
	return given
}

// Delete deletes a user.
func (s *Service) Delete(ctx context.Context, actor authz.Actor, in ChangeInput, soft bool) error {
	sc, id, err := s.openUser(ctx, actor, authz.WriteUsers, in.Ref, in.ID)
	if err != nil {
		return err
	}
	since, err := in.since()
	if err != nil {
		return err
	}
	var before auth.User
	err = sc.DB.Do(ctx, func(tx *tenantdb.Tx) (err error) {
		before, err = tx.UserByID(ctx, id, false)
		return err
	})
	if err != nil {
		return err
	}
	control.Before(ctx, stateOf(&before))
	return explain(ctx, sc, s.Accounts.Delete(ctx, sc, id, soft, since))
}

// Mail mails a user a link.
func (s *Service) Mail(ctx context.Context, actor authz.Actor, in *mailInput) error {
	sc, u, err := s.addressee(ctx, actor, in)
	if err != nil {
		return err
	}
	return explain(ctx, sc, s.Accounts.Mail(ctx, sc, u, in.Body.Type, in.Body.RedirectTo))
}

// Link answers a link that signs a user in.
func (s *Service) Link(ctx context.Context, actor authz.Actor, in *mailInput) (*Link, error) {
	if in.Body.Type == "confirmation" {
		return nil, text.Invalid("type: must be recovery, magiclink or invite for a link")
	}
	sc, u, err := s.addressee(ctx, actor, in)
	if err != nil {
		return nil, err
	}
	link, err := s.Accounts.Link(ctx, sc, u, in.Body.Type, in.Body.RedirectTo)
	return link, explain(ctx, sc, err)
}

// addressee returns the user who gets a link, if it can be of use.
func (s *Service) addressee(ctx context.Context, actor authz.Actor, in *mailInput) (*tenants.Scope, *auth.User, error) {
	sc, id, err := s.openUser(ctx, actor, authz.WriteUsers, in.Ref, in.ID)
	if err != nil {
		return nil, nil, err
	}
	u, err := load(ctx, sc, id)
	switch {
	case err != nil:
		return nil, nil, err
	case u.Email == "" || u.IsSSOUser: // flows look no SSO user up by address
		return nil, nil, errNoAddress
	case u.Banned(s.Now()):
		return nil, nil, errBanned
	case u.EmailConfirmed() && (in.Body.Type == "confirmation" || in.Body.Type == "invite"):
		return nil, nil, errConfirmed
	}
	return sc, u, nil
}

// EndSessions signs a user out everywhere.
func (s *Service) EndSessions(ctx context.Context, actor authz.Actor, ref, id string) error {
	sc, user, err := s.openUser(ctx, actor, authz.WriteUsers, ref, id)
	if err != nil {
		return err
	}
	return explain(ctx, sc, s.Accounts.EndSessions(ctx, sc, user))
}

// part runs fn for a part of a user: a session, an identity, a factor. What is not the
// id of one is nobody's.
func (s *Service) part(ctx context.Context, actor authz.Actor, ref, id, part, name string, fn func(context.Context, *tenants.Scope, uuid.UUID, uuid.UUID) error) error {
	sc, user, err := s.openUser(ctx, actor, authz.WriteUsers, ref, id)
	if err != nil {
		return err
	}
	if _, err := load(ctx, sc, user); err != nil {
		return err
	}
	parsed, ok := parseID(part)
	if !ok {
		return errMissing.Saying("There is no such " + name[:len(name)-len("_id")])
	}
	return explain(ctx, sc, fn(ctx, sc, user, parsed))
}

// errTrigger is a change that the project's database refused. Members of the project
// see why; its users never do.
var errTrigger = fault.New(fault.Unprocessable, "refused_by_database", "The project's database refused the change")

// explain turns an error of the project's database, which its users see as an internal
// one, into what a member can act upon, and adds it to the project's log.
func explain(ctx context.Context, sc *tenants.Scope, err error) error {
	f := fault.From(err)
	if err == nil || f.Kind != fault.Internal {
		return err
	}
	e, ok := tenantdb.LogEntry(err)
	if !ok {
		return err
	}
	sc.Log.Add(ctx, e)
	message := e.Message
	if said, ok := e.Detail["error"].(string); ok && said != "" {
		message += " It says: " + fault.Clip(said, maxSaid)
	}
	out := errTrigger.Because(err).Saying(message).With("reason", e.Code)
	for _, name := range []string{"sqlstate", "hint", "function", "trigger", "on", "table", "constraint"} {
		if value, ok := e.Detail[name].(string); ok && value != "" {
			out = out.With(name, fault.Clip(value, maxSaid))
		}
	}
	return out
}

// maxSaid bounds what is shown of an error of the project's database, in bytes.
const maxSaid = 300

// recorded is a request for the audit log of the control plane: the metadata of users
// may be anything.
func recorded(request map[string]any) map[string]any {
	out := map[string]any{}
	for name, value := range request {
		switch name {
		case "password":
			out[name] = "redacted"
		case "user_metadata", "app_metadata", "data":
			members := []string{}
			if object, ok := value.(map[string]any); ok {
				for member := range object {
					if len(members) < maxRecorded {
						members = append(members, member)
					}
				}
			}
			out[name] = map[string]any{"members": members}
		default:
			out[name] = value
		}
	}
	return out
}

// maxRecorded bounds the names and ids in an entry of the audit log.
const maxRecorded = 50
