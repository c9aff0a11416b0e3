package message

import (
	"testing"
	"time"
)

func TestWords(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0:                                  "a while",
		time.Second:                        "1 second",
		59 * time.Second:                   "59 seconds",
		time.Minute:                        "1 minute",
		90 * time.Second:                   "1 minute 30 seconds",
		time.Hour:                          "1 hour",
		time.Hour + time.Second:            "1 hour",
		time.Hour + 90*time.Second:         "1 hour 1 minute",
		90 * time.Minute:                   "1 hour 30 minutes",
		24 * time.Hour:                     "24 hours",
		25*time.Hour + 61*time.Second:      "25 hours 1 minute",
		48 * time.Hour:                     "2 days",
		49 * time.Hour:                     "2 days 1 hour",
		48*time.Hour + time.Minute:         "2 days",
		7 * 24 * time.Hour:                 "7 days",
		7*24*time.Hour - time.Second:       "6 days 23 hours",
		3*time.Hour + 59*time.Minute + 1e9: "3 hours 59 minutes",
	} {
		if got := words(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}
