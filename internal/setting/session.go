package setting

import (
	"slices"
	"time"
)

// Sessions is what ends a session.
type Sessions struct {
	SessionsTimebox           float64 // hours, 0 = none
	SessionsInactivityTimeout float64 // hours, 0 = none
	SessionsAllowLowAAL       float64 // hours, 0 = no limit
	SessionsSinglePerUser     bool
	SessionsMaxPerUser        int // 0 = no limit
}

// maxSessions is the greatest limit on the sessions of a user.
const maxSessions = 1000

func sessions() Group {
	return Group{Title: "Sessions", Settings: []Setting{
		{
			Name: "sessions_timebox", Kind: Number, Min: 0, Max: maxHours,
			Field:  func(c *Config) any { return &c.SessionsTimebox },
			Effect: "Hours after which a session ends; 0 for never.",
		},
		{
			Name: "sessions_inactivity_timeout", Kind: Number, Min: 0, Max: maxHours,
			Field:  func(c *Config) any { return &c.SessionsInactivityTimeout },
			Effect: "Hours without a refresh after which a session ends; 0 for never.",
		},
		{
			Name: "sessions_allow_low_aal", Kind: Number, Min: 0, Max: maxHours,
			Field:  func(c *Config) any { return &c.SessionsAllowLowAAL },
			Effect: "Hours after its begin until which a session at aal1 goes on if its user has a verified second factor; 0 for no limit.",
		},
		{
			Name: "sessions_single_per_user", Kind: Bool,
			Field:  func(c *Config) any { return &c.SessionsSinglePerUser },
			Effect: "A sign-in ends the user's other sessions.",
		},
		{
			Name: "sessions_max_per_user", Kind: Integer, Min: 0, Max: maxSessions,
			Field:  func(c *Config) any { return &c.SessionsMaxPerUser },
			Effect: "How many sessions a user has at most: a sign-in ends the oldest of more; 0 for no limit.",
		},
		{Name: "sessions_tags", Kind: Text},
	}}
}

// SessionEnd is when a session that began at created and was used last at active ends
// unless it is refreshed; nil for never. notAfter, which may be nil, is an end of its
// own. low is a session without the second factor that its user has.
func (c *Config) SessionEnd(created, active time.Time, notAfter *time.Time, low bool) *time.Time {
	ends := []time.Time{}
	if notAfter != nil {
		ends = append(ends, *notAfter)
	}
	if c.Timebox() > 0 {
		ends = append(ends, created.Add(c.Timebox()))
	}
	if low && c.AllowLowAAL() > 0 {
		ends = append(ends, created.Add(c.AllowLowAAL()))
	}
	if c.InactivityTimeout() > 0 {
		ends = append(ends, active.Add(c.InactivityTimeout()))
	}
	if len(ends) == 0 {
		return nil
	}
	first := slices.MinFunc(ends, time.Time.Compare)
	return &first
}

// Timebox is the longest life of a session; 0 means no limit.
func (c *Config) Timebox() time.Duration {
	return time.Duration(c.SessionsTimebox * float64(time.Hour))
}

// InactivityTimeout is the longest pause between two refreshes; 0 means no
// limit.
func (c *Config) InactivityTimeout() time.Duration {
	return time.Duration(c.SessionsInactivityTimeout * float64(time.Hour))
}

// AllowLowAAL is how long a session goes on without the second factor that its user
// has; 0 means no limit.
func (c *Config) AllowLowAAL() time.Duration {
	return time.Duration(c.SessionsAllowLowAAL * float64(time.Hour))
}
