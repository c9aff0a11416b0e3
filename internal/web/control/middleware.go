package control

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authz"
	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/internal/web"
	"github.com/reevehq/reeve/tenants"
)

// maxBody is the largest body that the Management API reads, in bytes.
const maxBody = 1 << 20

var (
	errNoRoute  = fault.New(fault.NotFound, "not_found", "There is no such path")
	errTooLarge = fault.New(fault.TooLarge, "body_too_large", "The body is larger than 1 MB")
	errMedia    = fault.New(fault.UnsupportedMedia, "unsupported_media_type", "The body must be application/json")
	errJSON     = fault.New(fault.Invalid, "bad_json", "The body is not valid JSON")
	errTimeout  = fault.New(fault.Unavailable, "timeout", "The request took too long")
	errInvalid  = fault.New(fault.Invalid, "validation_failed", "The request is not valid")
)

// request is what the middleware passes to the layers below.
type request struct {
	id        string
	project   string // the path's ref, if it is well formed
	operation string // the Operation's ID, once it is known
	key       string // the Idempotency-Key, if any
	path, ip  string
	etag      string                               // of the answer, if any
	dryRun    bool                                 // it changed nothing, as was asked for
	again     func(context.Context) (Actor, error) // authenticates the request once more
	body      []byte
	digest    [32]byte // of access token, method, path, query and body; set with key only
}

type requestKey struct{}

func requestOf(ctx context.Context) *request {
	if r, ok := ctx.Value(requestKey{}).(*request); ok {
		return r
	}
	return &request{}
}

// identify uses the request id of Common, or generates one.
func (s *Server) identify(c *gin.Context) {
	r := &request{id: c.Writer.Header().Get("X-Request-Id"), path: c.Request.URL.Path}
	if s.ClientIP != nil {
		r.ip = s.ClientIP(c.Request)
	}
	if r.id == "" {
		r.id = rand.Text()
		c.Header("X-Request-Id", r.id)
	}
	if ref, err := tenants.ParseRef(c.Param("ref")); err == nil {
		r.project = string(ref)
	}
	c.Request = c.Request.WithContext(context.WithValue(c.Request.Context(), requestKey{}, r))
}

// rescue answers 500 without details for a panic below, and logs the stack.
func (s *Server) rescue(c *gin.Context) {
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
			panic(p)
		}
		s.refuse(c, fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
	}()
	c.Next()
}

// authenticate requires a valid access token, or a browser's session.
func (s *Server) authenticate(c *gin.Context) {
	c.Header("Cache-Control", "no-store") // answers hold secrets and personal data
	actor, err := s.sender(c.Request)
	if err != nil {
		s.refuse(c, err)
		return
	}
	r := c.Request
	requestOf(r.Context()).again = func(ctx context.Context) (Actor, error) { return s.sender(r.WithContext(ctx)) }
	c.Request = r.WithContext(withActor(r.Context(), actor))
}

// sender finds who sent a request. A cookie holds a session's token and no other:
// an access token of this API is no session, and must not become one.
func (s *Server) sender(r *http.Request) (Actor, error) {
	token, ok := bearer(r.Header.Get("Authorization"))
	if ok {
		return s.actor(r.Context(), token)
	}
	if s.Cookie == nil {
		return Actor{}, errUnauthorized
	}
	token, err := s.Cookie(r)
	if err != nil {
		return Actor{}, err
	}
	if token == "" {
		return Actor{}, errUnauthorized
	}
	return s.session(r.Context(), token)
}

// actor finds who a bearer token stands for: an access token or a service token of
// this API, which have one form, or one of a signed-in session, which is a JWT.
func (s *Server) actor(ctx context.Context, token string) (Actor, error) {
	if s.Session != nil && strings.Count(token, ".") == 2 {
		return s.session(ctx, token)
	}
	found, err := s.DB.AccessTokenByText(ctx, token)
	if err == nil {
		a := Actor{UserID: found.UserID, TokenID: found.ID, Scope: found.Scope}
		if s.Person != nil {
			if a.SecondFactor, err = s.Person(ctx, found.UserID); err != nil {
				return Actor{}, unauthorized(err)
			}
			a.SecondFactor = a.SecondFactor && found.SecondFactor
		}
		return a, nil
	}
	if fault.From(err).Kind != fault.NotFound {
		return Actor{}, err
	}
	service, err := s.DB.ServiceTokenByText(ctx, token)
	if err == nil {
		return authz.ServiceActor(service), nil
	}
	if fault.From(err).Kind == fault.NotFound {
		err = errUnauthorized.Because(err)
	}
	return Actor{}, err
}

// session finds whose session an access token of the platform project is of.
func (s *Server) session(ctx context.Context, token string) (Actor, error) {
	actor, err := s.Session(ctx, token)
	if err != nil {
		return Actor{}, unauthorized(err)
	}
	return actor, nil
}

