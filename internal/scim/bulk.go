package scim

import (
	"encoding/json"
	"net/http"
	"strings"
)

// The bounds of a bulk request.
const (
	MaxBulk        = 100     // operations
	MaxBulkPayload = 1 << 20 // bytes
)

// BulkOperation is one request within a bulk request (RFC 7644, section 3.7).
type BulkOperation struct {
	Method  string
	BulkID  string
	Version string
	Type    *ResourceType
	ID      string // of PUT, PATCH and DELETE; it may be bulkId:<id>
	Data    any
}

// Bulk is a bulk request.
type Bulk struct {
	FailOnErrors int // 0: never stop
	Operations   []BulkOperation
}

// ReadBulk reads the body of a bulk request; ErrSyntax, ErrTooLarge. Each bulkId is
// unique.
func ReadBulk(body []byte) (b Bulk, err error) {
	m, err := Decode(body)
	if err != nil {
		return b, err
	}
	in, err := message(m, URNBulk)
	if err != nil {
		return b, err
	}
	if v, ok := in["failonerrors"].(json.Number); ok {
		n, err := v.Int64()
		if err != nil || n < 0 {
			return b, saying(ErrSyntax, "failOnErrors must be an integer")
		}
		b.FailOnErrors = int(min(n, MaxBulk+1))
	} else if in["failonerrors"] != nil {
		return b, saying(ErrSyntax, "failOnErrors must be an integer")
	}
	list, ok := in["operations"].([]any)
	switch {
	case !ok:
		return b, saying(ErrSyntax, "Operations must be an array of requests")
	case len(list) > MaxBulk:
		return b, saying(ErrTooLarge, "The request has more than %d operations", MaxBulk)
	}
	seen := map[string]bool{}
	for _, v := range list {
		members, ok := v.(map[string]any)
		if !ok {
			return b, saying(ErrSyntax, "Each of the Operations must be an object")
		}
		op, err := readBulkOperation(lower(members))
		if err != nil {
			return b, err
		}
		if op.BulkID != "" && seen[op.BulkID] {
			return b, saying(ErrSyntax, "The bulkId %.100q is given twice", op.BulkID)
		}
		seen[op.BulkID] = true
		b.Operations = append(b.Operations, op)
	}
	return b, nil
}

func readBulkOperation(in map[string]any) (op BulkOperation, err error) {
	str := func(name string) string { s, _ := in[name].(string); return s }
	op = BulkOperation{Method: strings.ToUpper(str("method")), BulkID: str("bulkid"), Version: str("version"), Data: in["data"]}
	path := strings.TrimPrefix(str("path"), "/")
	endpoint, id, named := strings.Cut(path, "/")
	for _, t := range ResourceTypes {
		if t.Endpoint == "/"+endpoint {
			op.Type, op.ID = t, id
		}
	}
	switch op.Method {
	case http.MethodPost:
		if op.BulkID == "" || named {
			return op, saying(ErrSyntax, "POST needs a bulkId and a path such as /Users")
		}
	case http.MethodPut, http.MethodPatch, http.MethodDelete:
		if id == "" || strings.Contains(id, "/") {
			return op, saying(ErrSyntax, "%s needs a path such as /Users/<id>", op.Method)
		}
	default:
		return op, saying(ErrSyntax, "method must be POST, PUT, PATCH or DELETE")
	}
	if op.Type == nil {
		return op, saying(ErrSyntax, "path: %.100q is no address of users or groups", str("path"))
	}
	if len(op.BulkID) > 200 {
		return op, saying(ErrSyntax, "bulkId is longer than 200 bytes")
	}
	return op, nil
}

const bulkPrefix = "bulkId:"

// References are the bulkIds that an operation refers to.
func (op *BulkOperation) References() []string {
	var out []string
	refer := func(s string) string {
		if id, ok := strings.CutPrefix(s, bulkPrefix); ok {
			out = append(out, id)
		}
		return s
	}
	rewrite(op.Data, refer)
	refer(op.ID)
	return out
}

// Resolve replaces references by the ids of the resources that were made.
func (op *BulkOperation) Resolve(ids map[string]string) {
	replace := func(s string) string {
		if id, ok := strings.CutPrefix(s, bulkPrefix); ok && ids[id] != "" {
			return ids[id]
		}
		return s
	}
	op.Data, op.ID = rewrite(op.Data, replace), replace(op.ID)
}

// rewrite changes all strings of a value.
func rewrite(v any, f func(string) string) any {
	switch v := v.(type) {
	case string:
		return f(v)
	case []any:
		for i := range v {
			v[i] = rewrite(v[i], f)
		}
	case map[string]any:
		for k := range v {
			v[k] = rewrite(v[k], f)
		}
	}
	return v
}

// Order returns the order in which operations are done: as they stand, except that one
// that refers to a resource comes after the one that makes it. Operations that refer to
// each other, or to what nobody makes, come last, as they stand.
func (b Bulk) Order() []int {
	makes := map[string]int{}
	for i := range b.Operations {
		if b.Operations[i].BulkID != "" && b.Operations[i].Method == http.MethodPost {
			makes[b.Operations[i].BulkID] = i
		}
	}
	done := make([]bool, len(b.Operations))
	needs := make([][]string, len(b.Operations))
	for i := range b.Operations {
		needs[i] = b.Operations[i].References()
	}
	var order []int
	for progress := true; progress; {
		progress = false
		for i := range b.Operations {
			if done[i] {
				continue
			}
			ready := true
			for _, id := range needs[i] {
				j, ok := makes[id]
				ready = ready && ok && done[j]
			}
			if ready {
				order, done[i], progress = append(order, i), true, true
			}
		}
	}
	for i := range done {
		if !done[i] {
			order = append(order, i)
		}
	}
	return order
}

// BulkResult is the outcome of an operation.
type BulkResult struct {
	Method   string `json:"method"`
	BulkID   string `json:"bulkId,omitempty"`
	Version  string `json:"version,omitempty"`
	Location string `json:"location,omitempty"`
	Status   string `json:"status"`
	Response any    `json:"response,omitempty"`
}

// BulkResponse is the answer to a bulk request.
type BulkResponse struct {
	Schemas    []string     `json:"schemas"`
	Operations []BulkResult `json:"Operations"`
}
