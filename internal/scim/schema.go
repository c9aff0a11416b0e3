package scim

import "strings"

// The URNs of schemas and messages.
const (
	URNUser       = "urn:ietf:params:scim:schemas:core:2.0:User"
	URNGroup      = "urn:ietf:params:scim:schemas:core:2.0:Group"
	URNEnterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	URNSchema     = "urn:ietf:params:scim:schemas:core:2.0:Schema"
	URNType       = "urn:ietf:params:scim:schemas:core:2.0:ResourceType"
	URNConfig     = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"
	URNList       = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
	URNSearch     = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"
	URNPatch      = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
	URNBulk       = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
	URNBulked     = "urn:ietf:params:scim:api:messages:2.0:BulkResponse"
	URNError      = "urn:ietf:params:scim:api:messages:2.0:Error"
)

// ContentType is the media type of all bodies.
const ContentType = "application/scim+json"

// Type is the data type of an attribute (RFC 7643, section 2.3).
type Type string

// The data types that the schemas here use.
const (
	String    Type = "string"
	Boolean   Type = "boolean"
	DateTime  Type = "dateTime"
	Binary    Type = "binary"
	Reference Type = "reference"
	Complex   Type = "complex"
)

// Attribute describes an attribute (RFC 7643, section 7).
type Attribute struct {
	Name        string      `json:"name"`
	Type        Type        `json:"type"`
	Sub         []Attribute `json:"subAttributes,omitempty"`
	MultiValued bool        `json:"multiValued"`
	Description string      `json:"description"`
	Required    bool        `json:"required"`
	Canonical   []string    `json:"canonicalValues,omitempty"`
	CaseExact   bool        `json:"caseExact"`
	Mutability  string      `json:"mutability"`
	Returned    string      `json:"returned"`
	Uniqueness  string      `json:"uniqueness"`
	References  []string    `json:"referenceTypes,omitempty"`
}

// ReadOnly reports whether clients cannot write the attribute.
func (a *Attribute) ReadOnly() bool { return a.Mutability == "readOnly" }

// sub finds a sub-attribute; nil if there is none.
func (a *Attribute) sub(name string) *Attribute { return find(a.Sub, name) }

func find(list []Attribute, name string) *Attribute {
	for i := range list {
		if strings.EqualFold(list[i].Name, name) {
			return &list[i]
		}
	}
	return nil
}

// Schema is a set of attributes.
type Schema struct {
	ID, Name, Description string
	Attributes            []Attribute
}

// ResourceType is a kind of resource.
type ResourceType struct {
	Name, Endpoint, Description string
	Core                        *Schema
	Extensions                  []*Schema
}

// extension finds an extension by its URN; nil if there is none.
func (t *ResourceType) extension(urn string) *Schema {
	for _, s := range t.Extensions {
		if strings.EqualFold(s.ID, urn) {
			return s
		}
	}
	return nil
}

// attribute finds an attribute of the core schema or one that all resources have.
func (t *ResourceType) attribute(name string) *Attribute {
	if a := find(common, name); a != nil {
		return a
	}
	return find(t.Core.Attributes, name)
}

// The resource types.
var (
	User = &ResourceType{
		Name: "User", Endpoint: "/Users", Description: "A person who signs in by the connection",
		Core: userSchema, Extensions: []*Schema{enterpriseSchema},
	}
	Group         = &ResourceType{Name: "Group", Endpoint: "/Groups", Description: "A group of users", Core: groupSchema}
	ResourceTypes = []*ResourceType{User, Group}
)

// Schemas are those that resources have.
var Schemas = []*Schema{userSchema, groupSchema, enterpriseSchema}

func attr(name string, t Type, description string, options ...func(*Attribute)) Attribute {
	a := Attribute{Name: name, Type: t, Description: description, Mutability: "readWrite", Returned: "default", Uniqueness: "none"}
	if t == Binary || t == Reference {
		a.CaseExact = true
	}
	for _, o := range options {
		o(&a)
	}
	return a
}

func readOnly(a *Attribute) { a.Mutability = "readOnly" }
func required(a *Attribute) { a.Required = true }
func exact(a *Attribute)    { a.CaseExact = true }
func always(a *Attribute)   { a.Returned = "always" }
func unique(a *Attribute)   { a.Uniqueness = "server" }
func multi(a *Attribute)    { a.MultiValued = true }

func of(sub ...Attribute) func(*Attribute)        { return func(a *Attribute) { a.Sub = sub } }
func refs(types ...string) func(*Attribute)       { return func(a *Attribute) { a.References = types } }
func canonical(values ...string) func(*Attribute) { return func(a *Attribute) { a.Canonical = values } }

