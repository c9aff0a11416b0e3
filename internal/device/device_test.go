package device_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/reevehq/reeve/internal/device"
)

func TestParse(t *testing.T) {
	for agent, want := range map[string]device.Device{
		"": {Kind: device.Unknown},
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36": {
			Browser: "Chrome", BrowserVersion: "131.0.0.0", OS: "Windows", OSVersion: "10.0", Kind: device.Desktop,
		},
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15": {
			Browser: "Safari", BrowserVersion: "18.1", OS: "macOS", OSVersion: "10.15.7", Kind: device.Desktop,
		},
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1": {
			Browser: "Safari", BrowserVersion: "18.1", OS: "iOS", OSVersion: "18.1", Kind: device.Mobile,
		},
		"Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0": {
			Browser: "Firefox", BrowserVersion: "133.0", OS: "Linux", OSVersion: "x86_64", Kind: device.Desktop,
		},
		"Mozilla/5.0 (Linux; Android 14; SM-S918B) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile Safari/537.36": {
			Browser: "Chrome", BrowserVersion: "131.0.0.0", OS: "Android", OSVersion: "14", Kind: device.Mobile,
		},
		"curl/8.5.0": {Browser: "curl", BrowserVersion: "8.5.0", Kind: device.Unknown},
	} {
		if got := device.Parse(agent); got != want {
			t.Errorf("%q: %+v, want %+v", agent, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("Mozilla/5.0 (Linux; Android 14; SM-S918B)")
	f.Add("(((((;;;;/////")
	f.Add(strings.Repeat("Mozilla/5.0 ", 1000))
	f.Fuzz(func(t *testing.T, agent string) {
		d := device.Parse(agent)
		for _, part := range []string{d.Browser, d.BrowserVersion, d.OS, d.OSVersion} {
			if len(part) > 70 || !utf8.ValidString(part) {
				t.Errorf("%q", part)
			}
		}
	})
}
