package user

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authz"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// The time limits of statements. Somebody waits for a page; a count is dispensable.
const (
	pageTimeout  = 4 * time.Second
	countTimeout = time.Second
)

// FilterInput has the filters of a list and of an export.
type FilterInput struct {
	Q             string    `query:"q" maxLength:"200" doc:"Part of an e-mail address, a number or a name, or the beginning of an id. See search in the answer."`
	Provider      string    `query:"provider" maxLength:"100" doc:"Has an identity of this provider."`
	Confirmed     string    `query:"confirmed" enum:"true,false"`
	Banned        string    `query:"banned" enum:"true,false"`
	Anonymous     string    `query:"anonymous" enum:"true,false"`
	SSO           string    `query:"sso" enum:"true,false"`
	Deleted       bool      `query:"deleted" doc:"Soft-deleted users instead of the others."`
	CreatedSince  time.Time `query:"created_since"`
	CreatedUntil  time.Time `query:"created_until" doc:"Exclusive."`
	SignedInSince time.Time `query:"last_sign_in_since"`
	SignedInUntil time.Time `query:"last_sign_in_until" doc:"Exclusive."`
}

func (in *FilterInput) filter(now time.Time) tenantdb.UserFilter {
	return tenantdb.UserFilter{
		Text: in.Q, Provider: in.Provider, Confirmed: flag(in.Confirmed), Banned: flag(in.Banned), Anonymous: flag(in.Anonymous), SSO: flag(in.SSO),
		Deleted: in.Deleted, CreatedSince: in.CreatedSince, CreatedUntil: in.CreatedUntil,
		SignedInSince: in.SignedInSince, SignedInUntil: in.SignedInUntil, Now: now,
	}
}

func flag(text string) *bool {
	if text == "" {
		return nil
	}
	yes := text == "true"
	return &yes
}

