package flowtest

import (
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"
)

// statements records what is sent to a project's database.
type statements struct {
	mu   sync.Mutex
	sent [][]string
}

func (s *statements) add(trip []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range trip {
		trip[i] = strings.TrimSpace(trip[i])
	}
	s.sent = append(s.sent, trip)
}

// TraceQueryStart implements pgx.QueryTracer, for statements outside of transactions.
func (s *statements) TraceQueryStart(ctx context.Context, _ *pgx.Conn, q pgx.TraceQueryStartData) context.Context {
	s.add([]string{q.SQL})
	return ctx
}

// TraceQueryEnd implements pgx.QueryTracer.
func (*statements) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// Statements returns what the project's flows send to its database while fn runs,
// with BEGIN and COMMIT: the statements of each round trip.
func (p *Project) Statements(fn func()) [][]string {
	s := &p.statements
	s.mu.Lock()
	s.sent = nil
	s.mu.Unlock()
	fn()
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.sent)
}
