"use strict";
// The vote of one coordinate, by the definitions: what workers send, what the server decodes. No page is needed to run it.
// code: {k, ties, rows}, a row a worker, the list of the partitions that it holds.
// message: a list of k bits. roles: for each worker "honest", "lies" or "missing".

/** The majority of the message's bits. A tie is 0. */
function majority(message) {
  const ones = message.reduce((sum, bit) => sum + bit, 0);
  return 2 * ones > message.length ? 1 : 0;
}

/** What an honest worker that holds these partitions sends: 1, 0, or null where it is silent. */
function honestVote(row, ties, message, correct) {
  const seen = 2 * row.reduce((sum, i) => sum + message[i], 0);
  if (seen !== row.length) return seen > row.length ? 1 : 0;
  return { adversarial: 1 - correct, zero: 0, one: 1, abstain: null }[ties];
}

/**
 * One round. A worker that lies sends the opposite of the correct answer.
 * allowance: the message is decoded right whatever happens while 2·liars + missing is no more than this.
 */
function vote(code, message, roles) {
  const correct = majority(message);
  const honest = code.rows.map((row) => honestVote(row, code.ties, message, correct));
  const sent = honest.map((bit, j) => ({ honest: bit, lies: 1 - correct, missing: null })[roles[j]]);
  const count = (list, bit) => list.filter((each) => each === bit).length;
  const ones = count(sent, 1), zeros = count(sent, 0);
  const allowance = count(honest, correct) - count(honest, 1 - correct) - correct;
  return { correct, honest, sent, ones, zeros, decoded: ones > zeros ? 1 : 0, allowance };
}

/** Roles of so many liars and missing workers that leave the correct answer the smallest lead on this message. */
function worstRoles(code, message, liars, missing) {
  const { correct, honest } = vote(code, message, code.rows.map(() => "honest"));
  const order = [correct, null, 1 - correct];
  const workers = honest.map((_, j) => j).sort((a, b) => order.indexOf(honest[a]) - order.indexOf(honest[b]) || a - b);
  const roles = code.rows.map(() => "honest");
  workers.splice(0, liars).forEach((j) => { roles[j] = "lies"; });
  workers.splice(0, missing).forEach((j) => { roles[j] = "missing"; });
  return roles;
}
