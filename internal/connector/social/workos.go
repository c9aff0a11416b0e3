package social

import (
	"context"
	"encoding/json"
	"maps"

	"github.com/reevehq/reeve/internal/connector"
	"github.com/reevehq/reeve/internal/connector/oauth"
)

// workos passes on the address that the user's own identity provider asserts.
// An administrator there can choose any, so it does not count as verified. An
// app must name the connection, the organization or the provider that WorkOS
// asks, the last as workos_provider, because provider is Reeve's parameter.
func (p *parts) workos() connector.Connector {
	return &provider{
		parts: p,
		base:  "https://api.workos.com",
		endpoint: func(base string) oauth.Endpoint {
			return oauth.Endpoint{AuthURL: base + "/sso/authorize", TokenURL: base + "/sso/token"}
		},
		start: func(s connector.Start) connector.Start {
			if named, ok := s.Params["workos_provider"]; ok {
				params := maps.Clone(s.Params)
				delete(params, "workos_provider")
				params["provider"] = named
				s.Params = params
			}
			return s
		},
		describe: func(_ context.Context, s *signIn) (connector.Claims, error) {
			var u struct {
				ID           string `json:"id"`
				Connection   string `json:"connection_id"`
				Organization string `json:"organization_id"`
				Email        string `json:"email"`
				First        string `json:"first_name"`
				Last         string `json:"last_name"`
			}
			// The profile is a member of the token endpoint's answer.
			raw, err := json.Marshal(s.token.Extra("profile"))
			if err != nil || json.Unmarshal(raw, &u) != nil {
				return connector.Claims{}, missing("profile")
			}
			name := fullName(u.First, u.Last)
			return connector.Claims{
				Issuer: s.base, Subject: u.ID, Name: name, FullName: name, Email: u.Email,
				Custom: map[string]any{"connection_id": u.Connection, "organization_id": u.Organization},
			}, nil
		},
	}
}
