// Package leak takes reports of leaked keys and tokens. Whoever has a key can use it,
// so its full text proves the report, and anybody may send one. The answer says
// nothing about the keys, and takes the same time for all, unless the database is
// slow.
package leak

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/internal/projectlog"
	"github.com/reevehq/reeve/internal/web/control"
	"github.com/reevehq/reeve/tenants"
)

// The bounds of reports.
const (
	maxItems = 100
	maxKey   = 4096
	maxURL   = 2048
	// maxLegacy bounds the legacy keys of a report: each costs a signature.
	maxLegacy = 10
	// atOnce is how many reports are worked on at a time, in this process.
	atOnce = 8
	// Delay is when a report is answered, whatever it holds, unless the work on it
	// takes longer.
	Delay = time.Second
	// workTimeout bounds the work on a report, which goes on without the sender.
	workTimeout = 20 * time.Second
)

// The faults.
var (
	errBody   = fault.New(fault.Invalid, "validation_failed", "The body must be a list of 1 to 100 objects with token and url")
	errFailed = fault.New(fault.Unavailable, "database_unavailable", "The report could not be worked off: send it again").After(5 * time.Second)
	errBusy   = fault.New(fault.Unavailable, "over_capacity", "Too many reports at the moment").After(5 * time.Second)
)

// actor is the sender in the audit log.
const actor = "leak report"

// Item is a leaked key and where it was found, in the form of GitHub's secret
// scanning. Its members type and source are ignored.
type Item struct {
	Token string `json:"token"`
	URL   string `json:"url"`
}

// Service implements the rules.
type Service struct {
	DB *controldb.DB
	// Legacy returns the project and the role of a legacy key that is accepted;
	// a fault of a kind other than Internal and Unavailable for any other text.
	Legacy func(ctx context.Context, key string) (tenants.Ref, tenants.Role, error)
	// Allow counts a report of an address, or refuses it.
	Allow func(ctx context.Context, ip string) error
	// Changed is called for each project that lost a key, Noted after notices were
	// written.
	Changed func(tenants.Ref)
	Noted   func()
	Project *projectlog.Log
	Log     *slog.Logger
	Now     func() time.Time
	Delay   time.Duration

	once    sync.Once
	places  chan struct{}
	working sync.WaitGroup
}

// Answer is the answer to every report.
type Answer struct {
	Message string `json:"message"`
}

// Report takes a report, and answers when what it leads to is committed. Faults:
// validation_failed, over_capacity, those of Allow, and database_unavailable if that
// failed: the report may be sent again.
func (s *Service) Report(ctx context.Context, r control.OpenRequest) (any, error) {
	if err := s.Allow(ctx, r.IP); err != nil {
		return nil, err
	}
	items, err := parse(r.Body)
	if err != nil {
		return nil, err
	}
	s.once.Do(func() { s.places = make(chan struct{}, atOnce) })
	select {
	case s.places <- struct{}{}:
	default:
		return nil, errBusy
	}
	answer := time.NewTimer(s.Delay)
	defer answer.Stop()
	done := make(chan error, 1)
	s.working.Go(func() {
		defer func() { <-s.places }()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), workTimeout)
		defer cancel()
		done <- s.work(ctx, r, items)
	})
	<-answer.C
	if err := <-done; err != nil {
		s.Log.ErrorContext(ctx, "a report of leaked keys is not worked off", "error", err)
		return nil, errFailed.Because(err)
	}
	return Answer{"Thank you. What is a valid secret of this installation is revoked, or its owners are told."}, nil
}

// closeWait is how long Close waits: a report whose work is not done by then has no
// answer, and is sent again.
const closeWait = 3 * time.Second

// Close waits a moment for the reports that are worked on.
func (s *Service) Close(ctx context.Context) {
	done := make(chan struct{})
	go func() {
		s.working.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
	case <-time.After(closeWait):
	}
}

// parse reads a list, or a single item.
func parse(body []byte) ([]Item, error) {
	var items []Item
	if json.Unmarshal(body, &items) != nil {
		var one Item
		if json.Unmarshal(body, &one) != nil {
			return nil, errBody
		}
		items = []Item{one}
	}
	if len(items) < 1 || len(items) > maxItems {
		return nil, errBody
	}
	seen := map[string]bool{}
	out := items[:0]
	for _, i := range items {
		if len(i.Token) > maxKey || len(i.URL) > maxURL {
			return nil, errBody
		}
		i.Token, i.URL = strings.TrimSpace(i.Token), clean(i.URL)
		if i.Token != "" && !seen[i.Token] {
			seen[i.Token] = true
			out = append(out, i)
		}
	}
	return out, nil
}

