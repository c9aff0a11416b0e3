package web

import (
	"encoding/json"
	"maps"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/reevehq/reeve/internal/fault"
)

// Refusal is an error as a client may see it.
type Refusal struct {
	Status    int
	Fault     *fault.Error // Err is not shown
	RequestID string
}

// ErrorWriter writes a refusal in the shape of one protocol. Retry-After is set
// already.
type ErrorWriter func(http.ResponseWriter, *http.Request, Refusal)

// Errors says which shape errors have at which paths. It holds for everything
// that is refused there: by a handler or a limit, by a panic, and for paths and
// methods that no route has.
type Errors []ErrorsAt

// ErrorsAt is the shape at a path and all paths below it. A project's own path,
// /p/<ref>, may stand before it. The longest path that matches counts.
type ErrorsAt struct {
	Path  string // "/auth/v1"; "/" is everywhere
	Write ErrorWriter
}

// at returns the shape at a path: AuthErrors where nothing matches.
func (e Errors) at(path string) ErrorWriter {
	within := path
	if rest, ok := strings.CutPrefix(path, "/p/"); ok {
		_, after, _ := strings.Cut(rest, "/")
		within = "/" + after
	}
	found, write := 0, ErrorWriter(AuthErrors)
	for _, at := range e {
		if len(at.Path) > found && (below(within, at.Path) || below(path, at.Path)) {
			found, write = len(at.Path), at.Write
		}
	}
	return write
}

func below(path, root string) bool {
	return root == "/" || path == root || strings.HasPrefix(path, root+"/")
}

// AuthErrors is the shape of the auth API.
func AuthErrors(w http.ResponseWriter, r *http.Request, e Refusal) {
	out := make(map[string]any, 3+len(e.Fault.Details))
	maps.Copy(out, e.Fault.Details)
	w.Header().Set(errorCodeHeader, e.Fault.Code)
	if wantsDated(r.Header.Get(apiVersionHeader)) {
		w.Header().Set(apiVersionHeader, apiVersion2024)
		out["code"], out["message"] = e.Fault.Code, e.Fault.Message
	} else {
		out["code"], out["error_code"], out["msg"] = e.Status, e.Fault.Code, e.Fault.Message
	}
	WriteErrorJSON(w, e.Status, out)
}

// WriteErrorJSON is for writers whose shape is JSON.
func WriteErrorJSON(w http.ResponseWriter, status int, body any) {
	raw, err := json.Marshal(body)
	if err != nil {
		raw, status = []byte("{}"), http.StatusInternalServerError
	}
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
	}
	w.WriteHeader(status)
	_, _ = w.Write(raw) // a client that is gone reads nothing
}

// NotFound answers for a path that no route has.
func NotFound(c *gin.Context) {
	writeError(c, fault.New(fault.NotFound, "not_found", "There is no such endpoint"))
}

// MethodNotAllowed answers for a path that has routes with other methods only.
func MethodNotAllowed(c *gin.Context) {
	writeError(c, fault.New(fault.MethodNotAllowed, "method_not_allowed", "This endpoint does not support the method"))
}
