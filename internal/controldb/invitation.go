package controldb

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/tenants"
)

// Invitation is a row of invitations.
type Invitation struct {
	ID             uuid.UUID
	OrganizationID uuid.UUID
	Ref            tenants.Ref // of the only project that it is for; "" for the organization
	Email          string      // in lower case
	Role           Role
	InvitedBy      uuid.UUID
	CreatedAt      time.Time
	ExpiresAt      time.Time
	SentAt         *time.Time // when its mail was handed over; nil before
}

type invitationRow struct {
	ID             uuid.UUID `gorm:"primaryKey"`
	OrganizationID uuid.UUID
	Ref            *string
	Email          string
	Role           string
	TokenHash      []byte
	Sealed         []byte
	InvitedBy      uuid.UUID
	CreatedAt      time.Time
	ExpiresAt      time.Time
	SentAt         *time.Time
	AcceptedAt     *time.Time
	RevokedAt      *time.Time
	Mails          int
	AskedAt        time.Time
}

func (invitationRow) TableName() string { return "invitations" }

func (r invitationRow) invitation() Invitation {
	i := Invitation{
		ID: r.ID, OrganizationID: r.OrganizationID, Email: r.Email, Role: Role(r.Role), InvitedBy: r.InvitedBy,
		CreatedAt: r.CreatedAt, ExpiresAt: r.ExpiresAt, SentAt: r.SentAt,
	}
	if r.Ref != nil {
		i.Ref = tenants.Ref(*r.Ref)
	}
	return i
}

var (
	// ErrNoInvitation is returned for an id that is not an open invitation of the
	// organization.
	ErrNoInvitation = fault.New(fault.NotFound, "invitation_not_found", "Invitation not found")
	// ErrInvitationInvalid is returned for a token that is unknown, used,
	// revoked, expired or for another address.
	ErrInvitationInvalid = fault.New(fault.NotFound, "invitation_invalid",
		"The invitation is not valid: it was used, revoked, has expired, or was sent to another address")
)

// open are the invitations that can be accepted or revoked. Expired ones are
// listed until they are revoked or replaced.
const open = "accepted_at IS NULL AND revoked_at IS NULL"

// placeInvitation is where the token of an invitation is sealed.
func placeInvitation(id uuid.UUID) string { return "invitations/" + id.String() }

// newInvitationToken generates the text that a mail's link holds: 256 bits.
func newInvitationToken() string {
	raw := make([]byte, 32)
	_, _ = rand.Read(raw)
	return base64.RawURLEncoding.EncodeToString(raw)
}

// Invite inserts an invitation with a new token, which waits sealed until its
// mail is handed over. An earlier one of the same address that has expired is
// replaced; an open one is fault conflict.
func (tx *Tx) Invite(ctx context.Context, db *DB, i Invitation) (Invitation, error) {
	err := tx.with(ctx).Exec(`UPDATE invitations SET revoked_at = @now WHERE organization_id = @org AND email = @email
		AND coalesce(ref, '') = @ref AND expires_at <= @now AND `+open,
		map[string]any{"org": i.OrganizationID, "email": i.Email, "ref": string(i.Ref), "now": i.CreatedAt}).Error
	if err != nil {
		return i, Fault(err)
	}
	i.ID = uuid.New()
	hash, sealed, err := db.sealInvitation(i.ID)
	if err != nil {
		return i, err
	}
	row := invitationRow{
		ID: i.ID, OrganizationID: i.OrganizationID, Email: i.Email, Role: string(i.Role), TokenHash: hash, Sealed: sealed,
		InvitedBy: i.InvitedBy, CreatedAt: i.CreatedAt, ExpiresAt: i.ExpiresAt, Mails: 1, AskedAt: i.CreatedAt,
	}
	if i.Ref != "" {
		ref := string(i.Ref)
		row.Ref = &ref
	}
	return i, Fault(tx.with(ctx).Create(&row).Error)
}

func (db *DB) sealInvitation(id uuid.UUID) (hash, sealed []byte, err error) {
	token := newInvitationToken()
	h := db.Hasher().Hash(token)
	sealed, err = db.keyring.Seal(placeInvitation(id), []byte(token))
	return h[:], sealed, err
}

