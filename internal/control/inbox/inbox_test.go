package inbox_test

import (
	"fmt"
	"testing"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/control/controltest"
	"github.com/reevehq/reeve/internal/control/inbox"
	"github.com/reevehq/reeve/internal/message"
	"github.com/reevehq/reeve/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func TestInbox(t *testing.T) {
	t.Parallel()
	w := controltest.New(t, func(w *controltest.World) []controltest.Mounter {
		return []controltest.Mounter{&inbox.Handler{Service: &inbox.Service{DB: w.DB, Authz: w.Authz}}}
	})
	ours, theirs := w.Project(t, w.Acme, "Shop").Project.Ref, w.Project(t, w.Rival, "Shop").Project.Ref
	path := "/v1/projects/" + string(ours) + "/inbox"
	if got := w.Do(t, w.Developer, "GET", path, "").Want(t, 200); string(got.Body) != "[]\n" {
		t.Errorf("an empty inbox: %s", got.Body)
	}
	for i := range 3 {
		m := message.Message{
			ID: uuid.New(), Channel: message.Email, Kind: message.Confirmation, To: "jane@example.com",
			Subject: fmt.Sprintf("Mail %d", i+1), HTML: "<p>Hello</p>", Text: "Hello",
			Links: []string{"https://example.com/verify"}, Code: "123456", CreatedAt: controltest.Now(),
		}
		// Delivery may be tried again after a crash.
		for range 2 {
			if err := w.DB.SaveMessage(t.Context(), ours, m); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.DB.SaveMessage(t.Context(), theirs, message.Message{ID: uuid.New(), Channel: message.SMS, To: "+1"}); err != nil {
		t.Fatal(err)
	}
	w.Do(t, w.Developer, "GET", path, "").Want(t, 200).Golden(t, "list")
	var newest []inbox.Message
	w.Do(t, w.Developer, "GET", path+"?limit=1", "").Want(t, 200).Into(t, &newest)
	if len(newest) != 1 || newest[0].Subject != "Mail 3" {
		t.Errorf("the newest: %v", newest)
	}
	w.Do(t, w.Developer, "GET", path+"?limit=0", "").Refused(t, 400, "validation_failed", "limit: ")
	w.Do(t, w.Developer, "DELETE", path, "").Want(t, 200, `{"deleted":3}`)
	w.Do(t, w.Developer, "DELETE", path, "").Want(t, 200, `{"deleted":0}`)
	var left []inbox.Message
	w.Do(t, w.Stranger, "GET", "/v1/projects/"+string(theirs)+"/inbox", "").Want(t, 200).Into(t, &left)
	if len(left) != 1 || left[0].Links == nil {
		t.Errorf("the other project's inbox: %v", left)
	}
}
