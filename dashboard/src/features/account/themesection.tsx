import { useState } from 'react'
import { Section } from '@/components/page'
import { setTheme, theme, type Theme } from '@/lib/theme'
import { account } from '@/strings/account'
import { shell } from '@/strings/shell'

const themes: Theme[] = ['system', 'light', 'dark']

/** The theme of this browser. */
export function ThemeSection() {
  const [chosen, choose] = useState(theme)
  return (
    <Section id="theme" title={account.theme.title} description={account.theme.text}>
      <fieldset className="flex flex-wrap gap-x-6 gap-y-2">
        <legend className="sr-only">{account.theme.title}</legend>
        {themes.map((value) => (
          <label key={value} className="flex h-8 items-center gap-2">
            <input
              type="radio"
              name="theme"
              checked={chosen === value}
              onChange={() => {
                setTheme(value)
                choose(value)
              }}
              className="accent-accent"
            />
            {shell.theme[value]}
          </label>
        ))}
      </fieldset>
    </Section>
  )
}
