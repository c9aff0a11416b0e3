package arch

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"strconv"
	"strings"
)

// file is a Go file, as far as the rules need it.
type file struct {
	dir     string // of its package, relative to the module's root
	name    string // of its package
	test    bool   // a _test.go file
	imports []use
	uses    []use // names of imported packages: "net/http.Get", composite literals as "net/http.Client{}"
}

// use is an import or a qualified name, and its position.
type use struct{ what, at string }

// read parses every Go file below root, for any system.
func read(root fs.FS) ([]file, error) {
	var files []file
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return skip(root, name)
		}
		if path.Ext(name) != ".go" {
			return nil
		}
		f, err := parse(root, name)
		files = append(files, f)
		return err
	})
	return files, err
}

// skip leaves out the same folders as the go command, other modules included.
func skip(root fs.FS, dir string) error {
	if dir == "." {
		return nil
	}
	base := path.Base(dir)
	if base == "node_modules" || base == "testdata" || base == "vendor" || base[0] == '.' || base[0] == '_' {
		return fs.SkipDir
	}
	if _, err := fs.Stat(root, path.Join(dir, "go.mod")); err == nil {
		return fs.SkipDir
	}
	return nil
}

func parse(root fs.FS, name string) (file, error) {
	src, err := fs.ReadFile(root, name)
	if err != nil {
		return file{}, err
	}
	positions := token.NewFileSet()
	tree, err := parser.ParseFile(positions, name, src, parser.SkipObjectResolution)
	if err != nil {
		return file{}, err
	}
	f := file{
		dir:  path.Dir(name),
		name: strings.TrimSuffix(tree.Name.Name, "_test"),
		test: strings.HasSuffix(name, "_test.go"),
	}
	at := func(n ast.Node) string { return fmt.Sprintf("%s:%d", name, positions.Position(n.Pos()).Line) }
	byName := map[string]string{}
	for _, spec := range tree.Imports {
		to, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return file{}, err
		}
		f.imports = append(f.imports, use{to, at(spec)})
		byName[localName(spec, to)] = to
	}
	ast.Inspect(tree, func(n ast.Node) bool {
		suffix := ""
		if made, ok := n.(*ast.CompositeLit); ok {
			n, suffix = made.Type, "{}"
		}
		if sel, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := sel.X.(*ast.Ident); ok && byName[x.Name] != "" {
				f.uses = append(f.uses, use{byName[x.Name] + "." + sel.Sel.Name + suffix, at(sel)})
			}
		}
		return true
	})
	return f, nil
}

// localName is right for the packages whose names the rules check: their names
// are the last element of their path.
func localName(spec *ast.ImportSpec, to string) string {
	if spec.Name != nil {
		return spec.Name.Name
	}
	return path.Base(to)
}
