// Command reeve is the whole product: the server for development and for
// production, its tools, and a command line for the Management API. Each file
// is one subcommand and reads flags; the rules are in the packages below
// internal.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
	"github.com/mattn/go-isatty"

	"github.com/reevehq/reeve/internal/config"
)

// The exit codes.
const (
	exitOK      = 0
	exitFailure = 1 // the server refused, or something does not work
	exitUsage   = 2 // the command line or the configuration is wrong
)

// commands is the command line.
type commands struct {
	Dev      devCommand      `cmd:"" help:"Run Reeve for development, with its own Postgres and captured mails."`
	Serve    serveCommand    `cmd:"" help:"Run Reeve in production."`
	Migrate  migrateCommand  `cmd:"" help:"Bring the control database, the template and every project up."`
	Token    tokenCommand    `cmd:"" help:"Mint an access token of the operator: the way into a new installation."`
	Operator operatorCommand `cmd:"" help:"Who runs the installation, and the link by which the first of them gets an account."`
	Doctor   doctorCommand   `cmd:"" help:"Look for what could be wrong with the configuration and the databases."`

	Orgs      orgsCommand      `cmd:"" help:"Organizations."`
	Tokens    tokensCommand    `cmd:"" help:"Access tokens of yours, and service tokens of an organization."`
	Projects  projectsCommand  `cmd:"" help:"Projects."`
	Keys      keysCommand      `cmd:"" help:"API keys of a project."`
	Config    configCommand    `cmd:"" help:"Auth configuration of a project; check: configuration of the server."`
	Providers providersCommand `cmd:"" help:"Identity providers that a project defines itself; test: any of its providers."`
	SSO       ssoCommand       `cmd:"" name:"sso" help:"Enterprise connections of a project: companies that sign in through their own identity provider."`
	Users     usersCommand     `cmd:"" help:"Users of a project: find, create, ban and delete them, and why they cannot sign in."`
	Hooks     hooksCommand     `cmd:"" help:"Hooks of a project: what became of their calls, and whether they work."`
	Inbox     inboxCommand     `cmd:"" help:"Captured messages of a project."`
	SQL       sqlCommand       `cmd:"" name:"sql" help:"Run SQL in a project's database, as its owner."`
	Types     typesCommand     `cmd:"" help:"Print the TypeScript types of a project's database."`
	Logs      logsCommand      `cmd:"" help:"Why users of a project were refused and mails were not delivered."`
	Usage     usageCommand     `cmd:"" help:"How much a project is used: sign-ups, sign-ins, active users, mails."`
	Billing   billingCommand   `cmd:"" help:"What an organization used and what that costs, and the count behind it."`
	Audit     auditCommand     `cmd:"" help:"What was done in an organization, and by whom."`
	Health    healthCommand    `cmd:"" help:"State of a project, and what in it should be looked at."`

	OpenAPI openapiCommand `cmd:"" name:"openapi" hidden:"" help:"Print the OpenAPI document of the Management API."`
	Version versionCommand `cmd:"" help:"Print the version."`

	VersionFlag kong.VersionFlag `name:"version" help:"Print the version."`

	remote `embed:""`
}

// program is a command's environment.
type program struct {
	in       io.Reader
	attended bool // a person is at in, and can be asked
	out, err io.Writer
	lookup   config.Lookup
	name     string                     // how the program was called
	browse   func(address string) error // opens a browser; nil where out is no terminal
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The first signal requests a clean end; a second one kills.
	context.AfterFunc(ctx, stop)
	tuneMemory()
	p := program{in: os.Stdin, attended: isatty.IsTerminal(os.Stdin.Fd()), out: os.Stdout, err: os.Stderr, lookup: os.LookupEnv, name: os.Args[0]}
	if isatty.IsTerminal(os.Stdout.Fd()) {
		p.browse = openBrowser
	}
	os.Exit(p.run(ctx, os.Args[1:]))
}

// run parses args, runs the command and returns the exit code.
func (p program) run(ctx context.Context, args []string) int {
	var cli commands
	code, exited := exitOK, false
	parser, err := kong.New(&cli, kong.Name("reeve"), kong.Description("Every project its own auth backend."),
		kong.Vars{"version": "reeve " + version()}, kong.Writers(p.out, p.err), kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Exit(func(c int) { code, exited = c, true }))
	if err != nil {
		fmt.Fprintln(p.err, "reeve:", err)
		return exitFailure
	}
	switch {
	case len(args) == 0:
		args = []string{"--help"}
	case args[0] == "help": // help projects create: projects create --help
		args = append(slices.Clone(args[1:]), "--help")
	}
	parsed, err := parser.Parse(args)
	if exited { // --help or --version
		return code
	}
	if err != nil {
		return p.explain(usage{err})
	}
	cli.fromEnvironment(p.lookup)
	parsed.BindTo(ctx, (*context.Context)(nil))
	parsed.Bind(p, &cli.remote)
	return p.explain(cli.advise(parsed.Run()))
}

// line reads a line that a person types; "" at its end (Ctrl-D).
func (p program) line(ctx context.Context) (string, error) {
	type input struct {
		text string
		err  error
	}
	typed := make(chan input, 1)
	go func() { // a signal must not wait for the person
		text, err := bufio.NewReader(p.in).ReadString('\n')
		typed <- input{strings.TrimSpace(text), err}
	}()
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case in := <-typed:
		if in.err != nil && !errors.Is(in.err, io.EOF) {
			return "", fmt.Errorf("read the answer: %w", in.err)
		}
		return in.text, nil
	}
}

// usage is an error of the caller, not of the server.
type usage struct{ error }

// Unwrap returns the cause.
func (u usage) Unwrap() error { return u.error }

// stopped drops a server's error that results from a requested stop.
func stopped(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

func (p program) explain(err error) int {
	var wrong usage
	var problems config.Problems
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &problems):
		fmt.Fprintf(p.err, "reeve: the configuration is not valid:\n%v\n", problems)
		return exitUsage
	case errors.As(err, &wrong):
		fmt.Fprintf(p.err, "reeve: %v\nreeve --help tells more.\n", err)
		return exitUsage
	default:
		fmt.Fprintln(p.err, "reeve:", err)
		return exitFailure
	}
}
