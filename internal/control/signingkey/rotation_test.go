package signingkey_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/reevehq/reeve/internal/control/controltest"
	"github.com/reevehq/reeve/internal/control/signingkey"
	"github.com/reevehq/reeve/internal/keyset"
	"github.com/reevehq/reeve/internal/projectlog"
)

// pilot is a world whose clock the test moves.
type pilot struct {
	*world
	now  time.Time
	auto signingkey.Autopilot
	log  *projectlog.Log
}

func newPilot(t *testing.T) *pilot {
	t.Helper()
	p := &pilot{now: time.Now()}
	clock := func() time.Time { return p.now }
	w := controltest.New(t, func(w *controltest.World) []controltest.Mounter {
		return []controltest.Mounter{&signingkey.Handler{Service: &signingkey.Service{DB: w.DB, Authz: w.Authz, Now: clock}}}
	})
	ref := w.Project(t, w.Acme, "Shop").Project.Ref
	p.world = &world{World: w, ref: ref, path: "/v1/projects/" + string(ref) + "/config/auth/signing-keys"}
	p.log = projectlog.New(w.DB, projectlog.Options{})
	p.auto = signingkey.Autopilot{DB: w.DB, Log: p.log, Now: clock}
	return p
}

// fly lets time pass, and runs the autopilot every so often as the job does.
func (p *pilot) fly(t *testing.T, d, every time.Duration) {
	t.Helper()
	for end := p.now.Add(d); p.now.Before(end); {
		p.now = p.now.Add(every)
		if err := p.auto.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func (p *pilot) rotation(t *testing.T) signingkey.Rotation {
	t.Helper()
	var r signingkey.Rotation
	p.Do(t, p.ReadOnly, "GET", p.path+"/rotation", "").Want(t, 200).Into(t, &r)
	return r
}

func (p *pilot) plan(t *testing.T, body string) controltest.Response {
	t.Helper()
	return p.Do(t, p.Owner, "PATCH", p.path+"/rotation", body)
}

func (p *pilot) advance(t *testing.T, step string) controltest.Response {
	t.Helper()
	return p.Do(t, p.Owner, "POST", p.path+"/rotation/advance", `{"step":"`+step+`"}`)
}

func (p *pilot) status(t *testing.T, id *string) string {
	t.Helper()
	if id == nil {
		return "none"
	}
	return p.statuses(t)[*id]
}

// codes returns the codes in the project's log.
func (p *pilot) codes(t *testing.T) string {
	t.Helper()
	if err := p.log.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	var codes string
	err := p.DB.Pool().QueryRow(t.Context(), `SELECT coalesce(string_agg(code, ' ' ORDER BY at), '') FROM project_logs WHERE ref = $1`, string(p.ref)).Scan(&codes)
	if err != nil {
		t.Fatal(err)
	}
	return codes
}

func TestAutopilot(t *testing.T) {
	t.Parallel()
	p := newPilot(t)
	if r := p.rotation(t); r.Phase != "idle" || r.Days != 0 || r.NextAt != nil || r.WaitsFor != "demand" || r.Algorithm != "ES256" {
		t.Fatalf("a new project: %+v", r)
	}
	var first string
	for id := range p.statuses(t) {
		first = id
	}
	p.fly(t, 400*24*time.Hour, 100*24*time.Hour)
	if got := p.statuses(t); len(got) != 1 {
		t.Fatalf("keys rotate unasked: %v", got)
	}

	p.plan(t, `{"days":90}`).Want(t, 200)
	p.fly(t, time.Minute, time.Minute)
	r := p.rotation(t)
	if r.Phase != "published" || r.WaitsFor != "caches" || p.status(t, r.KeyID) != "standby" || p.status(t, &first) != "in_use" {
		t.Fatalf("after the schedule: %+v, %v", r, p.statuses(t))
	}
	p.fly(t, 29*time.Minute, time.Minute)
	if r := p.rotation(t); r.Phase != "published" {
		t.Fatalf("promoted while caches may have the old set: %+v", r)
	}
	p.fly(t, 2*time.Minute, time.Minute)
	r = p.rotation(t)
	if r.Phase != "promoted" || p.status(t, r.KeyID) != "in_use" || *r.PreviousKeyID != first || p.status(t, &first) != "previously_used" {
		t.Fatalf("after the publication: %+v, %v", r, p.statuses(t))
	}
	p.fly(t, 73*time.Minute, time.Minute)
	if p.status(t, &first) != "previously_used" {
		t.Fatal("the previous key ended before its last token could")
	}
	p.fly(t, 2*time.Minute, time.Minute)
	r = p.rotation(t)
	if r.Phase != "idle" || p.status(t, &first) != "revoked" || r.WaitsFor != "schedule" || r.NextAt == nil {
		t.Fatalf("after the tokens' life: %+v, %v", r, p.statuses(t))
	}
	if got := p.codes(t); got != "signing_key_publish signing_key_promote signing_key_retire" {
		t.Errorf("the log has %q", got)
	}
	p.fly(t, 89*24*time.Hour, 24*time.Hour)
	if r := p.rotation(t); r.Phase != "idle" {
		t.Fatalf("the next one began early: %+v", r)
	}
	p.fly(t, 5*24*time.Hour, time.Hour)
	if got := p.statuses(t); len(got) != 3 {
		t.Fatalf("no second rotation: %v", got)
	}
}

// A previous key is kept for the longest life that its tokens can have had, and not
// for that of the present configuration.
func TestAutopilotWaitsForLongTokens(t *testing.T) {
	t.Parallel()
	p := newPilot(t)
	p.Exec(t, `UPDATE auth_configs SET config = config || '{"jwt_exp": 7200}', created_at = now() - interval '30 days' WHERE ref = $1`, string(p.ref))
	for version, exp := range map[int]int{2: 604800, 3: 60} {
		p.Exec(t, `INSERT INTO auth_configs (ref, version, config, created_at) SELECT ref, $2, config || jsonb_build_object('jwt_exp', $3::int), now() - make_interval(days => 10 - $2) FROM auth_configs WHERE ref = $1 AND version = 1`,
			string(p.ref), version, exp)
	}
	p.advance(t, "publish").Want(t, 200)
	p.advance(t, "promote").Want(t, 200)
	r := p.rotation(t)
	p.fly(t, 7*24*time.Hour, time.Hour)
	if p.status(t, r.PreviousKeyID) != "previously_used" {
		t.Fatal("the previous key ended before its last token could")
	}
	p.fly(t, time.Hour, 10*time.Minute)
	if p.status(t, r.PreviousKeyID) != "revoked" {
		t.Fatalf("%+v, %v", p.rotation(t), p.statuses(t))
	}
}

// Steps are made by hand whatever they wait for, each once; a held rotation makes
// none by itself.
func TestAutopilotByHand(t *testing.T) {
	t.Parallel()
	p := newPilot(t)
	p.advance(t, "promote").Refused(t, 409, "signing_key_step", "")
	p.advance(t, "turn").Refused(t, 400, "validation_failed", "step")
	p.advance(t, "publish").Want(t, 200, `"published"`)
	p.advance(t, "publish").Refused(t, 409, "signing_key_step", "")
	p.plan(t, `{"held":true}`).Want(t, 200, `"release"`)
	p.fly(t, 3*time.Hour, time.Hour)
	if r := p.rotation(t); r.Phase != "published" {
		t.Fatalf("a held rotation went on: %+v", r)
	}
	p.advance(t, "promote").Want(t, 200, `"promoted"`)
	p.fly(t, 3*time.Hour, time.Hour)
	if r := p.rotation(t); r.Phase != "promoted" {
		t.Fatalf("a held rotation went on: %+v", r)
	}
	p.plan(t, `{"held":false}`).Want(t, 200)
	p.fly(t, time.Minute, time.Minute)
	if r := p.rotation(t); r.Phase != "idle" {
		t.Fatalf("a released rotation did not go on: %+v", r)
	}
	for _, body := range []string{`{"days":-1}`, `{"days":731}`, `{"algorithm":"HS256"}`, `{"phase":"idle"}`} {
		p.plan(t, body).Refused(t, 400, "validation_failed", "")
	}
	for _, token := range []string{p.ReadOnly, p.Developer} {
		p.Do(t, token, "PATCH", p.path+"/rotation", `{"held":true}`).Want(t, 403)
		p.Do(t, token, "POST", p.path+"/rotation/advance", `{"step":"publish"}`).Want(t, 403)
	}
	p.Do(t, p.Stranger, "GET", p.path+"/rotation", "").Want(t, 404)
}

// Who moves keys by hand meanwhile is obeyed.
func TestAutopilotAndHands(t *testing.T) {
	t.Parallel()
	p := newPilot(t)
	p.advance(t, "publish").Want(t, 200)
	r := p.rotation(t)
	p.move(t, *r.KeyID, "in_use").Want(t, 200)
	p.fly(t, time.Hour, 10*time.Minute)
	if got := p.rotation(t); got.Phase != "promoted" || got.PreviousKeyID == nil || *got.KeyID != *r.KeyID {
		t.Fatalf("a key put in use by hand: %+v", got)
	}
	p.fly(t, 3*time.Hour, time.Hour)
	if got := p.rotation(t); got.Phase != "idle" {
		t.Fatalf("%+v", got)
	}
	p.advance(t, "publish").Want(t, 200)
	r = p.rotation(t)
	p.move(t, *r.KeyID, "revoked").Want(t, 200)
	p.fly(t, time.Hour, 10*time.Minute)
	if got := p.rotation(t); got.Phase != "idle" || p.status(t, r.KeyID) != "revoked" {
		t.Fatalf("a key revoked by hand: %+v", got)
	}
	standby := p.create(t, `{"algorithm":"ES256"}`).ID
	p.advance(t, "publish").Want(t, 200)
	if got := p.rotation(t); *got.KeyID != standby {
		t.Fatalf("a key that stands by is not used: %+v", got)
	}
}

// A key that legacy API keys are signed with is never revoked.
func TestAutopilotKeepsTheLegacySecret(t *testing.T) {
	t.Parallel()
	p := newPilot(t)
	var legacy signingkey.Key
	p.Do(t, p.Owner, "POST", p.path+"/legacy", "").Want(t, 201).Into(t, &legacy)
	p.move(t, legacy.ID, "in_use").Want(t, 200)
	p.advance(t, "publish").Want(t, 200)
	p.advance(t, "promote").Want(t, 200)
	p.advance(t, "retire").Want(t, 200, `"idle"`)
	if got := p.status(t, &legacy.ID); got != "previously_used" {
		t.Fatalf("the legacy secret is %s", got)
	}
}

// A verifier that keeps an old set is waited for, and the log warns of it; one that
// asks once with an old set is not meant.
func TestAutopilotWaitsForVerifiers(t *testing.T) {
	t.Parallel()
	p := newPilot(t)
	other := p.Project(t, p.Acme, "Other").Project.Ref
	ask := func(ref, tag string) {
		t.Helper()
		r := keyset.NewRequests(p.DB, nil)
		r.Old(ref, tag, p.now, netip.MustParseAddr("203.0.113.9"), "verifier/1.0")
		if err := r.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	p.advance(t, "publish").Want(t, 200)
	for range 6 { // a stubborn one, and many that ask once
		ask(string(p.ref), "stubborn")
		ask(string(p.ref), p.now.String())
		p.fly(t, 10*time.Minute, 5*time.Minute)
	}
	r := p.rotation(t)
	if r.Phase != "published" || r.WaitsFor != "verifiers" || len(r.OldSets) != 1 || r.OldSets[0].UserAgent != "verifier/1.0" || r.OldSets[0].Requests != 6 {
		t.Fatalf("%+v", r)
	}
	if got := p.codes(t); strings.Count(got, "old_key_set") != 1 {
		t.Errorf("the log has %q", got)
	}
	p.fly(t, 40*time.Minute, time.Minute)
	if r := p.rotation(t); r.Phase != "promoted" {
		t.Fatalf("nobody asks any more: %+v", r)
	}
	ask(string(other), "stubborn")
	p.fly(t, 5*time.Minute, time.Minute)
	ask(string(other), "stubborn")
	if got := p.rotation(t); len(got.OldSets) != 0 {
		t.Errorf("another project's verifier is shown: %+v", got)
	}
}

// Somebody who repeats a tag for ever holds a rotation up for a week, and no longer.
func TestAutopilotWaitsNotForEver(t *testing.T) {
	t.Parallel()
	p := newPilot(t)
	p.advance(t, "publish").Want(t, 200)
	begun := p.now
	for range 8 * 24 * 6 {
		r := keyset.NewRequests(p.DB, nil)
		r.Old(string(p.ref), "for ever", p.now, netip.MustParseAddr("203.0.113.9"), "curl")
		if err := r.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		p.fly(t, 10*time.Minute, 10*time.Minute)
		if p.rotation(t).Phase != "published" {
			break
		}
	}
	if waited := p.now.Sub(begun); p.rotation(t).Phase == "published" || waited < 7*24*time.Hour {
		t.Errorf("after %s the key is %s", waited, p.rotation(t).Phase)
	}
}
