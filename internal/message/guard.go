package message

import (
	"fmt"
	"strconv"
	"text/template/parse"
)

// allowedFunctions are the functions that a project's template may call, each
// with the meter for its arguments, or none if their size costs nothing. "call"
// and everything that is not a builtin are left out on purpose.
var allowedFunctions = map[string]string{
	"and": "", "or": "", "not": "", "len": "", "slice": "",
	"index": readMeter, "eq": readMeter, "ne": readMeter,
	"lt": readMeter, "le": readMeter, "gt": readMeter, "ge": readMeter,
	"print": textMeter, "println": textMeter, "printf": textMeter,
	"html": textMeter, "js": textMeter, "urlquery": textMeter,
}

// guard walks a list of nodes, refuses disallowed ones, and meters every range,
// printed value and function argument. It returns how many nodes one pass over
// the list visits.
func guard(list *parse.ListNode, depth, ranges int) (int, error) {
	if list == nil {
		return 0, nil
	}
	if depth > maxNesting || ranges > maxRangeNesting {
		return 0, errTooNested
	}
	cost := 0
	for _, node := range list.Nodes {
		n, err := guardNode(node, depth, ranges)
		if err != nil {
			return 0, placed(node.Position(), err)
		}
		cost += 1 + n
	}
	return cost, nil
}

func guardNode(node parse.Node, depth, ranges int) (int, error) {
	switch n := node.(type) {
	case *parse.ActionNode:
		return guardAction(n.Pipe)
	case *parse.IfNode:
		return guardBranch(&n.BranchNode, depth, ranges)
	case *parse.WithNode:
		return guardBranch(&n.BranchNode, depth, ranges)
	case *parse.RangeNode:
		return guardRange(n, depth, ranges)
	case *parse.TemplateNode:
		return 0, errDefines
	default: // text, comment, break, continue
		return 0, nil
	}
}

// guardAction meters printed values before html/template escapes them, because
// an escaper may read much and print little. An assignment prints nothing.
func guardAction(pipe *parse.PipeNode) (int, error) {
	cost, err := guardPipe(pipe)
	if err != nil || len(pipe.Decl) > 0 {
		return cost, err
	}
	last := pipe.Cmds[len(pipe.Cmds)-1]
	if name := function(last); name != "html" && name != "urlquery" {
		// html/template appends these two; their input is already metered.
		pipe.Cmds = append(pipe.Cmds, command(textMeter, last.Pos))
		cost++
	}
	return cost, nil
}

func guardBranch(n *parse.BranchNode, depth, ranges int) (int, error) {
	cost, err := guardPipe(n.Pipe)
	if err != nil {
		return 0, err
	}
	for _, list := range []*parse.ListNode{n.List, n.ElseList} {
		c, err := guard(list, depth+1, ranges)
		if err != nil {
			return 0, err
		}
		cost += c
	}
	return cost, nil
}

// guardRange charges its body at run time, per element, so the list around it
// is only charged for its head and its else branch.
func guardRange(n *parse.RangeNode, depth, ranges int) (int, error) {
	cost, err := guardPipe(n.Pipe)
	if err != nil {
		return 0, err
	}
	body, err := guard(n.List, depth+1, ranges+1)
	if err != nil {
		return 0, err
	}
	other, err := guard(n.ElseList, depth+1, ranges)
	if err != nil {
		return 0, err
	}
	// {{range X}} becomes {{range X | loopMeter cost}}.
	n.Pipe.Cmds = append(n.Pipe.Cmds, command(loopMeter, n.Pos, number(body+1, n.Pos)))
	return cost + other, nil
}

func guardPipe(pipe *parse.PipeNode) (int, error) {
	if pipe == nil {
		return 0, nil
	}
	cost := 0
	metered := make([]*parse.CommandNode, 0, 2*len(pipe.Cmds)+1)
	for i, cmd := range pipe.Cmds {
		if len(cmd.Args) > maxArguments {
			return 0, fmt.Errorf("a function takes at most %d arguments", maxArguments-1)
		}
		for _, arg := range cmd.Args {
			c, err := guardArg(arg)
			if err != nil {
				return 0, err
			}
			cost += 1 + c
		}
		if meter := allowedFunctions[function(cmd)]; meter != "" {
			if i > 0 { // the previous command's result is the last argument
				metered = append(metered, command(meter, cmd.Pos))
			}
			for i, arg := range cmd.Args[1:] {
				cmd.Args[1+i] = meterArg(meter, arg)
			}
			cost += len(cmd.Args)
		}
		metered = append(metered, cmd)
	}
	pipe.Cmds = metered
	return cost, nil
}

func guardArg(arg parse.Node) (int, error) {
	switch n := arg.(type) {
	case *parse.IdentifierNode:
		if _, ok := allowedFunctions[n.Ident]; !ok {
			return 0, fmt.Errorf("function %q is not available", n.Ident)
		}
	case *parse.PipeNode:
		return guardPipe(n)
	case *parse.ChainNode:
		return guardArg(n.Node)
	}
	return 0, nil
}

// meterArg replaces the argument X by (X | meter), unless it is known to be short.
func meterArg(meter string, arg parse.Node) parse.Node {
	switch arg.(type) {
	case *parse.NilNode, *parse.BoolNode, *parse.NumberNode:
		return arg // nil would be no command
	}
	pos := arg.Position()
	return &parse.PipeNode{NodeType: parse.NodePipe, Pos: pos, Cmds: []*parse.CommandNode{
		{NodeType: parse.NodeCommand, Pos: pos, Args: []parse.Node{arg}},
		command(meter, pos),
	}}
}

// function is the name of the function that a command calls, if it calls one.
func function(cmd *parse.CommandNode) string {
	if n, ok := cmd.Args[0].(*parse.IdentifierNode); ok {
		return n.Ident
	}
	return ""
}

// command builds a call. Its position is the author's, so that errors point
// into the template.
func command(name string, pos parse.Pos, args ...parse.Node) *parse.CommandNode {
	return &parse.CommandNode{
		NodeType: parse.NodeCommand, Pos: pos,
		Args: append([]parse.Node{parse.NewIdentifier(name).SetPos(pos)}, args...),
	}
}

func number(n int, pos parse.Pos) *parse.NumberNode {
	return &parse.NumberNode{NodeType: parse.NodeNumber, Pos: pos, IsInt: true, Int64: int64(n), Text: strconv.Itoa(n)}
}
