package user

import (
	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/device"
	"github.com/reevehq/reeve/tenants"
)

// maxHistory bounds the ended sessions, and the refreshes, in an answer.
const maxHistory = 50

// clientOf describes a client.
func (s *Service) clientOf(agent, ip string) Client {
	return Client{Device: device.Parse(agent), Place: s.Places.Of(ip)}
}

func (s *Service) sessionOf(sc *tenants.Scope, u *auth.User, of *auth.Session) Session {
	out := Session{
		ID: of.ID.String(), IP: of.IP, UserAgent: of.UserAgent, AAL: string(of.AAL), Methods: []string{},
		CreatedAt: of.CreatedAt, RefreshedAt: of.RefreshedAt, NotAfter: of.NotAfter, Method: string(of.Method()), Provider: u.ProviderOf(of),
		ExpiresAt: sc.Tenant.Config.SessionEnd(of.CreatedAt, of.LastActive(), of.NotAfter, of.Low(u)), Refreshes: of.RefreshCounter,
		Client: s.clientOf(of.UserAgent, of.IP),
	}
	for _, a := range of.AMR {
		out.Methods = append(out.Methods, string(a.Method))
	}
	return out
}

func (s *Service) ended(list []auth.EndedSession) []EndedSession {
	out := make([]EndedSession, len(list))
	for n, of := range list {
		out[n] = EndedSession{
			ID: of.ID.String(), IP: of.IP, UserAgent: of.UserAgent, CreatedAt: of.CreatedAt, RefreshedAt: of.RefreshedAt,
			EndedAt: of.EndedAt, Cause: of.Cause.String(), Client: s.clientOf(of.UserAgent, of.IP),
		}
	}
	return out
}

func (s *Service) refreshes(list []auth.OddRefresh) []Refresh {
	out := make([]Refresh, len(list))
	for n, of := range list {
		out[n] = Refresh{
			SessionID: of.SessionID.String(), At: of.At, Decision: string(of.Decision), Behind: of.Behind,
			IP: of.IP, UserAgent: of.UserAgent, Client: s.clientOf(of.UserAgent, of.IP),
		}
		if of.RotatedAt != nil {
			out[n].LastRotation = &Rotation{
				At: *of.RotatedAt, IP: of.RotatedIP, UserAgent: of.RotatedUserAgent, Client: s.clientOf(of.RotatedUserAgent, of.RotatedIP),
			}
		}
	}
	return out
}
