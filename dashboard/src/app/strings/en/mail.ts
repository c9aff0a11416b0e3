export const mail = {
  views: 'Views of the mail',
  html: 'Mail',
  text: 'Plain text',
  source: 'HTML',
  headers: 'Headers',
  wide: 'As wide as on a desk',
  narrow: 'As narrow as on a phone',
  frame: 'The mail as it is shown',
}
