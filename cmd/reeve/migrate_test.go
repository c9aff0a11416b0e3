package main

import (
	"bytes"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/reevehq/reeve/internal/provision"
	"github.com/reevehq/reeve/tenants"
)

func TestMigrateReport(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	report := newTally(&out)
	for _, o := range []provision.Outcome{
		{Ref: "a", Status: tenants.StatusActive, State: provision.MigrationCurrent, From: 10, To: 10},
		{Ref: "b", Status: tenants.StatusActive, State: provision.MigrationDone, From: 9, To: 10},
		{Ref: "c", Status: tenants.StatusPaused, State: provision.MigrationDone, From: 9, To: 10},
		{Ref: "d", Status: tenants.StatusActive, State: provision.MigrationFailed, From: 9, To: 9, Err: errors.New("no\x1b[31m\nway")},
		{Ref: "e", Status: tenants.StatusCreating, State: provision.MigrationUnfinished},
		{Ref: "f", Status: tenants.StatusActive, State: provision.MigrationPending, From: 9, To: 9},
		{Ref: "g", Warm: true, State: provision.MigrationDone, From: 9, To: 10},
		{Ref: "h", Warm: true, State: provision.MigrationUnfinished},
	} {
		report.add(o)
	}
	report.sum()
	want := `a  current at 10
b  migrated 9 -> 10
c  migrated 9 -> 10 (paused)
d  failed at 9: no [31m way
e  skipped (creating)
f  pending at 9
g  migrated 9 -> 10 (warm database)
h  skipped (warm database)
projects: 2 migrated, 1 failed, 1 current, 1 pending, 1 unfinished; warm databases: 1 migrated, 0 failed, 0 current, 1 unfinished
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
}
