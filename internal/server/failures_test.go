package server_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/internal/server/servertest"
)

// Wrong passwords count in every process and after a restart, in their project only.
func TestFailuresOutliveTheProcess(t *testing.T) {
	t.Parallel()
	first := servertest.Start(t)
	other := first.Replica(t)
	settings := map[string]any{"mailer_autoconfirm": true}
	a, b := first.Project(t, "a", settings), first.Project(t, "b", settings)
	account := map[string]any{"email": "ann@example.com", "password": "password123"}
	wrong := map[string]any{"email": "ann@example.com", "password": "wrong"}
	for _, p := range []*servertest.Project{a, b} {
		p.Do(t, http.MethodPost, "/signup", account).Expect(t, http.StatusOK)
	}
	for range 20 {
		a.Do(t, http.MethodPost, "/token?grant_type=password", wrong).Expect(t, http.StatusBadRequest)
	}
	a.Do(t, http.MethodPost, "/token?grant_type=password", account).Expect(t, http.StatusTooManyRequests)
	there := func(r *servertest.Reeve, p *servertest.Project) *servertest.Project {
		of := *p
		of.Reeve = r
		return &of
	}
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(200 * time.Millisecond) {
		if there(other, a).Do(t, http.MethodPost, "/token?grant_type=password", account).Status == http.StatusTooManyRequests {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the other process does not know of the failures")
		}
	}
	first.Stop()
	again := first.Replica(t)
	there(again, a).Do(t, http.MethodPost, "/token?grant_type=password", account).Expect(t, http.StatusTooManyRequests)
	there(again, b).Do(t, http.MethodPost, "/token?grant_type=password", account).Expect(t, http.StatusOK)

	conn, err := pgx.Connect(t.Context(), first.ControlURL)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	var rows, named int
	if err := conn.QueryRow(t.Context(), `SELECT count(*), count(*) FILTER (WHERE identifier LIKE '%ann%' OR ref <> $1) FROM failures`, a.Ref).
		Scan(&rows, &named); err != nil {
		t.Fatal(err)
	}
	if rows != 3 || named != 0 { // by client twice, and by account
		t.Errorf("%d rows, %d of them name the account or another project", rows, named)
	}
}
