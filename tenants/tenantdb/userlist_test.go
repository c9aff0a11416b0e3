package tenantdb_test

import (
	"strings"
	"testing"
	"time"

	"github.com/reevehq/reeve/internal/testkit/flowtest"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// The same users are found however large the project is and whatever indexes it has,
// except that without them q finds less.
func TestListUsers_indexes(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	f.A.Exec(t, `INSERT INTO auth.users (id, aud, role, email, phone, created_at, updated_at, raw_user_meta_data)
		SELECT md5(n::text)::uuid, 'authenticated', 'authenticated', 'User' || n || '@example.com', '4915100' || n,
			now() + n * interval '1 second', now(), jsonb_build_object('name', 'Ada ' || n) FROM generate_series(1, 9) n`)
	f.A.Exec(t, `INSERT INTO auth.identities (provider_id, user_id, identity_data, provider)
		SELECT id::text, id, jsonb_build_object('email', email), 'email' FROM auth.users`)
	small := tenantdb.UserIndexes{Users: 9}
	anywhere := tenantdb.UserIndexes{Users: 1e6, Search: true}
	beginning := tenantdb.UserIndexes{Users: 1e6, Prefix: true}
	address := tenantdb.UserIndexes{Users: 1e6}
	for _, c := range []struct {
		text string
		x    tenantdb.UserIndexes
		want string
	}{
		{"ser3@", small, "User3"},
		{"ser3@", anywhere, "User3"},
		{"ser3@", beginning, ""},
		{"USER3", beginning, "User3"},
		{"+49151004", beginning, "User4"},
		{"ada 5", beginning, "User5"},
		{"da 5", anywhere, "User5"},
		{"user6", address, "User6"},
		{"user7@example.com", address, "User7"},
		{"+49151008", address, "User8"},
		{"ada 5", address, ""},
		{"c4ca4238", address, "User1"},
		{"c4ca4238", beginning, "User1"},
		{`u%`, address, ""},
		{`u_er1`, beginning, ""},
	} {
		l := tenantdb.UserListing{UserFilter: tenantdb.UserFilter{Text: c.text}, Order: tenantdb.ByCreation, Limit: 10}
		err := f.A.DB.Tx(t.Context(), func(tx *tenantdb.Tx) error {
			if err := tx.Limited(t.Context(), time.Minute); err != nil {
				return err
			}
			users, _, err := tx.ListUsers(t.Context(), l, c.x)
			if err != nil {
				return err
			}
			var got []string
			for _, u := range users {
				got = append(got, strings.TrimSuffix(u.Email, "@example.com"))
			}
			if s := strings.Join(got, " "); s != c.want {
				t.Errorf("%q with %+v finds %q, want %q", c.text, c.x, s, c.want)
			}
			n, estimate, err := tx.CountUsers(t.Context(), l.UserFilter, c.x)
			if int(n) != len(users) || estimate {
				t.Errorf("%q: count %d, estimate %v", c.text, n, estimate)
			}
			return err
		})
		if err != nil {
			t.Errorf("%q: %v", c.text, err)
		}
	}
	if err := f.A.DB.Tx(t.Context(), func(tx *tenantdb.Tx) error {
		if err := tx.Limited(t.Context(), time.Minute); err != nil {
			return err
		}
		return tx.DeleteSessions(t.Context(), [16]byte{})
	}); err == nil {
		t.Error("a limited transaction writes")
	}
}
