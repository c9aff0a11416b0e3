package projectlog

import "context"

// Waiting is the number of records that wait.
func (l *Log) Waiting() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for _, p := range l.projects {
		n += len(p.records)
	}
	if n != l.waiting {
		panic("the number of waiting records is wrong")
	}
	return n
}

// FlushOnce writes one batch.
func (l *Log) FlushOnce(ctx context.Context) (int, error) { return l.flush(ctx) }

// Redact removes secrets.
func Redact(text string, secrets ...string) string { return redact(text, secrets) }
