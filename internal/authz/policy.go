package authz

import (
	_ "embed" // for the model and the policy of the built-in roles
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/casbin/casbin/v2"
	"github.com/casbin/casbin/v2/model"
	"github.com/casbin/casbin/v2/persist"
	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/controldb"
)

//go:embed model.conf
var modelText string

//go:embed policy.csv
var builtIn string

// Domain is the organization in which a role has its rights.
type Domain = uuid.UUID

// Policy is what each role allows: those of every organization and, at one
// version, those that organizations defined. It never changes. A decision costs
// by the roles of its own organization, because casbin looks at each rule.
type Policy struct {
	version   int64
	builtIn   *casbin.Enforcer
	custom    map[Domain][]controldb.CustomRole
	enforcers sync.Map // Domain to *casbin.Enforcer, built at the first decision
}

// NewPolicy builds the policy of the built-in roles and these.
func NewPolicy(version int64, custom []controldb.CustomRole) (*Policy, error) {
	builtIn, err := newEnforcer(nil)
	if err != nil {
		return nil, err
	}
	p := &Policy{version: version, builtIn: builtIn, custom: map[Domain][]controldb.CustomRole{}}
	for _, role := range custom {
		p.custom[role.OrganizationID] = append(p.custom[role.OrganizationID], role)
	}
	return p, nil
}

// enforcer returns the one with an organization's own roles.
func (p *Policy) enforcer(organization Domain) (*casbin.Enforcer, error) {
	if len(p.custom[organization]) == 0 {
		return p.builtIn, nil
	}
	if e, ok := p.enforcers.Load(organization); ok {
		return e.(*casbin.Enforcer), nil
	}
	e, err := newEnforcer(p.custom[organization])
	if err != nil {
		return nil, err
	}
	kept, _ := p.enforcers.LoadOrStore(organization, e)
	return kept.(*casbin.Enforcer), nil
}

func newEnforcer(custom []controldb.CustomRole) (*casbin.Enforcer, error) {
	m, err := model.NewModelFromString(modelText)
	if err != nil {
		return nil, fmt.Errorf("model of permissions: %w", err)
	}
	enforcer, err := casbin.NewEnforcer(m, adapter{custom})
	if err != nil {
		return nil, fmt.Errorf("policy of permissions: %w", err)
	}
	return enforcer, nil
}

// Allows reports whether one of the roles allows the action. Unknown roles and
// errors of the evaluation allow nothing.
func (p *Policy) Allows(organization Domain, action Action, roles ...controldb.Role) bool {
	enforcer, err := p.enforcer(organization)
	if err != nil {
		return false
	}
	for _, role := range roles {
		if role == "" {
			continue
		}
		if ok, err := enforcer.Enforce(string(role), organization.String(), string(action)); err == nil && ok {
			return true
		}
	}
	return false
}

// adapter is casbin's source of the policy. Rows of roles are written by
// controldb alone.
type adapter struct{ custom []controldb.CustomRole }

var _ persist.Adapter = adapter{}

// LoadPolicy reads the built-in roles and those of the organizations.
func (a adapter) LoadPolicy(m model.Model) error {
	for line := range strings.Lines(builtIn) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if err := persist.LoadPolicyLine(line, m); err != nil {
			return err
		}
	}
	for _, role := range a.custom {
		for _, permission := range role.Permissions {
			rule := []string{"p", role.Name, role.OrganizationID.String(), permission}
			if err := persist.LoadPolicyArray(rule, m); err != nil {
				return err
			}
		}
	}
	return nil
}

var errReadOnly = errors.New("the policy is not written through the adapter")

// SavePolicy fails.
func (adapter) SavePolicy(model.Model) error { return errReadOnly }

// AddPolicy fails.
func (adapter) AddPolicy(string, string, []string) error { return errReadOnly }

// RemovePolicy fails.
func (adapter) RemovePolicy(string, string, []string) error { return errReadOnly }

// RemoveFilteredPolicy fails.
func (adapter) RemoveFilteredPolicy(string, string, int, ...string) error { return errReadOnly }
