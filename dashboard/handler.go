package dashboard

import (
	"compress/gzip"
	"context"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"

	"github.com/reevehq/reeve/internal/page"
)

const index = "index.html"

// Options configure New.
type Options struct {
	// Projects are the origins of projects on hosts of their own, as sources of a
	// content security policy: "https://*.example.com". The app's own origin needs
	// no entry.
	Projects []string
	// Captcha names the captcha that the pages for signing in show, "hcaptcha" or
	// "turnstile"; nil, or "" for none. It is called for each of these pages.
	Captcha func(context.Context) string
}

// captchas are the sources that a captcha's script needs.
var captchas = map[string]string{
	"turnstile": " https://challenges.cloudflare.com",
	"hcaptcha":  " https://hcaptcha.com https://*.hcaptcha.com",
}

// signIns are the pages that show a captcha. The pages behind them do not: the app
// loads a new document once somebody is signed in, so that a captcha's script is in
// none that has a session.
var signIns = map[string]bool{"/sign-in": true, "/reset": true}

// policy lets the app load its own files only, and send requests to this origin
// and to projects, for "try it". Styles may be inline, because a preview of a mail
// is a frame without a URL (srcdoc), which has the policy of its page; scripts may
// not, and such a frame is sandboxed. Images in it are shown if they are inline.
// captcha is more sources, or empty.
func (o Options) policy(captcha string) string {
	connect := strings.Join(append([]string{"'self'"}, o.Projects...), " ")
	return "default-src 'none'; script-src 'self'" + captcha + "; style-src 'self' 'unsafe-inline'" + captcha + "; img-src 'self' data:; font-src 'self'; " +
		"connect-src " + connect + captcha + "; frame-src 'self'" + captcha + "; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
}

// routes are the first elements of the app's addresses. Besides them it has / and
// the pages of projects, at /p/{ref}.
var routes = map[string]bool{
	"sign-in": true, "reset": true, "setup": true, "invite": true, "new": true, "orgs": true, "account": true, "operator": true,
}

// IsPage reports whether a path is an address of the app. What a project serves
// below its path is not.
func IsPage(urlPath string) bool {
	if urlPath == "/" {
		return true
	}
	parts := strings.Split(strings.TrimPrefix(urlPath, "/"), "/")
	if parts[0] != "p" {
		return routes[parts[0]]
	}
	return len(parts) >= 2 && parts[1] != "" && (len(parts) < 4 || parts[2] != "auth" || parts[3] != "v1")
}

// served are the first elements of addresses that belong to APIs, which answer for
// what is not there themselves.
var served = map[string]bool{"v1": true, "v2": true, "auth": true, "p": true, ".well-known": true}

// IsUnknown reports whether a path is an address of neither the app nor an API: the
// app's page says there that nothing is at it, with status 404.
func IsUnknown(urlPath string) bool {
	first, _, _ := strings.Cut(strings.TrimPrefix(urlPath, "/"), "/")
	return !IsPage(urlPath) && !served[first]
}

// status is that of the app's page at a path.
func status(urlPath string) int {
	if IsUnknown(urlPath) {
		return http.StatusNotFound
	}
	return http.StatusOK
}

// AssetPath is where the app's files are, with names that change with their content.
const AssetPath = "/assets/"

// handler serves the files of a build. Text files are stored compressed by gzip,
// as name.gz.
type handler struct {
	files   fs.FS
	options Options
}

// policyOf is the content security policy of a page.
func (h handler) policyOf(r *http.Request) string {
	if h.options.Captcha == nil || !signIns[r.URL.Path] {
		return h.options.policy("")
	}
	return h.options.policy(captchas[h.options.Captcha(r.Context())])
}

func (h handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, AssetPath) {
		h.asset(w, r)
		return
	}
	head := w.Header()
	head.Set("Content-Security-Policy", h.policyOf(r))
	head.Set("X-Frame-Options", "DENY")
	head.Set("Cross-Origin-Opener-Policy", "same-origin")
	// The addresses of the app name projects and users; no other site learns them.
	head.Set("Referrer-Policy", "same-origin")
	head.Set("Cache-Control", "no-cache")
	h.file(w, r, index, status(r.URL.Path))
}

// asset serves a file whose name has a digest of its content.
func (h handler) asset(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(path.Clean(r.URL.Path), "/")
	if strings.HasPrefix("/"+name, AssetPath) && h.file(w, r, name, http.StatusOK) {
		return
	}
	// A page of an earlier release asks for a file of its own.
	w.Header().Set("Cache-Control", "no-store")
	http.Error(w, "there is no such file in this release", http.StatusNotFound)
}

// file serves a file with a status; false when there is none.
func (h handler) file(w http.ResponseWriter, r *http.Request, name string, status int) bool {
	head := w.Header()
	compressed := true
	f, err := h.files.Open(name + ".gz")
	if err != nil {
		compressed = false
		if f, err = h.files.Open(name); err != nil {
			return false
		}
	}
	defer func() { _ = f.Close() }() // it was only read
	if info, err := f.Stat(); err != nil || info.IsDir() {
		return false
	}
	media := mime.TypeByExtension(path.Ext(name))
	if media == "" {
		media = "application/octet-stream"
	}
	head.Set("Content-Type", media)
	head.Set("X-Content-Type-Options", "nosniff")
	if head.Get("Cache-Control") == "" {
		head.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	var from io.Reader = f
	if compressed {
		head.Add("Vary", "Accept-Encoding")
		if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			head.Set("Content-Encoding", "gzip")
		} else if from, err = gzip.NewReader(f); err != nil {
			return false
		}
	}
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = io.Copy(w, from) // a client that is gone reads nothing
	}
	return true
}

// notBuilt says how to make the app.
func notBuilt(w http.ResponseWriter, r *http.Request) { buildPage.Write(w, status(r.URL.Path), nil) }

var buildPage = page.Parse(`{{define "title"}}Reeve{{end}}
{{define "main"}}<h1>Reeve runs, without its dashboard</h1>
<p>This program was built by Go alone. <code>make build</code> builds the dashboard too, where Node is installed.</p>
<p>The APIs and the command line work as they are.</p>{{end}}`, page.Options{})
