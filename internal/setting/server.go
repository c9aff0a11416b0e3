package setting

// server is the reference's settings of its own process for a project. Here one
// process serves all projects, with limits that the operator sets.
func server() Group {
	return Group{Title: "Server", Settings: []Setting{
		{Name: "api_max_request_duration", Kind: Integer},
		{Name: "db_max_pool_size", Kind: Integer},
		{Name: "db_max_pool_size_unit", Kind: Text, OneOf: []string{"connections", "percent"}},
	}}
}
