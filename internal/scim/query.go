package scim

import (
	"net/url"
	"strconv"
	"strings"
)

// The page that is answered unless a request says otherwise, and the largest.
const (
	DefaultCount = 100
	MaxCount     = 1000
)

// Query is a request for a list (RFC 7644, section 3.4.2).
type Query struct {
	Filter     Expr  // nil: all
	SortBy     *Path // nil: in the order in which they were made
	Descending bool
	Start      int // of the first resource, from 1
	Count      int // at most MaxCount
	Projection Projection
}

// ReadQuery reads the parameters of a GET request; ErrFilter, ErrPath, ErrValue.
func ReadQuery(t *ResourceType, q url.Values) (Query, error) {
	number := func(name string) (any, bool) { return q.Get(name), q.Has(name) && q.Get(name) != "" }
	return readQuery(t, text(q, "filter"), text(q, "sortBy"), text(q, "sortOrder"), number,
		Names(text(q, "attributes")), Names(text(q, "excludedAttributes")))
}

// text is a parameter by its name in any case.
func text(q url.Values, name string) string {
	if q.Has(name) {
		return q.Get(name)
	}
	for n, v := range q {
		if strings.EqualFold(n, name) && len(v) > 0 {
			return v[0]
		}
	}
	return ""
}

// ReadSearch reads the body of a request to .search (RFC 7644, section 3.4.3); ErrSyntax,
// and the errors of ReadQuery.
func ReadSearch(t *ResourceType, body []byte) (Query, error) {
	m, err := Decode(body)
	if err != nil {
		return Query{}, err
	}
	in, err := message(m, URNSearch)
	if err != nil {
		return Query{}, err
	}
	str := func(name string) string { s, _ := in[strings.ToLower(name)].(string); return s }
	list := func(name string) (out []string, err error) {
		switch v := in[strings.ToLower(name)].(type) {
		case nil:
		case string:
			return Names(v), nil
		case []any:
			for _, e := range v {
				s, ok := e.(string)
				if !ok {
					return nil, saying(ErrSyntax, "%s must be an array of names", name)
				}
				out = append(out, s)
			}
		default:
			return nil, saying(ErrSyntax, "%s must be an array of names", name)
		}
		return out, nil
	}
	for _, name := range []string{"filter", "sortBy", "sortOrder"} {
		if v := in[strings.ToLower(name)]; v != nil && str(name) == "" && v != "" {
			return Query{}, saying(ErrSyntax, "%s must be a string", name)
		}
	}
	attributes, err := list("attributes")
	if err != nil {
		return Query{}, err
	}
	excluded, err := list("excludedAttributes")
	if err != nil {
		return Query{}, err
	}
	number := func(name string) (any, bool) { v := in[strings.ToLower(name)]; return v, v != nil }
	return readQuery(t, str("filter"), str("sortBy"), str("sortOrder"), number, attributes, excluded)
}

func readQuery(t *ResourceType, filter, sortBy, order string, number func(string) (any, bool), attributes, excluded []string) (q Query, err error) {
	if strings.TrimSpace(filter) != "" {
		if q.Filter, err = ParseFilter(t, filter); err != nil {
			return q, err
		}
	}
	if sortBy != "" {
		p, ok := scope{resource: t}.resolve(sortBy)
		if ok && p.Attr != nil && p.Leaf().Type == Complex {
			p.Sub = p.Attr.sub("value")
			ok = p.Sub != nil
		}
		if !ok || !isName(sortBy) || p.Attr == nil || p.Attr.Name == "schemas" {
			return q, saying(ErrPath, "sortBy: %.100q is no attribute to sort by", sortBy)
		}
		q.SortBy = &p
	}
	switch strings.ToLower(order) {
	case "", "ascending":
	case "descending":
		q.Descending = true
	default:
		return q, saying(ErrValue, "sortOrder must be ascending or descending")
	}
	if q.Start, err = integer(number, "startIndex", 1); err != nil {
		return q, err
	}
	if q.Count, err = integer(number, "count", DefaultCount); err != nil {
		return q, err
	}
	q.Start, q.Count = max(q.Start, 1), min(max(q.Count, 0), MaxCount)
	q.Projection, err = NewProjection(t, attributes, excluded)
	return q, err
}

func integer(number func(string) (any, bool), name string, otherwise int) (int, error) {
	v, ok := number(name)
	if !ok {
		return otherwise, nil
	}
	s, isText := v.(string)
	if n, ok := v.(interface{ Int64() (int64, error) }); ok {
		i, err := n.Int64()
		s, isText = strconv.FormatInt(i, 10), err == nil
	}
	n, err := strconv.ParseInt(s, 10, 32)
	if !isText || err != nil {
		return 0, saying(ErrValue, "%s must be an integer", name)
	}
	return int(n), nil
}

// List is the answer to a query.
type List struct {
	Schemas   []string   `json:"schemas"`
	Total     int        `json:"totalResults"`
	Start     int        `json:"startIndex"`
	Count     int        `json:"itemsPerPage"`
	Resources []Resource `json:"Resources"`
}

// NewList returns the answer with a page of total resources.
func NewList(total, start int, page []Resource) List {
	if page == nil {
		page = []Resource{}
	}
	return List{[]string{URNList}, total, start, len(page), page}
}
