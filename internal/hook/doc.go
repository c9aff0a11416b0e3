// Package hook calls a project's own code at points of the flows: a function in the
// project's database, or a URL. It owns the calls: their bounds, signatures and
// payloads, the strict reading of answers, what follows from a failure, and the
// record of the last calls. Flows call it by interfaces of their own.
//
//  1. The point's settings name what is called. A hook that failed to answer several
//     times in a row is not called for a while (see breakers).
//  2. The call takes place: a function runs in the transaction of the flow, as the
//     project's auth role, for at most two seconds; a URL gets a signed request, for at
//     most five seconds in all, and few at a time.
//  3. The answer is a decision, a refusal in the hook's own words, or neither: a
//     failure. The mode of the hook says what follows from a failure.
//  4. The call is recorded, and a failure is added to the project's log.
//
// A refusal, and a failure unless the hook fails open, is an error: the flow's
// transaction is rolled back, so that nothing is half done.
package hook
