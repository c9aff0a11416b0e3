package setting

import (
	"testing"
	"time"
)

// The policy begins when it comes to demand a factor of more users, and no other change
// moves that.
func TestBeginMFAPolicy(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 28, 12, 0, 0, 0, time.FixedZone("", 3600))
	const begun, early, late = "2026-11-28T11:00:00Z", "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"
	type policy struct{ policy, roles, since string }
	for _, c := range []struct {
		before, after policy
		want          string
	}{
		{policy{"off", "", ""}, policy{"off", "", ""}, ""},
		{policy{"off", "", ""}, policy{"optional", "", ""}, ""},
		{policy{"off", "", ""}, policy{"required", "", ""}, begun},
		{policy{"optional", "", ""}, policy{"without_sso", "", ""}, begun},
		{policy{"off", "", ""}, policy{"by_role", "admin", ""}, begun},
		{policy{"off", "", ""}, policy{"required", "", early}, early}, // said by the change itself
		{policy{"off", "", late}, policy{"required", "", late}, late}, // announced before
		{policy{"off", "", early}, policy{"required", "", early}, begun},
		{policy{"required", "", early}, policy{"required", "", early}, early},
		{policy{"required", "", early}, policy{"required", "", late}, late},
		{policy{"required", "", early}, policy{"required", "", ""}, ""},
		{policy{"required", "", early}, policy{"off", "", early}, ""},
		{policy{"required", "", early}, policy{"optional", "", early}, ""},
		{policy{"required", "", early}, policy{"without_sso", "", early}, early}, // of fewer
		{policy{"required", "", early}, policy{"by_role", "admin", early}, early},
		{policy{"without_sso", "", early}, policy{"required", "", early}, begun}, // of users of SSO too
		{policy{"without_sso", "", early}, policy{"by_role", "admin", early}, begun},
		{policy{"by_role", "admin", early}, policy{"without_sso", "", early}, begun},
		{policy{"by_role", "admin, owner", early}, policy{"by_role", "owner", early}, early},
		{policy{"by_role", "admin", early}, policy{"by_role", " admin ,owner", early}, begun},
	} {
		of := func(p policy) *Config {
			all := Default()
			all.MFAPolicy, all.MFAPolicyRoles, all.MFAPolicySince = p.policy, p.roles, p.since
			return &all
		}
		after := of(c.after)
		after.BeginMFAPolicy(of(c.before), now)
		if after.MFAPolicySince != c.want {
			t.Errorf("%v to %v: since %q, want %q", c.before, c.after, after.MFAPolicySince, c.want)
		}
	}
}

// The grace of a user ends so many days after the later of both beginnings.
func TestMFAGraceEnd(t *testing.T) {
	t.Parallel()
	day := func(n int) time.Time { return time.Date(2026, 11, n, 0, 0, 0, 0, time.UTC) }
	for _, c := range []struct {
		since   string
		created int
		days    int
		want    int
	}{
		{"", 1, 0, 1}, {"", 1, 7, 8}, {"2026-11-10T00:00:00Z", 1, 0, 10}, {"2026-11-10T00:00:00Z", 1, 7, 17}, {"2026-11-10T00:00:00Z", 12, 7, 19}, {"never", 1, 7, 8},
	} {
		all := Default()
		all.MFAPolicySince, all.MFAPolicyGrace = c.since, c.days
		if got := all.MFAGraceEnd(day(c.created)); !got.Equal(day(c.want)) {
			t.Errorf("%+v: %v", c, got)
		}
	}
}
