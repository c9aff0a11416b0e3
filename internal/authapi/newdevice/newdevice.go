package newdevice

import (
	"context"
	"errors"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/mail"
	"github.com/reevehq/reeve/internal/device"
	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/internal/geo"
	"github.com/reevehq/reeve/internal/message"
	"github.com/reevehq/reeve/internal/projectlog"
	"github.com/reevehq/reeve/internal/token"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

const (
	// linkTTL is how long a link ends its session: mails are read late.
	linkTTL = 7 * 24 * time.Hour
	// mailsADay bounds the mails of a user within 24 hours: who knows a password can
	// claim to be any number of devices.
	mailsADay = 5
)

// Watcher implements session.Devices.
type Watcher struct {
	Mailer *mail.Mailer
	Places *geo.Places
	Now    func() time.Time
}

// Prepare implements session.Devices. A project whose mails are used up, or cannot be
// noted for delivery, is not watched: its users sign in all the same.
func (w Watcher) Prepare(ctx context.Context, sc *tenants.Scope) bool {
	if !sc.Tenant.Config.Notifies(string(message.NewDevice)) {
		return false
	}
	if err := w.Mailer.Prepare(ctx, sc); err != nil {
		unsent(ctx, sc, err)
		return false
	}
	return true
}

// Watch implements session.Devices.
func (w Watcher) Watch(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, u *auth.User) (func(*auth.Session) error, error) {
	var had tenantdb.Devices
	if err := tx.ReadDevices(ctx, u.ID, &had); err != nil {
		return nil, err
	}
	before := u.LastSignInAt
	return func(s *auth.Session) error {
		now := w.Now()
		this := w.identify(sc.UserAgent, sc.ClientAddress())
		noted := w.devices(&had)
		if len(had.Noted) == 0 { // the first sign-in that is watched
			for _, key := range noted {
				if err := tx.NoteDevice(ctx, u.ID, key, now); err != nil {
					return err
				}
			}
		}
		if !this.among(noted) && (len(noted) > 0 || before != nil) && u.EmailConfirmed() {
			sent, err := w.notify(ctx, tx, sc, u, s, now)
			if err != nil || !sent {
				return err // not noted: the next sign-in tells of it
			}
		}
		return tx.NoteDevice(ctx, u.ID, this.key(), now)
	}, nil
}

// identity is what tells devices apart.
type identity struct{ family, country string }

// key is at most 250 bytes: the parts of a family are bounded.
func (i identity) key() string { return i.family + "|" + i.country }

func (w Watcher) identify(agent, address string) identity {
	i := identity{family: device.Parse(agent).Family()}
	if place := w.Places.Of(address); place != nil {
		i.country = place.CountryCode
	}
	return i
}

// devices are the keys of the user's devices. Sessions tell of them only until any is
// noted: later ones may be of sign-ins that the user was not told of.
func (w Watcher) devices(had *tenantdb.Devices) []string {
	if len(had.Noted) > 0 {
		return had.Noted
	}
	var keys []string
	for _, c := range had.Clients {
		if key := w.identify(c.UserAgent, c.IP).key(); !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	return keys
}

// among reports whether the device is one of these. One whose country is not known is
// the same in every country.
func (i identity) among(keys []string) bool {
	return slices.ContainsFunc(keys, func(key string) bool {
		at := strings.LastIndexByte(key, '|')
		family, country := key[:max(at, 0)], key[at+1:]
		return family == i.family && (country == i.country || country == "" || i.country == "")
	})
}

// notify writes the link and the mail; sent is false where the user, or the project, has
// had its mails.
func (w Watcher) notify(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, u *auth.User, s *auth.Session, now time.Time) (sent bool, err error) {
	link, hash := token.NewLink()
	stored, err := tx.PutReport(ctx, &tenantdb.Report{
		Hash: hash, Session: s.ID, User: u.ID, CreatedAt: now, ExpiresAt: now.Add(linkTTL),
	}, now.Add(-24*time.Hour), mailsADay)
	if err != nil || !stored {
		return false, err
	}
	err = w.Mailer.PutSignIn(ctx, tx, sc, mail.SignInNotice{
		User: u, Secret: link, Link: sc.Tenant.Issuer() + Path + "?token=" + url.QueryEscape(link), ExpiresIn: linkTTL,
		SignIn: message.SignIn{
			Device: deviceWords(sc.UserAgent), Place: w.place(sc.ClientAddress()), IPAddress: sc.ClientAddress(), At: timeWords(s.CreatedAt),
		},
	})
	if errors.Is(err, auth.ErrEmailRate) {
		unsent(ctx, sc, err)
		return false, nil
	}
	return err == nil, err
}

func unsent(ctx context.Context, sc *tenants.Scope, err error) {
	sc.Log.Add(ctx, projectlog.Entry{
		Level: projectlog.Warning, Code: "new_device_mail_unsent",
		Message: "Sign-ins are not watched for new devices at the moment, or a mail about one was not sent. Whoever signed in was not held up.",
		Detail:  map[string]any{"error": fault.From(err).Code},
	})
}

// plainName matches names of programs that a mail can show. A User-Agent is text of a
// stranger's: it must not put a link into a mail.
var plainName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9 _+-]{0,39}$`)

// deviceWords names a client, such as "Firefox on Linux".
func deviceWords(agent string) string {
	d := device.Parse(agent)
	browser, system := d.Browser, d.OS
	if !plainName.MatchString(browser) {
		browser = "A program or app"
	}
	if !plainName.MatchString(system) {
		return browser
	}
	return browser + " on " + system
}

func (w Watcher) place(address string) string {
	p := w.Places.Of(address)
	switch {
	case p == nil:
		return ""
	case p.City == "" || p.Country == "":
		return p.City + p.Country
	}
	return p.City + ", " + p.Country
}

func timeWords(at time.Time) string { return at.UTC().Format("2 January 2006, 15:04 UTC") }
