package admin

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// auditRequest is the query of GET /admin/audit.
type auditRequest struct {
	page
	column, value string
	oldest        bool
}

// BindQuery implements web.QueryBinder.
func (r *auditRequest) BindQuery(q url.Values, _ func(string) string) (err error) {
	if r.page, err = bindPage(q, auditPath); err != nil {
		return err
	}
	if r.oldest, err = r.oldestFirst(q); err != nil {
		return err
	}
	query, err := r.searchFor(q, "query")
	if err != nil || query == "" {
		return err
	}
	var ok bool
	r.column, r.value, ok = strings.Cut(query, ":")
	switch r.column {
	case "author", "action", "type":
	default:
		ok = false
	}
	if !ok {
		return auth.ErrValidation.Saying("query: must begin with author:, action: or type:")
	}
	return nil
}

// auditList is a page of the audit log.
type auditList struct {
	entries []tenantdb.AuditEntry
	page    page
	total   int64
}

// SetHeaders implements web.HeaderSetter.
func (l auditList) SetHeaders(h http.Header) { l.page.headers(h, l.total) }

// MarshalJSON implements json.Marshaler: the list alone.
func (l auditList) MarshalJSON() ([]byte, error) {
	if l.entries == nil {
		return []byte("[]"), nil
	}
	return json.Marshal(l.entries)
}

func (h Handler) audit(ctx context.Context, sc *tenants.Scope, req *auditRequest) (auditList, error) {
	entries, total, err := h.Service.Audit(ctx, sc, tenantdb.AuditPage{
		Page: req.number, PerPage: req.size, Column: req.column, Value: req.value, OldestFirst: req.oldest,
	})
	return auditList{entries: entries, page: req.page, total: total}, err
}
