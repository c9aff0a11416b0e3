// Takes a picture of one page: node scripts/shot.js /p/REF out.png [light|dark] [width]
import { accessibility, launch, open, signIn, url } from '../journeys/browser.js'

const [path, out, theme = 'light', width = '1280'] = process.argv.slice(2)
const browser = await launch()
try {
  const { page, complaints } = await open(browser, { theme, width: Number(width) })
  await signIn(page)
  await page.goto(url + path)
  await page.waitForLoadState('networkidle')
  await page.screenshot({ path: out, fullPage: true })
  for (const line of [...complaints, ...(await accessibility(page))]) console.log(line)
} finally {
  await browser.close()
}
