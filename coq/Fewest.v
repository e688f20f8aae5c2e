(** docs/theory/bounds.md: a checker of claims that no tolerant code has fewer ones. *)
From Coq Require Import NArith Arith Lia Bool.
From Election Require Import Count Definitions Sides Holders TwoRows.
Local Arguments Nat.mul : simpl never.

(** No code of n workers and n partitions that tolerates b has fewer than T ones: under the rules adversarial, zero and one, and
    under abstain where all loads are odd. *)
Definition fewest_ones (n b T : nat) : Prop := forall t G,
  t <> Abstain \/ odd_loads n n G -> tolerant n n G t b -> T <= sum (load n G) n.

Inductive bound_rule :=
  | ByColumns      (* Theorem 6 *)
  | ByTwoRows.     (* Theorem 13 *)

Definition check_bound (n b T : N) (r : bound_rule) : bool :=
  N.odd n &&
  match r with
  | ByColumns => (T <=? n * (2 * b + 1))%N
  | ByTwoRows => (5 <=? n)%N && (2 * b + 3 =? n)%N && (T + n + 1 <=? n * n)%N
  end.

Theorem check_bound_sound n b T r : check_bound n b T r = true -> fewest_ones (N.to_nat n) (N.to_nat b) (N.to_nat T).
Proof.
  unfold check_bound. intros [O H]%andb_prop t G Ht HT. apply N.odd_spec in O as [h O]. destruct r.
  - apply N.leb_le in H. pose proof (redundancy_bound (N.to_nat n) (N.to_nat n) G t (N.to_nat b) ltac:(lia) HT) as B.
    change (fun j => load (N.to_nat n) G j) with (load (N.to_nat n) G) in B. clear HT O. nia.
  - rewrite !andb_true_iff, !N.leb_le, N.eqb_eq in H. destruct H as [[H1 H2] H3].
    set (s := N.to_nat b + 1). assert (E : N.to_nat n = 2 * s + 1) by (unfold s; lia). rewrite E in *.
    replace (N.to_nat b) with (s - 1) in HT by (unfold s; lia).
    pose proof (theorem_13 s t G ltac:(unfold s; lia) Ht HT) as B. clear HT Ht. nia.
Qed.
