package authconfig

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/reevehq/reeve/internal/authz"
	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/setting"
	"github.com/reevehq/reeve/internal/web/control"
)

func (h *Handler) mountRateLimits(api control.API, path string) {
	control.Register(api, control.Operation{
		ID: "list-rate-limits", Method: http.MethodGet, Path: path + "/rate-limits", Tag: "Auth configuration",
		Summary: "List the rate limits of a project, with how often each refused requests lately, and whose",
	}, h.rateLimits)
}

// RateLimits are the limits of a project.
type RateLimits struct {
	Limits []RateLimit `json:"limits" doc:"Those that settings name, then others that refused something."`
}

// RateLimit is a limit, and what it refused.
type RateLimit struct {
	Setting *string          `json:"setting" doc:"The setting that has the value; null for a limit that is always the same."`
	Rules   []string         `json:"rules" doc:"The rules that refused, as the log names them: one setting limits several routes, each for itself."`
	Value   *int             `json:"value"`
	Doc     string           `json:"doc"`
	Hour    int64            `json:"refused_last_hour"`
	Day     int64            `json:"refused_last_day"`
	LastAt  *time.Time       `json:"last_refused_at"`
	Clients []RateLimitedIPs `json:"clients" doc:"Those that were refused most in the last day; the limit of a whole project has none of its own."`
}

// RateLimitedIPs is a client that was refused.
type RateLimitedIPs struct {
	IP    string `json:"ip"`
	Count int64  `json:"count"`
}

// limitRules are the rules that a setting's value is of.
var limitRules = []struct{ setting, rule string }{
	{"rate_limit_email_sent", "email_sent"},
	{"rate_limit_otp", "otp"},
	{"rate_limit_verify", "verify"},
	{"rate_limit_mfa", "factor"},
	{"rate_limit_token_refresh", "token"},
	{"rate_limit_anonymous_users", "anonymous"},
	{"rate_limit_sms_sent", "sms_sent"},
	{"rate_limit_sms_country", "sms_country"},
	{"smtp_max_frequency", "mail_address"},
	{"sms_max_frequency", "sms_number"},
}

// otherRules are what limits without a setting refuse.
var otherRules = map[string]string{
	"over_request_rate_limit":    "Requests that a limit refused.",
	"over_email_send_rate_limit": "Requests for mails that a limit refused.",
	"over_sms_send_rate_limit":   "Requests for text messages that a limit refused.",
}

func (h *Handler) rateLimits(ctx context.Context, actor control.Actor, in *getInput) (*RateLimits, error) {
	s := h.Service
	p, err := s.Authz.Project(ctx, actor, authz.ReadLogs, in.Ref) // it tells addresses of clients
	if err != nil {
		return nil, err
	}
	stored, err := s.DB.AuthConfigVersion(ctx, p.Ref, p.ConfigVersion)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, waysInTimeout)
	defer cancel()
	refused, err := s.DB.RateLimitRefusals(ctx, p.Ref, time.Now())
	if err != nil {
		return nil, err
	}
	out := &RateLimits{}
	for _, l := range limitRules {
		declared, ok := setting.ByName(l.setting)
		if !ok {
			continue
		}
		one := RateLimit{Setting: &declared.Name, Rules: []string{}, Clients: []RateLimitedIPs{}}
		one.Doc, _ = withoutLinks(declared.Effect)
		if value, ok := declared.Value(&stored.Config).(int); ok {
			one.Value = &value
		}
		refused = one.take(refused, func(rule string) bool { return rule == l.rule || strings.HasPrefix(rule, l.rule+"/") })
		out.Limits = append(out.Limits, one)
	}
	for len(refused) > 0 {
		rule := refused[0].Rule
		one := RateLimit{Rules: []string{}, Clients: []RateLimitedIPs{}, Doc: otherRules[rule]}
		refused = one.take(refused, func(other string) bool { return other == rule })
		out.Limits = append(out.Limits, one)
	}
	return out, nil
}

// take adds the refusals of the rules that are the limit's, and returns the others.
func (l *RateLimit) take(all []controldb.RuleRefusals, mine func(rule string) bool) (others []controldb.RuleRefusals) {
	for _, r := range all {
		if !mine(r.Rule) {
			others = append(others, r)
			continue
		}
		l.Rules = append(l.Rules, r.Rule)
		l.Hour, l.Day = l.Hour+r.Hour, l.Day+r.Day
		if l.LastAt == nil || l.LastAt.Before(r.LastAt) {
			l.LastAt = &r.LastAt
		}
		for _, c := range r.Clients {
			l.client(c)
		}
	}
	return others
}

// client adds a client, and keeps the list in order and short.
func (l *RateLimit) client(c controldb.ClientRefusals) {
	const most = 5
	at := len(l.Clients)
	for i := range l.Clients {
		if l.Clients[i].IP == c.IP {
			c.Count += l.Clients[i].Count
			at = i
		}
	}
	l.Clients = append(l.Clients[:at], l.Clients[min(at+1, len(l.Clients)):]...)
	for at = 0; at < len(l.Clients) && l.Clients[at].Count >= c.Count; at++ {
	}
	l.Clients = append(l.Clients[:at], append([]RateLimitedIPs{{IP: c.IP, Count: c.Count}}, l.Clients[at:]...)...)
	l.Clients = l.Clients[:min(most, len(l.Clients))]
}
