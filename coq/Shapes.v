(** Shapes of claims that are read, and which sides a claim needs. *)
From Coq Require Import ZArith Arith Lia Bool List.
From Election Require Import Count Definitions Margin Sides PB Formula.
Import ListNotations.
Local Arguments Nat.ltb : simpl never.
Local Arguments Nat.leb : simpl never.
Local Arguments Nat.mul : simpl never.
Local Arguments Nat.div : simpl never.
Local Open Scope nat_scope.

Definition well_formed (k : nat) (G : rows) : bool :=
  (1 <=? k) && (1 <=? length G) && forallb (fun row => length row =? k) G.

Definition all_odd (G : rows) : bool := forallb (fun row => Z.odd (ones row)) G.
Definition is_rule (t u : ties) : bool :=
  match t, u with
  | Adversarial, Adversarial | Zero, Zero | One, One | Abstain, Abstain => true
  | _, _ => false
  end.
(** Whether one side stands for both (Theorem 3). *)
Definition stands (k : nat) (G : rows) (t : ties) (d : Z) (mu : bool) : bool :=
  if mu then Nat.odd k && (negb (is_rule t One) || all_odd G)
  else Nat.odd (length G) && Z.even d && (is_rule t Adversarial || is_rule t One || all_odd G).

(** The sides that decide: one, where it stands for both. *)
Definition deciding (k : nat) (G : rows) (t : ties) (d : Z) : list bool :=
  if stands k G t d false then [false]
  else if stands k G t d true then [true]
  else [false; true].

Lemma well_formed_spec k G : well_formed k G = true ->
  1 <= k /\ 1 <= length G /\ forall row, In row G -> length row = k.
Proof.
  unfold well_formed. rewrite !andb_true_iff, !Nat.leb_le, forallb_forall. intros [[H1 H2] H3].
  repeat split; auto. intros row Hr. now apply Nat.eqb_eq, H3.
Qed.

Lemma all_odd_spec k G : (forall row, In row G -> length row = k) -> all_odd G = true ->
  odd_loads (length G) k (matrix_of G).
Proof.
  unfold all_odd, odd_loads. rewrite forallb_forall. intros Hs H j Hj.
  assert (I : In (nth j G []) G) by (now apply nth_In).
  specialize (H _ I). rewrite (ones_load _ k) in H by auto.
  change (load k (matrix_of G) j) with (row_load (nth j G []) k).
  apply Z.odd_spec in H as [x Hx]. exists (Z.to_nat x). lia.
Qed.

Lemma stands_spec k G t d mu : (forall row, In row G -> length row = k) -> stands k G t d mu = true ->
  one_side (length G) k (matrix_of G) t d mu.
Proof.
  intros Hs. unfold stands, one_side. destruct mu; rewrite !andb_true_iff, Nat.odd_spec.
  - intros [H1 H2]. split; auto. apply orb_prop in H2 as [H2|H2]; [left; now destruct t | right].
    now apply all_odd_spec.
  - intros [[H1 H0] H2]. apply Z.even_spec in H0. repeat split; auto.
    apply orb_prop in H2 as [H2|H2]; [destruct t; auto; discriminate|].
    right; right. now apply all_odd_spec.
Qed.

(** Every deciding side holds exactly when every message has the lead d. *)
Lemma deciding_spec k G t d : well_formed k G = true ->
  (every_lead (length G) k (matrix_of G) t d <->
   forall mu, In mu (deciding k G t d) -> side_ok (length G) k (matrix_of G) t d mu).
Proof.
  intros (Hk & Hn & Hs)%well_formed_spec. unfold deciding.
  destruct (stands k G t d false) eqn:S0; [|destruct (stands k G t d true) eqn:S1].
  - rewrite (theorem_3_leads _ _ _ _ _ false) by auto using stands_spec.
    split; [intros H mu [<-|[]]; auto|intros H; apply H; now left].
  - rewrite (theorem_3_leads _ _ _ _ _ true) by auto using stands_spec.
    split; [intros H mu [<-|[]]; auto|intros H; apply H; now left].
  - rewrite theorem_2_leads by auto.
    split; [intros [H0 H1] mu [<-|[<-|[]]]; auto|intros H; split; apply H; cbn; auto].
Qed.
