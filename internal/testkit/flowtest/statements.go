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
	sent []string
}

// TraceQueryStart implements pgx.QueryTracer.
func (s *statements) TraceQueryStart(ctx context.Context, _ *pgx.Conn, q pgx.TraceQueryStartData) context.Context {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent = append(s.sent, strings.TrimSpace(q.SQL))
	return ctx
}

// TraceQueryEnd implements pgx.QueryTracer.
func (*statements) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// Statements returns what the project's flows send to its database while fn runs,
// a round trip each, with begin and commit.
func (p *Project) Statements(fn func()) []string {
	s := &p.statements
	s.mu.Lock()
	s.sent = nil
	s.mu.Unlock()
	fn()
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.sent)
}
