package sqlrun

import (
	"encoding/json"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/reevehq/reeve/internal/fault"
)

// ErrNoSuchUser is returned for a caller who is no user of the project.
var ErrNoSuchUser = fault.New(fault.Invalid, "user_not_found", "run_as: the project has no such user")

// Run is a statement, with who runs it.
type Run struct {
	SQL        string
	Parameters []any // as Query.Parameters
	ReadOnly   bool
	// As, when set, runs the SQL as a caller of the project's API, in a transaction
	// that is rolled back unless Commit is set. Such SQL is one statement.
	As     *Caller
	Commit bool
	// Explain asks for the plan instead of the rows: ExplainPlan, or ExplainAnalyze,
	// which runs the statement. It is rolled back like a caller's.
	Explain string
	// Keep is how many rows are returned; the others are only counted.
	Keep int
}

// The values of Run.Explain.
const (
	ExplainPlan    = "plan"
	ExplainAnalyze = "analyze"
)

// Caller is whom a request to the project's API comes from.
type Caller struct {
	Role   string // anon, authenticated, service_role, or "" for the owner
	UserID string // "" for nobody
	// Claims are added to those of the user, or replace them.
	Claims map[string]any
}

// Detailed is the outcome of a Run.
type Detailed struct {
	Columns   []Column
	Rows      []json.RawMessage // arrays, in the order of the columns
	Count     int               // of all rows
	Truncated bool              // some rows are not in Rows
	Commands  []string
	Notices   []Notice
	Duration  time.Duration // of the statement, with the way to the server
	Committed bool
	Claims    json.RawMessage // that policies saw; nil without a Caller
}

// Column is a column of a result.
type Column struct {
	Name string
	Type string // as Postgres names it, such as int4 or text
	oid  uint32
}

// Notice is what the SQL said by RAISE NOTICE and the like.
type Notice struct {
	Severity string `json:"severity"`
	Code     string `json:"code"`
	Message  string `json:"message"`
	Detail   string `json:"detail"`
	Hint     string `json:"hint"`
}

// maxNotices bounds the notices that are kept.
const maxNotices = 100

// Run runs SQL, and describes the result of its last statement that has one.
func (s *Session) Run(r Run) (Detailed, error) {
	parameters, err := encodeParameters(r.Parameters)
	if err != nil {
		return Detailed{}, err
	}
	inTransaction := r.As != nil || r.ReadOnly || r.Explain != ""
	out := Detailed{}
	if inTransaction {
		if out.Claims, err = s.become(r); err != nil {
			return out, err
		}
	}
	sql := r.SQL
	switch r.Explain {
	case ExplainPlan:
		sql = "EXPLAIN (FORMAT JSON) "
	case ExplainAnalyze:
		sql = "EXPLAIN (FORMAT JSON, ANALYZE, BUFFERS) "
	}
	if r.Explain != "" {
		s.offset = utf8.RuneCountInString(sql)
		sql += r.SQL
	}
	s.detailed, s.keep, s.seen, s.columns, s.notices = true, r.Keep, 0, nil, nil
	began := time.Now()
	var result Result
	if inTransaction || len(parameters) > 0 {
		result, err = s.statement(sql, parameters)
	} else {
		result, err = s.Script(sql)
	}
	out.Duration = time.Since(began)
	s.detailed, s.offset = false, 0
	if err != nil {
		return out, err
	}
	out.Columns, out.Rows, out.Count, out.Commands, out.Notices = s.columns, result.Rows, s.seen, result.Commands, s.notices
	out.Truncated = out.Count > len(out.Rows)
	if !inTransaction {
		if s.status != 'I' {
			return Detailed{}, ErrOpen
		}
		return out, s.nameTypes(out.Columns)
	}
	if err := s.nameTypes(out.Columns); err != nil {
		return out, err
	}
	if s.status == 'I' { // the statement was COMMIT or ROLLBACK, before which nothing ran
		return out, nil
	}
	end := "ROLLBACK"
	if r.Commit && !r.ReadOnly && r.Explain == "" {
		end, out.Committed = "COMMIT", true
	}
	_, err = s.Script(end)
	return out, err
}

// become begins the transaction of a caller, and returns the claims that its policies
// see, in the settings in which PostgREST has them.
func (s *Session) become(r Run) (claims json.RawMessage, err error) {
	begin := "BEGIN"
	if r.ReadOnly {
		begin = "BEGIN TRANSACTION READ ONLY"
	}
	// After a first query nothing makes the transaction read-write.
	for _, sql := range []string{begin, "SELECT 1"} {
		if _, err := s.Script(sql); err != nil {
			return nil, err
		}
	}
	if r.As == nil {
		return nil, nil
	}
	if claims, err = s.claims(*r.As); err != nil {
		return nil, err
	}
	_, err = s.Statement(`SELECT pg_catalog.set_config('request.jwt.claims', $1::pg_catalog.text, true)`, string(claims))
	if err == nil && r.As.Role != "" {
		// The last statement of ours: whatever runs after it has the caller's rights.
		_, err = s.Script("SET LOCAL ROLE " + quoteName(r.As.Role))
	}
	return claims, err
}

