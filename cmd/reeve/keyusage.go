package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/reevehq/reeve/internal/manage"
)

// usedKey is the use of a key, as the table shows it.
type usedKey struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Type     string `json:"type"`
	LastUsed string `json:"last_used_at"`
	IP       string `json:"last_ip"`
	SDK      string `json:"last_sdk"`
	Version  string `json:"last_sdk_version"`
	Agent    string `json:"last_user_agent"`
	Days     []struct {
		Count int64 `json:"count"`
	} `json:"days"`

	Month  string `json:"month"`  // uses in the last 30 days
	Client string `json:"client"` // SDK and version, or else the user agent
}

// Run shows who used keys.
func (k *keysUsage) Run(ctx context.Context, p program, r *remote) error {
	c, ref, err := r.project(ctx, p, k.Project)
	if err != nil {
		return err
	}
	path := []string{"projects", ref, "api-keys"}
	if k.ID != "" {
		path = append(path, k.ID)
	}
	answer, err := c.Get(ctx, manage.Path(append(path, "usage")...))
	if err != nil {
		return err
	}
	if r.Output == "json" {
		return printJSON(p.out, answer)
	}
	var used []usedKey
	if k.ID != "" {
		used = make([]usedKey, 1)
		err = json.Unmarshal(answer, &used[0])
	} else {
		err = json.Unmarshal(answer, &used)
	}
	if err != nil {
		return fmt.Errorf("decode the answer: %w", err)
	}
	for i := range used {
		used[i].sum()
	}
	if answer, err = encode(used); err != nil {
		return err
	}
	return r.print(p, answer, column{"ID", "id"}, column{"NAME", "name"}, column{"TYPE", "type"}, column{"LAST USE", "last_used_at"},
		column{"ADDRESS", "last_ip"}, column{"CLIENT", "client"}, column{"30 DAYS", "month"})
}

func (u *usedKey) sum() {
	var n int64
	for _, d := range u.Days {
		n += d.Count
	}
	u.Month = fmt.Sprint(n)
	if u.Client = strings.Trim(u.SDK+" "+u.Version, " "); u.Client == "" {
		u.Client = u.Agent
	}
	u.Days = nil
}
