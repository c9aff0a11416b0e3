package tenants

import "context"

// flight is a load that many callers wait for. Its starter closes done after
// setting value and err.
type flight[V any] struct {
	done  chan struct{}
	seq   uint64 // position among all loads that the registry began
	value V
	err   error
}

// wait returns the flight's result, or ctx's error when the caller gives up
// first; the flight continues for the others.
func (f *flight[V]) wait(ctx context.Context) (V, error) {
	select {
	case <-f.done:
		return f.value, f.err
	case <-ctx.Done():
		var none V
		return none, ctx.Err()
	}
}
