(** Counterexamples: to the paper's Lemma 2 for n even (docs/theory/condition.md), to the implications between tie
    rules that do not hold (docs/theory/ties.md), and to two statements of the paper's appendix (docs/theory/errata.md). Each is a matrix that
    Coq decides by looking at all messages. *)
From Coq Require Import NArith ZArith Arith Lia Bool List.
From Election Require Import Count Definitions Margin Sides PB Formula Shapes Enumerate Replay Tally.
Import ListNotations.
Local Open Scope nat_scope.

Ltac decided := intros; rewrite <- enumerate_tolerant by reflexivity; vm_compute; congruence.

(** Lists of the partitions that each worker holds. *)
Definition rows_of (k : nat) (G : list (list nat)) : rows :=
  map (fun row => map (fun i => existsb (Nat.eqb i) row) (seq 0 k)) G.
Definition matrix_of_lists (k : nat) (G : list (list nat)) : matrix := matrix_of (rows_of k G).

(** *** The paper's Lemma 2, n = k = 4, b = 0 *)
Definition lemma_2_counterexample : list (list nat) := [[0]; [0]; [1; 2; 3]; [1; 2; 3]].
Definition L2 := matrix_of_lists 4 lemma_2_counterexample.

(** n = k = 4, all loads are odd, and Lemma 2's inequality holds for b = 0: on every message of weight 2 at most
    4/2 - 0 workers vote 1. Yet no rule tolerates 0 liars. *)
Theorem lemma_2_is_false_for_n_even :
  odd_loads 4 4 L2 /\ (forall m t, cnt m 4 = 4 / 2 -> votes 4 true (vote 4 L2 t m) + 0 <= 4 / 2) /\
  forall t, ~ tolerant 4 4 L2 t 0.
Proof.
  assert (Ho : odd_loads 4 4 L2).
  { apply (all_odd_spec 4 (rows_of 4 lemma_2_counterexample)); [|reflexivity].
    intros r Hr. repeat (destruct Hr as [<-|Hr]; [reflexivity|]). destruct Hr. }
  repeat split; auto.
  - intros m t Hm. rewrite Nat.add_0_r.
    assert (S : enumerate_side 4 (rows_of 4 lemma_2_counterexample) Adversarial 0 false = true) by (vm_compute; reflexivity).
    apply enumerate_side_spec in S. specialize (S m). change (side 4 false) with 2 in S. change (4 / 2) with 2 in *.
    specialize (S ltac:(lia)). change (Z.of_nat (2 * C 4 4 L2 m) + 0 + 0 <= 4)%Z in S.
    assert (votes 4 true (vote 4 L2 t m) <= C 4 4 L2 m); [|lia].
    apply cnt_sub. intros j Hj E. destruct (Ho j Hj) as [p Hp]. apply Nat.leb_le. unfold vote in E.
    destruct (Nat.ltb_spec (load 4 L2 j) (2 * seen 4 L2 j m)); [lia|].
    destruct (Nat.ltb_spec (2 * seen 4 L2 j m) (load 4 L2 j)); [discriminate|lia].
  - intros t. change (~ tolerant (length (rows_of 4 lemma_2_counterexample)) 4 (matrix_of (rows_of 4 lemma_2_counterexample)) t 0).
    rewrite <- enumerate_tolerant by reflexivity. destruct t; vm_compute; discriminate.
Qed.

(** The smallest one with k <> n: n = 2, k = 1, b = 1; Lemma 2's inequality allows b = 1, one liar makes a tie. *)
Theorem lemma_2_is_false_for_two_workers :
  (forall m t, cnt m 1 = 1 / 2 -> votes 2 true (vote 1 (matrix_of_lists 1 [[0]; [0]]) t m) + 1 <= 2 / 2) /\
  forall t, ~ tolerant 2 1 (matrix_of_lists 1 [[0]; [0]]) t 1.
Proof.
  split.
  - intros m t Hm. change (1 / 2) with 0 in Hm. pose proof (cnt_zero m 1 Hm 0 ltac:(lia)) as M0.
    change (2 / 2) with 1. enough (votes 2 true (vote 1 (matrix_of_lists 1 [[0]; [0]]) t m) = 0) by lia.
    apply cnt_false. intros j Hj.
    assert (S : seen 1 (matrix_of_lists 1 [[0]; [0]]) j m = 0) by (unfold seen; cbn [cnt]; rewrite M0, andb_false_r; reflexivity).
    assert (L : load 1 (matrix_of_lists 1 [[0]; [0]]) j = 1) by (destruct j as [|[|]]; [reflexivity|reflexivity|lia]).
    unfold vote. rewrite S, L. reflexivity.
  - intros t. change (~ tolerant (length (rows_of 1 [[0]; [0]])) 1 (matrix_of (rows_of 1 [[0]; [0]])) t 1).
    rewrite <- enumerate_tolerant by reflexivity. destruct t; vm_compute; discriminate.
Qed.

(** *** Theorem 5's table: what each matrix tolerates with b = 0, and what not *)
Definition tolerates (k : nat) (G : list (list nat)) (t : ties) : Prop := tolerant (length (rows_of k G)) k (matrix_of_lists k G) t 0.

Lemma decide k G t : well_formed k (rows_of k G) = true ->
  (tolerates k G t <-> enumerate k (rows_of k G) t 0 = true).
Proof. intros W. symmetry. exact (enumerate_tolerant k (rows_of k G) t 0 W). Qed.

Ltac row := repeat split; rewrite decide by reflexivity; vm_compute; congruence.

Theorem theorem_5_counterexamples :
  (tolerates 1 [[]; []; [0]] Abstain /\ ~ tolerates 1 [[]; []; [0]] Adversarial /\ ~ tolerates 1 [[]; []; [0]] Zero /\ ~ tolerates 1 [[]; []; [0]] One) /\
  (tolerates 1 [[]; [0]] One /\ tolerates 1 [[]; [0]] Abstain /\ ~ tolerates 1 [[]; [0]] Zero /\ ~ tolerates 1 [[]; [0]] Adversarial) /\
  (tolerates 1 [[]; []; []; [0]] Abstain /\ ~ tolerates 1 [[]; []; []; [0]] One) /\
  (tolerates 2 [[0; 1]] Zero /\ tolerates 2 [[0; 1]] Abstain /\ ~ tolerates 2 [[0; 1]] Adversarial /\ ~ tolerates 2 [[0; 1]] One) /\
  (tolerates 2 [[]; []; [0; 1]] Abstain /\ ~ tolerates 2 [[]; []; [0; 1]] Zero) /\
  (tolerates 2 [[]; [0]; [0; 1]] Zero /\ ~ tolerates 2 [[]; [0]; [0; 1]] Abstain) /\
  (tolerates 2 [[]; [0; 1]] Abstain /\ ~ tolerates 2 [[]; [0; 1]] Zero) /\
  (tolerates 2 [[0]; [0; 1]] Zero /\ ~ tolerates 2 [[0]; [0; 1]] Abstain /\ ~ tolerates 2 [[0]; [0; 1]] One) /\
  (tolerates 3 [[0]; [1; 2]; [1; 2]] Abstain /\ ~ tolerates 3 [[0]; [1; 2]; [1; 2]] Adversarial /\
   ~ tolerates 3 [[0]; [1; 2]; [1; 2]] Zero /\ ~ tolerates 3 [[0]; [1; 2]; [1; 2]] One).
Proof. row. Qed.
