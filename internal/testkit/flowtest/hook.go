package flowtest

import (
	"sync"
	"testing"

	"github.com/reevehq/reeve/internal/hook"
	"github.com/reevehq/reeve/internal/setting"
	"github.com/reevehq/reeve/tenants"
)

// Calls are the records of calls of hooks.
type Calls struct {
	mu   sync.Mutex
	list []hook.Call
}

// Add records a call.
func (c *Calls) Add(call hook.Call) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.list = append(c.list, call)
}

// Take returns the calls since the last Take.
func (c *Calls) Take() []hook.Call {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := c.list
	c.list = nil
	return list
}

// Hook makes a project call uri at a point. secrets, which may be "", are those of a
// URL.
func (p *Project) Hook(tb testing.TB, point, uri, mode, secrets string) {
	tb.Helper()
	p.Change(func(t *tenants.Tenant) {
		Set(tb, &t.Config, "hook_"+point+"_enabled", uri != "")
		Set(tb, &t.Config, "hook_"+point+"_uri", uri)
		Set(tb, &t.Config, "hook_"+point+"_mode", mode)
		all := setting.Secrets{setting.HookSecrets(point): secrets}
		for name, value := range t.Secrets.Settings {
			if name != setting.HookSecrets(point) {
				all[name] = value
			}
		}
		t.Secrets.Settings = all
		if err := t.Config.CheckTogether(all); err != nil {
			tb.Fatal(err)
		}
	})
}
