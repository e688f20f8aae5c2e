(** docs/theory/condition.md: an even number of partitions leaves next to no room (Theorem 4). *)
From Coq Require Import ZArith Arith Lia Bool.
From Election Require Import Count Definitions Margin Sides.
Local Arguments Nat.ltb : simpl never.
Local Arguments Nat.leb : simpl never.
Local Arguments Nat.mul : simpl never.
Local Arguments Nat.div : simpl never.

Section EvenPartitions.
Variables (n k : nat) (G : matrix).
Local Notation load := (load k G).
Local Notation seen := (seen k G).
Local Notation C := (C n k G).
Local Notation D := (D n k G).

Definition complement (U : nat -> bool) : nat -> bool := fun i => negb (U i).

Lemma seen_complement j U : seen j (complement U) + seen j U = load j.
Proof.
  unfold Definitions.seen, Definitions.load, complement. pose proof (cnt_split (G j) U k). lia.
Qed.

Lemma cnt_complement U : cnt (complement U) k + cnt U k = k.
Proof. unfold complement. pose proof (cnt_neg U k). lia. Qed.

(** D(U) + C(U^c) = n. *)
Lemma C_complement U : C (complement U) + D U = n.
Proof.
  unfold Sides.C, Sides.D. rewrite <- (cnt_neg (fun j => load j <? 2 * seen j U) n) at 3.
  rewrite (cnt_ext (fun j => load j <=? 2 * seen j (complement U)) (fun j => negb (load j <? 2 * seen j U))); [lia|].
  intros j _. pose proof (seen_complement j U).
  destruct (Nat.leb_spec (load j) (2 * seen j (complement U))), (Nat.ltb_spec (load j) (2 * seen j U)); auto; lia.
Qed.

Lemma D_complement U : D (complement U) + C U = n.
Proof.
  pose proof (C_complement (complement U)).
  assert (E : C (complement (complement U)) = C U).
  { apply cnt_ext. intros j _. do 2 f_equal. apply cnt_ext. intros i _. unfold complement. now rewrite negb_involutive. }
  lia.
Qed.

(** The votes that tie. *)
Definition T (U : nat -> bool) := cnt (fun j => load j =? 2 * seen j U) n.
Lemma T_spec U : C U = D U + T U.
Proof.
  unfold Sides.C, Sides.D, T. induction n as [|p IH]; cbn [cnt]; [reflexivity|]. rewrite IH.
  destruct (Nat.leb_spec (load p) (2 * seen p U)), (Nat.ltb_spec (load p) (2 * seen p U)),
    (Nat.eqb_spec (load p) (2 * seen p U)); cbn [Nat.b2n]; lia.
Qed.

Hypothesis Hn : 1 <= n.
Hypothesis Hk : 1 <= k.
Variable h : nat.
Hypothesis k_even : k = 2 * h.

Lemma half_k : k / 2 = h.
Proof. rewrite k_even, Nat.mul_comm. now rewrite Nat.div_mul. Qed.

(** A row of even load ties on some half of the partitions. *)
Lemma tie_somewhere j : j < n -> Nat.Even (load j) -> exists U, cnt U k = h /\ 0 < T U.
Proof.
  intros Hj [w Hw]. pose proof (cnt_le (G j) k) as Hl. fold (load j) in Hl.
  destruct (cnt_take (G j) k w) as (A & HA & Ac); [fold (load j); lia|].
  pose proof (cnt_neg (G j) k) as N. fold (load j) in N.
  destruct (cnt_take (fun i => negb (G j i)) k (h - w)) as (B & HB & Bc); [lia|].
  exists (fun i => A i || B i). split.
  - enough (cnt (fun i => A i || B i) k = cnt A k + cnt B k) by lia. clear - HA HB.
    induction k as [|p IH]; cbn [cnt]; [reflexivity|]. rewrite IH. specialize (HA p). specialize (HB p).
    destruct (A p), (B p), (G j p); cbn in *; try lia; first [now specialize (HA eq_refl) | now specialize (HB eq_refl)].
  - apply cnt_pos with j; auto. apply Nat.eqb_eq. rewrite Hw, <- Ac. f_equal. apply cnt_ext. intros i _.
    specialize (HA i). specialize (HB i). destruct (A i), (B i), (G j i); cbn in *; auto.
    all: first [now specialize (HA eq_refl) | now specialize (HB eq_refl)].
Qed.

Section Tolerant.
Variables (t : ties) (b : nat).
Hypothesis tol : tolerant n k G t b.

Lemma side_zero U : cnt U k <= h -> loss n k G t false U + 2 * b <= n.
Proof.
  intros HU. apply theorem_2 in tol; auto. destruct tol as [H _]. specialize (H U).
  unfold side in H. rewrite half_k in H. specialize (H HU). cbn [Z.b2z] in H. lia.
