package typegen

import "strings"

// helpers are the types that look up others: by the name in a schema, or by schema and
// name.
func helpers(schema string) string {
	var b strings.Builder
	b.WriteString(`
type DatabaseWithoutInternals = Omit<Database, "__InternalSupabase">

type DefaultSchema = DatabaseWithoutInternals[Extract<keyof Database, ` + quote(schema) + `>]
`)
	const relation = "DefaultSchemaTableNameOrOptions"
	inferring := func(of, member, name string) string {
		return of + " extends {\n      " + member + ": infer " + name + "\n    }\n    ? " + name + "\n    : never"
	}
	helper(&b, "Tables", relation, "TableName",
		func(of string) string { return "(" + of + `["Tables"] & ` + of + `["Views"])` },
		func(of string) string { return inferring(of, "Row", "R") })
	helper(&b, "TablesInsert", relation, "TableName",
		func(of string) string { return of + `["Tables"]` },
		func(of string) string { return inferring(of, "Insert", "I") })
	helper(&b, "TablesUpdate", relation, "TableName",
		func(of string) string { return of + `["Tables"]` },
		func(of string) string { return inferring(of, "Update", "U") })
	same := func(of string) string { return of }
	helper(&b, "Enums", "DefaultSchemaEnumNameOrOptions", "EnumName",
		func(of string) string { return of + `["Enums"]` }, same)
	helper(&b, "CompositeTypes", "PublicCompositeTypeNameOrOptions", "CompositeTypeName",
		func(of string) string { return of + `["CompositeTypes"]` }, same)
	return b.String() + "\n"
}

// helper writes one: key and name are its parameters, in says where the names of a
// schema are, and result what is found there.
func helper(b *strings.Builder, title, key, name string, in, result func(of string) string) {
	named := `DatabaseWithoutInternals[` + key + `["schema"]]`
	b.WriteString("\nexport type " + title + "<\n" +
		"  " + key + " extends\n    | keyof " + in("DefaultSchema") + "\n    | { schema: keyof DatabaseWithoutInternals },\n" +
		"  " + name + " extends " + key + " extends {\n    schema: keyof DatabaseWithoutInternals\n  }\n" +
		"    ? keyof " + in(named) + "\n    : never = never,\n" +
		"> = " + key + " extends {\n  schema: keyof DatabaseWithoutInternals\n}\n" +
		"  ? " + result(in(named)+"["+name+"]") + "\n" +
		"  : " + key + " extends keyof " + in("DefaultSchema") + "\n" +
		"    ? " + result(in("DefaultSchema")+"["+key+"]") + "\n    : never\n")
}
