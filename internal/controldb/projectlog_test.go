package controldb

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/projectlog"
	"github.com/reevehq/reeve/tenants"
)

// record returns a record of a project; its message is its number.
func logRecord(ref tenants.Ref, n int, at time.Time) projectlog.Record {
	return projectlog.Record{
		ID: uuid.New(), Project: string(ref), At: at.Add(time.Duration(n) * time.Second), Level: projectlog.Warning, Code: "code",
		Message: fmt.Sprint(n), RequestIDs: []string{fmt.Sprint("request", n), "shared"}, Detail: json.RawMessage(`{"rule":"Otp"}`), Count: 1,
	}
}

func TestProjectLog(t *testing.T) {
	t.Parallel()
	b := newBase(t)
	b.project(t, refA)
	b.project(t, refB)
	ctx, start, ann := t.Context(), time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC), uuid.New()
	var records []projectlog.Record
	for n := range 5 {
		records = append(records, logRecord(refA, n, start), logRecord(refB, n, start))
	}
	records[4].Level, records[4].UserID, records[6].Code = projectlog.Error, &ann, "other"
	records = append(records, logRecord("nosuchprojectatallxx", 9, start)) // no such project
	for range 2 {                                                          // a write whose answer was lost is repeated
		if err := b.AppendLog(ctx, records); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		query LogQuery
		want  []string
	}{
		"all":                      {LogQuery{}, []string{"4", "3", "2", "1", "0"}},
		"limit":                    {LogQuery{Limit: 2}, []string{"4", "3"}},
		"before":                   {LogQuery{Before: records[6].ID}, []string{"2", "1", "0"}},
		"after":                    {LogQuery{After: records[6].ID}, []string{"4"}},
		"between":                  {LogQuery{After: records[0].ID, Before: records[6].ID}, []string{"2", "1"}},
		"before nothing":           {LogQuery{Before: uuid.New()}, nil},
		"after nothing":            {LogQuery{After: uuid.New()}, []string{"4", "3", "2", "1", "0"}},
		"before another project's": {LogQuery{Before: records[7].ID}, nil},
		"level":                    {LogQuery{Levels: projectlog.Levels(projectlog.Error)}, []string{"2"}},
		"code":                     {LogQuery{Code: "other"}, []string{"3"}},
		"request":                  {LogQuery{RequestID: "request1"}, []string{"1"}},
		"later request":            {LogQuery{RequestID: "shared", Limit: 1}, []string{"4"}},
		"user":                     {LogQuery{UserID: ann}, []string{"2"}},
		"since":                    {LogQuery{Since: start.Add(3 * time.Second)}, []string{"4", "3"}},
		"until":                    {LogQuery{Until: start.Add(2 * time.Second)}, []string{"1", "0"}},
		"text":                     {LogQuery{Text: "OTP", Limit: 1}, []string{"4"}},
		"no text":                  {LogQuery{Text: "%"}, nil},
	} {
		if c.query.Limit == 0 {
			c.query.Limit = 100
		}
		got, err := b.ProjectLog(ctx, refA, c.query)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var messages []string
		for _, r := range got {
			messages = append(messages, r.Message)
			if r.Project != string(refA) {
				t.Errorf("%s: a record of %s", name, r.Project)
			}
		}
		if !slices.Equal(messages, c.want) {
			t.Errorf("%s: %v, want %v", name, messages, c.want)
		}
	}

	if err := b.TrimLog(ctx, string(refA), 2); err != nil {
		t.Fatal(err)
	}
	b.wantLog(t, refA, "4", "3")
	b.wantLog(t, refB, "4", "3", "2", "1", "0")
	old := logRecord(refA, 10, time.Now().Add(-2*time.Hour))
	if err := b.AppendLog(ctx, []projectlog.Record{old}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.DeleteOldLogs(ctx, time.Since(start)+time.Hour); err != nil {
		t.Fatal(err)
	}
	b.wantLog(t, refA, "10", "4", "3")
	if _, err := b.DeleteOldLogs(ctx, time.Hour); err != nil {
		t.Fatal(err)
	}
	b.wantLog(t, refA)
}

// TestLogRefusedRecord: a record that Postgres cannot store is dropped, and the
// others of its batch are written.
func TestLogRefusedRecord(t *testing.T) {
	t.Parallel()
	b := newBase(t)
	b.project(t, refA)
	var batch []projectlog.Record
	for n := range 5 {
		batch = append(batch, logRecord(refA, n, time.Now().Add(time.Duration(n)*time.Second)))
	}
	batch[1].Message += "\x00"
	batch[4].Level = "unheard of"
	if err := b.AppendLog(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	b.wantLog(t, refA, "3", "2", "0")
}

// TestLogOfDeletedProject: a project's log ends with it, and nothing is added
// afterwards.
func TestLogOfDeletedProject(t *testing.T) {
	t.Parallel()
	b := newBase(t)
	b.project(t, refA)
	ctx := t.Context()
	if err := b.AppendLog(ctx, []projectlog.Record{logRecord(refA, 1, time.Now())}); err != nil {
		t.Fatal(err)
	}
	b.tx(t, func(tx *Tx) error { return tx.BuryProject(ctx, refA, time.Now()) })
	if err := b.AppendLog(ctx, []projectlog.Record{logRecord(refA, 2, time.Now())}); err != nil {
		t.Fatal(err)
	}
	b.wantLog(t, refA)
}

// TestLogIgnoresLocks: a change of a project that does not end does not hold up
// the log.
func TestLogIgnoresLocks(t *testing.T) {
	t.Parallel()
	b := newBase(t)
	b.project(t, refA)
	ctx := t.Context()
	b.tx(t, func(tx *Tx) error {
		if err := tx.with(ctx).Exec("SELECT FROM projects WHERE ref = ? FOR UPDATE", string(refA)).Error; err != nil {
			return err
		}
		return b.AppendLog(ctx, []projectlog.Record{logRecord(refA, 1, time.Now())})
	})
	b.wantLog(t, refA, "1")
}

func (b *base) wantLog(t *testing.T, ref tenants.Ref, want ...string) {
	t.Helper()
	records, err := b.ProjectLog(t.Context(), ref, LogQuery{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range records {
		got = append(got, r.Message)
	}
	if !slices.Equal(got, want) {
		t.Errorf("the log of %s has %v, want %v", ref, got, want)
	}
}