// clean removes what changes how a text is shown.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r == unicode.ReplacementChar || !unicode.IsPrint(r) || unicode.Is(unicode.Bidi_Control, r) {
			return -1
		}
		return r
	}, s)
}

// work looks for the keys, and acts on those that exist.
func (s *Service) work(ctx context.Context, r control.OpenRequest, items []Item) error {
	hashes, urls := make([]tenants.KeyHash, len(items)), map[tenants.KeyHash]string{}
	for i, item := range items {
		hashes[i] = s.DB.Hasher().Hash(item.Token)
		urls[hashes[i]] = item.URL
	}
	found, err := s.DB.Leaked(ctx, hashes)
	if err != nil {
		return err
	}
	var all []error
	for _, k := range found.Keys {
		if k.Type == tenants.KeySecret { // the others are public
			all = append(all, s.key(ctx, r, k, urls[k.Hash]))
		}
	}
	for hash, t := range found.AccessTokens {
		all = append(all, s.accessToken(ctx, r, t, urls[hash]))
	}
	for hash, t := range found.ServiceTokens {
		all = append(all, s.serviceToken(ctx, r, t, urls[hash]))
	}
	all = append(all, s.legacy(ctx, r, items)...)
	s.Noted()
	return errors.Join(all...)
}

// entry is the audit entry of a leak.
func (s *Service) entry(r control.OpenRequest, organization uuid.UUID, ref tenants.Ref, detail map[string]any) controldb.AuditEntry {
	raw, _ := json.Marshal(detail) // texts and switches
	return controldb.AuditEntry{
		ID: uuid.New(), OrganizationID: organization, Ref: ref, At: s.Now(), Service: actor, Action: "report-leaked-key",
		Object: Path, Result: controldb.AuditDone, IP: r.IP, RequestID: fault.Clip(r.ID, 200), Detail: raw,
	}
}

// key revokes a secret key, or only notes the leak if the project's settings say so.
func (s *Service) key(ctx context.Context, r control.OpenRequest, k controldb.APIKey, url string) error {
	revoked, fresh := false, false
	err := s.DB.Tx(ctx, func(tx *controldb.Tx) error {
		p, err := tx.LockProject(ctx, k.Ref)
		if err != nil {
			return err
		}
		config, err := tx.AuthConfigVersion(ctx, p.Ref, p.ConfigVersion)
		if err != nil {
			return err
		}
		if revoked = config.Config.RevokeLeakedKeys; revoked {
			if err := tx.DeleteAPIKey(ctx, k.Ref, k.ID); err != nil {
				return err
			}
		}
		fresh, err = tx.NoteLeak(ctx, controldb.LeakNotice{
			ID: uuid.New(), At: s.Now(), Subject: "key " + k.ID.String(), OrganizationID: &p.OrganizationID,
			Kind: "secret key", Name: k.Name, Project: p.Name, Revoked: revoked,
		})
		if err != nil || !fresh && !revoked {
			return err
		}
		return tx.AppendAudit(ctx, s.DB, s.entry(r, p.OrganizationID, p.Ref, map[string]any{
			"kind": "secret", "id": k.ID, "name": k.Name, "found_at": url, "revoked": revoked,
		}))
	})
	if fault.From(err).Kind == fault.NotFound && err != nil { // deleted meanwhile
		return nil
	}
	if err != nil {
		return err
	}
	if revoked {
		s.Changed(k.Ref)
	}
	if fresh || revoked {
		s.tell(ctx, k.Ref, k.Name, url, revoked)
	}
	return nil
}

// tell adds an entry to the project's log.
func (s *Service) tell(ctx context.Context, ref tenants.Ref, name, url string, revoked bool) {
	message := "A secret of the project was reported as leaked. It still works: replace it."
	if revoked {
		message = "A secret key of the project was reported as leaked, and was revoked."
	}
	s.Project.Add(ctx, projectlog.Entry{
		Project: string(ref), At: s.Now(), Level: projectlog.Error, Code: "api_key_leaked", Message: message,
		Detail: map[string]any{"name": name, "found_at": url, "revoked": revoked},
	})
}

