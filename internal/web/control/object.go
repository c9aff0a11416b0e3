package control

import "github.com/danielgtaylor/huma/v2"

// ObjectSchema describes, in the OpenAPI document, a JSON object without a Go
// type: its members are known only at run time.
type ObjectSchema struct {
	Name     string // unique in the document
	Members  []MemberSchema
	Required bool // every member is present
}

// MemberSchema describes one member of an ObjectSchema.
type MemberSchema struct {
	Name, Type       string        // Type is JSON Schema's: "boolean", "integer", "number", "string"
	Object           *ObjectSchema // replaces Type and all fields below
	Doc              string
	Nullable         bool
	WriteOnly        bool
	Default          any      // nil for none
	Enum             []string // nil for any value
	Minimum, Maximum *float64
	MaxLength        int // 0 for none
}

// objectSchema adds o to the document's components and returns a reference to
// it.
func (a API) objectSchema(o ObjectSchema) *huma.Schema {
	object := &huma.Schema{
		Type: huma.TypeObject, Properties: make(map[string]*huma.Schema, len(o.Members)), AdditionalProperties: false,
	}
	for _, m := range o.Members {
		if m.Object != nil {
			object.Properties[m.Name] = a.objectSchema(*m.Object)
		} else {
			object.Properties[m.Name] = m.schema()
		}
		if o.Required {
			object.Required = append(object.Required, m.Name)
		}
	}
	a.huma.OpenAPI().Components.Schemas.Map()[o.Name] = object
	return &huma.Schema{Ref: "#/components/schemas/" + o.Name}
}

func (m MemberSchema) schema() *huma.Schema {
	s := &huma.Schema{
		Type: m.Type, Description: m.Doc, Nullable: m.Nullable, WriteOnly: m.WriteOnly, Default: m.Default,
		Minimum: m.Minimum, Maximum: m.Maximum,
	}
	if m.MaxLength > 0 {
		s.MaxLength = &m.MaxLength
	}
	for _, value := range m.Enum {
		s.Enum = append(s.Enum, value)
	}
	if m.Enum != nil && m.Nullable {
		s.Enum = append(s.Enum, nil)
	}
	return s
}
