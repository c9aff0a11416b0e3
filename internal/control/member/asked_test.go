package member_test

import (
	"testing"

	"github.com/reevehq/reeve/internal/controldb"
)

// TestPlatformIsNotAsked: a request of somebody who may not change a member is refused
// before the platform project is asked, so that nobody can load it.
func TestPlatformIsNotAsked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	owner := w.OwnerID.String()
	const ref = "aaaaaaaaaaaaaaaaaaaa"
	w.project(t, ref)
	for _, c := range []struct{ method, path, body string }{
		{"PATCH", "/v1/organizations/acme/members/" + owner, `{"role":"read_only"}`},
		{"DELETE", "/v1/organizations/acme/members/" + owner, ""},
		{"POST", "/v1/organizations/acme/transfer", `{"user_id":"` + owner + `"}`},
		{"DELETE", "/v1/projects/" + ref + "/members/" + owner, ""},
	} {
		w.asked = 0
		w.Do(t, w.Stranger, c.method, c.path, c.body).Want(t, 404)
		w.Do(t, w.ReadOnly, c.method, c.path, c.body).Refused(t, 403, "forbidden", "")
		if w.asked != 0 {
			t.Errorf("%s %s asks %d times", c.method, c.path, w.asked)
		}
	}
	id, _ := w.person(t, "dev@example.com")
	if err := w.DB.Tx(t.Context(), func(tx *controldb.Tx) error { return tx.AddMember(t.Context(), w.Acme.ID, id, controldb.Developer) }); err != nil {
		t.Fatal(err)
	}
	w.Do(t, w.Owner, "DELETE", "/v1/organizations/acme/members/"+id.String(), "").Want(t, 200)
	if w.asked != 1 {
		t.Errorf("a removal asks %d times", w.asked)
	}
}
