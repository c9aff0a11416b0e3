package tenants

import (
	"cmp"
	"log/slog"
	"time"
)

// RegistryOptions are the bounds and intervals of a Registry. Zero values mean
// the defaults.
type RegistryOptions struct {
	// MaxTenants is how many tenants are cached; 10,000 by default.
	MaxTenants int
	// MaxKeys is how many keys' projects are cached; 20,000 by default.
	MaxKeys int
	// MaxNegatives is how many unknown refs, and as many unknown keys, are
	// remembered; 10,000 by default.
	MaxNegatives int
	// NegativeTTL is how long an unknown ref or key is remembered; 2 s by default.
	NegativeTTL time.Duration
	// LoadTimeout bounds every query to the source; 5 s by default.
	LoadTimeout time.Duration
	// PollInterval is the time between two polls for changes; 500 ms by
	// default.
	PollInterval time.Duration
	// PollWindow is how far each poll reaches back, so that transactions that
	// commit late are covered; 30 s by default.
	PollWindow time.Duration
	// ResyncInterval is how often everything cached is compared with the source,
	// whatever was announced; 5 min by default.
	ResyncInterval time.Duration
	// Now is the clock; time.Now by default.
	Now func() time.Time
	// Log records when the source becomes unavailable and available;
	// slog.Default by default.
	Log *slog.Logger
}

func (o RegistryOptions) withDefaults() RegistryOptions {
	positive(&o.MaxTenants, 10_000)
	positive(&o.MaxKeys, 20_000)
	positive(&o.MaxNegatives, 10_000)
	positive(&o.NegativeTTL, 2*time.Second)
	positive(&o.LoadTimeout, 5*time.Second)
	positive(&o.PollInterval, 500*time.Millisecond)
	positive(&o.PollWindow, 30*time.Second)
	positive(&o.ResyncInterval, 5*time.Minute)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return o
}

func positive[T cmp.Ordered](v *T, otherwise T) {
	var zero T
	if *v <= zero {
		*v = otherwise
	}
}
