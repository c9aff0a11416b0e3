export const smtp = {
  test: 'Test the server',
  testText: 'Goes through a delivery step by step, with the values above, saved or not.',
  tryIt: 'Test without sending',
  send: 'Send me a mail',
  ok: (to: string) => `The server takes mails to ${to}.`,
  sent: (to: string) => `The server took the mail to ${to}.`,
  failed: 'The server does not take the mail. The first step that failed says why.',
  needsHost: 'Enter a host first: while there is none, the operator’s server sends.',
  steps: { resolve: 'Find the host', connect: 'Connect', hello: 'Greet', tls: 'Encrypt', auth: 'Sign in', mail_from: 'Name the sender', rcpt_to: 'Name the recipient', data: 'Hand over the mail' } as Record<string, string>,
}
