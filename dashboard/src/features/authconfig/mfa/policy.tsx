import { ChoiceList } from '@/components/choicelist'
import { CodeBlock } from '@/components/code'
import { FormRow } from '@/components/form'
import { ListInput, entriesOf } from '@/components/listinput'
import { Card, Section } from '@/components/page'
import { mfaPolicy as t } from '@/strings/mfapolicy'
import { SettingRow } from '../row'
import { useSettings } from '../settings'
import { enrollUntil } from './grace'

export const policySettings = ['mfa_policy', 'mfa_policy_roles', 'mfa_policy_grace_period', 'mfa_policy_since']

/** Policies that make users enroll a factor. */
const enrolling = ['required', 'by_role', 'without_sso']

/** Who must use a second factor, each choice with what it means. */
export function MfaPolicy() {
  const { value, set, readOnly, setting, error } = useSettings()
  const policy = String(value('mfa_policy') ?? 'off')
  const wrong = error('mfa_policy')
  return (
    <Section id="policy" title={t.title} description={t.text}>
      <div className="space-y-4">
        <ChoiceList
          name="mfa_policy"
          label={t.title}
          disabled={readOnly}
          value={policy}
          onChange={(next) => set({ mfa_policy: next })}
          options={(setting('mfa_policy')?.choices ?? []).map((choice) => ({ value: choice, label: t.choices[choice]?.label ?? choice, text: t.choices[choice]?.text }))}
        />
        {wrong && (
          <p role="alert" className="text-sm text-danger">
            {wrong}
          </p>
        )}
        {enrolling.includes(policy) && (
          <Card className="divide-y divide-line px-4">
            {policy === 'by_role' && <Roles />}
            <SettingRow name="mfa_policy_grace_period" label={t.grace.label} help={t.grace.help} />
            <SettingRow name="mfa_policy_since" label={t.since.label} help={<Since />} />
          </Card>
        )}
        {policy !== 'off' && (
          <details>
            <summary className="cursor-pointer text-sm text-text-2 hover:text-text">{t.data}</summary>
            <div className="mt-2">
              <CodeBlock label={t.snippetLabel} code={t.snippet} />
            </div>
          </details>
        )}
      </div>
    </Section>
  )
}

/** The roles that need a factor. Their names may have spaces. */
function Roles() {
  const { value, set, readOnly, error } = useSettings()
  return (
    <FormRow label={t.roles.label} help={t.roles.help} error={error('mfa_policy_roles')}>
      {(field) => (
        <fieldset disabled={readOnly} className="contents">
          <ListInput {...field} spaces placeholder={t.roles.example} value={entriesOf(value('mfa_policy_roles'))} onChange={(next) => set({ mfa_policy_roles: next.join(',') })} />
        </fieldset>
      )}
    </FormRow>
  )
}

/** What the policy's beginning and its grace come to. */
function Since() {
  const { value } = useSettings()
  const end = enrollUntil(value('mfa_policy_since'), value('mfa_policy_grace_period'), Date.now())
  return (
    <>
      {t.since.help} {end && <span className="text-text">{t.since[end.say](end.at)}</span>}
    </>
  )
}
