// Package doctor looks at an installation and says what is wrong with it. It
// changes nothing.
package doctor

import (
	"context"
	"time"

	"github.com/reevehq/reeve/internal/config"
)

// timeout bounds each look at something else than a file.
const timeout = 10 * time.Second

// Options say what to look at.
type Options struct {
	File   string // configuration file, "" for none
	Data   string // folder of a development server, "" for the usual one
	Lookup config.Lookup
}

// Finding is one thing that was looked at. Err is set where it is bad; Warning,
// where Text tells what should be known though everything starts.
type Finding struct {
	About, Text string
	Warning     bool
	Err         error
}

// Examine looks at the production configuration where there is one, else at what
// `reeve dev` needs. A folder that is named is a development server's.
func Examine(ctx context.Context, o Options) []Finding {
	_, production := o.Lookup("REEVE_PUBLIC_URL")
	if o.File == "" && (o.Data != "" || !production) {
		return development(ctx, o)
	}
	cfg, err := config.Load(o.File, o.Lookup)
	found := []Finding{{About: "configuration", Text: "valid", Err: err}}
	if cfg.Database.ControlURL != "" {
		control, keyed := controlDatabase(ctx, cfg)
		found = append(found, control)
		found = append(found, cluster(ctx, "project databases' server", cfg.Database.AdminURL, keyed)...)
	}
	return append(found, mails(cfg.Mail))
}

// mails looks at how the mails of projects without a server of their own leave.
func mails(m config.Mail) Finding {
	f := Finding{About: "mails"}
	switch {
	case m.Capture:
		f.Text = "captured, not sent"
	case m.SMTPURL != "":
		f.Text = "sent by " + m.Settings().Host
	default:
		f.Warning = true
		f.Text = "no mail server: mails of projects without an smtp_host of their own are not sent; set mail.smtp_url"
	}
	return f
}
