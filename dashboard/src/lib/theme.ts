// The theme of the page: what the person chose, else what the system says.
export type Theme = 'system' | 'light' | 'dark'

const key = 'reeve-theme'
const dark = window.matchMedia('(prefers-color-scheme: dark)')

export function theme(): Theme {
  const stored = localStorage.getItem(key)
  return stored === 'light' || stored === 'dark' ? stored : 'system'
}

export function setTheme(next: Theme) {
  if (next === 'system') localStorage.removeItem(key)
  else localStorage.setItem(key, next)
  apply()
}

function apply() {
  const chosen = theme()
  document.documentElement.dataset.theme = chosen === 'system' ? (dark.matches ? 'dark' : 'light') : chosen
}

apply()
dark.addEventListener('change', apply)
