package sqlrun

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// MaxParameters is Postgres' bound of the parameters of a statement.
const MaxParameters = 65535

// DecodeParameters decodes values for Query.Parameters.
func DecodeParameters(values []json.RawMessage) ([]any, error) {
	out := make([]any, len(values))
	for i, raw := range values {
		d := json.NewDecoder(bytes.NewReader(raw))
		d.UseNumber()
		if err := d.Decode(&out[i]); err != nil {
			return nil, ErrParameters.Because(err)
		}
	}
	return out, nil
}

// encodeParameters returns the values as Postgres' texts, whose types it infers: an
// array as an array literal, an object as JSON.
func encodeParameters(values []any) ([][]byte, error) {
	if len(values) > MaxParameters {
		return nil, ErrParameters.Saying(fmt.Sprintf("parameters: must be at most %d", MaxParameters))
	}
	out := make([][]byte, len(values))
	for i, value := range values {
		if value == nil {
			continue
		}
		var b strings.Builder
		if err := writeParameter(&b, value, 0); err != nil {
			return nil, err
		}
		out[i] = []byte(b.String())
	}
	return out, nil
}

// writeParameter writes a value. depth is that of the arrays around it.
func writeParameter(b *strings.Builder, value any, depth int) error {
	switch v := value.(type) {
	case nil:
		b.WriteString("NULL")
	case string:
		if depth == 0 {
			b.WriteString(v)
		} else {
			quoteElement(b, v)
		}
	case bool, json.Number:
		fmt.Fprint(b, v)
	case []any:
		if depth == maxDimensions {
			return ErrParameters.Saying("parameters: an array has at most 6 dimensions")
		}
		b.WriteByte('{')
		for i, element := range v {
			if i > 0 {
				b.WriteByte(',')
			}
			if err := writeParameter(b, element, depth+1); err != nil {
				return err
			}
		}
		b.WriteByte('}')
	default:
		raw, err := json.Marshal(v)
		if err != nil {
			return ErrParameters.Because(err)
		}
		return writeParameter(b, string(raw), depth)
	}
	return nil
}

// quoteElement writes an element of an array literal.
func quoteElement(b *strings.Builder, text string) {
	b.WriteByte('"')
	b.WriteString(strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text))
	b.WriteByte('"')
}
