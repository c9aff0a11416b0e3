package devpg

import (
	"fmt"
	"maps"
	"regexp"
	"runtime"
	"slices"
	"strconv"
)

var settingName = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_.]*$`)

func checkSettings(settings map[string]string) error {
	for name := range settings {
		if !settingName.MatchString(name) {
			return fmt.Errorf("%q is no name of a Postgres setting", name)
		}
	}
	return nil
}

// settings are the server's parameters for thousands of small databases, of
// which few are busy, on a developer's machine.
func (c *cluster) settings(port int) map[string]string {
	s := map[string]string{
		"max_connections":                 "200",
		"max_locks_per_transaction":       "256", // a project may hold a quarter of them all
		"shared_buffers":                  "256MB",
		"autovacuum_naptime":              "5min", // each round visits every database
		"wal_level":                       "minimal",
		"max_wal_senders":                 "0",
		"max_logical_replication_workers": "0",
		"jit":                             "off",
		"timezone":                        "UTC",
		"log_timezone":                    "UTC",
		"log_checkpoints":                 "off",
		"log_line_prefix":                 "%m [%p] %q%u@%d ",
		"logging_collector":               "off",
		"password_encryption":             "scram-sha-256",
	}
	if runtime.GOOS == "linux" {
		// Otherwise recovery opens every file of every database to sync it.
		s["recovery_init_sync_method"] = "syncfs"
	}
	if c.Ephemeral {
		maps.Copy(s, map[string]string{"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"})
	}
	maps.Copy(s, c.Settings)
	s["port"] = strconv.Itoa(port)
	s["listen_addresses"] = "127.0.0.1"
	s["unix_socket_directories"] = c.socketDir
	return s
}

// arguments are the settings as the server's command line.
func (c *cluster) arguments(port int) []string {
	args := []string{"-D", c.data()}
	s := c.settings(port)
	for _, name := range slices.Sorted(maps.Keys(s)) {
		args = append(args, "-c", name+"="+s[name])
	}
	return args
}
