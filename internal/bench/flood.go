//go:build linux || darwin

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"time"
)

// floods are the requests of which one project sends many at once.
var floods = []string{"user", "refresh", "password", "sign-up"}

// floodWorkers is how many requests of a flood are sent at a time.
const floodWorkers = 64

// flood is what a flooding process is told.
type flood struct {
	Addr, Host string
	Kind       string
	Project    project
	Workers    int
	Accounts   []floodAccount // of each worker, if the kind needs one
	Requests   [][]byte       // of kind given: each worker repeats one
	Round      string         // makes the addresses of sign-ups unique
	// Duration is how long it floods; 0 until it is killed, whatever the answers
	// are, and without a report.
	Duration time.Duration
}

// given is the kind of a flood of given requests.
const given = "given"

type floodAccount struct {
	Token   string
	Session session
	SignIn  []byte
}

// flooded is what it reports.
type flooded struct {
	PerSecond float64 `json:"per_second"`
	P50       float64 `json:"p50_ms"`
	Refused   int     `json:"refused"`
	Example   string  `json:"example,omitempty"`
}

// floodCommand as the first argument makes this program a flooding process.
const floodCommand = "flood"

// startFlood floods from a process of its own, with the lowest priority: a real
// client takes no processor from the server. The end of ctx kills it.
func (b *bench) startFlood(ctx context.Context, f flood) (wait func() (flooded, error), err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	in, err := json.Marshal(f)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, "nice", "-n", "19", self, floodCommand)
	var out, said bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(in), &out, &said
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start a flood: %w", err)
	}
	return func() (got flooded, err error) {
		if err := cmd.Wait(); err != nil {
			return got, fmt.Errorf("flood: %w: %.2000s", err, said.String())
		}
		return got, json.Unmarshal(out.Bytes(), &got)
	}, nil
}

// runFlood is the flooding process.
func runFlood(ctx context.Context, in io.Reader, out io.Writer) error {
	var f flood
	if err := json.NewDecoder(in).Decode(&f); err != nil {
		return err
	}
	b := &bench{addr: f.Addr, server: &reeve{host: f.Host}}
	of, err := b.flooder(&f)
	if err != nil {
		return err
	}
	if f.Duration == 0 {
		persist(ctx, f.Addr, f.Workers, of)
		return nil
	}
	got, err := drive(ctx, f.Addr, f.Workers, f.Duration, of)
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(flooded{
		PerSecond: float64(got.done) / got.took.Seconds(), P50: ms(quantile(got.times, 0.5)), Refused: got.errors, Example: got.example,
	})
}

var errNoFlood = errors.New("no such flood")

// persist has workers repeat steps until ctx ends. They dial again after each
// failure.
func persist(ctx context.Context, addr string, workers int, of func(worker int) step) {
	var group sync.WaitGroup
	for w := range workers {
		group.Go(func() {
			do := of(w)
			for ctx.Err() == nil {
				c, err := dial(addr, time.Now().Add(time.Hour))
				if err != nil {
					rest(ctx, 50*time.Millisecond)
					continue
				}
				unhook := context.AfterFunc(ctx, func() { _ = c.net.Close() })
				for err == nil {
					_, _, err = do(c)
				}
				unhook()
				_ = c.net.Close()
			}
		})
	}
	group.Wait()
}

func (b *bench) flooder(f *flood) (func(worker int) step, error) {
	switch f.Kind {
	case "user":
		return func(w int) step { return always(b.userRequest(&f.Project, f.Accounts[w].Token)) }, nil
	case "refresh":
		return func(w int) step { return b.refresher(&f.Project, &f.Accounts[w].Session) }, nil
	case "password":
		return func(w int) step { return always(f.Accounts[w].SignIn) }, nil
	case given:
		return func(w int) step { return always(f.Requests[w%len(f.Requests)]) }, nil
	case "sign-up":
		return func(w int) step { return b.newcomers(&f.Project, f.Round, w) }, nil
	}
	return nil, errNoFlood
}

// neighbour measures the requests for a user and the sign-ins by password of
// the other projects while one project floods the server.
func (b *bench) neighbour(ctx context.Context) error {
	var kinds []string
	for _, kind := range floods {
		if b.wants("flood-" + kind) {
			kinds = append(kinds, kind)
		}
	}
	if len(kinds) == 0 {
		return nil
	}
	if err := b.restart(ctx, lightIdle); err != nil {
		return err
	}
	l, err := b.settleIn(ctx)
	if err != nil {
		return err
	}
	p, err := b.configured(ctx, map[string]any{"mailer_autoconfirm": true})
	if err != nil {
		return err
	}
	b.concurrency = floodWorkers
	if err := b.enroll(ctx, &p); err != nil {
		return err
	}
	for _, kind := range kinds {
		if err := b.underFlood(ctx, l, &p, kind); err != nil {
			return fmt.Errorf("flood of %s: %w", kind, err)
		}
	}
	return nil
}

// underFlood compares a period with a flood to one without, just before it.
func (b *bench) underFlood(ctx context.Context, l *light, p *project, kind string) error {
	if err := b.signIn(ctx); err != nil { // refresh tokens that are the newest
		return err
	}
	if err := b.settle(ctx); err != nil {
		return err
	}
	probes := []probe{l.userProbe(), l.passwordProbe()}
	progress("flood of %s: without", kind)
	alone, err := l.run(ctx, b.duration, probes)
	if err != nil {
		return err
	}
	f := flood{Addr: b.addr, Host: b.server.host, Kind: kind, Project: *p, Workers: floodWorkers, Round: l.name("round")}
	f.Duration = b.duration + time.Second // it begins before the period
	for i := range b.accounts {
		a := &b.accounts[i]
		f.Accounts = append(f.Accounts, floodAccount{a.AccessToken, a.session, a.signIn})
	}
	progress("flood of %s: with", kind)
	wait, err := b.startFlood(ctx, f)
	if err != nil {
		return err
	}
	time.Sleep(500 * time.Millisecond) // it has begun
	before := b.use()
	under, err := l.run(ctx, b.duration, probes)
	cpu := b.use().since(before)
	got, floodErr := wait()
	if err := errors.Join(err, floodErr); err != nil {
		return err
	}
	for i := range probes {
		b.report.Floods = append(b.report.Floods, floodOf(kind, got, alone[i], under[i], cpu, b.duration))
	}
	return nil
}
