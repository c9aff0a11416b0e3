package newdevice_test

import (
	"testing"

	"github.com/reevehq/reeve/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }
