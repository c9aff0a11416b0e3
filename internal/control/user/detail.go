package user

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authz"
	"github.com/reevehq/reeve/internal/control/text"
	"github.com/reevehq/reeve/internal/relyingparty"
	"github.com/reevehq/reeve/internal/web/control"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// maxSessions bounds the sessions in an answer.
const maxSessions = 100

type userInput struct {
	Ref string `path:"ref"`
	ID  string `path:"id"`
}

// Get returns a user, soft-deleted ones included; auth.ErrUserNotFound.
func (s *Service) Get(ctx context.Context, actor authz.Actor, ref, id string) (*Detail, error) {
	sc, user, err := s.openUser(ctx, actor, authz.ReadUsers, ref, id)
	if err != nil {
		return nil, err
	}
	var u auth.User
	var sessions []auth.Session
	var ended []auth.EndedSession
	var odd []auth.OddRefresh
	var chain []auth.Rotation
	var tokens []auth.OneTimeToken
	var passkeys []auth.Passkey
	err = sc.DB.Tx(ctx, func(tx *tenantdb.Tx) (err error) {
		if err := tx.Limited(ctx, pageTimeout); err != nil {
			return err
		}
		if u, err = tx.UserByID(ctx, user, false); err != nil {
			return err
		}
		if sessions, err = tx.SessionsOf(ctx, user, maxSessions); err != nil {
			return err
		}
		if ended, err = tx.SessionEndsOf(ctx, user, maxHistory); err != nil {
			return err
		}
		if odd, err = tx.OddRefreshesOf(ctx, user, maxHistory); err != nil {
			return err
		}
		if chain, err = tx.RotationsOf(ctx, idsOf(sessions, ended), maxRotations); err != nil {
			return err
		}
		if passkeys, err = tx.Passkeys(ctx, user); err != nil {
			return err
		}
		tokens, err = tx.TokensOf(ctx, user)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &Detail{User: userOf(&u), Standing: s.standing(&u), Messages: messagesOf(&u, tokens)}
	if out.Standing.LastRefused, err = s.lastRefused(ctx, sc, &u); err != nil {
		return nil, err
	}
	out.Identities, out.Factors, out.Sessions = make([]Identity, len(u.Identities)), make([]Factor, len(u.Factors)), make([]Session, len(sessions))
	for n, i := range u.Identities {
		out.Identities[n] = Identity{
			ID: i.ID.String(), Provider: i.Provider, ProviderID: i.ProviderID, Email: i.Email, Data: i.Data,
			LastSignInAt: i.LastSignInAt, CreatedAt: i.CreatedAt, UpdatedAt: i.UpdatedAt,
		}
	}
	for n, f := range u.Factors {
		out.Factors[n] = Factor{
			ID: f.ID.String(), Type: f.Type, Name: f.FriendlyName, Status: f.Status, Phone: f.Phone,
			CreatedAt: f.CreatedAt, LastChallengedAt: f.LastChallengedAt,
		}
	}
	out.Passkeys = passkeysOf(passkeys)
	for n := range sessions {
		out.Sessions[n] = s.sessionOf(sc, &u, &sessions[n])
	}
	out.EndedSessions, out.Refreshes = s.ended(ended), s.refreshes(odd)
	out.Rotations = s.rotations(chain)
	tag(ctx, &u)
	return out, nil
}

func passkeysOf(list []auth.Passkey) []Passkey {
	out := make([]Passkey, len(list))
	for n, k := range list {
		out[n] = Passkey{
			ID: k.ID.String(), Name: k.FriendlyName, Model: relyingparty.Model(k.AAGUID), CreatedAt: k.CreatedAt, LastUsedAt: k.LastUsedAt,
			BackupEligible: k.BackupEligible, BackedUp: k.BackedUp, CloneWarningAt: k.CloneWarningAt,
		}
	}
	return out
}

// standing says whether a user can sign in, as far as their row tells.
func (s *Service) standing(u *auth.User) Standing {
	out := Standing{Reasons: []string{}, Confirmed: u.ConfirmedAt != nil}
	if u.Gone() {
		out.Reasons = append(out.Reasons, "deleted")
	}
	if u.Banned(s.Now()) {
		out.Reasons, out.BannedUntil = append(out.Reasons, "banned"), u.BannedUntil
	}
	if !u.IsAnonymous && !u.IsSSOUser {
		if !out.Confirmed && (u.Email != "" || u.Phone != "") {
			out.Reasons = append(out.Reasons, "unconfirmed")
		}
		if u.Email == "" && u.Phone == "" && len(u.Identities) == 0 {
			out.Reasons = append(out.Reasons, "no_way_in")
		}
	}
	out.CanSignIn = len(out.Reasons) == 0
	return out
}

// messagesOf lists the last message of each kind. The row keeps when it was sent, and
// a token that it was not used.
func messagesOf(u *auth.User, tokens []auth.OneTimeToken) []Message {
	open := map[auth.TokenType]string{}
	for _, t := range tokens {
		open[t.Type] = t.RelatesTo
	}
	out := []Message{}
	add := func(kind string, at *time.Time, to string, types ...auth.TokenType) {
		if at == nil {
			return
		}
		m := Message{Kind: kind, SentAt: *at, To: to}
		for _, t := range types {
			if address, ok := open[t]; ok {
				m.Open, m.To = true, cmp.Or(address, m.To)
			}
		}
		out = append(out, m)
	}
	confirmation := "confirmation"
	if u.InvitedAt != nil && (u.ConfirmationSentAt == nil || !u.ConfirmationSentAt.After(*u.InvitedAt)) {
		add("invite", u.InvitedAt, "", auth.TokenConfirmation)
	} else {
		add("invite", u.InvitedAt, "")
		add(confirmation, u.ConfirmationSentAt, "", auth.TokenConfirmation)
	}
	add("recovery", u.RecoverySentAt, "", auth.TokenRecovery)
	add("email_change", u.EmailChangeSentAt, u.NewEmail, auth.TokenEmailChangeCurrent, auth.TokenEmailChangeNew)
	add("phone_change", u.PhoneChangeSentAt, u.NewPhone, auth.TokenPhoneChange)
	add("reauthentication", u.ReauthenticationSentAt, "", auth.TokenReauthentication)
	slices.SortStableFunc(out, func(a, b Message) int { return b.SentAt.Compare(a.SentAt) })
	return out
}

// tag makes the answer carry the version of a user, for If-Match.
func tag(ctx context.Context, u *auth.User) { control.SetETag(ctx, int(u.UpdatedAt.UnixMicro())) }

// ChangeInput has the parameters of a write to a user.
type ChangeInput struct {
	Ref     string `path:"ref"`
	ID      string `path:"id"`
	IfMatch string `header:"If-Match" maxLength:"32" doc:"The ETag that the user must still have; otherwise 409."`
}

// since reads the precondition of a write.
func (in *ChangeInput) since() (*time.Time, error) {
	if in.IfMatch == "" || in.IfMatch == "*" {
		return nil, nil
	}
	at, ok := control.ParseETag(in.IfMatch)
	if !ok {
		return nil, text.Invalid("If-Match: must be the ETag of a user")
	}
	since := time.UnixMicro(int64(at)).UTC()
	return &since, nil
}

// load returns a user; auth.ErrUserNotFound, also for a soft-deleted one.
func load(ctx context.Context, sc *tenants.Scope, id uuid.UUID) (*auth.User, error) {
	var u auth.User
	err := sc.DB.Do(ctx, func(tx *tenantdb.Tx) (err error) {
		u, err = tx.UserByID(ctx, id, false)
		return err
	})
	if err == nil && u.Gone() {
		err = auth.ErrUserNotFound
	}
	return &u, err
}
