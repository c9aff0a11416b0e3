package geo

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Values of the MaxMind DB format, version 2.0.
func text(s string) []byte { return append([]byte{0x40 | byte(len(s))}, s...) }

func number(kind byte, n uint64, size int) []byte {
	raw := binary.BigEndian.AppendUint64(nil, n)[8-size:]
	if kind > 7 {
		return append([]byte{byte(size), kind - 7}, raw...)
	}
	return append([]byte{kind<<5 | byte(size)}, raw...)
}

func object(pairs ...any) []byte {
	out := []byte{0xe0 | byte(len(pairs)/2)}
	for i := 0; i < len(pairs); i += 2 {
		out = append(append(out, text(pairs[i].(string))...), pairs[i+1].([]byte)...)
	}
	return out
}

func list(items ...[]byte) []byte {
	out := []byte{byte(len(items)), 11 - 7}
	for _, item := range items {
		out = append(out, item...)
	}
	return out
}

// database has one entry, for all IPv4 addresses below 128.0.0.0.
func database(city string) []byte {
	entry := object(
		"country", object("iso_code", text("SE"), "names", object("en", text("Sweden"))),
		"subdivisions", list(object("names", object("en", text("Uppland")))),
		"city", object("names", object("en", text(city))),
	)
	const nodes = 1
	out := []byte{0, 0, nodes + 16, 0, 0, nodes} // the entry, and nothing
	out = append(out, make([]byte, 16)...)
	out = append(out, entry...)
	out = append(out, "\xab\xcd\xefMaxMind.com"...)
	return append(out, object(
		"binary_format_major_version", number(5, 2, 2), "binary_format_minor_version", number(5, 0, 2),
		"build_epoch", number(9, 1_700_000_000, 8), "database_type", text("Test-City"), "description", object(),
		"ip_version", number(5, 4, 2), "languages", list(text("en")), "node_count", number(6, nodes, 4), "record_size", number(5, 24, 2),
	)...)
}

func TestPlaces(t *testing.T) {
	path := filepath.Join(t.TempDir(), "places.mmdb")
	write := func(raw []byte, at time.Time) {
		t.Helper()
		if err := os.WriteFile(path, raw, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	at := time.Now()
	write(database("Uppsala"), at)
	p, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	want := Place{Country: "Sweden", CountryCode: "SE", Region: "Uppland", City: "Uppsala"}
	for _, address := range []string{"81.2.69.142", "::ffff:81.2.69.142"} {
		if got := p.Of(address); got == nil || *got != want {
			t.Errorf("%s: %+v", address, got)
		}
	}
	for _, address := range []string{"", "x", "192.0.2.1", "2001:db8::1"} {
		if got := p.Of(address); got != nil {
			t.Errorf("%q: %+v", address, got)
		}
	}
	if changed, err := p.reload(); changed || err != nil {
		t.Errorf("unchanged: %v, %v", changed, err)
	}
	write(database("Enkoping"), at.Add(time.Second))
	if changed, err := p.reload(); !changed || err != nil || p.Of("81.2.69.142").City != "Enkoping" {
		t.Errorf("changed: %v, %v", changed, err)
	}
	write([]byte("no database"), at.Add(2*time.Second))
	if _, err := p.reload(); err == nil || p.Of("81.2.69.142").City != "Enkoping" {
		t.Errorf("a broken file: %v", err)
	}
}

// Without a database there are no places; one that cannot be read is an error.
func TestNoPlaces(t *testing.T) {
	p, err := Open("")
	if err != nil || p.Of("81.2.69.142") != nil {
		t.Errorf("%v", err)
	}
	if _, err := Open(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("no error for a file that is not there")
	}
}
