// Package connection is how routes of the admin API name an enterprise connection in
// their paths.
package connection

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

const (
	// resource is what comes before a resource id in a path.
	resource = "resource_"
	// maxResource bounds a resource id, in bytes.
	maxResource = 256
)

// Path is a connection in a path, as its id or as resource_ and its resource id. Handlers
// that are wrapped by Found have its id.
type Path struct {
	id       uuid.UUID
	resource string
}

// Connection is the id of the connection.
func (p *Path) Connection() uuid.UUID { return p.id }

// BindQuery implements web.QueryBinder; auth.ErrSSOProviderNotFound for what names none.
func (p *Path) BindQuery(_ url.Values, param func(string) string) (err error) {
	text := param("id")
	if name, ok := strings.CutPrefix(text, resource); ok {
		if name == "" || len(name) > maxResource || !utf8.ValidString(name) || strings.ContainsRune(name, 0) {
			return notFound(nil)
		}
		p.resource = name
		return nil
	}
	if p.id, err = uuid.Parse(text); err != nil || len(text) != len(p.id.String()) { // Parse also accepts other forms
		return notFound(err)
	}
	return nil
}

func (p *Path) resolve(ctx context.Context, sc *tenants.Scope) error {
	if p.resource == "" {
		return nil
	}
	err := sc.DB.Do(ctx, func(tx *tenantdb.Tx) (err error) {
		p.id, err = tx.SSOProviderOfResource(ctx, p.resource)
		return err
	})
	if errors.Is(err, auth.ErrSSOProviderNotFound) {
		return notFound(err)
	}
	return err
}

func notFound(cause error) error {
	return auth.ErrSSOProviderNotFound.Because(cause).Saying("SSO Identity Provider not found")
}

// Found is a handler whose request embeds a Path, which names the connection by its id
// when the handler gets it.
func Found[Req, Res any, P interface {
	*Req
	resolve(context.Context, *tenants.Scope) error
}](fn func(context.Context, *tenants.Scope, *Req) (Res, error)) func(context.Context, *tenants.Scope, *Req) (Res, error) {
	return func(ctx context.Context, sc *tenants.Scope, req *Req) (res Res, err error) {
		if err := P(req).resolve(ctx, sc); err != nil {
			return res, err
		}
		return fn(ctx, sc, req)
	}
}
