package scim

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	protocol "github.com/reevehq/reeve/internal/scim"
	"github.com/reevehq/reeve/tenants"
)

// Bulk does the operations of a bulk request, each for itself: those that succeeded stay
// when a later one fails.
func (s Service) Bulk(ctx context.Context, sc *tenants.Scope, c *Connection, body []byte) (*Answer, error) {
	b, err := protocol.ReadBulk(body)
	if err != nil {
		return nil, err
	}
	results := make([]*protocol.BulkResult, len(b.Operations))
	made, failed := map[string]string{}, 0
	for _, i := range b.Order() {
		if b.FailOnErrors > 0 && failed >= b.FailOnErrors {
			break
		}
		op := &b.Operations[i]
		op.Resolve(made)
		r := &Request{Method: op.Method, Type: op.Type, ID: op.ID, IfMatch: op.Version}
		r.Data, _ = op.Data.(map[string]any)
		result := &protocol.BulkResult{Method: op.Method, BulkID: op.BulkID}
		a, err := s.operate(ctx, sc, c, r, op)
		status := s.record(ctx, sc, c, r, a, err, nil)
		result.Status = strconv.Itoa(status)
		if err != nil {
			failed++
			result.Response = errorBody(status, err)
			if op.ID != "" {
				result.Location = c.Base + op.Type.Endpoint + "/" + op.ID
			}
		} else {
			result.Version = a.Tag
			if result.Location = a.Location; result.Location == "" {
				result.Location = c.Base + op.Type.Endpoint + "/" + op.ID
			}
			if op.Method == http.MethodPost {
				made[op.BulkID] = a.Location[strings.LastIndexByte(a.Location, '/')+1:]
			}
		}
		results[i] = result
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	out := protocol.BulkResponse{Schemas: []string{protocol.URNBulked}, Operations: []protocol.BulkResult{}}
	for _, r := range results {
		if r != nil {
			out.Operations = append(out.Operations, *r)
		}
	}
	return &Answer{Status: http.StatusOK, Body: out}, nil
}

func (s Service) operate(ctx context.Context, sc *tenants.Scope, c *Connection, r *Request, op *protocol.BulkOperation) (*Answer, error) {
	for _, id := range op.References() {
		return nil, protocol.ErrValue.Saying(fmt.Sprintf("No operation has made bulkId:%.100s", id))
	}
	if r.Data == nil && op.Method != http.MethodDelete {
		return nil, protocol.ErrSyntax.Saying("data must be an object")
	}
	return s.Do(ctx, sc, c, r)
}
