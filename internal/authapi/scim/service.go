package scim

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/users"
	"github.com/reevehq/reeve/internal/fault"
	protocol "github.com/reevehq/reeve/internal/scim"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// Service does what directories ask for.
type Service struct{ users.Users }

// Connection is the connection whose directory makes a request.
type Connection struct {
	ID    uuid.UUID
	Token *uuid.UUID // nil when an entry of the log is replayed
	Base  string     // the address of the service
}

// Provider is the provider of its users' identities.
func (c *Connection) Provider() string { return auth.SSOPrefix + c.ID.String() }

// Request is a request of a directory.
type Request struct {
	Method      string
	Type        *protocol.ResourceType
	ID          string // "": all of them
	Search      bool   // POST .search
	Query       url.Values
	Body        []byte
	Data        map[string]any // instead of Body, of an operation of a bulk request
	IfMatch     string
	IfNoneMatch string
}

// Path is the address of the request below the service.
func (r *Request) Path() string {
	s := r.Type.Endpoint
	switch {
	case r.Search:
		s += "/.search"
	case r.ID != "":
		s += "/" + r.ID
	}
	if len(r.Query) > 0 {
		s += "?" + r.Query.Encode()
	}
	return s
}

// Answer is what a directory is answered.
type Answer struct {
	Status   int
	Body     any // nil: none
	Location string
	Tag      string // the entity tag
}

// tokenUsed is how often the use of a token is noted.
const tokenUsed = time.Minute

// Authenticate returns the connection of a token; auth.ErrSCIMToken, auth.ErrSCIMDisabled.
func (s Service) Authenticate(ctx context.Context, sc *tenants.Scope, token string) (*Connection, error) {
	if !strings.HasPrefix(token, tokenPrefix) || len(token) > 200 {
		return nil, auth.ErrSCIMToken
	}
	now := s.Now()
	var t auth.SCIMToken
	err := sc.DB.Do(ctx, func(tx *tenantdb.Tx) (err error) {
		t, err = tx.SCIMTokenByHash(ctx, hashOf(token), now)
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case t.ConnectionOff:
		return nil, auth.ErrSCIMDisabled
	}
	if since := now.Add(-tokenUsed); t.LastUsedAt == nil || !t.LastUsedAt.After(since) {
		err = sc.DB.Do(ctx, func(tx *tenantdb.Tx) error { return tx.TouchSCIMToken(ctx, t.ID, now, since) })
	}
	return &Connection{ID: t.Provider, Token: &t.ID, Base: base(sc)}, err
}

func base(sc *tenants.Scope) string { return sc.Tenant.Issuer() + "/scim/v2" }

func hashOf(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// Do answers a request for users or groups.
func (s Service) Do(ctx context.Context, sc *tenants.Scope, c *Connection, r *Request) (*Answer, error) {
	projection, err := projectionOf(r)
	if err != nil {
		return nil, err
	}
	do := resources{s, sc, c, r, projection}
	if r.Type == protocol.Group {
		return groups{do}.do(ctx)
	}
	return people{do}.do(ctx)
}

func projectionOf(r *Request) (protocol.Projection, error) {
	return protocol.NewProjection(r.Type, protocol.Names(r.Query.Get("attributes")), protocol.Names(r.Query.Get("excludedAttributes")))
}

// resources is what users and groups have in common.
type resources struct {
	Service
	sc         *tenants.Scope
	connection *Connection
	request    *Request
	projection protocol.Projection
}

// body is the resource or message that was sent.
func (r *resources) body() (map[string]any, error) {
	if r.request.Data != nil {
		return r.request.Data, nil
	}
	return protocol.Decode(r.request.Body)
}

// operations are the changes of a PATCH request.
func (r *resources) operations() ([]protocol.Operation, error) {
	if r.request.Data == nil {
		return protocol.ReadPatch(r.request.Body)
	}
	raw, err := json.Marshal(r.request.Data)
	if err != nil {
		return nil, fmt.Errorf("encode operations: %w", err)
	}
	return protocol.ReadPatch(raw)
}

// query is the request for a list.
func (r *resources) query() (protocol.Query, error) {
	if r.request.Search {
		return protocol.ReadSearch(r.request.Type, r.request.Body)
	}
	return protocol.ReadQuery(r.request.Type, r.request.Query)
}

// id is the id of the request's resource; auth.ErrSCIMNotFound for what can be none.
func (r *resources) id() (uuid.UUID, error) {
	id, err := uuid.Parse(r.request.ID)
	if err != nil || len(r.request.ID) != len(id.String()) {
		return id, auth.ErrSCIMNotFound
	}
	return id, nil
}

// check compares the version of a resource with that of the request; auth.ErrSCIMVersion.
func (r *resources) check(tag string) error {
	if want := r.request.IfMatch; want != "" && !names(want, tag) {
		return auth.ErrSCIMVersion
	}
	return nil
}

// names reports whether a list of entity tags has one.
func names(list, tag string) bool {
	for one := range strings.SplitSeq(list, ",") {
		one = strings.TrimSpace(one)
		if one == "*" || strings.TrimPrefix(one, "W/") == strings.TrimPrefix(tag, "W/") {
			return true
		}
	}
	return false
}

// show adds what is not in the document: id, schemas and meta.
func (r *resources) show(doc protocol.Resource, id uuid.UUID, created, changed time.Time, tag string) protocol.Resource {
	out := doc.Clone()
	out["id"], out["schemas"] = id.String(), r.request.Type.SchemasOf(doc)
	out["meta"] = map[string]any{
		"resourceType": r.request.Type.Name, "created": stamp(created), "lastModified": stamp(changed),
		"location": r.location(id), "version": tag,
	}
	return out
}

func (r *resources) location(id uuid.UUID) string {
	return r.connection.Base + r.request.Type.Endpoint + "/" + id.String()
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z07:00") }

// answer is the answer with one resource.
func (r *resources) answer(status int, shown protocol.Resource, id uuid.UUID, tag string) *Answer {
	if r.request.Method == http.MethodGet && r.request.IfNoneMatch != "" && names(r.request.IfNoneMatch, tag) {
		return &Answer{Status: http.StatusNotModified, Tag: tag}
	}
	return &Answer{Status: status, Body: r.projection.Apply(r.request.Type, shown), Location: r.location(id), Tag: tag}
}

func tagOf(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return `W/"` + hex.EncodeToString(sum[:10]) + `"`
}

func versionTag(n int64) string { return `W/"` + strconv.FormatInt(n, 10) + `"` }

// encode is the document as it is stored.
func encode(doc protocol.Resource) (json.RawMessage, error) {
	raw, err := json.Marshal(doc)
	if err != nil {
		return nil, fmt.Errorf("encode resource: %w", err)
	}
	return raw, nil
}

// asSCIM words errors of users that a directory can do something about.
func asSCIM(err error) error {
	for _, taken := range []*fault.Error{auth.ErrIdentityExists, auth.ErrEmailExists, auth.ErrUserExists} {
		if errors.Is(err, taken) {
			return protocol.ErrUniqueness.Because(err).Saying("Another user has this externalId or address")
		}
	}
	if errors.Is(err, auth.ErrEmailDomain) {
		return protocol.ErrValue.Because(err).Saying("The project does not take addresses of this domain")
	}
	return err
}
