export const limits = {
  none: 'Refused nothing in the last day.',
  refused: (hour: string, day: string) => `Refused ${day} in the last day, ${hour} of them in the last hour.`,
  last: 'Last',
  clients: 'Most from',
  times: (n: string) => `${n} times`,
  others: 'Limits without a setting',
  othersText: 'They are the same for all projects.',
}