// userClaims are those of a user's access token that the database knows.
const userClaims = `SELECT pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object(
		'sub', u.id, 'aud', u.aud, 'email', coalesce(u.email, ''), 'phone', coalesce(u.phone, ''), 'is_anonymous', u.is_anonymous,
		'app_metadata', u.raw_app_meta_data, 'user_metadata', u.raw_user_meta_data)) AS claims
	FROM auth.users u WHERE u.id = $1::pg_catalog.uuid`

// claims returns those of a caller; ErrNoSuchUser.
func (s *Session) claims(c Caller) (json.RawMessage, error) {
	claims := map[string]any{}
	if c.UserID != "" {
		out, err := s.Statement(userClaims, c.UserID)
		if err != nil {
			return nil, err
		}
		if len(out.Rows) != 1 {
			return nil, ErrNoSuchUser
		}
		var row struct{ Claims map[string]any }
		if err := json.Unmarshal(out.Rows[0], &row); err != nil {
			return nil, ErrNoSuchUser.Because(err)
		}
		claims = row.Claims
		claims["aal"] = "aal1"
	}
	if c.Role != "" {
		claims["role"] = c.Role
	}
	for name, value := range c.Claims {
		claims[name] = value
	}
	return json.Marshal(claims)
}

// Objects returns the rows as objects; of columns with the same name the last one
// counts.
func (d Detailed) Objects() ([]json.RawMessage, error) {
	out := make([]json.RawMessage, len(d.Rows))
	for i, row := range d.Rows {
		var values []json.RawMessage
		if err := json.Unmarshal(row, &values); err != nil {
			return nil, err
		}
		last := map[string]int{}
		for k, c := range d.Columns {
			last[c.Name] = k
		}
		object := []byte{'{'}
		for k, c := range d.Columns {
			if k >= len(values) || last[c.Name] < 0 {
				continue
			}
			if len(object) > 1 {
				object = append(object, ',')
			}
			object = append(append(append(object, text([]byte(c.Name))...), ':'), values[last[c.Name]]...)
			last[c.Name] = -1
		}
		out[i] = append(object, '}')
	}
	return out, nil
}

// describe begins a result.
func (s *Session) describe(fields []pgproto3.FieldDescription) {
	s.result = newResult(fields)
	if !s.detailed {
		return
	}
	s.seen, s.columns = 0, make([]Column, len(fields))
	for i, f := range fields {
		s.columns[i] = Column{Name: clip(string(f.Name)), oid: f.DataTypeOID}
	}
}

// detail keeps a row, or counts it.
func (s *Session) detail(m *pgproto3.DataRow) error {
	if s.seen++; s.seen > maxRows {
		return ErrTooLarge
	}
	if len(s.rows) >= s.keep {
		for _, v := range m.Values {
			s.bytes += len(v)
		}
		if s.bytes > maxBytes {
			return ErrTooLarge
		}
		return nil
	}
	row := []byte{'['}
	for i, v := range m.Values {
		if i > 0 {
			row = append(row, ',')
		}
		row = append(row, encode(s.columns[i].oid, v)...)
	}
	row = append(row, ']')
	if s.bytes += len(row); s.bytes > maxBytes {
		return ErrTooLarge
	}
	s.rows = append(s.rows, row)
	return nil
}

func (s *Session) notice(m *pgproto3.NoticeResponse) {
	if s.detailed && len(s.notices) < maxNotices {
		s.notices = append(s.notices, Notice{
			Severity: clip(m.SeverityUnlocalized), Code: clip(m.Code), Message: clip(m.Message), Detail: clip(m.Detail), Hint: clip(m.Hint),
		})
	}
}

// wellKnown has the names of Postgres' own types.
var wellKnown = pgtype.NewMap()

// nameTypes fills in the names of types. Those of the developer are asked for.
func (s *Session) nameTypes(columns []Column) error {
	names := map[uint32]string{}
	var unknown []any
	for _, c := range columns {
		if t, ok := wellKnown.TypeForOID(c.oid); ok {
			names[c.oid] = t.Name
		} else if _, asked := names[c.oid]; !asked {
			names[c.oid] = ""
			unknown = append(unknown, json.Number(strconv.FormatUint(uint64(c.oid), 10)))
		}
	}
	if len(unknown) > 0 {
		out, err := s.Statement(`SELECT t.o AS oid, pg_catalog.format_type(t.o, NULL) AS name FROM pg_catalog.unnest($1::pg_catalog.oid[]) AS t(o)`, unknown)
		if err != nil {
			return err
		}
		for _, row := range out.Rows {
			var found struct {
				OID  uint32
				Name string
			}
			if json.Unmarshal(row, &found) == nil {
				names[found.OID] = found.Name
			}
		}
	}
	for i := range columns {
		columns[i].Type = names[columns[i].oid]
	}
	return nil
}

// quoteName quotes an identifier.
func quoteName(name string) string {
	out := []byte{'"'}
	for i := range len(name) {
		if name[i] == '"' {
			out = append(out, '"')
		}
		out = append(out, name[i])
	}
	return string(append(out, '"'))
}
