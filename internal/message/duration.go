package message

import (
	"strconv"
	"strings"
	"time"
)

// units are the units in which a mail names a duration.
var units = []struct {
	length time.Duration
	name   string
}{{24 * time.Hour, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}, {time.Second, "second"}}

// daysFrom is the duration from which on whole days are named as days: "24
// hours" is clearer than "1 day".
const daysFrom = 48 * time.Hour

// words names a duration for a person, in its two largest units, rounded down:
// a mail must not promise more than is true. A duration below a second is "a
// while".
func words(d time.Duration) string {
	var out []string
	for _, u := range units {
		if u.name == "day" && d < daysFrom {
			continue
		}
		n := d / u.length
		d -= n * u.length
		if n > 0 {
			out = append(out, count(int(n), u.name))
		}
		if n == 0 && len(out) > 0 || len(out) == 2 {
			break
		}
	}
	if len(out) == 0 {
		return "a while"
	}
	return strings.Join(out, " ")
}

func count(n int, unit string) string {
	if n != 1 {
		unit += "s"
	}
	return strconv.Itoa(n) + " " + unit
}
