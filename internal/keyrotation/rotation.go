// Package keyrotation decides when a project's signing keys move. It is the rules
// alone: a rotation publishes a new key, puts it in use once every verifier can
// know it, and revokes the previous one once no token of it is valid any more. So
// nobody is signed out by it.
package keyrotation

import (
	"time"

	"github.com/google/uuid"
)

// Phase is where a rotation is.
type Phase string

// The phases.
const (
	// Idle: the key in use signs, and no rotation is under way.
	Idle Phase = "idle"
	// Published: the next key is in the key set, and signs nothing yet.
	Published Phase = "published"
	// Promoted: the next key signs, and tokens of the previous one are still
	// accepted.
	Promoted Phase = "promoted"
)

// Step leads from one phase to the next.
type Step string

// The steps.
const (
	Publish Step = "publish" // from Idle
	Promote Step = "promote" // from Published
	Retire  Step = "retire"  // from Promoted
)

const (
	// CacheLife is how long verifiers may keep a key set after it was replaced: ten
	// minutes in a cache between (Cache-Control), and ten more in the stock SDK.
	CacheLife = 20 * time.Minute
	// PublishTime is how long a key is published at least before it signs.
	PublishTime = CacheLife + 10*time.Minute
	// MaxWait is how long verifiers that keep an old key set are waited for: anybody can
	// name a tag again that they were given, and must not stop a rotation by it.
	MaxWait = 7 * 24 * time.Hour
	// margin is added to the life of the last token: clocks differ.
	margin = 15 * time.Minute
	// MaxDays bounds Plan.Days.
	MaxDays = 730
)

// Plan is what a project has chosen.
type Plan struct {
	// Days is the time from one rotation to the next; 0 for rotations on demand only.
	Days int
	// Algorithm is that of new keys.
	Algorithm string
	// Held keeps every step from being made.
	Held bool
}

// State is where a project's rotation is.
type State struct {
	Phase Phase
	// Since is when the phase began.
	Since time.Time
	// Key is the published or promoted key, and Previous the one that it replaced.
	Key, Previous uuid.UUID
	// TokenLife is, when promoted, the longest life of the previous key's tokens.
	TokenLife time.Duration
}

// Next returns the next step, and when it is due; the zero time for never. Whether
// the plan is held is for the caller to ask.
func (s State) Next(p Plan) (Step, time.Time) {
	switch s.Phase {
	case Published:
		return Promote, s.Since.Add(PublishTime)
	case Promoted:
		return Retire, s.Since.Add(s.TokenLife + margin)
	}
	if p.Days <= 0 {
		return Publish, time.Time{}
	}
	return Publish, s.Since.AddDate(0, 0, p.Days)
}

// Keeps reports whether a verifier keeps an old key set, which it named at first and
// last: it named it again a minute or more after it was given the present set, and
// within CacheLife before now. A request that is repeated at once, because its answer
// was lost, does not count.
func Keeps(first, last, now time.Time) bool {
	return last.Sub(first) >= time.Minute && now.Sub(last) < CacheLife
}