// Reinvite gives an open invitation another token, end and inviter; the former link
// no longer works. ErrNoInvitation.
func (tx *Tx) Reinvite(ctx context.Context, db *DB, organization, id, by uuid.UUID, now, expires time.Time) error {
	hash, sealed, err := db.sealInvitation(id)
	if err != nil {
		return err
	}
	return changed(tx.with(ctx).Exec(`UPDATE invitations SET token_hash = ?, sealed = ?, expires_at = ?, sent_at = NULL, invited_by = ?,
		mails = mails + 1, asked_at = ? WHERE id = ? AND organization_id = ? AND `+open, hash, sealed, expires, by, now, id, organization), ErrNoInvitation)
}

// InvitationMails are the mails that were asked for to an address within a time.
type InvitationMails struct {
	Here, Everywhere int // for an organization, for all
	Last             *time.Time
}

// InvitationMails counts those of invitations with a mail after since, open or not;
// Last is the organization's.
func (r reader) InvitationMails(ctx context.Context, organization uuid.UUID, email string, since time.Time) (out InvitationMails, err error) {
	err = r.with(ctx).Raw(`SELECT coalesce(sum(mails) FILTER (WHERE organization_id = @org), 0) AS here, coalesce(sum(mails), 0) AS everywhere,
		max(asked_at) FILTER (WHERE organization_id = @org) AS last FROM invitations WHERE email = @email AND asked_at > @since`,
		map[string]any{"org": organization, "email": email, "since": since}).Scan(&out).Error
	return out, Fault(err)
}

// EndInvitations notes that a user's roles in an organization ended, or, unless ref
// is "", the one in a project of it: invitations from before are void for them. It
// revokes the open ones to their address ("" for none), and to addresses by which
// they accepted one.
func (tx *Tx) EndInvitations(ctx context.Context, organization uuid.UUID, ref tenants.Ref, user uuid.UUID, email string, now time.Time) error {
	args := map[string]any{"now": now, "org": organization, "ref": string(ref), "user": user, "email": email}
	err := tx.with(ctx).Exec(`INSERT INTO ended_memberships (organization_id, ref, user_id, ended_at) VALUES (@org, @ref, @user, @now)
		ON CONFLICT (organization_id, user_id, ref) DO UPDATE SET ended_at = greatest(ended_memberships.ended_at, EXCLUDED.ended_at)`, args).Error
	if err != nil {
		return Fault(err)
	}
	return Fault(tx.with(ctx).Exec(`UPDATE invitations SET revoked_at = @now, sealed = NULL
		WHERE organization_id = @org AND (@ref = '' OR ref = @ref) AND `+open+`
		  AND (email = lower(@email) OR email IN (SELECT email FROM joined_addresses WHERE organization_id = @org AND user_id = @user))`, args).Error)
}

// MembershipEndedAt returns when a user's roles in an organization, or in a project
// of it unless ref is "", were last ended; the zero time if never.
func (r reader) MembershipEndedAt(ctx context.Context, organization uuid.UUID, ref tenants.Ref, user uuid.UUID) (time.Time, error) {
	var ended []time.Time
	err := r.with(ctx).Raw("SELECT ended_at FROM ended_memberships WHERE organization_id = ? AND user_id = ? AND ref IN ('', ?) ORDER BY ended_at DESC LIMIT 1",
		organization, user, string(ref)).Scan(&ended).Error
	if err != nil || len(ended) == 0 {
		return time.Time{}, Fault(err)
	}
	return ended[0], nil
}

// RevokeInvitation ends an open invitation; ErrNoInvitation.
func (tx *Tx) RevokeInvitation(ctx context.Context, organization, id uuid.UUID, now time.Time) error {
	return changed(tx.with(ctx).Exec("UPDATE invitations SET revoked_at = ?, sealed = NULL WHERE id = ? AND organization_id = ? AND "+open,
		now, id, organization), ErrNoInvitation)
}

