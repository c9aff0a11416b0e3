package apikey_test

import (
	"testing"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/control/apikey"
	"github.com/reevehq/reeve/internal/control/controltest"
	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/keyusage"
)

// TestUse: the use of keys is shown to those who may see keys, and who used them to
// those who may read the log too.
func TestUse(t *testing.T) {
	t.Parallel()
	w, ref, path := newWorld(t)
	var keys []apikey.Key
	w.Do(t, w.Owner, "GET", path, "").Want(t, 200).Into(t, &keys)
	id := *keys[0].ID
	now := controltest.Now()
	uses := keyusage.Batch{Uses: []keyusage.Use{{
		Project: string(ref), Key: id, Day: now.Format("2006-01-02"), Count: 3, At: now, IP: "192.0.2.1", Agent: "node", SDK: "supabase-js", Version: "2.57.4",
	}}}
	uses.Writer, uses.Number = uuid.New(), 1
	if err := w.DB.AddKeyUses(t.Context(), uses); err != nil {
		t.Fatal(err)
	}
	token := func(permissions ...string) (text string) {
		t.Helper()
		err := w.DB.Tx(t.Context(), func(tx *controldb.Tx) (err error) {
			_, text, err = tx.CreateAccessToken(t.Context(), w.DB.Hasher(), controldb.AccessToken{
				UserID: w.OwnerID, Name: "limited", Scope: controldb.TokenScope{Permissions: permissions},
			})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	const client = `"last_ip":"192.0.2.1","last_user_agent":"node","last_sdk":"supabase-js","last_sdk_version":"2.57.4"`
	day := `"days":[{"day":"` + now.Format("2006-01-02") + `","count":3}]`
	w.Do(t, w.ReadOnly, "GET", path+"/"+id+"/usage", "").Want(t, 200, client, day)
	w.Do(t, token("api_key:read"), "GET", path+"/"+id+"/usage", "").Want(t, 200, `"last_ip":null`, `"last_user_agent":null`, `"last_sdk":null`, day)
	w.Do(t, token("api_key:read", "logs:read"), "GET", path+"/usage", "").Want(t, 200, client, `"last_used_at":null`)
	w.Do(t, token("logs:read"), "GET", path+"/usage", "").Refused(t, 403, "forbidden", "")
	for _, at := range []string{"/usage", "/" + id + "/usage"} {
		w.Do(t, w.Stranger, "GET", path+at, "").Refused(t, 404, "project_not_found", "")
	}
	for _, unknown := range []string{"anon", "x", uuid.NewString()} {
		w.Do(t, w.Owner, "GET", path+"/"+unknown+"/usage", "").Refused(t, 404, "api_key_not_found", "")
	}
}
