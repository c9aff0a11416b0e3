package web

import (
	"encoding/json"
	"maps"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/reevehq/reeve/internal/fault"
)

// Refusal is an error as shown to a client.
type Refusal struct {
	Status    int
	Fault     *fault.Error // Err is not shown
	RequestID string
}

// ErrorWriter writes a refusal in the shape of one protocol. Retry-After is
// already set.
type ErrorWriter func(http.ResponseWriter, *http.Request, Refusal)

// Errors maps paths to the shapes of their errors. It applies to every refusal
// there: by a handler, a limit or a panic, and for paths and methods without a
// route.
type Errors []ErrorsAt

// ErrorsAt is the shape at a path and all paths below it, with or without the
// prefix /p/<ref>. The longest matching path applies.
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

// WriteErrorJSON is for ErrorWriters that write JSON.
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

// NotFound answers for a path without a route.
func NotFound(c *gin.Context) {
	writeError(c, fault.New(fault.NotFound, "not_found", "There is no such endpoint"))
}

// MethodNotAllowed answers for a path that only has routes with other methods.
func MethodNotAllowed(c *gin.Context) {
	writeError(c, fault.New(fault.MethodNotAllowed, "method_not_allowed", "This endpoint does not support the method"))
}
