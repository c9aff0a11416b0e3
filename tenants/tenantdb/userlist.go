package tenantdb

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/reevehq/reeve/internal/auth"
)

// UserSummary is a user in a list, without metadata.
type UserSummary struct {
	ID                                 uuid.UUID
	Email, Phone, Name                 string
	Role                               string
	EmailConfirmedAt, PhoneConfirmedAt *time.Time
	InvitedAt, LastSignInAt            *time.Time
	CreatedAt, UpdatedAt               time.Time
	BannedUntil, DeletedAt             *time.Time
	IsAnonymous, IsSSOUser             bool
	Providers                          []string // of the identities, at most 20
}

// UserOrder is a column that lists of users are sorted by.
type UserOrder string

// The orders. Users without a value come last in either direction.
const (
	ByCreation   UserOrder = "created_at"
	ByLastSignIn UserOrder = "last_sign_in_at"
	ByEmail      UserOrder = "email"
)

// UserFilter selects users. Zero fields select everything, except that deleted users
// are selected only if asked for.
type UserFilter struct {
	Text                         string // part of an address, a number, a name, or the beginning of an id
	Provider                     string // has an identity of
	Confirmed, Banned, SSO       *bool
	Anonymous                    *bool
	Deleted                      bool // soft-deleted ones instead of the others
	CreatedSince, CreatedUntil   time.Time
	SignedInSince, SignedInUntil time.Time // of the last sign-in
	Now                          time.Time // decides who is banned
}

// UserCursor is a place in a sorted list: after a user.
type UserCursor struct {
	ID uuid.UUID
	// At or Text is the user's value of the order, unless it is Null.
	At   pgtype.Timestamptz
	Text string
	Null bool
}

// UserListing is a request for a part of a list of users.
type UserListing struct {
	UserFilter
	Order UserOrder
	Asc   bool
	After *UserCursor // nil begins with the first
	Limit int
}

// UserIndexes says how users can be searched for at present.
type UserIndexes struct {
	Users      float64 // an estimate of their number
	Search     bool    // an index finds a text anywhere in an address, a number or a name
	Prefix     bool    // indexes find the beginnings of addresses, numbers and names
	LastSignIn bool
	Provider   bool // an index finds the users who have an identity of a provider
}

// The indexes of schema auth that are made once somebody searches for the users of a
// large project: see provision.IndexUsers. They end with a suffix of ours, so that no
// developer's has the name.
const (
	IndexUserSearch     = "users_search_reeve_idx"
	IndexUserEmail      = "users_email_prefix_reeve_idx"
	IndexUserPhone      = "users_phone_prefix_reeve_idx"
	IndexUserName       = "users_name_prefix_reeve_idx"
	IndexUserBanned     = "users_banned_reeve_idx"
	IndexUserLastSignIn = "users_last_sign_in_reeve_idx"
	IndexProvider       = "identities_provider_reeve_idx"
	IndexAuditUser      = "audit_log_entries_user_reeve_idx"
)

// The expressions of the indexes, of auth.users.
const (
	// UserNameExpression is the name in a user's metadata.
	UserNameExpression = `"left"(coalesce(raw_user_meta_data ->> 'full_name', raw_user_meta_data ->> 'name', ''), 200)`
	// UserSearchExpression holds all that a search for a text looks at. A space in front
	// of each part marks its beginning.
	UserSearchExpression = `lower(' ' || coalesce(email, '') || ' ' || "left"(coalesce(phone, ''), 50) || ' ' || ` + UserNameExpression + `)`
	// AuditUserExpression is the id of the user that an entry of the audit log is about.
	AuditUserExpression = `coalesce(payload -> 'traits' ->> 'user_id', payload ->> 'actor_id')`
)

// fewUsers is the number of users up to which no index is needed.
const fewUsers = 20_000

// Large reports whether a search needs indexes.
func (x UserIndexes) Large() bool { return x.Users > fewUsers }

