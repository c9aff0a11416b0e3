package scim

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/fault"
	protocol "github.com/reevehq/reeve/internal/scim"
	"github.com/reevehq/reeve/internal/web"
	"github.com/reevehq/reeve/tenants"
)

// Handler serves the routes.
type Handler struct{ Service Service }

// Path is where the routes of directories begin.
const Path = "/scim/v2"

// Mount adds the routes. Directories send a token of their connection instead of an API
// key.
func (h Handler) Mount(r web.Routes) {
	open := r.Open.With(web.LimitSCIM)
	for _, t := range protocol.ResourceTypes {
		at := Path + t.Endpoint
		open.GET(at, h.resources(http.MethodGet, t))
		open.POST(at, h.resources(http.MethodPost, t))
		open.POST(at+"/.search", h.search(t))
		open.GET(at+"/:id", h.resources(http.MethodGet, t))
		open.PUT(at+"/:id", h.resources(http.MethodPut, t))
		open.PATCH(at+"/:id", h.resources(http.MethodPatch, t))
		open.DELETE(at+"/:id", h.resources(http.MethodDelete, t))
	}
	open.POST(Path+"/Bulk", h.as(h.bulk))
	open.GET(Path+"/ServiceProviderConfig", h.as(discover(func(base, _ string) (any, bool) { return protocol.ServiceProviderConfig(base), true })))
	open.GET(Path+"/ResourceTypes", h.as(discover(types)))
	open.GET(Path+"/ResourceTypes/:id", h.as(discover(types)))
	open.GET(Path+"/Schemas", h.as(discover(schemas)))
	open.GET(Path+"/Schemas/:id", h.as(discover(schemas)))
	for _, add := range []func(string, web.Endpoint){open.GET, open.POST, open.PUT, open.PATCH, open.DELETE} {
		add(Path+"/Me", h.as(unsupported))
	}
	open.POST(Path+"/.search", h.as(unsupported))
	h.mountAdmin(r)
}

// call is a request of a directory, as HTTP has it.
type call struct {
	token, ifMatch, ifNoneMatch string
	query                       url.Values
	id                          string
	body                        []byte
}

// BindHeader implements web.HeaderBinder.
func (c *call) BindHeader(h http.Header) {
	scheme, token, _ := strings.Cut(strings.TrimSpace(h.Get("Authorization")), " ")
	if strings.EqualFold(scheme, "Bearer") {
		c.token = strings.TrimSpace(token)
	}
	c.ifMatch, c.ifNoneMatch = strings.Join(h.Values("If-Match"), ","), strings.Join(h.Values("If-None-Match"), ",")
}

// BindQuery implements web.QueryBinder.
func (c *call) BindQuery(q url.Values, param func(string) string) error {
	c.query, c.id = q, param("id")
	delete(c.query, "apikey")
	return nil
}

// BindBody implements web.BodyBinder. The body is read when it is known whose it is.
func (c *call) BindBody(body []byte) { c.body = body }

type doing func(context.Context, *tenants.Scope, *Connection, *call) (*Answer, error)

// as is the route that does something for a directory that has a token.
func (h Handler) as(do doing) web.Endpoint {
	return web.Tenant(http.StatusOK, func(ctx context.Context, sc *tenants.Scope, in *call) (web.Raw, error) {
		c, err := h.Service.Authenticate(ctx, sc, in.token)
		if err != nil {
			return web.Raw{}, err
		}
		a, err := do(ctx, sc, c, in)
		if err != nil {
			return web.Raw{}, err
		}
		return raw(a)
	})
}

func (h Handler) resources(method string, t *protocol.ResourceType) web.Endpoint {
	return h.requests(method, t, false)
}

func (h Handler) search(t *protocol.ResourceType) web.Endpoint {
	return h.requests(http.MethodPost, t, true)
}

func (h Handler) requests(method string, t *protocol.ResourceType, search bool) web.Endpoint {
	return h.as(func(ctx context.Context, sc *tenants.Scope, c *Connection, in *call) (*Answer, error) {
		r := &Request{
			Method: method, Type: t, ID: in.id, Search: search, Query: in.query, Body: in.body, IfMatch: in.ifMatch, IfNoneMatch: in.ifNoneMatch,
		}
		a, err := h.Service.Do(ctx, sc, c, r)
		h.Service.record(ctx, sc, c, r, a, err, nil)
		return a, err
	})
}

func (h Handler) bulk(ctx context.Context, sc *tenants.Scope, c *Connection, in *call) (*Answer, error) {
	return h.Service.Bulk(ctx, sc, c, in.body)
}

// errUnsupported is what the specification has and this service does not.
var errUnsupported = fault.New(fault.NotFound, "scim_not_implemented", "This is not supported: ask for users or groups at their own addresses").Answering(http.StatusNotImplemented)

func unsupported(context.Context, *tenants.Scope, *Connection, *call) (*Answer, error) {
	return nil, errUnsupported
}

// discover answers the addresses of discovery. They cannot be filtered (RFC 7644, section
// 4).
func discover(what func(base, id string) (any, bool)) doing {
	return func(_ context.Context, _ *tenants.Scope, c *Connection, in *call) (*Answer, error) {
		if in.query.Has("filter") {
			return nil, fault.New(fault.Forbidden, "scim_not_filtered", "This address does not take a filter")
		}
		body, ok := what(c.Base, in.id)
		if !ok {
			return nil, auth.ErrSCIMNotFound
		}
		return &Answer{Status: http.StatusOK, Body: body}, nil
	}
}

func types(base, id string) (any, bool) {
	var list []protocol.Resource
	for _, t := range protocol.ResourceTypes {
		if d := t.Describe(base); id == "" {
			list = append(list, d)
		} else if t.Name == id {
			return d, true
		}
	}
	return protocol.NewList(len(list), 1, list), id == ""
}

func schemas(base, id string) (any, bool) {
	var list []protocol.Resource
	for _, s := range protocol.Schemas {
		if d := s.Describe(base); id == "" {
			list = append(list, d)
		} else if strings.EqualFold(s.ID, id) {
			return d, true
		}
	}
	return protocol.NewList(len(list), 1, list), id == ""
}

// raw is an answer as HTTP has it.
func raw(a *Answer) (web.Raw, error) {
	out := web.Raw{Status: a.Status, ContentType: protocol.ContentType, Cache: "no-store", Header: map[string]string{}}
	if a.Tag != "" {
		out.Header["ETag"] = a.Tag
	}
	if a.Location != "" && a.Status == http.StatusCreated {
		out.Header["Location"] = a.Location
	}
	if a.Body == nil {
		return out, nil
	}
	var body bytes.Buffer
	enc := json.NewEncoder(&body)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(a.Body); err != nil {
		return web.Raw{}, fmt.Errorf("encode answer: %w", err)
	}
	out.Body = bytes.TrimSuffix(body.Bytes(), []byte("\n"))
	return out, nil
}

// WriteError implements web.ErrorWriter.
func WriteError(w http.ResponseWriter, _ *http.Request, e web.Refusal) {
	w.Header().Set("Content-Type", protocol.ContentType)
	w.Header().Set("X-Sb-Error-Code", e.Fault.Code)
	if e.Status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	web.WriteErrorJSON(w, e.Status, protocol.NewError(e.Status, e.Fault))
}
