package user

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/authz"
	"github.com/reevehq/reeve/internal/control/text"
	"github.com/reevehq/reeve/internal/web/control"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// exportBatch is the number of users that an export holds in memory. Each batch is a
// statement of its own, so that an export keeps no connection and no snapshot.
const exportBatch = 1000

type exportInput struct {
	Ref string `path:"ref"`
	FilterInput
	Format string `query:"format" enum:"csv,ndjson" default:"csv"`
	After  string `query:"after" maxLength:"36" doc:"The id of the last user that was received: go on after it."`
	Limit  int    `query:"limit" minimum:"1" maximum:"100000" default:"100000" doc:"Fewer users than this are the last ones."`
}

// Export writes users in the order of their ids.
func (s *Service) Export(ctx context.Context, actor authz.Actor, in *exportInput, out *control.Stream) error {
	sc, err := s.open(ctx, actor, authz.ReadUsers, in.Ref)
	if err != nil {
		return err
	}
	after := uuid.Nil
	if in.After != "" {
		var ok bool
		if after, ok = parseID(in.After); !ok {
			return text.Invalid("after: must be the id of a user")
		}
	}
	control.Outcome(ctx, map[string]any{"format": in.Format, "limit": in.Limit, "after": in.After, "filtered": in.filtered()})
	write, kind := csvLine, "text/csv; charset=utf-8"
	if in.Format == "ndjson" {
		write, kind = jsonLine, "application/x-ndjson"
	}
	filter := in.filter(s.Now())
	for sent := 0; ; {
		batch, err := s.batch(ctx, sc, filter, after, min(exportBatch, in.Limit-sent))
		if err != nil {
			return slow(err) // before the first part it is answered
		}
		var part bytes.Buffer
		if sent == 0 {
			out.Begin(kind, "users-"+string(sc.Tenant.Ref)+"."+in.Format)
			if in.Format == "csv" {
				part.WriteString(strings.Join(columns, ",") + "\n")
			}
		}
		for _, u := range batch {
			if err := write(&part, summaryOf(u)); err != nil {
				return err
			}
			after = u.ID
		}
		if _, err := out.Write(part.Bytes()); err != nil {
			return fmt.Errorf("send export: %w", err)
		}
		out.Flush()
		sent += len(batch)
		if len(batch) < exportBatch || sent >= in.Limit {
			return nil
		}
	}
}

// filtered reports whether an export leaves users out.
func (in *FilterInput) filtered() bool { return *in != (FilterInput{}) }

func (s *Service) batch(ctx context.Context, sc *tenants.Scope, f tenantdb.UserFilter, after uuid.UUID, limit int) (list []tenantdb.UserSummary, err error) {
	err = sc.DB.Tx(ctx, func(tx *tenantdb.Tx) error {
		if err := tx.Limited(ctx, pageTimeout); err != nil {
			return err
		}
		x, err := tx.UserIndexes(ctx)
		if err != nil {
			return err
		}
		list, err = tx.UsersByIDOrder(ctx, f, x, after, limit)
		return err
	})
	return list, err
}

// columns are those of the CSV.
var columns = []string{
	"id", "email", "phone", "name", "role", "providers", "email_confirmed_at", "phone_confirmed_at", "invited_at", "last_sign_in_at",
	"created_at", "updated_at", "banned_until", "deleted_at", "is_anonymous", "is_sso_user",
}

func csvLine(to *bytes.Buffer, u Summary) error {
	at := func(t *time.Time) string {
		if t == nil {
			return ""
		}
		return t.UTC().Format(time.RFC3339Nano)
	}
	w := csv.NewWriter(to)
	err := w.Write([]string{
		u.ID, cell(u.Email), cell(u.Phone), cell(u.Name), cell(u.Role), cell(strings.Join(u.Providers, " ")), at(u.EmailConfirmedAt), at(u.PhoneConfirmedAt),
		at(u.InvitedAt), at(u.LastSignInAt), at(&u.CreatedAt), at(&u.UpdatedAt), at(u.BannedUntil), at(u.DeletedAt),
		strconv.FormatBool(u.IsAnonymous), strconv.FormatBool(u.IsSSO),
	})
	w.Flush()
	return err
}

// cell keeps a spreadsheet from taking what a user wrote for a formula (OWASP, CSV
// injection).
func cell(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20", []rune(s)[0]) {
		return "'" + s
	}
	return s
}

func jsonLine(to *bytes.Buffer, u Summary) error { return json.NewEncoder(to).Encode(u) }
