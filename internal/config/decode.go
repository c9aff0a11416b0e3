package config

import (
	"errors"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// leaf is one setting: its field in the Config and its two names.
type leaf struct {
	key, variable string
	value         reflect.Value
}

// leaves lists the settings below v, a section.
func leaves(v reflect.Value, prefix string) []leaf {
	var out []leaf
	for i := range v.NumField() {
		field := v.Type().Field(i)
		key := prefix + field.Tag.Get("yaml")
		if field.Type.Kind() == reflect.Struct {
			out = append(out, leaves(v.Field(i), key+".")...)
			continue
		}
		out = append(out, leaf{key: key, variable: field.Tag.Get("env"), value: v.Field(i)})
	}
	return out
}

// decodeVariables reads every REEVE_* variable. An empty one counts as not set,
// because compose files pass unset variables on as empty.
func decodeVariables(c *Config, lookup Lookup) (problems Problems) {
	for _, f := range leaves(reflect.ValueOf(c).Elem(), "") {
		text, ok := lookup(f.variable)
		if !ok || strings.TrimSpace(text) == "" {
			continue
		}
		items := []string{text}
		if f.value.Kind() == reflect.Slice {
			items = strings.Split(text, ",")
		}
		if err := set(f.value, items); err != nil {
			problems.add(f.key, "%v", err)
		}
	}
	return problems
}

// decodeYAML reads the file; an unknown key is a problem.
func decodeYAML(c *Config, text []byte) (problems Problems) {
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return Problems{{Text: "the configuration file is not YAML" + lineOf(err)}}
	}
	if len(doc.Content) == 0 {
		return nil // an empty file
	}
	known := map[string]leaf{}
	for _, f := range leaves(reflect.ValueOf(c).Elem(), "") {
		known[f.key] = f
	}
	d := decoder{known: known, seen: map[string]bool{}}
	d.section(doc.Content[0], "")
	return d.problems
}

// decoder walks a document.
type decoder struct {
	known    map[string]leaf
	seen     map[string]bool
	problems Problems
}

func (d *decoder) section(n *yaml.Node, prefix string) {
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		return // a section without keys
	}
	if n.Kind != yaml.MappingNode {
		d.problems.add(strings.TrimSuffix(prefix, "."), "line %d: must be a mapping of keys", n.Line)
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, value := n.Content[i], n.Content[i+1]
		d.entry(prefix+name.Value, name, value)
	}
}

func (d *decoder) entry(key string, name, value *yaml.Node) {
	if d.seen[key] {
		d.problems.add(key, "line %d: stands there twice", name.Line)
		return
	}
	d.seen[key] = true
	if f, ok := d.known[key]; ok {
		if err := setNode(f.value, value); err != nil {
			d.problems.add(key, "line %d: %v", value.Line, err)
		}
		return
	}
	for k := range d.known {
		if strings.HasPrefix(k, key+".") {
			d.section(value, key+".")
			return
		}
	}
	meant := suggestion(key, d.known)
	if meant != "" {
		meant = "; did you mean " + meant + "?"
	}
	d.problems.add(key, "line %d: unknown key%s", name.Line, meant)
}

func setNode(v reflect.Value, n *yaml.Node) error {
	switch {
	case n.Kind == yaml.ScalarNode && n.Tag == "!!null":
		return nil // keeps the default
	case n.Kind == yaml.ScalarNode:
		return set(v, []string{n.Value})
	case n.Kind != yaml.SequenceNode || v.Kind() != reflect.Slice:
		return errors.New("must be a single value")
	}
	if len(n.Content) == 0 {
		v.Set(reflect.MakeSlice(v.Type(), 0, 0))
		return nil
	}
	items := make([]string, len(n.Content))
	for i, item := range n.Content {
		if item.Kind != yaml.ScalarNode {
			return errors.New("must be a list of single values")
		}
		items[i] = item.Value
	}
	return set(v, items)
}

// set parses text into v, a setting. Its errors do not repeat the text.
func set(v reflect.Value, text []string) error {
	one := strings.TrimSpace(text[0])
	switch v.Interface().(type) {
	case string:
		v.SetString(one)
	case bool:
		b, err := strconv.ParseBool(one)
		if err != nil {
			return errors.New("must be true or false")
		}
		v.SetBool(b)
	case int:
		n, err := strconv.Atoi(one)
		if err != nil {
			return errors.New("must be a whole number")
		}
		v.SetInt(int64(n))
	case time.Duration:
		d, err := time.ParseDuration(one)
		if err != nil {
			return errors.New(`must be a duration such as "10s" or "5m"`)
		}
		v.SetInt(int64(d))
	case []string:
		v.Set(reflect.ValueOf(trimmed(text)))
	}
	return nil
}

func trimmed(text []string) []string {
	out := make([]string, 0, len(text))
	for _, t := range text {
		if t = strings.TrimSpace(t); t != "" {
			out = append(out, t)
		}
	}
	return out
}

var yamlLine = regexp.MustCompile(`line \d+`)

// lineOf keeps the line of a YAML error and removes the text, which may be a
// secret.
func lineOf(err error) string {
	if line := yamlLine.FindString(err.Error()); line != "" {
		return ": " + line
	}
	return ""
}
