package sso

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/saml"
)

// metadata reads the metadata that a request gives, from its address if it gives one;
// the text is then in a too. nil if it gives none.
func (s Service) metadata(ctx context.Context, a *Attributes, now time.Time) (*saml.Metadata, error) {
	given := func(t *string) bool { return t != nil && *t != "" }
	switch {
	case given(a.MetadataURL) && given(a.MetadataXML):
		return nil, auth.ErrValidation.Saying("Only one of metadata_xml and metadata_url can be set")
	case given(a.MetadataURL):
		text, err := s.fetch(ctx, *a.MetadataURL)
		if err != nil {
			return nil, err
		}
		a.MetadataXML = &text
	case given(a.MetadataXML):
		empty := ""
		a.MetadataURL = &empty
	default:
		a.MetadataXML, a.MetadataURL = nil, nil
		return nil, nil
	}
	return parseMetadata(*a.MetadataXML, now)
}

func parseMetadata(text string, now time.Time) (*saml.Metadata, error) {
	m, err := saml.ParseMetadata([]byte(text), "", now)
	var refused *saml.Refusal
	if errors.As(err, &refused) {
		return nil, auth.ErrValidation.Because(err).Saying(refused.Reason)
	}
	return m, err
}

// fetch reads metadata from an https address.
func (s Service) fetch(ctx context.Context, address string) (string, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && !(s.PlainHTTP && u.Scheme == "http") || u.Host == "" || u.User != nil || len(address) > 2048 {
		return "", auth.ErrValidation.Saying("metadata_url must be an https URL of at most 2048 bytes")
	}
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return "", auth.ErrValidation.Because(err).Saying("metadata_url is not a URL")
	}
	req.Header.Set("Accept", "application/samlmetadata+xml, application/xml, text/xml")
	resp, err := s.Client.Do(req)
	if err != nil {
		return "", auth.ErrSAMLMetadataFetch.Because(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return "", auth.ErrSAMLMetadataFetch.Saying(fmt.Sprintf("The address of the SAML metadata answered %d", resp.StatusCode))
	}
	raw, err := io.ReadAll(io.LimitReader(resp.Body, saml.MaxMetadata+1))
	if err != nil {
		return "", auth.ErrSAMLMetadataFetch.Because(err)
	}
	return string(raw), nil
}
