//go:build linux || darwin

package main

import (
	"slices"
	"strconv"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// Each statement has an argument for each of its parameters.
func TestReplays(t *testing.T) {
	t.Parallel()
	for _, r := range []replay{userReplay, refreshReplay, activeReplay} {
		config, err := pgx.ParseConfig(testkit.Postgres(t))
		if err != nil {
			t.Fatal(err)
		}
		statement, err := r.statement(t.Context(), config)
		if err != nil {
			t.Fatal(err)
		}
		var parameters []int
		for _, p := range placeholder.FindAllStringSubmatch(statement, -1) {
			n, _ := strconv.Atoi(p[1])
			parameters = append(parameters, n)
		}
		if most, given := slices.Max(parameters), len(r.arguments(0)); most != given {
			t.Errorf("%s: %d parameters and %d arguments", r.name, most, given)
		}
	}
}
