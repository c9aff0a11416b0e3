package billing_test

import (
	"testing"

	"github.com/reevehq/reeve/internal/control/billing"
	"github.com/reevehq/reeve/internal/control/controltest"
	"github.com/reevehq/reeve/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func TestAddons(t *testing.T) {
	t.Parallel()
	w := controltest.New(t, func(w *controltest.World) []controltest.Mounter {
		return []controltest.Mounter{&billing.Handler{Service: &billing.Service{Authz: w.Authz}}}
	})
	path := "/v1/projects/" + string(w.Project(t, w.Acme, "Shop").Project.Ref) + "/billing/addons"
	w.Do(t, w.ReadOnly, "GET", path, "").Want(t, 200).Golden(t, "addons")
	w.Do(t, w.Stranger, "GET", path, "").Refused(t, 404, "project_not_found", "")
}
