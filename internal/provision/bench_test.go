package provision

import (
	"slices"
	"testing"
	"time"
)

// BenchmarkCreate measures what a caller of Create waits for.
func BenchmarkCreate(b *testing.B) {
	b.Run("warm", func(b *testing.B) {
		w := newWorld(b, func(s *Service) { s.WarmTarget = 1 << 20 })
		measure(b, func() { w.mustWarm(b) }, func() { w.mustCreate(b, NewProject{}) })
	})
	for _, strategy := range []string{StrategyWALLog, StrategyFileCopy} {
		b.Run("cold/"+strategy, func(b *testing.B) {
			w := newWorld(b, func(s *Service) { s.CreateStrategy = strategy })
			measure(b, func() {}, func() { w.mustCreate(b, NewProject{}) })
		})
	}
}

func measure(b *testing.B, before, do func()) {
	var took []time.Duration
	for b.Loop() {
		b.StopTimer()
		before()
		b.StartTimer()
		began := time.Now()
		do()
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	ms := func(q float64) float64 {
		return float64(took[int(q*float64(len(took)-1))].Microseconds()) / 1000
	}
	b.ReportMetric(ms(0.5), "p50-ms")
	b.ReportMetric(ms(0.95), "p95-ms")
}
