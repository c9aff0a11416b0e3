package project

import (
	"context"
	"net"
	"strconv"

	"github.com/reevehq/reeve/internal/authz"
	"github.com/reevehq/reeve/internal/web/control"
)

// Pooler is a way to a project's database in the hosted service's form, which has a
// pooler in front of it. Reeve has none: this is the database itself.
type Pooler struct {
	Identifier        string `json:"identifier"`
	DatabaseType      string `json:"database_type" enum:"PRIMARY"`
	SCRAM             bool   `json:"is_using_scram_auth"`
	User              string `json:"db_user" doc:"The owner role."`
	Host              string `json:"db_host"`
	Port              int    `json:"db_port"`
	Name              string `json:"db_name"`
	ConnectionString  string `json:"connection_string" doc:"With [YOUR-PASSWORD] in place of the password."`
	ConnectionString2 string `json:"connectionString" deprecated:"true" doc:"connection_string by its former name."`
	DefaultPoolSize   *int   `json:"default_pool_size" nullable:"true" doc:"Always null: nothing is pooled."`
	MaxClientConn     *int   `json:"max_client_conn" nullable:"true" doc:"Always null."`
	PoolMode          string `json:"pool_mode" enum:"session" doc:"A client has its connection for itself."`
}

func (h *Handler) pooler(ctx context.Context, actor control.Actor, in *refInput) (*[]Pooler, error) {
	p, err := h.Service.Authz.Project(ctx, actor, authz.ReadProject, in.Ref)
	if err != nil {
		return nil, err
	}
	db := h.Service.Servers.Describe(p.Ref)
	address := net.JoinHostPort(db.Host, strconv.Itoa(db.Port))
	url := "postgresql://" + p.Ref.OwnerRole() + ":[YOUR-PASSWORD]@" + address + "/" + p.Ref.Database()
	return &[]Pooler{{
		Identifier: string(p.Ref), DatabaseType: "PRIMARY", SCRAM: true, User: p.Ref.OwnerRole(), Host: db.Host, Port: db.Port,
		Name: p.Ref.Database(), ConnectionString: url, ConnectionString2: url, PoolMode: "session",
	}}, nil
}