type listInput struct {
	Ref string `path:"ref"`
	FilterInput
	Sort   string `query:"sort" enum:"created_at,last_sign_in_at,email" default:"created_at"`
	Order  string `query:"order" enum:"asc,desc" default:"desc"`
	Cursor string `query:"cursor" maxLength:"1000" doc:"The next of the page before, for the same sort and order."`
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

// List returns a page of users.
func (s *Service) List(ctx context.Context, actor authz.Actor, in *listInput) (*Page, error) {
	sc, err := s.open(ctx, actor, authz.ReadUsers, in.Ref)
	if err != nil {
		return nil, err
	}
	l := tenantdb.UserListing{
		UserFilter: in.filter(s.Now()), Order: tenantdb.UserOrder(in.Sort), Asc: in.Order == "asc", Limit: in.Limit + 1,
	}
	if in.Cursor != "" {
		if l.After, err = decodeCursor(in.Cursor, l.Order, l.Asc); err != nil {
			return nil, err
		}
	}
	out := &Page{Users: []Summary{}}
	var x tenantdb.UserIndexes
	var users []tenantdb.UserSummary
	var places []tenantdb.UserCursor
	err = sc.DB.Tx(ctx, func(tx *tenantdb.Tx) (err error) {
		if err := tx.Limited(ctx, pageTimeout); err != nil {
			return err
		}
		if x, err = tx.UserIndexes(ctx); err != nil {
			return err
		}
		users, places, err = tx.ListUsers(ctx, l, x)
		return err
	})
	out.Search, out.Indexing = searchOf(x), s.index(ctx, sc.Tenant.Ref, l, x)
	if err != nil {
		return nil, slow(err)
	}
	if len(users) > in.Limit {
		next := encodeCursor(places[in.Limit-1], l.Order, l.Asc)
		users, out.Next = users[:in.Limit], &next
	}
	for _, u := range users {
		out.Users = append(out.Users, summaryOf(u))
	}
	return out, s.count(ctx, sc, l, x, out)
}

// count adds the number of users to a page, or, where counting takes too long, the
// little that the page says about it.
func (s *Service) count(ctx context.Context, sc *tenants.Scope, l tenantdb.UserListing, x tenantdb.UserIndexes, out *Page) error {
	if l.After == nil && out.Next == nil {
		out.Total = int64(len(out.Users))
		return nil
	}
	err := sc.DB.Tx(ctx, func(tx *tenantdb.Tx) (err error) {
		if err := tx.Limited(ctx, countTimeout); err != nil {
			return err
		}
		out.Total, out.TotalIsEstimate, err = tx.CountUsers(ctx, l.UserFilter, x)
		return err
	})
	if errors.Is(err, auth.ErrTimeout) {
		out.TotalIsEstimate, err = true, nil
	}
	out.Total = max(out.Total, int64(len(out.Users)))
	return err
}

// slow explains a statement that was ended.
func slow(err error) error {
	if errors.Is(err, auth.ErrTimeout) {
		return errSlow.Because(err)
	}
	return err
}

func searchOf(x tenantdb.UserIndexes) string {
	switch {
	case !x.Large() || x.Search:
		return "anywhere"
	case x.Prefix:
		return "beginning"
	default:
		return "address"
	}
}

// index asks for the indexes that a list lacks, and reports whether it lacks any.
func (s *Service) index(ctx context.Context, ref tenants.Ref, l tenantdb.UserListing, x tenantdb.UserIndexes) bool {
	if !x.Large() {
		return false
	}
	var wanted []Index
	if (l.Text != "" || l.Banned != nil) && !x.Search && !x.Prefix {
		wanted = append(wanted, IndexSearch)
	}
	if !x.LastSignIn && (l.Order == tenantdb.ByLastSignIn || !l.SignedInSince.IsZero() || !l.SignedInUntil.IsZero()) {
		wanted = append(wanted, IndexLastSignIn)
	}
	if l.Provider != "" && !x.Provider {
		wanted = append(wanted, IndexProvider)
	}
	asked := false
	for _, which := range wanted {
		asked = s.Index(ctx, ref, which) == nil || asked // the list is answered in any case
	}
	return asked
}

// cursor is a place in a list, as it travels.
type cursor struct {
	Sort  string    `json:"s"`
	ID    uuid.UUID `json:"i"`
	Micro int64     `json:"m,omitempty"` // since 1970
	Inf   int8      `json:"f,omitempty"` // 1 and -1 for an infinite time
	Text  string    `json:"t,omitempty"`
	Null  bool      `json:"n,omitempty"`
}

func sortKey(order tenantdb.UserOrder, asc bool) string {
	if asc {
		return string(order) + " asc"
	}
	return string(order)
}

func encodeCursor(at tenantdb.UserCursor, order tenantdb.UserOrder, asc bool) string {
	c := cursor{Sort: sortKey(order, asc), ID: at.ID, Text: at.Text, Null: at.Null}
	if at.At.Valid {
		c.Inf = int8(at.At.InfinityModifier)
		if c.Inf == 0 {
			c.Micro = at.At.Time.UnixMicro()
		}
	}
	raw, _ := json.Marshal(c) // of plain values
	return base64.RawURLEncoding.EncodeToString(raw)
}

func decodeCursor(given string, order tenantdb.UserOrder, asc bool) (*tenantdb.UserCursor, error) {
	raw, err := base64.RawURLEncoding.DecodeString(given)
	if err != nil {
		return nil, errCursor.Because(err)
	}
	var c cursor
	if err := json.Unmarshal(raw, &c); err != nil {
		return nil, errCursor.Because(err)
	}
	if c.Sort != sortKey(order, asc) || c.Inf < -1 || c.Inf > 1 || len(c.Text) > 1000 || !storable(c.Text) || c.Micro < minMicro || c.Micro > maxMicro {
		return nil, errCursor
	}
	at := &tenantdb.UserCursor{ID: c.ID, Text: c.Text, Null: c.Null}
	if order != tenantdb.ByEmail && !c.Null {
		at.At = pgtype.Timestamptz{Time: time.UnixMicro(c.Micro).UTC(), InfinityModifier: pgtype.InfinityModifier(c.Inf), Valid: true}
	}
	return at, nil
}

// The times that Postgres can store.
var (
	minMicro = time.Date(-4700, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro()
	maxMicro = time.Date(290000, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro()
)

func storable(s string) bool {
	for _, r := range s {
		if r == 0 || r == utf8.RuneError {
			return false
		}
	}
	return true
}
