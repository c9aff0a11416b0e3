import type { ReactNode } from 'react'
import { cx } from '@/lib/cx'

/** Marks of our own: letters and plain shapes in the provider's colours. */
const marks: Record<string, [background: string, mark: ReactNode]> = {
  apple: ['#000000', letters('A')],
  azure: ['#ffffff', <><path key="a" fill="#f25022" d="M7 7h8.5v8.5H7z" /><path fill="#7fba00" d="M16.5 7H25v8.5h-8.5z" /><path fill="#00a4ef" d="M7 16.5h8.5V25H7z" /><path fill="#ffb900" d="M16.5 16.5H25V25h-8.5z" /></>],
  bitbucket: ['#0052cc', letters('B')],
  discord: ['#5865f2', letters('D')],
  facebook: ['#0866ff', letters('f')],
  figma: ['#1e1e1e', <><path fill="#f24e1e" d="M11 6h5v7h-5a3.5 3.5 0 0 1 0-7z" /><path fill="#ff7262" d="M16 6h5a3.5 3.5 0 0 1 0 7h-5z" /><path fill="#a259ff" d="M11 13h5v7h-5a3.5 3.5 0 0 1 0-7z" /><circle fill="#1abcfe" cx="19.5" cy="16.5" r="3.5" /><path fill="#0acf83" d="M11 20h5v3.5a3.5 3.5 0 1 1-5-3.5z" /></>],
  fly: ['#7c3aed', letters('Fly', 11)],
  github: ['#24292f', letters('Gh', 14)],
  gitlab: ['#ffffff', <><path fill="#e24329" d="m16 25 5-12H11z" /><path fill="#fc6d26" d="m16 25-5-12H6.5zm0 0 5-12h4.5z" /><path fill="#fca326" d="m6.5 13-1.2 4L16 25zm19 0 1.2 4L16 25z" /><path fill="#e24329" d="M6.500 13 9 7l2 6zm19 0L23 7l-2 6z" /></>],
  google: ['#ffffff', letters('G', 18, '#4285f4')],
  kakao: ['#fee500', letters('K', 18, '#3c1e1e')],
  keycloak: ['#4d4d4d', letters('K', 18, '#33c6e9')],
  linkedin: ['#0a66c2', letters('in', 15)],
  linkedin_oidc: ['#0a66c2', letters('in', 15)],
  notion: ['#ffffff', letters('N', 18, '#000000')],
  slack: ['#4a154b', letters('S')],
  slack_oidc: ['#4a154b', letters('S')],
  snapchat: ['#fffc00', letters('S', 18, '#000000')],
  spotify: ['#1ed760', <g key="s" fill="none" stroke="#000000" strokeWidth="2.2" strokeLinecap="round"><path d="M8.500 12.500c5-1.600 10.500-1.100 15 1.400" /><path d="M9.500 16.700c4.200-1.200 8.500-.8 12.200 1.200" /><path d="M10.300 20.600c3.400-.9 6.700-.6 9.700 1" /></g>],
  twitch: ['#9146ff', letters('T')],
  twitter: ['#1d9bf0', letters('T')],
  vercel_marketplace: ['#000000', <path key="v" fill="#ffffff" d="m16 8 9 15.500H7z" />],
  workos: ['#6363f1', letters('W')],
  x: ['#000000', <path key="x" stroke="#ffffff" strokeWidth="2.200" d="m9 9 14 14M23 9 9 23" />],
  zoom: ['#0b5cff', letters('Z')],
}

function letters(text: string, size = 18, colour = '#ffffff') {
  return (
    <text key={text} x="16" y="16" dy="0.36em" textAnchor="middle" fontSize={size} fontWeight="700" fill={colour} fontFamily="var(--font-sans)">
      {text}
    </text>
  )
}

/** The mark of a provider; its name stands beside it. */
export function ProviderLogo({ id, name, small }: { id: string; name: string; small?: boolean }) {
  const [background, mark] = marks[id] ?? ['#57534c', letters(name.slice(0, 1).toUpperCase())]
  return (
    <svg viewBox="0 0 32 32" className={cx('shrink-0', small ? 'size-4' : 'size-8')} aria-hidden>
      <rect x="0.5" y="0.5" width="31" height="31" rx="6" fill={background} stroke="var(--line)" />
      {mark}
    </svg>
  )
}
