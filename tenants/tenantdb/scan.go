package tenantdb

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
)

// The developer's SQL, dumps and seeds also write rows of schema auth. The
// types below read values that Postgres allows there and that JSON or Go do
// not.

// The times that JSON can represent (RFC 3339 has four digits for the year).
// Times outside, including infinity, are read as the nearer of the two.
var (
	earliest = time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)
	latest   = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)
)

func within(at time.Time, infinity pgtype.InfinityModifier) time.Time {
	switch {
	case infinity == pgtype.Infinity, infinity == pgtype.Finite && at.After(latest):
		return latest
	case infinity == pgtype.NegativeInfinity, at.Before(earliest):
		return earliest
	}
	return at
}

// moment scans a timestamp, with or without time zone, that may be NULL.
type moment struct{ at **time.Time }

// ScanTimestamptz implements pgtype.TimestamptzScanner.
func (m moment) ScanTimestamptz(v pgtype.Timestamptz) error {
	*m.at = nil
	if v.Valid {
		at := within(v.Time, v.InfinityModifier)
		*m.at = &at
	}
	return nil
}

// ScanTimestamp implements pgtype.TimestampScanner; the time is UTC.
func (m moment) ScanTimestamp(v pgtype.Timestamp) error {
	return m.ScanTimestamptz(pgtype.Timestamptz(v))
}

// momentOrEpoch scans a timestamp; NULL becomes 1970.
type momentOrEpoch struct{ at *time.Time }

// ScanTimestamptz implements pgtype.TimestamptzScanner.
func (m momentOrEpoch) ScanTimestamptz(v pgtype.Timestamptz) error {
	*m.at = time.Unix(0, 0).UTC()
	if v.Valid {
		*m.at = within(v.Time, v.InfinityModifier)
	}
	return nil
}

// ScanTimestamp implements pgtype.TimestampScanner; the time is UTC.
func (m momentOrEpoch) ScanTimestamp(v pgtype.Timestamp) error {
	return m.ScanTimestamptz(pgtype.Timestamptz(v))
}

// object returns raw if it is a JSON object, else the empty one. jsonb is written
// without white space in front.
func object(raw []byte) json.RawMessage {
	if !bytes.HasPrefix(raw, []byte("{")) {
		return json.RawMessage(`{}`)
	}
	return raw
}
