package admin

import (
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/reevehq/reeve/internal/auth"
)

const (
	defaultPerPage = 50
	// maxPerPage replaces greater values: apps ask for very many to get all.
	maxPerPage = 10_000
	maxPage    = 1 << 30
	// maxSearch bounds a search text, in bytes.
	maxSearch = 255
)

// page is the requested page of a list, and the parameters that its links
// repeat.
type page struct {
	number, size int
	path         string
	search       url.Values
}

func bindPage(q url.Values, path string) (page, error) {
	p := page{number: 1, size: defaultPerPage, path: path, search: url.Values{}}
	if err := bindNumber(&p.number, q, "page", 0, maxPage); err != nil {
		return p, err
	}
	if err := bindNumber(&p.size, q, "per_page", 1, math.MaxInt32); err != nil {
		return p, err
	}
	p.number, p.size = max(p.number, 1), min(p.size, maxPerPage)
	return p, nil
}

// bindNumber leaves n unchanged when the query does not have the parameter.
func bindNumber(n *int, q url.Values, name string, least, most int) error {
	text := q.Get(name)
	if text == "" {
		return nil
	}
	given, err := strconv.Atoi(text)
	if err != nil || given < least || given > most {
		return auth.ErrValidation.Saying(fmt.Sprintf("%s: must be a number from %d to %d", name, least, most))
	}
	*n = given
	return nil
}

// oldestFirst reads sort, which is created_at and a direction; without a
// direction newest come first, as in the reference. Of several only the first
// counts: created_at is the only column, so the others have no effect.
func (p *page) oldestFirst(q url.Values) (bool, error) {
	given := q["sort"]
	for _, sort := range given {
		column, direction, _ := strings.Cut(sort, " ")
		switch {
		case column != "created_at", sort != column && !strings.EqualFold(direction, "asc") && !strings.EqualFold(direction, "desc"):
			return false, auth.ErrValidation.Saying(`sort: must be "created_at", "created_at asc" or "created_at desc"`)
		}
	}
	if len(given) == 0 {
		return false, nil
	}
	p.search["sort"] = given[:1]
	_, direction, _ := strings.Cut(given[0], " ")
	return strings.EqualFold(direction, "asc"), nil
}

func (p *page) searchFor(q url.Values, name string) (string, error) {
	text := q.Get(name)
	if len(text) > maxSearch {
		return "", auth.ErrValidation.Saying(fmt.Sprintf("%s: must not be longer than %d bytes", name, maxSearch))
	}
	if text != "" {
		p.search.Set(name, text)
	}
	return text, nil
}

// headers sets the number of all rows and the links to the next and the last
// page (RFC 8288). The parameter page comes first in the URLs, because the SDKs
// parse it there.
func (p *page) headers(h http.Header, total int64) {
	last := max(1, (total+int64(p.size)-1)/int64(p.size))
	var links []string
	if int64(p.number) < last {
		links = append(links, p.link(int64(p.number)+1, "next"))
	}
	links = append(links, p.link(last, "last"))
	h.Set("Link", strings.Join(links, ", "))
	h.Set("X-Total-Count", strconv.FormatInt(total, 10))
}

func (p *page) link(number int64, rel string) string {
	target := fmt.Sprintf("%s?page=%d&per_page=%d", p.path, number, p.size)
	if len(p.search) > 0 {
		target += "&" + p.search.Encode()
	}
	return fmt.Sprintf("<%s>; rel=%q", target, rel)
}
