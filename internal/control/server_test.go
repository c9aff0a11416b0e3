package control_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/reevehq/reeve/internal/control/controltest"
	"github.com/reevehq/reeve/internal/web/control"
)

// thing is the answer of the operation under test.
type thing struct {
	Number int `json:"number"`
}

type thingInput struct {
	Ref string `path:"ref"`
}

// odd serves one operation, whose route no resource has, and returns the log.
func odd(w *controltest.World, op control.Operation, fn func() (*thing, error)) *strings.Builder {
	var log strings.Builder
	server := &control.Server{DB: w.DB, Keyring: w.Keyring, Log: slog.New(slog.NewTextHandler(&log, nil)), Version: "test"}
	engine := gin.New()
	control.Register(server.Mount(engine), op, func(context.Context, control.Actor, *thingInput) (*thing, error) { return fn() })
	w.Handler = engine
	return &log
}

func TestCreateThatForgetsToRemember(t *testing.T) {
	t.Parallel()
	w := controltest.New(t, everything)
	made := 0
	log := odd(w, control.Operation{ID: "make-thing", Method: http.MethodPost, Path: "/v1/projects/{ref}/things", Status: 201, Creates: true},
		func() (*thing, error) { made++; return &thing{made}, nil })
	for range 2 {
		w.Do(t, w.Owner, "POST", "/v1/projects/r/things", "", "Idempotency-Key", "k").Want(t, 201, `{"number":1}`)
	}
	if made != 1 {
		t.Errorf("%d things were made with one key", made)
	}
	if !strings.Contains(log.String(), "level=ERROR") || !strings.Contains(log.String(), "operation=make-thing") {
		t.Errorf("logged %q", log)
	}
}

func TestLogNamesProjectAndOperation(t *testing.T) {
	t.Parallel()
	w := controltest.New(t, everything)
	ref := strings.Repeat("a", 20)
	log := odd(w, control.Operation{ID: "get-thing", Method: http.MethodGet, Path: "/v1/projects/{ref}/thing"},
		func() (*thing, error) { return nil, errors.New("the disk is on fire") })
	got := w.Do(t, w.Owner, "GET", "/v1/projects/"+ref+"/thing", "")
	got.Refused(t, 500, "unexpected_failure", "Internal server error")
	for _, want := range []string{"project=" + ref, "operation=get-thing", "request_id=" + got.Header.Get("X-Request-Id"), "on fire"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("no %s in %q", want, log)
		}
	}
}
