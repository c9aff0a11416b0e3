package control

import (
	"cmp"
	"context"
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// Operation describes one route of the Management API.
type Operation struct {
	ID      string // unique, "create-project"
	Method  string
	Path    string // from the root, "/v1/projects/{ref}"
	Summary string
	Tag     string
	Status  int // of success; 0 means 200
	// Creates enables the Idempotency-Key. The operation must call Remember in
	// the transaction that creates.
	Creates bool
	// Reads says that the operation changes and sends nothing although its method
	// is not GET: only refusals of it are in the audit log.
	Reads bool
	// Body, when set, replaces the input's Body in the OpenAPI document: a
	// value of the type that describes it, or an ObjectSchema. It is for
	// operations that check their fields themselves.
	Body any
	// Recorded, when set, is how the audit log has the request: of its members, which
	// are not checked yet, what holds no secret. Without it members are hidden by
	// their names.
	Recorded func(request map[string]any) map[string]any
	// Audited is set for a GET that the audit log has, because it takes much out.
	Audited bool
	// Answer, when set, replaces the answer's type in the OpenAPI document.
	Answer *ObjectSchema
}

// ETag is the entity tag of a version (RFC 9110 section 8.8.3).
func ETag(version int) string { return `"` + strconv.Itoa(version) + `"` }

// ParseETag reads an ETag, with or without its quotation marks.
func ParseETag(tag string) (version int, ok bool) {
	version, err := strconv.Atoi(strings.Trim(tag, `"`))
	return version, err == nil && version > 0 && (tag == ETag(version) || tag == strconv.Itoa(version))
}

// SetETag makes the answer carry the version of its object.
func SetETag(ctx context.Context, version int) { requestOf(ctx).etag = ETag(version) }

// Object is a JSON object whose members the operation checks itself.
type Object map[string]any

// answer is an operation's outcome as huma writes it.
type answer[Out any] struct {
	Status   int
	Replayed string `header:"Idempotency-Replayed" doc:"true when an earlier answer is given again"`
	ETag     string `header:"ETag" doc:"Version of what is answered, where it has versions; for If-Match"`
	Body     Out
}

// Register adds an operation to the API. In is a struct with huma's tags (path, query,
// Body), Out is the answer's body. fn runs for authenticated actors and valid
// input only; the error that it returns is written as its fault says.
func Register[In, Out any](api API, op Operation, fn func(context.Context, Actor, *In) (*Out, error)) {
	if op.Status == 0 {
		op.Status = http.StatusOK
	}
	described := api.describe(op)
	huma.Register(api.huma, described, func(ctx context.Context, in *In) (*answer[Out], error) {
		requestOf(ctx).operation = op.ID
		var replayed bool
		out, err := audited(ctx, api.server, op, func(ctx context.Context) (out *Out, err error) {
			out, replayed, err = once(ctx, api.server, op, func(ctx context.Context) (*Out, error) { return fn(ctx, actorOf(ctx), in) })
			return out, err
		})
		if err != nil {
			return nil, api.server.explain(ctx, err)
		}
		answer := &answer[Out]{Status: op.Status, ETag: requestOf(ctx).etag, Body: *out}
		if replayed {
			answer.Replayed = "true"
		}
		return answer, nil
	})
	// Only now, because huma's validation was fixed at registration.
	if op.Body != nil {
		api.describeBody(op)
	}
	if op.Answer != nil {
		api.describeAnswer(op)
	}
}

func (a API) describe(op Operation) huma.Operation {
	registry := a.huma.OpenAPI().Components.Schemas
	refusal := &huma.Response{
		Description: "The request is refused",
		Content: map[string]*huma.MediaType{
			"application/json": {Schema: registry.Schema(reflect.TypeFor[errorBody](), true, "Error")},
		},
	}
	d := huma.Operation{
		OperationID: op.ID, Method: op.Method, Path: op.Path, Summary: op.Summary, Tags: []string{op.Tag},
		DefaultStatus: op.Status,
		MaxBodyBytes:  maxBody,
		// checkBody has read the body. huma's read deadline, five seconds by
		// default, would stay on the connection, and would cancel the request's
		// context.
		BodyReadTimeout: -1,
		Responses:       map[string]*huma.Response{"400": refusal, "401": refusal, "403": refusal, "404": refusal},
	}
	if op.Creates {
		shortest, longest := 1, 255
		d.Parameters = append(d.Parameters, &huma.Param{
			Name: "Idempotency-Key", In: "header",
			Description: "The same key with the same request within 24 hours gives the first answer again.",
			Schema:      &huma.Schema{Type: huma.TypeString, MinLength: &shortest, MaxLength: &longest},
		})
		d.Responses["409"] = refusal
	}
	return d
}

// Describe adds a route that is not registered here to the OpenAPI document: one
// that needs no actor, or a browser's. In is what its body is, struct{} for none;
// Out is the answer's, struct{} for none.
func Describe[In, Out any](api API, op Operation) {
	described := api.describe(op)
	delete(described.Responses, "404")
	described.Security = []map[string][]string{}
	for part := range strings.SplitSeq(op.Path, "/") {
		if name, ok := strings.CutPrefix(part, "{"); ok {
			described.Parameters = append(described.Parameters, &huma.Param{
				Name: strings.TrimSuffix(name, "}"), In: "path", Required: true, Schema: &huma.Schema{Type: huma.TypeString},
			})
		}
	}
	registry := api.huma.OpenAPI().Components.Schemas
	content := func(t reflect.Type) map[string]*huma.MediaType {
		return map[string]*huma.MediaType{"application/json": {Schema: registry.Schema(t, true, op.ID)}}
	}
	answer := &huma.Response{Description: http.StatusText(cmp.Or(op.Status, http.StatusOK))}
	if t := reflect.TypeFor[Out](); t.NumField() > 0 {
		answer.Content = content(t)
	}
	described.Responses[strconv.Itoa(cmp.Or(op.Status, http.StatusOK))] = answer
	if t := reflect.TypeFor[In](); t.NumField() > 0 {
		described.RequestBody = &huma.RequestBody{Required: true, Content: content(t)}
	}
	api.huma.OpenAPI().AddOperation(&described)
}

// describeBody puts op.Body's schema into the OpenAPI document.
func (a API) describeBody(op Operation) {
	var schema *huma.Schema
	if object, ok := op.Body.(ObjectSchema); ok {
		schema = a.objectSchema(object)
	} else {
		schema = a.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeOf(op.Body), true, op.ID+"-body")
	}
	if o := a.operation(op); o != nil {
		o.RequestBody.Content["application/json"] = &huma.MediaType{Schema: schema}
	}
}

// describeAnswer puts op.Answer's schema into the OpenAPI document.
func (a API) describeAnswer(op Operation) {
	if o := a.operation(op); o != nil {
		o.Responses[strconv.Itoa(op.Status)].Content["application/json"] = &huma.MediaType{Schema: a.objectSchema(*op.Answer)}
	}
}

// operation finds a registered operation in the OpenAPI document.
func (a API) operation(op Operation) *huma.Operation {
	item := a.huma.OpenAPI().Paths[op.Path]
	for _, o := range []*huma.Operation{item.Get, item.Post, item.Patch, item.Put, item.Delete} {
		if o != nil && strings.EqualFold(o.Method, op.Method) {
			return o
		}
	}
	return nil
}
