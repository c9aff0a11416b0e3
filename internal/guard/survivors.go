package guard

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/internal/projectlog"
)

const (
	// A session that was ended and still exists after survivorAge executes a
	// function of Postgres that does not check for its end. Nothing but the end of
	// the server stops it.
	survivorAge      = 15 * time.Second
	survivorInterval = 5 * time.Second
	// survivorAgain is the interval at which a survivor is reported again.
	survivorAgain = time.Hour
)

// survivors are the sessions that were ended, until they are gone. It is safe for
// use by many goroutines.
type survivors struct {
	mu    sync.Mutex
	ended map[int32]survivor
}

type survivor struct {
	role       string
	at         time.Time // when it was ended first
	reportedAt time.Time
}

// ended notes that a session was ended.
func (g *Guard) ended(pid int32, role string) {
	g.survivors.mu.Lock()
	defer g.survivors.mu.Unlock()
	if s, again := g.survivors.ended[pid]; again && s.role == role {
		return
	}
	if g.survivors.ended == nil {
		g.survivors.ended = map[int32]survivor{}
	}
	g.survivors.ended[pid] = survivor{role: role, at: g.now()}
}

// reportSurvivors tells the operator and the developers of sessions that go on
// although they were ended, and forgets those that are gone.
func (g *Guard) reportSurvivors(ctx context.Context) error {
	g.survivors.mu.Lock()
	noted := maps.Clone(g.survivors.ended)
	g.survivors.mu.Unlock()
	if len(noted) == 0 {
		return nil
	}
	rows, _ := g.state.pool.Query(ctx, `SELECT pid, usename::text FROM pg_stat_activity WHERE pid = ANY ($1)`,
		slices.Collect(maps.Keys(noted)))
	alive := map[int32]bool{}
	var pid int32
	var role string
	_, err := pgx.ForEachRow(rows, []any{&pid, &role}, func() error {
		alive[pid] = role == noted[pid].role // the process id may have been used again
		return nil
	})
	if err != nil {
		return fmt.Errorf("look for sessions that were ended: %w", err)
	}
	now := g.now()
	g.survivors.mu.Lock()
	defer g.survivors.mu.Unlock()
	for pid, s := range noted {
		switch {
		case !alive[pid]:
			delete(g.survivors.ended, pid)
		case now.Sub(s.at) > survivorAge && now.Sub(s.reportedAt) > survivorAgain:
			s.reportedAt = now
			g.survivors.ended[pid] = s
			g.tellSurvivor(ctx, pid, s)
		}
	}
	return nil
}

func (g *Guard) tellSurvivor(ctx context.Context, pid int32, s survivor) {
	g.logger().ErrorContext(ctx, "a session of a project cannot be ended: it executes a function that Postgres does not interrupt",
		"role", s.role, "pid", pid, "ended", s.at)
	ref, ok := refOfRole(s.role)
	if !ok {
		return
	}
	g.Log.Add(ctx, projectlog.Entry{
		Project: string(ref), At: g.now(), Level: projectlog.Error, Code: "database_session_cannot_end",
		Message: "A session of the project's database was ended but goes on: it executes a function that Postgres does not interrupt. " +
			"The project may not be served, and cannot be deleted, until it returns",
		Detail: map[string]any{"role": s.role, "pid": pid},
	})
}
