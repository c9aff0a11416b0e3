package tenants_test

import (
	"errors"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/tenants"
)

func TestResolve(t *testing.T) {
	t.Parallel()
	a, b := newProject(refA), newProject(refB)
	// Both have the same key id, so only the signature tells their keys apart.
	for _, p := range []project{a, b} {
		k := signingKey(t, "HS256")
		k.ID, k.Legacy = "same", true
		p.SigningKeys, p.LegacyKeys = []tenants.SigningKey{k}, true
	}
	legacyA := must2(t)(a.NewLegacyKey(tenants.RoleAnon, day))
	legacyB := must2(t)(b.NewLegacyKey(tenants.RoleService, day))
	stolenName := sign(t, b.SigningKeys[0], "same", jwt.MapClaims{"role": "anon", "ref": refA})
	nameless := sign(t, a.SigningKeys[0], "", jwt.MapClaims{"role": "anon"})

	withStatus := map[tenants.Status]project{}
	list := []*tenants.Tenant{a.Tenant, b.Tenant}
	for _, s := range []tenants.Status{tenants.StatusCreating, tenants.StatusPaused, tenants.StatusFailed, tenants.StatusDeleting, "from the future"} {
		p := newProject(tenants.NewRef())
		p.Status = s
		withStatus[s] = p
		list = append(list, p.Tenant)
	}
	src := newFakeSource(list...)
	router := &tenants.Router{
		Registry: tenants.NewRegistry(src, hasher, tenants.RegistryOptions{}),
		Now:      func() time.Time { return day },
	}
	bare := tenants.Address{}
	host := func(ref tenants.Ref) tenants.Address {
		return tenants.Address{Kind: tenants.AddressHost, Ref: ref}
	}
	path := func(ref tenants.Ref) tenants.Address {
		return tenants.Address{Kind: tenants.AddressPath, Ref: ref}
	}
	paused, creating := withStatus[tenants.StatusPaused], withStatus[tenants.StatusCreating]
	failed, deleting := withStatus[tenants.StatusFailed], withStatus[tenants.StatusDeleting]
	future := withStatus["from the future"]

	for name, c := range map[string]struct {
		address tenants.Address
		key     string
		want    tenants.Ref
		err     error
	}{
		"host, no key":                 {host(refA), "", refA, nil},
		"host, own key":                {host(refA), a.publishable, refA, nil},
		"host, another project's key":  {host(refA), b.publishable, "", tenants.ErrUnknownKey},
		"host, its secret key":         {host(refA), b.secret, "", tenants.ErrUnknownKey},
		"host, unknown key":            {host(refA), tenants.NewKey(tenants.KeyPublishable), "", tenants.ErrUnknownKey},
		"host, malformed key":          {host(refA), a.publishable + "x", "", tenants.ErrUnknownKey},
		"host, text":                   {host(refA), "hello", "", tenants.ErrUnknownKey},
		"host, own legacy key":         {host(refA), legacyA, refA, nil},
		"host, legacy without ref":     {host(refA), nameless, refA, nil},
		"host, other's legacy key":     {host(refA), legacyB, "", tenants.ErrUnknownKey},
		"host, legacy with stolen ref": {host(refA), stolenName, "", tenants.ErrUnknownKey},
		"path, no key":                 {path(refB), "", refB, nil},
		"path, own key":                {path(refB), b.secret, refB, nil},
		"path, another project's key":  {path(refB), a.secret, "", tenants.ErrUnknownKey},
		"path, other's legacy key":     {path(refB), legacyA, "", tenants.ErrUnknownKey},
		"unknown project":              {host(tenants.NewRef()), "", "", tenants.ErrUnknownProject},
		"unknown project with a key":   {path(tenants.NewRef()), a.secret, "", tenants.ErrUnknownProject},
		"bare, no key":                 {bare, "", "", tenants.ErrNoKey},
		"bare, key of A":               {bare, a.publishable, refA, nil},
		"bare, key of B":               {bare, b.secret, refB, nil},
		"bare, unknown key":            {bare, tenants.NewKey(tenants.KeySecret), "", tenants.ErrUnknownKey},
		"bare, malformed key":          {bare, b.secret[:len(b.secret)-1], "", tenants.ErrUnknownKey},
		"bare, text":                   {bare, "hello", "", tenants.ErrUnknownKey},
		"bare, legacy key of A":        {bare, legacyA, refA, nil},
		"bare, legacy key of B":        {bare, legacyB, refB, nil},
		"bare, legacy with stolen ref": {bare, stolenName, "", tenants.ErrUnknownKey},
		"bare, legacy without ref":     {bare, nameless, "", tenants.ErrUnknownKey},
		"bare, legacy of nobody": {
			bare, sign(t, a.SigningKeys[0], "same", jwt.MapClaims{"role": "anon", "ref": tenants.NewRef()}),
			"", tenants.ErrUnknownKey,
		},
		"bare, expired legacy key": {
			bare, sign(t, a.SigningKeys[0], "same", jwt.MapClaims{"role": "anon", "ref": refA, "exp": day.Unix() - 1}),
			"", tenants.ErrExpiredKey,
		},
		"paused, by host":       {host(paused.Ref), "", "", tenants.ErrPaused},
		"paused, by key":        {bare, paused.secret, "", tenants.ErrPaused},
		"paused, other's key":   {host(paused.Ref), a.secret, "", tenants.ErrUnknownKey},
		"creating, by path":     {path(creating.Ref), "", "", tenants.ErrCreating},
		"creating, by key":      {bare, creating.secret, "", tenants.ErrCreating},
		"failed, by host":       {host(failed.Ref), "", "", tenants.ErrUnknownProject},
		"failed, by key":        {bare, failed.secret, "", tenants.ErrUnknownProject},
		"deleting, by path":     {path(deleting.Ref), "", "", tenants.ErrUnknownProject},
		"deleting, by key":      {bare, deleting.secret, "", tenants.ErrUnknownProject},
		"deleting, other's key": {host(deleting.Ref), a.secret, "", tenants.ErrUnknownProject},
		"unknown status":        {host(future.Ref), future.secret, "", tenants.ErrUnknownProject},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := router.Resolve(t.Context(), c.address, c.key)
			wantError(t, err, c.err)
			if c.err == nil && got.Ref != c.want || c.err != nil && got != nil {
				t.Errorf("Resolve = %v, want %q", got, c.want)
			}
			var f *fault.Error
			if errors.As(err, &f) && f.Kind == fault.Unavailable && f.RetryAfter <= 0 {
				t.Error("503 without RetryAfter")
			}
		})
	}
}