// Invitations lists an organization's open invitations, the newest first.
func (r reader) Invitations(ctx context.Context, organization uuid.UUID) ([]Invitation, error) {
	var rows []invitationRow
	err := r.with(ctx).Where("organization_id = ?", organization).Where(open).Order("created_at DESC, id").Find(&rows).Error
	out := make([]Invitation, len(rows))
	for i, row := range rows {
		out[i] = row.invitation()
	}
	return out, Fault(err)
}

// Invitation returns an open invitation of an organization; ErrNoInvitation.
func (r reader) Invitation(ctx context.Context, organization, id uuid.UUID) (Invitation, error) {
	var row invitationRow
	err := r.with(ctx).Where("organization_id = ? AND id = ?", organization, id).Where(open).Take(&row).Error
	return row.invitation(), orFault(err, ErrNoInvitation)
}

// InvitationByHash returns the open invitation of a token that has not expired;
// ErrInvitationInvalid.
func (r reader) InvitationByHash(ctx context.Context, hash tenants.KeyHash, now time.Time) (Invitation, error) {
	var row invitationRow
	err := r.with(ctx).Where("token_hash = ? AND expires_at > ?", hash[:], now).Where(open).Take(&row).Error
	return row.invitation(), orFault(err, ErrInvitationInvalid)
}

// OrganizationOfInvitation returns whose members to lock before AcceptInvitation;
// ErrInvitationInvalid.
func (r reader) OrganizationOfInvitation(ctx context.Context, hash tenants.KeyHash) (uuid.UUID, error) {
	var row invitationRow
	err := r.with(ctx).Select("organization_id").Where("token_hash = ?", hash[:]).Where(open).Take(&row).Error
	return row.OrganizationID, orFault(err, ErrInvitationInvalid)
}

// AcceptInvitation marks the invitation of a token as accepted by a user, the owner
// of this address, and returns it; ErrInvitationInvalid.
func (tx *Tx) AcceptInvitation(ctx context.Context, hash tenants.KeyHash, user uuid.UUID, email string, now time.Time) (Invitation, error) {
	var rows []invitationRow
	err := tx.with(ctx).Raw(`UPDATE invitations SET accepted_at = @now, sealed = NULL
		WHERE token_hash = @hash AND email = lower(@email) AND expires_at > @now AND `+open+` RETURNING *`,
		map[string]any{"now": now, "hash": hash[:], "email": email}).Scan(&rows).Error
	switch {
	case err != nil:
		return Invitation{}, Fault(err)
	case len(rows) != 1:
		return Invitation{}, ErrInvitationInvalid
	}
	err = tx.with(ctx).Exec("INSERT INTO joined_addresses (organization_id, user_id, email) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
		rows[0].OrganizationID, user, rows[0].Email).Error
	return rows[0].invitation(), Fault(err)
}

// UnsentInvitation is an open invitation whose mail is not handed over yet.
type UnsentInvitation struct {
	Invitation
	Token string
}

// UnsentInvitations returns the oldest ones.
func (db *DB) UnsentInvitations(ctx context.Context, now time.Time, most int) ([]UnsentInvitation, error) {
	var rows []invitationRow
	err := db.with(ctx).Where("sent_at IS NULL AND sealed IS NOT NULL AND expires_at > ?", now).Where(open).
		Order("created_at").Limit(most).Find(&rows).Error
	if err != nil {
		return nil, Fault(err)
	}
	out := make([]UnsentInvitation, len(rows))
	for i, row := range rows {
		token, err := db.keyring.Open(placeInvitation(row.ID), row.Sealed)
		if err != nil {
			return nil, err
		}
		out[i] = UnsentInvitation{row.invitation(), string(token)}
	}
	return out, nil
}

// InvitationSent notes that the mail with this token was handed over, and
// forgets the token.
func (db *DB) InvitationSent(ctx context.Context, id uuid.UUID, token string, now time.Time) error {
	hash := db.Hasher().Hash(token)
	return Fault(db.with(ctx).Exec("UPDATE invitations SET sent_at = ?, sealed = NULL WHERE id = ? AND token_hash = ?", now, id, hash[:]).Error)
}
