package controltest

import (
	"context"
	"net"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/connector"
	"github.com/reevehq/reeve/internal/connector/social"
	"github.com/reevehq/reeve/internal/control/authconfig"
	"github.com/reevehq/reeve/internal/message"
	"github.com/reevehq/reeve/internal/outbound"
	"github.com/reevehq/reeve/internal/ratelimit"
	"github.com/reevehq/reeve/internal/setting"
	"github.com/reevehq/reeve/tenants"
)

// Address is the verified e-mail address of every person.
const Address = "jane@example.com"

// Trials is what tests of a configuration need: they reach this machine, and mails
// of projects without a mail server go to the inbox.
func (w *World) Trials() authconfig.Trials {
	client := outbound.New(outbound.Options{AllowPrivate: true, AllowPlainHTTP: true})
	return authconfig.Trials{
		Preview: message.NewChecker(1).Preview, Resolve: client.Resolve, Limiter: ratelimit.New(ratelimit.Options{}), Now: time.Now,
		Issuer: func(ref tenants.Ref) string { return URL(ref) + "/auth/v1" },
		Person: func(context.Context, uuid.UUID) (auth.User, error) {
			at := Now()
			return auth.User{Email: Address, EmailConfirmedAt: &at}, nil
		},
		HTTP: client.HTTP(time.Second),
		Registration: func(_ context.Context, ref tenants.Ref, name string, c *setting.Config, secrets setting.Secrets) (authconfig.Registration, error) {
			p, known := c.Provider(name)
			if !known {
				return authconfig.Registration{}, authconfig.ErrNoProvider
			}
			return authconfig.Registration{
				Connector: social.Connectors(client.HTTP(time.Second), time.Now)[name], Enabled: p.Enabled,
				Client: connector.Client{Project: string(ref), ID: p.ClientID, BaseURL: p.URL, Secret: secrets[p.Secret]},
			}, nil
		},
		Route: func(_ context.Context, _ tenants.Ref, c *setting.Config, secrets setting.Secrets) (authconfig.Route, error) {
			r := authconfig.Route{Sender: message.Capture{Store: w.DB}, Count: func(context.Context) error { return nil }}
			if c.SMTPHost != "" {
				port, _ := strconv.Atoi(c.SMTPPort)
				r.Own, r.Sender = true, &message.SMTP{Dial: (&net.Dialer{}).DialContext, Settings: message.SMTPSettings{
					Host: c.SMTPHost, Port: port, User: c.SMTPUser, Pass: secrets[setting.SMTPPass], From: c.SMTPAdminEmail,
				}}
			}
			return r, nil
		},
	}
}