// unauthorized hides why somebody may not sign in, except that the session lacks the
// second factor of its person, who can mend that. Other errors are returned as they are.
func unauthorized(err error) error {
	if errors.Is(err, auth.ErrInsufficientAAL) {
		return auth.ErrInsufficientAAL.Saying("The session lacks your second factor: sign in with it")
	}
	switch fault.From(err).Kind {
	case fault.Unauthorized, fault.Forbidden, fault.NotFound:
		return errUnauthorized.Because(err)
	default:
		return err
	}
}

// checkURL refuses URLs that Postgres cannot store: NUL and invalid UTF-8.
func (s *Server) checkURL(c *gin.Context) {
	for _, p := range c.Params {
		if !web.StorableText(p.Value) {
			s.refuse(c, errNoRoute)
			return
		}
	}
	for name, values := range c.Request.URL.Query() {
		if !web.StorableText(name) || !web.StorableText(strings.Join(values, "")) {
			s.refuse(c, errInvalid.Saying("The query holds a character that is not allowed"))
			return
		}
	}
}

// checkBody reads the whole body, up to a bound, and requires JSON without NUL
// characters. Operations check the types.
func (s *Server) checkBody(c *gin.Context) {
	body, err := io.ReadAll(http.MaxBytesReader(c.Writer, c.Request.Body, maxBody))
	if err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			s.refuse(c, errTooLarge)
			return
		}
		s.refuse(c, errJSON.Because(err).Saying("The body could not be read"))
		return
	}
	if len(body) > 0 {
		if err := checkJSON(c.GetHeader("Content-Type"), body); err != nil {
			s.refuse(c, err)
			return
		}
	}
	requestOf(c.Request.Context()).body = body
	c.Request.Body = io.NopCloser(bytes.NewReader(body))
	if err := s.readIdempotencyKey(c, body); err != nil {
		s.refuse(c, err)
	}
}

func checkJSON(contentType string, body []byte) error {
	if media, _, err := mime.ParseMediaType(contentType); err != nil || media != "application/json" {
		return errMedia
	}
	var v any
	if err := json.Unmarshal(body, &v); err != nil {
		return errJSON.Because(err)
	}
	if field, bad := findNUL(v); bad {
		return errInvalid.Saying(strings.TrimPrefix(field+": must not hold NUL characters", ": "))
	}
	return nil
}

// maxField bounds the path of a field in a message, in bytes.
const maxField = 200

// findNUL returns the path of a string in a decoded JSON value that holds a
// NUL, which Postgres cannot store in text.
func findNUL(v any) (path string, found bool) {
	steps, found := stepsToNUL(v)
	slices.Reverse(steps)
	path = strings.TrimPrefix(strings.Join(steps, ""), ".")
	return fault.Clip(path, maxField), found
}

// stepsToNUL returns the path in reverse. It builds the steps only on the way
// back from a NUL, so that a value without NUL costs one visit for each of its
// parts and no memory.
func stepsToNUL(v any) (steps []string, found bool) {
	switch v := v.(type) {
	case string:
		return nil, strings.ContainsRune(v, 0)
	case []any:
		for i, e := range v {
			if steps, found := stepsToNUL(e); found {
				return append(steps, "["+strconv.Itoa(i)+"]"), true
			}
		}
	case map[string]any:
		for name, e := range v {
			if strings.ContainsRune(name, 0) {
				return nil, true
			}
			if steps, found := stepsToNUL(e); found {
				return append(steps, "."+name), true
			}
		}
	}
	return nil, false
}

// readIdempotencyKey reads the key and the digest of its request.
func (s *Server) readIdempotencyKey(c *gin.Context, body []byte) error {
	values := c.Request.Header.Values("Idempotency-Key")
	if len(values) == 0 {
		return nil
	}
	if len(values) > 1 || !validIdempotencyKey(values[0]) {
		return errInvalid.Saying("Idempotency-Key: must be one text of 1 to 255 printable ASCII characters")
	}
	r := requestOf(c.Request.Context())
	r.key = values[0]
	h := sha256.New()
	// Lengths first, so that no two requests have the same input.
	// The access token too: an answer may hold a secret that another one must not get.
	token := actorOf(c.Request.Context()).TokenID.String()
	for _, part := range []string{token, c.Request.Method, c.Request.URL.Path, c.Request.URL.RawQuery, string(body)} {
		fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	h.Sum(r.digest[:0])
	return nil
}

func validIdempotencyKey(key string) bool {
	if len(key) < 1 || len(key) > 255 {
		return false
	}
	for i := range len(key) {
		if key[i] < ' ' || key[i] > '~' {
			return false
		}
	}
	return true
}
