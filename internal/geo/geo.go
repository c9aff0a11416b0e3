// Package geo finds the place of a client by its address, in a database file in the
// MaxMind DB format that the operator provides. It asks no service.
package geo

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"sync/atomic"
	"time"

	"github.com/oschwald/maxminddb-golang/v2"

	"github.com/reevehq/reeve/internal/fault"
)

// Place is roughly where a client is; what is not known is "".
type Place struct {
	Country     string `json:"country" doc:"The English name."`
	CountryCode string `json:"country_code" doc:"ISO 3166-1 alpha-2."`
	Region      string `json:"region"`
	City        string `json:"city"`
}

// Places is a database of places. A nil Places knows none. It is safe for concurrent
// use.
type Places struct {
	path    string
	current atomic.Pointer[opened]
}

type opened struct {
	reader  *maxminddb.Reader
	changed time.Time
	size    int64
}

// Open reads the database at path; nil without an error for "".
func Open(path string) (*Places, error) {
	if path == "" {
		return nil, nil
	}
	p := &Places{path: path}
	if _, err := p.reload(); err != nil {
		return nil, err
	}
	return p, nil
}

// reload reads the file again if it changed. The earlier content, which lookups may
// still use, is memory that the collector frees.
func (p *Places) reload() (changed bool, err error) {
	info, err := os.Stat(p.path)
	if err != nil {
		return false, fmt.Errorf("database of places: %w", err)
	}
	if at := p.current.Load(); at != nil && at.changed.Equal(info.ModTime()) && at.size == info.Size() {
		return false, nil
	}
	raw, err := os.ReadFile(p.path)
	if err != nil {
		return false, fmt.Errorf("database of places: %w", err)
	}
	reader, err := maxminddb.OpenBytes(raw)
	if err != nil {
		return false, fmt.Errorf("database of places %s: %w", p.path, err)
	}
	p.current.Store(&opened{reader: reader, changed: info.ModTime(), size: info.Size()})
	return true, nil
}

// reloadEvery is the interval at which Run looks at the file.
const reloadEvery = time.Minute

// Run reads the file again when it changes, until ctx ends. A file that cannot be read
// leaves the database as it was.
func (p *Places) Run(ctx context.Context, log *slog.Logger) error {
	if p == nil {
		<-ctx.Done()
		return nil
	}
	tick := time.NewTicker(reloadEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if changed, err := p.reload(); err != nil {
			log.WarnContext(ctx, "the database of places is not read again", "error", err)
		} else if changed {
			log.InfoContext(ctx, "the database of places is read again")
		}
	}
}

// record is what is read of an entry, of City and Country databases.
type record struct {
	Country struct {
		ISOCode string            `maxminddb:"iso_code"`
		Names   map[string]string `maxminddb:"names"`
	} `maxminddb:"country"`
	Subdivisions []struct {
		Names map[string]string `maxminddb:"names"`
	} `maxminddb:"subdivisions"`
	City struct {
		Names map[string]string `maxminddb:"names"`
	} `maxminddb:"city"`
}

// maxName bounds a name, in bytes.
const maxName = 100

// Of returns the place of an address; nil when it is not known.
func (p *Places) Of(address string) *Place {
	if p == nil || address == "" {
		return nil
	}
	addr, err := netip.ParseAddr(address)
	if err != nil {
		return nil
	}
	var r record
	if p.current.Load().reader.Lookup(addr.Unmap()).Decode(&r) != nil {
		return nil
	}
	out := Place{
		Country: fault.Clip(r.Country.Names["en"], maxName), CountryCode: fault.Clip(r.Country.ISOCode, 2),
		City: fault.Clip(r.City.Names["en"], maxName),
	}
	if len(r.Subdivisions) > 0 {
		out.Region = fault.Clip(r.Subdivisions[0].Names["en"], maxName)
	}
	if out == (Place{}) {
		return nil
	}
	return &out
}
