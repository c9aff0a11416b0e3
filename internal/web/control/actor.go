package control

import (
	"context"
	"strings"

	"github.com/reevehq/reeve/internal/authz"
	"github.com/reevehq/reeve/internal/fault"
)

// Actor is the sender of a request to the Management API.
type Actor = authz.Actor

// errUnauthorized answers every request without a valid access token; it does
// not say why the token is invalid.
var errUnauthorized = fault.New(fault.Unauthorized, "unauthorized", "Unauthorized: a valid access token is required")

type actorKey struct{}

func withActor(ctx context.Context, a Actor) context.Context {
	return context.WithValue(ctx, actorKey{}, a)
}

// actorOf returns the request's actor; the zero Actor, which is a member of no
// organization, if nobody was authenticated.
func actorOf(ctx context.Context) Actor {
	a, _ := ctx.Value(actorKey{}).(Actor)
	return a
}

// Origin returns the id of a request and the address of its client; "" for what is
// unknown.
func Origin(ctx context.Context) (id, ip string) {
	r := requestOf(ctx)
	return r.id, r.ip
}

// bearer returns the token of an Authorization header (RFC 6750 §2.1); the
// scheme is case-insensitive (RFC 9110 §11.1).
func bearer(header string) (string, bool) {
	scheme, token, ok := strings.Cut(header, " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return "", false
	}
	return strings.TrimSpace(token), true
}