// must2 is must for a call with two results.
func must2(t testing.TB) func(string, error) string {
	return func(s string, err error) string { t.Helper(); return must(t, s, err) }
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err  *fault.Error
		kind fault.Kind
		code string
	}{
		{tenants.ErrUnknownProject, fault.NotFound, "project_not_found"},
		{tenants.ErrDisagree, fault.Unauthorized, "project_mismatch"},
		{tenants.ErrPaused, fault.Unavailable, "project_paused"},
		{tenants.ErrCreating, fault.Unavailable, "project_creating"},
		{tenants.ErrRegistryUnavailable, fault.Unavailable, "registry_unavailable"},
		{tenants.ErrNoKey, fault.Unauthorized, "no_api_key"},
		{tenants.ErrUnknownKey, fault.Unauthorized, "invalid_api_key"},
		{tenants.ErrExpiredKey, fault.Unauthorized, "api_key_expired"},
		{tenants.ErrSecretKeyInBrowser, fault.Unauthorized, "secret_key_in_browser"},
	} {
		if c.err.Kind != c.kind || c.err.Code != c.code {
			t.Errorf("%s: kind %d, want %d and code %s", c.err.Code, c.err.Kind, c.kind, c.code)
		}
	}
	if _, err := tenants.ParseRef("no ref"); !errors.Is(err, tenants.ErrUnknownProject) {
		t.Error("a text that is no ref must be refused like an unknown ref")
	}
}
