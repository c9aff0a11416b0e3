package sso_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/reevehq/reeve/internal/projectlog"
	"github.com/reevehq/reeve/internal/saml/samltest"
	"github.com/reevehq/reeve/internal/testkit/flowtest"
)

// entries keeps the project log's entries.
type entries struct{ list []projectlog.Record }

func (e *entries) AppendLog(_ context.Context, records []projectlog.Record) error {
	e.list = append(e.list, records...)
	return nil
}

func (e *entries) TrimLog(context.Context, string, int) error { return nil }

// maintained looks after the connections of project A, and returns the codes of the log's
// entries.
func maintained(t *testing.T, f *flowtest.Fixture) []string {
	t.Helper()
	kept := &entries{}
	log := projectlog.New(kept, projectlog.Options{Now: f.Clock.Now, Logger: slog.New(slog.DiscardHandler)})
	if err := f.Flows().Connections().Maintain(t.Context(), f.A.Scope(), log); err != nil {
		t.Fatal(err)
	}
	if err := log.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	codes := []string{}
	for _, r := range kept.list {
		codes = append(codes, r.Code)
	}
	return codes
}

func wantCodes(t *testing.T, when string, got []string, want ...string) {
	t.Helper()
	same := len(got) == len(want)
	for i := 0; same && i < len(want); i++ {
		same = got[i] == want[i]
	}
	if !same {
		t.Errorf("%s: log has %q, want %q", when, got, want)
	}
}

// lasting is metadata with the provider's key in a certificate that lasts for some days.
func lasting(t *testing.T, f *flowtest.Fixture, p *samltest.IdP, days int) string {
	t.Helper()
	now := f.Clock.Now()
	cert := samltest.Certificate(t, p.Key, now.Add(-time.Hour), now.Add(time.Duration(days)*24*time.Hour))
	return samltest.MetadataOf(p.EntityID, "https://idp.example", cert)
}

// TestMaintainPastedMetadata: the end of a certificate is spoken of once a day, for metadata
// without an address too.
func TestMaintainPastedMetadata(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, enabled)
	idp := samltest.New(t, "https://idp.example/pasted", f.Clock.Now())
	id := f.A.Admin(t, "POST", path, m{"type": "saml", "metadata_xml": lasting(t, f, idp, 40)}).Want(201).Get("id")
	wantCodes(t, "40 days before", maintained(t, f))
	f.Clock.Advance(11 * 24 * time.Hour)
	wantCodes(t, "29 days before", maintained(t, f), "saml_certificate_ends")
	f.Clock.Advance(time.Hour)
	wantCodes(t, "an hour later", maintained(t, f))
	if _, shown := f.A.Admin(t, "GET", path+"/"+id, nil).Want(200).Find("saml.metadata_checked_at"); shown {
		t.Error("metadata without an address was asked for")
	}
	f.Clock.Advance(24 * time.Hour)
	wantCodes(t, "a day later", maintained(t, f), "saml_certificate_ends")
	f.A.Admin(t, "PUT", path+"/"+id, m{"metadata_xml": lasting(t, f, idp, 400)}).Want(200)
	f.Clock.Advance(25 * time.Hour)
	wantCodes(t, "with a new certificate", maintained(t, f))
	f.A.Admin(t, "PUT", path+"/"+id, m{"metadata_xml": lasting(t, f, idp, 10), "disabled": true}).Want(200)
	f.Clock.Advance(25 * time.Hour)
	wantCodes(t, "switched off", maintained(t, f))
}

// TestMaintainFetchedMetadata: what counts is the metadata that is stored after it was
// fetched anew.
func TestMaintainFetchedMetadata(t *testing.T) {
	t.Parallel()
	f := flowtest.NewPlain(t, enabled)
	idp := samltest.New(t, "https://idp.example/fetched", f.Clock.Now())
	var answer atomic.Value
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		text := answer.Load().(string)
		if text == "" {
			w.WriteHeader(http.StatusBadGateway)
		}
		_, _ = io.WriteString(w, text)
	}))
	t.Cleanup(site.Close)
	first := lasting(t, f, idp, 20)
	answer.Store(first)
	id := f.A.Admin(t, "POST", path, m{"type": "saml", "metadata_url": site.URL}).Want(201).Get("id")
	stored := func() string { return f.A.Admin(t, "GET", path+"/"+id, nil).Want(200).Get("saml.metadata_xml") }
	wantCodes(t, "just made", maintained(t, f))

	f.Clock.Advance(25 * time.Hour)
	wantCodes(t, "the same certificate", maintained(t, f), "saml_certificate_ends")
	wantCodes(t, "at once again", maintained(t, f))

	answer.Store("")
	f.Clock.Advance(25 * time.Hour)
	wantCodes(t, "the address fails", maintained(t, f), "saml_metadata_failed", "saml_certificate_ends")
	if stored() != first {
		t.Error("the last metadata did not stay")
	}

	answer.Store(lasting(t, f, samltest.New(t, "https://idp.example/another", f.Clock.Now()), 400))
	f.Clock.Advance(25 * time.Hour)
	wantCodes(t, "another entity", maintained(t, f), "saml_metadata_failed", "saml_certificate_ends")
	if got := f.A.Admin(t, "GET", path+"/"+id, nil).Want(200); got.Get("saml.metadata_xml") != first || got.Get("saml.entity_id") != idp.EntityID || got.Get("saml.metadata_error") == "" {
		t.Errorf("%s", got.Raw)
	}

	fresh := lasting(t, f, idp, 400)
	answer.Store(fresh)
	f.Clock.Advance(25 * time.Hour)
	wantCodes(t, "a new certificate", maintained(t, f))
	if stored() != fresh {
		t.Error("the new metadata is not stored")
	}
}
