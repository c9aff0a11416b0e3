package message

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
	text "text/template"
	"text/template/parse"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
)

// Preview is a mail with sample data, and what is wrong with its templates. A
// faulty template is replaced by the default, as when the mail is sent.
type Preview struct {
	Message Message
	Faults  []TemplateFault
}

// TemplateFault is an error of a template.
type TemplateFault struct {
	Subject bool // else of the content
	// Line and Column are where it is, from 1, the column in characters; 0 when
	// that is unknown.
	Line, Column int
	Reason       string
	// Large says that the template only fails for users with much metadata.
	Large bool
}

// Test returns a mail with fixed contents.
func Test(to, subject, html, text string) Message {
	return Message{ID: uuid.New(), Channel: Email, Kind: "test", To: oneLine(to), Subject: clip(oneLine(subject), maxSubject), HTML: html, Text: text, CreatedAt: time.Now().UTC()}
}

// SampleData is what a preview shows, with links of a project's.
func SampleData(kind Kind, name, siteURL, issuer string) Data {
	d := sample()
	d.ProjectName, d.SiteURL, d.RedirectTo = name, siteURL, siteURL
	verify := map[Kind]string{
		Confirmation: "signup", Invite: "invite", Recovery: "recovery", MagicLink: "magiclink", EmailChange: "email_change",
	}[kind]
	if kind == NewDevice {
		d.ConfirmationURL, d.Token = issuer+"/session/report?token="+d.TokenHash, ""
		return d
	}
	if slices.Contains(Notices(), kind) {
		d.Token, d.TokenHash = "", ""
	}
	if d.ConfirmationURL = ""; verify != "" {
		d.ConfirmationURL = issuer + "/verify?token=" + d.TokenHash + "&type=" + verify + "&redirect_to=" + siteURL
	}
	return d
}

// Preview renders a mail as Render does, after its turn has come; errors as Check,
// and ErrUnknownKind.
func (c *Checker) Preview(ctx context.Context, kind Kind, own Template, to string, d Data) (p Preview, err error) {
	if err := c.slots.Acquire(ctx, 1); err != nil {
		return p, fmt.Errorf("wait for the preview of a template: %w", err)
	}
	defer c.slots.Release(1)
	if p.Message, err = Render(kind, own, to, d); err != nil {
		return p, err
	}
	for _, part := range []struct {
		subject bool
		source  string
		render  func(Kind, string, variables) (string, error)
	}{{true, own.Subject, renderSubject}, {false, own.Content, renderBody}} {
		if part.source == "" {
			continue
		}
		if _, err := part.render(kind, part.source, d.variables(to)); err != nil {
			p.Faults = append(p.Faults, faultOf(part.subject, part.source, err))
			continue
		}
		if _, err := part.render(kind, part.source, largeSample().variables(to)); err != nil {
			f := faultOf(part.subject, part.source, err)
			f.Large = true
			p.Faults = append(p.Faults, f)
		}
	}
	return p, nil
}

// positioned is an error at a place in a template.
type positioned struct {
	pos parse.Pos
	err error
}

// Error is the error alone.
func (p *positioned) Error() string { return p.err.Error() }

// Unwrap returns it.
func (p *positioned) Unwrap() error { return p.err }

// placed adds a place to an error that has none.
func placed(pos parse.Pos, err error) error {
	var known *positioned
	if errors.As(err, &known) {
		return err
	}
	return &positioned{pos, err}
}

// located matches the beginning of an error of the template packages.
var located = regexp.MustCompile(`^\w+:(\d+)(?::(\d+))?: `)

// faultOf finds where an error is.
func faultOf(subject bool, source string, err error) TemplateFault {
	f := TemplateFault{Subject: subject, Reason: reason(err)}
	var known *positioned
	if errors.As(err, &known) {
		f.Line, f.Column = lineAndColumn(source, int(known.pos))
		return f
	}
	found := located.FindStringSubmatch(f.Reason)
	if found == nil {
		return f
	}
	f.Reason = f.Reason[len(found[0]):]
	f.Line, _ = strconv.Atoi(found[1])
	begin := lineBegin(source, f.Line)
	if found[2] != "" {
		column, _ := strconv.Atoi(found[2]) // bytes, from 0
		_, f.Column = lineAndColumn(source, begin+column)
		return f
	}
	if offset, ok := actionWith(source, begin, err); ok {
		_, f.Column = lineAndColumn(source, offset)
	}
	return f
}

// lineAndColumn returns the line and column of an offset.
func lineAndColumn(source string, offset int) (line, column int) {
	before := source[:max(0, min(offset, len(source)))]
	begin := strings.LastIndexByte(before, '\n') + 1
	return 1 + strings.Count(before, "\n"), 1 + utf8.RuneCountInString(before[begin:])
}

// lineBegin is the offset of a line.
func lineBegin(source string, line int) (offset int) {
	for ; line > 1; line-- {
		i := strings.IndexByte(source[offset:], '\n')
		if i < 0 {
			break
		}
		offset += i + 1
	}
	return offset
}

// actionWith finds the action of a line that a parse error is about, because the
// parser tells the line only: the first one up to whose end the source has the same
// error.
func actionWith(source string, begin int, err error) (offset int, ok bool) {
	line := source[begin:]
	if i := strings.IndexByte(line, '\n'); i >= 0 {
		line = line[:i]
	}
	var actions []int
	for i := 0; ; {
		n := strings.Index(line[i:], "{{")
		if n < 0 {
			break
		}
		actions = append(actions, begin+i+n)
		i += n + 2
	}
	if len(actions) == 0 {
		return 0, false
	}
	name, _, _ := strings.Cut(strings.TrimPrefix(err.Error(), "template: "), ":")
	i := sort.Search(len(actions), func(i int) bool {
		end := len(source)
		if n := strings.Index(source[actions[i]:], "}}"); n >= 0 {
			end = actions[i] + n + 2
		}
		_, got := text.New(name).Funcs((&meter{}).funcs()).Parse(source[:end])
		return got != nil && got.Error() == err.Error()
	})
	if i == len(actions) {
		return 0, false
	}
	return actions[i], true
}
