package sso

import (
	"context"
	"crypto/x509"
	"errors"
	"time"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/projectlog"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

const (
	// maintainEvery is how old metadata that has an address may be, and how often
	// certificates are looked at.
	maintainEvery = 24 * time.Hour
	// expiryNear is how long before its end a certificate is spoken of.
	expiryNear = 30 * 24 * time.Hour
)

// Maintain looks after the connections of a project: it fetches metadata anew, speaks of
// certificates that end, and looks again for the records that prove domains. It can be
// repeated, and can run twice at the same time.
func (s Service) Maintain(ctx context.Context, sc *tenants.Scope, log *projectlog.Log) error {
	list, err := s.List(ctx, sc)
	if err != nil {
		return err
	}
	var failed []error
	for i := range list {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		failed = append(failed, s.maintain(ctx, sc, log, &list[i]))
	}
	return errors.Join(append(failed, s.Recheck(ctx, sc, log))...)
}

// maintain looks after a connection if that is due.
func (s Service) maintain(ctx context.Context, sc *tenants.Scope, log *projectlog.Log, p *auth.SSOProvider) error {
	due := func(p *auth.SSOProvider) bool {
		since := s.Now().Add(-maintainEvery)
		switch {
		case p.SAML == nil || !p.On():
			return false
		case p.SAML.MetadataURL == "":
			return p.SAML.WatchedAt == nil || p.SAML.WatchedAt.Before(since)
		}
		return p.SAML.FetchedAt.Before(since) && (p.SAML.CheckedAt == nil || p.SAML.CheckedAt.Before(since))
	}
	if !due(p) {
		return nil
	}
	if p.SAML.MetadataURL != "" {
		if err := s.refresh(ctx, sc, log, p); err != nil {
			return err
		}
	}
	// What counts is what is stored now: the new metadata, or the last if there is none.
	var stored auth.SSOProvider
	watch := false
	err := sc.DB.Tx(ctx, func(tx *tenantdb.Tx) (err error) {
		if stored, err = tx.SSOProvider(ctx, p.ID, true); err != nil {
			return err
		}
		if watch = stored.SAML != nil && stored.On() && (stored.SAML.MetadataURL != "" || due(&stored)); !watch || stored.SAML.MetadataURL != "" {
			return nil
		}
		return tx.CheckedSAML(ctx, p.ID, "", s.Now())
	})
	switch {
	case errors.Is(err, auth.ErrSSOProviderNotFound):
		return nil // deleted meanwhile
	case err != nil:
		return err
	case watch:
		s.watchExpiry(ctx, sc, log, &stored)
	}
	return nil
}

// RefreshMetadata fetches the metadata of a connection anew; auth.ErrValidation if it has
// no address or its address gives none, auth.ErrSAMLMetadataFetch,
// auth.ErrSAMLEntityMismatch.
func (s Service) RefreshMetadata(ctx context.Context, sc *tenants.Scope, p *auth.SSOProvider) error {
	if p.SAML == nil || p.SAML.MetadataURL == "" {
		return auth.ErrValidation.Saying("The connection's metadata has no address")
	}
	now := s.Now()
	text, err := s.fetch(ctx, p.SAML.MetadataURL)
	if err == nil {
		m, parseErr := parseMetadata(text, now)
		switch {
		case parseErr != nil:
			err = parseErr
		case m.EntityID != p.SAML.EntityID:
			err = auth.ErrSAMLEntityMismatch
		}
	}
	return errors.Join(err, sc.DB.Tx(ctx, func(tx *tenantdb.Tx) error {
		if err == nil {
			if err := tx.RefreshSAML(ctx, p.SAML, text, now); err != nil {
				return err
			}
		}
		return tx.CheckedSAML(ctx, p.ID, reasonOf(err), now)
	}))
}

// refresh is RefreshMetadata for a job: what the provider does wrong is no error, and is
// in the project's log.
func (s Service) refresh(ctx context.Context, sc *tenants.Scope, log *projectlog.Log, p *auth.SSOProvider) error {
	err := s.RefreshMetadata(ctx, sc, p)
	switch {
	case err == nil:
		return nil
	case !errors.Is(err, auth.ErrValidation) && !errors.Is(err, auth.ErrSAMLMetadataFetch) && !errors.Is(err, auth.ErrSAMLEntityMismatch):
		return err
	}
	note(ctx, sc, log, "saml_metadata_failed", "The metadata of an enterprise connection could not be fetched anew; the last one stays.",
		map[string]any{"provider": p.Provider(), "address": p.SAML.MetadataURL, "reason": reasonOf(err)})
	return nil
}

// watchExpiry speaks of a connection whose certificates all end soon.
func (s Service) watchExpiry(ctx context.Context, sc *tenants.Scope, log *projectlog.Log, p *auth.SSOProvider) {
	if end, ok := s.CertificateEnd(p); ok && end.Before(s.Now().Add(expiryNear)) {
		note(ctx, sc, log, "saml_certificate_ends", "The certificate of an enterprise connection's identity provider ends soon. Its users cannot sign in afterwards: give the connection the new metadata.",
			map[string]any{"provider": p.Provider(), "ends": end.UTC().Format(time.RFC3339)})
	}
}

// CertificateEnd returns when the last certificate ends that a connection's provider can
// sign with; false for one without such a certificate.
func (s Service) CertificateEnd(p *auth.SSOProvider) (end time.Time, ok bool) {
	if p.SAML == nil {
		return end, false
	}
	m, err := parseMetadata(p.SAML.MetadataXML, s.Now())
	if err != nil {
		return end, false
	}
	return lastEnd(m.Certificates), len(m.Certificates) > 0
}

func lastEnd(list []*x509.Certificate) (end time.Time) {
	for _, c := range list {
		if c.NotAfter.After(end) {
			end = c.NotAfter
		}
	}
	return end
}

func note(ctx context.Context, sc *tenants.Scope, log *projectlog.Log, code, message string, detail map[string]any) {
	if log == nil {
		return
	}
	log.Add(ctx, projectlog.Entry{Project: string(sc.Tenant.Ref), Level: projectlog.Warning, Code: code, Message: message, Detail: detail})
}
