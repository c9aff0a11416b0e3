package user

import (
	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/device"
	"github.com/reevehq/reeve/tenants"
)

// maxHistory bounds the ended sessions, and the refreshes, in an answer.
const maxHistory = 50

// maxRotations bounds the ordinary refreshes in an answer.
const maxRotations = 500

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

func (s *Service) rotations(list []auth.Rotation) []Rotated {
	out := make([]Rotated, len(list))
	for n, of := range list {
		out[n] = Rotated{SessionID: of.SessionID.String(), Decision: string(auth.RefreshRotated), Rotation: Rotation{
			At: of.At, IP: of.IP, UserAgent: of.UserAgent, Client: s.clientOf(of.UserAgent, of.IP),
		}}
	}
	return out
}

// idsOf are the ids of sessions.
func idsOf(sessions []auth.Session, ended []auth.EndedSession) []uuid.UUID {
	ids := make([]uuid.UUID, 0, len(sessions)+len(ended))
	for n := range sessions {
		ids = append(ids, sessions[n].ID)
	}
	for n := range ended {
		ids = append(ids, ended[n].ID)
	}
	return ids
}
