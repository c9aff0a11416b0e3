package message

import (
	"fmt"
	"text/template/parse"
)

// allowedFunctions are the functions that a project's template may call.
// "call" is missing on purpose, and so is everything that is not a builtin.
var allowedFunctions = map[string]bool{
	"and": true, "or": true, "not": true, "len": true, "index": true, "slice": true,
	"eq": true, "ne": true, "lt": true, "le": true, "gt": true, "ge": true,
	"print": true, "println": true, "printf": true, "html": true, "js": true, "urlquery": true,
}

// guard walks a list of nodes, refuses what is not allowed, meters every range
// and returns how many nodes one pass over the list visits.
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
			return 0, err
		}
		cost += 1 + n
	}
	return cost, nil
}

func guardNode(node parse.Node, depth, ranges int) (int, error) {
	switch n := node.(type) {
	case *parse.ActionNode:
		return guardPipe(n.Pipe)
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

// guardRange charges its body when it runs, per element, so to the list around
// it it costs only its head and its else branch.
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
	return cost + other, insertMeter(n.Pipe, body+1)
}

// insertMeter turns {{range X}} into {{range X | meter cost}}.
func insertMeter(pipe *parse.PipeNode, cost int) error {
	source := fmt.Sprintf("{{0 | %s %d}}", meterName, cost)
	trees, err := parse.Parse("meter", source, "", "", map[string]any{meterName: 0})
	if err != nil {
		return err
	}
	action, ok := trees["meter"].Root.Nodes[0].(*parse.ActionNode)
	if !ok {
		return fmt.Errorf("meter parsed as %T", trees["meter"].Root.Nodes[0])
	}
	pipe.Cmds = append(pipe.Cmds, action.Pipe.Cmds[1])
	return nil
}

func guardPipe(pipe *parse.PipeNode) (int, error) {
	if pipe == nil {
		return 0, nil
	}
	cost := 0
	for _, cmd := range pipe.Cmds {
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
	}
	return cost, nil
}

func guardArg(arg parse.Node) (int, error) {
	switch n := arg.(type) {
	case *parse.IdentifierNode:
		if !allowedFunctions[n.Ident] {
			return 0, fmt.Errorf("function %q is not available", n.Ident)
		}
	case *parse.PipeNode:
		return guardPipe(n)
	case *parse.ChainNode:
		return guardArg(n.Node)
	}
	return 0, nil
}