Qed.

Lemma complement_half U : cnt U k = h -> cnt (complement U) k = h.
Proof. pose proof (cnt_complement U). lia. Qed.

Lemma vote_true_half m : cnt m k = h -> (forall j, j < n -> Nat.Odd (load j)) -> votes n true (vote k G t m) = C m.
Proof.
  intros Hm Ho. apply cnt_ext. intros j Hj. destruct (Ho j Hj) as [p Hp]. unfold vote.
  destruct (Nat.ltb_spec (load j) (2 * seen j m)); [|destruct (Nat.ltb_spec (2 * seen j m) (load j))];
    destruct (Nat.leb_spec (load j) (2 * seen j m)); cbn; auto; lia.
Qed.

(** (a) *)
Theorem theorem_4a : t = Adversarial \/ t = One \/ odd_loads n k G ->
  b = 0 /\ Nat.Even n /\ odd_loads n k G /\
  (forall m, cnt m k = h -> 2 * votes n true (vote k G t m) = n).
Proof.
  intros Ht.
  assert (S : forall U, cnt U k = h -> 2 * C U + 2 * b <= n).
  { intros U HU. pose proof (side_zero U ltac:(lia)) as L.
    destruct Ht as [->|[->|Ht]]; auto. pose proof (odd_loads_eq n k G U Ht). destruct t; cbn [loss] in L; lia. }
  assert (Z0 : forall U, cnt U k = h -> b = 0 /\ T U = 0 /\ 2 * C U = n).
  { intros U HU. pose proof (S U HU). pose proof (S _ (complement_half U HU)).
    pose proof (C_complement U). pose proof (T_spec U). lia. }
  assert (Ho : odd_loads n k G).
  { intros j Hj. destruct (Nat.Even_or_Odd (load j)) as [E|]; auto.
    destruct (tie_somewhere j Hj E) as (U & HU & HT). destruct (Z0 U HU) as (_ & F & _). lia. }
  destruct (Z0 (fun i => i <? h)) as (B0 & _ & N0); [apply cnt_lt_prefix; lia|].
  repeat split; auto.
  - now exists (C (fun i => i <? h)).
  - intros m Hm. rewrite vote_true_half by auto. now apply Z0.
Qed.

(** (b) *)
Theorem theorem_4b : t = Abstain ->
  b = 0 /\ (forall m, cnt m k = h -> votes n true (vote k G t m) = votes n false (vote k G t m)).
Proof.
  intros Ht.
  assert (Z0 : forall U, cnt U k = h -> b = 0 /\ C U + D U = n).
  { intros U HU. pose proof (side_zero U ltac:(lia)) as L1.
    pose proof (side_zero _ (Nat.eq_le_incl _ _ (complement_half U HU))) as L2.
    rewrite Ht in *. cbn [loss] in *. pose proof (C_complement U). pose proof (D_complement U). lia. }
  split; [apply (Z0 (fun i => i <? h)), cnt_lt_prefix; lia|].
  intros m Hm. destruct (Z0 m Hm) as [_ E].
  assert (V1 : votes n true (vote k G t m) = D m).
  { apply cnt_ext. intros j _. unfold vote. rewrite Ht.
    destruct (Nat.ltb_spec (load j) (2 * seen j m)); [|destruct (Nat.ltb_spec (2 * seen j m) (load j))]; auto. }
  assert (V0 : votes n false (vote k G t m) + C m = n).
  { pose proof (cnt_neg (fun j => load j <=? 2 * seen j m) n) as N. fold (C m) in N.
    enough (F : votes n false (vote k G t m) = cnt (fun j => negb (load j <=? 2 * seen j m)) n) by (cbn beta in N; lia).
    apply cnt_ext. intros j _. unfold vote. rewrite Ht.
    destruct (Nat.ltb_spec (load j) (2 * seen j m)); [|destruct (Nat.ltb_spec (2 * seen j m) (load j))];
      destruct (Nat.leb_spec (load j) (2 * seen j m)); cbn; auto; lia. }
  lia.
Qed.

(** (c) *)
Theorem theorem_4c : t = Zero ->
  forall m, cnt m k = h -> 2 * b <= T m /\ (Nat.Odd n -> 2 * b + 1 <= T m).
Proof.
  intros Ht U HU. pose proof (side_zero U ltac:(lia)) as L1.
  pose proof (side_zero _ (Nat.eq_le_incl _ _ (complement_half U HU))) as L2.
  rewrite Ht in *. cbn [loss] in *. pose proof (D_complement U). pose proof (T_spec U).
  split; [lia|]. intros [q Hq]. lia.
Qed.
End Tolerant.
End EvenPartitions.
