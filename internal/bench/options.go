//go:build linux || darwin

package main

import (
	"errors"
	"flag"
	"fmt"
	"regexp"
	"time"
)

// options are the command line.
type options struct {
	duration    time.Duration // of a figure
	concurrency int
	projects    int
	samples     int // projects created for a figure of creation
	row         int // projects created in a row
	only        *regexp.Regexp
	json        string
	binary      string
	inProcess   bool
	oneGroup    bool
	owner       bool
	profiles    string
}

func parseOptions(args []string) (o options, err error) {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	seconds := flags.Float64("seconds", 0, "how long each figure is measured (5), with -owner each period (12)")
	only := flags.String("only", "", "run the figures whose name matches this regular expression")
	flags.IntVar(&o.concurrency, "concurrency", 16, "connections of the load generator and of pgbench")
	flags.IntVar(&o.projects, "projects", 1000, "projects in one process")
	flags.IntVar(&o.samples, "samples", 20, "projects created for each figure of creation")
	flags.IntVar(&o.row, "row", 200, "projects created in a row")
	flags.StringVar(&o.json, "json", "", "also write the report to this file")
	flags.StringVar(&o.binary, "binary", "", "measure this program instead of building ./cmd/reeve")
	flags.BoolVar(&o.owner, "owner", false, "measure instead what owners of projects can do to the others")
	flags.BoolVar(&o.oneGroup, "one-cpu-group", false, "with -owner: give Postgres no processor time of its own")
	flags.BoolVar(&o.inProcess, "inprocess", false, "run the server inside the benchmark, for profiles")
	flags.StringVar(&o.profiles, "cpuprofile", "", "with -inprocess: write a CPU profile of each figure into this folder")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if *seconds == 0 {
		*seconds = 5
		if o.owner {
			*seconds = 12
		}
	}
	o.duration = time.Duration(*seconds * float64(time.Second))
	if o.only, err = regexp.Compile(*only); err != nil {
		return o, fmt.Errorf("-only: %w", err)
	}
	switch {
	case flags.NArg() > 0:
		return o, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	case o.duration < 100*time.Millisecond || o.duration > time.Hour:
		return o, errors.New("-seconds must be between 0.1 and 3600")
	case o.concurrency < 1 || o.concurrency > 1000:
		return o, errors.New("-concurrency must be between 1 and 1000")
	case o.projects < 1 || o.projects > 9000 || o.samples < 1 || o.samples > 1000 || o.row < 1 || o.row > 9000:
		return o, errors.New("-projects and -row must be between 1 and 9000, -samples between 1 and 1000")
	case o.owner && o.inProcess:
		return o, errors.New("-owner measures a server of its own: without -inprocess")
	case o.profiles != "" && !o.inProcess:
		return o, errors.New("-cpuprofile needs -inprocess")
	}
	return o, nil
}
