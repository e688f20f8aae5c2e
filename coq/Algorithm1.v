(** docs/theory/algorithm1.md: the radius of the paper's Algorithm 1 is exactly b (Theorem 8; the paper's Theorem 3). *)
From Coq Require Import ZArith Arith Lia Bool.
From Election Require Import Count Definitions Margin Sides.
Local Arguments Nat.ltb : simpl never.
Local Arguments Nat.leb : simpl never.
Local Arguments Nat.mul : simpl never.
Local Arguments Nat.div : simpl never.

(** *** Sliding windows: [wins] of them cost at least b + [wins] points.
    Window a has the 2b + 1 places from a(b+1) on, and is won with b + 1 points; f counts points. *)
Section Chain.
Variables (b : nat) (f : nat -> nat).
Hypothesis b_pos : 1 <= b.
Hypothesis f_mono : forall x y, x <= y -> f x <= f y.
Hypothesis f_step : forall x y, x <= y -> f y <= f x + (y - x).

Definition won (a : nat) := f (a * (b + 1)) + (b + 1) <=? f (a * (b + 1) + (2 * b + 1)).

Lemma chain_wins q : cnt won q = 0 \/ b + cnt won q + f 0 <= f (q * (b + 1) + b).
Proof.
  enough (H : (cnt won q = 0 \/ b + cnt won q + f 0 <= f (q * (b + 1) + b)) /\
              (cnt won (S q) = 0 \/ b + cnt won (S q) + f 0 <= f (S q * (b + 1) + b))) by apply H.
  induction q as [|q [IH0 IH1]].
  - cbn [cnt]. split; [auto|]. unfold won. destruct (Nat.leb_spec (f (0 * (b + 1)) + (b + 1)) (f (0 * (b + 1) + (2 * b + 1))));
      cbn [Nat.b2n]; auto. right. replace (1 * (b + 1) + b) with (0 * (b + 1) + (2 * b + 1)) by lia.
    change (0 * (b + 1)) with 0 in *. lia.
  - split; [exact IH1|]. remember (S q) as p eqn:Ep. cbn [cnt] in *.
    replace (S p * (b + 1) + b) with (p * (b + 1) + (2 * b + 1)) by lia.
    pose proof (f_mono (p * (b + 1) + b) (p * (b + 1) + (2 * b + 1)) ltac:(lia)).
    unfold won at 2 4. destruct (Nat.leb_spec (f (p * (b + 1)) + (b + 1)) (f (p * (b + 1) + (2 * b + 1)))) as [W|W];
      cbn [Nat.b2n]; [right|rewrite Nat.add_0_r; lia].
    pose proof (f_mono 0 (p * (b + 1)) ltac:(lia)).
    destruct IH1 as [Z|IH1]; [lia|].
    rewrite Ep in IH1 |- *. cbn [cnt] in *. fold (won q) in *.
    destruct IH0 as [Z|IH0].
    + (* only the window before is won: the two share b places *)
      rewrite Z in *. unfold won in *. rewrite Ep in *.
      destruct (Nat.leb_spec (f (q * (b + 1)) + (b + 1)) (f (q * (b + 1) + (2 * b + 1)))) as [V|V]; cbn [Nat.b2n] in *; [|lia].
      pose proof (f_step (S q * (b + 1)) (q * (b + 1) + (2 * b + 1)) ltac:(lia)).
      pose proof (f_mono 0 (q * (b + 1)) ltac:(lia)).
      replace (S q * (b + 1) + (2 * b + 1)) with (S q * (b + 1) + (2 * b + 1)) in * by lia. lia.
    + (* the windows before the last two share nothing with this one *)
      pose proof (f_mono (q * (b + 1) + b) (p * (b + 1)) ltac:(lia)).
      rewrite Ep in *. destruct (won q); cbn [Nat.b2n]; lia.
Qed.
End Chain.

Section Algorithm1.
Variables (t b : nat).
Hypothesis Hb : 1 <= b <= t.
Local Notation n := (2 * t + 1).
Local Notation s := (t - b).
(** L = floor((n+1) / (2(b+1))) *)
Definition L := (t + 1) / (b + 1).

Definition algorithm1 : matrix := fun j i =>
  if j <? s then i =? j
  else if j <? s + L then (s + (j - s) * (b + 1) <=? i) && (i <? s + (j - s) * (b + 1) + (2 * b + 1))
  else true.

Lemma L_fits : L * (b + 1) <= t + 1.
Proof. unfold L. pose proof (Nat.mul_div_le (t + 1) (b + 1)). lia. Qed.

Lemma L_small : s + L <= n.
Proof. pose proof L_fits. nia. Qed.

Lemma row_dictator j U : j < s -> cnt (fun i => algorithm1 j i && U i) n = Nat.b2n (U j).
Proof.
  intros H. rewrite (cnt_ext _ (fun i => (j <=? i) && (i <? j + 1) && U i)).
  - rewrite cnt_interval, cnt_add by lia. cbn [cnt]. rewrite Nat.add_0_r. lia.
  - intros i _. unfold algorithm1. replace (j <? s) with true by (symmetry; now apply Nat.ltb_lt).
    f_equal. destruct (Nat.eqb_spec i j), (Nat.leb_spec j i), (Nat.ltb_spec i (j + 1)); cbn; auto; lia.
