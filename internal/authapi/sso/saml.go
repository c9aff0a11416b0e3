package sso

import (
	"context"
	"errors"
	"strings"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/redirect"
	"github.com/reevehq/reeve/internal/projectlog"
	"github.com/reevehq/reeve/internal/saml"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

const (
	subjectID         = "urn:oasis:names:tc:SAML:attribute:subject-id"
	kindSubjectID     = "subject-id"
	kindNameID        = "name-id"
	formatTransient   = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
	formatUnspecified = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"
	formatEmail       = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
)

// addressNames are the statements in which identity providers give the address, if the
// connection's mapping names none.
var addressNames = []string{
	"urn:oid:0.9.2342.19200300.100.1.3",
	"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress",
	"http://schemas.xmlsoap.org/claims/EmailAddress",
	"mail", "Mail", "email",
}

// factorContexts are the classes of sign-in in which two factors are used.
var factorContexts = []string{
	"https://refeds.org/profile/mfa",
	"http://schemas.microsoft.com/claims/multipleauthn",
	"urn:oasis:names:tc:SAML:2.0:ac:classes:MobileTwoFactorContract",
	"urn:oasis:names:tc:SAML:2.0:ac:classes:MobileTwoFactorUnregistered",
	"urn:oasis:names:tc:SAML:2.0:ac:classes:SmartcardPKI",
}

// FinishSAML ends a sign-in with the provider's response. When it returns an error, the
// outcome is still where to tell it, or nil while that is unknown. auth.ErrSAMLOff,
// auth.ErrSAMLRelayNotFound, auth.ErrSAMLRelayExpired, auth.ErrSAMLIdPNotFound,
// auth.ErrSSOProviderDisabled, auth.ErrSSOUnsolicited, auth.ErrSAMLAssertion,
// auth.ErrSAMLAssertionNoUserID, auth.ErrSAMLAssertionNoEmail, auth.ErrSSODomain,
// auth.ErrSSOGroup, auth.ErrSignupDisabled, auth.ErrUserBanned.
func (s Service) FinishSAML(ctx context.Context, sc *tenants.Scope, encoded, relayState string) (*Outcome, error) {
	if !sc.Tenant.Config.SAMLEnabled {
		return nil, auth.ErrSAMLOff
	}
	resp, err := saml.ParseResponse(encoded)
	if err != nil {
		return nil, refused(ctx, sc, "", uuid.Nil, err)
	}
	relay, p, t, err := s.connection(ctx, sc, resp, relayState)
	if err == nil && p.SAML == nil {
		err = auth.ErrSAMLIdPNotFound
	}
	if err != nil {
		return nil, err
	}
	t.Provider = &p.ID
	out := &Outcome{RedirectTo: relay.RedirectTo, PKCE: relay.Flow != nil}
	if t.dry() {
		out.DryRun = t.id
	}
	a, err := s.accept(ctx, sc, resp, relay, p, t)
	if err == nil {
		out, err = s.complete(ctx, sc, p, relay, a, t)
	}
	s.keep(ctx, sc, t, out.user(), err)
	return out, err
}

// accept checks the state of the sign-in and verifies the response.
func (s Service) accept(ctx context.Context, sc *tenants.Scope, resp *saml.Response, relay *auth.SSORelay, p *auth.SSOProvider, t *trail) (*said, error) {
	switch {
	case s.Now().After(relay.CreatedAt.Add(relayTTL)):
		return nil, auth.ErrSAMLRelayExpired
	case relay.RequestID == toChoose:
		return nil, auth.ErrSAMLRelayNotFound
	case !p.On() && !t.dry():
		return nil, auth.ErrSSOProviderDisabled
	case relay.RequestID == "" && !p.Rules.AllowUnsolicited:
		return nil, t.step("request", auth.ErrSSOUnsolicited)
	}
	assertion, err := s.verify(ctx, sc, resp, relay, p, t)
	if err != nil {
		return nil, err
	}
	if want := p.SAML.NameIDFormat; want != "" && want != formatUnspecified && want != assertion.NameID.Format {
		// Whoever can ask the provider for another name must not become another user.
		return nil, t.step("subject", auth.ErrSAMLAssertionNoUserID.Saying("The Name ID has another format than the connection asks for"))
	}
	return saidBySAML(p, assertion), nil
}

// connection finds the connection that a response is for. For one that nobody asked for
// it is the connection of its issuer.
func (s Service) connection(ctx context.Context, sc *tenants.Scope, resp *saml.Response, relayState string) (*auth.SSORelay, *auth.SSOProvider, *trail, error) {
	if id, err := uuid.Parse(relayState); err == nil && len(relayState) == len(id.String()) {
		return s.begun(ctx, sc, id)
	}
	var p auth.SSOProvider
	err := sc.DB.Do(ctx, func(tx *tenantdb.Tx) (err error) {
		p, err = tx.SSOProviderOfEntity(ctx, resp.Issuer)
		return err
	})
	if errors.Is(err, auth.ErrSSOProviderNotFound) {
		err = auth.ErrSAMLIdPNotFound.Because(err)
	}
	if err != nil {
		return nil, nil, nil, err
	}
	relay := &auth.SSORelay{Provider: p.ID, RedirectTo: redirect.Target(&sc.Tenant.Config, relayState), CreatedAt: s.Now()}
	return relay, &p, s.newTrail(sc, uuid.New(), auth.AttemptPortal), nil
}

// begun returns the sign-in that was begun here, and its connection. It can be answered
// once.
func (s Service) begun(ctx context.Context, sc *tenants.Scope, id uuid.UUID) (*auth.SSORelay, *auth.SSOProvider, *trail, error) {
	var relay auth.SSORelay
	var p auth.SSOProvider
	t := s.newTrail(sc, id, auth.AttemptLogin)
	err := sc.DB.Tx(ctx, func(tx *tenantdb.Tx) (err error) {
		if relay, err = tx.TakeSSORelay(ctx, id); err != nil {
			return err
		}
		if relay.DryRun {
			t.Kind = auth.AttemptDryRun
		}
		t.At = relay.CreatedAt
		p, err = tx.SSOProvider(ctx, relay.Provider, false)
		return err
	})
	return &relay, &p, t, err
}

// verify verifies the response; auth.ErrSAMLAssertion. The reason, which the
// administrator of the identity provider needs, is in the project's log and in the
// connection's.
func (s Service) verify(ctx context.Context, sc *tenants.Scope, resp *saml.Response, relay *auth.SSORelay, p *auth.SSOProvider, t *trail) (*saml.Assertion, error) {
	metadata, err := parseMetadata(p.SAML.MetadataXML, s.Now())
	if err != nil {
		return nil, t.step(string(saml.CheckMetadata), err)
	}
	sp, err := s.service(ctx, sc)
	if err != nil {
		return nil, err
	}
	idp := saml.Provider{EntityID: p.SAML.EntityID, Certificates: metadata.Certificates, AllowSHA1: p.Rules.AllowSHA1}
	a, report, err := resp.Verify(self(sp, sc.Tenant.Config.SAMLEncrypted), idp, saml.Expected{RequestID: relay.RequestID, Now: s.Now()})
	t.report(report)
	if err != nil {
		return nil, refused(ctx, sc, p.Provider(), t.id, err)
	}
	return a, nil
}

// refused notes why a message was refused. The app is told the check alone: of a
// response that is not verified nothing is true.
func refused(ctx context.Context, sc *tenants.Scope, provider string, attempt uuid.UUID, err error) error {
	var r *saml.Refusal
	if !errors.As(err, &r) {
		return err
	}
	detail := map[string]any{"provider": provider, "check": string(r.Check), "reason": r.Reason}
	said := "SAML Assertion is not valid (" + string(r.Check) + ")"
	if attempt != uuid.Nil {
		detail["attempt"] = attempt.String()
		said += ", attempt " + attempt.String()
	}
	sc.Log.Add(ctx, projectlog.Entry{Level: projectlog.Warning, Code: "saml_refused", Message: "A SAML message was refused.", Detail: detail})
	return auth.ErrSAMLAssertion.Because(err).Saying(said)
}

// saidBySAML is what an assertion says.
func saidBySAML(p *auth.SSOProvider, a *saml.Assertion) *said {
	out := &said{
		method: auth.MethodSAML, issuer: a.Issuer, once: onceOf(a.Issuer, a.ID), until: a.ReplayUntil, ends: a.SessionNotOnOrAfter,
		origin: auth.SSOOrigin{
			Provider: p.ID, Name: auth.SSOName(a.NameID), SessionIndex: a.SessionIndex,
		},
		statements: func(names ...string) []string { return lookUp(a, names) },
		all:        map[string][]string{},
	}
	for _, at := range a.Attributes {
		out.all[at.Name] = at.Values
	}
	if out.subject, out.kind = first(a, subjectID), kindSubjectID; out.subject == "" && a.NameID.Format != formatTransient {
		out.subject, out.kind = a.NameID.Value, kindNameID
	}
	for _, name := range addressNames {
		if out.address == "" {
			out.address = first(a, name)
		}
	}
	if out.address == "" && a.NameID.Format == formatEmail {
		out.address = a.NameID.Value
	}
	for _, class := range factorContexts {
		out.factors = out.factors || strings.TrimSpace(a.AuthnContext) == class
	}
	for _, method := range lookUp(a, []string{"http://schemas.microsoft.com/claims/authnmethodsreferences"}) {
		out.factors = out.factors || method == "http://schemas.microsoft.com/claims/multipleauthn"
	}
	return out
}

// lookUp returns the values of the first of the names that the provider states. A
// friendly name, which any statement can have, counts where no statement has the name.
func lookUp(a *saml.Assertion, names []string) []string {
	for _, name := range names {
		if name == "" {
			continue
		}
		for _, of := range []func(saml.Attribute) string{
			func(at saml.Attribute) string { return at.Name }, func(at saml.Attribute) string { return at.FriendlyName },
		} {
			for _, at := range a.Attributes {
				if of(at) == name && len(at.Values) > 0 {
					return at.Values
				}
			}
		}
	}
	return nil
}

func first(a *saml.Assertion, name string) string {
	for _, v := range lookUp(a, []string{name}) {
		return v
	}
	return ""
}