// accessToken revokes a user's access token, and notes it in the log of each of the
// user's organizations.
func (s *Service) accessToken(ctx context.Context, r control.OpenRequest, t controldb.AccessToken, url string) error {
	orgs, err := s.DB.OrganizationsOf(ctx, t.UserID)
	if err != nil {
		return err
	}
	err = s.DB.Tx(ctx, func(tx *controldb.Tx) error {
		if err := tx.RevokeAccessToken(ctx, t.ID); err != nil {
			return err
		}
		_, err := tx.NoteLeak(ctx, controldb.LeakNotice{
			ID: uuid.New(), At: s.Now(), Subject: "access token " + t.ID.String(), UserID: &t.UserID, Kind: "access token", Name: t.Name, Revoked: true,
		})
		for _, o := range orgs {
			if err == nil {
				err = tx.AppendAudit(ctx, s.DB, s.entry(r, o.ID, "", map[string]any{
					"kind": "access_token", "id": t.ID, "name": t.Name, "user": t.UserID, "found_at": url, "revoked": true,
				}))
			}
		}
		return err
	})
	if fault.From(err).Kind == fault.NotFound && err != nil {
		return nil
	}
	return err
}

// serviceToken revokes a service token of an organization.
func (s *Service) serviceToken(ctx context.Context, r control.OpenRequest, t controldb.ServiceToken, url string) error {
	err := s.DB.Tx(ctx, func(tx *controldb.Tx) error {
		if err := tx.DeleteServiceToken(ctx, t.OrganizationID, t.ID); err != nil {
			return err
		}
		_, err := tx.NoteLeak(ctx, controldb.LeakNotice{
			ID: uuid.New(), At: s.Now(), Subject: "service token " + t.ID.String(), OrganizationID: &t.OrganizationID,
			Kind: "service token", Name: t.Name, Revoked: true,
		})
		if err != nil {
			return err
		}
		return tx.AppendAudit(ctx, s.DB, s.entry(r, t.OrganizationID, "", map[string]any{
			"kind": "service_token", "id": t.ID, "name": t.Name, "found_at": url, "revoked": true,
		}))
	})
	if fault.From(err).Kind == fault.NotFound && err != nil {
		return nil
	}
	return err
}

// legacy notes the leak of legacy service_role keys. They end only with the secret
// that all legacy keys and maybe sessions are signed with, which is for a person to
// decide.
func (s *Service) legacy(ctx context.Context, r control.OpenRequest, items []Item) (all []error) {
	tried := 0
	for _, item := range items {
		if strings.Count(item.Token, ".") != 2 {
			continue
		}
		if tried++; tried > maxLegacy {
			return all
		}
		ref, role, err := s.Legacy(ctx, item.Token)
		if err != nil {
			if k := fault.From(err).Kind; k == fault.Internal || k == fault.Unavailable {
				all = append(all, err)
			}
			continue
		}
		if role == tenants.RoleService {
			all = append(all, s.legacyKey(ctx, r, ref, item.URL))
		}
	}
	return all
}

func (s *Service) legacyKey(ctx context.Context, r control.OpenRequest, ref tenants.Ref, url string) error {
	const name = "service_role"
	fresh := false
	err := s.DB.Tx(ctx, func(tx *controldb.Tx) error {
		p, err := tx.LockProject(ctx, ref)
		if err != nil {
			return err
		}
		fresh, err = tx.NoteLeak(ctx, controldb.LeakNotice{
			ID: uuid.New(), At: s.Now(), Subject: "legacy key of " + string(ref), OrganizationID: &p.OrganizationID,
			Kind: "legacy key", Name: name, Project: p.Name,
		})
		if err != nil || !fresh {
			return err
		}
		return tx.AppendAudit(ctx, s.DB, s.entry(r, p.OrganizationID, ref, map[string]any{
			"kind": "legacy", "name": name, "found_at": url, "revoked": false,
		}))
	})
	if err == nil && fresh {
		s.tell(ctx, ref, name, url, false)
	}
	return err
}

// Path is where reports are sent.
const Path = "/v1/leaked-keys"
