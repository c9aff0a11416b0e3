package hosted_test

import (
	"strings"
	"testing"

	"github.com/reevehq/reeve/internal/control/controltest"
	"github.com/reevehq/reeve/internal/control/hosted"
	"github.com/reevehq/reeve/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func TestHosted(t *testing.T) {
	t.Parallel()
	w := controltest.New(t, func(w *controltest.World) []controltest.Mounter {
		return []controltest.Mounter{&hosted.Handler{Authz: w.Authz}}
	})
	ref := string(w.Project(t, w.Acme, "Shop").Project.Ref)
	for _, route := range []string{
		"postgrest", "config/storage", "ssl-enforcement", "network-restrictions", "config/database/postgres", "functions", "secrets", "storage/buckets",
	} {
		path := "/v1/projects/" + ref + "/" + route
		w.Do(t, w.ReadOnly, "GET", path, "").Want(t, 200).Golden(t, strings.ReplaceAll(route, "/", "-"))
		w.Do(t, w.Stranger, "GET", path, "").Refused(t, 404, "project_not_found", "")
	}
	path := "/v1/organizations/acme/entitlements"
	w.Do(t, w.ReadOnly, "GET", path, "").Want(t, 200).Golden(t, "entitlements")
	w.Do(t, w.Stranger, "GET", path, "").Refused(t, 404, "organization_not_found", "")
}
