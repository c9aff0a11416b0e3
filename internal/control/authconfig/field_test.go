package authconfig

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/reevehq/reeve/tenants"
)

// TestListsOfFields: what has effect, what can be changed and what the OpenAPI
// document tells are the same members.
func TestListsOfFields(t *testing.T) {
	t.Parallel()
	checked := append(slices.Collect(maps.Keys(fields())), "smtp_pass") // patch.go checks the secret
	effective := append(jsonNames(reflect.TypeFor[tenants.Config]()), "smtp_pass")
	described := jsonNames(reflect.TypeFor[UpdateBody]())
	for _, names := range [][]string{checked, effective, described} {
		slices.Sort(names)
	}
	if diff := cmp.Diff(effective, checked); diff != "" {
		t.Errorf("fields differs from tenants.Config (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(effective, described); diff != "" {
		t.Errorf("UpdateBody differs from tenants.Config (-want +got):\n%s", diff)
	}
}

func jsonNames(of reflect.Type) (names []string) {
	for i := range of.NumField() {
		name, _, _ := strings.Cut(of.Field(i).Tag.Get("json"), ",")
		names = append(names, name)
	}
	return names
}