// UserIndexes reads which indexes there are.
func (tx *Tx) UserIndexes(ctx context.Context) (x UserIndexes, err error) {
	var names []string
	err = tx.q.QueryRow(ctx, `SELECT greatest(c.reltuples, 0)::pg_catalog.float8, ARRAY(SELECT i.relname::pg_catalog.text FROM pg_catalog.pg_index x
			JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid WHERE x.indrelid IN (c.oid, 'auth.identities'::pg_catalog.regclass) AND x.indisvalid AND i.relname LIKE '%\_reeve\_idx')
		FROM pg_catalog.pg_class c WHERE c.oid = 'auth.users'::pg_catalog.regclass`).Scan(&x.Users, &names)
	if err != nil {
		return x, fmt.Errorf("read indexes of users: %w", err)
	}
	prefixes := 0
	for _, name := range names {
		switch name {
		case IndexUserSearch:
			x.Search = true
		case IndexUserEmail, IndexUserPhone, IndexUserName:
			prefixes++
		case IndexUserLastSignIn:
			x.LastSignIn = true
		case IndexProvider:
			x.Provider = true
		}
	}
	x.Prefix = prefixes == 3
	return x, nil
}

// Limited bounds the statements that follow in the transaction, and forbids them to
// write.
func (tx *Tx) Limited(ctx context.Context, timeout time.Duration) error {
	if err := tx.q.Later(ctx, "read only", `SET TRANSACTION READ ONLY`); err != nil {
		return err
	}
	return tx.q.Later(ctx, "limit", `SET LOCAL statement_timeout = `+strconv.FormatInt(timeout.Milliseconds(), 10))
}

// conditions collects the conditions of a statement with their parameters.
type conditions struct {
	list []string
	args []any
}

// add adds a condition, in which each ? is the next of the values.
func (c *conditions) add(sql string, values ...any) {
	c.list = append(c.list, c.bind(sql, values...))
}

func (c *conditions) bind(sql string, values ...any) string {
	for _, v := range values {
		c.args = append(c.args, v)
		sql = strings.Replace(sql, "?", "$"+strconv.Itoa(len(c.args)), 1)
	}
	return sql
}

func (c *conditions) where() string {
	if len(c.list) == 0 {
		return "true"
	}
	return strings.Join(c.list, " AND ")
}

// conditions of a filter. How a text is searched for depends on the indexes.
func (f *UserFilter) conditions(x UserIndexes) *conditions {
	c := &conditions{}
	if f.Deleted {
		c.add(`u.deleted_at IS NOT NULL`)
	} else {
		c.add(`u.deleted_at IS NULL`)
	}
	f.text(c, x)
	if f.Provider != "" {
		c.add(`EXISTS (SELECT FROM auth.identities i WHERE i.user_id = u.id AND i.provider = ?)`, f.Provider)
	}
	flag := func(given *bool, yes, no string, values ...any) {
		switch {
		case given == nil:
		case *given:
			c.add(yes, values...)
		default:
			c.add(no, values...)
		}
	}
	flag(f.Confirmed, `u.confirmed_at IS NOT NULL`, `u.confirmed_at IS NULL`)
	flag(f.Banned, `u.banned_until > ?`, `(u.banned_until IS NULL OR u.banned_until <= ?)`, f.Now)
	flag(f.Anonymous, `u.is_anonymous`, `NOT u.is_anonymous`)
	flag(f.SSO, `u.is_sso_user`, `NOT u.is_sso_user`)
	moment := func(at time.Time, sql string) {
		if !at.IsZero() {
			c.add(sql, at)
		}
	}
	moment(f.CreatedSince, `u.created_at >= ?`)
	moment(f.CreatedUntil, `u.created_at < ?`)
	moment(f.SignedInSince, `u.last_sign_in_at >= ?`)
	moment(f.SignedInUntil, `u.last_sign_in_at < ?`)
	return c
}

// text adds the condition of a search for a text.
func (f *UserFilter) text(c *conditions, x UserIndexes) {
	q := strings.TrimSpace(f.Text)
	if q == "" {
		return
	}
	if id, err := uuid.Parse(q); err == nil && len(q) == 36 {
		c.add(`u.id = ?`, id)
		return
	}
	phone := strings.TrimPrefix(q, "+")
	var any []string
	if low, high, ok := idsFrom(q); ok {
		any = append(any, c.bind(`u.id BETWEEN ? AND ?`, low, high))
	}
	prefix := likeEscaper.Replace(q) + "%"
	switch {
	case !x.Large() || x.Search:
		// Numbers are stored without the plus sign.
		pattern := "%" + likeEscaper.Replace(phone) + "%"
		if len(phone) < 3 {
			pattern = "% " + likeEscaper.Replace(phone) + "%" // shorter than what the index holds: at the beginning of a word
		}
		any = append(any, c.bind(qualified(UserSearchExpression)+` LIKE pg_catalog.lower(?::pg_catalog.text)`, pattern))
	case x.Prefix:
		any = append(any,
			c.bind(`lower(u.email::pg_catalog.text) LIKE pg_catalog.lower(?::pg_catalog.text)`, prefix),
			c.bind(`u.phone LIKE ?::pg_catalog.text`, likeEscaper.Replace(phone)+"%"),
			c.bind(`lower(`+qualified(UserNameExpression)+`) LIKE pg_catalog.lower(?::pg_catalog.text)`, prefix))
	default:
		// What the indexes of every project find.
		any = append(any, c.bind(`u.id = ANY (ARRAY(
			(SELECT i.user_id FROM auth.identities i WHERE i.email LIKE pg_catalog.lower(?::pg_catalog.text) LIMIT 1000)
			UNION ALL (SELECT o.id FROM auth.users o WHERE lower(o.email::pg_catalog.text) = pg_catalog.lower(?::pg_catalog.text) LIMIT 1000)
			UNION ALL (SELECT o.id FROM auth.users o WHERE o.phone = ANY (ARRAY[?::pg_catalog.text, '+' || ?::pg_catalog.text]) LIMIT 1000)))`,
			prefix, q, phone, phone))
	}
	c.add(`(` + strings.Join(any, " OR ") + `)`)
}

