package server

import (
	"context"
	"time"

	"github.com/reevehq/reeve/internal/message"
	"github.com/reevehq/reeve/internal/smsgateway"
	"github.com/reevehq/reeve/tenants"
)

// gatewayTimeout bounds a request to an SMS gateway.
const gatewayTimeout = 10 * time.Second

// checkTimeout bounds the comparison of a code by a gateway. The request that waits
// for it has a time limit of its own, web.RequestTimeout.
const checkTimeout = 6 * time.Second

// textRetry is the delay after the first failure of a text message: its code lives
// for a minute, so that 10 s would leave it two attempts.
const textRetry = 2 * time.Second

// textSender returns the sender of a project's text messages: the inbox if it
// is a branch, its own gateway, else the capturing inbox.
func (s *Server) textSender(ctx context.Context, ref tenants.Ref) (message.Sender, error) {
	t, err := s.registry.Tenant(ctx, ref)
	if err != nil {
		return nil, err
	}
	if t.Capture {
		return message.Capture{Store: s.control}, nil
	}
	gateway := smsgateway.New(t.Config.SMSGateway(), t.Secrets.Settings, s.outbound.HTTP(gatewayTimeout))
	if gateway == nil && s.config.Mail.Capture {
		return message.Capture{Store: s.control}, nil
	}
	return message.Texter{Gateway: gateway, Now: s.now}, nil
}

// gatewaySecrets are the secrets of a project that a gateway might repeat.
func (s *Server) gatewaySecrets(ref tenants.Ref) []string {
	t, err := s.registry.Tenant(context.Background(), ref) // in memory: the sender has just been made
	if err != nil {
		return nil
	}
	return []string{t.Secrets.Settings[t.Config.SMSGateway().Secret]}
}