// plural is a multi-valued attribute with the sub-attributes of RFC 7643, section 2.4.
func plural(name, description string, value Type, kinds ...string) Attribute {
	return attr(name, Complex, description, multi, of(
		attr("value", value, "The value"),
		attr("display", String, "A name to show"),
		attr("type", String, "What the value is for", canonical(kinds...)),
		attr("primary", Boolean, "Whether this is the main value; at most one is"),
	))
}

// common are the attributes of all resources (RFC 7643, section 3.1). They are in no
// schema.
var common = []Attribute{
	attr("schemas", Reference, "The URNs of the resource's schemas", multi, readOnly, always),
	attr("id", String, "The resource's identifier here", readOnly, exact, always),
	attr("externalId", String, "The resource's identifier in the directory", exact),
	attr("meta", Complex, "When the resource was made and changed", readOnly, of(
		attr("resourceType", String, "User or Group", readOnly, exact),
		attr("created", DateTime, "When it was made", readOnly),
		attr("lastModified", DateTime, "When it was changed", readOnly),
		attr("location", Reference, "Its address", readOnly),
		attr("version", String, "Its entity tag", readOnly, exact),
	)),
}

var userSchema = &Schema{
	ID: URNUser, Name: "User", Description: "User Account",
	Attributes: []Attribute{
		attr("userName", String, "The name by which the directory knows the user, unique in a connection", required, unique),
		attr("name", Complex, "The parts of the user's name", of(
			attr("formatted", String, "The whole name"),
			attr("familyName", String, "The family name"),
			attr("givenName", String, "The given name"),
			attr("middleName", String, "The middle names"),
			attr("honorificPrefix", String, "Titles before the name"),
			attr("honorificSuffix", String, "Suffixes after the name"),
		)),
		attr("displayName", String, "The name to show"),
		attr("nickName", String, "What the user is called"),
		attr("profileUrl", Reference, "A page about the user", refs("external")),
		attr("title", String, "The user's title"),
		attr("userType", String, "The relation to the organization"),
		attr("preferredLanguage", String, "The language, as in Accept-Language"),
		attr("locale", String, "The locale"),
		attr("timezone", String, "The time zone"),
		attr("active", Boolean, "Whether the user may sign in"),
		plural("emails", "Addresses of e-mail", String, "work", "home", "other"),
		plural("phoneNumbers", "Numbers of telephones", String, "work", "home", "mobile", "fax", "pager", "other"),
		plural("ims", "Addresses of instant messaging", String),
		plural("photos", "Pictures of the user", Reference, "photo", "thumbnail"),
		attr("addresses", Complex, "Postal addresses", multi, of(
			attr("formatted", String, "The whole address"),
			attr("streetAddress", String, "Street and number"),
			attr("locality", String, "City"),
			attr("region", String, "State or region"),
			attr("postalCode", String, "Postal code"),
			attr("country", String, "Country"),
			attr("type", String, "What the address is for", canonical("work", "home", "other")),
			attr("primary", Boolean, "Whether this is the main address"),
		)),
		attr("groups", Complex, "The groups that the user is a member of", multi, readOnly, of(
			attr("value", String, "The group's id", readOnly, exact),
			attr("$ref", Reference, "The group's address", readOnly, refs("Group")),
			attr("display", String, "The group's name", readOnly),
			attr("type", String, "direct", readOnly, canonical("direct")),
		)),
		plural("entitlements", "Rights of the user", String),
		plural("roles", "Roles of the user", String),
		plural("x509Certificates", "Certificates of the user", Binary),
	},
}

var enterpriseSchema = &Schema{
	ID: URNEnterprise, Name: "EnterpriseUser", Description: "Enterprise User",
	Attributes: []Attribute{
		attr("employeeNumber", String, "The number of the employee"),
		attr("costCenter", String, "The cost center"),
		attr("organization", String, "The organization"),
		attr("division", String, "The division"),
		attr("department", String, "The department"),
		attr("manager", Complex, "The user's manager", of(
			attr("value", String, "The id of the manager"),
			attr("$ref", Reference, "The address of the manager", refs("User")),
			attr("displayName", String, "The manager's name"),
		)),
	},
}

var groupSchema = &Schema{
	ID: URNGroup, Name: "Group", Description: "Group",
	Attributes: []Attribute{
		attr("displayName", String, "The group's name", required),
		attr("members", Complex, "The users in the group", multi, of(
			attr("value", String, "The id of the user", exact),
			attr("$ref", Reference, "The user's address", refs("User")),
			attr("display", String, "The user's name"),
			attr("type", String, "User", canonical("User")),
		)),
	},
}