// qualified is an expression of an index for the alias u.
func qualified(expression string) string {
	return strings.NewReplacer("(email", "(u.email", "(phone", "(u.phone", "raw_user_meta_data", "u.raw_user_meta_data").Replace(expression)
}

// fewestDigits is the length from which a text may be the beginning of an id.
const fewestDigits = 4

// idsFrom returns the least and the greatest id that begin with a text.
func idsFrom(text string) (low, high uuid.UUID, ok bool) {
	const form = "00000000-0000-0000-0000-000000000000"
	if len(text) < fewestDigits || len(text) > len(form) {
		return low, high, false
	}
	for i := range len(text) {
		digit := strings.IndexByte("0123456789abcdefABCDEF", text[i]) >= 0
		if digit == (form[i] == '-') || !digit && text[i] != '-' {
			return low, high, false
		}
	}
	low, err := uuid.Parse(text + form[len(text):])
	if err != nil {
		return low, high, false
	}
	high, err = uuid.Parse(text + strings.ReplaceAll(form[len(text):], "0", "f"))
	return low, high, err == nil
}

// userKeys are the expressions of the orders.
var userKeys = map[UserOrder]string{
	ByCreation: `u.created_at`, ByLastSignIn: `u.last_sign_in_at`, ByEmail: `lower(u.email::pg_catalog.text)`,
}

const summaryColumns = `u.id, coalesce(u.email, ''), coalesce(u.phone, ''),
	"left"(coalesce(u.raw_user_meta_data ->> 'full_name', u.raw_user_meta_data ->> 'name', ''), 200),
	coalesce(nullif(u.role, ''), '` + auth.RoleAuthenticated + `'), u.email_confirmed_at, u.phone_confirmed_at, u.invited_at, u.last_sign_in_at,
	u.created_at, u.updated_at, u.banned_until, u.deleted_at, u.is_anonymous, u.is_sso_user,
	ARRAY(SELECT DISTINCT "left"(i.provider, 100) FROM auth.identities i WHERE i.user_id = u.id ORDER BY 1 LIMIT 20)`

// ListUsers returns a part of a list, and the places of its users in it. The list is
// stable: a user who is added meanwhile shifts no other.
//
// Those without a value of the order are read apart, after the others: no index
// condition would cover both.
func (tx *Tx) ListUsers(ctx context.Context, l UserListing, x UserIndexes) (users []UserSummary, places []UserCursor, err error) {
	if l.After == nil || !l.After.Null {
		if users, places, err = tx.listUsers(ctx, l, x, false); err != nil || len(users) == l.Limit {
			return users, places, err
		}
		l.Limit -= len(users)
		l.After = nil
	}
	rest, last, err := tx.listUsers(ctx, l, x, true)
	return append(users, rest...), append(places, last...), err
}

