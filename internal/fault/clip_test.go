package fault_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
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

// TestClipAttr: whatever has megabytes, a line of the log is short, in both formats.
func TestClipAttr(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 1<<20)
	options := &slog.HandlerOptions{ReplaceAttr: fault.ClipAttr}
	for name, open := range map[string]func(*bytes.Buffer) slog.Handler{
		"json": func(to *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(to, options) },
		"text": func(to *bytes.Buffer) slog.Handler { return slog.NewTextHandler(to, options) },
	} {
		for what, attr := range map[string]any{
			"error": fmt.Errorf("tidy: %w", errors.New(long)), "text": long, "list": []string{long, long},
			"group": slog.GroupValue(slog.Any("error", errors.New(long))), "valuer": valuer(long),
		} {
			var out bytes.Buffer
			log := slog.New(open(&out)).With("before", errors.New(long))
			log.Warn("hostile", "value", attr, "number", 7)
			if got := out.String(); len(got) > 5000 || !strings.Contains(got, "xxx ...") || !strings.Contains(got, "hostile") || !strings.Contains(got, "7") {
				t.Errorf("%s, %s: %d bytes: %.100s", name, what, len(got), got)
			}
		}
		var out bytes.Buffer
		slog.New(open(&out)).Error("panic", "cause", errors.New("short"), "stack", strings.Repeat("y", 10000))
		if got := out.String(); !strings.Contains(got, "short") || strings.Count(got, "y") < 10000 {
			t.Errorf("%s: a stack trace is clipped: %d bytes", name, len(got))
		}
	}
}

type valuer string

func (v valuer) LogValue() slog.Value { return slog.StringValue(string(v)) }
