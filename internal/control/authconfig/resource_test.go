package authconfig_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/reevehq/reeve/internal/setting"
)

func TestResource(t *testing.T) {
	t.Parallel()
	w, ref, path := newWorld(t)
	resource := "/v2/projects/" + string(ref) + "/config"
	w.Do(t, w.Developer, "PATCH", path, `{"jwt_exp":1800,"smtp_pass":"hunter2"}`).Want(t, 200)
	var got struct {
		Data struct {
			Type, ID   string
			Attributes map[string]json.RawMessage
		}
	}
	w.Do(t, w.ReadOnly, "GET", resource, "").Want(t, 200).Into(t, &got)
	if got.Data.Type != "project_config" || got.Data.ID != string(ref) || len(got.Data.Attributes) != 1 {
		t.Errorf("the resource is %+v", got.Data)
	}
	var auth, want map[string]any
	w.Do(t, w.ReadOnly, "GET", path, "").Want(t, 200).Into(t, &want)
	if err := json.Unmarshal(got.Data.Attributes["auth"], &auth); err != nil || !reflect.DeepEqual(auth, want) {
		t.Errorf("auth is %v, %v; config/auth says %v", auth, err, want)
	}
	if len(auth) != len(setting.All()) {
		t.Errorf("the resource holds %d of %d settings", len(auth), len(setting.All()))
	}
	w.Do(t, w.Stranger, "GET", resource, "").Refused(t, 404, "project_not_found", "")
}