Qed.

Lemma row_chain a U : a < L ->
  cnt (fun i => algorithm1 (s + a) i && U i) n =
  cnt U (s + a * (b + 1) + (2 * b + 1)) - cnt U (s + a * (b + 1)).
Proof.
  intros H. rewrite <- (cnt_interval U _ _ n) by (pose proof L_fits; nia).
  apply cnt_ext. intros i _. unfold algorithm1. f_equal.
  destruct (Nat.ltb_spec (s + a) s); [lia|]. destruct (Nat.ltb_spec (s + a) (s + L)); [|lia].
  now replace (s + a - s) with a by lia.
Qed.

Lemma row_full j U : s + L <= j -> cnt (fun i => algorithm1 j i && U i) n = cnt U n.
Proof.
  intros H. apply cnt_ext. intros i _. unfold algorithm1.
  destruct (Nat.ltb_spec j s); [lia|]. destruct (Nat.ltb_spec j (s + L)); [lia|]. reflexivity.
Qed.

Lemma load_seen j : load n algorithm1 j = seen n algorithm1 j (fun _ => true).
Proof. apply cnt_ext. intros i _. now rewrite andb_true_r. Qed.

Lemma cnt_all x : cnt (fun _ => true) x = x.
Proof. now apply cnt_true. Qed.

Lemma algorithm1_odd : odd_loads n n algorithm1.
Proof.
  intros j Hj. rewrite load_seen. unfold seen. destruct (le_lt_dec s j); [destruct (le_lt_dec (s + L) j)|].
  - rewrite row_full, cnt_all by auto. now exists t.
  - replace j with (s + (j - s)) by lia. rewrite row_chain, !cnt_all by lia. exists b. lia.
  - rewrite row_dictator by auto. now exists 0.
Qed.

Definition chain_points (U : nat -> bool) (x : nat) := cnt U (s + x).

Lemma C_algorithm1 U : 2 * cnt U n < n ->
  C n n algorithm1 U = cnt U s + cnt (won b (chain_points U)) L.
Proof.
  intros HU. unfold C. pose proof L_small as HL.
  replace (cnt (fun j => load n algorithm1 j <=? 2 * seen n algorithm1 j U) n) with
    (cnt (fun j => load n algorithm1 j <=? 2 * seen n algorithm1 j U) (s + L + (n - (s + L)))) by (f_equal; lia).
  rewrite !cnt_add.
  rewrite (cnt_false (fun i => load n algorithm1 (s + L + i) <=? 2 * seen n algorithm1 (s + L + i) U)).
  2: { intros i _. apply Nat.leb_gt. rewrite load_seen. unfold seen. rewrite !row_full, cnt_all by lia. lia. }
  rewrite Nat.add_0_r. f_equal; apply cnt_ext; intros a Ha; rewrite load_seen; unfold seen.
  - rewrite !row_dictator by auto. now destruct (U a).
  - rewrite !row_chain, !cnt_all by auto. unfold won, chain_points.
    pose proof (cnt_mono U (s + a * (b + 1)) (s + a * (b + 1) + (2 * b + 1)) ltac:(lia)).
    replace (s + (a * (b + 1) + (2 * b + 1))) with (s + a * (b + 1) + (2 * b + 1)) by lia.
    match goal with |- (?x <=? ?y) = (?z <=? ?w) => destruct (Nat.leb_spec x y), (Nat.leb_spec z w); auto; lia end.
Qed.

Lemma half_n : n / 2 = t.
Proof. replace n with (1 + t * 2) by lia. now rewrite Nat.div_add. Qed.

Lemma half_n1 : (n - 1) / 2 = t.
Proof. replace (n - 1) with (t * 2) by lia. now rewrite Nat.div_mul. Qed.

Theorem theorem_8 ties : radius n n algorithm1 ties b.
Proof.
  unfold radius.
  assert (Ho : Nat.Odd n) by now exists t.
  rewrite !lemma_2_odd by (auto using algorithm1_odd; lia). rewrite half_n, half_n1. split.
  - intros U HU. rewrite C_algorithm1 by lia.
    pose proof (chain_wins b (chain_points U) ltac:(lia)) as H.
    specialize (H ltac:(intros; apply cnt_mono; lia)).
    specialize (H ltac:(intros x y Hxy; pose proof (cnt_step U (s + x) (s + y)); unfold chain_points; lia) L).
    change (chain_points U (L * (b + 1) + b)) with (cnt U (s + (L * (b + 1) + b))) in H.
    change (chain_points U 0) with (cnt U (s + 0)) in H. rewrite Nat.add_0_r in H.
    pose proof (cnt_le U s). pose proof L_fits.
    pose proof (cnt_mono U (s + (L * (b + 1) + b)) n ltac:(lia)). lia.
  - intros H. specialize (H (fun i => i <? t) (cnt_lt_prefix t n ltac:(lia))).
    rewrite C_algorithm1, (cnt_true (fun i => i <? t) s) in H; [lia| |].
    + intros i Hi. apply Nat.ltb_lt. lia.
    + rewrite cnt_lt_prefix; lia.
Qed.
End Algorithm1.
