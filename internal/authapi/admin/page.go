package admin

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/reevehq/reeve/internal/auth"
)

const (
	defaultPerPage = 50
	maxPerPage     = 1000
	maxPage        = 1 << 30
	// maxSearch bounds what is searched for, in bytes.
	maxSearch = 255
)

// page is which page of a list was asked for, and what else its URL must repeat.
type page struct {
	number, size int
	path         string
	search       url.Values
}

func bindPage(q url.Values, path string) (page, error) {
	p := page{path: path, search: url.Values{}}
	var err error
	if p.number, err = number(q, "page", 1, maxPage); err != nil {
		return p, err
	}
	p.size, err = number(q, "per_page", defaultPerPage, maxPerPage)
	return p, err
}

func number(q url.Values, name string, fallback, most int) (int, error) {
	text := q.Get(name)
	if text == "" {
		return fallback, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > most {
		return 0, auth.ErrValidation.Saying(fmt.Sprintf("%s: must be a number from 1 to %d", name, most))
	}
	return n, nil
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

// headers tells the number of all rows and where the next and the last page are
// (RFC 8288). The page comes first in the URLs: the SDKs read it off there.
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
