package sqlrun

import (
	"errors"
	"net"
	"os"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/fault"
)

// errFailed is session.read's error when the server has answered with one.
var errFailed = errors.New("the server reports an error")

// maxText bounds each text of an error of the server, in bytes: the developer's
// functions raise errors of any size.
const maxText = 2000

// explain makes an error of read a fault.
func (s *Session) explain(err error, sql string) error {
	var tooLong *pgproto3.ExceededMaxBodyLenErr
	var network net.Error
	switch {
	case errors.Is(err, errFailed):
		return explain(s.failed, sql, s.offset)
	case errors.Is(err, ErrTooLarge), errors.Is(err, ErrCopy):
		return err
	case errors.As(err, &tooLong), errors.Is(err, auth.ErrAnswerTooLarge):
		return ErrTooLarge.Because(err)
	case s.ctx.Err() != nil, errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &network) && network.Timeout():
		return ErrTimeout.Because(err)
	case s.failed != nil:
		return explain(s.failed, sql, s.offset)
	default:
		return ErrInterrupted.Because(err)
	}
}

// explain makes an error of the server a fault, in the form in which psql prints it.
// offset is how many characters the server got before the developer's.
func explain(e *pgproto3.ErrorResponse, sql string, offset int) error {
	if offset > 0 {
		shifted := *e
		shifted.Position = max(0, e.Position-int32(offset)) //nolint:gosec // of a prefix of ours
		e, sql = &shifted, string([]rune(sql)[min(offset, utf8.RuneCountInString(sql)):])
	}
	switch {
	case e.Code == "57014":
		return ErrTimeout.Saying(ErrTimeout.Message+" ("+clip(e.Message)+")").With("sqlstate", e.Code)
	case strings.HasPrefix(e.Code, "57P"), e.Code == "25P03":
		return ErrInterrupted.Saying(ErrInterrupted.Message+" ("+clip(e.Message)+")").With("sqlstate", e.Code)
	}
	var b strings.Builder
	b.WriteString(ErrFailed.Message + ": " + clip(e.Severity) + ":  " + e.Code + ": " + clip(e.Message) + "\n")
	if line, number, column, ok := lineAt(sql, int(e.Position)); ok {
		prefix := "LINE " + strconv.Itoa(number) + ": "
		b.WriteString(prefix + line + "\n" + strings.Repeat(" ", utf8.RuneCountInString(prefix)+column) + "^\n")
	}
	for _, part := range []struct{ name, text string }{
		{"DETAIL", e.Detail}, {"HINT", e.Hint}, {"QUERY", e.InternalQuery}, {"CONTEXT", e.Where},
	} {
		if part.text != "" {
			b.WriteString(part.name + ":  " + clip(part.text) + "\n")
		}
	}
	f := ErrFailed.Saying(b.String()).With("sqlstate", e.Code)
	if e.Position > 0 {
		f = f.With("position", int(e.Position))
	}
	return f
}

func clip(text string) string { return fault.Clip(text, maxText) }

// maxLine bounds the line of the query that an error shows, in characters.
const maxLine = 200

// lineAt returns the line of the character at a position from 1, its number from 1,
// and the character's column from 0.
func lineAt(sql string, position int) (line string, number, column int, ok bool) {
	runes := []rune(sql)
	if position < 1 || position > len(runes)+1 {
		return "", 0, 0, false
	}
	at, begin, number := position-1, 0, 1
	for i, r := range runes[:at] {
		if r == '\n' {
			begin, number = i+1, number+1
		}
	}
	end := at
	for end < len(runes) && runes[end] != '\n' {
		end++
	}
	column = at - begin
	if end-begin > maxLine { // show what is around the position
		from := max(begin, at-maxLine/2)
		begin, column, end = from, at-from, min(end, from+maxLine)
	}
	return strings.TrimRight(strings.ReplaceAll(string(runes[begin:end]), "\t", " "), "\r"), number, column, true
}
