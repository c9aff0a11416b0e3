package profile_test

import (
	"context"
	"testing"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/control/controltest"
	"github.com/reevehq/reeve/internal/control/profile"
	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func TestProfile(t *testing.T) {
	t.Parallel()
	users := map[uuid.UUID]auth.User{}
	outage := fault.New(fault.Unavailable, "database_unavailable", "The database is not available")
	w := controltest.New(t, func(*controltest.World) []controltest.Mounter {
		return []controltest.Mounter{&profile.Handler{User: func(_ context.Context, id uuid.UUID) (auth.User, error) {
			user, ok := users[id]
			switch {
			case !ok:
				return user, auth.ErrUserNotFound
			case user.Phone == "down":
				return user, outage
			}
			return user, nil
		}}}
	})
	ada, adas := w.Member(t, w.Acme, "read_only")
	phone, phones := w.Member(t, w.Acme, "read_only")
	gone, gones := w.Member(t, w.Acme, "read_only")
	down, downs := w.Member(t, w.Acme, "read_only")
	users[ada] = auth.User{ID: ada, Email: "ada@example.com", UserMetadata: []byte(`{"name":5,"full_name":"Ada L"}`)}
	users[phone] = auth.User{ID: phone, Phone: "15550100"}
	users[down] = auth.User{ID: down, Phone: "down"}

	var got profile.Profile
	w.Do(t, adas, "GET", "/v1/profile", "").Want(t, 200).Golden(t, "profile").Into(t, &got)
	if got.GotrueID != ada.String() {
		t.Errorf("gotrue_id = %s, want %s", got.GotrueID, ada)
	}
	for name, c := range map[string]struct {
		id    uuid.UUID
		token string
	}{"without an address": {phone, phones}, "deleted": {gone, gones}} {
		w.Do(t, c.token, "GET", "/v1/profile", "").Want(t, 200).Into(t, &got)
		if want := (profile.Profile{GotrueID: c.id.String(), Username: c.id.String()}); got != want {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
	w.Do(t, downs, "GET", "/v1/profile", "").Refused(t, 503, "database_unavailable", "")
	w.Do(t, "", "GET", "/v1/profile", "").Refused(t, 401, "unauthorized", "")
}
