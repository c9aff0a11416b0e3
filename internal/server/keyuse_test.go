package server_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/reevehq/reeve/internal/server/servertest"
)

// keyUse is an answer of the use of a key.
type keyUse struct {
	ID, Name, Type string
	LastUsedAt     *time.Time `json:"last_used_at"`
	LastIP         string     `json:"last_ip"`
	LastAgent      string     `json:"last_user_agent"`
	LastSDK        string     `json:"last_sdk"`
	LastVersion    string     `json:"last_sdk_version"`
	Days           []struct {
		Day   string
		Count int64
	}
}

func (u keyUse) sum() (n int64) {
	for _, d := range u.Days {
		n += d.Count
	}
	return n
}

// TestKeyUse: who used a key is known after a stop, by key and project. What is
// refused does not count, and whom a server acts for is not who used its key.
func TestKeyUse(t *testing.T) {
	t.Parallel()
	reeve := servertest.Start(t)
	a, b := reeve.Project(t, "a", map[string]any{"security_sb_forwarded_for_enabled": true}), reeve.Project(t, "b", nil)
	l := &loot{Project: a}
	l.legacyKeys(t)
	agent := []string{"User-Agent", "worker/1.0", "X-Client-Info", "supabase-js-node/2.57.4; runtime=node"}
	send := func(p *servertest.Project, key, path string, headers ...string) {
		reeve.Do(t, http.MethodGet, p.Auth(path), nil, append([]string{"apikey", key}, headers...)...)
	}
	const uses = 5
	for range uses {
		send(a, a.SecretKey, "/admin/users", append([]string{"Sb-Forwarded-For", "203.0.113.7"}, agent...)...)
	}
	send(a, a.PublishableKey, "/settings", "User-Agent", "Mozilla/5.0 <script>")
	send(a, l.service, "/settings", "User-Agent", "legacy worker")
	send(b, a.SecretKey, "/settings", "User-Agent", "thief")
	send(a, a.SecretKey, "/settings", "User-Agent", "Mozilla/5.0 browser")
	keys := map[string]string{}
	for _, p := range []*servertest.Project{a, b} {
		var found []struct{ ID, Type, Name string }
		reeve.Manage(t, http.MethodGet, "/v1/projects/"+p.Ref+"/api-keys", nil).Expect(t, 200).Into(t, &found)
		for _, k := range found {
			keys[p.Ref+" "+k.Type+" "+k.Name] = k.ID
		}
	}
	reeve.Stop()

	next := reeve.Replica(t)
	a.Reeve, b.Reeve = next, next
	use := func(p *servertest.Project, key string) (u keyUse) {
		next.Manage(t, http.MethodGet, "/v1/projects/"+p.Ref+"/api-keys/"+key+"/usage", nil).Expect(t, 200).Into(t, &u)
		return u
	}
	secret := use(a, keys[a.Ref+" secret default"])
	if secret.sum() != uses || secret.LastAgent != "worker/1.0" || secret.LastSDK != "supabase-js-node" || secret.LastVersion != "2.57.4" ||
		secret.LastIP != "127.0.0.1" || secret.LastUsedAt == nil || secret.Type != "secret" || secret.Name != "default" {
		t.Errorf("secret key: %+v", secret)
	}
	if u := use(a, keys[a.Ref+" publishable default"]); u.sum() != 1 || u.LastAgent != "Mozilla/5.0 <script>" || u.LastSDK != "" {
		t.Errorf("publishable key: %+v", u)
	}
	// Also used when they were switched on.
	if u := use(a, "service_role"); u.sum() < 2 || u.Type != "legacy" || u.LastAgent != "legacy worker" {
		t.Errorf("legacy key: %+v", u)
	}
	if u := use(b, keys[b.Ref+" secret default"]); u.sum() != 0 || u.LastUsedAt != nil || u.LastIP != "" {
		t.Errorf("key of b: %+v", u)
	}
	var all []keyUse
	next.Manage(t, http.MethodGet, "/v1/projects/"+a.Ref+"/api-keys/usage", nil).Expect(t, 200).Into(t, &all)
	if len(all) != 4 {
		t.Errorf("%d keys of a: %+v", len(all), all)
	}
	for _, path := range []string{
		a.Ref + "/api-keys/" + keys[b.Ref+" secret default"], b.Ref + "/api-keys/" + keys[a.Ref+" secret default"], b.Ref + "/api-keys/anon", a.Ref + "/api-keys/x",
	} {
		next.Manage(t, http.MethodGet, "/v1/projects/"+path+"/usage", nil).Expect(t, 404)
	}

	// Another process adds, and a deleted key leaves nothing.
	a.Admin(t, http.MethodGet, "/admin/users", nil).Expect(t, 200)
	eventually(t, "the next use is counted", func() bool { return use(a, keys[a.Ref+" secret default"]).sum() == uses+1 })
	next.Manage(t, http.MethodDelete, "/v1/projects/"+a.Ref+"/api-keys/"+keys[a.Ref+" secret default"], nil).Expect(t, 200)
	conn := servertest.Connect(t, next.ControlURL)
	if n := count(t, conn, "SELECT count(*) FROM api_key_uses WHERE key = '"+keys[a.Ref+" secret default"]+"'"); n != 0 {
		t.Errorf("%d rows are left of a deleted key", n)
	}
}