// listUsers is ListUsers for the users with, or without, a value of the order.
func (tx *Tx) listUsers(ctx context.Context, l UserListing, x UserIndexes, null bool) ([]UserSummary, []UserCursor, error) {
	key := userKeys[l.Order]
	if key == "" {
		return nil, nil, errors.New("list users: unknown order")
	}
	c := l.UserFilter.conditions(x)
	order, compare, tie := key+` DESC, u.id`, `<`, `>`
	if l.Asc {
		order, compare, tie = key+`, u.id DESC`, `>`, `<` // the same index, read backwards
	}
	switch {
	case null:
		order = `u.id`
		c.add(key + ` IS NULL`)
		if l.After != nil {
			c.add(`u.id > ?`, l.After.ID)
		}
	default:
		c.add(key + ` IS NOT NULL`)
		if l.After != nil {
			value, kind := any(l.After.Text), `text`
			if l.Order != ByEmail {
				value, kind = l.After.At, `timestamptz`
			}
			p := `?::pg_catalog.` + kind
			c.add(key+` `+compare+`= `+p+` AND (`+key+` `+compare+` `+p+` OR u.id `+tie+` ?)`, value, value, l.After.ID)
		}
	}
	rows, err := tx.q.Query(ctx, `SELECT `+summaryColumns+`, `+key+` FROM (SELECT * FROM auth.users u WHERE `+c.where()+
		` ORDER BY `+order+c.bind(` LIMIT ?`, l.Limit)+`) u ORDER BY `+order, append([]any{unnamed}, c.args...)...)
	if err != nil {
		return nil, nil, fmt.Errorf("list users: %w", err)
	}
	return scanSummaries(rows, l.Order)
}

func scanSummaries(rows pgx.Rows, order UserOrder) (users []UserSummary, places []UserCursor, err error) {
	defer rows.Close()
	for rows.Next() {
		var u UserSummary
		var at UserCursor
		var address *string
		var value any = &at.At
		if order == ByEmail {
			value = &address
		}
		err := rows.Scan(&u.ID, &u.Email, &u.Phone, &u.Name, &u.Role, moment{&u.EmailConfirmedAt}, moment{&u.PhoneConfirmedAt}, moment{&u.InvitedAt},
			moment{&u.LastSignInAt}, momentOrEpoch{&u.CreatedAt}, momentOrEpoch{&u.UpdatedAt}, moment{&u.BannedUntil}, moment{&u.DeletedAt},
			&u.IsAnonymous, &u.IsSSOUser, &u.Providers, value)
		if err != nil {
			return nil, nil, fmt.Errorf("list users: %w", err)
		}
		at.ID, at.Text, at.Null = u.ID, orBlank(address), !at.At.Valid
		if order == ByEmail {
			at.Null = address == nil
		}
		users, places = append(users, u), append(places, at)
	}
	if err := rows.Err(); err != nil {
		return nil, nil, fmt.Errorf("list users: %w", err)
	}
	return users, places, nil
}

// UsersByIDOrder returns the first users after an id.
func (tx *Tx) UsersByIDOrder(ctx context.Context, f UserFilter, x UserIndexes, after uuid.UUID, limit int) ([]UserSummary, error) {
	c := f.conditions(x)
	c.add(`u.id > ?`, after)
	rows, err := tx.q.Query(ctx, `SELECT `+summaryColumns+`, u.created_at FROM (SELECT * FROM auth.users u WHERE `+c.where()+
		c.bind(` ORDER BY u.id LIMIT ?`, limit)+`) u ORDER BY u.id`, append([]any{unnamed}, c.args...)...)
	if err != nil {
		return nil, fmt.Errorf("export users: %w", err)
	}
	users, _, err := scanSummaries(rows, ByCreation)
	return users, err
}

// cheapCount is the cost of a plan, in the planner's units, up to which users are
// counted; it takes some 50 ms.
const cheapCount = 30_000

// CountUsers returns the number of the selected users. If counting them costs much it
// is the planner's estimate.
func (tx *Tx) CountUsers(ctx context.Context, f UserFilter, x UserIndexes) (n int64, estimate bool, err error) {
	c := f.conditions(x)
	args := append([]any{unnamed}, c.args...)
	var plan []struct {
		Plan struct {
			Rows float64 `json:"Plan Rows"`
			Cost float64 `json:"Total Cost"`
		}
	}
	err = tx.q.QueryRow(ctx, `EXPLAIN (FORMAT JSON) SELECT FROM auth.users u WHERE `+c.where(), args...).Scan(&plan)
	if err != nil {
		return 0, false, fmt.Errorf("estimate users: %w", err)
	}
	if len(plan) == 1 && plan[0].Plan.Cost > cheapCount {
		return int64(plan[0].Plan.Rows), true, nil
	}
	if err := tx.q.QueryRow(ctx, `SELECT pg_catalog.count(*) FROM auth.users u WHERE `+c.where(), args...).Scan(&n); err != nil {
		return 0, false, fmt.Errorf("count users: %w", err)
	}
	return n, false, nil
}
