// Package device describes what a client runs on, by its User-Agent. Clients say what
// they like, so the description is for people to recognise a device by, and no rule
// may depend on it.
package device

import (
	"strings"

	"github.com/mileusna/useragent"

	"github.com/reevehq/reeve/internal/fault"
)

// Kind is the kind of a device.
type Kind string

// The kinds. Unknown is a program, or says nothing.
const (
	Desktop Kind = "desktop"
	Mobile  Kind = "mobile"
	Tablet  Kind = "tablet"
	Bot     Kind = "bot"
	Unknown Kind = "unknown"
)

// Device describes a client; what is not known is "".
type Device struct {
	Browser        string `json:"browser" doc:"The browser, app or program."`
	BrowserVersion string `json:"browser_version"`
	OS             string `json:"os"`
	OSVersion      string `json:"os_version"`
	Kind           Kind   `json:"kind" enum:"desktop,mobile,tablet,bot,unknown"`
}

const (
	// maxAgent bounds what is read of a User-Agent, in bytes.
	maxAgent = 512
	// maxPart bounds each part of a description, in bytes.
	maxPart = 60
)

// Parse describes the client of a User-Agent.
func Parse(agent string) Device {
	agent = strings.ToValidUTF8(fault.Clip(agent, maxAgent), "")
	if strings.TrimSpace(agent) == "" {
		return Device{Kind: Unknown}
	}
	ua := useragent.Parse(agent)
	d := Device{
		Browser: part(ua.Name), BrowserVersion: part(ua.Version), OS: part(ua.OS), OSVersion: part(ua.OSVersion), Kind: Unknown,
	}
	switch {
	case ua.Bot:
		d.Kind = Bot
	case ua.Tablet:
		d.Kind = Tablet
	case ua.Mobile:
		d.Kind = Mobile
	case ua.Desktop:
		d.Kind = Desktop
	}
	return d
}

// Family is the client without its versions: what stays the same when a browser is
// updated.
func (d Device) Family() string { return d.Browser + "|" + d.OS + "|" + string(d.Kind) }

func part(s string) string { return fault.Clip(strings.TrimSpace(s), maxPart) }
