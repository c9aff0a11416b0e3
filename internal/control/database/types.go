package database

import (
	"context"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/internal/authz"
	"github.com/reevehq/reeve/internal/control/text"
	"github.com/reevehq/reeve/internal/typegen"
	"github.com/reevehq/reeve/internal/web/control"
)

// maxSchemas bounds the schemas of a request for types.
const maxSchemas = 50

// Types are the types of a database.
type Types struct {
	Types string `json:"types" doc:"A TypeScript module."`
}

type typesInput struct {
	Ref     string `path:"ref"`
	Schemas string `query:"included_schemas" default:"public" maxLength:"4000" doc:"Names of schemas, with commas between them."`
}

func (h *Handler) typeScript(ctx context.Context, actor control.Actor, in *typesInput) (*Types, error) {
	var schemas []string
	for _, name := range strings.Split(in.Schemas, ",") {
		if name = strings.TrimSpace(name); name != "" && !slices.Contains(schemas, name) {
			schemas = append(schemas, name)
		}
	}
	if len(schemas) == 0 || len(schemas) > maxSchemas {
		return nil, text.Invalid("included_schemas: must name 1 to %d schemas", maxSchemas)
	}
	s := h.Service
	p, err := s.project(ctx, actor, authz.ReadDatabase, in.Ref)
	if err != nil {
		return nil, err
	}
	out := &Types{}
	return out, s.Catalogs(ctx, p.Ref, func(ctx context.Context, tx pgx.Tx) (err error) {
		out.Types, err = typegen.TypeScript(ctx, tx, schemas)
		return err
	})
}
