package password

import "testing"

func TestOnThread_passes_a_panic_on(t *testing.T) {
	t.Parallel()
	defer func() {
		if got := recover(); got != "broken" {
			t.Errorf("recovered %v, want the panic of the call", got)
		}
	}()
	onThread(func() { panic("broken") })
	t.Error("the call returned")
}
