package arch

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"
	"testing"

	"github.com/reevehq/reeve/internal/fault"
)

// sentinel is a package-level fault.New and its position.
type sentinel struct {
	at, kind, code string
	fault          *fault.Error // as the source creates it
}

// TestSentinels creates each sentinel of the module from its source again, and
// checks that no two of them match, and that their copies do. Many have the
// same kind and code, and must not match each other: a caller that handles one
// would also handle the other.
func TestSentinels(t *testing.T) {
	t.Parallel()
	sentinels, err := readSentinels(os.DirFS("../.."))
	if err != nil {
		t.Fatal(err)
	}
	if len(sentinels) < 100 {
		t.Fatalf("found %d sentinels: not all", len(sentinels))
	}
	same := 0
	for i, a := range sentinels {
		for name, c := range map[string]error{
			"Because": a.fault.Because(io.EOF), "Saying": a.fault.Saying("x"), "After": a.fault.After(1), "With": a.fault.With("x", 1),
			"wrapped": fmt.Errorf("x: %w", a.fault.Because(io.EOF).Saying("y")),
		} {
			if !errors.Is(c, a.fault) {
				t.Errorf("%s: %s makes another refusal of it", a.at, name)
			}
		}
		for _, b := range sentinels[i+1:] {
			if a.kind == b.kind && a.code == b.code {
				same++
			}
			if errors.Is(a.fault, b.fault) || errors.Is(b.fault.Because(io.EOF), a.fault.Saying("x")) {
				t.Errorf("%s equals %s (%s %s)", a.at, b.at, a.kind, a.code)
			}
		}
	}
	if same == 0 {
		t.Error("no two sentinels have the same kind and code: the test shows nothing")
	}
}

// TestFaultLiterals: the same fault literal in two places would be two
// different faults.
func TestFaultLiterals(t *testing.T) {
	t.Parallel()
	files, err := read(os.DirFS("../.."))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		for _, u := range f.uses {
			if !f.test && u.what == module+"internal/fault.Error{}" {
				t.Errorf("%s: a literal fault.Error: use fault.New", u.at)
			}
		}
	}
}

func readSentinels(root fs.FS) ([]sentinel, error) {
	var all []sentinel
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return skip(root, name)
		}
		if path.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		src, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		positions := token.NewFileSet()
		tree, err := parser.ParseFile(positions, name, src, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, decl := range tree.Decls {
			if g, ok := decl.(*ast.GenDecl); !ok || g.Tok != token.VAR {
				continue
			}
			ast.Inspect(decl, func(n ast.Node) bool {
				if s, ok := sentinelOf(n); ok {
					s.at = fmt.Sprintf("%s:%d", name, positions.Position(n.Pos()).Line)
					all = append(all, s)
				}
				_, inside := n.(*ast.FuncLit)
				return !inside
			})
		}
		return nil
	})
	return all, err
}

// sentinelOf parses fault.New(fault.Kind, "code", message).
func sentinelOf(n ast.Node) (sentinel, bool) {
	call, ok := n.(*ast.CallExpr)
	if !ok || len(call.Args) != 3 || qualified(call.Fun) != "fault.New" {
		return sentinel{}, false
	}
	kind := qualified(call.Args[0])
	lit, ok := call.Args[1].(*ast.BasicLit)
	if !ok || !strings.HasPrefix(kind, "fault.") {
		return sentinel{}, false
	}
	code, err := strconv.Unquote(lit.Value)
	if err != nil {
		return sentinel{}, false
	}
	return sentinel{kind: kind, code: code, fault: fault.New(kinds[kind], code, "")}, true
}

// kinds need not be complete: sentinels of unlisted kinds must be distinct too.
var kinds = map[string]fault.Kind{
	"fault.Invalid": fault.Invalid, "fault.Unauthorized": fault.Unauthorized, "fault.Forbidden": fault.Forbidden, "fault.NotFound": fault.NotFound,
	"fault.Conflict": fault.Conflict, "fault.Unprocessable": fault.Unprocessable, "fault.TooMany": fault.TooMany, "fault.Unavailable": fault.Unavailable,
}

func qualified(e ast.Expr) string {
	if sel, ok := e.(*ast.SelectorExpr); ok {
		if x, ok := sel.X.(*ast.Ident); ok {
			return x.Name + "." + sel.Sel.Name
		}
	}
	return ""
}
