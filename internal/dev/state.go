package dev

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/reevehq/reeve/internal/config"
)

// maxState bounds the files that are read from the folder, in bytes.
const maxState = 64 << 10

// state is dev.json: the development server's address and access token.
type state struct {
	URL         string `json:"url"`
	AccessToken string `json:"access_token"`
	PostgresURL string `json:"postgres_url"`
}

func statePath(dir string) string { return filepath.Join(dir, "dev.json") }

// Endpoint returns the address and the access token of the development server
// whose folder is dir. The error is fs.ErrNotExist if there never was one.
func Endpoint(dir string) (url, token string, err error) {
	text, err := readFile(statePath(dir))
	if err != nil {
		return "", "", err
	}
	var s state
	if err := json.Unmarshal(text, &s); err != nil {
		return "", "", fmt.Errorf("%s is damaged: start `reeve dev` again", statePath(dir))
	}
	return s.URL, s.AccessToken, nil
}

// readState returns what the last start wrote; the zero state if there is none,
// or if it is unreadable.
func readState(dir string) (s state, legible bool) {
	text, err := readFile(statePath(dir))
	if errors.Is(err, fs.ErrNotExist) {
		return s, true
	}
	if err != nil || json.Unmarshal(text, &s) != nil {
		return state{}, false
	}
	return s, true
}

// The port of our own Postgres is also in a separate file: it is part of every
// connection string that was handed out, and must outlive dev.json.
func portPath(dir string) string { return filepath.Join(dir, "postgres.port") }

// lastPort is our own Postgres's port at the last start; 0 if unknown.
func lastPort(dir string, s state) int {
	if text, err := readFile(portPath(dir)); err == nil {
		if port := parsePort(strings.TrimSpace(string(text))); port != 0 {
			return port
		}
	}
	return portOf(s.PostgresURL)
}

func keepPort(dir string, port int) error {
	return writeFile(portPath(dir), []byte(strconv.Itoa(port)+"\n"))
}

func (s state) write(dir string) error {
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	return writeFile(statePath(dir), append(text, '\n'))
}

func keyPath(dir string) string { return filepath.Join(dir, "master.key") }

// masterKey reads the folder's master key, or generates one. It is written with
// a prefix by which production refuses it.
func masterKey(dir string) (string, error) {
	path := keyPath(dir)
	text, err := readFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		text = []byte(config.NewDevelopmentKey() + "\n")
		err = writeFile(path, text)
	}
	if err != nil {
		return "", fmt.Errorf("master key: %w", err)
	}
	return strings.TrimPrefix(strings.TrimSpace(string(text)), config.DevelopmentPrefix), nil
}

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return io.ReadAll(io.LimitReader(f, maxState))
}

// writeFile replaces a secret file as a whole: a reader sees the old or the new.
func writeFile(path string, text []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*") // mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}
