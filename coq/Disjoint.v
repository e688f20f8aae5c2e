(** docs/theory/lighter.md: the theorem of disjoint rows. n = k = 2t + 1, odd loads; the rows that are not full are
    the light ones, and they share no partition. With load 2a - 1, a points win a row. *)
From Coq Require Import ZArith Arith Lia Bool.
From Election Require Import Count Definitions Margin Sides Holders FewestOnes.
Local Arguments Nat.ltb : simpl never.
Local Arguments Nat.leb : simpl never.
Local Arguments Nat.mul : simpl never.
Local Arguments Nat.div : simpl never.

Section Disjoint.
Variables (t b : nat) (G : matrix).
Local Notation n := (2 * t + 1).
Local Notation load := (load n G).
Hypothesis b_le : b <= t.
Hypothesis odd : odd_loads n n G.
Definition light (j : nat) : bool := load j <? n.
Hypothesis disjoint : forall j j' i, j < n -> j' < n -> i < n -> light j = true -> light j' = true -> j <> j' ->
  G j i = true -> G j' i = false.

(** How many points win row j. *)
Definition cost (j : nat) : nat := (load j + 1) / 2.

Lemma cost_spec j : j < n -> load j + 1 = 2 * cost j.
Proof.
  intros Hj. destruct (odd j Hj) as [p Hp]. unfold cost. rewrite Hp. replace (2 * p + 1 + 1) with ((p + 1) * 2) by lia.
  rewrite Nat.div_mul by lia. lia.
Qed.

(** What U holds of disjoint rows is at most U. *)
Lemma seen_sum I U : (forall j, I j = true -> light j = true) -> forall p, p <= n ->
  sum (fun j => if I j then seen n G j U else 0) p <= cnt (fun i => covered G I p i && U i) n.
Proof.
  intros HI. induction p as [|p IH]; intros Hp; cbn [sum]; [lia|]. specialize (IH ltac:(lia)).
  destruct (I p) eqn:E.
  - etransitivity; [apply Nat.add_le_mono_r, IH|].
    apply (cnt_disjoint _ (fun i => covered G I p i && U i) (fun i => G p i && U i)).
    + intros i Hi H. apply andb_prop in H as [H1 H2]. cbn [covered]. rewrite H1, H2. split; [reflexivity|].
      apply covered_spec in H1 as (j & Hj & Ij & Gj).
      assert (F : G p i = false); [|now rewrite F]. apply (disjoint j p); auto; lia.
    + intros i Hi H. apply andb_prop in H as [H1 H2]. cbn [covered]. rewrite H1, H2, E. now rewrite orb_true_r.
  - rewrite Nat.add_0_r. etransitivity; [exact IH|]. apply cnt_sub. intros i _ H. cbn [covered]. now rewrite E, orb_false_r.
Qed.

(** The first points of each row of I, as many as win it. *)
Definition winners (I : nat -> bool) : matrix := fun j i => G j i && (cnt (G j) i <? cost j).

Lemma winners_size j : j < n -> cnt (winners (fun _ => true) j) n = cost j.
Proof.
  intros Hj. pose proof (cost_spec j Hj) as E.
  enough (F : forall m, cnt (fun i => G j i && (cnt (G j) i <? cost j)) m = Nat.min (cost j) (cnt (G j) m)).
  { unfold winners. rewrite F. fold (load j). destruct (odd j Hj) as [p Hp]. lia. }
  induction m as [|m IH]; cbn [cnt]; [lia|]. rewrite IH. destruct (G j m); cbn [andb Nat.b2n]; [|lia].
  destruct (Nat.ltb_spec (cnt (G j) m) (cost j)); cbn [Nat.b2n]; lia.
Qed.

(** The code tolerates b if and only if every t - b + 1 of the light rows take more than t points to win: with the costs
    in order, there are at most t - b light rows or a_1 + ... + a_(t-b+1) > t. *)
Theorem disjoint_rows ties : tolerant n n G ties b <->
  forall I, (forall j, I j = true -> light j = true) -> cnt I n = t - b + 1 ->
    t < sum (fun j => if I j then cost j else 0) n.
Proof.
  assert (Hh : n / 2 = t) by (replace n with (1 + t * 2) by lia; now rewrite Nat.div_add).
  assert (Hh1 : (n - 1) / 2 = t) by (replace (n - 1) with (t * 2) by lia; now rewrite Nat.div_mul).
  rewrite lemma_2_odd by (auto; try lia; now exists t). rewrite Hh, Hh1. split.
  - (* the winners of cheap rows would win too many *)
    intros T I HI Ic. destruct (le_lt_dec (sum (fun j => if I j then cost j else 0) n) t) as [Le|]; [exfalso|auto].
    set (Wn := winners (fun _ => true)).
    assert (Size : cnt (covered Wn I n) n <= t).
    { etransitivity; [apply covered_size|]. etransitivity; [|exact Le]. apply sum_le. intros j Hj.
      destruct (I j); [|lia]. unfold Wn. rewrite winners_size; lia. }
    destruct (cnt_extend _ n t Size ltac:(lia)) as (U & HU & Uc). specialize (T U Uc).
    assert (cnt I n <= C n n G U); [|lia].
    apply cnt_sub. intros j Hj Ij. apply Nat.leb_le. pose proof (cost_spec j Hj).
    enough (cost j <= seen n G j U) by lia. rewrite <- (winners_size j Hj). apply cnt_sub. intros i Hi E.
    assert (Cv : covered Wn I n i = true) by (apply covered_spec; exists j; auto).
    rewrite (HU i Cv), andb_true_r. unfold winners in E. now apply andb_prop in E.
  - intros H U HU. destruct (le_lt_dec (C n n G U + b) t) as [|Lt]; [auto|exfalso].
    destruct (cnt_take (fun j => load j <=? 2 * seen n G j U) n (t - b + 1)) as (I & HI & Ic);
      [change (t - b + 1 <= C n n G U); lia|].
    assert (Il : forall j, I j = true -> light j = true).
    { intros j E. apply HI in E. apply Nat.leb_le in E. apply Nat.ltb_lt.
      assert (seen n G j U <= cnt U n); [|lia]. apply cnt_sub. intros i _ Hi. now apply andb_prop in Hi. }
    specialize (H I Il Ic). pose proof (seen_sum I U Il n (le_n _)) as S.
    assert (cnt (fun i => covered G I n i && U i) n <= t).
    { rewrite <- HU at 2. apply cnt_sub. intros i _ Hi. now apply andb_prop in Hi. }
    assert (sum (fun j => if I j then cost j else 0) n <= sum (fun j => if I j then seen n G j U else 0) n); [|lia].
    apply sum_le. intros j Hj. destruct (I j) eqn:E; [|lia]. apply HI in E. apply Nat.leb_le in E.
    pose proof (cost_spec j Hj). lia.
Qed.
End Disjoint.
