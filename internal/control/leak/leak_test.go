package leak_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/reevehq/reeve/internal/control/controltest"
	"github.com/reevehq/reeve/internal/control/leak"
	"github.com/reevehq/reeve/internal/testkit"
	"github.com/reevehq/reeve/internal/web/control"
	"github.com/reevehq/reeve/tenants"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// TestClose: a stop waits for a report that is worked on, but not beyond its context.
func TestClose(t *testing.T) {
	t.Parallel()
	w := controltest.New(t, func(*controltest.World) []controltest.Mounter { return nil })
	begun, release := make(chan struct{}), make(chan struct{})
	var done atomic.Bool
	s := &leak.Service{
		DB: w.DB, Log: w.Log, Now: time.Now, Noted: func() {},
		Allow: func(context.Context, string) error { return nil },
		Legacy: func(context.Context, string) (tenants.Ref, tenants.Role, error) {
			close(begun)
			<-release
			done.Store(true)
			return "", "", tenants.ErrUnknownKey
		},
	}
	answered := make(chan error)
	go func() {
		_, err := s.Report(t.Context(), control.OpenRequest{Body: []byte(`{"token":"a.b.c"}`)})
		answered <- err
	}()
	<-begun
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	s.Close(ended)
	if done.Load() {
		t.Error("the report was done before it could be")
	}
	time.AfterFunc(50*time.Millisecond, func() { close(release) })
	s.Close(t.Context())
	if !done.Load() {
		t.Error("a stop does not wait for a report")
	}
	if err := <-answered; err != nil {
		t.Error(err)
	}
}
