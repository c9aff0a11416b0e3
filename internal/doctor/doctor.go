// Package doctor checks an installation and reports what is wrong with it. It
// changes nothing.
package doctor

import (
	"context"
	"time"

	"github.com/reevehq/reeve/internal/config"
)

// timeout bounds each check of anything but a file.
const timeout = 10 * time.Second

// Options select what to check.
type Options struct {
	File   string // configuration file, "" for none
	Data   string // folder of a development server, "" for the usual one
	Lookup config.Lookup
}

// Finding is the result of one check. Err is set if it failed; Warning means
// that Text should be known although everything starts.
type Finding struct {
	About, Text string
	Warning     bool
	Err         error
}

// Examine checks the production configuration if there is one, else the
// requirements of `reeve dev`. A named folder is a development server's.
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
		found = append(found, connections(ctx, cfg.Database), locks(ctx, cfg.Database), servers(cfg.Database))
	}
	return append(found, mails(cfg.Mail))
}

// mails checks the mail server of projects without their own.
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
