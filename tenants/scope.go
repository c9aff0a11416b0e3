package tenants

import (
	"net/netip"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/projectlog"
	"github.com/reevehq/reeve/internal/usage"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// Scope is the context of a tenant's request: the project, the caller, and
// nothing that reaches another project. It travels as a parameter.
type Scope struct {
	Tenant *Tenant
	DB     *tenantdb.DB
	Credentials
	ClientIP  netip.Addr
	UserAgent string
	RequestID string
	// Log is the project's log for this request; nil drops entries.
	Log *projectlog.Request
	// Usage counts what the project is used for.
	Usage usage.Project
	// Member is who acts through the Management API, or by a setup link; nil for a
	// request of the tenant plane. The project's audit log names them.
	Member *Member
}

// Member is a member of the project's organization, a service token of it, or a setup
// link.
type Member struct {
	ID   uuid.UUID
	Name string // an e-mail address, or the token's or link's name
	Via  string // how they act; "" for the Management API
}

// ClientAddress is the client's address as rows keep it; "" when it is unknown.
func (sc *Scope) ClientAddress() string {
	if !sc.ClientIP.IsValid() {
		return ""
	}
	return sc.ClientIP.WithZone("").String()
}
