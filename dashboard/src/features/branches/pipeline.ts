// What pipelines need: docs/branches.md and docs/tests.md have the same.

export const branchWorkflow = (project: string) => `on: { pull_request: { types: [opened, reopened, synchronize, closed] } }
jobs:
  preview:
    if: github.event.action != 'closed'
    runs-on: ubuntu-latest
    env:
      REEVE_URL: \${{ vars.REEVE_URL }}
      REEVE_ACCESS_TOKEN: \${{ secrets.REEVE_ACCESS_TOKEN }}
    steps:
      - uses: actions/checkout@v4
      - name: Branch
        run: |
          reeve projects delete "pr-\${{ github.event.number }}" --yes || true
          reeve projects branch ${project} "pr-\${{ github.event.number }}" --ttl 72h -o json > branch.json
          echo "::add-mask::$(jq -r .secret_key branch.json)"
          echo "::add-mask::$(jq -r .db_url branch.json)"
          { echo "AUTH_URL=$(jq -r .url branch.json)"; echo "AUTH_KEY=$(jq -r .publishable_key branch.json)"
            echo "DATABASE_URL=$(jq -r .db_url branch.json)"; } >> "$GITHUB_ENV"
      - run: npm ci && npm run migrate && npm test
  cleanup:
    if: github.event.action == 'closed'
    runs-on: ubuntu-latest
    env: { REEVE_URL: "\${{ vars.REEVE_URL }}", REEVE_ACCESS_TOKEN: "\${{ secrets.REEVE_ACCESS_TOKEN }}" }
    steps:
      - run: reeve projects delete "pr-\${{ github.event.number }}" --yes`

export const testFile = `import { test } from 'node:test'
import { createClient } from '@supabase/supabase-js'
import { reeve } from './project.js' // clients/ephemeral/project.js

const { projectFor } = reeve() // REEVE_URL and REEVE_ACCESS_TOKEN

test('signs up', async (t) => {
  const project = await projectFor(t, { config: { mailer_autoconfirm: true } })
  const { auth } = createClient(project.url, project.publishable_key)
  const { data, error } = await auth.signUp({ email: 'jane@example.com', password: 'correct horse' })
})`

export const commands = (project: string) => `reeve projects branch ${project} pr-42 --ttl 24h
reeve projects branches ${project}
reeve projects reset pr-42
reeve projects create pr-4711 --ttl 1h     # an empty project for a test
reeve projects extend pr-4711 --ttl 4h`
