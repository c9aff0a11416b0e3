package fault_test

import (
	"strings"
	"testing"

	"github.com/reevehq/reeve/internal/fault"
)

func TestClip(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"": "", "short": "short", "exactly10!": "exactly10!", "longer than ten": "longer tha ...",
		"123456789é":               "123456789 ...", // not half a character
		strings.Repeat("x", 1<<20): "xxxxxxxxxx ...",
	} {
		if got := fault.Clip(in, 10); got != want {
			t.Errorf("%.20q: %q, want %q", in, got, want)
		}
	}
}
